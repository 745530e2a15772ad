//! How loud a clip is, and what to tell the person who made it.

use std::fmt;

use audio_codec_algorithms::decode_alaw;

/// Levels of a clip in decibels of full scale, where a square wave of full amplitude is 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loudness {
    /// The highest sample; -96 for silence.
    pub peak_dbfs: f32,
    /// The mean of the parts that are not pauses; -96 for silence.
    pub rms_dbfs: f32,
}

impl Loudness {
    /// Measures A-law at 8 kHz in blocks of 20 ms. Nothing at all is as loud as silence.
    #[must_use]
    pub fn of(alaw: &[u8]) -> Self {
        let samples: Vec<f32> = alaw.iter().map(|byte| linear(*byte)).collect();
        Self::of_samples(&samples)
    }

    /// Measures samples between -1 and 1 at 8 kHz in the same way.
    pub(crate) fn of_samples(samples: &[f32]) -> Self {
        let powers: Vec<f32> = samples.chunks(BLOCK).map(power).collect();
        let loudest = powers.iter().copied().fold(0.0, f32::max);
        let spoken = powers.iter().filter(|power| **power >= loudest * PAUSE);
        let (sum, count) = spoken.fold((0.0, 0.0), |(sum, count), power| (sum + power, count + 1.0));
        let peak = samples.iter().map(|sample| sample.abs()).fold(0.0, f32::max);
        Self { peak_dbfs: decibels(peak * peak), rms_dbfs: decibels(sum / f32::max(count, 1.0)) }
    }

    /// Nothing in it would be heard on a telephone.
    #[must_use]
    pub fn silent(&self) -> bool {
        self.rms_dbfs < SILENT_DBFS
    }
}

/// Something about an imported clip that its maker should know. None of them keeps it from being played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// Peaks were cut off when it was recorded.
    Clipped,
    /// It holds nothing that can be heard.
    Silent,
    /// It is much softer than a voice on the telephone.
    Quiet,
    /// It is much louder than a voice on the telephone.
    Loud,
}

impl Warning {
    /// What is worth saying of a clip this loud.
    #[must_use]
    pub fn of_level(loudness: Loudness) -> Option<Self> {
        match loudness.rms_dbfs {
            _ if loudness.silent() => Some(Self::Silent),
            level if level < QUIET_DBFS => Some(Self::Quiet),
            level if level > LOUD_DBFS => Some(Self::Loud),
            _ => None,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clipped => "its peaks are cut off and will crackle: record it again with less gain",
            Self::Silent => "nothing in it can be heard: check that it is the right file",
            Self::Quiet => "it is much softer than a voice on the telephone: raise it to about -18 dBFS",
            Self::Loud => "it is much louder than a voice on the telephone: lower it to about -18 dBFS",
        })
    }
}

fn power(block: &[f32]) -> f32 {
    let (sum, count) =
        block.iter().fold((0.0, 0.0), |(sum, count), sample| (sum + sample.powi(2), count + 1.0));
    sum / f32::max(count, 1.0)
}

fn linear(byte: u8) -> f32 {
    f32::from(decode_alaw(byte)) / 32_768.0
}

fn decibels(power: f32) -> f32 {
    f32::max(10.0 * power.log10(), FLOOR_DBFS)
}

/// Samples in 20 ms.
const BLOCK: usize = 160;

/// A block 25 dB below the loudest is a pause.
const PAUSE: f32 = 0.003_162;

const FLOOR_DBFS: f32 = -96.0;
const SILENT_DBFS: f32 = -50.0;
const QUIET_DBFS: f32 = -32.0;
const LOUD_DBFS: f32 = -8.0;
