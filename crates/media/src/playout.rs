//! How long a packet's audio waits before it is heard, where it is decoded: long enough for nearly all packets to have
//! come, and not longer.
//!
//! ```text
//! fastest ├──── depth = max(20 ms, mean + 4 deviations - fastest) ────┤ deadline         lateness of packets ─▶
//! ```
//!
//! A packet's lateness is its transit time against the first one's. The deviation grows at once and shrinks slowly, so
//! that the second burst of a bad line is already waited for; the fastest follows the mean over some seconds, so that a
//! far end's clock that drifts against ours moves the deadline along and never fills or empties the buffer.

use std::time::Duration;

/// The least and the most that audio waits.
pub const DEPTH_MIN: Duration = Duration::from_millis(20);
/// See [`DEPTH_MIN`]: beyond this, people begin to talk at the same time.
pub const DEPTH_MAX: Duration = Duration::from_millis(300);

/// In units of 1/8,000 s, as the transit times are.
const DEPTH_TICKS_MIN: f32 = 160.0;
const DEPTH_TICKS_MAX: f32 = 2_400.0;
/// What a line is taken for before it is known: 10 ms.
const DEVIATION_FIRST: f32 = 80.0;
/// A lateness so far from the mean is a clock that was set: 3 s.
const CLOCK_JUMP: f32 = 24_000.0;

const MEAN_GAIN: f32 = 1.0 / 32.0;
const DEVIATION_GAIN_UP: f32 = 1.0 / 8.0;
const DEVIATION_GAIN_DOWN: f32 = 1.0 / 64.0;
const FASTEST_GAIN: f32 = 1.0 / 256.0;
const DEVIATIONS: f32 = 4.0;

/// Follows the lateness of one stream's packets.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Playout {
    line: Option<Line>,
}

#[derive(Clone, Copy, Debug)]
struct Line {
    /// The first packet's transit.
    reference: u32,
    fastest: f32,
    mean: f32,
    deviation: f32,
}

impl Playout {
    /// Takes a packet's transit time (arrival less timestamp, in 1/8,000 s, wrapping). Gives whether it came before its
    /// audio was due.
    #[inline]
    pub(crate) fn note(&mut self, transit: u32) -> bool {
        let Some(line) = &mut self.line else {
            self.line =
                Some(Line { reference: transit, fastest: 0.0, mean: 0.0, deviation: DEVIATION_FIRST });
            return true;
        };
        let lateness = transit.wrapping_sub(line.reference).cast_signed() as f32;
        let off = lateness - line.mean;
        if off.abs() > CLOCK_JUMP {
            let deviation = line.deviation;
            self.line = Some(Line { reference: transit, fastest: 0.0, mean: 0.0, deviation });
            return true;
        }
        let in_time = lateness <= line.fastest + line.depth();
        line.mean += off * MEAN_GAIN;
        let growth = off.abs() - line.deviation;
        line.deviation += growth * if growth > 0.0 { DEVIATION_GAIN_UP } else { DEVIATION_GAIN_DOWN };
        line.fastest = lateness.min(line.fastest + (line.mean - line.fastest) * FASTEST_GAIN);
        in_time
    }

    /// How long the fastest packet's audio waits, in 1/8,000 s.
    pub(crate) fn depth_ticks(&self) -> u32 {
        self.line.map_or(DEPTH_TICKS_MIN, |line| line.depth()) as u32
    }

    /// The transit time of a packet that comes at the very last moment, on the scale of [`Playout::note`]; `None` before
    /// the first packet.
    pub(crate) fn deadline(&self) -> Option<u32> {
        self.line.map(|line| line.reference.wrapping_add_signed((line.fastest + line.depth()) as i32))
    }

    /// How long the fastest packet's audio waits.
    pub(crate) fn depth(&self) -> Duration {
        Duration::from_micros(u64::from(self.depth_ticks()) * 125)
    }
}

impl Line {
    fn depth(&self) -> f32 {
        (self.mean + DEVIATIONS * self.deviation - self.fastest).clamp(DEPTH_TICKS_MIN, DEPTH_TICKS_MAX)
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    /// Packets whose delay is drawn from `0..=jitter` milliseconds; gives how many of the last 4,000 missed their time.
    fn line(jitter: u32, drift_ppm: i64) -> (Playout, u32) {
        let mut rng = SmallRng::seed_from_u64(5);
        let (mut playout, mut missed) = (Playout::default(), 0);
        for n in 0..5_000_i64 {
            let drift = n * 160 * drift_ppm / 1_000_000;
            let transit = 7_000_i64 + drift + i64::from(rng.random_range(0..=jitter * 8));
            let in_time = playout.note(transit as u32);
            missed += u32::from(n >= 1_000 && !in_time);
        }
        (playout, missed)
    }

    #[test]
    fn nearly_every_packet_comes_in_time_and_none_waits_much_longer_than_it_must() {
        for (jitter, depth_max) in [(0, 20), (10, 30), (40, 110), (80, 220)] {
            let (playout, missed) = line(jitter, 0);
            assert!(missed <= 8, "{jitter} ms: {missed} of 4,000 missed");
            let depth = playout.depth().as_millis();
            assert!(depth >= u128::from(jitter) && depth <= depth_max, "{jitter} ms: {depth}");
        }
    }

    #[test]
    fn a_clock_that_drifts_neither_fills_nor_empties_the_buffer() {
        for drift in [-300, 300] {
            let (playout, missed) = line(10, drift);
            assert!(missed <= 8, "{drift} ppm: {missed}");
            assert!(playout.depth().as_millis() <= 60, "{drift} ppm: {:?}", playout.depth());
        }
    }

    #[test]
    fn a_clock_that_is_set_begins_anew() {
        let (mut playout, _) = line(10, 0);
        let depth = playout.depth_ticks();
        assert!(playout.note(0x8000_0000));
        assert!(playout.depth_ticks().abs_diff(depth) < 80 && playout.note(0x8000_0050));
    }
}
