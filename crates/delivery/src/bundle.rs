//! Which pushes travel in one message.
//!
//! Fee records of one app whose calls ended in the same second share a message. One that failed is repeated with the
//! very same rows, so that the receiver can tell a repetition from news.

use std::time::Duration;

use base::row::Row;
use base::time::Timestamp;
use store::{PushNo, Waiting};

/// What pushes of one message have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Bond {
    /// They travelled together before.
    Message(PushNo),
    /// They are fee records of calls that ended in the same second, for the same receiver, signed by the same key.
    Second { key: Box<str>, url: Box<str>, second: i64 },
}

/// How a push finds company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Company {
    /// With whom.
    pub(crate) bond: Bond,
    /// Until when others may still come.
    pub(crate) until: Timestamp,
    /// How many fit into the message.
    pub(crate) most: usize,
}

/// The company that a push may have; `None` when it travels alone.
pub(crate) fn company(push: &Waiting, now: Timestamp) -> Option<Company> {
    let most = dialects::named(&push.dialect).map_or(1, |dialect| dialect.rows_per_push(push.channel));
    if let Some(message) = push.message {
        // The others come from the same page of the database.
        return Some(Company { bond: Bond::Message(message), until: now, most: usize::MAX });
    }
    let Row::Fee(record) = &push.row else { return None };
    if most < 2 {
        return None;
    }
    let second = record.ended_at.secs();
    let over = Timestamp::from_millis((second + 1) * 1_000) + COMMIT;
    let url = push.row.url()?.as_str().into();
    Some(Company { bond: Bond::Second { key: push.key.clone(), url, second }, until: over.max(now), most })
}

/// How long after the end of a second its last records may still be on their way through the journal.
const COMMIT: Duration = Duration::from_millis(500);
