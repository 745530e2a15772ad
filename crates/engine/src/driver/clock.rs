//! The one place of the engine that asks the system for the time.

use std::time::{Instant as StdInstant, SystemTime, UNIX_EPOCH};

use base::time::{Instant, Timestamp};

/// The clock of one engine: all its shards share the same beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: StdInstant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { start: StdInstant::now() }
    }

    /// Time since the engine began, plus one second so that no deadline is ever before the beginning.
    pub(crate) fn now(self) -> Instant {
        Instant::from_micros(1_000_000 + u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// What the wall clock says.
    pub(crate) fn wall() -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}
