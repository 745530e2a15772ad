//! How a host fares, and whether it is worth an attempt: the circuit breaker of pushes. Pure.
//!
//! ```text
//! Working ─ ten failures in a row ─▶ Resting (5 s) ─ then ─▶ Probing: one attempt ─ it answers ─▶ Working
//!                                       ▲                       │
//!                                       └─ a failure: twice as long, up to a minute
//! ```
//!
//! A failure is no answer in HTTP. A host that answers works, whatever it says: its places are free at once, and the push
//! has had the attempt that it is owed.

use std::time::Duration;

use base::limits::PUSHES_PER_HOST;
use base::time::Timestamp;

/// What an attempt says of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It answers.
    Well,
    /// It gives no answer.
    Ill,
    /// Nothing: we did not get as far as asking it.
    Nothing,
}

/// How a host fares.
#[derive(Debug, Default)]
pub(crate) struct Health {
    state: State,
    /// Attempts in a row that it failed.
    failures: u32,
    /// When the first of them failed.
    failing_since: Option<Timestamp>,
    /// What went wrong at the last attempt that came to nothing, whosever fault it was, and when.
    last_fault: Option<(Timestamp, Box<str>)>,
    rests: u32,
    taken: u64,
    failed: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Working,
    Resting {
        until: Timestamp,
    },
    Probing,
}

/// Whether a host is sent anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostCondition {
    /// It is.
    Working,
    /// Nothing until then, because it failed again and again.
    Resting {
        /// When it is tried again.
        until: Timestamp,
    },
    /// One push, to see whether it works again.
    Probing,
}

/// What is known of a host, since this process knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostState {
    /// Its name or address.
    pub host: Box<str>,
    /// Whether it is sent anything.
    pub condition: HostCondition,
    /// Messages in a row that it gave no answer to.
    pub failures: u32,
    /// When the first of them failed.
    pub failing_since: Option<Timestamp>,
    /// What went wrong at the last message that came to nothing, and when; nothing in it was written by the receiver.
    pub last_fault: Option<(Timestamp, Box<str>)>,
    /// Messages that it took.
    pub taken: u64,
    /// Messages that came to nothing.
    pub failed: u64,
    /// Messages that are on their way.
    pub in_flight: usize,
    /// Pushes that are held in memory for it.
    pub held: usize,
}

impl Health {
    /// How many messages may be on their way to it.
    pub(crate) const fn places(&self) -> usize {
        match self.state {
            State::Working => PUSHES_PER_HOST,
            State::Resting { .. } => 0,
            State::Probing => 1,
        }
    }

    /// A message was taken.
    pub(crate) fn took(&mut self) {
        self.taken += 1;
        self.recover();
    }

    /// A message came to nothing. Gives until when the host rests, if it begins to.
    pub(crate) fn failed(&mut self, sign: Sign, why: &str, now: Timestamp) -> Option<Timestamp> {
        self.failed += 1;
        self.last_fault = Some((now, why.into()));
        match sign {
            Sign::Well => self.recover(),
            Sign::Nothing => {}
            Sign::Ill => {
                self.failures += 1;
                self.failing_since.get_or_insert(now);
                match self.state {
                    State::Working if self.failures < FAILURES => {}
                    State::Working | State::Probing => return Some(self.rest(now)),
                    // It was on its way when the rest began.
                    State::Resting { .. } => {}
                }
            }
        }
        None
    }

    /// Lets one message go if the host has rested until then, and says whether it does so now.
    pub(crate) fn probe(&mut self, now: Timestamp) -> bool {
        let State::Resting { until } = self.state else { return false };
        let over = until <= now;
        if over {
            self.state = State::Probing;
        }
        over
    }

    /// How long a push of a host that rests waits in the database: the longer, the longer it has failed.
    pub(crate) fn wait(&self, now: Timestamp) -> Duration {
        let failing = self.failing_since.map_or(Duration::ZERO, |since| now.since(since));
        (failing / 2).clamp(FIRST_REST, LONGEST_WAIT)
    }

    /// Whether the host rests although it was tried again after that time.
    pub(crate) fn is_away_since(&self, time: Timestamp) -> bool {
        let tried = self.last_fault.as_ref().is_some_and(|(at, _)| *at >= time);
        tried && matches!(self.state, State::Resting { .. })
    }

    /// What went wrong at last.
    pub(crate) fn last_fault(&self) -> &str {
        self.last_fault.as_ref().map_or("", |(_, why)| why)
    }

    /// What is known, with what is under way.
    pub(crate) fn told(&self, host: &str, in_flight: usize, held: usize) -> HostState {
        HostState {
            host: host.into(),
            condition: match self.state {
                State::Working => HostCondition::Working,
                State::Resting { until } => HostCondition::Resting { until },
                State::Probing => HostCondition::Probing,
            },
            failures: self.failures,
            failing_since: self.failing_since,
            last_fault: self.last_fault.clone(),
            taken: self.taken,
            failed: self.failed,
            in_flight,
            held,
        }
    }

    fn recover(&mut self) {
        self.state = State::Working;
        self.failures = 0;
        self.failing_since = None;
        self.rests = 0;
    }

    fn rest(&mut self, now: Timestamp) -> Timestamp {
        let doubled = 2_u32.saturating_pow(self.rests);
        let until = now + FIRST_REST.saturating_mul(doubled).min(LONGEST_REST);
        self.rests += 1;
        self.state = State::Resting { until };
        until
    }
}

/// Failures in a row after which a host rests: more than it has places, so that one bad moment is not enough. One that
/// fails every second time comes to that once in a thousand messages.
const FAILURES: u32 = 10;

/// The first rest.
const FIRST_REST: Duration = Duration::from_secs(5);

/// The longest rest: a receiver that is back is found within a minute.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// The longest that a push of a host that rests waits before it is looked at again: a hundred thousand of them are some
/// hundred rows a second.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn secs(secs: u64) -> Timestamp {
        NOW + Duration::from_secs(secs)
    }

    fn ill(health: &mut Health, at: Timestamp) -> Option<Timestamp> {
        health.failed(Sign::Ill, "no answer", at)
    }

    fn resting() -> Health {
        let mut health = Health::default();
        for failure in 1..=FAILURES {
            assert_eq!(ill(&mut health, NOW), (failure == FAILURES).then(|| secs(5)));
        }
        health
    }

    #[test]
    fn ten_failures_in_a_row_are_a_rest_and_nine_are_none() {
        let mut health = Health::default();
        for _ in 0..3 {
            (1..FAILURES).for_each(|_| assert_eq!(ill(&mut health, NOW), None));
            health.took();
        }
        assert_eq!(health.places(), PUSHES_PER_HOST);
        assert_eq!(resting().places(), 0);
    }

    #[test]
    fn a_host_that_answers_works_whatever_it_says() {
        let mut health = Health::default();
        for _ in 0..100 {
            assert_eq!(health.failed(Sign::Well, "HTTP 404", NOW), None);
            assert_eq!(health.failed(Sign::Nothing, "the push cannot be put into HTTP", NOW), None);
        }
        assert_eq!((health.places(), health.failed), (PUSHES_PER_HOST, 200));
    }

    #[test]
    fn rests_get_longer_until_a_probe_is_answered() {
        let (mut health, mut now) = (resting(), secs(0));
        for rest in [5, 10, 20, 40, 60, 60] {
            assert!(!health.probe(now + Duration::from_secs(rest) - Duration::from_millis(1)));
            now = now + Duration::from_secs(rest);
            assert!(health.probe(now));
            assert_eq!(health.places(), 1);
            ill(&mut health, now);
            assert_eq!(health.places(), 0);
        }
        // What was on its way when the rest began may come to nothing too, or be the good news.
        assert_eq!(ill(&mut health, now), None);
        health.took();
        assert_eq!(health.places(), PUSHES_PER_HOST);
        assert!(!health.probe(now + LONGEST_REST), "a rest that was broken off ends no more");
        (1..FAILURES).for_each(|_| assert_eq!(ill(&mut health, now), None));
        assert_eq!(ill(&mut health, now), Some(now + FIRST_REST), "and the next one is a first one");
    }

    #[test]
    fn pushes_wait_for_half_the_time_that_their_host_has_failed() {
        let health = resting();
        let waits = [0, 4, 60, 1_200, 100_000].map(|at| health.wait(secs(at)).as_secs());
        assert_eq!(waits, [5, 5, 30, 600, 600]);
        assert!(health.is_away_since(NOW) && !health.is_away_since(secs(1)));
        assert!(!Health::default().is_away_since(NOW));
    }
}
