//! Secrets at rest: sealed with a key that lies in a file of its own, never in the database.
//!
//! A copy of the database alone is worthless to a thief; a backup needs both files.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use base::private::Private;
use chacha20poly1305::aead::rand_core::RngCore;
use chacha20poly1305::aead::{Aead, KeyInit, OsRng, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::fault::StoreFault;

/// The name of the key file in the data directory.
pub const KEY_FILE: &str = "secret.key";

/// Seals and opens secrets with the key of one data directory.
pub(crate) struct Vault {
    cipher: XChaCha20Poly1305,
    root: Private<[u8; KEY_BYTES]>,
}

impl Vault {
    /// Reads the key of a data directory.
    ///
    /// # Errors
    /// [`StoreFault::KeyMissing`] and [`StoreFault::KeyDamaged`], each a sentence for the operator.
    pub(crate) fn read(dir: &Path) -> Result<Self, StoreFault> {
        let path = dir.join(KEY_FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                return Err(StoreFault::KeyMissing { path });
            }
            Err(cause) => return Err(StoreFault::File { action: "read", path, cause }),
        };
        warn_when_others_may_read(&path);
        let key = from_hex(text.trim()).ok_or_else(|| StoreFault::KeyDamaged { path: path.clone() })?;
        Ok(Self { cipher: XChaCha20Poly1305::new(Key::from_slice(&key)), root: Private::new(key) })
    }

    /// Makes a key at the first start, or reads the one that lies there already.
    pub(crate) fn create(dir: &Path) -> Result<Self, StoreFault> {
        let path = dir.join(KEY_FILE);
        let mut key = [0; KEY_BYTES];
        fill_random(&mut key)?;
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(mut file) => {
                let text = to_hex(&key);
                file.write_all(text.as_bytes())
                    .and_then(|()| file.sync_all())
                    .map_err(StoreFault::of_file("write", &path))?;
            }
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
            Err(cause) => return Err(StoreFault::File { action: "create", path, cause }),
        }
        Self::read(dir)
    }

    /// Seals a secret. `owner` (the public key id) is bound to it, so that sealed values cannot be swapped.
    pub(crate) fn seal(&self, owner: &str, secret: &str) -> Result<Vec<u8>, StoreFault> {
        let mut nonce = [0; NONCE_BYTES];
        fill_random(&mut nonce)?;
        let payload = Payload { msg: secret.as_bytes(), aad: owner.as_bytes() };
        let sealed = self
            .cipher
            .encrypt(XNonce::from_slice(&nonce), payload)
            .expect("encrypting a short text in memory cannot fail");
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens a sealed secret; `None` when the key, the owner or the bytes are others.
    pub(crate) fn open(&self, owner: &str, sealed: &[u8]) -> Option<Private<Box<str>>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES)?;
        let payload = Payload { msg: sealed, aad: owner.as_bytes() };
        let plain = self.cipher.decrypt(XNonce::from_slice(nonce), payload).ok()?;
        Some(Private::new(String::from_utf8(plain).ok()?.into()))
    }

    /// A key for one purpose only, the same for ever. It tells nothing of the keys for other purposes.
    pub(crate) fn derive(&self, purpose: &str) -> Private<[u8; 32]> {
        let keyed = <Hmac<Sha256> as Mac>::new_from_slice(self.root.expose());
        let mut mac = keyed.expect("HMAC takes keys of any length");
        mac.update(purpose.as_bytes());
        Private::new(mac.finalize().into_bytes().into())
    }
}

/// Draws a text of letters and digits from the operating system's random source.
pub(crate) fn random_text(length: usize) -> Result<String, StoreFault> {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    // Bytes past the last whole multiple of 62 are thrown away, so that every letter is equally likely.
    const FAIR: u8 = 248;
    let mut text = String::with_capacity(length);
    let mut bytes = [0; 64];
    while text.len() < length {
        fill_random(&mut bytes)?;
        let letters = bytes.iter().filter(|byte| **byte < FAIR).map(|byte| ALPHABET[usize::from(byte % 62)]);
        text.extend(letters.take(length - text.len()).map(char::from));
    }
    Ok(text)
}

/// Draws 32 hexadecimal digits.
pub(crate) fn random_hex() -> Result<String, StoreFault> {
    let mut bytes = [0; 16];
    fill_random(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn fill_random(bytes: &mut [u8]) -> Result<(), StoreFault> {
    OsRng.try_fill_bytes(bytes).map_err(|_| StoreFault::NoRandom)
}

fn warn_when_others_may_read(path: &Path) {
    let open_to_others = fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0);
    if open_to_others {
        tracing::warn!(path = %path.display(), "the key file can be read by others: chmod 600 it");
    }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).chain(["\n".to_owned()]).collect()
}

fn from_hex(text: &str) -> Option<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    if text.len() != KEY_BYTES * 2 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(key)
}

/// Bytes of the key: ChaCha20's.
const KEY_BYTES: usize = 32;

/// Bytes of the nonce before each sealed value: XChaCha20's, long enough to be drawn at random.
const NONCE_BYTES: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_with_its_key_and_owner_only() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let vault = Vault::create(here.path()).unwrap();
        let sealed = vault.seal("key-1", "hush").unwrap();
        assert!(!sealed.windows(4).any(|bytes| bytes == b"hush"));
        let again = Vault::create(here.path()).unwrap();
        assert_eq!(again.open("key-1", &sealed).unwrap().expose().as_ref(), "hush");
        assert!(again.open("key-2", &sealed).is_none());
        assert!(Vault::create(there.path()).unwrap().open("key-1", &sealed).is_none());
        assert!(again.open("key-1", &sealed[..20]).is_none());
    }

    #[test]
    fn a_derived_key_is_of_its_directory_and_purpose() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let derive = |dir: &Path, purpose| *Vault::create(dir).unwrap().derive(purpose).expose();
        assert_eq!(derive(here.path(), "a"), derive(here.path(), "a"));
        assert_ne!(derive(here.path(), "a"), derive(here.path(), "b"));
        assert_ne!(derive(here.path(), "a"), derive(there.path(), "a"));
    }

    #[test]
    fn the_key_file_is_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        Vault::create(dir.path()).unwrap();
        let mode = fs::metadata(dir.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_missing_or_damaged_key_file_is_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Vault::read(dir.path()), Err(StoreFault::KeyMissing { .. })));
        fs::write(dir.path().join(KEY_FILE), "+0".repeat(32)).unwrap();
        assert!(matches!(Vault::read(dir.path()), Err(StoreFault::KeyDamaged { .. })));
    }

    #[test]
    fn a_random_text_has_its_length_and_no_odd_letters() {
        let text = random_text(28).unwrap();
        assert_eq!(text.len(), 28);
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(text, random_text(28).unwrap());
    }
}
