//! `[overload]`: from when on orders for calls are held back.

use std::time::Duration;

use admission::OverloadSettings;
use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

/// See the module. What is 0 is not looked at.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Overload {
    /// Milliseconds that our threads may be late.
    pub(crate) late_ms: u64,
    /// Milliseconds that an order may wait before the journal looks at it.
    pub(crate) journal_ms: u64,
    /// How much of the memory that this process may have it may use, in per cent.
    pub(crate) memory_percent: u8,
    /// Megabytes that the machine must have left.
    pub(crate) memory_free_mb: u64,
    /// Orders for calls a second, of all apps together.
    pub(crate) orders_per_second: u32,
}

impl Default for Overload {
    fn default() -> Self {
        let OverloadSettings { late, journal, memory_percent, memory_free, per_second } =
            OverloadSettings::default();
        Self {
            late_ms: millis(late),
            journal_ms: millis(journal),
            memory_percent: memory_percent.unwrap_or(0),
            memory_free_mb: memory_free >> MEGABYTE,
            orders_per_second: per_second.unwrap_or(0),
        }
    }
}

impl Overload {
    pub(super) fn check(&self) -> Result<()> {
        if self.memory_percent > 100 {
            bail!(
                "overload.memory_percent = {} is more than all: set 1 to 100, or 0 for no limit",
                self.memory_percent
            );
        }
        for (key, millis) in [("late_ms", self.late_ms), ("journal_ms", self.journal_ms)] {
            if millis > MILLIS_MAX {
                bail!("overload.{key} = {millis} is not from 1 to {MILLIS_MAX}: set 0 for no limit");
            }
        }
        Ok(())
    }

    /// The same for those who judge.
    pub(crate) fn settings(&self) -> OverloadSettings {
        let span = |millis: u64| (millis > 0).then(|| Duration::from_millis(millis));
        OverloadSettings {
            late: span(self.late_ms),
            journal: span(self.journal_ms),
            memory_percent: (self.memory_percent > 0).then_some(self.memory_percent),
            memory_free: self.memory_free_mb.saturating_mul(1 << MEGABYTE),
            per_second: (self.orders_per_second > 0).then_some(self.orders_per_second),
        }
    }
}

fn millis(span: Option<Duration>) -> u64 {
    u64::try_from(span.unwrap_or_default().as_millis()).unwrap_or(MILLIS_MAX)
}

/// Bits of a byte's number within a megabyte.
const MEGABYTE: u32 = 20;

/// Who waits for ten seconds hears nothing but silence.
const MILLIS_MAX: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_written_is_as_the_judge_has_it() {
        assert_eq!(Overload::default().settings(), OverloadSettings::default());
    }
}
