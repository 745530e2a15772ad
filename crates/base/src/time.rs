//! The two kinds of time. Neither can ask the system: whoever owns a socket or a thread passes `now` in.

use std::ops::{Add, Sub};
use std::time::Duration;

use chrono::{DateTime, FixedOffset, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

/// A point on a clock that only moves forward: microseconds since the process (or the simulated world) began.
///
/// Timers, deadlines and durations use it; a step of the wall clock does not touch them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The beginning of the world.
    pub const START: Self = Self(0);

    /// The instant `micros` microseconds after the beginning.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The instant `millis` milliseconds after the beginning.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000)
    }

    /// Microseconds since the beginning.
    #[must_use]
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)))
    }
}

/// A point on the wall clock: microseconds since 1970-01-01T00:00:00Z. Facts carry it; timers never use it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `micros` microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The moment `millis` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis * 1_000)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, rounded down.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads a UTC time by a chrono format such as `%Y-%m-%dT%H:%M:%SZ`; `None` when the text does not fit it.
    #[must_use]
    pub fn parse(text: &str, format: &str) -> Option<Self> {
        let civil = NaiveDateTime::parse_from_str(text, format).ok()?;
        Some(Self(civil.and_utc().timestamp_micros()))
    }

    /// Writes the time in UTC by a chrono format.
    #[must_use]
    pub fn print(self, format: &str) -> String {
        self.civil().format(format).to_string()
    }

    /// Writes the time as clocks in Beijing show it (UTC+8, no daylight saving) by a chrono format.
    #[must_use]
    pub fn print_beijing(self, format: &str) -> String {
        const EIGHT_HOURS: i32 = 8 * 3600;
        let beijing = FixedOffset::east_opt(EIGHT_HOURS).expect("eight hours is a valid offset");
        self.civil().with_timezone(&beijing).format(format).to_string()
    }

    fn civil(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_never_runs_backwards() {
        let early = Instant::from_millis(10);
        let late = early + Duration::from_millis(5);
        assert_eq!(late.since(early), Duration::from_millis(5));
        assert_eq!(early.since(late), Duration::ZERO);
    }

    #[test]
    fn beijing_is_eight_hours_ahead() {
        let noon = Timestamp::parse("2026-01-02T20:04:05Z", "%Y-%m-%dT%H:%M:%SZ").unwrap();
        assert_eq!(noon.print("%Y-%m-%d %H:%M:%S"), "2026-01-02 20:04:05");
        assert_eq!(noon.print_beijing("%Y%m%d%H%M%S"), "20260103040405");
    }
}
