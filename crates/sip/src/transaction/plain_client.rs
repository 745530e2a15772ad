//! Client transaction of any request but INVITE (RFC 3261 17.1.2).
//!
//! ```text
//! Trying ─1xx─▶ Proceeding ─1xx─▶ Proceeding     E: resend, F: timed out
//!    └──200-699────┴─▶ Completed ─any─▶ nothing   K: over
//! ```

use std::time::Duration;

use base::time::Instant;

use super::{Act, Class};
use crate::timer::{Pace, Timer, Timers};

pub(crate) struct PlainClient {
    state: State,
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
    pub(crate) fn start(now: Instant, pace: &Pace) -> Self {
        let mut timers = Timers::default();
        timers.set(Timer::E, now + pace.t1);
        timers.set(Timer::F, now + pace.patience());
        Self { state: State::Trying { interval: pace.t1 }, timers }
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
                self.timers.set(Timer::K, now + pace.t4);
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
        Story::of(PlainClient::start(Instant::START, &pace()))
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
}
