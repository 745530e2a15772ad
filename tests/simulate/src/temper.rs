//! What a telephone will do in a call, drawn when its INVITE comes.

use std::time::Duration;

use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use sip::sdp::{Codec, Direction};

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Temper {
    /// Whether its trunk loses everything that is said to it: not even 100 comes back.
    pub(crate) is_deaf: bool,
    /// Whether its RTP comes from another address than it describes.
    pub(crate) is_behind_nat: bool,
    /// What it speaks.
    pub(crate) codec: Codec,
    /// What it does, by the time since its INVITE came.
    pub(crate) at_first: Vec<(Duration, Act)>,
    /// What it does, by the time since its ACK came.
    pub(crate) once_up: Vec<(Duration, Act)>,
}

/// Something that a telephone does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// 180.
    Ring { reliably: bool },
    /// 183 with a session description, and the Q.850 cause of a failure to come.
    Early { reliably: bool },
    /// 200.
    Answer,
    /// A final failure.
    Refuse(u16),
    /// A new offer by re-INVITE: hold, resume.
    Offer(Direction),
    /// The same by UPDATE.
    Update(Direction),
    /// A re-INVITE from another address of RTP.
    Move,
    /// A key, in an INFO.
    Info(char),
    /// A key, as an event of RFC 4733.
    Press(char),
    /// A key, in both ways at once: it is one all the same.
    PressTwice(char),
    /// A key, as its tones.
    Hum(char),
    /// It speaks.
    Speak,
    /// It is silent.
    Hush,
    /// BYE; before the answer it is refused.
    HangUp,
    /// It says and hears nothing any more, for ever.
    Die,
}

impl Temper {
    pub(crate) fn draw(rng: &mut SmallRng) -> Self {
        let mut temper = Self {
            is_deaf: rng.random_bool(0.05),
            is_behind_nat: rng.random_bool(0.3),
            codec: CODECS[rng.random_range(0..CODECS.len())],
            at_first: Vec::new(),
            once_up: Vec::new(),
        };
        let mut at = Duration::from_millis(rng.random_range(0..400));
        if rng.random_bool(0.8) {
            temper.at_first.push((at, Act::Ring { reliably: rng.random_bool(0.3) }));
        }
        if rng.random_bool(0.3) {
            at += Duration::from_millis(rng.random_range(0..1_500));
            temper.at_first.push((at, Act::Early { reliably: rng.random_bool(0.3) }));
        }
        let patience = if rng.random_bool(0.1) { 70_000 } else { 6_000 };
        at += Duration::from_millis(rng.random_range(0..patience));
        match rng.random_range(0..100) {
            0..82 => temper.at_first.push((at, Act::Answer)),
            82..94 => {
                temper.at_first.push((at, Act::Refuse(REFUSALS.choose(rng).copied().unwrap_or(486))));
            }
            94..97 => temper.at_first.push((at, Act::Die)),
            // Who never answers rings until its own network has had enough: nobody may be left to send a CANCEL.
            _ => temper.at_first.push((at + NETWORK_PATIENCE, Act::Refuse(480))),
        }
        temper.draw_talk(rng);
        temper
    }

    fn draw_talk(&mut self, rng: &mut SmallRng) {
        let mut at = Duration::ZERO;
        while rng.random_bool(0.7) {
            let began = at + Duration::from_millis(rng.random_range(0..3_000));
            at = began + Duration::from_millis(rng.random_range(200..8_000));
            self.once_up.extend([(began, Act::Speak), (at, Act::Hush)]);
        }
        for _ in 0..rng.random_range(0..6) {
            let at = Duration::from_millis(rng.random_range(0..20_000));
            let key = *KEYS.choose(rng).unwrap_or(&'1');
            let direction = *DIRECTIONS.choose(rng).unwrap_or(&Direction::SendRecv);
            let act = match rng.random_range(0..10) {
                0..2 => Act::Offer(direction),
                2 => Act::Update(direction),
                3 => Act::Move,
                4..6 => Act::Info(key),
                6 => Act::Hum(key),
                7 => Act::PressTwice(key),
                _ => Act::Press(key),
            };
            self.once_up.push((at, act));
        }
        if rng.random_bool(0.06) {
            self.once_up.push((Duration::from_millis(rng.random_range(0..10_000)), Act::Die));
        }
        // Somebody hangs up in the end, some at once, and some so late that the session must have been refreshed.
        let stays = [200, 10_000, 40_000, 40_000, 300_000].choose(rng).copied().unwrap_or(1);
        self.once_up.push((Duration::from_millis(rng.random_range(0..stays)), Act::HangUp));
        self.once_up.sort_by_key(|(at, _)| *at);
    }
}

/// How long a network lets a telephone ring that nobody answers: longer than we do.
const NETWORK_PATIENCE: Duration = Duration::from_secs(180);

const REFUSALS: [u16; 14] = [302, 401, 404, 408, 480, 486, 487, 488, 500, 502, 503, 504, 600, 603];

/// Most speak A-law; whoever speaks what is not offered refuses.
const CODECS: [Codec; 12] = [
    Codec::Pcma,
    Codec::Pcma,
    Codec::Pcma,
    Codec::Pcma,
    Codec::Pcma,
    Codec::Pcma,
    Codec::Pcma,
    Codec::Pcma,
    Codec::Pcmu,
    Codec::Pcmu,
    Codec::G722,
    Codec::Opus,
];

const KEYS: [char; 12] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#'];

const DIRECTIONS: [Direction; 4] =
    [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn no_telephone_rings_for_ever() {
        let mut rng = SmallRng::seed_from_u64(1);
        for _ in 0..1_000 {
            let last = Temper::draw(&mut rng).at_first.pop().map(|(_, act)| act);
            assert!(matches!(last, Some(Act::Answer | Act::Refuse(_) | Act::Die)), "{last:?}");
        }
    }
}
