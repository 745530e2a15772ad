//! A backup: one file with the database, the clips, and whatever else was asked for.
//!
//! ```text
//! gzip ( tar ( manifest.json  huihu.db  [secret.key]  clips/…  [recordings/…] ) )
//! ```
//!
//! The [`manifest`] comes first and says of each file what it is, how large it is and what its SHA-256 is. Whoever reads the
//! archive takes nothing from it that the manifest does not list, in its order and of its size: what lies where is decided
//! by [`manifest::Part`] alone, and never by a path in the archive. [`pack`] writes, [`unpack`] reads and doubts.

pub(crate) mod manifest;
pub(crate) mod pack;
pub(crate) mod unpack;

#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// A folder that goes away with this, whatever happens.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes a folder that only its owner may look into.
    pub(crate) fn new(path: PathBuf) -> Result<Self> {
        fs::DirBuilder::new().mode(0o700).create(&path).with_context(|| {
            format!(
                "cannot make the folder {}: remove it if it is left from a try that broke off",
                path.display()
            )
        })?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing better can be done about it.
        fs::remove_dir_all(&self.0).ok();
    }
}

/// Whether a file system has room for so many bytes more.
pub(crate) fn check_room(place: &Path, bytes: u64) -> Result<()> {
    let there = rustix::fs::statvfs(place)
        .with_context(|| format!("cannot see how much room {} has", place.display()))?;
    let free = there.f_bavail.saturating_mul(there.f_frsize);
    if free < bytes {
        bail!(
            "{} has room for {free} bytes, and {bytes} are needed: make room, or go elsewhere",
            place.display()
        );
    }
    Ok(())
}

/// A reader or writer whose bytes are counted and summed up.
struct Summed<T> {
    inner: T,
    bytes: u64,
    digest: Sha256,
}

impl<T> Summed<T> {
    fn new(inner: T) -> Self {
        Self { inner, bytes: 0, digest: Sha256::new() }
    }

    fn take_in(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.digest.update(bytes);
    }

    /// How many bytes went by, and their SHA-256.
    fn sum(self) -> (u64, [u8; 32]) {
        (self.bytes, self.digest.finalize().into())
    }
}

impl<R: io::Read> io::Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.take_in(&buffer[..read]);
        Ok(read)
    }
}

impl<W: io::Write> io::Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.take_in(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A name that does not come again on this machine soon.
pub(crate) fn passing_name(stem: &str) -> String {
    format!("{stem}-{}-{:016x}", std::process::id(), rand::random::<u64>())
}
