//! Which pushes travel in one message.
//!
//! Fee records of one app whose calls ended in the same second share a message, and reports for one customer that come
//! soon after each other. A message that failed is repeated with the very same rows, so that the receiver can tell a
//! repetition from news: nobody joins it.

use std::time::Duration;

use base::id::AppId;
use base::row::Row;
use base::time::Timestamp;
use store::Waiting;

use crate::profile::Pace;

/// What pushes of one message have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Bond {
    /// They are fee records of calls that ended in the same second, for the same receiver, signed by the same key.
    Second { key: Box<str>, url: Box<str>, second: i64 },
    /// They are reports for one customer.
    Reports(Customer),
}

/// Who takes one message at a time: an app's receiver of reports.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Customer {
    app: AppId,
    dialect: Box<str>,
    url: Box<str>,
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
pub(crate) fn company(push: &Waiting, pace: Pace, now: Timestamp) -> Option<Company> {
    let most = dialects::named(&push.dialect).map_or(1, |dialect| dialect.rows_per_push(push.channel));
    if most < 2 || push.message.is_some() {
        return None;
    }
    match &push.row {
        Row::Status(_) => None,
        Row::Fee(record) => {
            let second = record.ended_at.secs();
            let over = Timestamp::from_millis((second + 1) * 1_000) + COMMIT;
            let url = push.row.url()?.as_str().into();
            Some(Company {
                bond: Bond::Second { key: push.key.clone(), url, second },
                until: over.max(now),
                most,
            })
        }
        Row::Report(_) => {
            Some(Company { bond: Bond::Reports(customer(push)?), until: now + pace.reports_gather, most })
        }
    }
}

/// The customer whose messages go one after the other; `None` for what goes at any time.
pub(crate) fn customer(push: &Waiting) -> Option<Customer> {
    let Row::Report(record) = &push.row else { return None };
    let url = push.row.url()?.as_str().into();
    Some(Customer { app: record.call.app, dialect: push.dialect.clone(), url })
}

/// How long after the end of a second its last records may still be on their way through the journal.
const COMMIT: Duration = Duration::from_millis(500);
