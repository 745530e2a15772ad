//! Status events, one a push:
//!
//! ```text
//! {"eventType":"disconnect","statusInfo":{"sessionId":"1202_…@node","timestamp":"2019-01-24 02:49:23",
//!  "caller":"+86755…","called":"+86138…","stateCode":0,"stateDesc":"The user releases the call."}}
//! ```

use base::row::{StatusKind, StatusRow};
use serde::Serialize;

use super::TIME;
use crate::huawei::{causes, session};

/// The body. The order of the fields is that of the vendor's samples.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event<'a> {
    event_type: &'static str,
    status_info: StatusInfo<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusInfo<'a> {
    session_id: String,
    timestamp: String,
    caller: &'a str,
    called: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_desc: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    party_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_data: Option<&'a str>,
}

impl<'a> Event<'a> {
    /// Words a row.
    pub(super) fn of(row: &'a StatusRow) -> Self {
        let (event_type, state, party_type) = match row.kind {
            StatusKind::Dialled => ("callout", None, None),
            StatusKind::Ringing => ("alerting", None, None),
            StatusKind::Answered => ("answer", None, None),
            StatusKind::Over { ending, connected, rang, tell_who_hung_up } => {
                let state = causes::state(row.product, ending, connected, rang);
                let party = tell_who_hung_up.then(|| causes::party(ending.by));
                ("disconnect", Some(state), party)
            }
        };
        let status_info = StatusInfo {
            session_id: session::print(row.call, &row.node),
            timestamp: row.at.print(TIME),
            caller: row.shown.as_str(),
            called: row.dialled.as_str(),
            state_code: state.map(|(code, _)| code),
            state_desc: state.map(|(_, text)| text),
            party_type,
            user_data: row.user_data.as_deref().filter(|data| !data.is_empty()),
        };
        Self { event_type, status_info }
    }
}
