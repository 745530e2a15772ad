//! Clips on disk, each called by its content, the recently used ones also in memory.
//!
//! Two uploads of the same sound are one file; a file never changes; a name that a customer gave is never a path.
//! All calls block: keep them off the media threads.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::id::ClipId;
use moka::sync::Cache;
use sha2::{Digest, Sha256};

use crate::wav::SECS_MAX;

/// A folder of clips. Clones share the folder and the memory.
#[derive(Clone, Debug)]
pub struct Shelf {
    dir: PathBuf,
    recent: Cache<ClipId, Arc<[u8]>>,
}

/// Why a clip could not be kept or found.
#[derive(Debug, thiserror::Error)]
pub enum ShelfFault {
    /// The folder cannot be made.
    #[error("cannot open the clips' folder {}", dir.display())]
    Open {
        /// The folder.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The clip cannot be written; nothing was left behind.
    #[error("cannot keep clip {clip}")]
    Put {
        /// The clip.
        clip: ClipId,
        /// What the system said.
        source: io::Error,
    },
    /// The clip cannot be read.
    #[error("cannot read clip {clip}")]
    Get {
        /// The clip.
        clip: ClipId,
        /// What the system said.
        source: io::Error,
    },
    /// Nobody put this clip here.
    #[error("there is no clip {clip}")]
    Missing {
        /// The clip.
        clip: ClipId,
    },
    /// The file's content is not what its name says.
    #[error("clip {clip} is damaged on disk: upload it again")]
    Damaged {
        /// The clip.
        clip: ClipId,
    },
    /// Longer than any clip that an import gives.
    #[error("the clip has {bytes} bytes and may have {CLIP_BYTES_MAX}")]
    TooLong {
        /// Its bytes.
        bytes: usize,
    },
}

impl Shelf {
    /// The clips in `dir`, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// [`ShelfFault::Open`] if it cannot be made.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, ShelfFault> {
        let dir = dir.into();
        match fs::create_dir_all(&dir) {
            Ok(()) => Ok(Self { dir, recent: remembered(MEMORY_BYTES) }),
            Err(source) => Err(ShelfFault::Open { dir, source }),
        }
    }

    /// Keeps a clip, given as A-law bytes, and says what it is called. Keeping it twice changes nothing.
    ///
    /// When this returns the clip survives a loss of power.
    ///
    /// # Errors
    ///
    /// [`ShelfFault::TooLong`] or [`ShelfFault::Put`].
    pub fn put(&self, alaw: &[u8]) -> Result<ClipId, ShelfFault> {
        if alaw.len() > CLIP_BYTES_MAX {
            return Err(ShelfFault::TooLong { bytes: alaw.len() });
        }
        let clip = id_of(alaw);
        // A damaged file is not found here and so gets replaced.
        if self.get(clip).is_err() {
            self.write(clip, alaw).map_err(|source| ShelfFault::Put { clip, source })?;
            self.recent.insert(clip, Arc::from(alaw));
        }
        Ok(clip)
    }

    /// The A-law bytes of a clip, from memory if it was used of late.
    ///
    /// # Errors
    ///
    /// [`ShelfFault::Missing`], [`ShelfFault::Damaged`] or [`ShelfFault::Get`].
    pub fn get(&self, clip: ClipId) -> Result<Arc<[u8]>, ShelfFault> {
        if let Some(alaw) = self.recent.get(&clip) {
            return Ok(alaw);
        }
        let alaw = self.read(clip).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ShelfFault::Missing { clip },
            _ => ShelfFault::Get { clip, source },
        })?;
        if id_of(&alaw) != clip {
            return Err(ShelfFault::Damaged { clip });
        }
        let alaw: Arc<[u8]> = alaw.into();
        self.recent.insert(clip, Arc::clone(&alaw));
        Ok(alaw)
    }

    fn read(&self, clip: ClipId) -> io::Result<Vec<u8>> {
        let mut alaw = Vec::new();
        // One byte more than a clip may have: a longer file is read as damaged and not into memory.
        File::open(self.path(clip))?.take(CLIP_BYTES_MAX as u64 + 1).read_to_end(&mut alaw)?;
        Ok(alaw)
    }

    /// Writes beside the final name, then renames: a reader sees all of the clip or none.
    fn write(&self, clip: ClipId, alaw: &[u8]) -> io::Result<()> {
        let mut part = tempfile::Builder::new().prefix(".part-").tempfile_in(&self.dir)?;
        part.write_all(alaw)?;
        part.as_file().sync_all()?;
        part.persist(self.path(clip))?;
        sync_dir(&self.dir)
    }

    fn path(&self, clip: ClipId) -> PathBuf {
        self.dir.join(clip.to_string())
    }
}

/// What a clip is called: the first 16 bytes of the SHA-256 of its A-law bytes.
#[must_use]
pub fn id_of(alaw: &[u8]) -> ClipId {
    let mut half = [0; 16];
    half.copy_from_slice(&Sha256::digest(alaw)[..16]);
    ClipId::from_bytes(half)
}

fn remembered(bytes: u64) -> Cache<ClipId, Arc<[u8]>> {
    let weigh = |_: &ClipId, alaw: &Arc<[u8]>| u32::try_from(alaw.len()).unwrap_or(u32::MAX);
    Cache::builder().max_capacity(bytes).weigher(weigh).build()
}

/// A rename is durable once the folder that holds the name is.
fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// The longest clip that an import gives, in bytes.
pub const CLIP_BYTES_MAX: usize = SECS_MAX * 8_000;

/// Bytes of clips kept in memory: some thousand announcements of 8 s, or 26 of the longest.
const MEMORY_BYTES: u64 = 64 * 1024 * 1024;
