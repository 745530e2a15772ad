//! Clips stay where they were put, by content.

use std::fs;

use crate::shelf::{CLIP_BYTES_MAX, Shelf, ShelfFault, id_of};

#[test]
fn a_clip_comes_back_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let clip = Shelf::open(dir.path()).unwrap().put(b"hello").unwrap();
    assert_eq!(clip.to_string(), "2cf24dba5fb0a30e26e83b2ac5b9e29e", "the first half of SHA-256");
    assert_eq!(&*Shelf::open(dir.path()).unwrap().get(clip).unwrap(), b"hello");
}

#[test]
fn the_same_sound_is_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(dir.path().join("deep/clips")).unwrap();
    assert_eq!(shelf.put(b"hello").unwrap(), shelf.put(b"hello").unwrap());
    assert_ne!(shelf.put(b"hello").unwrap(), shelf.put(b"other").unwrap());
    let mut files: Vec<_> =
        fs::read_dir(dir.path().join("deep/clips")).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files.len(), 2, "{files:?}");
    assert_eq!(files[0], "2cf24dba5fb0a30e26e83b2ac5b9e29e");
}

#[test]
fn a_clip_that_nobody_put_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(dir.path()).unwrap();
    assert!(matches!(shelf.get(id_of(b"never")), Err(ShelfFault::Missing { .. })));
}

#[test]
fn a_damaged_file_is_told_and_replaced_by_the_next_upload() {
    let dir = tempfile::tempdir().unwrap();
    let clip = Shelf::open(dir.path()).unwrap().put(b"hello").unwrap();
    fs::write(dir.path().join(clip.to_string()), b"hell").unwrap();

    let shelf = Shelf::open(dir.path()).unwrap();
    assert!(matches!(shelf.get(clip), Err(ShelfFault::Damaged { .. })));
    assert_eq!(shelf.put(b"hello").unwrap(), clip);
    assert_eq!(&*Shelf::open(dir.path()).unwrap().get(clip).unwrap(), b"hello");
}

#[test]
fn a_clip_longer_than_any_import_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(dir.path()).unwrap();
    assert!(matches!(shelf.put(&vec![0; CLIP_BYTES_MAX + 1]), Err(ShelfFault::TooLong { .. })));
    assert!(shelf.put(&vec![0; CLIP_BYTES_MAX]).is_ok());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let fault = Shelf::open(file.path()).unwrap_err();
    assert_eq!(fault.to_string(), format!("cannot open the clips' folder {}", file.path().display()));
}
