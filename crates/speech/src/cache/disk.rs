//! A folder of sounds, each a WAV file that can be listened to. The least recently used go when it is full.
//!
//! All calls block.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File, FileTimes};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::riff::Riff;
use crate::shelf::CLIP_BYTES_MAX;
use crate::wav::{TELEPHONE, wav_alaw};

use super::Key;

/// The folder.
#[derive(Debug)]
pub(super) struct Disk {
    dir: PathBuf,
    bytes_max: u64,
    ledger: Mutex<Ledger>,
}

/// What is in the folder.
#[derive(Debug, Default)]
struct Ledger {
    files: HashMap<Key, Kept>,
    bytes: u64,
    /// Rises with each use.
    uses: u64,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    bytes: u64,
    used: u64,
}

impl Disk {
    /// Makes the folder if it is not there, and looks what is in it. What a dead process left half-written goes.
    pub(super) fn open(dir: &Path, bytes_max: u64) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let mut found = Vec::new();
        for item in fs::read_dir(dir)? {
            let item = item?;
            let path = item.path();
            if item.file_name().as_encoded_bytes().starts_with(PART.as_bytes()) {
                fs::remove_file(&path)?;
            } else if let Some(key) = key_of(&path) {
                let metadata = item.metadata()?;
                found.push((metadata.modified()?, key, metadata.len()));
            }
        }
        found.sort_by_key(|(used, _, _)| *used);
        let mut ledger = Ledger::default();
        for (_, key, bytes) in found {
            ledger.insert(key, bytes);
        }
        let disk = Self { dir: dir.to_owned(), bytes_max, ledger: Mutex::new(ledger) };
        disk.make_room();
        Ok(disk)
    }

    /// The A-law bytes of a sound that is there and whole.
    pub(super) fn get(&self, key: Key) -> Option<Vec<u8>> {
        if !self.ledger().touch(key) {
            return None;
        }
        let alaw = self.read(key);
        if alaw.is_none() {
            self.remove(key);
        }
        alaw
    }

    /// Keeps a sound; whoever has not been asked for longest makes room for it.
    pub(super) fn put(&self, key: Key, alaw: &[u8]) -> io::Result<()> {
        let file = wav_alaw(alaw);
        let mut part = tempfile::Builder::new().prefix(PART).tempfile_in(&self.dir)?;
        part.write_all(&file)?;
        part.as_file().sync_data()?;
        part.persist(self.path(key))?;
        self.ledger().insert(key, file.len() as u64);
        self.make_room();
        Ok(())
    }

    fn read(&self, key: Key) -> Option<Vec<u8>> {
        let file = File::open(self.path(key)).ok()?;
        let mut bytes = Vec::new();
        (&file).take(FILE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
        let riff = Riff::open(&bytes).ok().filter(|riff| riff.format == TELEPHONE)?;
        // So that the order of use outlives the process. A folder that cannot be written to is reported by `put`.
        let _untouched = file.set_times(FileTimes::new().set_modified(SystemTime::now()));
        Some(riff.data.to_vec())
    }

    fn make_room(&self) {
        let gone = self.ledger().drain_to(self.bytes_max);
        for key in gone {
            self.remove(key);
        }
    }

    /// Removes a file, also if it is not there.
    fn remove(&self, key: Key) {
        self.ledger().remove(key);
        if let Err(fault) = fs::remove_file(self.path(key))
            && fault.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(fault = &fault as &dyn std::error::Error, "cannot remove a spoken text");
        }
    }

    fn path(&self, key: Key) -> PathBuf {
        self.dir.join(format!("{key}.{ENDING}"))
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    fn insert(&mut self, key: Key, bytes: u64) {
        self.remove(key);
        self.uses += 1;
        self.bytes += bytes;
        self.files.insert(key, Kept { bytes, used: self.uses });
    }

    /// Says whether it is there.
    fn touch(&mut self, key: Key) -> bool {
        let Some(kept) = self.files.get_mut(&key) else { return false };
        self.uses += 1;
        kept.used = self.uses;
        true
    }

    fn remove(&mut self, key: Key) {
        if let Some(kept) = self.files.remove(&key) {
            self.bytes -= kept.bytes;
        }
    }

    /// Takes out the least recently used until a tenth is free, if there is more than `bytes_max`; so the sorting is
    /// paid once for many files.
    fn drain_to(&mut self, bytes_max: u64) -> Vec<Key> {
        if self.bytes <= bytes_max {
            return Vec::new();
        }
        let mut oldest: Vec<(u64, Key)> = self.files.iter().map(|(key, kept)| (kept.used, *key)).collect();
        oldest.sort_unstable_by_key(|(used, _)| *used);
        let mut gone = Vec::new();
        for (_, key) in oldest {
            if self.bytes <= bytes_max - bytes_max / 10 {
                break;
            }
            self.remove(key);
            gone.push(key);
        }
        gone
    }
}

fn key_of(path: &Path) -> Option<Key> {
    if path.extension() != Some(OsStr::new(ENDING)) {
        return None;
    }
    Key::parse(path.file_stem()?.to_str()?)
}

const ENDING: &str = "wav";

/// How a file begins that is being written.
const PART: &str = ".part-";

/// The longest clip and more than its header.
const FILE_BYTES_MAX: u64 = CLIP_BYTES_MAX as u64 + 1_024;

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn key(number: u8) -> Key {
        Key([number; 32])
    }

    /// A folder for about `count` sounds of [`SOUND`] bytes.
    fn disk(dir: &TempDir, count: u64) -> Disk {
        Disk::open(dir.path(), count * (SOUND as u64 + 60)).unwrap()
    }

    fn has(disk: &Disk, numbers: &[u8]) {
        let there: Vec<u8> =
            (0..=9).filter(|number| disk.ledger().files.contains_key(&key(*number))).collect();
        assert_eq!(there, numbers);
    }

    const SOUND: usize = 1_000;

    #[test]
    fn what_was_put_is_there_after_a_restart() {
        let dir = TempDir::new().unwrap();
        disk(&dir, 10).put(key(1), &[7; SOUND]).unwrap();
        assert_eq!(disk(&dir, 10).get(key(1)).unwrap(), [7; SOUND]);
        assert_eq!(disk(&dir, 10).get(key(2)), None);
    }

    #[test]
    fn the_least_recently_used_go_first() {
        let dir = TempDir::new().unwrap();
        let disk = disk(&dir, 4);
        for number in 1..=4 {
            disk.put(key(number), &[number; SOUND]).unwrap();
        }
        disk.get(key(1)).unwrap();
        disk.put(key(5), &[5; SOUND]).unwrap();
        has(&disk, &[1, 4, 5]);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_smaller_limit_is_kept_from_the_start() {
        let dir = TempDir::new().unwrap();
        for number in 1..=4 {
            disk(&dir, 9).put(key(number), &[number; SOUND]).unwrap();
        }
        assert_eq!(disk(&dir, 2).ledger().files.len(), 1);
    }

    #[test]
    fn a_damaged_file_is_not_heard_and_goes() {
        let dir = TempDir::new().unwrap();
        let disk = disk(&dir, 10);
        disk.put(key(1), &[7; SOUND]).unwrap();
        let path = disk.path(key(1));
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert_eq!(disk.get(key(1)), None);
        assert!(!path.exists());
        disk.put(key(1), &[7; SOUND]).unwrap();
        assert!(disk.get(key(1)).is_some());
    }

    #[test]
    fn what_a_dead_process_left_half_written_goes_and_strangers_stay() {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join(".part-abc"), b"half").unwrap();
        fs::write(dir.path().join("README"), b"hands off").unwrap();
        let _opened = disk(&dir, 10);
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|item| item.unwrap().file_name()).collect();
        assert_eq!(left, ["README"]);
    }

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let key = Key([0xA5; 32]);
        assert_eq!(Key::parse(&key.to_string()), Some(key));
        for wrong in ["", "a5", &"ü".repeat(32), &"zz".repeat(32)] {
            assert_eq!(Key::parse(wrong), None);
        }
    }
}
