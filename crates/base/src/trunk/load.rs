//! How much a trunk carries, and how much it may.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::Timestamp;

use super::Route;

/// What a trunk takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Its name.
    pub name: Box<str>,
    /// Which numbers.
    pub routes: Vec<Route>,
    /// How many calls at once, each leg of ours being one; `None`: any number.
    pub calls_max: Option<u32>,
    /// How many new calls in any second; `None`: any number.
    pub calls_per_second: Option<u32>,
}

impl Terms {
    /// A trunk that takes everything.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), routes: vec![Route::everything()], calls_max: None, calls_per_second: None }
    }
}

/// What a trunk carries.
#[derive(Debug, Default)]
pub(super) struct Load {
    calls: u32,
    /// When the calls of the last second began, oldest first; kept only where they are limited, and only so many.
    begun: VecDeque<Timestamp>,
}

impl Load {
    /// Takes a place; false when there is none.
    pub(super) fn take(&mut self, terms: &Terms, now: Timestamp) -> bool {
        if terms.calls_max.is_some_and(|max| self.calls >= max) || !self.may_begin(terms, now) {
            return false;
        }
        self.calls += 1;
        true
    }

    fn may_begin(&mut self, terms: &Terms, now: Timestamp) -> bool {
        let Some(max) = terms.calls_per_second else { return true };
        // A clock that was set back must not close the trunk: what is in its future is long ago.
        let is_past = |begun: &Timestamp| *begun > now || now.since(*begun) >= SECOND;
        while self.begun.front().is_some_and(is_past) {
            self.begun.pop_front();
        }
        let has_room = self.begun.len() < usize::try_from(max).unwrap_or(usize::MAX);
        if has_room {
            self.begun.push_back(now);
        }
        has_room
    }

    pub(super) fn give_back(&mut self) {
        self.calls = self.calls.saturating_sub(1);
    }

    pub(super) const fn calls(&self) -> u32 {
        self.calls
    }
}

/// What calls per second are counted over.
const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn no_second_has_more_calls_than_it_may() {
        let terms = Terms { calls_per_second: Some(3), ..Terms::new("slow") };
        let mut load = Load::default();
        let begun: Vec<i64> = (0..2_000).step_by(10).filter(|now| load.take(&terms, at(*now))).collect();
        assert_eq!(begun, [0, 10, 20, 1_000, 1_010, 1_020]);
        assert_eq!((load.calls(), load.begun.len()), (6, 3));
    }

    #[test]
    fn a_clock_that_is_set_back_closes_nothing() {
        let terms = Terms { calls_per_second: Some(1), ..Terms::new("slow") };
        let mut load = Load::default();
        assert!(load.take(&terms, at(1_000_000)));
        assert!(load.take(&terms, at(5)));
        assert!(!load.take(&terms, at(6)));
    }
}
