//! Callback: ring A, then B, connect them, and end when somebody hangs up or the time is over.
//!
//! ```text
//! New ─start─▶ RingingA ─Answered A─▶ Greeting ─ClipEnded A─▶ RingingB ─Answered B─▶ Talking ─end of time─▶ Closing
//!                  └──────── Answered A, no greeting ───────────▶┘
//!
//! New ─SpeechFailed─▶ Over                    what cannot be said is no reason to ring
//! RingingA, RingingB ─Deadline─▶ Closing      the ring time is over
//! Greeting ─Deadline─▶ Closing                a greeting that never ends is a fault
//! Talking ─Deadline─▶ Talking                 the last-minute announcement, once
//! any but Closing ─Stop─▶ Closing
//! any but Closing ─Released─▶ Closing         while the other leg is up; Over when it is not
//! Closing ─last Released │ Deadline─▶ Over
//! ```
//!
//! While B is dialled, A hears the wait voice, and B's early media in its place as far as the order allows and as long as
//! it goes on. A conversation that is recorded begins with the tone that says so, to both.

use std::mem;
use std::time::Duration;

use base::clip::ClipKey;
use base::id::Leg;
use base::limits;
use base::order::{self, CalleeMedia, Longest, Recorded};
use base::release::{Cause, Ending, Party, Release};
use base::time::Instant;

use crate::closing::Closing;
use crate::ending::{self, STOPPED, by_platform};
use crate::plan::{Event, Plan, Repeat, Todo};

/// How long before the end of a limited conversation the announcement is heard.
const LAST_MINUTE: Duration = Duration::from_secs(60);

/// How long the tone that says "recorded" is left alone in a conversation of one minute, whose announcement would cut
/// it off.
const HINT: Duration = Duration::from_secs(3);

/// The plan of a callback.
#[derive(Debug)]
pub struct Callback {
    pre_voice: Option<ClipKey>,
    wait_voice: ClipKey,
    callee_media: CalleeMedia,
    longest: Option<Longest<ClipKey>>,
    recorded: Option<Recorded<ClipKey>>,
    ring: Duration,
    state: State,
}

#[derive(Debug)]
enum State {
    New,
    RingingA { until: Instant },
    Greeting { until: Instant },
    RingingB { until: Instant, a_hears: Hears },
    Talking { last_minute_at: Option<Instant>, end_at: Instant },
    Closing(Closing),
    Over,
}

/// What A hears while B is dialled.
#[derive(Clone, Copy, Debug)]
enum Hears {
    WaitVoice,
    EarlyMedia,
}

impl Callback {
    /// The plan that does what was ordered.
    #[must_use]
    pub fn new(order: &order::Callback<ClipKey>) -> Self {
        Self {
            pre_voice: order.pre_voice,
            wait_voice: order.wait_voice,
            callee_media: order.callee_media,
            longest: order.longest.clone(),
            recorded: order.recorded.clone(),
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

impl Plan for Callback {
    fn start(&mut self, now: Instant, todo: &mut Todo) {
        if matches!(self.state, State::New) {
            todo.dial(Leg::A);
            self.state = State::RingingA { until: now + self.ring };
        }
    }

    fn on(&mut self, now: Instant, event: Event, todo: &mut Todo) {
        use Leg::{A, B};
        use State::{Closing, Greeting, New, Over, RingingA, RingingB, Talking};
        let state = mem::replace(&mut self.state, Over);
        self.state = match (state, event) {
            (New, Event::SpeechFailed) => over(by_platform(Cause::SpeechFault), todo),

            (RingingA { .. }, Event::Answered { leg: A }) => self.greet(now, todo),
            (RingingA { until }, Event::Deadline) if now >= until => a_rang_too_long(now, todo),
            (RingingA { .. }, Event::Released { leg: A, release }) => over(ending::of(A, release), todo),

            // A greeting that cannot be played is no reason to lose the call.
            (Greeting { .. }, Event::ClipEnded { leg: A } | Event::ClipFailed { leg: A, .. }) => {
                self.dial_b(now, todo)
            }
            (Greeting { until }, Event::Deadline) if now >= until => greeting_hangs(now, todo),
            (Greeting { .. }, Event::Released { leg: A, release }) => over(a_left_early(release), todo),

            (RingingB { until, a_hears }, Event::EarlyMedia { leg: B, failure }) => {
                RingingB { until, a_hears: self.early_media(a_hears, failure, todo) }
            }
            (RingingB { until, a_hears }, Event::EarlyMediaOver { leg: B }) => {
                RingingB { until, a_hears: self.wait_again(a_hears, todo) }
            }
            (RingingB { .. }, Event::Answered { leg: B }) => self.connect(now, todo),
            (RingingB { until, .. }, Event::Deadline) if now >= until => b_rang_too_long(now, todo),
            (RingingB { .. }, Event::Released { leg: B, release }) => b_failed(now, release, todo),
            (RingingB { .. }, Event::Released { leg: A, release }) => a_left_b(now, release, todo),

            (Talking { end_at, .. }, Event::Deadline) if now >= end_at => time_over(now, todo),
            (Talking { last_minute_at: Some(at), end_at }, Event::Deadline) if now >= at => {
                self.announce_last_minute(todo);
                Talking { last_minute_at: None, end_at }
            }
            (Talking { .. }, Event::Released { leg, release }) => hung_up(now, leg, release, todo),

            (New, Event::Stop) => over(STOPPED, todo),
            (RingingA { .. } | Greeting { .. }, Event::Stop) => stop(now, &[A], todo),
            (RingingB { .. } | Talking { .. }, Event::Stop) => stop(now, &[A, B], todo),

            (Closing(closing), event) => closing.on(now, &event, todo).map_or(Over, Closing),

            // Early, late or repeated news changes nothing; nor does a clip that cannot be looped to a waiting
            // party, or a key that somebody presses: nobody asked for it.
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
            State::RingingA { until } | State::Greeting { until } | State::RingingB { until, .. } => {
                Some(*until)
            }
            State::Talking { last_minute_at, end_at } => Some(last_minute_at.unwrap_or(*end_at)),
            State::Closing(closing) => Some(closing.until()),
            State::New | State::Over => None,
        }
    }
}

impl Callback {
    fn greet(&self, now: Instant, todo: &mut Todo) -> State {
        let Some(pre_voice) = self.pre_voice else { return self.dial_b(now, todo) };
        todo.play(Leg::A, [pre_voice], Repeat::Once);
        State::Greeting { until: now + limits::ANNOUNCEMENT }
    }

    fn dial_b(&self, now: Instant, todo: &mut Todo) -> State {
        todo.play(Leg::A, [self.wait_voice], Repeat::Forever);
        todo.dial(Leg::B);
        State::RingingB { until: now + self.ring, a_hears: Hears::WaitVoice }
    }

    fn early_media(&self, a_hears: Hears, failure: bool, todo: &mut Todo) -> Hears {
        let allowed = match self.callee_media {
            CalleeMedia::All => true,
            CalleeMedia::Nothing => false,
            CalleeMedia::FailureOnly => failure,
        };
        match a_hears {
            Hears::WaitVoice if allowed => {
                todo.pass_early_media(Leg::A);
                Hears::EarlyMedia
            }
            Hears::WaitVoice | Hears::EarlyMedia => a_hears,
        }
    }

    /// Nobody waits in silence: A hears what it heard before.
    fn wait_again(&self, a_hears: Hears, todo: &mut Todo) -> Hears {
        if matches!(a_hears, Hears::EarlyMedia) {
            todo.play(Leg::A, [self.wait_voice], Repeat::Forever);
        }
        Hears::WaitVoice
    }

    fn connect(&self, now: Instant, todo: &mut Todo) -> State {
        todo.bridge();
        if let Some(recorded) = &self.recorded {
            todo.record(recorded.hint);
        }
        let Some(longest) = &self.longest else {
            return State::Talking { last_minute_at: None, end_at: now + limits::CALL };
        };
        let end_at = now + longest.talk;
        let before = match longest.talk.saturating_sub(LAST_MINUTE) {
            Duration::ZERO if self.recorded.is_some() => HINT,
            before => before,
        };
        if before.is_zero() {
            self.announce_last_minute(todo);
            return State::Talking { last_minute_at: None, end_at };
        }
        State::Talking { last_minute_at: Some(now + before), end_at }
    }

    fn announce_last_minute(&self, todo: &mut Todo) {
        if let Some(longest) = &self.longest {
            todo.announce(longest.ears, longest.last_minute);
        }
    }
}

fn a_rang_too_long(now: Instant, todo: &mut Todo) -> State {
    let ending = ending::rang_too_long(Leg::A);
    State::Closing(Closing::new(now, ending).hang_up(Leg::A, ending.by, ending.cause, todo))
}

fn greeting_hangs(now: Instant, todo: &mut Todo) -> State {
    let ending = Ending { by: Party::Platform, cause: Cause::ClipFault, leg: Some(Leg::A) };
    State::Closing(Closing::new(now, ending).hang_up(Leg::A, ending.by, ending.cause, todo))
}

fn b_rang_too_long(now: Instant, todo: &mut Todo) -> State {
    let ending = ending::rang_too_long(Leg::B);
    let closing = Closing::new(now, ending).hang_up(Leg::B, ending.by, ending.cause, todo).hang_up(
        Leg::A,
        ending.by,
        Cause::OtherPartyGone,
        todo,
    );
    State::Closing(closing)
}

fn b_failed(now: Instant, release: Release, todo: &mut Todo) -> State {
    let closing = Closing::new(now, ending::of(Leg::B, release));
    State::Closing(closing.hang_up(Leg::A, release.by, Cause::OtherPartyGone, todo))
}

fn a_left_b(now: Instant, release: Release, todo: &mut Todo) -> State {
    let closing = Closing::new(now, a_left_early(release));
    State::Closing(closing.hang_up(Leg::B, release.by, Cause::OtherPartyGone, todo))
}

fn hung_up(now: Instant, leg: Leg, release: Release, todo: &mut Todo) -> State {
    let closing = Closing::new(now, ending::of(leg, release));
    State::Closing(closing.hang_up(leg.other(), release.by, Cause::Normal, todo))
}

fn time_over(now: Instant, todo: &mut Todo) -> State {
    close_all(now, by_platform(Cause::TimeOver), &[Leg::A, Leg::B], todo)
}

fn stop(now: Instant, up: &[Leg], todo: &mut Todo) -> State {
    close_all(now, STOPPED, up, todo)
}

fn close_all(now: Instant, ending: Ending, up: &[Leg], todo: &mut Todo) -> State {
    let closing = Closing::new(now, ending);
    let hang_up = |closing: Closing, leg: &Leg| closing.hang_up(*leg, ending.by, ending.cause, todo);
    State::Closing(up.iter().fold(closing, hang_up))
}

fn over(ending: Ending, todo: &mut Todo) -> State {
    todo.over(ending);
    State::Over
}

/// A hung up before B had answered: nobody was connected, so it is not a normal end.
const fn a_left_early(release: Release) -> Ending {
    let cause = match release.cause {
        Cause::Normal => Cause::OtherPartyGone,
        cause => cause,
    };
    Ending { by: release.by, cause, leg: Some(Leg::A) }
}
