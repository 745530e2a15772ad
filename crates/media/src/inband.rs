//! Keys of a telephone as tones in the voice (ITU-T Q.23, Q.24): two frequencies at once, a low one and a high one.
//!
//! ```text
//!          1209  1336  1477  1633 Hz       Quiet ─5 windows of one key─▶ Held, the key is told
//!  697 Hz    1     2     3     A             ▲                             │
//!  770 Hz    4     5     6     B             └──────7 windows without──────┘
//!  852 Hz    7     8     9     C
//!  941 Hz    *     0     #     D
//! ```
//!
//! A window of 20 ms is looked at every 5 ms, through a Hann curve, so that one tone does not leak into another's place
//! and a telephone's tones may be off by 1.5 %. Speech has a little of everything; what makes a key is that the two
//! tones are nearly all there is, that neither is much louder than the other, that the upper one has no harmonic, and
//! that they stay.
//!
//! A key is told as soon as it is certain, after some 40 ms, and not when it is released. Packets that were lost tell
//! nothing: a tone before and after them is one key.

use std::f32::consts::TAU;
use std::fmt;
use std::time::Duration;

use base::fact::KeySource;

use crate::dtmf::{Key, Pressed};
use crate::g711::{Law, SAMPLE_RATE};
use crate::rtp::{Header, timestamp_distance};

/// Hears keys in the voice of one leg. Debug shows nothing of it: the samples would tell the keys.
pub(crate) struct ToneEar {
    /// The newest samples, the newest last.
    window: [f32; WINDOW],
    /// Samples that are missing until the next look.
    missing: usize,
    /// Number and timestamp of the packet that comes next.
    next: Option<(u16, u32)>,
    /// The key of the last windows, and how many of them had it.
    candidate: Option<(Key, u8)>,
    /// The key that is held down, and for how many windows it has not been heard.
    held: Option<(Key, usize)>,
    /// Windows that were lost since the last look.
    lost: usize,
    /// The second key of a packet that is longer than a press.
    ready: Option<Key>,
}

impl fmt::Debug for ToneEar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ToneEar")
    }
}

impl ToneEar {
    pub(crate) const fn new() -> Self {
        Self {
            window: [0.0; WINDOW],
            missing: WINDOW,
            next: None,
            candidate: None,
            held: None,
            lost: 0,
            ready: None,
        }
    }

    /// Takes the voice of a packet that is not late; gives the press that is certain now. Allocates nothing.
    pub(crate) fn hear(&mut self, header: &Header, samples: &[u8], law: Law) -> Option<Pressed> {
        let key = self.key_of(header, samples, law)?;
        Some(Pressed { key, held: CERTAIN_AFTER, source: KeySource::Tone })
    }

    /// Another stream begins: nothing of it belongs to what was heard.
    pub(crate) fn end_stream(&mut self) {
        *self = Self { ready: self.ready, ..Self::new() };
    }

    fn key_of(&mut self, header: &Header, samples: &[u8], law: Law) -> Option<Key> {
        self.follow(header, samples.len());
        let mut first = self.ready.take();
        let mut rest = samples;
        while !rest.is_empty() {
            let (taken, left) = rest.split_at(rest.len().min(self.missing));
            rest = left;
            self.keep(taken, law);
            if self.missing > 0 {
                break;
            }
            self.missing = HOP;
            let key = self.look();
            if first.is_none() {
                first = key;
            } else {
                self.ready = key.or(self.ready);
            }
        }
        first
    }

    /// Takes note of what is missing between the last packet and this one.
    fn follow(&mut self, header: &Header, samples: usize) {
        let after = (header.seq.wrapping_add(1), header.timestamp.wrapping_add(samples as u32));
        let Some((seq, timestamp)) = self.next.replace(after) else { return };
        let Ok(gap) = usize::try_from(timestamp_distance(header.timestamp, timestamp)) else {
            return self.end_stream_at(after);
        };
        if gap == 0 {
            return;
        }
        self.missing = WINDOW;
        let windows = gap / HOP;
        self.lost += windows;
        // Without a loss, the sender does not send its silence.
        if self.lost > LOST_WINDOWS || (header.seq == seq && windows >= PAUSE_WINDOWS) {
            self.end_stream_at(after);
        }
    }

    fn end_stream_at(&mut self, next: (u16, u32)) {
        self.end_stream();
        self.next = Some(next);
    }

    fn keep(&mut self, samples: &[u8], law: Law) {
        self.window.copy_within(samples.len().., 0);
        let place = &mut self.window[WINDOW - samples.len()..];
        place.iter_mut().zip(samples).for_each(|(place, byte)| *place = f32::from(law.decode(*byte)));
        self.missing -= samples.len();
    }

    /// A window is full.
    fn look(&mut self) -> Option<Key> {
        let heard = key_in(&self.window);
        let lost = std::mem::take(&mut self.lost);
        if let Some((key, quiet)) = self.held {
            if heard == Some(key) && (quiet == 0 || quiet + lost < PAUSE_WINDOWS) {
                self.held = Some((key, 0));
                return None;
            }
            let quiet = quiet + lost + usize::from(heard != Some(key));
            self.held = (quiet < PAUSE_WINDOWS).then_some((key, quiet));
        }
        let same = self.candidate.filter(|(key, _)| heard == Some(*key));
        let windows = same.map_or(1, |(_, windows)| windows + 1);
        self.candidate = heard.map(|key| (key, windows.min(KEY_WINDOWS)));
        let certain = heard.filter(|_| windows >= KEY_WINDOWS)?;
        if self.held.is_some_and(|(key, _)| key == certain) {
            return None;
        }
        self.candidate = None;
        self.held = Some((certain, 0));
        Some(certain)
    }
}

/// The low and the high tone of a key, in hertz.
pub(crate) fn tones_of(key: Key) -> [f32; 2] {
    let place = KEYPAD.as_flattened().iter().position(|letter| *letter == key.letter());
    let place = place.expect("the keypad has all sixteen keys");
    [LOW[place / 4], HIGH[place % 4]]
}

/// The key that a window is full of.
fn key_in(window: &[f32; WINDOW]) -> Option<Key> {
    let mut curved = *window;
    curved.iter_mut().zip(&HANN).for_each(|(sample, weight)| *sample *= weight);
    let energy = curved.iter().map(|sample| sample * sample).sum::<f32>();
    if energy < 2.0 * QUIET {
        return None;
    }
    let at_place = powers(&curved, TONES);
    let (low, row) = loudest(&at_place[..LOW.len()])?;
    let (high, column) = loudest(&at_place[LOW.len()..])?;
    // Most of what is heard ends here.
    if low + high < SHARE_AT_PLACE * energy {
        return None;
    }
    let (low_tone, high_tone) = (LOW[row], HIGH[column]);
    let (under, over) = (1.0 - ASIDE, 1.0 + ASIDE);
    let aside = [low_tone * under, low_tone * over, high_tone * under, high_tone * over, 2.0 * high_tone];
    let [low_under, low_over, high_under, high_over, harmonic] = powers(&curved, aside);
    let (low, high) = (low.max(low_under).max(low_over), high.max(high_under).max(high_over));
    let is_key = low.min(high) >= QUIET
        && low <= TWIST * high
        && high <= TWIST * low
        && low + high >= SHARE * energy
        && harmonic <= HARMONIC * high;
    is_key.then(|| KEYPAD[row][column]).and_then(Key::from_char)
}

/// The one of four tones that stands out: its energy, and which one it is.
fn loudest(powers: &[f32]) -> Option<(f32, usize)> {
    let (place, most) =
        powers.iter().copied().enumerate().max_by(|(_, left), (_, right)| left.total_cmp(right))?;
    let stands_out = powers.iter().enumerate().all(|(other, power)| other == place || power * PEAK <= most);
    stands_out.then_some((most, place))
}

/// The energies at some frequencies (Goertzel), side by side, which takes hardly longer than one: for a pure tone, all
/// of the window's.
fn powers<const COUNT: usize>(curved: &[f32; WINDOW], hertz: [f32; COUNT]) -> [f32; COUNT] {
    let coefficients = hertz.map(|hertz| 2.0 * (TAU * hertz / SAMPLE_RATE as f32).cos());
    let (mut last, mut before) = ([0.0; COUNT], [0.0; COUNT]);
    for sample in curved {
        for at in 0..COUNT {
            let next = coefficients[at] * last[at] + (sample - before[at]);
            before[at] = last[at];
            last[at] = next;
        }
    }
    std::array::from_fn(|at| {
        let (last, before) = (last[at], before[at]);
        (last * last + before * before - coefficients[at] * last * before) * ALL
    })
}

/// Samples of a window: 20 ms.
const WINDOW: usize = 160;

/// Samples from one look to the next: 5 ms.
const HOP: usize = 40;

/// Windows in a row that make a key: every tone of 40 ms has them (Q.24), none of 30 ms has.
const KEY_WINDOWS: u8 = 5;

/// How much of a key has been heard when it is told.
const CERTAIN_AFTER: Duration = Duration::from_millis(40);

const _: () = assert!(
    (WINDOW + (KEY_WINDOWS as usize - 1) * HOP) * 1_000 / SAMPLE_RATE as usize
        == CERTAIN_AFTER.as_millis() as usize
);

/// Windows without the key that make the next one a press of its own: every pause of 40 ms has them, and a hole of 10 ms
/// has not.
const PAUSE_WINDOWS: usize = 7;

/// Windows that may be lost within a tone, 200 ms; a longer gap ends it.
const LOST_WINDOWS: usize = 40;

/// The energy of one tone at -40 dBm0, as [`HANN`] leaves it: amplitude 228.
const QUIET: f32 = 228.0 * 228.0 / 2.0 * 0.375 * WINDOW as f32;

/// How much louder one of the two tones may be: 8 dB.
const TWIST: f32 = 6.31;

/// How much louder a tone is than the other three of its group: 6 dB.
const PEAK: f32 = 4.0;

/// How much of a window's energy the two tones are at least. A noise 15 dB below them leaves 0.97. In an hour of speech
/// nothing is a key at 0.9; at 0.88, vowels are.
const SHARE: f32 = 0.9;

/// How much of it they are at least at their exact places: a tone that is off by 1.5 % is still there with two thirds.
const SHARE_AT_PLACE: f32 = 0.5;

/// How much of the high tone its second harmonic may be: -13 dB. A voice's harmonics are louder. That of the low tone
/// lies among the high tones.
const HARMONIC: f32 = 0.05;

/// How far beside a tone's place it is looked for too.
const ASIDE: f32 = 0.0125;

/// What makes an energy of a Goertzel sum: a Hann window's coherent gain is 1/2, its incoherent one 3/8.
const ALL: f32 = 3.0 / WINDOW as f32;

/// The curve through which a window is looked at: `(1 - cos) / 2`, once around.
const HANN: [f32; WINDOW] = hann();

const fn hann() -> [f32; WINDOW] {
    let (mut curve, mut at) = ([0.0; WINDOW], 0);
    // Half a step from the edge, then step by step around the circle.
    let (mut cos, mut sin) = (HALF_STEP.0, HALF_STEP.1);
    let step = (HALF_STEP.0 * HALF_STEP.0 - HALF_STEP.1 * HALF_STEP.1, 2.0 * HALF_STEP.0 * HALF_STEP.1);
    while at < WINDOW {
        curve[at] = ((1.0 - cos) / 2.0) as f32;
        (cos, sin) = (cos * step.0 - sin * step.1, sin * step.0 + cos * step.1);
        at += 1;
    }
    curve
}

/// Cosine and sine of half a step: of 360 degrees divided by twice the window's samples.
const HALF_STEP: (f64, f64) = (0.999_807_240_482_064_8, 0.019_633_692_460_628_3);

const LOW: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const HIGH: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];

/// All of them, the low ones first.
const TONES: [f32; 8] = [LOW[0], LOW[1], LOW[2], LOW[3], HIGH[0], HIGH[1], HIGH[2], HIGH[3]];

const KEYPAD: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

#[cfg(test)]
mod tests;
