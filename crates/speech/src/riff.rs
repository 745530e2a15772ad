//! The chunks of a WAV file: finds the format and the sound, and trusts no size that the file states.

use crate::wav::ImportFault;

/// A WAV file laid open.
#[derive(Debug)]
pub(crate) struct Riff<'a> {
    pub(crate) format: Format,
    /// Whole frames only.
    pub(crate) data: &'a [u8],
}

/// What the `fmt ` chunk says, once it has been found to make sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) width: Width,
    pub(crate) channels: Channels,
    /// Frames a second, within [`RATES`].
    pub(crate) rate: u32,
}

/// How one sample is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    U8,
    I16,
    I24,
    I32,
    F32,
    ALaw,
    MuLaw,
}

/// How many samples make a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channels {
    Mono,
    Stereo,
}

impl<'a> Riff<'a> {
    /// Walks the chunks up to the sound. Sound before its format, as in no file we know, is not found.
    pub(crate) fn open(file: &'a [u8]) -> Result<Self, ImportFault> {
        let Some((b"RIFF", rest)) = file.split_first_chunk() else { return Err(ImportFault::NotWav) };
        // The file's size stands here; writers that could not seek left it wrong.
        let Some((b"WAVE", mut rest)) = rest.get(4..).and_then(<[u8]>::split_first_chunk) else {
            return Err(ImportFault::NotWav);
        };
        let mut format = None;
        while let Some(chunk) = Chunk::first(rest) {
            match (&chunk.name, format) {
                (b"fmt ", _) => format = Some(Format::read(chunk.body)?),
                (b"data", Some(format)) => return Self::with_sound(format, &chunk),
                _ => {}
            }
            rest = chunk.rest;
        }
        Err(if format.is_some() { ImportFault::Empty } else { ImportFault::NoFormat })
    }

    fn with_sound(format: Format, chunk: &Chunk<'a>) -> Result<Self, ImportFault> {
        if chunk.stated > chunk.body.len() && chunk.stated < UNKNOWN_LENGTH {
            return Err(ImportFault::Truncated { stated: chunk.stated, found: chunk.body.len() });
        }
        let whole = chunk.body.len() / format.frame_bytes() * format.frame_bytes();
        if whole == 0 {
            return Err(ImportFault::Empty);
        }
        Ok(Self { format, data: &chunk.body[..whole] })
    }

    /// How many frames the file holds.
    pub(crate) const fn frames(&self) -> usize {
        self.data.len() / self.format.frame_bytes()
    }
}

struct Chunk<'a> {
    name: [u8; 4],
    /// What the header says of the body's length.
    stated: usize,
    /// As much of the body as there is.
    body: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Chunk<'a> {
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let (name, bytes) = bytes.split_first_chunk::<4>()?;
        let (stated, bytes) = bytes.split_first_chunk::<4>()?;
        let stated = usize::try_from(u32::from_le_bytes(*stated)).ok()?;
        let (body, rest) = bytes.split_at(stated.min(bytes.len()));
        // An odd body is followed by a byte of padding.
        let rest = rest.get(stated % 2..).unwrap_or_default();
        Some(Self { name: *name, stated, body, rest })
    }
}

impl Format {
    /// Bytes of one frame: a sample of each channel.
    pub(crate) const fn frame_bytes(self) -> usize {
        self.width.bytes() * self.channels.count()
    }

    fn read(body: &[u8]) -> Result<Self, ImportFault> {
        let field = |at: usize| Some(u16::from_le_bytes([*body.get(at)?, *body.get(at + 1)?]));
        let plain = || Some((field(0)?, field(2)?, field(4)?, field(6)?, field(12)?, field(14)?));
        let (tag, channels, rate_low, rate_high, block, bits) = plain().ok_or(ImportFault::NoFormat)?;
        // WAVE_FORMAT_EXTENSIBLE: the real tag is the first two bytes of a GUID.
        let tag = if tag == TAG_EXTENSIBLE { field(24).ok_or(ImportFault::NoFormat)? } else { tag };
        let rate = u32::from(rate_low) | u32::from(rate_high) << 16;

        let width = Width::of(tag, bits).ok_or(ImportFault::Format { tag, bits })?;
        let channels = Channels::of(channels).ok_or(ImportFault::Channels { channels })?;
        if !RATES.contains(&rate) {
            return Err(ImportFault::Rate { rate });
        }
        let format = Self { width, channels, rate };
        if usize::from(block) != format.frame_bytes() {
            return Err(ImportFault::Frame { stated: block, needed: format.frame_bytes() });
        }
        Ok(format)
    }
}

impl Width {
    const fn of(tag: u16, bits: u16) -> Option<Self> {
        Some(match (tag, bits) {
            (TAG_PCM, 8) => Self::U8,
            (TAG_PCM, 16) => Self::I16,
            (TAG_PCM, 24) => Self::I24,
            (TAG_PCM, 32) => Self::I32,
            (TAG_FLOAT, 32) => Self::F32,
            (TAG_ALAW, 8) => Self::ALaw,
            (TAG_MULAW, 8) => Self::MuLaw,
            _ => return None,
        })
    }

    /// Bytes of one sample.
    pub(crate) const fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::ALaw | Self::MuLaw => 1,
            Self::I16 => 2,
            Self::I24 => 3,
            Self::I32 | Self::F32 => 4,
        }
    }
}

impl Channels {
    const fn of(count: u16) -> Option<Self> {
        match count {
            1 => Some(Self::Mono),
            2 => Some(Self::Stereo),
            _ => None,
        }
    }

    /// How many there are.
    pub(crate) const fn count(self) -> usize {
        match self {
            Self::Mono => 1,
            Self::Stereo => 2,
        }
    }
}

/// Frames a second that we convert: from the slowest that carries speech to the fastest a studio uses.
pub(crate) const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// A program that writes into a pipe cannot come back to fill in the length and leaves one near 2 or 4 GiB.
const UNKNOWN_LENGTH: usize = 0x7FFF_0000;

const TAG_PCM: u16 = 1;
const TAG_FLOAT: u16 = 3;
const TAG_ALAW: u16 = 6;
const TAG_MULAW: u16 = 7;
const TAG_EXTENSIBLE: u16 = 0xFFFE;
