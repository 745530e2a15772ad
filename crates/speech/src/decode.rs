//! Samples of every width to one channel between -1 and 1.

use audio_codec_algorithms::{decode_alaw, decode_ulaw};

use crate::riff::{Channels, Riff, Width};

/// The sound of a file, in one channel at the file's own rate.
pub(crate) struct Sound {
    pub(crate) samples: Vec<f32>,
    /// Some channel stood at the end of its scale.
    pub(crate) clipped: bool,
}

/// Decodes and mixes to one channel, each at half its level if there are two. Allocates four bytes a frame.
pub(crate) fn decode(riff: &Riff<'_>) -> Sound {
    let width = riff.format.width;
    let mut left = Rail::new(width);
    let mut right = Rail::new(width);
    let frames = riff.data.chunks_exact(riff.format.frame_bytes());
    let samples = match riff.format.channels {
        Channels::Mono => frames.map(|frame| left.watch(sample(width, frame))).collect(),
        Channels::Stereo => frames
            .map(|frame| {
                let (first, second) = frame.split_at(width.bytes());
                f32::midpoint(left.watch(sample(width, first)), right.watch(sample(width, second)))
            })
            .collect(),
    };
    Sound { samples, clipped: left.clipped || right.clipped }
}

fn sample(width: Width, bytes: &[u8]) -> f32 {
    match (width, bytes) {
        (Width::U8, &[a]) => (f32::from(a) - 128.0) / 128.0,
        (Width::I16, &[a, b]) => f32::from(i16::from_le_bytes([a, b])) / SCALE_16,
        // The lowest byte is zero: three bytes fill the upper part of four.
        (Width::I24, &[a, b, c]) => from_i32(i32::from_le_bytes([0, a, b, c])),
        (Width::I32, &[a, b, c, d]) => from_i32(i32::from_le_bytes([a, b, c, d])),
        (Width::F32, &[a, b, c, d]) => from_f32(f32::from_le_bytes([a, b, c, d])),
        (Width::ALaw, &[a]) => f32::from(decode_alaw(a)) / SCALE_16,
        (Width::MuLaw, &[a]) => f32::from(decode_ulaw(a)) / SCALE_16,
        // A frame has as many bytes as its width says.
        _ => 0.0,
    }
}

/// Rounds to 24 bits, which is more than A-law keeps.
#[expect(clippy::cast_precision_loss, reason = "24 of 32 bits are kept, A-law needs 13")]
const fn from_i32(sample: i32) -> f32 {
    sample as f32 / SCALE_32
}

/// Infinite samples and those that are no number become silence; others may stand beyond the scale a little.
fn from_f32(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-FLOAT_MAX, FLOAT_MAX) } else { 0.0 }
}

/// Watches a channel for samples that stay at the end of the scale, where the wave should have gone on.
struct Rail {
    end: f32,
    run: u32,
    clipped: bool,
}

impl Rail {
    const fn new(width: Width) -> Self {
        let end = match width {
            Width::U8 => 127.0 / 128.0,
            Width::I16 => 32_767.0 / SCALE_16,
            Width::I24 | Width::I32 | Width::F32 => 0.999_999,
            Width::ALaw => 32_256.0 / SCALE_16,
            Width::MuLaw => 32_124.0 / SCALE_16,
        };
        Self { end, run: 0, clipped: false }
    }

    fn watch(&mut self, sample: f32) -> f32 {
        self.run = if sample.abs() >= self.end { self.run + 1 } else { 0 };
        self.clipped |= self.run >= RAIL_RUN;
        sample
    }
}

const SCALE_16: f32 = 32_768.0;
const SCALE_32: f32 = 2_147_483_648.0;

/// A float file may exceed full scale; past 24 dB above it is garbage and must not become infinite in a filter.
const FLOAT_MAX: f32 = 16.0;

/// Samples in a row at the end of the scale: a peak that merely touches it has one or two.
const RAIL_RUN: u32 = 4;
