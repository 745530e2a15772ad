//! What becomes of a call, by the last four digits that were dialled: a table, and nothing but a table.

use std::time::Duration;

use media::dtmf::Key;

use crate::settings::Times;

/// What a telephone does, step by step, from the moment its INVITE comes.
#[derive(Clone, Copy, Debug)]
pub struct Fate {
    row: &'static Row,
    keys: [Option<Key>; KEYS],
    voice: usize,
}

/// One row of the table.
#[derive(Debug)]
struct Row {
    /// The last four digits; `n` is any digit.
    digits: &'static str,
    quirk: Quirk,
    steps: &'static [Step],
}

/// One thing that a telephone does, some time after the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// How long it waits first.
    pub pause: Pause,
    /// What it does then.
    pub deed: Deed,
}

/// A wait whose length the [`Times`] say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// None.
    No,
    /// The telephone rings until somebody picks it up.
    Ring,
    /// The telephone rings until the network gives up.
    GiveUp,
    /// An announcement is heard.
    Announcement,
    /// The parties talk.
    Talk,
    /// The party finds the keys.
    Key,
}

/// What a telephone or its network does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// 180.
    Ring,
    /// 183 with early media, and with a Q.850 cause in a Reason header where the network knows one already.
    Announce(Announcement, Option<u8>),
    /// 200; the voice begins when its ACK has come.
    Answer,
    /// Digits that were dialled.
    PressKeys(Which, Way),
    /// BYE.
    HangUp,
    /// A final failure.
    Refuse {
        /// Its status.
        status: u16,
        /// Seconds in its Retry-After header.
        retry_after: Option<u32>,
        /// The Q.850 cause in its Reason header.
        cause: Option<u8>,
    },
}

/// Which of the last three digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All, one after the other.
    All,
    /// Only that one, counted from 0.
    One(usize),
}

/// How a telephone tells that a key was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As an event of RFC 4733.
    Event,
    /// In a SIP INFO request.
    Info,
    /// As a tone in its voice, which ends with the first one.
    Tone,
}

/// What the network says to a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// The number you dialled does not exist.
    EmptyNumber,
    /// The party you dialled is busy.
    Busy,
    /// The party you dialled has switched the telephone off.
    PoweredOff,
}

/// What is wrong with the way to a telephone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// Nothing.
    No,
    /// Whoever calls hears nothing, not even 100.
    Silent,
    /// One in twenty of its RTP packets is lost.
    Lossy,
    /// ACKs are lost for a while.
    Deaf,
    /// It says what it hears, and nothing of its own.
    Echo,
    /// It says nothing at all.
    Mute,
}

const RING: Step = Step { pause: Pause::No, deed: Deed::Ring };
const ANSWER: Step = Step { pause: Pause::Ring, deed: Deed::Answer };
const HANG_UP: Step = Step { pause: Pause::Talk, deed: Deed::HangUp };
const PRESS: Step = Step { pause: Pause::Key, deed: Deed::PressKeys(Which::All, Way::Event) };

/// Presses the keys as whoever listens to a menu does: the next one when what follows the last has been heard.
const fn press_one_by_one(way: Way) -> [Step; 5] {
    [
        RING,
        ANSWER,
        press_one(Pause::Key, 0, way),
        press_one(Pause::Talk, 1, way),
        press_one(Pause::Talk, 2, way),
    ]
}

const fn press_one(pause: Pause, which: usize, way: Way) -> Step {
    Step { pause, deed: Deed::PressKeys(Which::One(which), way) }
}

const fn announce(announcement: Announcement, cause: Option<u8>) -> Step {
    Step { pause: Pause::No, deed: Deed::Announce(announcement, cause) }
}

const fn refuse(pause: Pause, status: u16) -> Step {
    Step { pause, deed: Deed::Refuse { status, retry_after: None, cause: None } }
}

/// 480 after an announcement, with a cause.
const fn absent(cause: u8) -> Step {
    let deed = Deed::Refuse { status: 480, retry_after: None, cause: Some(cause) };
    Step { pause: Pause::Announcement, deed }
}

const fn overload(secs: u32) -> Step {
    Step { pause: Pause::No, deed: Deed::Refuse { status: 503, retry_after: Some(secs), cause: None } }
}

const fn row(digits: &'static str, quirk: Quirk, steps: &'static [Step]) -> Row {
    Row { digits, quirk, steps }
}

/// Q.850: user busy.
const USER_BUSY: u8 = 17;

/// Q.850: subscriber absent, which is what a telephone is that is switched off.
const SUBSCRIBER_ABSENT: u8 = 20;

/// The first row is for all numbers that no other row fits.
static TABLE: [Row; 19] = [
    row("0001", Quirk::No, &[RING, ANSWER]),
    row("0002", Quirk::No, &[RING, ANSWER, HANG_UP]),
    row("0003", Quirk::Echo, &[RING, ANSWER]),
    row("0004", Quirk::Mute, &[RING, ANSWER]),
    row("0020", Quirk::No, &[announce(Announcement::PoweredOff, None), absent(SUBSCRIBER_ABSENT)]),
    row("0021", Quirk::No, &[announce(Announcement::PoweredOff, None), refuse(Pause::Announcement, 480)]),
    row(
        "0183",
        Quirk::No,
        &[announce(Announcement::Busy, Some(USER_BUSY)), refuse(Pause::Announcement, 480)],
    ),
    row("0404", Quirk::No, &[announce(Announcement::EmptyNumber, None), refuse(Pause::Announcement, 404)]),
    row("0408", Quirk::Silent, &[]),
    row("0480", Quirk::No, &[RING, refuse(Pause::GiveUp, 480)]),
    row("0486", Quirk::No, &[refuse(Pause::No, 486)]),
    row("0503", Quirk::No, &[overload(5)]),
    row("0603", Quirk::No, &[RING, refuse(Pause::Ring, 603)]),
    row("1nnn", Quirk::No, &[RING, ANSWER, PRESS]),
    row("2000", Quirk::Lossy, &[RING, ANSWER]),
    row("3000", Quirk::Deaf, &[RING, ANSWER]),
    row("5nnn", Quirk::No, &press_one_by_one(Way::Event)),
    row("6nnn", Quirk::No, &press_one_by_one(Way::Info)),
    row("7nnn", Quirk::No, &press_one_by_one(Way::Tone)),
];

/// Keys that a telephone presses.
const KEYS: usize = 3;

/// Digits that choose a fate.
const FATE_DIGITS: usize = 4;

impl Fate {
    /// The fate of a call to this number, written in whatever way: only its digits count.
    #[must_use]
    pub fn of(dialled: &str) -> Self {
        let mut last = dialled.bytes().rev().filter(u8::is_ascii_digit);
        let mut tail = [0; FATE_DIGITS];
        let found = tail.iter_mut().rev().zip(&mut last).map(|(place, digit)| *place = digit).count();
        let row = TABLE.iter().find(|row| found == FATE_DIGITS && row.fits(tail)).unwrap_or(&TABLE[0]);
        let keys = [tail[1], tail[2], tail[3]].map(|digit| Key::from_char(char::from(digit)));
        Self { row, keys, voice: last.next().map_or(0, |digit| usize::from(digit - b'0')) }
    }

    /// What is wrong with the way to the telephone.
    #[must_use]
    pub const fn quirk(&self) -> Quirk {
        self.row.quirk
    }

    /// What it does.
    #[must_use]
    pub const fn steps(&self) -> &'static [Step] {
        self.row.steps
    }

    /// The keys that [`Deed::PressKeys`] presses.
    #[must_use]
    pub fn keys(&self, which: Which) -> Vec<Key> {
        let keys = match which {
            Which::All => &self.keys[..],
            Which::One(nth) => self.keys.get(nth..=nth).unwrap_or_default(),
        };
        keys.iter().copied().flatten().collect()
    }

    /// Which of so many voices the telephone has; 0 when there is none.
    #[must_use]
    pub fn voice(&self, voices: usize) -> usize {
        self.voice.checked_rem(voices).unwrap_or(0)
    }
}

impl Row {
    fn fits(&self, tail: [u8; FATE_DIGITS]) -> bool {
        self.digits.bytes().zip(tail).all(|(wanted, digit)| wanted == b'n' || wanted == digit)
    }
}

impl Pause {
    /// How long it is.
    #[must_use]
    pub const fn length(self, times: &Times) -> Duration {
        match self {
            Self::No => Duration::ZERO,
            Self::Ring => times.ring,
            Self::GiveUp => times.give_up,
            Self::Announcement => times.announcement,
            Self::Talk => times.talk,
            Self::Key => times.key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row_of(dialled: &str) -> &'static str {
        Fate::of(dialled).row.digits
    }

    #[test]
    fn the_last_four_digits_decide() {
        for row in &TABLE {
            let digits = row.digits.replace('n', "7");
            assert_eq!(row_of(&format!("+861380000{digits}")), row.digits);
        }
    }

    #[test]
    fn every_other_number_answers() {
        for dialled in ["", "1", "486", "+8613800004860", "sip", "\u{ff10}486", "4000"] {
            assert_eq!(row_of(dialled), "0001", "{dialled}");
        }
    }

    #[test]
    fn signs_between_digits_do_not_count() {
        assert_eq!(row_of("138-0000-04 86"), "0486");
    }

    #[test]
    fn the_digit_before_them_chooses_the_voice() {
        let voice = |dialled, voices| Fate::of(dialled).voice(voices);
        assert_eq!(
            [voice("+8613800000001", 2), voice("+8613800010001", 2), voice("+8613800020001", 2)],
            [0, 1, 0]
        );
        assert_eq!([voice("+8613800050001", 3), voice("0001", 2), voice("+8613800010001", 0)], [2, 0, 0]);
    }

    #[test]
    fn the_keys_are_the_last_three_digits() {
        let keys =
            |which| Fate::of("+8613800001290").keys(which).into_iter().map(Key::letter).collect::<String>();
        assert_eq!(keys(Which::All), "290");
        assert_eq!([keys(Which::One(0)), keys(Which::One(2)), keys(Which::One(3))], ["2", "0", ""]);
    }
}
