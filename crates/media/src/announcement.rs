//! What a network says before the answer, recognised: "the telephone you are calling is switched off" is heard by
//! whoever has heard it before.
//!
//! ```text
//! samples ─▶ 13 bands, energy of 80 ms ─▶ 12 bits every 20 ms ─▶ the last seconds ─▶ one whole reference ─▶ Cause
//! ```
//!
//! A bit says whether one band has grown against its neighbour within 80 ms. How loud the line is, its law, and what else
//! a network does to a voice leave most bits as they are: of an announcement that is the same a tenth to a quarter
//! differs, of any other nearly half. Silence is never compared, and a tone has no growing bands.
//!
//! Announcements of one carrier begin and end alike: "the telephone you are calling …, please try again later". So a
//! reference is recognised when all of it was heard and its end has just come, but for half a second of its beginning
//! and the very last of it.
//!
//! The references are prepared once. A packet costs its filters and a look at the end of each reference.

use std::f32::consts::TAU;
use std::fmt;
use std::sync::Arc;

use base::release::Cause;

use crate::g711::{Law, SAMPLE_RATE};
use crate::rtp::{Header, timestamp_distance};

/// What is known of what networks say, prepared once and shared by all legs.
#[derive(Clone, Default)]
pub struct Announcements {
    references: Arc<[Reference]>,
}

/// One announcement: what it means and how it sounds.
pub struct Reference {
    cause: Cause,
    prints: Vec<Print>,
}

impl Reference {
    /// Prepares a recording, as samples of 8 kHz in A-law; its first [`REFERENCE_SECS`] count. `None` when less than two
    /// seconds of it can be compared.
    #[must_use]
    pub fn new(cause: Cause, alaw: &[u8]) -> Option<Self> {
        let mut filters = Filters::new();
        let samples = alaw[..alaw.len().min(REFERENCE_SECS * SAMPLE_RATE as usize)].iter();
        let prints = samples.filter_map(|byte| filters.hear(f32::from(Law::Pcma.decode(*byte))));
        let mut prints: Vec<_> = prints.skip_while(|print| !print.is_said).collect();
        let end = prints.iter().rposition(|print| print.is_said).map_or(0, |last| last + 1);
        prints.truncate(end.saturating_sub(END));
        let said = prints.iter().filter(|print| print.is_said).count();
        (said >= SAID_MIN).then_some(Self { cause, prints })
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reference({:?}, {} prints)", self.cause, self.prints.len())
    }
}

impl Announcements {
    /// What these recordings tell; of more than [`REFERENCES`] the first.
    #[must_use]
    pub fn new(references: impl IntoIterator<Item = Reference>) -> Self {
        Self { references: references.into_iter().take(REFERENCES).collect() }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.references.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.references.is_empty()
    }
}

impl fmt::Debug for Announcements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Announcements({})", self.len())
    }
}

/// Listens to what one leg's network says. Debug shows nothing of it.
pub(crate) struct AnnouncementEar {
    known: Announcements,
    filters: Filters,
    /// What was heard, around the place where the next print goes.
    heard: [Print; HISTORY],
    /// How many prints were heard in all.
    prints: usize,
    /// Timestamp of the packet that comes next.
    next: Option<u32>,
    found: Option<Cause>,
}

impl fmt::Debug for AnnouncementEar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnnouncementEar")
    }
}

impl AnnouncementEar {
    pub(crate) fn new(known: Announcements) -> Box<Self> {
        Box::new(Self {
            known,
            filters: Filters::new(),
            heard: [Print::NONE; HISTORY],
            prints: 0,
            next: None,
            found: None,
        })
    }

    /// Takes the voice of a packet that is not late. Allocates nothing.
    pub(crate) fn hear(&mut self, header: &Header, samples: &[u8], law: Law) {
        let after = header.timestamp.wrapping_add(u32::try_from(samples.len()).unwrap_or(0));
        let gap = self.next.replace(after).map_or(0, |next| timestamp_distance(header.timestamp, next));
        // What is lost sounded like what was before it. After a longer gap something else begins.
        for _ in 0..usize::try_from(gap).unwrap_or(0).div_ceil(STRETCH).min(LOST_MAX) {
            let print = self.filters.conceal();
            self.take(print);
        }
        for byte in samples {
            if let Some(print) = self.filters.hear(f32::from(law.decode(*byte))) {
                self.take(print);
            }
        }
    }

    /// Another stream begins: its timestamps are its own.
    pub(crate) fn end_stream(&mut self) {
        self.next = None;
    }

    /// What was recognised; told once.
    pub(crate) fn told(&mut self) -> Option<Cause> {
        self.found.take()
    }

    /// Whether something was recognised and is not told.
    pub(crate) fn has_news(&self) -> bool {
        self.found.is_some()
    }

    /// Whether nothing more will be told: early media is listened to for a minute.
    pub(crate) fn is_over(&self) -> bool {
        self.prints >= LISTENED && self.found.is_none()
    }

    fn take(&mut self, print: Print) {
        if self.prints >= LISTENED {
            return;
        }
        self.heard[self.prints % HISTORY] = print;
        self.prints += 1;
        let known = &self.known.references;
        if let Some(reference) = known.iter().find(|reference| self.has_heard(&reference.prints)) {
            self.found = Some(reference.cause);
            self.prints = LISTENED;
        }
    }

    /// Whether the last of what was heard is all of this, but perhaps for its very beginning.
    fn has_heard(&self, known: &[Print]) -> bool {
        let missing = known.len().saturating_sub(self.prints);
        if missing > BEGINNING {
            return false;
        }
        let (mut whole, mut block) = (Likeness::default(), Likeness::default());
        for (back, known) in (1..).zip(known[missing..].iter().rev()) {
            let heard = self.heard[(self.prints - back) % HISTORY];
            whole.compare(heard, *known);
            block.compare(heard, *known);
            if block.compared == BLOCK {
                // Nearly everything else ends here, at its first block.
                if !block.is_within(DIFFERING_IN_A_BLOCK) {
                    return false;
                }
                block = Likeness::default();
            }
        }
        whole.is_within(DIFFERING)
    }
}

/// How many of the bits differ that can be compared.
#[derive(Clone, Copy, Debug, Default)]
struct Likeness {
    compared: u32,
    differing: u32,
}

impl Likeness {
    fn compare(&mut self, heard: Print, known: Print) {
        if known.is_said {
            self.compared += 1;
            self.differing += if heard.is_said { (heard.bits ^ known.bits).count_ones() } else { BITS / 2 };
        }
    }

    const fn is_within(&self, percent: u32) -> bool {
        self.differing * 100 <= self.compared * BITS * percent
    }
}

/// 20 ms of sound, as far as it can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Print {
    bits: u16,
    /// Whether it is loud enough to mean something.
    is_said: bool,
}

impl Print {
    const NONE: Self = Self { bits: 0, is_said: false };
}

/// A bank of resonators, one for each band, and their energies of the last eight stretches of 20 ms.
struct Filters {
    bank: Bank,
    /// The two last outputs of each resonator, and the two last inputs.
    last: [f32; BANDS],
    before: [f32; BANDS],
    inputs: [f32; 2],
    sums: [f32; BANDS],
    samples: usize,
    /// The newest last.
    energies: [[f32; BANDS]; 2 * SPAN],
    /// The loudest stretch so far, fading.
    peak: f32,
}

impl Filters {
    fn new() -> Self {
        Self {
            bank: Bank::new(),
            last: [0.0; BANDS],
            before: [0.0; BANDS],
            inputs: [0.0; 2],
            sums: [0.0; BANDS],
            samples: 0,
            energies: [[0.0; BANDS]; 2 * SPAN],
            peak: 0.0,
        }
    }

    /// Gives a print with every last sample of 20 ms.
    fn hear(&mut self, sample: f32) -> Option<Print> {
        let drive = sample - self.inputs[1];
        self.inputs = [sample, self.inputs[0]];
        for band in 0..BANDS {
            let Bank { gain, turn, decay } = &self.bank;
            let out = gain[band] * drive + turn[band] * self.last[band] - decay[band] * self.before[band];
            self.before[band] = self.last[band];
            self.last[band] = out;
            self.sums[band] += out * out;
        }
        self.samples += 1;
        if self.samples < STRETCH {
            return None;
        }
        self.samples = 0;
        self.energies.rotate_left(1);
        self.energies[2 * SPAN - 1] = std::mem::replace(&mut self.sums, [0.0; BANDS]);
        Some(self.print())
    }

    /// The print of a stretch that was lost: as the one before it.
    fn conceal(&mut self) -> Print {
        self.energies.rotate_left(1);
        self.energies[2 * SPAN - 1] = self.energies[2 * SPAN - 2];
        self.print()
    }

    fn print(&mut self) -> Print {
        let mut now = [0.0; BANDS];
        let mut then = now;
        for (nth, energies) in self.energies.iter().enumerate() {
            let sum = if nth < SPAN { &mut then } else { &mut now };
            sum.iter_mut().zip(energies).for_each(|(sum, energy)| *sum += energy);
        }
        let whole: f32 = now.iter().sum();
        self.peak = (self.peak * FADING).max(whole);
        let grows = |band: &usize| now[*band] * then[band + 1] > now[band + 1] * then[*band];
        let bits = (0..BANDS - 1).filter(grows).fold(0, |bits, band| bits | 1 << band);
        Print { bits, is_said: whole > QUIET && whole > self.peak * SAID_SHARE }
    }
}

/// The coefficients of the resonators: band-passes of two poles whose centres let a tone through as it is.
struct Bank {
    gain: [f32; BANDS],
    turn: [f32; BANDS],
    decay: [f32; BANDS],
}

impl Bank {
    fn new() -> Self {
        let ratio = (HIGHEST_HERTZ / LOWEST_HERTZ).powf(1.0 / (BANDS - 1) as f32);
        let quality = 1.0 / (ratio.sqrt() - ratio.sqrt().recip());
        let (sin, cos): (Vec<_>, Vec<_>) = (0..BANDS)
            .map(|band| TAU * LOWEST_HERTZ * ratio.powi(band as i32) / SAMPLE_RATE as f32)
            .map(f32::sin_cos)
            .unzip();
        let width = |band: usize| sin[band] / (2.0 * quality);
        Self {
            gain: std::array::from_fn(|band| width(band) / (1.0 + width(band))),
            turn: std::array::from_fn(|band| 2.0 * cos[band] / (1.0 + width(band))),
            decay: std::array::from_fn(|band| (1.0 - width(band)) / (1.0 + width(band))),
        }
    }
}

/// The centres of the lowest and the highest band: those of the telephone.
const LOWEST_HERTZ: f32 = 300.0;
const HIGHEST_HERTZ: f32 = 3_400.0;

/// Bands from 300 to 3,400 Hz, each a fifth wider than the one below it.
const BANDS: usize = 13;

/// Bits of a print.
const BITS: u32 = BANDS as u32 - 1;

/// Samples of a stretch: 20 ms.
const STRETCH: usize = 160;

/// Stretches whose energy is taken together: 80 ms.
const SPAN: usize = 4;

/// Prints that are remembered: the longest reference.
const HISTORY: usize = REFERENCE_SECS * SAMPLE_RATE as usize / STRETCH;

/// How much of a reference's beginning may be missing, in prints: 0.5 s.
const BEGINNING: usize = 25;

/// How much of its end is left out, in prints: 0.3 s. Networks hang up in the last syllable.
const END: usize = 15;

/// Prints that must be alike by themselves, so that no half of an announcement stands for the other: 0.6 s.
const BLOCK: u32 = 30;

/// Of hundred bits, how many may differ in what is the same, as a whole and in a block. Chance comes to 50, give or take
/// 4 in a whole reference.
const DIFFERING: u32 = 28;
const DIFFERING_IN_A_BLOCK: u32 = 38;

/// Stretches that are concealed at once: 200 ms.
const LOST_MAX: usize = 10;

/// Prints after which early media is listened to no more: 60 s, the longest ringing.
const LISTENED: usize = 3_000;

/// The least that must be said in a reference, in prints: 2 s.
const SAID_MIN: usize = 100;

/// Seconds of a reference that count: an announcement in one language.
pub const REFERENCE_SECS: usize = 20;

/// References that are kept: a dozen causes of a handful of carriers.
pub const REFERENCES: usize = 128;

/// Energy of 80 ms below which nothing is said: -45 dBm0.
const QUIET: f32 = 8_000.0 * (SPAN * STRETCH) as f32;

/// How much of the peak's energy what is said has: -26 dB. The peak fades by half in seven seconds.
const SAID_SHARE: f32 = 0.002_5;
const FADING: f32 = 0.998;

#[cfg(test)]
mod tests;
