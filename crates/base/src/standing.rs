//! What an operator has laid down: lists, limits, hours and thresholds. Rules look it up; nothing here decides.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::address::Block;
use crate::number::E164;
use crate::quota::Limit;
use crate::screen::ForbiddenWords;

/// What holds for the whole platform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Platform {
    /// What holds for every order.
    pub standing: Standing,
    /// Addresses whose requests are refused.
    pub blocked_addresses: Vec<Block>,
    /// Addresses of areas whose requests are refused.
    pub blocked_areas: Vec<Block>,
    /// Words that must not be spoken.
    pub forbidden_words: ForbiddenWords,
}

/// What holds for the orders of everybody, or of one app. Both are asked; either can refuse.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// First parties who may not be called for a callback.
    pub callers_blocked: BTreeSet<E164>,
    /// People who may not be called.
    pub callees_blocked: BTreeSet<E164>,
    /// When it is there, only these people may be called.
    pub callees_allowed: Option<BTreeSet<E164>>,
    /// When nobody may be called.
    pub forbidden: Vec<Hours>,
    /// How many calls there may be.
    pub limits: Vec<Limit>,
}

/// A span of each day, on the clocks of Beijing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hours {
    /// The first minute of the day, 0 to 1439.
    pub from: u16,
    /// The minute of the day at which it is over, 0 to 1439. Before `from`: on the next day. Equal to it: all day.
    pub to: u16,
}

impl Hours {
    /// Whether a minute of the day (0 to 1439) lies in the span.
    #[must_use]
    pub const fn contains(self, minute: u16) -> bool {
        if self.from < self.to {
            minute >= self.from && minute < self.to
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

/// How an app's calls must go for it to place more of them. Only ended calls of the last hour are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conduct {
    /// At least so many of them must have been answered.
    pub answered: Option<AtLeastAnswered>,
    /// At most so many of those answered may have been short.
    pub short: Option<AtMostShort>,
}

/// A completion rate that is demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtLeastAnswered {
    /// Calls before the rate is looked at; at least 1.
    pub calls: u32,
    /// The share that must have been answered, 1 to 100.
    pub percent: u8,
}

/// A share of short calls that is tolerated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtMostShort {
    /// Answered calls before the share is looked at; at least 1.
    pub calls: u32,
    /// A call that lasted less is short.
    pub shorter_than: Duration,
    /// The share that may be short, 0 to 99.
    pub percent: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_of_hours_may_pass_midnight() {
        let (lunch, night, always) =
            (Hours { from: 720, to: 840 }, Hours { from: 1320, to: 480 }, Hours { from: 0, to: 0 });
        for (hours, minute, inside) in [
            (lunch, 719, false),
            (lunch, 720, true),
            (lunch, 840, false),
            (night, 1319, false),
            (night, 1320, true),
            (night, 0, true),
            (night, 479, true),
            (night, 480, false),
            (always, 0, true),
            (always, 1439, true),
        ] {
            assert_eq!(hours.contains(minute), inside, "{hours:?} {minute}");
        }
    }
}
