//! Identifiers. Each is a type of its own so that no two can be mistaken for each other.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::time::Timestamp;

/// One accepted call: 48 bits of milliseconds since 1970, then 80 random bits.
///
/// The time makes ids sort by age, the random part makes them impossible to guess. Every other id that a call
/// needs (the vendor's session id, the SIP Call-ID, tags and branches of its legs) is derived from this one, so
/// that a crash can never leave a leg behind whose names nobody knows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u128);

const RANDOM_BITS: u32 = 80;
const RANDOM_MASK: u128 = (1 << RANDOM_BITS) - 1;

impl CallId {
    /// The id of a call accepted `at` a moment; of `random`, the low 80 bits are used.
    #[must_use]
    pub fn new(at: Timestamp, random: u128) -> Self {
        let millis = u128::try_from(at.millis()).unwrap_or(0) & ((1 << 48) - 1);
        Self((millis << RANDOM_BITS) | (random & RANDOM_MASK))
    }

    /// When the call was accepted, to the millisecond.
    #[must_use]
    pub fn at(self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0 >> RANDOM_BITS).unwrap_or(i64::MAX))
    }

    /// The 80 random bits.
    #[must_use]
    pub const fn random(self) -> u128 {
        self.0 & RANDOM_MASK
    }

    /// The 16 bytes, most significant first: they sort as the ids do.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The id whose bytes these are.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not an id: ids are 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is 32 hexadecimal digits")]
pub struct BadId;

fn hex128(text: &str) -> Result<u128, BadId> {
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(BadId);
    }
    u128::from_str_radix(text, 16).map_err(|_| BadId)
}

impl FromStr for CallId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        hex128(text).map(Self)
    }
}

impl Serialize for CallId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CallId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

/// The content of a clip: the first 16 bytes of the SHA-256 of its A-law bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClipId(u128);

impl ClipId {
    /// The id made of the first 16 bytes of a content hash.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for ClipId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for ClipId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        hex128(text).map(Self)
    }
}

impl Serialize for ClipId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ClipId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

/// An application of an enterprise: what keys, numbers, clips and limits belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AppId(pub i64);

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// One party's part of a call. `A` is dialled first; a one-party call has only `A`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Leg {
    /// The first party: the caller of a callback, the only party of everything else.
    A,
    /// The second party of a callback.
    B,
}

impl Leg {
    /// The party at the other end of the bridge.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// 0 for A and 1 for B, for arrays that hold one thing a leg.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::B => "B",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_id_remembers_its_millisecond_and_prints_as_hex() {
        let at = Timestamp::from_millis(1_767_323_045_678);
        let id = CallId::new(at, u128::MAX);
        assert_eq!(id.at(), at);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(CallId::from_bytes(id.to_bytes()), id);
        assert_eq!(serde_json::from_str::<CallId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        for text in ["", "12", "+0000000000000000000000000000000", "z0000000000000000000000000000000"] {
            assert_eq!(text.parse::<CallId>(), Err(BadId), "{text}");
        }
    }
}
