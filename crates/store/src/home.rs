//! Whether the database is still where it was opened. SQLite goes on writing into a file that was moved or removed, and
//! whatever it writes there is gone when the process ends.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::fault::StoreFault;

/// A file that is known by its place and by what it is.
pub(crate) struct Home {
    path: PathBuf,
    /// Device and inode.
    file: (u64, u64),
}

impl Home {
    /// The file that is there now.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn of(path: PathBuf) -> Result<Self, StoreFault> {
        let file = identity(&path).map_err(StoreFault::of_file("look at", &path))?;
        Ok(Self { path, file })
    }

    /// Looks again: one system call.
    ///
    /// # Errors
    /// [`StoreFault::Gone`] while the file is elsewhere.
    pub(crate) fn check(&self) -> Result<(), StoreFault> {
        match identity(&self.path) {
            Ok(file) if file == self.file => Ok(()),
            Ok(_) | Err(_) => Err(StoreFault::Gone { path: self.path.clone() }),
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|file| (file.dev(), file.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_moved_is_gone_until_it_is_back() {
        let dir = tempfile::tempdir().unwrap();
        let (path, aside) = (dir.path().join("database"), dir.path().join("aside"));
        fs::write(&path, "first").unwrap();
        let home = Home::of(path.clone()).unwrap();
        assert!(home.check().is_ok());
        fs::rename(&path, &aside).unwrap();
        assert!(home.check().is_err());
        fs::write(&path, "another").unwrap();
        assert!(home.check().is_err(), "another file is in its place");
        fs::rename(&aside, &path).unwrap();
        assert!(home.check().is_ok());
    }
}
