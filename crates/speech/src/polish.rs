//! Makes what an engine spoke into a clip like those that ship: no silence at its ends, their loudness, 8 kHz, A-law.

use std::f32::consts::PI;
use std::sync::Arc;

use crate::loudness::Loudness;
use crate::resample::to_8khz;
use crate::voice::{Pcm, VoiceFault};
use crate::wav::{ImportFault, to_alaw};

/// A clip of an engine's answer.
pub(crate) fn telephone(pcm: Pcm) -> Result<Arc<[u8]>, VoiceFault> {
    let Pcm { mut samples, rate } = pcm;
    high_passed(&mut samples, rate);
    let mut samples = trimmed(&samples, rate).ok_or(VoiceFault::Silent)?.to_vec();
    faded(&mut samples, rate);
    let mut samples = to_8khz(samples, rate).ok_or(VoiceFault::Sound(ImportFault::Rate { rate }))?;
    if Loudness::of_samples(&samples).silent() {
        return Err(VoiceFault::Silent);
    }
    levelled(&mut samples);
    Ok(samples.into_iter().map(to_alaw).collect())
}

/// Takes away what is below the voice: a Butterworth filter of the second order at 80 Hz.
fn high_passed(samples: &mut [f32], rate: u32) {
    let (sin, cos) = (2.0 * PI * HIGH_PASS_HERTZ / hertz(rate)).sin_cos();
    let alpha = sin / std::f32::consts::SQRT_2;
    let gain = (1.0 + cos) / 2.0 / (1.0 + alpha);
    let (back_1, back_2) = (-2.0 * cos / (1.0 + alpha), (1.0 - alpha) / (1.0 + alpha));
    let (mut x1, mut x2, mut y1, mut y2) = (0.0, 0.0, 0.0, 0.0);
    for sample in samples {
        let x0 = if sample.is_finite() { *sample } else { 0.0 };
        let y0 = gain * (x0 - 2.0 * x1 + x2) - back_1 * y1 - back_2 * y2;
        (x2, x1, y2, y1) = (x1, x0, y1, y0);
        *sample = y0;
    }
}

/// The part between the first and the last sound; `None` if there is none.
fn trimmed(samples: &[f32], rate: u32) -> Option<&[f32]> {
    let block = samples_in(BLOCK_MILLIS, rate).max(1);
    let powers: Vec<f32> = samples.chunks(block).map(power).collect();
    let loudest = powers.iter().copied().fold(0.0, f32::max);
    let heard = |power: &f32| *power > loudest * SILENCE;
    let first = powers.iter().position(heard)? * block;
    let last = (powers.iter().rposition(heard)? + 1) * block;
    let start = first.saturating_sub(samples_in(LEAD_MILLIS, rate));
    let end = (last + samples_in(TAIL_MILLIS, rate)).min(samples.len());
    Some(&samples[start..end])
}

/// Lets the ends rise and fall, so that they do not click.
fn faded(samples: &mut [f32], rate: u32) {
    let ramp = samples_in(FADE_MILLIS, rate).min(samples.len() / 2);
    for at in 0..ramp {
        let gain = fraction(at, ramp);
        samples[at] *= gain;
        let last = samples.len() - 1 - at;
        samples[last] *= gain;
    }
}

/// Brings the spoken part to [`LOUDNESS_DBFS`]. Rounding off the peaks takes some of it away again, so it is done until
/// little is missing.
fn levelled(samples: &mut [f32]) {
    for _ in 0..ROUNDS {
        let missing = LOUDNESS_DBFS - Loudness::of_samples(samples).rms_dbfs;
        let gain = 10_f32.powf(missing / 20.0);
        for sample in samples.iter_mut() {
            *sample = rounded(*sample * gain);
        }
    }
}

/// Bends what comes near the peak instead of cutting it.
fn rounded(sample: f32) -> f32 {
    let (size, room) = (sample.abs(), PEAK - KNEE);
    if size <= KNEE { sample } else { sample.signum() * (KNEE + room * ((size - KNEE) / room).tanh()) }
}

fn power(block: &[f32]) -> f32 {
    block.iter().map(|sample| sample * sample).sum::<f32>() / fraction(block.len().max(1), 1)
}

const fn samples_in(millis: u32, rate: u32) -> usize {
    // Rates end at 192,000 and these times at 50.
    (rate * millis / 1_000) as usize
}

#[expect(clippy::cast_precision_loss, reason = "rates end at 192,000")]
const fn hertz(rate: u32) -> f32 {
    rate as f32
}

#[expect(clippy::cast_precision_loss, reason = "both are some thousands at most")]
fn fraction(part: usize, whole: usize) -> f32 {
    part as f32 / whole as f32
}

const HIGH_PASS_HERTZ: f32 = 80.0;
const BLOCK_MILLIS: u32 = 5;

/// Silence is what stays 42 dB below the loudest 5 ms; weak consonants (s, q) are above it.
const SILENCE: f32 = 0.000_063;

const LEAD_MILLIS: u32 = 20;
const TAIL_MILLIS: u32 = 45;
const FADE_MILLIS: u32 = 5;

/// As loud as the clips that ship.
const LOUDNESS_DBFS: f32 = -18.0;

const ROUNDS: usize = 8;

/// -3 dBFS.
const PEAK: f32 = 0.707_946;
const KNEE: f32 = PEAK * 0.7;

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    use crate::resample::RATE;

    /// Silence, a tone, silence; each so many ms.
    fn tone(level: f32, rate: u32, [before, tone, after]: [u32; 3]) -> Pcm {
        let wave = |at: usize| level * (TAU * 440.0 * fraction(at, rate as usize)).sin();
        let mut samples = vec![0.0; samples_in(before, rate)];
        samples.extend((0..samples_in(tone, rate)).map(wave));
        samples.resize(samples.len() + samples_in(after, rate), 0.0);
        Pcm { samples, rate }
    }

    #[test]
    fn every_answer_is_as_loud_as_the_clips_that_ship() {
        for level in [0.02, 0.1, 0.9] {
            for rate in [8_000, 22_050, 24_000, 48_000] {
                let alaw = telephone(tone(level, rate, [0, 500, 0])).unwrap();
                let loudness = Loudness::of(&alaw);
                assert!((loudness.rms_dbfs - LOUDNESS_DBFS).abs() < 0.5, "{level} at {rate}: {loudness:?}");
                assert!(loudness.peak_dbfs < -2.9, "{level} at {rate}: {loudness:?}");
            }
        }
    }

    #[test]
    fn silence_at_the_ends_is_cut_off() {
        let alaw = telephone(tone(0.3, 22_050, [700, 500, 900])).unwrap();
        assert!((4_300..=4_700).contains(&alaw.len()), "{} ms", alaw.len() / 8);
    }

    #[test]
    fn silence_is_a_fault() {
        for samples in [vec![], vec![0.0; 8_000], vec![1e-6; 8_000], vec![f32::NAN; 8_000]] {
            let fault = telephone(Pcm { samples, rate: 8_000 });
            assert!(matches!(fault, Err(VoiceFault::Silent)), "{fault:?}");
        }
    }

    #[test]
    fn a_rumble_is_not_heard() {
        let samples = (0..RATE).map(|at| 0.5 * (TAU * 20.0 * at as f32 / 8_000.0).sin()).collect::<Vec<_>>();
        let mut quiet = samples.clone();
        high_passed(&mut quiet, RATE);
        assert!(power(&quiet[2_000..]) < power(&samples) / 200.0);
    }
}
