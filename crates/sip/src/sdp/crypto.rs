//! Keys of SRTP in a description (RFC 4568).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes of a master key and its salt (RFC 4568 6.2).
pub const KEYING_BYTES: usize = 30;

/// The only suite that we offer and take.
pub const SUITE: &str = "AES_CM_128_HMAC_SHA1_80";

/// What one side protects its packets by. Debug does not show the key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Crypto {
    /// What tells it from others of one offer: an answer repeats it.
    pub(super) tag: u32,
    /// The master key, then its salt.
    pub(super) keying: [u8; KEYING_BYTES],
}

impl Crypto {
    /// The master key, then its salt.
    #[must_use]
    pub const fn expose(&self) -> &[u8; KEYING_BYTES] {
        &self.keying
    }

    /// Reads `1 AES_CM_128_HMAC_SHA1_80 inline:…|2^31`. Another suite, an MKI or parameters of the session, which we
    /// would have to follow, make it of no use.
    pub(super) fn read(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let (tag, suite, key) = (words.next()?.parse().ok()?, words.next()?, words.next()?);
        if !suite.eq_ignore_ascii_case(SUITE) || words.next().is_some() {
            return None;
        }
        let inline = key.get(..INLINE.len()).filter(|method| method.eq_ignore_ascii_case(INLINE))?;
        let mut parts = key[inline.len()..].split('|');
        let keying = parts.next()?;
        // A lifetime is as long as a call or longer; an MKI has a colon.
        if parts.next().is_some_and(|lifetime| lifetime.contains(':')) || parts.next().is_some() {
            return None;
        }
        let keying = STANDARD.decode(keying).ok()?.try_into().ok()?;
        Some(Self { tag, keying })
    }

    pub(super) fn print(&self) -> String {
        format!("{} {SUITE} {INLINE}{}", self.tag, STANDARD.encode(self.keying))
    }
}

impl fmt::Debug for Crypto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crypto").field("tag", &self.tag).finish_non_exhaustive()
    }
}

/// The key method.
const INLINE: &str = "inline:";
