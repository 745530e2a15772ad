//! Status events, one a push:
//!
//! ```text
//! {"eventType":"disconnect","statusInfo":{"sessionId":"1202_…@node","timestamp":"2019-01-24 02:49:23",
//!  "caller":"+86755…","called":"+86138…","stateCode":0,"stateDesc":"The user releases the call."}}
//! {"eventType":"collectInfo","statusInfo":{"sessionId":"1202_…@node","timestamp":"2019-01-24 02:49:20","digitInfo":"1"}}
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
    #[serde(flatten)]
    detail: Detail<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_data: Option<&'a str>,
}

/// What an event tells besides what all of them tell.
#[derive(Serialize)]
#[serde(untagged)]
enum Detail<'a> {
    /// Of the call and its legs.
    #[serde(rename_all = "camelCase")]
    Progress {
        caller: &'a str,
        called: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        state_code: Option<u16>,
        #[serde(skip_serializing_if = "Option::is_none")]
        state_desc: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        party_type: Option<&'static str>,
    },
    /// Of the keys that came. Such an event names no numbers.
    #[serde(rename_all = "camelCase")]
    Digits { digit_info: &'a str },
}

impl<'a> Event<'a> {
    /// Words a row.
    pub(super) fn of(row: &'a StatusRow) -> Self {
        let (event_type, detail) = match &row.kind {
            StatusKind::Dialled => ("callout", progress(row)),
            StatusKind::Ringing => ("alerting", progress(row)),
            StatusKind::Answered => ("answer", progress(row)),
            StatusKind::Collected { digits } => {
                ("collectInfo", Detail::Digits { digit_info: digits.expose() })
            }
            StatusKind::Over { ending, connected, rang, tell_who_hung_up } => {
                let (code, text) = causes::state(row.product, *ending, *connected, *rang);
                let detail = Detail::Progress {
                    caller: row.shown.as_str(),
                    called: row.dialled.as_str(),
                    state_code: Some(code),
                    state_desc: Some(text),
                    party_type: tell_who_hung_up.then(|| causes::party(ending.by)),
                };
                ("disconnect", detail)
            }
        };
        let status_info = StatusInfo {
            session_id: session::print(row.call, &row.node),
            timestamp: row.at.print(TIME),
            detail,
            user_data: row.user_data.as_deref().filter(|data| !data.is_empty()),
        };
        Self { event_type, status_info }
    }
}

fn progress(row: &StatusRow) -> Detail<'_> {
    Detail::Progress {
        caller: row.shown.as_str(),
        called: row.dialled.as_str(),
        state_code: None,
        state_desc: None,
        party_type: None,
    }
}
