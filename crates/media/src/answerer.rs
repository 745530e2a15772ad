//! Who has picked up: a person says a few words and listens, a machine talks on and then beeps.
//!
//! ```text
//!              ┌─ talks for 2.4 s without a pause ────────▶ Machine ─┐
//! listening ───┼─ a few words, then 0.8 s of silence ─────▶ Person ──┼─ a beep ─▶ Beep
//!              └─ neither in time ────────────────────────▶ Unsure ──┘
//!                                          Machine ─ 2.5 s of silence, or 30 s ─▶ Hush
//! ```
//!
//! What is heard is cut into stretches of 10 ms. One is voice if it stands out of the noise of the line, which is the
//! quietest stretch of the last second or two; a word is voice between two pauses of 200 ms that was once well above the
//! noise. A beep is one steady tone and nothing else for 200 ms or more: two coefficients foretell it, and its energy
//! lies at one place.
//!
//! Time is that of the far end's timestamps, so that neither lost packets nor a late turn of ours makes a pause; where no
//! packets come, it is that of the clock.

mod beep;

use std::fmt;
use std::time::Duration;

use base::answerer::Answerer;
use base::time::Instant;

use self::beep::BeepEar;
use crate::g711::Law;
use crate::line::samples_at;
use crate::rtp::{Header, timestamp_distance};

/// How long it may take to say who has picked up, when nobody decided otherwise. People hang up on silence, and most
/// machines have said enough by then.
pub const PATIENCE: Duration = Duration::from_secs(4);

/// What is told of whoever picked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Who it is.
    Is(Answerer),
    /// The machine has said all that it says, and has not beeped; or it has talked for longer than anybody waits.
    Hush,
}

/// Listens to one party from the moment it picks up. Debug shows nothing of what it says.
pub(crate) struct AnswererEar {
    /// How long the verdict may take, in samples.
    patience: u32,
    began: Instant,
    /// When the last packet came, and how far the time of the media had come then: samples since the beginning.
    heard: Instant,
    at: u32,
    /// Timestamp of the packet that comes next.
    next: Option<u32>,
    stretch: Stretch,
    noise: Noise,
    talk: Talk,
    beep: BeepEar,
    phase: Phase,
    /// A beep that was heard and not told yet.
    beeped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nobody knows yet.
    Listening,
    /// It was told, and a beep may follow.
    Told(Answerer),
    Over,
}

impl fmt::Debug for AnswererEar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnswererEar({:?})", self.phase)
    }
}

impl AnswererEar {
    /// The party has picked up just now; who it is will be told within `patience`.
    pub(crate) fn new(patience: Duration, now: Instant) -> Self {
        Self {
            patience: samples_of(patience),
            began: now,
            heard: now,
            at: 0,
            next: None,
            stretch: Stretch::default(),
            noise: Noise::default(),
            talk: Talk::default(),
            beep: BeepEar::new(),
            phase: Phase::Listening,
            beeped: false,
        }
    }

    /// Takes the voice of a packet that is not late. Allocates nothing.
    pub(crate) fn hear(&mut self, header: &Header, samples: &[u8], law: Law, now: Instant) {
        self.follow(header, samples.len(), now);
        for byte in samples {
            let sample = f32::from(law.decode(*byte));
            self.at = self.at.saturating_add(1);
            if let Some(tone) = self.beep.hear(sample) {
                self.on_tone(tone);
            }
            if let Some(level) = self.stretch.hear(sample) {
                let floor = self.noise.hear(level);
                if !self.beep.is_held() {
                    self.talk.hear(self.at, level, floor);
                }
            }
        }
    }

    /// What is to be told now, if anything. Ask again until there is nothing.
    pub(crate) fn told(&mut self, now: Instant) -> Option<Told> {
        let at = self.time(now);
        let told = match self.phase {
            Phase::Listening => Told::Is(self.verdict(at)?),
            Phase::Told(_) if self.beeped => Told::Is(Answerer::Beep),
            Phase::Told(Answerer::Machine) if self.is_done(at) => Told::Hush,
            Phase::Told(who) if at >= self.beeps_until(who) => {
                self.phase = Phase::Over;
                return None;
            }
            Phase::Told(_) | Phase::Over => return None,
        };
        self.phase = match told {
            Told::Is(Answerer::Beep) | Told::Hush => Phase::Over,
            Told::Is(who) => Phase::Told(who),
        };
        Some(told)
    }

    /// Whether nothing more will be told.
    pub(crate) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// The last moment at which something is told, or nothing more will be. Earlier news come with any packet.
    pub(crate) fn due(&self) -> Option<Instant> {
        let until = match self.phase {
            Phase::Listening => self.patience,
            Phase::Told(who) => self.beeps_until(who),
            Phase::Over => return None,
        };
        // The time of the media waits a little for packets that are late.
        Some(self.heard + duration_of(until.saturating_sub(self.at)) + LATE)
    }

    fn verdict(&self, at: u32) -> Option<Answerer> {
        let talked = self.talk.talked();
        let has_stopped = self.talk.words(at) > 0 && at.saturating_sub(self.talk.last_voice) >= LISTENS;
        match () {
            () if self.beeped => Some(Answerer::Beep),
            () if talked >= GREETING => Some(Answerer::Machine),
            () if has_stopped && !self.beep.is_held() => Some(Answerer::Person),
            () if at >= self.patience => Some(Answerer::Unsure),
            () => None,
        }
    }

    /// Whether a machine has said all that it says, as far as anybody waits.
    fn is_done(&self, at: u32) -> bool {
        let is_quiet = at.saturating_sub(self.talk.last_voice) >= HUSH && !self.beep.is_held();
        is_quiet || at >= self.beeps_until(Answerer::Machine)
    }

    fn beeps_until(&self, who: Answerer) -> u32 {
        match who {
            Answerer::Person => PERSON_BEEPS_MAX.max(self.patience),
            Answerer::Machine | Answerer::Unsure | Answerer::Beep => GREETING_MAX.max(self.patience),
        }
    }

    fn on_tone(&mut self, tone: beep::Tone) {
        match tone {
            beep::Tone::Held { began } => self.talk.cut(self.at.saturating_sub(began)),
            beep::Tone::Beeped => self.beeped |= self.at >= CONNECTING || self.talk.words(self.at) > 0,
        }
    }

    /// Takes note of the time that has passed without a packet.
    fn follow(&mut self, header: &Header, samples: usize, now: Instant) {
        let after = header.timestamp.wrapping_add(u32::try_from(samples).unwrap_or(0));
        let gap = match self.next.replace(after) {
            Some(next) => u32::try_from(timestamp_distance(header.timestamp, next)).unwrap_or(0),
            None => samples_at(now).wrapping_sub(samples_at(self.began)),
        };
        self.at = self.at.saturating_add(gap.min(GAP_MAX));
        self.heard = now;
    }

    /// Another stream begins: its timestamps are its own.
    pub(crate) fn end_stream(&mut self) {
        self.next = None;
        self.began = self.heard;
    }

    /// The time of the media.
    fn time(&self, now: Instant) -> u32 {
        let missing = now.since(self.heard).saturating_sub(LATE);
        self.at.saturating_add(samples_of(missing))
    }
}

/// Samples on their way to a stretch of 10 ms.
#[derive(Debug, Default)]
struct Stretch {
    energy: f32,
    samples: u32,
}

impl Stretch {
    /// Gives the level of a stretch that is full, in dB of a linear sample of 1.
    fn hear(&mut self, sample: f32) -> Option<f32> {
        self.energy += sample * sample;
        self.samples += 1;
        (self.samples == STRETCH).then(|| {
            let Self { energy, samples } = std::mem::take(self);
            10.0 * (energy / samples as f32 + 1.0).log10()
        })
    }
}

/// The noise of the line: the quietest stretch of the second that is over and of the one that is not.
#[derive(Debug)]
struct Noise {
    before: f32,
    quietest: f32,
    stretches: u32,
}

impl Default for Noise {
    fn default() -> Self {
        Self { before: 0.0, quietest: NOISE_MAX, stretches: 0 }
    }
}

impl Noise {
    fn hear(&mut self, level: f32) -> f32 {
        self.quietest = self.quietest.min(level);
        self.stretches += 1;
        if self.stretches == NOISE_STRETCHES {
            *self = Self { before: self.quietest, ..Self::default() };
        }
        self.before.min(self.quietest)
    }
}

/// What the party says: words, and pauses between them.
#[derive(Debug, Default)]
struct Talk {
    /// Of the words that are over: how many, and when the first began.
    words: u32,
    first: Option<u32>,
    /// The word that is being said: when it began and how loud it is.
    word: Option<Word>,
    /// The end of the last voice.
    last_voice: u32,
    floor: f32,
}

#[derive(Clone, Copy, Debug)]
struct Word {
    began: u32,
    peak: f32,
    /// Stretches that are about as loud as the loudest.
    loud: u32,
}

impl Talk {
    /// A stretch of this level ends now, and the noise of the line is as loud as `floor`.
    fn hear(&mut self, at: u32, level: f32, floor: f32) {
        self.floor = floor;
        if at.saturating_sub(self.last_voice) > PAUSE {
            self.end_word();
        }
        if level < (floor + ABOVE_NOISE).max(VOICE_MIN) {
            return;
        }
        let began = at.saturating_sub(STRETCH);
        let word = self.word.get_or_insert(Word { began, peak: level, loud: 0 });
        if level > word.peak + LOUD {
            word.loud = 0;
        }
        word.peak = word.peak.max(level);
        word.loud += u32::from(level >= word.peak - LOUD);
        self.last_voice = at;
    }

    /// What was said from this moment on was no voice.
    fn cut(&mut self, at: u32) {
        self.last_voice = self.last_voice.min(at);
        self.end_word();
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        if self.is_word(word) {
            self.words += 1;
            self.first.get_or_insert(word.began);
        } else {
            // What is no word is no end of a greeting.
            self.last_voice = self.last_voice.min(word.began);
        }
    }

    /// Whether it is long enough for a word, and was once well above the noise, whose beginning it would be otherwise.
    fn is_word(&self, word: Word) -> bool {
        word.loud >= WORD_MIN && word.peak >= self.floor + PEAK_ABOVE_NOISE
    }

    /// How many words there have been, the one that is not over at `at` among them.
    fn words(&self, at: u32) -> u32 {
        let last = self.word.filter(|word| self.is_word(*word) && at > word.began);
        self.words + u32::from(last.is_some())
    }

    /// How long it has been talking, from the first word to the last voice.
    fn talked(&self) -> u32 {
        let now = self.word.filter(|word| self.is_word(*word)).map(|word| word.began);
        self.first.or(now).map_or(0, |first| self.last_voice.saturating_sub(first))
    }
}

fn samples_of(span: Duration) -> u32 {
    u32::try_from(span.as_micros() / MICROS_A_SAMPLE).unwrap_or(u32::MAX)
}

fn duration_of(samples: u32) -> Duration {
    Duration::from_micros(u64::from(samples) * MICROS_A_SAMPLE as u64)
}

const MICROS_A_SAMPLE: u128 = 125;

/// A stretch: 10 ms.
const STRETCH: u32 = 80;

/// The longest gap between two packets that is believed: 10 s. It bounds what a hostile timestamp can do.
const GAP_MAX: u32 = 80_000;

/// How late a packet may be before its audio counts as silence.
const LATE: Duration = Duration::from_millis(120);

/// Below this nothing is a voice: -42 dBm0.
const VOICE_MIN: f32 = 42.0;

/// Above this nothing is the noise of a line: -30 dBm0.
const NOISE_MAX: f32 = 54.0;

/// Stretches that the noise is the quietest of, and as many before: a second has a pause in it, whoever talks.
const NOISE_STRETCHES: u32 = 100;

/// How far a voice stands out of the noise, and a word at its loudest, in dB.
const ABOVE_NOISE: f32 = 8.0;
const PEAK_ABOVE_NOISE: f32 = 14.0;

/// The pause that ends a word: 200 ms. Stops within words are shorter.
const PAUSE: u32 = 1_600;

/// The shortest word, in stretches: 50 ms. A click is shorter.
const WORD_MIN: u32 = 5;

/// How far below its loudest a word is loud, in dB.
const LOUD: f32 = 12.0;

/// How long a person is silent who has said a word and waits for ours: 0.8 s.
const LISTENS: u32 = 6_400;

/// How long a machine talks, and few people do, with no pause of 0.8 s in it: 2.4 s.
const GREETING: u32 = 19_200;

/// How long a machine that has greeted is silent if it does not beep: 2.5 s.
const HUSH: u32 = 20_000;

/// How long the greeting of a machine is listened to for its beep: 30 s from the answer.
const GREETING_MAX: u32 = 240_000;

/// How long somebody taken for a person may still turn out to be a machine with a short greeting: 10 s from the answer.
const PERSON_BEEPS_MAX: u32 = 80_000;

/// Before that, a tone may be the network's: 1 s.
const CONNECTING: u32 = 8_000;

#[cfg(test)]
mod tests;
