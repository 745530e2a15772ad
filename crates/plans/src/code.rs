//! Verification code: ring one party, say the code digit by digit, hang up.
//!
//! ```text
//! New ─start─▶ Ringing ─Answered─▶ Before ─ClipEnded─▶ Saying ─ClipEnded─▶ After ─ClipEnded─▶ Closing
//!                                                         └─ClipEnded, nothing after─────────▶┘
//!
//! New ─SpeechFailed─▶ Over                     what cannot be said is no reason to ring
//! Ringing ─Deadline─▶ Closing                  the ring time is over
//! Before, Saying, After ─Deadline─▶ Closing    the longest announcement is over
//! Before, Saying, After ─ClipFailed─▶ Closing  a code that is only half heard is of no use
//! any but Closing ─Stop─▶ Closing
//! any but Closing ─Released─▶ Over
//! Closing ─Released │ Deadline─▶ Over
//! ```
//!
//! A code that is said for ever stays in Saying until the party hangs up or the deadline comes.

use std::mem;

use base::clip::{ClipKey, SystemClip};
use base::id::Leg;
use base::limits;
use base::order;
use base::private::Private;
use base::release::{Cause, Ending};
use base::time::Instant;

use crate::closing::Closing;
use crate::ending::{self, STOPPED, by_platform};
use crate::plan::{Event, Plan, Repeat, Todo};

/// The plan of a verification code.
#[derive(Debug)]
pub struct Code {
    before: ClipKey,
    digits: Private<Vec<u8>>,
    times: Option<u8>,
    after: Option<ClipKey>,
    state: State,
}

#[derive(Debug)]
enum State {
    New,
    Ringing { until: Instant },
    Before { until: Instant },
    Saying { until: Instant },
    After { until: Instant },
    Closing(Closing),
    Over,
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
            state: State::New,
        }
    }
}

impl Plan for Code {
    fn start(&mut self, now: Instant, todo: &mut Todo) {
        if matches!(self.state, State::New) {
            todo.dial(Leg::A);
            self.state = State::Ringing { until: now + limits::RING };
        }
    }

    fn on(&mut self, now: Instant, event: Event, todo: &mut Todo) {
        use Leg::A;
        use State::{After, Before, Closing, New, Over, Ringing, Saying};
        let state = mem::replace(&mut self.state, Over);
        self.state = match (state, event) {
            (New, Event::SpeechFailed) => over(by_platform(Cause::SpeechFault), todo),

            (Ringing { .. }, Event::Answered { leg: A }) => self.say_before(now, todo),
            (Ringing { until }, Event::Deadline) if now >= until => {
                close(now, ending::rang_too_long(A), todo)
            }

            (Before { until }, Event::ClipEnded { leg: A }) => self.say_code(until, todo),
            (Saying { until }, Event::ClipEnded { leg: A }) => self.say_after(now, until, todo),
            (After { .. }, Event::ClipEnded { leg: A }) => close(now, by_platform(Cause::Normal), todo),
            (Before { until } | Saying { until } | After { until }, Event::Deadline) if now >= until => {
                close(now, by_platform(Cause::TimeOver), todo)
            }
            (Before { .. } | Saying { .. } | After { .. }, Event::ClipFailed { leg: A, why }) => {
                close(now, by_platform(why.cause()), todo)
            }

            (
                Ringing { .. } | Before { .. } | Saying { .. } | After { .. },
                Event::Released { leg: A, release },
            ) => over(ending::of(A, release), todo),
            (New, Event::Stop) => over(STOPPED, todo),
            (Ringing { .. } | Before { .. } | Saying { .. } | After { .. }, Event::Stop) => {
                close(now, STOPPED, todo)
            }

            (Closing(closing), event) => closing.on(now, &event, todo).map_or(Over, Closing),

            // Early, late or repeated news changes nothing, nor does a key: nobody asked for it.
            (
                state,
                Event::Ringing { .. }
                | Event::EarlyMedia { .. }
                | Event::Answered { .. }
                | Event::ClipEnded { .. }
                | Event::ClipFailed { .. }
                | Event::SpeechFailed
                | Event::Digit { .. }
                | Event::Released { .. }
                | Event::Deadline
                | Event::Stop,
            ) => state,
        };
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Ringing { until }
            | State::Before { until }
            | State::Saying { until }
            | State::After { until } => Some(*until),
            State::Closing(closing) => Some(closing.until()),
            State::New | State::Over => None,
        }
    }
}

impl Code {
    fn say_before(&self, now: Instant, todo: &mut Todo) -> State {
        todo.play(Leg::A, [self.before], Repeat::Once);
        State::Before { until: now + limits::ANNOUNCEMENT }
    }

    /// `4 7 1 1 (pause)`, as often as was ordered. A pause follows the last digit too: what is in a telephone's jitter
    /// buffer when the call ends is never heard.
    fn say_code(&self, until: Instant, todo: &mut Todo) -> State {
        let digits = || self.digits.expose().iter().map(|digit| ClipKey::System(SystemClip::Digit(*digit)));
        let once = || digits().chain([PAUSE]);
        match self.times {
            Some(times) => todo.play(Leg::A, (0..times).flat_map(|_| once()), Repeat::Once),
            None => todo.play(Leg::A, once(), Repeat::Forever),
        }
        State::Saying { until }
    }

    fn say_after(&self, now: Instant, until: Instant, todo: &mut Todo) -> State {
        let Some(after) = self.after else { return close(now, by_platform(Cause::Normal), todo) };
        todo.play(Leg::A, [after], Repeat::Once);
        State::After { until }
    }
}

fn close(now: Instant, ending: Ending, todo: &mut Todo) -> State {
    State::Closing(Closing::new(now, ending).hang_up(Leg::A, ending.by, ending.cause, todo))
}

fn over(ending: Ending, todo: &mut Todo) -> State {
    todo.over(ending);
    State::Over
}

const PAUSE: ClipKey = ClipKey::System(SystemClip::Pause);
