//! The operator's token: a file in the data directory that only its owner reads.
//!
//! It is made at the first start. Whoever can read it can read the database too, so it gives nothing away that the
//! directory would not; and the command line, run by the same user, needs no log-in.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base::private::Private;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The token of one data directory, and what offered ones are compared with.
#[derive(Clone)]
pub struct OperatorKey {
    token: Private<Box<str>>,
    digest: [u8; 32],
}

/// Why there is no token. Each says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// The file cannot be read or written.
    #[error("cannot {action} {}: the operator API needs it", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// Others may read the file.
    #[error("others may read {}: `chmod 600` it, or delete it to get a new token", path.display())]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// The file holds no token.
    #[error("{} holds no token: delete it to get a new one", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random(#[source] rand::rand_core::OsError),
}

impl OperatorKey {
    /// Reads the token of a data directory, and makes one when there is none. Blocks for a moment.
    ///
    /// # Errors
    /// [`KeyFault`].
    pub fn open(dir: &Path) -> Result<Self, KeyFault> {
        let path = dir.join(FILE);
        match create(&path) {
            Ok(()) => {}
            Err(KeyFault::File { cause, .. }) if cause.kind() == io::ErrorKind::AlreadyExists => {}
            Err(fault) => return Err(fault),
        }
        let of_file = |cause| KeyFault::File { action: "read", path: path.clone(), cause };
        let mode = fs::metadata(&path).map_err(of_file)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(KeyFault::Open { path });
        }
        let text = fs::read_to_string(&path).map_err(of_file)?;
        Self::of(text.trim()).ok_or(KeyFault::Damaged { path })
    }

    /// The key of a token; `None` when the text is too short to be one.
    fn of(token: &str) -> Option<Self> {
        let sound = token.len() >= CHARS && token.bytes().all(|byte| byte.is_ascii_graphic());
        let digest = Sha256::digest(token.as_bytes()).into();
        sound.then(|| Self { token: Private::new(token.into()), digest })
    }

    /// The token, to be sent as `Authorization: Bearer TOKEN`.
    #[must_use]
    pub const fn token(&self) -> &Private<Box<str>> {
        &self.token
    }

    /// Whether that is the token. Takes the same time whatever is offered.
    pub(crate) fn fits(&self, offered: &str) -> bool {
        let offered: [u8; 32] = Sha256::digest(offered.as_bytes()).into();
        self.digest.ct_eq(&offered).into()
    }
}

impl fmt::Debug for OperatorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an operator key")
    }
}

/// Writes a new token beside the final name and links it there, so that nobody reads half a token.
fn create(path: &Path) -> Result<(), KeyFault> {
    let of_file = |cause| KeyFault::File { action: "write", path: path.to_owned(), cause };
    if path.exists() {
        return Ok(());
    }
    let mut random = [0; 32];
    OsRng.try_fill_bytes(&mut random).map_err(KeyFault::Random)?;
    let token = BASE64_URL_SAFE_NO_PAD.encode(random);
    let half = path.with_extension(format!("half-{}", std::process::id()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half)?;
        file.write_all(format!("{token}\n").as_bytes())?;
        file.sync_all()?;
        fs::hard_link(&half, path)
    })();
    fs::remove_file(&half).ok();
    written.map_err(of_file)
}

/// The file's name in the data directory.
const FILE: &str = "operator.key";

/// Characters of a token: 256 random bits in base64url.
const CHARS: usize = 43;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_once_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = OperatorKey::open(dir.path()).unwrap();
        let again = OperatorKey::open(dir.path()).unwrap();
        assert_eq!(first.token(), again.token());
        assert!(first.fits(again.token().expose()));
        assert!(!first.fits("") && !first.fits(&again.token().expose()[1..]));
        let path = dir.path().join(FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left behind");

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(OperatorKey::open(dir.path()), Err(KeyFault::Open { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "short\n").unwrap();
        assert!(matches!(OperatorKey::open(dir.path()), Err(KeyFault::Damaged { .. })));
    }

    #[test]
    fn a_key_does_not_print_its_token() {
        let key = OperatorKey::of(&"x".repeat(CHARS)).unwrap();
        assert!(!format!("{key:?}").contains("xxx"));
    }
}
