//! A bucket of tokens: so many a second, and so many at once after a rest.

use std::time::Duration;

use base::time::Timestamp;

/// Fills up all the time. Each request takes one token. `now` may step back, as the wall clock does.
#[derive(Debug)]
pub(crate) struct Bucket {
    per_second: u32,
    /// Millionths of a token that it holds when it is full.
    full: u64,
    /// Millionths of a token, as they were at `at`.
    micros: u64,
    at: Timestamp,
}

/// Millionths of a token in a token; as many microseconds are in a second.
const WHOLE: u64 = 1_000_000;

impl Bucket {
    /// A full bucket that fills up in that time; unless nothing ever comes into it, there is room for one token.
    pub(crate) fn new(per_second: u32, fills_in: Duration) -> Self {
        let full = full(per_second, fills_in);
        Self { per_second, full, micros: full, at: Timestamp::default() }
    }

    /// What it holds is kept, as far as there is room; from now on it fills at another rate.
    pub(crate) fn set(&mut self, per_second: u32, fills_in: Duration, now: Timestamp) {
        (self.micros, self.at) = (self.filled(now), now);
        (self.per_second, self.full) = (per_second, full(per_second, fills_in));
        self.micros = self.micros.min(self.full);
    }

    pub(crate) const fn per_second(&self) -> u32 {
        self.per_second
    }

    /// Whole tokens that are in it.
    pub(crate) fn level(&self, now: Timestamp) -> u32 {
        u32::try_from(self.filled(now) / WHOLE).unwrap_or(u32::MAX)
    }

    /// Takes a token. Whether there was one.
    pub(crate) fn take(&mut self, now: Timestamp) -> bool {
        let filled = self.filled(now);
        let left = filled.checked_sub(WHOLE);
        // A clock that was set back must not stop the bucket from filling.
        (self.micros, self.at) = (left.unwrap_or(filled), now);
        left.is_some()
    }

    fn filled(&self, now: Timestamp) -> u64 {
        let since = u64::try_from(now.since(self.at).as_micros()).unwrap_or(u64::MAX);
        self.micros.saturating_add(since.saturating_mul(self.per_second.into())).min(self.full)
    }
}

fn full(per_second: u32, fills_in: Duration) -> u64 {
    let micros = u64::try_from(fills_in.as_micros()).unwrap_or(u64::MAX);
    let full = u64::from(per_second).saturating_mul(micros);
    if per_second == 0 { 0 } else { full.max(WHOLE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_767_323_040_000 + millis)
    }

    #[test]
    fn another_rate_holds_from_now_on() {
        let mut bucket = Bucket::new(10, Duration::from_millis(200));
        assert!(bucket.take(at(0)) && bucket.take(at(0)) && !bucket.take(at(0)));
        bucket.set(100, Duration::from_millis(200), at(0));
        assert_eq!((bucket.level(at(10)), bucket.level(at(60_000))), (1, 20));
        bucket.set(1, Duration::from_millis(200), at(60_000));
        assert_eq!(bucket.level(at(60_000)), 1, "what has no room any more is lost");
    }
}
