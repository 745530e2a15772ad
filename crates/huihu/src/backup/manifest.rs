//! What a backup holds. Pure.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use base::id::{CallId, ClipId};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};
use store::{DATABASE_FILE, KEY_FILE};

/// A backup's list of its files, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// When the database was copied, to the second.
    pub(crate) made_at: Timestamp,
    /// The version of the program that did.
    pub(crate) program: String,
    pub(crate) files: Vec<Listed>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) part: Part,
    pub(crate) bytes: u64,
    pub(crate) sha256: [u8; 32],
}

/// What a file is. Nothing else has a place in a backup, and each has one place in a data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    Database,
    /// What opens the secrets in the database.
    Key,
    Clip(ClipId),
    Recording(CallId),
}

impl Part {
    /// Its name in the archive.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Database => DATABASE_FILE.to_owned(),
            Self::Key => KEY_FILE.to_owned(),
            Self::Clip(clip) => format!("{CLIPS}/{clip}"),
            Self::Recording(call) => format!("{RECORDINGS}/{call}.wav"),
        }
    }

    /// The part of that name. There is one way to write each.
    fn parse(name: &str) -> Option<Self> {
        let part = match name.split_once('/') {
            None if name == DATABASE_FILE => Self::Database,
            None if name == KEY_FILE => Self::Key,
            Some((CLIPS, clip)) => Self::Clip(clip.parse().ok()?),
            Some((RECORDINGS, call)) => Self::Recording(call.strip_suffix(".wav")?.parse().ok()?),
            None | Some(_) => return None,
        };
        (part.name() == name).then_some(part)
    }

    /// Its place in a data directory.
    pub(crate) fn path(self, dir: &Path) -> PathBuf {
        match self {
            Self::Database | Self::Key | Self::Clip(_) => dir.join(self.name()),
            Self::Recording(call) => engine::recording_path(&dir.join(RECORDINGS), call),
        }
    }
}

impl Manifest {
    /// Reads a manifest that anybody may have written.
    pub(crate) fn parse(text: &[u8]) -> Result<Self> {
        let written: Written = serde_json::from_slice(text).context("the manifest is none of ours")?;
        if written.format != FORMAT {
            bail!("the manifest is of {:?}, and no backup of ours", written.format);
        }
        if written.version != VERSION {
            bail!(
                "the backup has the form {}, and this program reads {VERSION}: restore it with huihu {}",
                written.version,
                written.program
            );
        }
        if written.files.len() > FILES_MAX {
            bail!("the manifest lists {} files, and may list {FILES_MAX}", written.files.len());
        }
        let made_at = Timestamp::parse(&written.made_at, MOMENT).context("the manifest has no time")?;
        let files = written.files.iter().map(WrittenFile::read).collect::<Result<Vec<_>>>()?;
        let mut seen = HashSet::with_capacity(files.len());
        if let Some(twice) = files.iter().find(|file| !seen.insert(file.part)) {
            bail!("the manifest lists {} twice", twice.part.name());
        }
        if !seen.contains(&Part::Database) {
            bail!("the backup has no database");
        }
        let manifest = Self { made_at, program: written.program, files };
        manifest.total().context("the manifest lists more bytes than there are")?;
        Ok(manifest)
    }

    /// The manifest as it stands in the archive.
    pub(crate) fn print(&self) -> Vec<u8> {
        let file = |file: &Listed| WrittenFile {
            name: file.part.name(),
            bytes: file.bytes,
            sha256: file.sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        let written = Written {
            format: FORMAT.to_owned(),
            version: VERSION,
            made_at: self.made_at.print(MOMENT),
            program: self.program.clone(),
            files: self.files.iter().map(file).collect(),
        };
        serde_json::to_vec_pretty(&written).expect("our own types print as JSON")
    }

    /// Bytes of all files together; `None` when that is no number.
    pub(crate) fn total(&self) -> Option<u64> {
        self.files.iter().try_fold(0_u64, |sum, file| sum.checked_add(file.bytes))
    }

    /// Whether that part is inside.
    pub(crate) fn has(&self, part: Part) -> bool {
        self.files.iter().any(|file| file.part == part)
    }

    /// What is inside, in words.
    pub(crate) fn words(&self) -> String {
        let (mut clips, mut recordings) = (0_usize, 0_usize);
        for file in &self.files {
            match file.part {
                Part::Clip(_) => clips += 1,
                Part::Recording(_) => recordings += 1,
                Part::Database | Part::Key => {}
            }
        }
        let key = if self.has(Part::Key) { "the key" } else { "no key" };
        format!("the database, {clips} clips, {recordings} recordings, {key}")
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: String,
    version: u32,
    made_at: String,
    program: String,
    files: Vec<WrittenFile>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFile {
    name: String,
    bytes: u64,
    sha256: String,
}

impl WrittenFile {
    fn read(&self) -> Result<Listed> {
        let part = Part::parse(&self.name).with_context(|| {
            format!("the manifest lists {:?}, which has no place in a data directory", self.name)
        })?;
        let sha256 =
            sum(&self.sha256).with_context(|| format!("the manifest has no SHA-256 of {}", self.name))?;
        Ok(Listed { part, bytes: self.bytes, sha256 })
    }
}

fn sum(text: &str) -> Option<[u8; 32]> {
    let mut sum = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in sum.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(sum)
}

/// The folders of a data directory, which are those of the archive too.
pub(crate) const CLIPS: &str = "clips";
pub(crate) const RECORDINGS: &str = "recordings";

/// The manifest's name in the archive.
pub(crate) const MANIFEST: &str = "manifest.json";

/// Files that a backup may hold: with more recordings than that, other tools do better.
pub(crate) const FILES_MAX: usize = 400_000;

/// Bytes of a manifest with so many files.
pub(crate) const MANIFEST_BYTES: u64 = 80 * 1_024 * 1_024;

const FORMAT: &str = "huihu backup";

const VERSION: u32 = 1;

const MOMENT: &str = "%Y-%m-%dT%H:%M:%SZ";

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(part: Part) -> Listed {
        Listed { part, bytes: 7, sha256: [0xab; 32] }
    }

    fn manifest() -> Manifest {
        let call = CallId::new(Timestamp::from_millis(1_767_323_045_000), 9);
        let files =
            [Part::Database, Part::Key, Part::Clip(ClipId::from_bytes([3; 16])), Part::Recording(call)];
        Manifest {
            made_at: Timestamp::from_millis(1_767_323_045_000),
            program: "0.1.0".to_owned(),
            files: files.map(listed).into(),
        }
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let printed = manifest().print();
        assert_eq!(Manifest::parse(&printed).unwrap(), manifest());
        assert_eq!(manifest().words(), "the database, 1 clips, 1 recordings, the key");
    }

    #[test]
    fn a_whole_list_fits_into_its_bounds() {
        let longest = |last| {
            let part = Part::Recording(CallId::from_bytes([last; 16]));
            Listed { bytes: u64::MAX, ..listed(part) }
        };
        let bytes = |files: Vec<Listed>| Manifest { files, ..manifest() }.print().len() as u64;
        let one = bytes(vec![longest(1), longest(2)]) - bytes(vec![longest(1)]);
        assert!(one * FILES_MAX as u64 + 1_024 <= MANIFEST_BYTES, "{one}");
    }

    #[test]
    fn what_has_no_place_in_a_data_directory_is_refused() {
        let call = "019b7ca98c8800000000000000000001";
        for name in [
            "../huihu.db",
            "/huihu.db",
            "./huihu.db",
            "huihu.db/",
            "clips/../huihu.db",
            "clips/019B7CA98C8800000000000000000001",
            &format!("clips/{call}/x"),
            &format!("recordings/{call}"),
            &format!("recordings/01/{call}.wav"),
            "operator.key",
            "manifest.json",
            "",
        ] {
            assert_eq!(Part::parse(name), None, "{name:?}");
        }
        let dir = Path::new("/data");
        let part = Part::parse(&format!("recordings/{call}.wav")).unwrap();
        assert_eq!(part.path(dir), Path::new("/data/recordings/00").join(format!("{call}.wav")));
    }

    #[test]
    fn each_lie_of_a_manifest_has_its_own_sentence() {
        let sound = String::from_utf8(manifest().print()).unwrap();
        let one = |part| Manifest { files: vec![listed(part)], ..manifest() }.print();
        let twice = Manifest { files: vec![listed(Part::Database), listed(Part::Database)], ..manifest() };
        let huge = Listed { bytes: u64::MAX, ..listed(Part::Key) };
        let huge = Manifest { files: vec![listed(Part::Database), huge], ..manifest() };
        for (text, words) in [
            (b"{}".to_vec(), "none of ours"),
            (sound.replace("huihu backup", "other").into_bytes(), "no backup of ours"),
            (sound.replace("\"version\": 1", "\"version\": 2").into_bytes(), "restore it with huihu 0.1.0"),
            (sound.replace("2026", "last year").into_bytes(), "has no time"),
            (sound.replace("secret.key", "../secret.key").into_bytes(), "no place in a data directory"),
            (sound.replace("abab", "zz").into_bytes(), "no SHA-256"),
            (one(Part::Key), "no database"),
            (twice.print(), "lists huihu.db twice"),
            (huge.print(), "more bytes than there are"),
        ] {
            let fault = format!("{:#}", Manifest::parse(&text).unwrap_err());
            assert!(fault.contains(words), "{fault}");
        }
    }
}
