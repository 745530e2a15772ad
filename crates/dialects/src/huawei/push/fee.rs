//! Fee records, 1 to 50 a push: `{"eventType":"fee","feeLst":[{"direction":0,"spId":…},…]}`.
//!
//! What did not happen is left out, not empty; reasons that do not apply are 0. The callback's legs are `callOut…`
//! (A) and `fwd…` (B); a call with one party has `callOut…` only.

use std::time::Duration;

use base::id::{CallId, Leg};
use base::order::ProductKind;
use base::record::CallRecord;
use base::row::Row;
use base::time::Timestamp;
use serde::Serialize;

use super::{FEES_MAX, TIME};
use crate::huawei::causes::{self, Failure};
use crate::huawei::session;

/// The body.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fees<'a> {
    event_type: &'static str,
    fee_lst: Vec<Fee<'a>>,
}

/// One record. The order of the fields is that of the vendor's samples.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fee<'a> {
    direction: u8,
    sp_id: &'a str,
    app_key: &'a str,
    icid: String,
    bind_num: &'a str,
    session_id: String,
    caller_num: &'a str,
    callee_num: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fwd_display_num: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fwd_dst_num: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fwd_start_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fwd_alerting_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fwd_answer_time: Option<String>,
    call_end_time: String,
    fwd_unasw_rsn: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    fail_time: Option<String>,
    ul_fail_reason: u16,
    sip_status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_out_start_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_out_alerting_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_out_answer_time: Option<String>,
    call_out_unasw_rsn: u8,
    record_flag: u8,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    record: Option<Record<'a>>,
    tts_play_times: u32,
    /// Whole seconds.
    tts_trans_duration: u64,
    service_type: &'static str,
    host_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_data: Option<&'a str>,
}

/// What leads to a recording. A link that needs no proof is not among it: it would be pushed long before it is used.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    record_start_time: String,
    record_domain: &'a str,
    record_bucket_name: &'static str,
    record_object_name: String,
}

/// What stands for the place in which recordings are kept; whoever fetches one need not know it.
const BUCKET: &str = "recordings";

impl<'a> Fees<'a> {
    /// Words the records. `None` when a row is none, or when there are too many.
    pub(super) fn of(rows: &'a [Row]) -> Option<Self> {
        if rows.len() > FEES_MAX {
            return None;
        }
        let fee = |row: &'a Row| match row {
            Row::Fee(record) => Some(Fee::of(record)),
            Row::Status(_) | Row::Report(_) => None,
        };
        Some(Self { event_type: "fee", fee_lst: rows.iter().map(fee).collect::<Option<_>>()? })
    }
}

impl<'a> Fee<'a> {
    fn of(record: &'a CallRecord) -> Self {
        let call = &record.call;
        let (first, second) = (record.leg(Leg::A), record.leg(Leg::B));
        let of_first = call.numbers(Leg::A);
        let of_second = call.numbers(Leg::B);
        let shown = of_first.map_or("", |numbers| numbers.shown.as_str());
        let failure = Failure::of(record);
        let ended = print(record.ended_at);
        Self {
            // Calls of this vendor's voice products always go out.
            direction: 0,
            sp_id: &call.account,
            app_key: &call.key,
            icid: icid(call.id),
            bind_num: shown,
            session_id: session::print(call.id, &call.node),
            caller_num: shown,
            callee_num: of_first.map_or("", |numbers| numbers.dialled.as_str()),
            fwd_display_num: of_second.map(|numbers| numbers.shown.as_str()),
            fwd_dst_num: of_second.map(|numbers| numbers.dialled.as_str()),
            fwd_start_time: second.dialled_at.map(print),
            fwd_alerting_time: second.ringing_at.map(print),
            fwd_answer_time: second.answered_at.map(print),
            fwd_unasw_rsn: causes::unanswered(second),
            fail_time: failure.is_one().then(|| ended.clone()),
            call_end_time: ended,
            ul_fail_reason: failure.release_point,
            sip_status_code: failure.sip_status,
            call_out_start_time: first.dialled_at.map(print),
            call_out_alerting_time: first.ringing_at.map(print),
            call_out_answer_time: first.answered_at.map(print),
            call_out_unasw_rsn: causes::unanswered(first),
            record_flag: record.recording.is_some().into(),
            record: record.recording.map(|recording| Record {
                record_start_time: print(recording.started_at),
                record_domain: &call.node,
                record_bucket_name: BUCKET,
                record_object_name: session::print_recording(call.id),
            }),
            tts_play_times: record.speech.plays,
            tts_trans_duration: started_seconds(record.speech.took),
            service_type: match call.product.kind() {
                ProductKind::Code | ProductKind::Notice | ProductKind::Menu => "001",
                ProductKind::Callback => "002",
            },
            host_name: &call.node,
            user_data: call.user_data.as_deref().filter(|data| !data.is_empty()),
        }
    }
}

/// A started second counts: little work is not the same as none.
fn started_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

fn print(at: Timestamp) -> String {
    at.print(TIME)
}

/// The record's id: `CAE-`, the call's second on Beijing's clock, 8 digits that tell its calls of that second apart.
fn icid(call: CallId) -> String {
    let digits = call.random() % 100_000_000;
    format!("CAE-{}-{digits:08}", call.at().print_beijing("%Y%m%d%H%M%S"))
}
