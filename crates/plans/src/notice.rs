//! Notice: ring one party, let it hear something item by item, and take the keys that it answers with.
//!
//! ```text
//! New ─start─▶ Ringing ─Answered─▶ Playing ─ClipEnded, wants keys─▶ Listening ─last key │ Deadline─▶ (keys are in)
//!                                    │  └─Digit, wants keys─────────▶┘└Digit▶┘
//!                                    └─ClipEnded, wants none─▶ (next item)
//!
//! (keys are in)   none ─▶ Closing              nobody pressed a key that was asked for
//!                 what repeats the item ─▶ Playing, the same item
//!                 something else, where something repeats the item ─▶ Closing
//!                 anything, where nothing repeats it ─▶ (next item)
//! (next item)     Playing, or Closing after the last
//!
//! New ─SpeechFailed─▶ Over                     what cannot be said is no reason to ring
//! Ringing ─Deadline─▶ Closing                  the ring time is over
//! Playing, Listening ─Deadline─▶ Closing       the longest announcement is over
//! Playing ─ClipFailed─▶ Closing
//! Playing, Listening ─a machine greets─▶ Holding
//! Playing, Listening, Holding ─it listens─▶ Playing, the first item; ─nobody talks to it─▶ Closing
//! Holding ─Deadline─▶ Closing
//! any but Closing ─Stop─▶ Closing
//! any but Closing ─Released─▶ Over
//! Closing ─Released │ Deadline─▶ Over
//! ```
//!
//! The first key ends what is being played, as whoever knows the announcement expects, and is the first of the keys.
//! After each key, and after the end of the item, there are [`limits::KEY`] for the next one. All keys are alike: `#`
//! is no "done". Keys that come while an item is played that wants none are not kept for the next one.

use std::mem;
use std::time::Duration;

use base::clip::ClipKey;
use base::id::Leg;
use base::limits;
use base::order::{self, Collect, NoticeItem};
use base::private::Private;
use base::release::{Cause, Ending};
use base::time::Instant;

use crate::closing::Closing;
use crate::ending::{self, STOPPED, by_platform};
use crate::plan::{Event, Plan, Repeat, Todo, Treat};

/// The plan of a notice.
#[derive(Debug)]
pub struct Notice {
    items: Vec<NoticeItem<ClipKey>>,
    ring: Duration,
    state: State,
}

#[derive(Debug)]
enum State {
    New,
    Ringing {
        until: Instant,
    },
    Playing(Turn),
    Listening {
        turn: Turn,
        keys: Private<String>,
        until: Instant,
    },
    /// A machine greets.
    Holding {
        until: Instant,
    },
    Closing(Closing),
    Over,
}

/// Which item it is the turn of, and when the longest announcement is over.
#[derive(Clone, Copy, Debug)]
struct Turn {
    item: usize,
    end_at: Instant,
}

impl Notice {
    /// The plan that does what was ordered.
    #[must_use]
    pub fn new(order: &order::Notice<ClipKey>) -> Self {
        Self { items: order.items.clone(), ring: limits::RING, state: State::New }
    }

    /// The same, with so long for a telephone to ring; [`limits::RING`] otherwise.
    #[must_use]
    pub fn ringing_for(self, ring: Duration) -> Self {
        Self { ring, ..self }
    }
}

impl Plan for Notice {
    fn start(&mut self, now: Instant, todo: &mut Todo) {
        if matches!(self.state, State::New) {
            todo.dial(Leg::A);
            self.state = State::Ringing { until: now + self.ring };
        }
    }

    fn on(&mut self, now: Instant, event: Event, todo: &mut Todo) {
        use Leg::A;
        use State::{Closing, Holding, Listening, New, Over, Playing, Ringing};
        let state = mem::replace(&mut self.state, Over);
        self.state = match (state, event) {
            (New, Event::SpeechFailed) => over(by_platform(Cause::SpeechFault), todo),

            (Ringing { .. }, Event::Answered { leg: A }) => self.begin(now, todo),
            (Ringing { until }, Event::Deadline) if now >= until => {
                close(now, ending::rang_too_long(A), todo)
            }

            (Playing(turn), Event::ClipEnded { leg: A }) => self.played(turn, now, todo),
            (Playing(turn), Event::Digit { leg: A, digit }) => self.cut_in(turn, digit, now, todo),
            (Playing(_), Event::ClipFailed { leg: A, why }) => close(now, by_platform(why.cause()), todo),
            (Playing(Turn { end_at, .. }), Event::Deadline) if now >= end_at => {
                close(now, by_platform(Cause::TimeOver), todo)
            }

            (Listening { turn, keys, .. }, Event::Digit { leg: A, digit }) => {
                self.pressed(turn, keys, digit, now, todo)
            }
            (Listening { turn, .. }, Event::Deadline) if now >= turn.end_at => {
                close(now, by_platform(Cause::TimeOver), todo)
            }
            (Listening { turn, keys, until }, Event::Deadline) if now >= until => {
                self.keys_are_in(turn, keys, now, todo)
            }

            (Playing(turn) | Listening { turn, .. }, Event::Machine { leg: A, treat: Treat::Wait }) => {
                hold(turn.end_at, todo)
            }
            (
                Playing(_) | Listening { .. } | Holding { .. },
                Event::Machine { leg: A, treat: Treat::Begin },
            ) => self.begin(now, todo),
            (
                Playing(_) | Listening { .. } | Holding { .. },
                Event::Machine { leg: A, treat: Treat::End },
            ) => close(now, by_platform(Cause::Machine), todo),
            (Holding { until }, Event::Deadline) if now >= until => {
                close(now, by_platform(Cause::TimeOver), todo)
            }

            (
                Ringing { .. } | Playing(_) | Listening { .. } | Holding { .. },
                Event::Released { leg: A, release },
            ) => over(ending::of(A, release), todo),
            (New, Event::Stop) => over(STOPPED, todo),
            (Ringing { .. } | Playing(_) | Listening { .. } | Holding { .. }, Event::Stop) => {
                close(now, STOPPED, todo)
            }

            (Closing(closing), event) => closing.on(now, &event, todo).map_or(Over, Closing),

            // Early, late or repeated news changes nothing.
            (
                state,
                Event::Ringing { .. }
                | Event::EarlyMedia { .. }
                | Event::EarlyMediaOver { .. }
                | Event::Answered { .. }
                | Event::ClipEnded { .. }
                | Event::ClipFailed { .. }
                | Event::SpeechFailed
                | Event::Digit { .. }
                | Event::Machine { .. }
                | Event::Released { .. }
                | Event::Deadline
                | Event::Stop,
            ) => state,
        };
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Ringing { until } | State::Holding { until } => Some(*until),
            State::Playing(turn) => Some(turn.end_at),
            State::Listening { turn, until, .. } => Some(turn.end_at.min(*until)),
            State::Closing(closing) => Some(closing.until()),
            State::New | State::Over => None,
        }
    }
}

impl Notice {
    fn begin(&self, now: Instant, todo: &mut Todo) -> State {
        self.play(Turn { item: 0, end_at: now + limits::ANNOUNCEMENT }, now, todo)
    }

    /// Plays the item whose turn it is; after the last one nothing is left to say.
    fn play(&self, turn: Turn, now: Instant, todo: &mut Todo) -> State {
        let Some(item) = self.items.get(turn.item) else {
            return close(now, by_platform(Cause::Normal), todo);
        };
        todo.play(Leg::A, [item.voice], Repeat::Once);
        State::Playing(turn)
    }

    fn played(&self, turn: Turn, now: Instant, todo: &mut Todo) -> State {
        match self.wanted(turn) {
            None => self.play(turn.next(), now, todo),
            Some(_) => State::Listening { turn, keys: Private::default(), until: now + limits::KEY },
        }
    }

    /// A key is pressed while the item is played.
    fn cut_in(&self, turn: Turn, digit: Private<char>, now: Instant, todo: &mut Todo) -> State {
        if self.wanted(turn).is_none() {
            return State::Playing(turn);
        }
        todo.silence(Leg::A);
        self.pressed(turn, Private::default(), digit, now, todo)
    }

    fn pressed(
        &self,
        turn: Turn,
        keys: Private<String>,
        digit: Private<char>,
        now: Instant,
        todo: &mut Todo,
    ) -> State {
        let mut keys = keys.into_exposed();
        keys.push(digit.into_exposed());
        let enough = self.wanted(turn).is_none_or(|wanted| keys.len() >= wanted.digits_max.into());
        let keys = Private::new(keys);
        if enough {
            self.keys_are_in(turn, keys, now, todo)
        } else {
            State::Listening { turn, keys, until: now + limits::KEY }
        }
    }

    fn keys_are_in(&self, turn: Turn, keys: Private<String>, now: Instant, todo: &mut Todo) -> State {
        if keys.expose().is_empty() {
            return close(now, by_platform(Cause::NoDigits), todo);
        }
        let keys = Private::new(keys.into_exposed().into_boxed_str());
        todo.report(Leg::A, keys.clone());
        match self.wanted(turn).and_then(|wanted| wanted.replay_on.as_ref()) {
            None => self.play(turn.next(), now, todo),
            Some(again) if *again == keys => self.play(turn, now, todo),
            Some(_) => close(now, by_platform(Cause::Normal), todo),
        }
    }

    fn wanted(&self, turn: Turn) -> Option<&Collect> {
        self.items.get(turn.item)?.collect.as_ref()
    }
}

impl Turn {
    const fn next(self) -> Self {
        Self { item: self.item + 1, ..self }
    }
}

fn close(now: Instant, ending: Ending, todo: &mut Todo) -> State {
    State::Closing(Closing::new(now, ending).hang_up(Leg::A, ending.by, ending.cause, todo))
}

/// Says nothing until the machine listens.
fn hold(until: Instant, todo: &mut Todo) -> State {
    todo.silence(Leg::A);
    State::Holding { until }
}

fn over(ending: Ending, todo: &mut Todo) -> State {
    todo.over(ending);
    State::Over
}
