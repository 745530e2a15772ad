//! Verification code: ring one party, say the code digit by digit, hang up.
//!
//! ```text
//! New ─start─▶ Ringing ─Answered─▶ Before ─ClipEnded─▶ Saying ─ClipEnded─▶ After ─ClipEnded─▶ (again)
//!                                                         └─ClipEnded, nothing after─────────▶┘
//!
//! (again)  Before, while everything is to be said once more; then Closing
//!
//! New ─SpeechFailed─▶ Over                     what cannot be said is no reason to ring
//! Ringing ─Deadline─▶ Closing                  the ring time is over
//! Before, Saying, After ─Deadline─▶ Closing    the longest announcement is over
//! Before, Saying, After ─ClipFailed─▶ Closing  a code that is only half heard is of no use
//! Before, Saying, After ─a machine greets─▶ Holding
//! these and Holding ─it listens─▶ Before; ─nobody talks to it─▶ Closing
//! Holding ─Deadline─▶ Closing
//! any but Closing ─Stop─▶ Closing
//! any but Closing ─Released─▶ Over
//! Closing ─Released │ Deadline─▶ Over
//! ```
//!
//! Either the digits alone are said several times, all of that in Saying, or everything is. What is said for ever ends
//! when the party hangs up or the deadline comes.

use std::mem;
use std::time::Duration;

use base::clip::{ClipKey, SystemClip};
use base::id::Leg;
use base::limits;
use base::order::{self, Repeats};
use base::private::Private;
use base::release::{Cause, Ending};
use base::time::Instant;

use crate::closing::Closing;
use crate::ending::{self, STOPPED, by_platform};
use crate::plan::{Event, Plan, Repeat, Todo, Treat};

/// The plan of a verification code.
#[derive(Debug)]
pub struct Code {
    before: ClipKey,
    digits: Private<Vec<u8>>,
    times: Option<u8>,
    after: Option<ClipKey>,
    repeats: Repeats,
    ring: Duration,
    state: State,
}

#[derive(Debug)]
enum State {
    New,
    Ringing {
        until: Instant,
    },
    Before(Round),
    Saying(Round),
    After(Round),
    /// A machine greets.
    Holding {
        until: Instant,
    },
    Closing(Closing),
    Over,
}

/// Where in the whole message the call is.
#[derive(Clone, Copy, Debug)]
struct Round {
    /// How often everything is to be said once more; `None`: for ever.
    left: Option<u8>,
    /// When the longest announcement is over.
    end_at: Instant,
}

impl Code {
    /// The plan that does what was ordered.
    #[must_use]
    pub fn new(order: &order::Code<ClipKey>) -> Self {
        Self {
            before: order.before,
            digits: order.digits.clone(),
            times: order.times,
            after: order.after,
            repeats: order.repeats,
            ring: limits::RING,
            state: State::New,
        }
    }

    /// The same, with so long for a telephone to ring; [`limits::RING`] otherwise.
    #[must_use]
    pub fn ringing_for(self, ring: Duration) -> Self {
        Self { ring, ..self }
    }
}

impl Plan for Code {
    fn start(&mut self, now: Instant, todo: &mut Todo) {
        if matches!(self.state, State::New) {
            todo.dial(Leg::A);
            self.state = State::Ringing { until: now + self.ring };
        }
    }

    fn on(&mut self, now: Instant, event: Event, todo: &mut Todo) {
        use Leg::A;
        use State::{After, Before, Closing, Holding, New, Over, Ringing, Saying};
        let state = mem::replace(&mut self.state, Over);
        self.state = match (state, event) {
            (New, Event::SpeechFailed) => over(by_platform(Cause::SpeechFault), todo),

            (Ringing { .. }, Event::Answered { leg: A }) => self.begin(now, todo),
            (Ringing { until }, Event::Deadline) if now >= until => {
                close(now, ending::rang_too_long(A), todo)
            }

            (Before(round), Event::ClipEnded { leg: A }) => self.say_code(round, todo),
            (Saying(round), Event::ClipEnded { leg: A }) => self.say_after(round, now, todo),
            (After(round), Event::ClipEnded { leg: A }) => self.again(round, now, todo),
            (Before(round) | Saying(round) | After(round), Event::Deadline) if now >= round.end_at => {
                close(now, by_platform(Cause::TimeOver), todo)
            }
            (Before(_) | Saying(_) | After(_), Event::ClipFailed { leg: A, why }) => {
                close(now, by_platform(why.cause()), todo)
            }

            (Before(round) | Saying(round) | After(round), Event::Machine { leg: A, treat: Treat::Wait }) => {
                hold(round.end_at, todo)
            }
            (
                Before(_) | Saying(_) | After(_) | Holding { .. },
                Event::Machine { leg: A, treat: Treat::Begin },
            ) => self.begin(now, todo),
            (
                Before(_) | Saying(_) | After(_) | Holding { .. },
                Event::Machine { leg: A, treat: Treat::End },
            ) => close(now, by_platform(Cause::Machine), todo),
            (Holding { until }, Event::Deadline) if now >= until => {
                close(now, by_platform(Cause::TimeOver), todo)
            }

            (
                Ringing { .. } | Before(_) | Saying(_) | After(_) | Holding { .. },
                Event::Released { leg: A, release },
            ) => over(ending::of(A, release), todo),
            (New, Event::Stop) => over(STOPPED, todo),
            (Ringing { .. } | Before(_) | Saying(_) | After(_) | Holding { .. }, Event::Stop) => {
                close(now, STOPPED, todo)
            }

            (Closing(closing), event) => closing.on(now, &event, todo).map_or(Over, Closing),

            // Early, late or repeated news changes nothing, nor does a key: nobody asked for it.
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
            State::Before(round) | State::Saying(round) | State::After(round) => Some(round.end_at),
            State::Closing(closing) => Some(closing.until()),
            State::New | State::Over => None,
        }
    }
}

impl Code {
    fn begin(&self, now: Instant, todo: &mut Todo) -> State {
        let left = match self.repeats {
            Repeats::Digits => Some(0),
            Repeats::Everything => self.times.map(|times| times.saturating_sub(1)),
        };
        self.say_before(Round { left, end_at: now + limits::ANNOUNCEMENT }, todo)
    }

    fn say_before(&self, round: Round, todo: &mut Todo) -> State {
        todo.play(Leg::A, [self.before], Repeat::Once);
        State::Before(round)
    }

    /// `4 7 1 1 (pause)`, as often as was ordered. A pause follows the last digit too: what is in a telephone's jitter
    /// buffer when the call ends is never heard.
    fn say_code(&self, round: Round, todo: &mut Todo) -> State {
        let digits = || self.digits.expose().iter().map(|digit| ClipKey::System(SystemClip::Digit(*digit)));
        let once = || digits().chain([PAUSE]);
        match (self.repeats, self.times) {
            (Repeats::Everything, _) => todo.play(Leg::A, once(), Repeat::Once),
            (Repeats::Digits, Some(times)) => {
                todo.play(Leg::A, (0..times).flat_map(|_| once()), Repeat::Once);
            }
            (Repeats::Digits, None) => todo.play(Leg::A, once(), Repeat::Forever),
        }
        State::Saying(round)
    }

    /// With a pause, where everything follows once more.
    fn say_after(&self, round: Round, now: Instant, todo: &mut Todo) -> State {
        let Some(after) = self.after else { return self.again(round, now, todo) };
        let pause = (round.left != Some(0)).then_some(PAUSE);
        todo.play(Leg::A, [after].into_iter().chain(pause), Repeat::Once);
        State::After(round)
    }

    /// Says everything once more, unless that was the last time.
    fn again(&self, round: Round, now: Instant, todo: &mut Todo) -> State {
        match round.left {
            Some(0) => close(now, by_platform(Cause::Normal), todo),
            left => self.say_before(Round { left: left.map(|left| left - 1), ..round }, todo),
        }
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

const PAUSE: ClipKey = ClipKey::System(SystemClip::Pause);
