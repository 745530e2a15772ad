//! How calls went lately, told by the permit that rides with each of them.
//!
//! Rules that look at an app's conduct may not ask the journal, which lies to their right. So the permit brings back how
//! its call went, as it brings back the ports.

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

    pub(crate) fn note(&self, outcome: &Outcome) {
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

/// Outcomes that are remembered of an app: enough for a rate, little enough to be counted anew for each order.
const OUTCOMES: usize = 1_000;

/// How long an outcome is remembered. A rule that refuses learns nothing new, so what it knows must wear off.
const MEMORY: Duration = Duration::from_secs(3_600);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1_000)
    }

    #[test]
    fn outcomes_wear_off() {
        let app = Conducted::new();
        app.note(&Outcome { at: at(0), talked: Some(Duration::from_secs(9)) });
        app.note(&Outcome { at: at(10), talked: None });
        assert_eq!(app.lately(at(20)), [Some(Duration::from_secs(9)), None]);
        assert_eq!(app.lately(at(3_605)), [None]);
    }
}
