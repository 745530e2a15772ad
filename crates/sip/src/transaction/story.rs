//! How the machines' tests tell a story: a clock, what is heard, and the whole list of what follows.

use std::time::Duration;

use base::time::Instant;

use super::invite_client::InviteClient;
use super::invite_server::InviteServer;
use super::plain_client::PlainClient;
use super::plain_server::PlainServer;
use super::{Act, Class};
use crate::timer::{Pace, Timer, Timers};

/// A pace of which every figure can be told from the others: 64*T1 is 640 ms.
pub(crate) fn pace() -> Pace {
    Pace {
        t1: Duration::from_millis(10),
        t2: Duration::from_millis(80),
        t4: Duration::from_millis(100),
        timer_c: Duration::from_secs(1),
    }
}

pub(crate) trait Machine {
    fn timers(&mut self) -> &mut Timers;
    fn fire(&mut self, timer: Timer, now: Instant) -> Act;
    fn hear(&mut self, class: Class, now: Instant) -> Act;
}

pub(crate) struct Story<M> {
    pub(crate) machine: M,
    now: Instant,
}

impl<M: Machine> Story<M> {
    pub(crate) fn of(machine: M) -> Self {
        Self { machine, now: Instant::START }
    }

    /// Moves the clock to `millis`.
    pub(crate) fn at(&mut self, millis: u64) -> &mut Self {
        self.now = Instant::from_millis(millis);
        self
    }

    /// The machine hears a response and does what is expected.
    pub(crate) fn hears(&mut self, status: u16, act: Act) {
        assert_eq!(self.machine.hear(Class::of(status), self.now), act, "on {status} at {:?}", self.now);
    }

    /// Lets the timers run until none is left or the machine needs its owner, and compares all that happened.
    pub(crate) fn runs(&mut self, expected: &str) {
        let mut seen = Vec::new();
        while let Some(at) = self.machine.timers().earliest() {
            let timer = self.machine.timers().take_due(at).expect("its time has come");
            let act = self.machine.fire(timer, at);
            seen.push(format!("{} {timer:?} {act:?}", at.micros() / 1_000));
        }
        assert_eq!(seen.join(", "), expected);
    }
}

impl Machine for InviteClient {
    fn timers(&mut self) -> &mut Timers {
        &mut self.timers
    }
    fn fire(&mut self, timer: Timer, now: Instant) -> Act {
        self.on_timer(timer, now, &pace())
    }
    fn hear(&mut self, class: Class, now: Instant) -> Act {
        self.on_response(class, now, &pace())
    }
}

impl Machine for PlainClient {
    fn timers(&mut self) -> &mut Timers {
        &mut self.timers
    }
    fn fire(&mut self, timer: Timer, now: Instant) -> Act {
        self.on_timer(timer, now, &pace())
    }
    fn hear(&mut self, class: Class, now: Instant) -> Act {
        self.on_response(class, now, &pace())
    }
}

impl Machine for InviteServer {
    fn timers(&mut self) -> &mut Timers {
        &mut self.timers
    }
    fn fire(&mut self, timer: Timer, now: Instant) -> Act {
        self.on_timer(timer, now, &pace())
    }
    fn hear(&mut self, _: Class, _: Instant) -> Act {
        unreachable!("a server hears requests")
    }
}

impl Machine for PlainServer {
    fn timers(&mut self) -> &mut Timers {
        &mut self.timers
    }
    fn fire(&mut self, timer: Timer, _: Instant) -> Act {
        self.on_timer(timer)
    }
    fn hear(&mut self, _: Class, _: Instant) -> Act {
        unreachable!("a server hears requests")
    }
}
