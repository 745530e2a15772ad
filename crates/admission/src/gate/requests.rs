//! How many requests came: of each app in this minute, and of everybody in this second.

use std::collections::BTreeMap;
use std::time::Duration;

use base::id::AppId;
use base::quota::Window;
use base::refusal::Refusal;
use base::time::Timestamp;

use crate::bucket::Bucket;

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
        Self { minute: 0, made: BTreeMap::new(), platform: per_second.map(|rate| Bucket::new(rate, SECOND)) }
    }

    pub(super) fn of_app(&self, app: AppId, now: Timestamp) -> u32 {
        let made = self.made.get(&app).filter(|_| self.minute == Window::Minute.began(now));
        made.copied().unwrap_or(0)
    }

    pub(super) fn flow(&self, now: Timestamp) -> Option<(u32, u32)> {
        self.platform.as_ref().map(|bucket| (bucket.per_second(), bucket.per_second() - bucket.level(now)))
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

/// What the bucket of the platform's requests fills up in.
const SECOND: Duration = Duration::from_secs(1);

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
