//! Reports, 1 to 200 a push:
//!
//! ```text
//! [{"Status":"SUCCESS","EndTime":"2020-05-28 18:44:39","Duration":19,"CallId":"655e08e182c11590662652",
//!   "ErrCode":"SUCCESS","ErrDesc":"发送成功","StartTime":"2020-05-28 18:44:10","AnswerTime":"2020-05-28 18:44:20",
//!   "Mobile":"13800000000","PressKey":"1","ExtId":"abcdefg111","Caller":"875100000","CallerDisplay":"875100000",
//!   "VoiceType":1}, …]
//! ```
//!
//! Times are those of Beijing's clocks, without saying so, and empty when there are none. A call that nobody answered
//! has no `EndTime`, as in the vendor's sample.

use base::account::{NumberForm, ReportForm};
use base::id::Leg;
use base::order::ProductKind;
use base::record::CallRecord;
use base::time::Timestamp;
use serde::Serialize;

use crate::ksyun::fields::number;
use crate::ksyun::{causes, session};

/// One report. The order of the fields is that of the vendor's sample.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Report<'a> {
    status: &'static str,
    end_time: String,
    /// Whole seconds between the two times that are told.
    duration: i64,
    call_id: String,
    err_code: Code,
    err_desc: &'static str,
    start_time: String,
    answer_time: String,
    mobile: String,
    press_key: &'a str,
    ext_id: &'a str,
    caller: &'a str,
    caller_display: String,
    voice_type: u8,
}

/// A code: a number where it is made of digits, as in the vendor's samples, unless the app's receivers know texts only.
#[derive(Serialize)]
#[serde(untagged)]
enum Code {
    Number(u32),
    Text(&'static str),
}

impl Code {
    fn of(code: &'static str, form: NumberForm) -> Self {
        match form {
            NumberForm::Number => code.parse().map_or(Self::Text(code), Self::Number),
            NumberForm::Text => Self::Text(code),
        }
    }
}

impl<'a> Report<'a> {
    /// Words a record.
    pub(super) fn of(record: &'a CallRecord, form: ReportForm) -> Self {
        let call = &record.call;
        let leg = record.leg(Leg::A);
        let told = causes::told(record, form.codes);
        let numbers = call.numbers(Leg::A);
        let asked = call.asked_shown.as_deref().unwrap_or("");
        let answered = leg.answered_at;
        Self {
            status: if told.succeeded { "SUCCESS" } else { "FAIL" },
            end_time: print(answered.map(|_| record.ended_at)),
            duration: answered.map_or(0, |answered| (record.ended_at.secs() - answered.secs()).max(0)),
            call_id: session::print(call.id),
            err_code: Code::of(told.code, form.numbers),
            err_desc: told.text,
            // A call that nobody dialled began when it was accepted.
            start_time: print(leg.dialled_at.or(Some(call.accepted_at))),
            answer_time: print(answered),
            mobile: numbers.map(|numbers| number::print(numbers.dialled)).unwrap_or_default(),
            press_key: record.pressed.expose(),
            ext_id: call.user_data.as_deref().unwrap_or(""),
            caller: asked,
            caller_display: numbers
                .map(|numbers| number::displayed(numbers.shown, asked))
                .unwrap_or_default(),
            voice_type: match call.product.kind() {
                ProductKind::Code => 1,
                ProductKind::Notice | ProductKind::Callback => 2,
                ProductKind::Menu => form.menus_are,
            },
        }
    }
}

fn print(at: Option<Timestamp>) -> String {
    at.map(|at| at.print_beijing("%Y-%m-%d %H:%M:%S")).unwrap_or_default()
}
