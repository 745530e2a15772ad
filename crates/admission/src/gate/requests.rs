//! How many requests came: of each app in this minute, and of everybody in this second.

use std::collections::BTreeMap;

use base::id::AppId;
use base::quota::Window;
use base::refusal::Refusal;
use base::time::Timestamp;

#[derive(Debug)]
pub(super) struct Requests {
    /// When the minute that is counted began: seconds since 1970.
    minute: i64,
    /// Only apps that exist and have a quota are here.
    made: BTreeMap<AppId, u32>,
    platform: Option<Bucket>,
}

impl Requests {
    pub(super) fn new(per_second: Option<u32>) -> Self {
        Self { minute: 0, made: BTreeMap::new(), platform: per_second.map(Bucket::new) }
    }

    pub(super) fn of_app(&self, app: AppId, now: Timestamp) -> u32 {
        let made = self.made.get(&app).filter(|_| self.minute == Window::Minute.began(now));
        made.copied().unwrap_or(0)
    }

    pub(super) fn flow(&self, now: Timestamp) -> Option<(u32, u32)> {
        self.platform.as_ref().map(|bucket| (bucket.per_second, bucket.per_second - bucket.level(now)))
    }

    pub(super) fn count(
        &mut self,
        app: AppId,
        per_minute: Option<u32>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if per_minute.is_some_and(|allowed| self.of_app(app, now) >= allowed) {
            return Err(Refusal::TooManyRequests);
        }
        if self.platform.as_mut().is_some_and(|bucket| !bucket.take(now)) {
            return Err(Refusal::PlatformBusy);
        }
        if per_minute.is_some() {
            self.note(app, now);
        }
        Ok(())
    }

    fn note(&mut self, app: AppId, now: Timestamp) {
        let minute = Window::Minute.began(now);
        if self.minute != minute {
            self.minute = minute;
            self.made.clear();
        }
        let made = self.made.entry(app).or_default();
        *made = made.saturating_add(1);
    }
}

/// A bucket of tokens that fills up in a second. Each request takes one.
#[derive(Debug)]
struct Bucket {
    per_second: u32,
    /// Tokens in millionths, as they were at `at`.
    micros: u64,
    at: Timestamp,
}

/// Millionths of a token in a token; as many microseconds are in a second.
const WHOLE: u64 = 1_000_000;

impl Bucket {
    fn new(per_second: u32) -> Self {
        Self { per_second, micros: u64::from(per_second) * WHOLE, at: Timestamp::default() }
    }

    /// Whole tokens that are in it.
    fn level(&self, now: Timestamp) -> u32 {
        u32::try_from(self.filled(now) / WHOLE).unwrap_or(u32::MAX)
    }

    fn take(&mut self, now: Timestamp) -> bool {
        let filled = self.filled(now);
        let left = filled.checked_sub(WHOLE);
        // A clock that was set back must not stop the bucket from filling.
        (self.micros, self.at) = (left.unwrap_or(filled), now);
        left.is_some()
    }

    fn filled(&self, now: Timestamp) -> u64 {
        let since = u64::try_from(now.since(self.at).as_micros()).unwrap_or(u64::MAX);
        let rate = u64::from(self.per_second);
        self.micros.saturating_add(since.saturating_mul(rate)).min(rate * WHOLE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: AppId = AppId(7);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_767_323_040_000 + millis)
    }

    #[test]
    fn an_app_has_its_quota_anew_each_minute() {
        let mut requests = Requests::new(None);
        for _ in 0..3 {
            assert_eq!(requests.count(APP, Some(3), at(0)), Ok(()));
        }
        assert_eq!(requests.count(APP, Some(3), at(59_999)), Err(Refusal::TooManyRequests));
        assert_eq!(requests.count(AppId(8), Some(3), at(59_999)), Ok(()), "another app has its own");
        assert_eq!(requests.of_app(APP, at(60_000)), 0);
        assert_eq!(requests.count(APP, Some(3), at(60_000)), Ok(()));
        assert_eq!(requests.count(APP, None, at(60_000)), Ok(()));
        assert_eq!(requests.of_app(APP, at(60_000)), 1, "without a quota nothing is counted");
    }

    #[test]
    fn the_platform_takes_so_many_in_a_second() {
        let mut requests = Requests::new(Some(2));
        let mut taken = |millis| requests.count(APP, None, at(millis)).is_ok();
        assert!(taken(0) && taken(0) && !taken(0));
        assert!(!taken(499) && taken(500) && !taken(999) && taken(1_000));
        assert!(taken(9_000) && taken(9_000) && !taken(9_000), "a long rest fills it once");
        assert!(!taken(5_000), "a clock that steps back fills nothing");
        assert!(taken(5_500), "and does not stop it from filling");
    }

    #[test]
    fn what_is_refused_is_not_counted() {
        let mut requests = Requests::new(Some(1));
        assert_eq!(requests.count(APP, Some(2), at(0)), Ok(()));
        assert_eq!(requests.count(APP, Some(2), at(0)), Err(Refusal::PlatformBusy));
        assert_eq!(requests.of_app(APP, at(0)), 1);
        assert_eq!(requests.count(APP, Some(1), at(1_000)), Err(Refusal::TooManyRequests));
        assert_eq!(requests.flow(at(1_000)), Some((1, 0)));
    }

    #[test]
    fn nothing_at_all_is_a_limit_too() {
        let mut requests = Requests::new(Some(0));
        assert_eq!(requests.count(APP, None, at(0)), Err(Refusal::PlatformBusy));
        assert_eq!(requests.flow(at(9)), Some((0, 0)));
    }
}
