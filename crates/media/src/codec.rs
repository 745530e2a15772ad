//! The codecs that a leg may speak, and the way between each of them and linear samples.
//!
//! ```text
//! G.711   8,000 samples/s   one byte each      RTP clock 8,000     this crate's laws
//! G.722  16,000 samples/s   two in a byte      RTP clock 8,000     (RFC 3551 section 4.5.2: a mistake that stays)
//! Opus   16,000 samples/s   24 kbit/s          RTP clock 48,000    whatever rate is coded (RFC 7587 section 4.1)
//! ```
//!
//! Opus is spoken and heard at 16,000 samples a second: nothing that we relay to or record has more. Everything else in
//! this room counts time in 1/8,000 s; [`Codec::ticks`] says how many of its own ticks a codec makes of one.
//!
//! G.722 and Opus come from crates that are Rust from end to end, allocate nothing for a packet and bear any bytes.

use std::fmt;

use audio_codec::Decoder as _;
use audio_codec::Encoder as _;
use audio_codec::g722::{G722Decoder, G722Encoder};
use opus_rs::{Application, OpusDecoder, OpusEncoder};
use serde::{Deserialize, Serialize};

use crate::g711::Law;
use crate::line::FRAME_SAMPLES;

/// A codec as offer and answer agreed to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Codec {
    /// `PCMA/8000` or `PCMU/8000`.
    G711(Law),
    /// `G722/8000`, 64 kbit/s.
    G722,
    /// `opus/48000/2`, of which one channel is spoken. Its payload types are dynamic.
    Opus {
        /// What the far end sends us: the number in our own description.
        receive: u8,
        /// What we send: the number in the far end's description.
        send: u8,
    },
}

/// The rate of linear samples on one side of a codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rate {
    /// 8,000 a second.
    Narrow,
    /// 16,000 a second.
    Wide,
}

/// Samples of 20 ms at the greater rate.
pub(crate) const WIDE_FRAME: usize = 2 * FRAME_SAMPLES;

/// Samples of the longest packet at the greater rate: Opus may have 120 ms, G.711 and G.722 in an Ethernet frame 187.
pub(crate) const PACKET_SAMPLES_MAX: usize = 3_000;

/// Bits a second that we speak Opus with: what RFC 7587 section 3.1.1 names for wide-band speech.
const OPUS_BITRATE: i32 = 24_000;

/// How hard the Opus encoder tries, 0 to 10.
const OPUS_COMPLEXITY: i32 = 5;

impl Codec {
    /// A-law.
    pub const PCMA: Self = Self::G711(Law::Pcma);
    /// Mu-law.
    pub const PCMU: Self = Self::G711(Law::Pcmu);

    /// The RTP payload type that we send.
    #[must_use]
    #[inline]
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::G711(law) => law.payload_type(),
            Self::G722 => G722_PAYLOAD_TYPE,
            Self::Opus { send, .. } => send,
        }
    }

    /// The RTP payload type that the far end sends.
    #[must_use]
    #[inline]
    pub const fn payload_type_heard(self) -> u8 {
        match self {
            Self::Opus { receive, .. } => receive,
            Self::G711(_) | Self::G722 => self.payload_type(),
        }
    }

    /// Whether what one has coded can be sent as the other, byte for byte.
    #[must_use]
    #[inline]
    pub fn is_same_coding(self, other: Self) -> bool {
        match (self, other) {
            (Self::G711(ours), Self::G711(theirs)) => ours == theirs,
            (Self::G722, Self::G722) | (Self::Opus { .. }, Self::Opus { .. }) => true,
            (Self::G711(_) | Self::G722 | Self::Opus { .. }, _) => false,
        }
    }

    /// Ticks of the codec's RTP clock in 1/8,000 s.
    #[must_use]
    #[inline]
    pub const fn ticks(self) -> u32 {
        match self {
            Self::G711(_) | Self::G722 => 1,
            Self::Opus { .. } => 6,
        }
    }

    /// How long a packet with this payload is heard, in 1/8,000 s.
    #[must_use]
    #[inline]
    pub fn span(self, payload: &[u8]) -> u32 {
        match self {
            Self::G711(_) | Self::G722 => payload.len() as u32,
            Self::Opus { .. } => opus_span(payload),
        }
    }

    /// The rate of its samples.
    pub(crate) const fn rate(self) -> Rate {
        match self {
            Self::G711(_) => Rate::Narrow,
            Self::G722 | Self::Opus { .. } => Rate::Wide,
        }
    }
}

/// The static RTP payload type of G.722 (RFC 3551 table 4).
const G722_PAYLOAD_TYPE: u8 = 9;

impl Rate {
    /// Samples in 1/8,000 s.
    pub(crate) const fn samples(self) -> usize {
        match self {
            Self::Narrow => 1,
            Self::Wide => 2,
        }
    }
}

/// The first byte says how long a frame is, and it or the second how many there are (RFC 6716 section 3.1).
fn opus_span(payload: &[u8]) -> u32 {
    let Some(&toc) = payload.first() else { return 0 };
    let config = toc >> 3;
    let frame = match config {
        0..=11 => [80, 160, 320, 480][usize::from(config & 3)],
        12..=15 => [80, 160][usize::from(config & 1)],
        16.. => [20, 40, 80, 160][usize::from(config & 3)],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => payload.get(1).map_or(0, |count| u32::from(count & 0x3f)),
    };
    // No packet is longer than 120 ms.
    (frame * frames).min(960)
}

/// From packets to linear samples: one far end's stream, in order.
pub(crate) enum Decoder {
    G711(Law),
    G722(Box<G722Decoder>),
    Opus(Box<OpusEar>),
}

/// An Opus decoder and room for what it gives.
pub(crate) struct OpusEar {
    decoder: OpusDecoder,
    floats: [f32; PACKET_SAMPLES_MAX],
}

impl Decoder {
    /// A decoder for a stream that begins. Allocates.
    pub(crate) fn new(codec: Codec) -> Self {
        match codec {
            Codec::G711(law) => Self::G711(law),
            Codec::G722 => Self::G722(Box::new(G722Decoder::new())),
            Codec::Opus { .. } => {
                let decoder = OpusDecoder::new(16_000, 1).expect("one channel of 16,000 samples is allowed");
                Self::Opus(Box::new(OpusEar { decoder, floats: [0.0; PACKET_SAMPLES_MAX] }))
            }
        }
    }

    /// Decodes a payload and gives how many samples it had; none when the far end sent nonsense. Allocates nothing.
    pub(crate) fn decode(&mut self, payload: &[u8], out: &mut [i16; PACKET_SAMPLES_MAX]) -> usize {
        match self {
            Self::G711(law) => {
                let pairs = out.iter_mut().zip(payload);
                pairs.for_each(|(sample, byte)| *sample = law.decode(*byte));
                payload.len().min(PACKET_SAMPLES_MAX)
            }
            Self::G722(decoder) => decoder.decode_into(payload, out).unwrap_or(0),
            // Nothing but the first byte: the far end says that it says nothing.
            Self::Opus(ear) if payload.len() < 2 => ear.decode(&[], 2 * opus_span(payload) as usize, out),
            Self::Opus(ear) => ear.decode(payload, PACKET_SAMPLES_MAX, out),
        }
    }

    /// Makes samples for audio that was lost, if the codec has a way of its own; gives whether it has.
    pub(crate) fn conceal(&mut self, out: &mut [i16]) -> bool {
        match self {
            Self::G711(_) | Self::G722(_) => false,
            Self::Opus(ear) => ear.decode(&[], out.len(), out) == out.len(),
        }
    }
}

impl OpusEar {
    fn decode(&mut self, payload: &[u8], most: usize, out: &mut [i16]) -> usize {
        let floats = &mut self.floats[..most.min(out.len())];
        let count = self.decoder.decode(payload, floats.len(), floats).unwrap_or(0).min(floats.len());
        // The cast saturates.
        out.iter_mut().zip(&floats[..count]).for_each(|(sample, float)| *sample = (float * 32_768.0) as i16);
        count
    }
}

/// From linear samples to packets of 20 ms: one line to a far end.
pub(crate) enum Encoder {
    G711(Law),
    G722(Box<G722Encoder>),
    Opus(Box<OpusEncoder>),
}

impl Encoder {
    /// An encoder for a line that begins. Allocates.
    pub(crate) fn new(codec: Codec) -> Self {
        match codec {
            Codec::G711(law) => Self::G711(law),
            Codec::G722 => Self::G722(Box::new(G722Encoder::new())),
            Codec::Opus { .. } => {
                let mut encoder = OpusEncoder::new(16_000, 1, Application::Voip)
                    .expect("one channel of 16,000 samples is allowed");
                encoder.bitrate_bps = OPUS_BITRATE;
                encoder.complexity = OPUS_COMPLEXITY;
                Self::Opus(Box::new(encoder))
            }
        }
    }

    /// Encodes 20 ms at the codec's rate and gives the bytes of the payload. Allocates nothing.
    pub(crate) fn encode(&mut self, samples: &[i16], out: &mut [u8]) -> usize {
        match self {
            Self::G711(law) => {
                out.iter_mut().zip(samples).for_each(|(byte, sample)| *byte = law.encode(*sample));
                samples.len().min(out.len())
            }
            Self::G722(encoder) => encoder.encode_into(samples, out).unwrap_or(0),
            Self::Opus(encoder) => encoder.encode_i16(samples, samples.len(), out).unwrap_or(0),
        }
    }
}

/// Says nothing of the voice.
impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decoder")
    }
}

/// Says nothing of the voice.
impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encoder")
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    const OPUS: Codec = Codec::Opus { receive: 111, send: 96 };

    fn tone(hertz: f32, rate: f32, samples: usize) -> Vec<i16> {
        (0..samples).map(|n| (8_000.0 * f32::sin(TAU * hertz * n as f32 / rate)) as i16).collect()
    }

    #[test]
    fn what_was_said_is_heard_in_every_codec() {
        for (codec, rate) in
            [(Codec::PCMA, 8_000.0), (Codec::PCMU, 8_000.0), (Codec::G722, 16_000.0), (OPUS, 16_000.0)]
        {
            let (mut encoder, mut decoder) = (Encoder::new(codec), Decoder::new(codec));
            let said = tone(440.0, rate, 50 * FRAME_SAMPLES * codec.rate().samples());
            let (mut heard, mut bytes, mut pcm) = (Vec::new(), [0; 160], [0; PACKET_SAMPLES_MAX]);
            for frame in said.chunks(FRAME_SAMPLES * codec.rate().samples()) {
                let length = encoder.encode(frame, &mut bytes);
                assert_eq!(codec.span(&bytes[..length]), 160, "{codec:?}");
                let count = decoder.decode(&bytes[..length], &mut pcm);
                heard.extend_from_slice(&pcm[..count]);
            }
            assert_eq!(heard.len(), said.len(), "{codec:?}");
            let energy = |samples: &[i16]| samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
            let middle = said.len() / 2..said.len();
            let gain = energy(&heard[middle.clone()]) / energy(&said[middle]);
            assert!((0.8..1.2).contains(&gain), "{codec:?}: {gain}");
        }
    }

    #[test]
    fn the_length_of_an_opus_packet_stands_in_its_first_bytes() {
        for (payload, span) in [
            (&[][..], 0),
            (&[0x08, 1][..], 160),
            (&[0x18, 1][..], 480),
            (&[0x78, 1][..], 160),
            (&[0x80, 1][..], 20),
            (&[0x99, 1][..], 320),
            (&[0x0b, 3, 0, 0][..], 480),
            (&[0x1b, 63, 0][..], 960),
            (&[0x0b][..], 0),
        ] {
            assert_eq!(OPUS.span(payload), span, "{payload:?}");
        }
    }

    #[test]
    fn only_the_same_coding_is_the_same_byte_for_byte() {
        let other = Codec::Opus { receive: 99, send: 99 };
        let codecs = [Codec::PCMA, Codec::PCMU, Codec::G722, OPUS];
        for (n, ours) in codecs.into_iter().enumerate() {
            for (m, theirs) in codecs.into_iter().enumerate() {
                assert_eq!(ours.is_same_coding(theirs), n == m);
            }
        }
        assert!(OPUS.is_same_coding(other));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_decoded_without_harm(
            packets in proptest::collection::vec(
                proptest::collection::vec(proptest::num::u8::ANY, 0..300), 1..6)
        ) {
            for codec in [Codec::PCMU, Codec::G722, OPUS] {
                let mut decoder = Decoder::new(codec);
                for packet in &packets {
                    let mut pcm = [0; PACKET_SAMPLES_MAX];
                    proptest::prop_assert!(decoder.decode(packet, &mut pcm) <= PACKET_SAMPLES_MAX);
                    decoder.conceal(&mut pcm[..WIDE_FRAME]);
                }
            }
        }
    }
}
