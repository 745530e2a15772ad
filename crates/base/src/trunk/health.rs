//! How a trunk is: as the calls that took it found, and as it answers when it is asked.

use std::net::SocketAddr;
use std::time::Duration;

use crate::time::Timestamp;

use super::{Rank, TRUNK_ADDRESSES, TrunkNews};

/// Whether a trunk is worth a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrunkState {
    /// It works, as far as anybody knows.
    Working,
    /// It asked to be left alone for a while; it is taken only where there is no other way.
    Paused,
    /// It failed several calls in a row; nobody is sent to it for a moment.
    Failing,
    /// None of its addresses answers when it is asked.
    Down,
    /// It wants us to be registered, and we are not.
    Unregistered,
    /// It has no address yet: its name is not resolved.
    Unresolved,
}

impl TrunkState {
    /// How it ranks among others; `None` when nothing can be sent to it at all.
    pub(super) const fn rank(self) -> Option<Rank> {
        match self {
            Self::Working => Some(Rank::Open),
            Self::Paused => Some(Rank::Paused),
            Self::Failing | Self::Down | Self::Unregistered => Some(Rank::Failing),
            Self::Unresolved => None,
        }
    }
}

/// How a trunk is at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Whether it is worth a try.
    pub state: TrunkState,
    /// Since when.
    pub since: Timestamp,
    /// The SIP status with which it failed last; `None` when it never did, or worked since. 408: it said nothing.
    pub status: Option<u16>,
}

/// What is known of a trunk.
#[derive(Debug)]
pub struct Health {
    /// Attempts that it failed since one worked, and the last of them.
    failures: u32,
    last: Option<(u16, Timestamp)>,
    /// When it had failed so many.
    failing_since: Timestamp,
    /// The pause that it asked for: from when to when.
    pause: Option<(Timestamp, Timestamp)>,
    addresses: u8,
    /// The addresses that do not answer when they are asked: a bit for each.
    silent: u8,
    silent_since: Timestamp,
    /// Our registration with it, where it wants one.
    registration: Option<Registration>,
    /// When it last began to work after it had not answered, or was not there.
    well_since: Timestamp,
}

/// A registration that a trunk wants.
#[derive(Clone, Copy, Debug)]
struct Registration {
    /// When the last one ends, or ended; before the first one, when it was first wanted.
    until: Timestamp,
    /// The SIP status of the last try, when that failed.
    status: Option<u16>,
    /// The address that the trunk saw us register from at last.
    seen_as: Option<SocketAddr>,
}

/// What became of a try to register with a trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationNews {
    /// We are registered.
    Registered {
        /// For so long, if no other try succeeds.
        lasts: Duration,
        /// The address that it saw us register from, where it says so.
        seen_as: Option<SocketAddr>,
    },
    /// It failed. What was registered before stays so until its time is over.
    Failed {
        /// With that SIP status; 408 when nothing came back.
        status: u16,
    },
}

impl Health {
    /// A trunk without an address of which nothing is known.
    #[must_use]
    pub const fn new(now: Timestamp) -> Self {
        Self {
            failures: 0,
            last: None,
            failing_since: now,
            pause: None,
            addresses: 0,
            silent: 0,
            silent_since: now,
            registration: None,
            well_since: now,
        }
    }

    /// How it is.
    #[must_use]
    pub fn condition(&self, now: Timestamp) -> Condition {
        let status = self.last.map(|(status, _)| status);
        if self.addresses == 0 {
            return Condition { state: TrunkState::Unresolved, since: self.silent_since, status: None };
        }
        if self.is_down() {
            return Condition { state: TrunkState::Down, since: self.silent_since, status: Some(TIMED_OUT) };
        }
        if let Some(Registration { until, status, .. }) = self.registration
            && now >= until
        {
            return Condition { state: TrunkState::Unregistered, since: until, status };
        }
        let failing_until = self.last.filter(|_| self.failures >= FAILURES).map(|(_, at)| at + PAUSE);
        if failing_until.is_some_and(|until| now < until) {
            return Condition { state: TrunkState::Failing, since: self.failing_since, status };
        }
        if let Some((since, until)) = self.pause
            && now < until
        {
            return Condition { state: TrunkState::Paused, since, status };
        }
        let paused_until = self.pause.map(|(_, until)| until);
        let ends = [failing_until, paused_until].into_iter().flatten();
        let since = ends.fold(self.well_since, Timestamp::max);
        Condition { state: TrunkState::Working, since, status }
    }

    /// Learns from an attempt.
    pub fn learn(&mut self, news: TrunkNews, now: Timestamp) {
        match news {
            TrunkNews::Worked if self.failures == 0 => {}
            TrunkNews::Worked => {
                let was_failing = self.failures >= FAILURES;
                (self.failures, self.last) = (0, None);
                if was_failing {
                    self.well_since = now;
                }
            }
            TrunkNews::Failed { status, pause } => {
                self.failures = self.failures.saturating_add(1);
                self.last = Some((status, now));
                if self.failures == FAILURES {
                    self.failing_since = now;
                }
                if let Some(pause) = pause {
                    let until = now + pause.min(PAUSE_MAX);
                    self.pause = Some((now, until.max(self.pause.map_or(until, |(_, until)| until))));
                }
            }
        }
    }

    /// It wants us to be registered, which we are not yet.
    pub const fn wants_registration(&mut self, now: Timestamp) {
        self.registration = Some(Registration { until: now, status: None, seen_as: None });
    }

    /// Learns from a try to register.
    pub fn registers(&mut self, news: RegistrationNews, now: Timestamp) {
        let Some(registration) = &mut self.registration else { return };
        match news {
            RegistrationNews::Registered { lasts, seen_as } => {
                if now >= registration.until {
                    self.well_since = now;
                }
                *registration = Registration { until: now + lasts, status: None, seen_as };
            }
            RegistrationNews::Failed { status } => registration.status = Some(status),
        }
    }

    /// The address that it saw us register from at last, where it wants that and says so.
    #[must_use]
    pub fn seen_as(&self) -> Option<SocketAddr> {
        self.registration.and_then(|registration| registration.seen_as)
    }

    /// It has so many addresses from now on, of which nothing is known.
    pub fn has_addresses(&mut self, addresses: usize, now: Timestamp) {
        let was_there = self.addresses > 0 && !self.is_down();
        self.addresses = u8::try_from(addresses.min(TRUNK_ADDRESSES)).unwrap_or(0);
        self.silent = 0;
        match (was_there, self.addresses > 0) {
            (false, true) => self.well_since = now,
            (true, false) => self.silent_since = now,
            (true, true) | (false, false) => {}
        }
    }

    /// Whether one of its addresses answers when it is asked.
    pub fn answers(&mut self, address: usize, answers: bool, now: Timestamp) {
        if address >= usize::from(self.addresses) {
            return;
        }
        let was_down = self.is_down();
        if answers {
            self.silent &= !(1 << address);
        } else {
            self.silent |= 1 << address;
        }
        match (was_down, self.is_down()) {
            (false, true) => self.silent_since = now,
            (true, false) => self.well_since = now,
            (true, true) | (false, false) => {}
        }
    }

    /// Whether one of its addresses did not answer when it was last asked.
    #[must_use]
    pub const fn is_silent(&self, address: usize) -> bool {
        address < TRUNK_ADDRESSES && self.silent >> address & 1 == 1
    }

    const fn is_down(&self) -> bool {
        self.addresses > 0 && self.silent.count_ones() == self.addresses as u32
    }
}

/// Attempts in a row that a trunk must fail before nobody is sent to it any more.
const FAILURES: u32 = 5;

/// How long nobody is sent to a failing trunk.
const PAUSE: Duration = Duration::from_secs(10);

/// The longest pause that a trunk is given: what asks for more is a mistake, and its calls would be nobody's.
const PAUSE_MAX: Duration = Duration::from_secs(600);

/// The status of a trunk that said nothing.
const TIMED_OUT: u16 = 408;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1_000)
    }

    fn trunk(addresses: usize) -> Health {
        let mut health = Health::new(at(0));
        health.has_addresses(addresses, at(0));
        health
    }

    const fn failed(status: u16) -> TrunkNews {
        TrunkNews::Failed { status, pause: None }
    }

    fn told(health: &Health, secs: i64) -> (TrunkState, i64, Option<u16>) {
        let Condition { state, since, status } = health.condition(at(secs));
        (state, since.secs(), status)
    }

    #[test]
    fn a_trunk_that_fails_again_and_again_gets_a_pause() {
        let mut health = trunk(1);
        for secs in 0..5 {
            assert_eq!(told(&health, secs).0, TrunkState::Working);
            health.learn(failed(503), at(secs));
        }
        assert_eq!(told(&health, 5), (TrunkState::Failing, 4, Some(503)));
        assert_eq!(told(&health, 14), (TrunkState::Working, 14, Some(503)), "it is tried again");
        health.learn(failed(500), at(15));
        assert_eq!(told(&health, 16), (TrunkState::Failing, 4, Some(500)));
        health.learn(TrunkNews::Worked, at(26));
        assert_eq!(told(&health, 26), (TrunkState::Working, 26, None));
    }

    #[test]
    fn a_pause_that_was_asked_for_is_given_and_no_longer_than_ten_minutes() {
        let mut health = trunk(1);
        health.learn(TrunkNews::Failed { status: 503, pause: Some(Duration::from_secs(30)) }, at(100));
        assert_eq!(told(&health, 129), (TrunkState::Paused, 100, Some(503)));
        assert_eq!(told(&health, 130), (TrunkState::Working, 130, Some(503)));
        health.learn(TrunkNews::Failed { status: 503, pause: Some(Duration::MAX) }, at(200));
        assert_eq!(told(&health, 799).0, TrunkState::Paused);
        assert_eq!(told(&health, 800).0, TrunkState::Working);
    }

    #[test]
    fn a_trunk_is_down_when_none_of_its_addresses_answers_and_returns_with_the_first() {
        let mut health = trunk(2);
        health.answers(0, false, at(10));
        assert_eq!((told(&health, 11).0, health.is_silent(0)), (TrunkState::Working, true));
        health.answers(1, false, at(20));
        health.answers(1, false, at(30));
        assert_eq!(told(&health, 31), (TrunkState::Down, 20, Some(408)));
        health.answers(0, true, at(40));
        assert_eq!(told(&health, 41), (TrunkState::Working, 40, None));
        health.answers(9, false, at(50));
        assert_eq!(told(&health, 51).0, TrunkState::Working);
    }

    #[test]
    fn a_trunk_whose_name_has_no_address_is_unresolved() {
        let mut health = Health::new(at(0));
        assert_eq!(told(&health, 1), (TrunkState::Unresolved, 0, None));
        health.has_addresses(1, at(5));
        assert_eq!(told(&health, 6), (TrunkState::Working, 5, None));
        health.has_addresses(0, at(9));
        assert_eq!(told(&health, 10), (TrunkState::Unresolved, 9, None));
        health.has_addresses(99, at(11));
        assert_eq!(health.addresses, 8);
    }

    #[test]
    fn a_trunk_that_wants_a_registration_is_worth_a_try_while_it_lasts() {
        let seen_as = "203.0.113.5:40000".parse().ok();
        let registered = RegistrationNews::Registered { lasts: Duration::from_secs(60), seen_as };
        let mut health = trunk(1);
        health.registers(RegistrationNews::Failed { status: 403 }, at(1));
        assert_eq!(told(&health, 1).0, TrunkState::Working, "nobody wants one");
        health.wants_registration(at(2));
        assert_eq!(told(&health, 3), (TrunkState::Unregistered, 2, None));
        health.registers(RegistrationNews::Failed { status: 403 }, at(4));
        assert_eq!(told(&health, 5), (TrunkState::Unregistered, 2, Some(403)));
        health.registers(registered, at(10));
        assert_eq!(told(&health, 11), (TrunkState::Working, 10, None));
        health.registers(registered, at(40));
        health.registers(RegistrationNews::Failed { status: 503 }, at(80));
        assert_eq!(told(&health, 99), (TrunkState::Working, 10, None), "the last one lasts");
        assert_eq!(health.seen_as(), seen_as);
        assert_eq!(told(&health, 100), (TrunkState::Unregistered, 100, Some(503)));
    }
}
