//! The keys of one leg, each once, by whatever ways it is told.
//!
//! A press comes as an event in the media, in an INFO, or as a tone, and some telephones tell it in two or three ways at
//! once. What one way tells is a press of its own; what another way tells of the same key at about the same time is the
//! same press.
//!
//! Pure, and as small as it looks: it keeps the last few presses.

use std::time::Duration;

use base::fact::KeySource;
use base::time::Instant;

/// A press as one way tells it, at the moment at which it is told.
#[derive(Clone, Copy)]
pub(crate) struct Press {
    /// `0` to `9`, `*`, `#`, `A` to `D`.
    pub(crate) digit: char,
    /// The way.
    pub(crate) source: KeySource,
    /// How long the key has been held by then, as far as the way tells.
    pub(crate) held: Duration,
}

/// The last presses of a leg.
#[derive(Default)]
pub(crate) struct Keys {
    /// The newest one last.
    recent: [Option<Counted>; RECENT],
}

/// A press that was counted.
#[derive(Clone, Copy)]
struct Counted {
    digit: char,
    at: Instant,
    /// Who has told it.
    told: Told,
}

/// Which ways have told a press.
#[derive(Clone, Copy, Default)]
struct Told {
    event: bool,
    info: bool,
    tone: bool,
}

impl Keys {
    /// Takes what is told now; whether it is a press of its own.
    pub(crate) fn counts(&mut self, press: Press, now: Instant) -> bool {
        // Each way tells presses in their order: it has nothing more to say of those before the last one that it told.
        let is_told = |known: &Option<Counted>| known.is_some_and(|known| known.told.is_by(press.source));
        let from = self.recent.iter().rposition(is_told).map_or(0, |last| last + 1);
        let known = self.recent[from..]
            .iter_mut()
            .flatten()
            .find(|known| known.digit == press.digit && now.since(known.at) <= SAME_WITHIN + press.held);
        if let Some(known) = known {
            known.told.add(press.source);
            return false;
        }
        let mut told = Told::default();
        told.add(press.source);
        self.recent.rotate_left(1);
        self.recent[RECENT - 1] = Some(Counted { digit: press.digit, at: now, told });
        true
    }
}

impl Told {
    const fn is_by(self, source: KeySource) -> bool {
        match source {
            KeySource::Event => self.event,
            KeySource::Info => self.info,
            KeySource::Tone => self.tone,
        }
    }

    const fn add(&mut self, source: KeySource) {
        match source {
            KeySource::Event => self.event = true,
            KeySource::Info => self.info = true,
            KeySource::Tone => self.tone = true,
        }
    }
}

// Which keys were pressed is nobody's business.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

/// How far apart two ways may tell one press: from when one told it to when it began for the other. Nobody presses one
/// key twice in two ways.
const SAME_WITHIN: Duration = Duration::from_millis(500);

/// Presses that are kept: as many as fast fingers make within [`SAME_WITHIN`].
const RECENT: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    /// Presses as `milliseconds way key`, with how long it was held where that is told; gives those that count.
    fn counted(presses: &str) -> String {
        let mut keys = Keys::default();
        let count = |press: &str| {
            let words: Vec<_> = press.split_whitespace().collect();
            let source = match words[1] {
                "event" => KeySource::Event,
                "info" => KeySource::Info,
                _ => KeySource::Tone,
            };
            let held = words.get(3).map_or(0, |held| held.parse().unwrap());
            let digit = words[2].chars().next().unwrap();
            let press = Press { digit, source, held: Duration::from_millis(held) };
            keys.counts(press, Instant::from_millis(10_000 + words[0].parse::<u64>().unwrap()))
                .then_some(digit)
        };
        presses.split(';').filter_map(count).collect()
    }

    #[test]
    fn each_press_counts_once_whoever_tells_it() {
        for (why, presses, keys) in [
            ("one way", "0 event 5; 200 event 5; 400 event 5", "555"),
            ("two ways", "0 event 5; 30 info 5", "5"),
            ("three ways", "0 tone 5; 30 event 5; 400 info 5", "5"),
            ("two keys, one way behind", "0 event 1; 150 event 2; 200 info 1; 350 info 2", "12"),
            ("one key twice, one way behind", "0 event 5; 300 event 5; 320 info 5; 450 info 5", "55"),
            ("two keys in two ways", "0 event 5; 100 info 6", "56"),
            (
                "three keys in three ways, and the first again",
                "0 tone 1; 90 info 2; 180 event 3; 270 event 1",
                "1231",
            ),
            ("one way misses a key", "0 event 1; 150 event 2; 200 info 2; 350 event 1; 400 info 1", "121"),
            ("much later", "0 event 5; 501 info 5", "55"),
            ("at the last moment", "0 event 5; 500 info 5", "5"),
            ("a long press, told at its begin and at its end", "0 tone 7 40; 3000 event 7 2980", "7"),
            ("a long press, told at its end twice", "3000 event 7 3000; 3100 info 7", "7"),
            ("a late tone of the press before", "0 event 9; 200 event 9; 300 tone 9 40; 900 tone 9", "999"),
        ] {
            assert_eq!(counted(presses), keys, "{why}");
        }
    }

    #[test]
    fn keys_are_not_shown() {
        let mut keys = Keys::default();
        keys.counts(Press { digit: '7', source: KeySource::Info, held: Duration::ZERO }, Instant::START);
        assert_eq!(format!("{keys:?}"), "Keys");
    }
}
