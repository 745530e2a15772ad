//! Leaves an engine alone for a while after it failed a few times in a row, so that callers do not wait for its deadline.
//!
//! ```text
//! Working ─FAILURES_MAX in a row─▶ Resting ─REST─▶ one is let through ─success─▶ Working
//!                                     ▲─────────────failure───┘
//! ```

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::voice::VoiceFault;

/// Counts failures in a row. Shared by all who ask one engine.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    failures: u32,
    /// Nobody asks before; `None` while it works.
    rests_until: Option<Instant>,
}

impl Breaker {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Whether the engine may be asked. After a rest one is let through, and the others when it has come back.
    pub(crate) fn admits(&self, now: Instant) -> Result<(), VoiceFault> {
        self.with(|state| match state.rests_until {
            Some(until) if now < until => Err(VoiceFault::Resting { failures: state.failures, rest: REST }),
            Some(_) => {
                state.rests_until = Some(now + REST);
                Ok(())
            }
            None => Ok(()),
        })
    }

    /// The engine has spoken. Says whether it had been resting.
    pub(crate) fn on_success(&self) -> bool {
        self.with(|state| std::mem::take(state).rests_until.is_some())
    }

    /// The engine has failed.
    pub(crate) fn on_failure(&self, now: Instant) {
        self.with(|state| {
            state.failures = state.failures.saturating_add(1);
            if state.failures >= FAILURES_MAX {
                state.rests_until = Some(now + REST);
            }
        });
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Failures in a row after which an engine is left alone.
const FAILURES_MAX: u32 = 5;

/// How long it is left alone.
const REST: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_keeps_failing_is_left_alone_and_tried_again() {
        let (breaker, start) = (Breaker::new(), Instant::now());
        for _ in 0..FAILURES_MAX {
            assert!(breaker.admits(start).is_ok());
            breaker.on_failure(start);
        }
        assert!(breaker.admits(start).is_err());
        let later = start + REST;
        assert!(breaker.admits(later).is_ok(), "one is let through");
        assert!(breaker.admits(later).is_err(), "and no other until it has come back");
        assert!(breaker.on_success());
        assert!(breaker.admits(later).is_ok());
        assert!(!breaker.on_success());
    }

    #[test]
    fn a_success_forgets_the_failures_before_it() {
        let (breaker, start) = (Breaker::new(), Instant::now());
        for _ in 0..10 {
            for _ in 1..FAILURES_MAX {
                breaker.on_failure(start);
            }
            breaker.on_success();
            assert!(breaker.admits(start).is_ok());
        }
    }
}
