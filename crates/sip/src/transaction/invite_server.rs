//! INVITE server transaction (RFC 3261 17.2.1, RFC 6026 7.1).
//!
//! ```text
//! Proceeding ─we send 1xx─▶ Proceeding
//!    ├─we send 2xx─────▶ Accepted  ─ACK─▶ to the owner   L: over
//!    └─we send 3xx-6xx─▶ Completed ─ACK─▶ Confirmed      I: over
//!                           G: resend, H: timed out
//! ```
//!
//! By a reliable transport there is no timer G, and I is zero. The owner sends the 2xx again until its ACK comes (RFC 3261 13.3.1.4); this machine never does.

use std::time::Duration;

use base::time::Instant;

use super::{Act, Class};
use crate::timer::{Pace, Timer, Timers};
use crate::transport::Transport;

pub(crate) struct InviteServer {
    state: State,
    transport: Transport,
    pub(crate) timers: Timers,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Proceeding,
    Accepted,
    Completed { interval: Duration },
    Confirmed,
    Terminated,
}

impl InviteServer {
    /// An INVITE has just come.
    pub(crate) fn start(transport: Transport) -> Self {
        Self { state: State::Proceeding, transport, timers: Timers::default() }
    }

    /// Whether no final response was sent.
    pub(crate) fn is_proceeding(&self) -> bool {
        self.state == State::Proceeding
    }

    /// Whether the machine may be dropped.
    pub(crate) fn is_over(&self) -> bool {
        self.state == State::Terminated
    }

    /// The owner sends a response.
    pub(crate) fn respond(&mut self, class: Class, now: Instant, pace: &Pace) {
        if self.state != State::Proceeding {
            return;
        }
        match class {
            Class::Trying | Class::Provisional => {}
            Class::Success => {
                self.timers.set(Timer::L, now + pace.patience());
                self.state = State::Accepted;
            }
            Class::Failure => {
                if !self.transport.is_reliable() {
                    self.timers.set(Timer::G, now + pace.t1);
                }
                self.timers.set(Timer::H, now + pace.patience());
                self.state = State::Completed { interval: pace.t1 };
            }
        }
    }

    /// The same INVITE came once more.
    pub(crate) fn on_repeat(&self) -> Act {
        match self.state {
            State::Proceeding | State::Completed { .. } => Act::Resend,
            State::Accepted | State::Confirmed | State::Terminated => Act::Nothing,
        }
    }

    pub(crate) fn on_ack(&mut self, now: Instant, pace: &Pace) -> Act {
        match self.state {
            State::Completed { .. } => {
                self.timers.stop_all();
                let linger = if self.transport.is_reliable() { Duration::ZERO } else { pace.t4 };
                self.timers.set(Timer::I, now + linger);
                self.state = State::Confirmed;
                Act::Nothing
            }
            // A caller that gives the ACK of a 2xx the branch of its INVITE; RFC 6026 tells us to take it.
            State::Accepted => Act::Pass,
            State::Proceeding | State::Confirmed | State::Terminated => Act::Nothing,
        }
    }

    pub(crate) fn on_timer(&mut self, timer: Timer, now: Instant, pace: &Pace) -> Act {
        use State::{Accepted, Completed, Confirmed};
        match (self.state, timer) {
            (Completed { interval }, Timer::G) => {
                let interval = pace.slower(interval);
                self.timers.set(Timer::G, now + interval);
                self.state = Completed { interval };
                Act::Resend
            }
            (Completed { .. }, Timer::H) | (Confirmed, Timer::I) | (Accepted, Timer::L) => {
                self.timers.stop_all();
                self.state = State::Terminated;
                Act::Over
            }
            _ => Act::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, pace};
    use super::*;

    fn story() -> Story<InviteServer> {
        Story::of(InviteServer::start(Transport::Udp))
    }

    #[test]
    fn a_refusal_is_repeated_until_timer_h() {
        let mut story = story();
        story.machine.respond(Class::Failure, Instant::START, &pace());
        story.runs(
            "10 G Resend, 30 G Resend, 70 G Resend, 150 G Resend, 230 G Resend, 310 G Resend, 390 G Resend, \
             470 G Resend, 550 G Resend, 630 G Resend, 640 H Over",
        );
    }

    #[test]
    fn its_ack_ends_the_repetition() {
        let mut story = story();
        story.machine.respond(Class::Failure, Instant::START, &pace());
        assert_eq!(story.machine.on_repeat(), Act::Resend);
        assert_eq!(story.machine.on_ack(Instant::from_millis(5), &pace()), Act::Nothing);
        assert_eq!(story.machine.on_repeat(), Act::Nothing);
        story.runs("105 I Over");
    }

    #[test]
    fn an_accepted_invite_absorbs_its_echoes_and_passes_the_ack_on() {
        let mut story = story();
        assert_eq!(story.machine.on_repeat(), Act::Resend);
        story.machine.respond(Class::Success, Instant::START, &pace());
        assert_eq!(story.machine.on_repeat(), Act::Nothing);
        assert_eq!(story.machine.on_ack(Instant::from_millis(5), &pace()), Act::Pass);
        story.runs("640 L Over");
    }

    #[test]
    fn by_a_connection_a_refusal_is_sent_once() {
        let mut story = Story::of(InviteServer::start(Transport::Tcp));
        story.machine.respond(Class::Failure, Instant::START, &pace());
        story.runs("640 H Over");
        let mut story = Story::of(InviteServer::start(Transport::Tcp));
        story.machine.respond(Class::Failure, Instant::START, &pace());
        assert_eq!(story.machine.on_ack(Instant::from_millis(5), &pace()), Act::Nothing);
        story.runs("5 I Over");
    }
}
