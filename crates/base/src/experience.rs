//! How calls went lately, told by the permit that rides with each of them.
//!
//! Rules that look at an app's conduct or at a trunk's health may not ask the journal, which lies to their right. So
//! the permit brings back how its call went, as it brings back the ports.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::time::Timestamp;

/// How one call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// When it ended.
    pub at: Timestamp,
    /// How long the parties it was for could hear each other, or the platform; `None` when that never came about.
    pub talked: Option<Duration>,
    /// What the trunk did.
    pub trunk: TrunkNews,
}

/// What a call tells of its trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrunkNews {
    /// It did its work, whatever the parties did.
    Worked,
    /// It failed with that SIP status; 408 when it said nothing at all.
    Failed(u16),
    /// Nothing: nobody was dialled.
    Unknown,
}

/// The outcomes of an app's last calls. Bounded; forgets what is older than an hour.
#[derive(Debug, Default)]
pub struct Conducted(Mutex<VecDeque<(Timestamp, Option<Duration>)>>);

impl Conducted {
    /// Nothing known yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(VecDeque::new()))
    }

    /// How long each call of the last hour was talked, `None` for those that nobody answered; oldest first.
    #[must_use]
    pub fn lately(&self, now: Timestamp) -> Vec<Option<Duration>> {
        let known = self.locked();
        known.iter().filter(|(at, _)| now.since(*at) < MEMORY).map(|(_, talked)| *talked).collect()
    }

    fn note(&self, outcome: &Outcome) {
        let mut known = self.locked();
        if known.len() == OUTCOMES {
            known.pop_front();
        }
        known.push_back((outcome.at, outcome.talked));
    }

    fn locked(&self) -> MutexGuard<'_, VecDeque<(Timestamp, Option<Duration>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the trunk works, as the last calls found it.
#[derive(Debug, Default)]
pub struct TrunkHealth(Mutex<Health>);

#[derive(Debug, Default)]
struct Health {
    /// Calls that failed by the trunk since one worked.
    failures: u32,
    /// The last of them: its SIP status and its time.
    last: Option<(u16, Timestamp)>,
}

impl TrunkHealth {
    /// Nothing known yet: it works.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(Health { failures: 0, last: None }))
    }

    /// The SIP status with which the trunk fails; `None` while it is worth a try. After a pause it is tried again.
    #[must_use]
    pub fn failing(&self, now: Timestamp) -> Option<u16> {
        let health = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (status, at) = health.last.filter(|_| health.failures >= FAILURES)?;
        (now.since(at) < PAUSE).then_some(status)
    }

    fn note(&self, outcome: &Outcome) {
        let mut health = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome.trunk {
            TrunkNews::Worked => *health = Health::default(),
            TrunkNews::Failed(status) => {
                health.failures = health.failures.saturating_add(1);
                health.last = Some((status, outcome.at));
            }
            TrunkNews::Unknown => {}
        }
    }
}

/// Everything that learns from a call's outcome.
pub(crate) fn note(outcome: &Outcome, app: &Conducted, trunk: &TrunkHealth) {
    app.note(outcome);
    trunk.note(outcome);
}

/// Outcomes that are remembered of an app: enough for a rate, little enough to be counted anew for each order.
const OUTCOMES: usize = 1_000;

/// How long an outcome is remembered. A rule that refuses learns nothing new, so what it knows must wear off.
const MEMORY: Duration = Duration::from_secs(3_600);

/// Calls in a row that a trunk must fail before nobody is sent to it any more.
const FAILURES: u32 = 5;

/// How long nobody is sent to a failing trunk.
const PAUSE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1_000)
    }

    fn outcome(secs: i64, trunk: TrunkNews) -> Outcome {
        Outcome { at: at(secs), talked: None, trunk }
    }

    #[test]
    fn a_trunk_that_fails_again_and_again_gets_a_pause() {
        let health = TrunkHealth::new();
        for secs in 0..5 {
            assert_eq!(health.failing(at(secs)), None);
            health.note(&outcome(secs, TrunkNews::Failed(503)));
        }
        assert_eq!(health.failing(at(5)), Some(503));
        assert_eq!(health.failing(at(14)), None, "it is tried again");
        health.note(&outcome(15, TrunkNews::Failed(500)));
        assert_eq!(health.failing(at(16)), Some(500));
        health.note(&outcome(26, TrunkNews::Worked));
        assert_eq!(health.failing(at(26)), None);
    }

    #[test]
    fn outcomes_wear_off() {
        let app = Conducted::new();
        app.note(&Outcome { at: at(0), talked: Some(Duration::from_secs(9)), trunk: TrunkNews::Worked });
        app.note(&outcome(10, TrunkNews::Unknown));
        assert_eq!(app.lately(at(20)), [Some(Duration::from_secs(9)), None]);
        assert_eq!(app.lately(at(3_605)), [None]);
    }
}
