//! The lines that stand for rows: words, and names with values.

use std::str::FromStr;
use std::time::Duration;

use base::record::LegRecord;
use base::release::{Cause, Ending, Party, Release};
use base::time::Timestamp;

/// The words of a line: `name=value`, or a word that is there or not. Its times are of one day.
pub(crate) struct Words<'a> {
    pub(crate) words: Vec<&'a str>,
    day: &'static str,
}

impl<'a> Words<'a> {
    pub(crate) fn of(line: &'a str, day: &'static str) -> Self {
        Self { words: line.split(' ').collect(), day }
    }

    pub(crate) fn value(&self, name: &str) -> Option<&'a str> {
        self.words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    pub(crate) fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }

    pub(crate) fn number<T: FromStr<Err: std::fmt::Debug>>(&self, name: &str) -> Option<T> {
        self.value(name).map(|value| value.parse().unwrap())
    }

    /// One of our own words, read as the journal would read it.
    pub(crate) fn one_of<T: for<'de> serde::Deserialize<'de>>(&self, name: &str) -> Option<T> {
        self.value(name).map(|value| serde_json::from_value(value.into()).unwrap())
    }

    pub(crate) fn at(&self, name: &str) -> Option<Timestamp> {
        self.value(name).map(|time| at(self.day, time))
    }

    pub(crate) fn ending(&self) -> Ending {
        Ending {
            by: self.one_of("by").unwrap(),
            cause: self.one_of("cause").unwrap(),
            leg: self.one_of("of"),
        }
    }

    /// The leg that a line tells of.
    pub(crate) fn leg(&self, ended_at: Timestamp) -> LegRecord {
        let release = |cause: Cause| Release {
            by: self.one_of("by").unwrap_or(Party::Platform),
            cause,
            status: self.number("status"),
            q850: self.number("q850"),
            rang: self.at("ringing").is_some(),
        };
        LegRecord {
            dialled_at: self.at("dialled"),
            ringing_at: self.at("ringing"),
            answered_at: self.at("answered"),
            // A tenth of a second, which no time on the wire shows.
            released_at: Some(ended_at - Duration::from_millis(100)),
            release: self.one_of("cause").map(release),
            media: None,
            answerer: None,
        }
    }
}

/// A time of a day, both in UTC.
pub(crate) fn at(day: &str, time: &str) -> Timestamp {
    Timestamp::parse(&format!("{day} {time}"), "%Y-%m-%d %H:%M:%S").unwrap()
}
