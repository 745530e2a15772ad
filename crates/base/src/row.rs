//! What the projections conclude and customers are told.

use serde::{Deserialize, Serialize};

use crate::id::{CallId, Leg};
use crate::number::E164;
use crate::order::ProductKind;
use crate::private::Private;
use crate::record::CallRecord;
use crate::release::Ending;
use crate::time::Timestamp;
use crate::url::PushUrl;

/// Something a customer is owed a push for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Row {
    /// A status event.
    Status(StatusRow),
    /// A fee record.
    Fee(Box<CallRecord>),
    /// A report of a call that is over.
    Report(Box<CallRecord>),
}

impl Row {
    /// The lane that the row travels in.
    #[must_use]
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Status(_) => Channel::Status,
            Self::Fee(_) => Channel::Fee,
            Self::Report(_) => Channel::Report,
        }
    }

    /// Where the row goes; `None` when the customer named no receiver, and then nothing is owed.
    #[must_use]
    pub const fn url(&self) -> Option<&PushUrl> {
        match self {
            Self::Status(row) => row.url.as_ref(),
            Self::Fee(record) => record.call.fee_url.as_ref(),
            Self::Report(record) => record.call.report_url.as_ref(),
        }
    }
}

/// A kind of push. Pushes of one call and one channel keep their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Channel {
    /// Status events.
    Status,
    /// Fee records.
    Fee,
    /// Reports.
    Report,
}

/// A status event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusRow {
    /// The call.
    pub call: CallId,
    /// The node that owns the call.
    pub node: Box<str>,
    /// The kind of call: vendors word the failure of a callback's first party otherwise than that of an only party.
    pub product: ProductKind,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: StatusKind,
    /// The leg it happened to; the last event of a call is told of leg A.
    pub leg: Leg,
    /// What the leg's telephone shows.
    pub shown: E164,
    /// Who was dialled.
    pub dialled: E164,
    /// The customer's own words.
    pub user_data: Option<Box<str>>,
    /// Where it goes.
    pub url: Option<PushUrl>,
}

/// What a status event tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatusKind {
    /// The leg was dialled.
    Dialled,
    /// The leg rings.
    Ringing,
    /// The leg was answered.
    Answered,
    /// Keys that were asked for have come.
    Collected {
        /// All of them, in order.
        digits: Private<Box<str>>,
    },
    /// The call is over.
    Over {
        /// How it ended.
        ending: Ending,
        /// Whether it had been answered by everybody it was for.
        connected: bool,
        /// Whether the party whose release decided it had rung.
        rang: bool,
        /// Whether the customer wants to know who hung up.
        tell_who_hung_up: bool,
    },
}
