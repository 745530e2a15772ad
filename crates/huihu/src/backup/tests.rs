//! Backups that are made, and backups that lie.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use base::id::{CallId, ClipId};
use base::time::Timestamp;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use store::{DATABASE_FILE, Inspection, KEY_FILE, Store};
use tar::{EntryType, Header};
use tempfile::TempDir;

use super::manifest::{CLIPS, Listed, MANIFEST, Manifest, Part, RECORDINGS};
use super::pack::{Extras, pack};
use super::unpack::{Take, is_empty, unpack};

const NOW: Timestamp = Timestamp::from_millis(1_767_323_045_000);

fn clip() -> Part {
    Part::Clip(ClipId::from_bytes([7; 16]))
}

/// A data directory with a clip, and a clip that is being written.
async fn data() -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    Store::open(dir.path()).await.expect("a store");
    fs::create_dir(dir.path().join(CLIPS)).expect("a folder");
    fs::write(clip().path(dir.path()), "sound").expect("a file");
    fs::write(dir.path().join(CLIPS).join(".part-1"), "so").expect("a file");
    dir
}

fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .expect("a folder")
        .map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_backup_has_what_was_asked_for_and_comes_back_whole() {
    let (data, place) = (data().await, tempfile::tempdir().unwrap());
    for (key, inside) in [(false, vec![CLIPS, DATABASE_FILE]), (true, vec![CLIPS, DATABASE_FILE, KEY_FILE])] {
        let file = place.path().join(format!("{key}.tar.gz"));
        let extras = Extras { recordings: true, key };
        let packed = pack(data.path(), extras, NOW, &file).unwrap();
        assert_eq!(packed.bytes, fs::metadata(&file).unwrap().len());
        let to = tempfile::tempdir().unwrap();
        let manifest = unpack(&file, Take::Everything, to.path()).unwrap();
        assert_eq!(manifest, packed.manifest);
        assert_eq!(files(to.path()), inside);
        assert_eq!(files(&to.path().join(CLIPS)), [clip().name().trim_start_matches("clips/")]);
        assert_eq!(fs::read(clip().path(to.path())).unwrap(), b"sound");
        let database = Inspection::open(to.path()).unwrap();
        assert_eq!(database.broken().unwrap(), Vec::<String>::new());
        assert_eq!(database.check_key().is_ok(), key);
    }
    assert_eq!(files(place.path()), ["false.tar.gz", "true.tar.gz"], "nothing else is left behind");
}

#[tokio::test]
async fn nothing_is_written_over_and_nothing_half_is_left() {
    let (data, place) = (data().await, tempfile::tempdir().unwrap());
    let file = place.path().join("b.tar.gz");
    fs::write(&file, "mine").unwrap();
    let fault = pack(data.path(), Extras::default(), NOW, &file).unwrap_err();
    assert!(fault.to_string().contains("exists already"), "{fault}");
    assert_eq!(fs::read(&file).unwrap(), b"mine");

    let other = place.path().join("c.tar.gz");
    fs::remove_file(data.path().join(KEY_FILE)).unwrap();
    assert!(pack(data.path(), Extras { key: true, ..Extras::default() }, NOW, &other).is_err());
    assert_eq!(files(place.path()), ["b.tar.gz"]);
}

/// An archive as somebody may write it: the manifest that it should have had, and what is really in it.
struct Forged {
    manifest: Vec<u8>,
    entries: Vec<(Header, Vec<u8>)>,
    /// After the archive's end, inside the compression.
    rest: Vec<u8>,
}

impl Forged {
    /// A backup that is sound, of a database that is only some bytes.
    fn sound() -> Self {
        let contents = [(Part::Database, b"database".to_vec()), (clip(), b"sound".to_vec())];
        let listed = |(part, bytes): &(Part, Vec<u8>)| Listed {
            part: *part,
            bytes: bytes.len() as u64,
            sha256: Sha256::digest(bytes).into(),
        };
        let files = contents.iter().map(listed).collect();
        let manifest = Manifest { made_at: NOW, program: "0.1.0".to_owned(), files };
        let entries = contents.map(|(part, bytes)| (header(&part.name(), &bytes), bytes)).into();
        Self { manifest: manifest.print(), entries, rest: Vec::new() }
    }

    fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut forged = Self::sound();
        change(&mut forged);
        forged
    }

    fn write(&self, dir: &Path) -> PathBuf {
        let mut archive = tar::Builder::new(Vec::new());
        archive.append(&header(MANIFEST, &self.manifest), self.manifest.as_slice()).expect("memory");
        for (header, bytes) in &self.entries {
            archive.append(header, bytes.as_slice()).expect("memory");
        }
        let mut bytes = archive.into_inner().expect("memory");
        bytes.extend_from_slice(&self.rest);
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&bytes).expect("memory");
        let file = dir.join("forged.tar.gz");
        fs::write(&file, packed.finish().expect("memory")).expect("a file");
        file
    }
}

/// The header of a plain file of any name: written into it byte by byte, so that nothing corrects it.
fn header(name: &str, bytes: &[u8]) -> Header {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_size(bytes.len() as u64);
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o600);
    header.set_cksum();
    header
}

fn linked(kind: EntryType) -> Header {
    let mut header = header(&clip().name(), b"");
    header.set_entry_type(kind);
    header.as_old_mut().linkname[..11].copy_from_slice(b"/etc/passwd");
    header.set_cksum();
    header
}

fn fault(file: &Path) -> String {
    let to = tempfile::tempdir().expect("a directory");
    let inside = to.path().join("data");
    fs::create_dir(&inside).expect("a folder");
    let fault = unpack(file, Take::Everything, &inside).expect_err("it is refused");
    assert_eq!(files(to.path()), ["data"], "nothing is written elsewhere");
    let left = files(&inside);
    assert!(left.iter().all(|name| [DATABASE_FILE, CLIPS].contains(&name.as_str())), "{left:?}");
    format!("{fault:#}")
}

#[test]
fn every_lie_of_an_archive_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let sound = Forged::sound().write(place.path());
    let to = tempfile::tempdir().unwrap();
    unpack(&sound, Take::Everything, to.path()).unwrap();

    let named = |name: &str| Forged::with(|forged| forged.entries[1].0 = header(name, b"sound"));
    let kind = |kind| Forged::with(|forged| forged.entries[1] = (linked(kind), Vec::new()));
    let listed = |from: &str, to: &str| {
        let text = String::from_utf8(Forged::sound().manifest).unwrap();
        assert!(text.contains(from));
        Forged::with(|forged| forged.manifest = text.replace(from, to).into_bytes())
    };
    let bomb = vec![0; 4 << 20];
    let cases = [
        (named("../../escaped"), "something else where clips/"),
        (named("/tmp/escaped"), "something else where clips/"),
        (named("clips/../escaped"), "something else where clips/"),
        (listed(&clip().name(), "../escaped"), "no place in a data directory"),
        (listed(&clip().name(), "/tmp/escaped"), "no place in a data directory"),
        (kind(EntryType::Symlink), "no plain file"),
        (kind(EntryType::Link), "no plain file"),
        (kind(EntryType::Directory), "no plain file"),
        (kind(EntryType::Char), "no plain file"),
        (kind(EntryType::Fifo), "no plain file"),
        (kind(EntryType::GNULongName), "no plain file"),
        (kind(EntryType::GNUSparse), "no plain file"),
        (kind(EntryType::XHeader), "no plain file"),
        (
            Forged::with(|forged| forged.entries[1] = (header(&clip().name(), &bomb), bomb.clone())),
            "has 4194304 bytes, and 5 by the manifest",
        ),
        (Forged::with(|forged| forged.entries[1].1 = b"SOUND".to_vec()), "is damaged"),
        (Forged::with(|forged| forged.entries.swap(0, 1)), "something else where huihu.db"),
        (Forged::with(|forged| forged.entries.truncate(1)), "it ends before clips/"),
        (
            Forged::with(|forged| forged.entries.push((header("more", b"x"), b"x".to_vec()))),
            "more than its manifest lists",
        ),
        (Forged::with(|forged| forged.rest = vec![0; 3 << 20]), "goes on after its end"),
        (Forged::with(|forged| forged.manifest = b"{".to_vec()), "none of ours"),
        (listed("\"bytes\": 5", "\"bytes\": 9223372036854775807"), "bytes are needed"),
    ];
    for (forged, words) in cases {
        let fault = fault(&forged.write(place.path()));
        assert!(
            fault.contains(words) || (words.starts_with("bytes") && fault.contains("are needed")),
            "{fault}"
        );
    }
}

#[test]
fn an_archive_that_broke_on_its_way_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let whole = fs::read(Forged::sound().write(place.path())).unwrap();
    let broken = place.path().join("broken");
    for cut in [0, 1, 10, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
        fs::write(&broken, &whole[..cut]).unwrap();
        fault(&broken);
    }
    // A bit that flips is found by the sums of the manifest, or by that of the whole, unless the same comes out: in a row
    // of zeros it is one from which of them the next are copied.
    for place in 10..whole.len() {
        let mut flipped = whole.clone();
        flipped[place] ^= 0x10;
        fs::write(&broken, &flipped).unwrap();
        let to = tempfile::tempdir().unwrap();
        if unpack(&broken, Take::Everything, to.path()).is_ok() {
            assert_eq!(fs::read(to.path().join(DATABASE_FILE)).unwrap(), b"database");
            assert_eq!(fs::read(clip().path(to.path())).unwrap(), b"sound");
        }
    }
}

#[test]
fn only_what_judges_the_database_is_unpacked_to_judge_it() {
    let (place, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = Forged::sound().write(place.path());
    unpack(&file, Take::Database, to.path()).unwrap();
    assert_eq!(files(to.path()), [DATABASE_FILE]);
    assert!(!is_empty(to.path()).unwrap() && is_empty(&to.path().join("none")).unwrap());
    let call = Part::Recording(CallId::new(NOW, 1));
    assert!(call.path(to.path()).starts_with(to.path().join(RECORDINGS)));
}
