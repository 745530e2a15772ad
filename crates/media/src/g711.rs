//! G.711: the two laws of the telephone network, and the way from one to the other without decoding.

use audio_codec_algorithms::{
    convert_alaw_to_ulaw, convert_ulaw_to_alaw, decode_alaw, decode_ulaw, encode_alaw, encode_ulaw,
};

use serde::{Deserialize, Serialize};

/// Samples in a second.
pub const SAMPLE_RATE: u32 = 8_000;

/// Silence in A-law.
pub const ALAW_SILENCE: u8 = 0xd5;

/// Silence in mu-law.
pub const ULAW_SILENCE: u8 = 0xff;

/// One of the two laws. A byte is a sample in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Law {
    /// A-law, `PCMA/8000`: everywhere but North America and Japan.
    Pcma,
    /// Mu-law, `PCMU/8000`.
    Pcmu,
}

impl Law {
    /// The static RTP payload type (RFC 3551 table 4).
    #[must_use]
    #[inline]
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcma => 8,
            Self::Pcmu => 0,
        }
    }

    /// The law of a static RTP payload type.
    #[must_use]
    #[inline]
    pub const fn of_payload_type(payload_type: u8) -> Option<Self> {
        match payload_type {
            8 => Some(Self::Pcma),
            0 => Some(Self::Pcmu),
            _ => None,
        }
    }

    /// The byte that sounds like nothing.
    #[must_use]
    pub const fn silence(self) -> u8 {
        match self {
            Self::Pcma => ALAW_SILENCE,
            Self::Pcmu => ULAW_SILENCE,
        }
    }

    /// Whether no sample is louder than about -40 dBm0.
    #[must_use]
    #[inline]
    pub fn is_quiet(self, samples: &[u8]) -> bool {
        // The lower seven bits are the magnitude, once the law's inversion is undone.
        let (flipped, loud) = match self {
            Self::Pcma => (0x55, 16),
            Self::Pcmu => (0xff, 26),
        };
        samples.iter().fold(0, |max, sample| max.max((sample ^ flipped) & 0x7f)) <= loud
    }

    /// A sample's linear value, 16 bits.
    #[must_use]
    #[inline]
    pub fn decode(self, byte: u8) -> i16 {
        match self {
            Self::Pcma => decode_alaw(byte),
            Self::Pcmu => decode_ulaw(byte),
        }
    }

    /// The byte nearest to a linear sample of 16 bits.
    #[must_use]
    #[inline]
    pub fn encode(self, sample: i16) -> u8 {
        match self {
            Self::Pcma => encode_alaw(sample),
            Self::Pcmu => encode_ulaw(sample),
        }
    }
}

/// Rewrites samples of one law as the other by the tables of G.711 (no decoding); nothing to do within one law.
#[inline]
pub fn transcode(samples: &mut [u8], from: Law, to: Law) {
    match (from, to) {
        (Law::Pcma, Law::Pcma) | (Law::Pcmu, Law::Pcmu) => {}
        (Law::Pcma, Law::Pcmu) => samples.iter_mut().for_each(|byte| *byte = convert_alaw_to_ulaw(*byte)),
        (Law::Pcmu, Law::Pcma) => samples.iter_mut().for_each(|byte| *byte = convert_ulaw_to_alaw(*byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_its_own_decoding() {
        for law in [Law::Pcma, Law::Pcmu] {
            for byte in 0..=u8::MAX {
                let again = law.encode(law.decode(byte));
                assert_eq!(law.decode(again), law.decode(byte), "{law:?} {byte:#x}");
            }
        }
    }

    #[test]
    fn silence_is_quiet_and_stays_silence() {
        assert_eq!(Law::Pcma.decode(ALAW_SILENCE), 8);
        assert_eq!(Law::Pcmu.decode(ULAW_SILENCE), 0);
        let mut one = [ALAW_SILENCE];
        transcode(&mut one, Law::Pcma, Law::Pcmu);
        // The smallest positive step of mu-law, not its zero: A-law has none.
        assert_eq!((one, Law::Pcmu.decode(one[0])), ([0xfe], 8));
        transcode(&mut one, Law::Pcmu, Law::Pcma);
        assert_eq!(one, [ALAW_SILENCE]);
    }

    #[test]
    fn the_other_law_says_nearly_the_same() {
        for byte in 0..=u8::MAX {
            let mut other = [byte];
            transcode(&mut other, Law::Pcma, Law::Pcmu);
            let (here, there) = (Law::Pcma.decode(byte), Law::Pcmu.decode(other[0]));
            let step = i32::from(here.unsigned_abs() / 16).max(16);
            assert!((i32::from(here) - i32::from(there)).abs() <= step, "{byte:#x}: {here} became {there}");
        }
    }
}
