//! Beeps: one steady tone from 350 to 2,400 Hz for 200 ms or more, and nothing beside it.

use std::f32::consts::{PI, TAU};

/// Looks for a steady tone in what is heard.
pub(super) struct BeepEar {
    /// The newest samples, around the place where the next one goes.
    ring: [f32; WINDOW],
    place: usize,
    /// Samples until the next look.
    missing: usize,
    tone: Option<Held>,
}

/// A tone that goes on.
#[derive(Clone, Copy, Debug)]
struct Held {
    hertz: f32,
    energy: f32,
    /// Looks in a row that had it.
    looks: u32,
}

/// What became of a tone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// It has lasted for as long as a beep does; so many samples ago it began.
    Held { began: u32 },
    /// It is over, and was a beep.
    Beeped,
}

impl BeepEar {
    pub(super) const fn new() -> Self {
        Self { ring: [0.0; WINDOW], place: 0, missing: WINDOW, tone: None }
    }

    /// Whether a tone goes on that has lasted for as long as a beep does.
    pub(super) fn is_held(&self) -> bool {
        self.tone.is_some_and(|tone| tone.looks >= BEEP_LOOKS)
    }

    pub(super) fn hear(&mut self, sample: f32) -> Option<Tone> {
        self.ring[self.place] = sample;
        self.place = (self.place + 1) % WINDOW;
        self.missing -= 1;
        if self.missing > 0 {
            return None;
        }
        self.missing = HOP;
        let found = self.look();
        let before = self.tone.take();
        let same = before.filter(|tone| found.is_some_and(|found| tone.goes_on_as(found)));
        match (same, found) {
            (Some(tone), Some(found)) => {
                let looks = tone.looks.saturating_add(1);
                self.tone = Some(Held { looks, ..found });
                (looks == BEEP_LOOKS).then_some(Tone::Held { began: BEEP_SAMPLES })
            }
            (_, found) => {
                self.tone = found;
                let was_beep = |tone: Held| (BEEP_LOOKS..=BEEP_LOOKS_MAX).contains(&tone.looks);
                before.is_some_and(was_beep).then_some(Tone::Beeped)
            }
        }
    }

    /// The tone that the window is full of.
    fn look(&self) -> Option<Held> {
        let mut line = [0.0; WINDOW];
        let (newer, older) = self.ring.split_at(self.place);
        line[..older.len()].copy_from_slice(older);
        line[older.len()..].copy_from_slice(newer);
        let energy = line.iter().map(|sample| sample * sample).sum::<f32>();
        if energy < QUIET {
            return None;
        }
        let cosine = foretold(&line, energy)?;
        let near = cosine.acos() * SAMPLES_A_SECOND / TAU;
        // Through the curve a tone is hardly weaker 10 Hz beside its place; noise moves what was foretold further.
        let around = (-STEPS..=STEPS).map(|step| near + step as f32 * STEP_HERTZ);
        let curved = curve(&line);
        let whole = curved.iter().map(|sample| sample * sample).sum::<f32>();
        let strength = |hertz: f32| (hertz, power(&curved, hertz));
        let (hertz, most) = around.map(strength).max_by(|left, right| left.1.total_cmp(&right.1))?;
        let is_tone = most >= SHARE * whole && (LOWEST_HERTZ..=HIGHEST_HERTZ).contains(&hertz);
        is_tone.then_some(Held { hertz, energy, looks: 1 })
    }
}

impl Held {
    fn goes_on_as(&self, next: Self) -> bool {
        let (low, high) = (self.energy.min(next.energy), self.energy.max(next.energy));
        (self.hertz - next.hertz).abs() <= DRIFT_HERTZ && high <= LEVEL_CHANGE * low
    }
}

/// The cosine by which each sample of a tone follows from the two before it, if little is left over: a cheap look that
/// most of speech does not pass.
fn foretold(line: &[f32; WINDOW], energy: f32) -> Option<f32> {
    let triples = || line.windows(3);
    let (mut across, mut middle) = (0.0, 0.0);
    for triple in triples() {
        across += (triple[0] + triple[2]) * triple[1];
        middle += triple[1] * triple[1];
    }
    let cosine = across / (2.0 * middle);
    let left: f32 = triples()
        .map(|triple| {
            let off = triple[0] + triple[2] - 2.0 * cosine * triple[1];
            off * off
        })
        .sum();
    (cosine.abs() < 1.0 && left < LEFT_OVER * energy).then_some(cosine)
}

/// The window through half a turn of a sine, squared (Hann).
fn curve(line: &[f32; WINDOW]) -> [f32; WINDOW] {
    std::array::from_fn(|n| {
        let sine = (PI * (n as f32 + 0.5) / WINDOW as f32).sin();
        line[n] * sine * sine
    })
}

/// The energy at one frequency (Goertzel): for a pure tone, all of the window's.
fn power(curved: &[f32; WINDOW], hertz: f32) -> f32 {
    let coefficient = 2.0 * (TAU * hertz / SAMPLES_A_SECOND).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in curved {
        let next = sample + coefficient * last - before;
        before = last;
        last = next;
    }
    (last * last + before * before - coefficient * last * before) * 3.0 / WINDOW as f32
}

const SAMPLES_A_SECOND: f32 = 8_000.0;

/// Samples of a window: 40 ms, in which the harmonics of a voice are apart.
const WINDOW: usize = 320;

/// Samples from one look to the next: 20 ms.
const HOP: usize = 160;

/// Looks in a row that make a beep: every tone of 200 ms has them.
const BEEP_LOOKS: u32 = 8;

/// How long a tone has lasted then, in samples: 180 ms.
const BEEP_SAMPLES: u32 = (WINDOW + (BEEP_LOOKS as usize - 1) * HOP) as u32;

/// A tone of more looks is no beep, but a fax or a network's signal: 2.5 s.
const BEEP_LOOKS_MAX: u32 = 125;

/// Energy of a window at -36 dBm0.
const QUIET: f32 = 65_000.0 * WINDOW as f32;

/// What may be left over of a tone in noise 13 dB below it.
const LEFT_OVER: f32 = 0.3;

/// How much of the energy lies at the tone. Vowels at a steady pitch come to 0.8.
const SHARE: f32 = 0.88;

/// 350 and 2,400 Hz, and what noise may move them by.
const LOWEST_HERTZ: f32 = 335.0;
const HIGHEST_HERTZ: f32 = 2_420.0;

/// Where a tone is looked for around what was foretold.
const STEPS: i32 = 4;
const STEP_HERTZ: f32 = 15.0;

/// How far a tone may move from look to look.
const DRIFT_HERTZ: f32 = 16.0;

/// How much louder or quieter it may become from look to look: 3 dB.
const LEVEL_CHANGE: f32 = 2.0;
