//! Where the running platform listens, told to the command line by a file in the data directory.
//!
//! The server holds a lock on the file as long as it runs. A file without the lock was left behind by a crash, and
//! nobody sends a token to an address that another program may have by now.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

/// The address of a running platform, readable until this is dropped.
#[derive(Debug)]
pub struct Announcement {
    _locked: File,
}

impl Announcement {
    /// Tells where the API of a data directory is served. Blocks for a moment.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn new(dir: &Path, address: SocketAddr) -> io::Result<Self> {
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(dir.join(FILE))?;
        // A command line that looks holds it for an instant.
        file.lock()?;
        file.set_len(0)?;
        file.write_all(address.to_string().as_bytes())?;
        file.sync_all()?;
        Ok(Self { _locked: file })
    }
}

/// Where the API of a data directory is served, as a client on this machine reaches it; `None` when it is not.
#[must_use]
pub fn announced(dir: &Path) -> Option<SocketAddr> {
    let file = File::open(dir.join(FILE)).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {}
        // Whoever wrote it is gone.
        Ok(()) | Err(TryLockError::Error(_)) => return None,
    }
    let mut text = String::new();
    file.take(ADDRESS_BYTES).read_to_string(&mut text).ok()?;
    let address: SocketAddr = text.parse().ok()?;
    Some(SocketAddr::new(reachable(address.ip()), address.port()))
}

/// A listener on every address is reached by the loopback.
const fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(own) if own.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(own) if own.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        own => own,
    }
}

/// The file's name in the data directory.
const FILE: &str = "operator.address";

/// Bytes of an address in words, at most.
const ADDRESS_BYTES: u64 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_as_long_as_somebody_serves() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(announced(dir.path()), None);
        let serving = Announcement::new(dir.path(), "0.0.0.0:7080".parse().unwrap()).unwrap();
        assert_eq!(announced(dir.path()), Some("127.0.0.1:7080".parse().unwrap()));
        drop(serving);
        assert_eq!(announced(dir.path()), None, "what a crash left behind is not trusted");
        let _serving = Announcement::new(dir.path(), "[::1]:80".parse().unwrap()).unwrap();
        assert_eq!(announced(dir.path()), Some("[::1]:80".parse().unwrap()));
    }
}
