//! How many calls there may be in a window of time, and what a call counts against.
//!
//! Windows begin on the clocks of Beijing: a day at midnight, an hour at its first minute. That is how customers and
//! carriers count, and it makes a count one number.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::private::Private;
use crate::time::Timestamp;

/// At most so many calls of one subject in each window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit {
    /// What is counted.
    pub of: Counted,
    /// The window.
    pub per: Window,
    /// Calls that are allowed in it.
    pub calls: u32,
}

/// What calls are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Counted {
    /// The enterprise that orders.
    Account,
    /// The app that orders.
    App,
    /// Each number that is shown.
    ShownNumber,
    /// The first party of a callback.
    Caller,
    /// Each party that is called, but the first party of a callback.
    Callee,
    /// The number that places the call: the one shown to the first party.
    ServiceNumber,
    /// The two parties of a callback, in this order.
    Pair,
}

/// A window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Window {
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// From midnight to midnight.
    Day,
    /// 30 days.
    Month,
    /// All time: it is never over. What is counted in it is a trial's.
    Ever,
}

impl Window {
    /// When the window that holds `now` began: seconds since 1970.
    #[must_use]
    pub const fn began(self, now: Timestamp) -> i64 {
        /// Beijing is eight hours ahead of UTC, and knows no daylight saving.
        const AHEAD: i64 = 8 * 3600;
        let local = now.secs() + AHEAD;
        match self.secs() {
            Some(secs) => local - local.rem_euclid(secs) - AHEAD,
            None => 0,
        }
    }

    /// When the window that began then is over: seconds since 1970.
    #[must_use]
    pub const fn ends(self, began: i64) -> i64 {
        match self.secs() {
            Some(secs) => began.saturating_add(secs),
            None => i64::MAX,
        }
    }

    /// How long it is, in seconds; `None`: for ever.
    #[must_use]
    pub const fn secs(self) -> Option<i64> {
        match self {
            Self::Minute => Some(60),
            Self::Hour => Some(3_600),
            Self::Day => Some(86_400),
            Self::Month => Some(30 * 86_400),
            Self::Ever => None,
        }
    }
}

/// One call counted against one subject in one window.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Charge {
    /// What it is counted by.
    pub of: Counted,
    /// Whose limit it is: the app's id, or 0 for the platform's.
    pub owner: i64,
    /// The one that is counted, such as a number.
    pub subject: Private<Box<str>>,
    /// The window.
    pub per: Window,
    /// When the window began: seconds since 1970.
    pub began: i64,
}

impl fmt::Debug for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a charge by {:?} in the {:?} from {}", self.of, self.per, self.began)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_on_the_clocks_of_beijing() {
        // 2026-01-02 03:04:05 UTC is 11:04:05 in Beijing.
        let now = Timestamp::parse("2026-01-02 03:04:05", "%Y-%m-%d %H:%M:%S").unwrap();
        for (window, began) in [
            (Window::Minute, "2026-01-02 11:04:00"),
            (Window::Hour, "2026-01-02 11:00:00"),
            (Window::Day, "2026-01-02 00:00:00"),
        ] {
            let at = Timestamp::from_millis(window.began(now) * 1_000);
            assert_eq!(at.print_beijing("%Y-%m-%d %H:%M:%S"), began);
        }
        assert!(Window::Month.began(now) <= Window::Day.began(now));
        assert_eq!(Window::Ever.began(now), 0);
        assert_eq!((Window::Minute.ends(60), Window::Ever.ends(0)), (120, i64::MAX));
    }
}
