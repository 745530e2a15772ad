//! INVITE client transaction (RFC 3261 17.1.1, RFC 6026 7.2).
//!
//! ```text
//! Calling ─1xx─▶ Proceeding ─1xx─▶ Proceeding
//!    │  A: resend, B: timed out        │  C: rang out, stays; B, set by CANCEL or C: timed out
//!    ├────────2xx──────────────────────┴─▶ Accepted  ─2xx─▶ Accepted   M: over
//!    └────────3xx-6xx──────────────────┴─▶ Completed ─3xx-6xx─▶ resend the ACK   D: over
//! ```
//!
//! By a reliable transport there is no timer A, and D is zero (RFC 3261 17.1.1.2).
//!
//! Timer C is a proxy's timer in the RFC; here it guards every INVITE, so that "100 Trying, then silence" and
//! endless ringing both come to an end.

use std::time::Duration;

use base::time::Instant;

use super::{Act, Class};
use crate::timer::{Pace, Timer, Timers};
use crate::transport::Transport;

pub(crate) struct InviteClient {
    state: State,
    transport: Transport,
    pub(crate) timers: Timers,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Calling { interval: Duration },
    Proceeding,
    Completed,
    Accepted,
    Terminated,
}

impl InviteClient {
    /// The INVITE was just sent.
    pub(crate) fn start(transport: Transport, now: Instant, pace: &Pace) -> Self {
        let mut timers = Timers::default();
        if !transport.is_reliable() {
            timers.set(Timer::A, now + pace.t1);
        }
        timers.set(Timer::B, now + pace.patience());
        Self { state: State::Calling { interval: pace.t1 }, transport, timers }
    }

    /// An INVITE of a former life, of which only its CANCEL and its final response matter now.
    pub(crate) fn resume(transport: Transport, now: Instant, pace: &Pace) -> Self {
        let mut timers = Timers::default();
        timers.set(Timer::B, now + pace.patience());
        Self { state: State::Proceeding, transport, timers }
    }

    /// Whether nothing was heard yet.
    pub(crate) fn is_unheard(&self) -> bool {
        matches!(self.state, State::Calling { .. })
    }

    /// Nobody can be reached that way. The machine is over, as if time had run out.
    pub(crate) fn give_up(&mut self) {
        self.end(Act::TimedOut);
    }

    /// Whether a CANCEL may be sent: a provisional came and no final did (RFC 3261 9.1).
    pub(crate) fn is_proceeding(&self) -> bool {
        self.state == State::Proceeding
    }

    /// Whether the machine may be dropped.
    pub(crate) fn is_over(&self) -> bool {
        self.state == State::Terminated
    }

    /// A CANCEL was sent: the final response has 64*T1 to come.
    pub(crate) fn cancelled(&mut self, now: Instant, pace: &Pace) {
        if self.state == State::Proceeding {
            self.timers.stop(Timer::C);
            self.timers.set(Timer::B, now + pace.patience());
        }
    }

    pub(crate) fn on_response(&mut self, class: Class, now: Instant, pace: &Pace) -> Act {
        use State::{Accepted, Calling, Completed, Proceeding, Terminated};
        match (self.state, class) {
            (Calling { .. }, Class::Trying | Class::Provisional) => self.proceed(now, pace),
            (Proceeding, Class::Provisional) => self.ring_on(now, pace),
            (Proceeding, Class::Trying) => Act::Nothing,
            (Calling { .. } | Proceeding, Class::Success) => {
                self.enter(Accepted, Timer::M, now + pace.patience(), Act::Pass)
            }
            (Calling { .. } | Proceeding, Class::Failure) => {
                let linger = if self.transport.is_reliable() { Duration::ZERO } else { pace.patience() };
                self.enter(Completed, Timer::D, now + linger, Act::AcknowledgeAndPass)
            }
            (Completed, Class::Failure) => Act::Resend,
            // Each 2xx goes to the owner, who knows whether its fork was acknowledged before.
            (Accepted, Class::Success) => Act::Pass,
            (Completed, Class::Trying | Class::Provisional | Class::Success)
            | (Accepted, Class::Trying | Class::Provisional | Class::Failure)
            | (Terminated, _) => Act::Nothing,
        }
    }

    pub(crate) fn on_timer(&mut self, timer: Timer, now: Instant, pace: &Pace) -> Act {
        use State::{Accepted, Calling, Completed, Proceeding};
        match (self.state, timer) {
            (Calling { interval }, Timer::A) => {
                // Timer A doubles without the T2 limit (RFC 3261 17.1.1.2).
                let interval = interval * 2;
                self.timers.set(Timer::A, now + interval);
                self.state = Calling { interval };
                Act::Resend
            }
            (Calling { .. } | Proceeding, Timer::B) => self.end(Act::TimedOut),
            (Proceeding, Timer::C) => {
                // Whatever the owner does now, the machine comes to an end.
                self.timers.set(Timer::B, now + pace.patience());
                Act::RangOut
            }
            (Completed, Timer::D) | (Accepted, Timer::M) => self.end(Act::Over),
            _ => Act::Nothing,
        }
    }

    fn proceed(&mut self, now: Instant, pace: &Pace) -> Act {
        self.enter(State::Proceeding, Timer::C, now + pace.timer_c, Act::Pass)
    }

    /// Every provisional but 100 gives the callee a new timer C (RFC 3261 16.7), unless we have cancelled.
    fn ring_on(&mut self, now: Instant, pace: &Pace) -> Act {
        if self.timers.is_running(Timer::C) {
            self.timers.set(Timer::C, now + pace.timer_c);
        }
        Act::Pass
    }

    fn enter(&mut self, state: State, timer: Timer, at: Instant, act: Act) -> Act {
        self.timers.stop_all();
        self.timers.set(timer, at);
        self.state = state;
        act
    }

    fn end(&mut self, act: Act) -> Act {
        self.timers.stop_all();
        self.state = State::Terminated;
        act
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, pace};
    use super::*;

    fn story() -> Story<InviteClient> {
        Story::of(InviteClient::start(Transport::Udp, Instant::START, &pace()))
    }

    #[test]
    fn an_invite_into_silence_is_sent_seven_times_and_given_up_after_64_t1() {
        // T1 is 10 ms here: A at 10, 30, 70, 150, 310, 630; B at 640.
        story().runs(
            "10 A Resend, 30 A Resend, 70 A Resend, 150 A Resend, 310 A Resend, 630 A Resend, 640 B TimedOut",
        );
    }

    #[test]
    fn trying_and_then_silence_ends_by_timer_c() {
        let mut story = story();
        story.at(5).hears(100, Act::Pass);
        story.runs("1005 C RangOut, 1645 B TimedOut");
        assert!(story.machine.is_over());
    }

    #[test]
    fn each_provisional_but_100_winds_timer_c_up() {
        let mut story = story();
        story.at(5).hears(100, Act::Pass);
        story.at(100).hears(180, Act::Pass);
        story.at(200).hears(100, Act::Nothing);
        story.at(900).hears(183, Act::Pass);
        story.runs("1900 C RangOut, 2540 B TimedOut");
    }

    #[test]
    fn a_cancelled_invite_waits_64_t1_for_its_final_and_ringing_does_not_prolong_it() {
        let mut story = story();
        story.at(5).hears(180, Act::Pass);
        story.at(100).machine.cancelled(Instant::from_millis(100), &pace());
        story.at(300).hears(180, Act::Pass);
        story.runs("740 B TimedOut");
    }

    #[test]
    fn a_failure_is_acknowledged_again_each_time_it_comes_back() {
        let mut story = story();
        story.at(5).hears(486, Act::AcknowledgeAndPass);
        story.at(9).hears(486, Act::Resend);
        story.at(10).hears(200, Act::Nothing);
        story.runs("645 D Over");
    }

    #[test]
    fn every_success_reaches_the_owner_until_timer_m() {
        let mut story = story();
        story.at(5).hears(202, Act::Pass);
        story.at(9).hears(200, Act::Pass);
        story.at(10).hears(180, Act::Nothing);
        story.at(11).hears(486, Act::Nothing);
        story.runs("645 M Over");
    }

    #[test]
    fn by_a_connection_nothing_is_sent_again_and_nothing_lingers() {
        let by_tcp = || Story::of(InviteClient::start(Transport::Tcp, Instant::START, &pace()));
        by_tcp().runs("640 B TimedOut");
        let mut story = by_tcp();
        story.at(5).hears(486, Act::AcknowledgeAndPass);
        story.runs("5 D Over");
        let mut story = by_tcp();
        story.at(5).hears(200, Act::Pass);
        story.runs("645 M Over");
    }
}
