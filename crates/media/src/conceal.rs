//! What is heard instead of audio that was lost: the last pitch period again and again, quieter and quieter, in the way of
//! ITU-T G.711 appendix I, but without its delay of 3.75 ms.
//!
//! ```text
//! heard ──────────┤ begin: pitch ┤ fill: period, period, period … ┤ join: the two overlap ┤──── heard
//!                      full voice for 10 ms, then 20 % less each 10 ms, silence after 60 ms
//! ```

/// The sampling rates that can be concealed, in samples a millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// 8,000 samples a second.
    Narrow = 8,
    /// 16,000 samples a second.
    Wide = 16,
}

/// Samples of the past that [`Concealer::begin`] wants, in milliseconds: the longest period and the stretch that is
/// compared with the one a period before it.
pub const HISTORY_MILLIS: usize = 36;

/// A voice has 66 to 200 periods a second; a higher one repeats every few of its periods.
const PERIOD_MILLIS_MIN: usize = 5;
const PERIOD_MILLIS_MAX: usize = 15;
/// How much is compared to find the period.
const COMPARED_MILLIS: usize = 20;
/// Up to here a concealment has the voice's full strength.
const FULL_MILLIS: usize = 10;
/// From here on it is silence.
pub const CONCEALED_MILLIS: usize = 60;
/// The longest that the concealment and the voice that follows it overlap.
const JOIN_MILLIS_MAX: usize = 10;

const TEMPLATE: usize = PERIOD_MILLIS_MAX * Pace::Wide as usize;

/// Fills the gaps of one stream.
pub struct Concealer {
    pace: usize,
    /// The last period of the voice, made so that its end meets its beginning.
    template: [f32; TEMPLATE],
    period: usize,
    /// Samples made in this gap.
    made: usize,
    /// The step from the voice to the template, which is let fade away.
    step: f32,
    /// Samples of the voice after the gap that still overlap with the concealment, and how many there were.
    joining: usize,
    join: usize,
}

impl Concealer {
    /// A concealer that has heard nothing.
    #[must_use]
    pub const fn new(pace: Pace) -> Self {
        Self {
            pace: pace as usize,
            template: [0.0; TEMPLATE],
            period: 0,
            made: 0,
            step: 0.0,
            joining: 0,
            join: 0,
        }
    }

    /// Whether neither a gap nor the overlap after one is being worked on.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.made == 0 && self.joining == 0
    }

    /// Whether a gap has begun and no voice has come after it.
    #[must_use]
    pub const fn is_filling(&self) -> bool {
        self.made > 0 && self.joining == 0
    }

    /// Begins a gap after `history`, the newest sample last: [`HISTORY_MILLIS`] of it, or less if there is no more.
    pub fn begin(&mut self, history: &[i16]) {
        (self.made, self.joining, self.step) = (0, 0, 0.0);
        self.period = self.period_of(history);
        let period = self.period;
        if period == 0 {
            return;
        }
        let (earlier, newest) = history.split_at(history.len() - period);
        let overlap = period / 4;
        for (n, (made, sample)) in self.template.iter_mut().zip(newest).enumerate() {
            // The end becomes what stood before the period began, so that the repetition has no edge.
            let part = (n + overlap + 1).saturating_sub(period) as f32 / (overlap + 1) as f32;
            let before = f32::from(earlier[earlier.len() - period + n]);
            *made = f32::from(*sample) * (1.0 - part) + before * part;
        }
        if let ([.., before], [.., last]) = (earlier, newest) {
            self.step = f32::from(*last) - f32::from(*before);
        }
    }

    /// Makes the next samples of the gap.
    pub fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            *sample = round(self.next());
        }
    }

    /// Takes the voice that comes after a gap; its first samples are changed.
    pub fn join(&mut self, voice: &mut [i16]) {
        if self.is_filling() {
            let gap_millis = self.made / self.pace;
            let overlap = self.period / 4 + gap_millis / 10 * 4 * self.pace;
            self.join = overlap.clamp(self.pace, JOIN_MILLIS_MAX * self.pace);
            self.joining = self.join;
        }
        for sample in voice {
            if self.joining == 0 {
                self.made = 0;
                return;
            }
            let part = self.joining as f32 / (self.join + 1) as f32;
            let made = self.next();
            *sample = round(f32::from(*sample) * (1.0 - part) + made * part);
            self.joining -= 1;
        }
        if self.joining == 0 {
            self.made = 0;
        }
    }

    fn next(&mut self) -> f32 {
        let (n, pace) = (self.made, self.pace);
        self.made += 1;
        let faded =
            n.saturating_sub(FULL_MILLIS * pace) as f32 / ((CONCEALED_MILLIS - FULL_MILLIS) * pace) as f32;
        if self.period == 0 || faded >= 1.0 {
            return 0.0;
        }
        let template = self.template[n % self.period];
        let step = self.step * (1.0 - n as f32 / (self.period / 4) as f32).max(0.0);
        (template + step) * (1.0 - faded)
    }

    /// The distance at which the past is most like itself; 0 when there is too little of it.
    fn period_of(&self, history: &[i16]) -> usize {
        let (shortest, longest) = (PERIOD_MILLIS_MIN * self.pace, PERIOD_MILLIS_MAX * self.pace);
        let compared = COMPARED_MILLIS * self.pace;
        if history.len() < longest + compared {
            return 0;
        }
        let newest = &history[history.len() - compared..];
        let likeness = |period: usize, stride: usize| {
            let older = &history[history.len() - compared - period..][..compared];
            let (mut both, mut energy) = (0.0, 1.0);
            for (new, old) in newest.iter().step_by(stride).zip(older.iter().step_by(stride)) {
                let (new, old) = (f32::from(*new), f32::from(*old));
                both += new * old;
                energy += old * old;
            }
            both / f32::sqrt(energy)
        };
        let best = |periods: &mut dyn Iterator<Item = usize>, stride: usize| {
            periods
                .map(|period| (period, likeness(period, stride)))
                .max_by(|a, b| a.1.total_cmp(&b.1))
                .map_or(shortest, |best| best.0)
        };
        // Roughly first, then every sample around the best.
        let stride = self.pace / 4;
        let rough = best(&mut (shortest..=longest).step_by(stride), stride);
        let around = rough.saturating_sub(stride).max(shortest)..=(rough + stride).min(longest);
        best(&mut { around }, 1)
    }
}

/// Fills a gap whose other side is known too, at 8,000 samples a second: from both sides, and from one into the other.
/// `past` and `after` are as [`Concealer::begin`] wants its past.
pub(crate) fn bridge(past: &[i16], gap: &mut [i16], after: &[i16]) {
    let mut forward = Concealer::new(Pace::Narrow);
    forward.begin(past);
    let mut backward = Concealer::new(Pace::Narrow);
    let mut reversed = [0; HISTORY_MILLIS * Pace::Narrow as usize];
    let known = after.len().min(reversed.len());
    reversed.iter_mut().zip(after[..known].iter().rev()).for_each(|(to, from)| *to = *from);
    backward.begin(&reversed[..known]);
    forward.fill(gap);
    let length = gap.len();
    for (n, sample) in gap.iter_mut().enumerate().rev() {
        let part = (n + 1) as f32 / (length + 1) as f32;
        let made = backward.next();
        *sample = round(f32::from(*sample) * (1.0 - part) + made * part);
    }
}

fn round(sample: f32) -> i16 {
    // The cast saturates.
    sample.round_ties_even() as i16
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    /// A voice of a fundamental and its harmonics.
    fn voice(hertz: f32, rate: f32, samples: usize) -> Vec<i16> {
        let sample = |n: usize| {
            let phase = TAU * hertz * n as f32 / rate;
            let sum: f32 = (1..6).map(|k| f32::sin(phase * k as f32 + k as f32) / k as f32).sum();
            round(6_000.0 * sum)
        };
        (0..samples).map(sample).collect()
    }

    fn energy(samples: &[i16]) -> f32 {
        samples.iter().map(|sample| f32::from(*sample).powi(2)).sum()
    }

    /// Loses so many milliseconds after 100 and gives what is heard and what was said.
    fn conceal(said: &[i16], pace: Pace, millis: usize) -> Vec<i16> {
        let unit = pace as usize;
        let (from, to) = (100 * unit, (100 + millis) * unit);
        let mut heard = said.to_vec();
        let mut concealer = Concealer::new(pace);
        let (past, rest) = heard.split_at_mut(from);
        concealer.begin(&past[from - HISTORY_MILLIS * unit..]);
        // In pieces, as frames come.
        let (gap, after) = rest.split_at_mut(to - from);
        gap.chunks_mut(37).for_each(|piece| concealer.fill(piece));
        assert!(concealer.is_filling());
        after.chunks_mut(23).for_each(|piece| concealer.join(piece));
        assert!(concealer.is_idle());
        heard
    }

    #[test]
    fn a_steady_voice_goes_on_as_if_nothing_was_lost() {
        for (pace, rate) in [(Pace::Narrow, 8_000.0), (Pace::Wide, 16_000.0)] {
            for hertz in [80.0, 125.0, 160.0, 200.0, 320.0] {
                let said = voice(hertz, rate, 200 * pace as usize);
                let heard = conceal(&said, pace, 10);
                let lost = 100 * pace as usize..110 * pace as usize;
                let off: Vec<i16> = lost.clone().map(|n| heard[n].saturating_sub(said[n])).collect();
                let ratio = 10.0 * (energy(&said[lost]) / energy(&off).max(1.0)).log10();
                assert!(ratio > 12.0, "{hertz} Hz at {rate}: {ratio} dB");
            }
        }
    }

    #[test]
    fn a_long_gap_fades_into_silence_and_the_voice_comes_back_whole() {
        let said = voice(150.0, 8_000.0, 3_000);
        let heard = conceal(&said, Pace::Narrow, 100);
        assert!(energy(&heard[800..880]) > energy(&said[800..880]) * 0.5);
        assert!(energy(&heard[1_120..1_200]) < energy(&said[1_120..1_200]) * 0.3);
        assert_eq!(energy(&heard[800 + 8 * CONCEALED_MILLIS..1_600]), 0.0);
        assert_eq!(heard[1_680..], said[1_680..], "after at most 10 ms");
        let steps = heard.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max();
        let said_steps = said.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max();
        assert!(steps <= said_steps.map(|step| step * 3 / 2), "there is no click: {steps:?}, {said_steps:?}");
    }

    #[test]
    fn without_a_past_there_is_silence() {
        for past in [&[][..], &[1_000; 50]] {
            let mut concealer = Concealer::new(Pace::Narrow);
            let mut gap = [1; 160];
            concealer.begin(past);
            concealer.fill(&mut gap);
            assert_eq!(gap, [0; 160]);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_past_and_no_lengths_do_harm(
            past in proptest::collection::vec(proptest::num::i16::ANY, 0..600),
            lengths in proptest::collection::vec(0_usize..400, 0..6),
        ) {
            for pace in [Pace::Narrow, Pace::Wide] {
                let mut concealer = Concealer::new(pace);
                concealer.begin(&past);
                for (n, length) in lengths.iter().enumerate() {
                    let mut samples = vec![i16::MIN; *length];
                    if n % 2 == 0 { concealer.fill(&mut samples) } else { concealer.join(&mut samples) }
                }
            }
        }
    }
}
