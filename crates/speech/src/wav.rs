//! Voice files as customers have them, to clips as legs hear them, and back.
//!
//! ```text
//! file ─▶ riff (chunks) ─▶ decode (any width, 1 or 2 channels) ─▶ resample (8 kHz) ─▶ A-law ─▶ loudness
//! ```
//!
//! A file that already is mono A-law at 8 kHz passes bit by bit.

use std::time::Duration;

use audio_codec_algorithms::encode_alaw;

use crate::decode::decode;
use crate::loudness::{Loudness, Warning};
use crate::resample::{RATE, to_8khz};
use crate::riff::{Channels, Format, RATES, Riff, Width};

/// A voice file that has become a clip.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The sound: A-law, 8,000 bytes a second, no header. Never empty.
    pub alaw: Vec<u8>,
    /// How long it plays.
    pub duration: Duration,
    /// Its highest sample in decibels of full scale, -96 to 0.
    pub peak_dbfs: f32,
    /// The mean of what is not a pause in decibels of full scale, -96 to 0; a voice on the telephone is about -18.
    pub rms_dbfs: f32,
    /// Peaks of the file were cut off when it was recorded.
    pub clipped: bool,
    /// Nothing in it would be heard.
    pub silent: bool,
}

impl Imported {
    /// What the maker of the file should know, as sentences by `Display`.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let level = Loudness { peak_dbfs: self.peak_dbfs, rms_dbfs: self.rms_dbfs };
        self.clipped.then_some(Warning::Clipped).into_iter().chain(Warning::of_level(level)).collect()
    }
}

/// Why a file cannot become a clip. Each says what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportFault {
    /// More than [`FILE_BYTES_MAX`].
    #[error(
        "the file has {bytes} bytes and may have {FILE_BYTES_MAX}: send it at 8 kHz in A-law, which is smallest"
    )]
    TooBig {
        /// Bytes of the file.
        bytes: usize,
    },
    /// More than [`SECS_MAX`] of sound.
    #[error("the sound lasts {secs} s and may last {SECS_MAX} s: shorten it")]
    TooLong {
        /// Whole seconds of sound.
        secs: u64,
    },
    /// Neither RIFF nor WAVE at its start.
    #[error("this is not a WAV file: save it as WAV (an MP3 that is only renamed stays an MP3)")]
    NotWav,
    /// No `fmt ` chunk before the sound, or one that is cut short.
    #[error("the WAV file does not say how its sound is written: save it again with another program")]
    NoFormat,
    /// A way of writing sound that we do not read.
    #[error("WAV format {tag} with {bits} bits is not supported: save it as PCM of 16 bits or as A-law")]
    Format {
        /// The format tag, out of the GUID if it was an extensible format.
        tag: u16,
        /// Bits of a sample.
        bits: u16,
    },
    /// Neither mono nor stereo.
    #[error("the file has {channels} channels: save it as mono or stereo")]
    Channels {
        /// Channels in the file.
        channels: u16,
    },
    /// A rate outside 4 to 192 kHz.
    #[error("{rate} Hz cannot be converted: save it at {} to {} Hz", RATES.start(), RATES.end())]
    Rate {
        /// Frames a second, as the file states.
        rate: u32,
    },
    /// The header contradicts itself.
    #[error(
        "the header says {stated} bytes a frame, its format needs {needed}: save it again with another program"
    )]
    Frame {
        /// Bytes of a frame, as the file states.
        stated: u16,
        /// Bytes of a frame that the format needs.
        needed: usize,
    },
    /// Less sound than the header states.
    #[error("the file is cut off: {found} of {stated} bytes of sound are there: send it again")]
    Truncated {
        /// Bytes of sound, as the file states.
        stated: usize,
        /// Bytes of sound in the file.
        found: usize,
    },
    /// No sound at all.
    #[error("the file holds no sound: check the export")]
    Empty,
}

/// Makes a clip of a WAV file: PCM of 8, 16, 24 or 32 bits, float of 32, A-law or mu-law; mono or stereo; 4 to 192 kHz.
///
/// Takes about five bytes of memory for each byte of the file, whatever the file's header states.
///
/// # Errors
///
/// An [`ImportFault`] that says what is wrong with the file and what to do.
pub fn import(file: &[u8]) -> Result<Imported, ImportFault> {
    if file.len() > FILE_BYTES_MAX {
        return Err(ImportFault::TooBig { bytes: file.len() });
    }
    let riff = Riff::open(file)?;
    let rate = riff.format.rate;
    if riff.frames() as u64 > SECS_MAX as u64 * u64::from(rate) {
        return Err(ImportFault::TooLong { secs: riff.frames() as u64 / u64::from(rate) });
    }

    let sound = decode(&riff);
    let alaw = if riff.format == TELEPHONE {
        riff.data.to_vec()
    } else {
        let samples = to_8khz(sound.samples, rate).ok_or(ImportFault::Rate { rate })?;
        samples.into_iter().map(to_alaw).collect()
    };
    if alaw.is_empty() {
        return Err(ImportFault::Empty);
    }
    Ok(judged(alaw, sound.clipped))
}

/// A WAV file around A-law bytes at 8 kHz: 58 bytes of header with format tag 6, and a byte of padding if needed.
///
/// Never fails; past 4 GiB, which is six days, the header states the most it can.
#[must_use]
pub fn wav_alaw(alaw: &[u8]) -> Vec<u8> {
    let length = u32::try_from(alaw.len()).unwrap_or(u32::MAX);
    let padding = length % 2;
    let mut file = Vec::with_capacity(HEADER_BYTES + alaw.len() + 1);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&length.saturating_add(padding + 50).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&18_u32.to_le_bytes());
    file.extend_from_slice(&6_u16.to_le_bytes());
    file.extend_from_slice(&1_u16.to_le_bytes());
    file.extend_from_slice(&RATE.to_le_bytes());
    file.extend_from_slice(&RATE.to_le_bytes());
    file.extend_from_slice(&1_u16.to_le_bytes());
    file.extend_from_slice(&8_u16.to_le_bytes());
    file.extend_from_slice(&0_u16.to_le_bytes());
    file.extend_from_slice(b"fact");
    file.extend_from_slice(&4_u32.to_le_bytes());
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(alaw);
    file.resize(file.len() + usize::from(padding == 1), ALAW_SILENCE);
    file
}

fn judged(alaw: Vec<u8>, clipped: bool) -> Imported {
    let loudness = Loudness::of(&alaw);
    Imported {
        duration: Duration::from_micros(
            u64::try_from(alaw.len()).unwrap_or(u64::MAX).saturating_mul(SAMPLE_MICROS),
        ),
        peak_dbfs: loudness.peak_dbfs,
        rms_dbfs: loudness.rms_dbfs,
        clipped,
        silent: loudness.silent(),
        alaw,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i16 just before")]
pub(crate) fn to_alaw(sample: f32) -> u8 {
    encode_alaw((sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16)
}

/// Bytes of a file that is read. Vendors allow 2 MB; four times that lets PCM of the same length in.
pub const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Seconds of a clip: nobody listens to more before they hang up, and 2.4 MB are kept in memory for it.
pub const SECS_MAX: usize = 300;

/// What a leg hears as it is.
pub(crate) const TELEPHONE: Format = Format { width: Width::ALaw, channels: Channels::Mono, rate: RATE };

const HEADER_BYTES: usize = 58;
const SAMPLE_MICROS: u64 = 125;
const ALAW_SILENCE: u8 = 0xD5;
