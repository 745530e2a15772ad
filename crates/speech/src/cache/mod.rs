//! What was spoken: in memory, and on disk if it may stay. Each sound is made once, however many ask for it at a time.
//!
//! Two memories, so that texts about one person neither outlive their call nor push out what everybody hears. Only the
//! first has a disk behind it.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use base::limits::ANNOUNCEMENT;
use moka::future;
use moka::policy::EvictionPolicy;
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;
use tracing::warn;

use crate::text::Speed;
use crate::wording::Wording;

use self::disk::Disk;

mod disk;

/// Where sounds are kept and how many.
#[derive(Clone, Debug)]
pub struct CacheSettings {
    /// The folder. It holds nothing but sounds that can be made again, and is made if it is not there.
    pub dir: PathBuf,
    /// Bytes on disk; the sounds that nobody asked for longest go first.
    pub disk_bytes: u64,
}

/// The cache's folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the folder of spoken texts {}", dir.display())]
pub struct CacheFault {
    /// The folder.
    pub dir: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// What a sound is called: by everything that it depends on, so that it never goes stale.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 32]);

/// Both memories and the disk. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    kept: Memory,
    brief: Memory,
    disk: Arc<Disk>,
}

type Memory = future::Cache<Key, Arc<[u8]>>;

impl CacheSettings {
    /// A folder of the usual size.
    #[must_use]
    pub fn at(dir: PathBuf) -> Self {
        Self { dir, disk_bytes: DISK_BYTES }
    }
}

impl Key {
    /// The name of what this voice says to this wording at this speed.
    pub(crate) fn of(identity: &str, wording: &Wording, speed: Speed) -> Self {
        let mut hash = Sha256::new();
        let speed = speed.to_string();
        for part in [SOUND_VERSION, identity, wording.language().tag(), &speed, &wording.joined()] {
            // The length keeps the end of one part from being read as the beginning of the next.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// The key that is written so.
    fn parse(text: &str) -> Option<Self> {
        let mut key = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (at, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(Self(key))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

impl Cache {
    /// The sounds in a folder.
    pub(crate) fn open(settings: &CacheSettings) -> Result<Self, CacheFault> {
        let disk = Disk::open(&settings.dir, settings.disk_bytes)
            .map_err(|source| CacheFault { dir: settings.dir.clone(), source })?;
        let brief = remembered(BRIEF_BYTES).time_to_live(ANNOUNCEMENT).build();
        Ok(Self { kept: remembered(KEPT_BYTES).build(), brief, disk: Arc::new(disk) })
    }

    /// The sound from memory or from disk; else `fresh` makes it, and it is kept in both.
    ///
    /// Those who ask for one key at a time share one answer and one fault. A fault is not remembered. A disk that fails
    /// is warned of and otherwise not missed.
    pub(crate) async fn kept<F>(&self, key: Key, fresh: impl Future<Output = Made<F>>) -> Made<F>
    where
        F: Clone + Send + Sync + 'static,
    {
        let found = self.kept.try_get_with(key, async {
            if let Some(alaw) = self.read(key).await {
                return Ok(alaw);
            }
            let alaw = fresh.await?;
            self.write(key, Arc::clone(&alaw)).await;
            Ok(alaw)
        });
        found.await.map_err(Arc::unwrap_or_clone)
    }

    /// The same in memory only, for as long as the longest announcement lasts.
    pub(crate) async fn brief<F>(&self, key: Key, fresh: impl Future<Output = Made<F>>) -> Made<F>
    where
        F: Clone + Send + Sync + 'static,
    {
        self.brief.try_get_with(key, fresh).await.map_err(Arc::unwrap_or_clone)
    }

    async fn read(&self, key: Key) -> Option<Arc<[u8]>> {
        let disk = Arc::clone(&self.disk);
        spawn_blocking(move || disk.get(key)).await.ok().flatten().map(Arc::from)
    }

    async fn write(&self, key: Key, alaw: Arc<[u8]>) {
        let disk = Arc::clone(&self.disk);
        match spawn_blocking(move || disk.put(key, &alaw)).await {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => warn!(fault = &fault as &dyn Error, "cannot keep a spoken text"),
            Err(fault) => warn!(fault = &fault as &dyn Error, "keeping a spoken text broke"),
        }
    }
}

/// A sound, or why there is none.
type Made<F> = Result<Arc<[u8]>, F>;

fn remembered(bytes: u64) -> future::CacheBuilder<Key, Arc<[u8]>, Memory> {
    let weigh = |_: &Key, alaw: &Arc<[u8]>| u32::try_from(alaw.len()).unwrap_or(u32::MAX);
    future::Cache::builder().max_capacity(bytes).weigher(weigh).eviction_policy(EvictionPolicy::lru())
}

/// Changes when the same answer of an engine becomes another sound.
const SOUND_VERSION: &str = "1";

/// Bytes on disk when nobody says otherwise: some ten thousand announcements of 10 s.
const DISK_BYTES: u64 = 1024 * 1024 * 1024;

/// Bytes of texts that everybody hears: 800 announcements of 10 s.
const KEPT_BYTES: u64 = 64 * 1024 * 1024;

/// Bytes of texts about one person: 400 announcements of 10 s, which is more than wait at a time.
const BRIEF_BYTES: u64 = 32 * 1024 * 1024;
