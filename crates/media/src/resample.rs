//! From 8,000 to 16,000 samples a second and back: one low-pass filter of fixed length, used for every second sample.
//! Allocates nothing.

use std::f32::consts::PI;

use crate::codec::Rate;

/// Length of the filter at 16,000 samples a second: 5 ms to each side.
const TAPS: usize = 160;

/// Where it cuts, as a part of 16,000: the telephone band up to 3,600 Hz passes whole.
const CUT: f32 = 3_900.0 / 16_000.0;

/// Samples at the greater rate that are worked on at once.
const BLOCK: usize = 320;

/// Changes the rate of one stream.
#[derive(Clone, Debug)]
pub(crate) struct Resampler {
    taps: [f32; TAPS],
    /// The newest samples of the input.
    past: [f32; TAPS],
}

impl Resampler {
    pub(crate) fn new() -> Self {
        let middle = (TAPS - 1) as f32 / 2.0;
        let mut taps = std::array::from_fn(|n| {
            let at = n as f32 - middle;
            let sinc = f32::sin(2.0 * PI * CUT * at) / (PI * at);
            // Blackman's window.
            let turn = 2.0 * PI * n as f32 / (TAPS - 1) as f32;
            sinc * (0.42 - 0.5 * f32::cos(turn) + 0.08 * f32::cos(2.0 * turn))
        });
        let sum: f32 = taps.iter().sum();
        taps.iter_mut().for_each(|tap| *tap /= sum);
        Self { taps, past: [0.0; TAPS] }
    }

    /// Gives `samples` of one rate at another; `out` has room for twice as many. Gives how many there are.
    pub(crate) fn convert(&mut self, samples: &[i16], from: Rate, to: Rate, out: &mut [i16]) -> usize {
        match (from, to) {
            (Rate::Narrow, Rate::Narrow) | (Rate::Wide, Rate::Wide) => {
                let count = samples.len().min(out.len());
                out[..count].copy_from_slice(&samples[..count]);
                count
            }
            (Rate::Narrow, Rate::Wide) => self.up(samples, out),
            (Rate::Wide, Rate::Narrow) => self.down(samples, out),
        }
    }

    fn up(&mut self, samples: &[i16], out: &mut [i16]) -> usize {
        const PAST: usize = TAPS / 2;
        for (samples, out) in samples.chunks(BLOCK / 2).zip(out.chunks_mut(BLOCK)) {
            let mut line = [0.0; PAST + BLOCK / 2];
            let line = self.line::<PAST>(samples, &mut line);
            for (n, pair) in out.chunks_exact_mut(2).take(samples.len()).enumerate() {
                let window = &line[n + 1..=n + PAST];
                for (phase, sample) in pair.iter_mut().enumerate() {
                    let taps = self.taps.iter().skip(phase).step_by(2);
                    let sum: f32 = window.iter().rev().zip(taps).map(|(sample, tap)| sample * tap).sum();
                    *sample = (2.0 * sum).round_ties_even() as i16;
                }
            }
            self.keep::<PAST>(line);
        }
        (2 * samples.len()).min(out.len())
    }

    fn down(&mut self, samples: &[i16], out: &mut [i16]) -> usize {
        for (samples, out) in samples.chunks(BLOCK).zip(out.chunks_mut(BLOCK / 2)) {
            let mut line = [0.0; TAPS + BLOCK];
            let line = self.line::<TAPS>(samples, &mut line);
            for (n, sample) in out.iter_mut().take(samples.len() / 2).enumerate() {
                let window = &line[2 * n + 1..][..TAPS];
                let sum: f32 = window.iter().zip(&self.taps).map(|(sample, tap)| sample * tap).sum();
                *sample = sum.round_ties_even() as i16;
            }
            self.keep::<TAPS>(line);
        }
        (samples.len() / 2).min(out.len())
    }

    /// The past and after it the new samples, in one line.
    fn line<'a, const PAST: usize>(&self, samples: &[i16], line: &'a mut [f32]) -> &'a [f32] {
        let line = &mut line[..PAST + samples.len()];
        line[..PAST].copy_from_slice(&self.past[TAPS - PAST..]);
        line[PAST..].iter_mut().zip(samples).for_each(|(to, from)| *to = f32::from(*from));
        line
    }

    fn keep<const PAST: usize>(&mut self, line: &[f32]) {
        self.past[TAPS - PAST..].copy_from_slice(&line[line.len() - PAST..]);
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    fn tone(hertz: f32, rate: f32, samples: usize) -> Vec<i16> {
        (0..samples).map(|n| (10_000.0 * f32::sin(TAU * hertz * n as f32 / rate)) as i16).collect()
    }

    /// The strength of a tone of 10,000 that comes out, in dB against it.
    fn level(hertz: f32, from: Rate, to: Rate) -> f32 {
        let rate = |rate: Rate| 8_000.0 * rate.samples() as f32;
        let said = tone(hertz, rate(from), 8_000);
        let mut resampler = Resampler::new();
        let mut heard = Vec::new();
        for part in said.chunks(160) {
            let mut out = [0; 320];
            let count = resampler.convert(part, from, to, &mut out);
            heard.extend_from_slice(&out[..count]);
        }
        assert_eq!(heard.len() * from.samples(), said.len() * to.samples());
        let middle = &heard[heard.len() / 4..];
        let energy: f32 = middle.iter().map(|sample| f32::from(*sample).powi(2)).sum();
        10.0 * (energy / middle.len() as f32 / 5e7).log10()
    }

    #[test]
    fn the_telephone_band_passes_and_nothing_is_folded_into_it() {
        for hertz in [100.0, 440.0, 1_000.0, 2_000.0, 3_000.0, 3_600.0] {
            for (from, to) in [(Rate::Narrow, Rate::Wide), (Rate::Wide, Rate::Narrow)] {
                let level = level(hertz, from, to);
                assert!(level.abs() < 1.0, "{hertz} Hz {from:?}: {level} dB");
            }
        }
        for hertz in [4_400.0, 5_000.0, 6_000.0, 7_500.0] {
            let level = level(hertz, Rate::Wide, Rate::Narrow);
            assert!(level < -45.0, "{hertz} Hz: {level} dB");
        }
    }

    #[test]
    fn blocks_leave_no_seam() {
        let said = tone(700.0, 8_000.0, 1_000);
        let (mut at_once, mut in_parts) = (vec![0; 2_000], Vec::new());
        Resampler::new().convert(&said, Rate::Narrow, Rate::Wide, &mut at_once);
        let mut resampler = Resampler::new();
        for part in said.chunks(73) {
            let mut out = [0; 146];
            let count = resampler.convert(part, Rate::Narrow, Rate::Wide, &mut out);
            in_parts.extend_from_slice(&out[..count]);
        }
        assert_eq!(at_once, in_parts);
    }
}
