//! Client transaction of any request but INVITE (RFC 3261 17.1.2).
//!
//! ```text
//! Trying ─1xx─▶ Proceeding ─1xx─▶ Proceeding     E: resend, F: timed out
//!    └──200-699────┴─▶ Completed ─any─▶ nothing   K: over
//! ```
//!
//! By a reliable transport there is no timer E, and K is zero.

use std::time::Duration;

use base::time::Instant;

use super::{Act, Class};
use crate::timer::{Pace, Timer, Timers};
use crate::transport::Transport;

pub(crate) struct PlainClient {
    state: State,
    transport: Transport,
    pub(crate) timers: Timers,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Trying { interval: Duration },
    Proceeding,
    Completed,
    Terminated,
}

impl PlainClient {
    /// The request was just sent.
    pub(crate) fn start(transport: Transport, now: Instant, pace: &Pace) -> Self {
        let mut timers = Timers::default();
        if !transport.is_reliable() {
            timers.set(Timer::E, now + pace.t1);
        }
        timers.set(Timer::F, now + pace.patience());
        Self { state: State::Trying { interval: pace.t1 }, transport, timers }
    }

    /// Whether nothing was heard yet.
    pub(crate) fn is_unheard(&self) -> bool {
        matches!(self.state, State::Trying { .. })
    }

    /// Nobody can be reached that way. The machine is over, as if time had run out.
    pub(crate) fn give_up(&mut self) {
        self.end(Act::TimedOut);
    }

    /// Whether the machine may be dropped.
    pub(crate) fn is_over(&self) -> bool {
        self.state == State::Terminated
    }

    pub(crate) fn on_response(&mut self, class: Class, now: Instant, pace: &Pace) -> Act {
        use State::{Completed, Proceeding, Terminated, Trying};
        match (self.state, class) {
            (Trying { .. } | Proceeding, Class::Trying | Class::Provisional) => {
                self.state = Proceeding;
                Act::Nothing
            }
            (Trying { .. } | Proceeding, Class::Success | Class::Failure) => {
                self.timers.stop_all();
                let linger = if self.transport.is_reliable() { Duration::ZERO } else { pace.t4 };
                self.timers.set(Timer::K, now + linger);
                self.state = Completed;
                Act::Pass
            }
            (Completed | Terminated, _) => Act::Nothing,
        }
    }

    pub(crate) fn on_timer(&mut self, timer: Timer, now: Instant, pace: &Pace) -> Act {
        use State::{Completed, Proceeding, Trying};
        match (self.state, timer) {
            (Trying { interval }, Timer::E) => {
                let interval = pace.slower(interval);
                self.timers.set(Timer::E, now + interval);
                self.state = Trying { interval };
                Act::Resend
            }
            (Proceeding, Timer::E) => {
                self.timers.set(Timer::E, now + pace.t2);
                Act::Resend
            }
            (Trying { .. } | Proceeding, Timer::F) => self.end(Act::TimedOut),
            (Completed, Timer::K) => self.end(Act::Over),
            _ => Act::Nothing,
        }
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

    fn story() -> Story<PlainClient> {
        Story::of(PlainClient::start(Transport::Udp, Instant::START, &pace()))
    }

    #[test]
    fn a_request_into_silence_slows_down_to_t2_and_is_given_up_after_64_t1() {
        // T1 is 10 ms and T2 is 80 ms here.
        story().runs(
            "10 E Resend, 30 E Resend, 70 E Resend, 150 E Resend, 230 E Resend, 310 E Resend, 390 E Resend, \
             470 E Resend, 550 E Resend, 630 E Resend, 640 F TimedOut",
        );
    }

    #[test]
    fn a_provisional_slows_it_to_t2() {
        let mut story = story();
        story.at(5).hears(100, Act::Nothing);
        story.runs(
            "10 E Resend, 90 E Resend, 170 E Resend, 250 E Resend, 330 E Resend, 410 E Resend, 490 E Resend, \
             570 E Resend, 640 F TimedOut",
        );
    }

    #[test]
    fn the_first_final_counts_and_its_echoes_do_not() {
        let mut story = story();
        story.at(5).hears(200, Act::Pass);
        story.at(6).hears(200, Act::Nothing);
        story.runs("105 K Over");
        assert!(story.machine.is_over());
    }

    #[test]
    fn by_a_connection_nothing_is_sent_again_and_nothing_lingers() {
        let by_tls = || Story::of(PlainClient::start(Transport::Tls, Instant::START, &pace()));
        by_tls().runs("640 F TimedOut");
        let mut story = by_tls();
        story.at(5).hears(200, Act::Pass);
        story.runs("5 K Over");
    }
}
