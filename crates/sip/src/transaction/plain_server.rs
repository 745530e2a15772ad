//! Server transaction of any request but INVITE and ACK (RFC 3261 17.2.2).
//!
//! ```text
//! Trying ─we send 200-699─▶ Completed ─same request─▶ resend   J: over
//! ```
//!
//! By a reliable transport J is zero. We send no provisional to such requests (RFC 4320), so the RFC's Proceeding is not needed.

use std::time::Duration;

use base::time::Instant;

use super::Act;
use crate::timer::{Pace, Timer, Timers};
use crate::transport::Transport;

pub(crate) struct PlainServer {
    state: State,
    transport: Transport,
    pub(crate) timers: Timers,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Trying,
    Completed,
    Terminated,
}

impl PlainServer {
    /// A request has just come.
    pub(crate) fn start(transport: Transport) -> Self {
        Self { state: State::Trying, transport, timers: Timers::default() }
    }

    /// Whether no response was sent.
    pub(crate) fn is_trying(&self) -> bool {
        self.state == State::Trying
    }

    /// Whether the machine may be dropped.
    pub(crate) fn is_over(&self) -> bool {
        self.state == State::Terminated
    }

    /// The owner sends its final response.
    pub(crate) fn respond(&mut self, now: Instant, pace: &Pace) {
        if self.state == State::Trying {
            let linger = if self.transport.is_reliable() { Duration::ZERO } else { pace.patience() };
            self.timers.set(Timer::J, now + linger);
            self.state = State::Completed;
        }
    }

    /// The same request came once more.
    pub(crate) fn on_repeat(&self) -> Act {
        match self.state {
            State::Completed => Act::Resend,
            State::Trying | State::Terminated => Act::Nothing,
        }
    }

    pub(crate) fn on_timer(&mut self, timer: Timer) -> Act {
        match (self.state, timer) {
            (State::Completed, Timer::J) => {
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

    #[test]
    fn a_response_is_kept_for_64_t1() {
        let mut story = Story::of(PlainServer::start(Transport::Udp));
        assert_eq!(story.machine.on_repeat(), Act::Nothing);
        story.machine.respond(Instant::START, &pace());
        assert_eq!(story.machine.on_repeat(), Act::Resend);
        story.runs("640 J Over");
        assert_eq!(story.machine.on_repeat(), Act::Nothing);
    }
}
