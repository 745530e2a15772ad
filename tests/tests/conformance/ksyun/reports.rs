//! Row 77: what stands in a report.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::scene::{STAYS, Scene};
use super::{Case, answers, case};
use crate::case::repeated;

/// Every case.
pub(super) fn all() -> Vec<Case> {
    vec![
        reported("77", "a code that was heard", "VoiceType 1, SUCCESS \"SUCCESS\", as documented", heard),
        reported(
            "77b",
            "a busy telephone, no Caller, no ExtId",
            "VoiceType 1, FAIL 486, as documented",
            busy,
        ),
        reported("77c", "a notice, a menu", "VoiceType 2, FAIL 486, as documented 2 times", |scene| {
            repeated(&[scene.notify(&[]), scene.ivr(&[])].map(|answer| word(&scene.report(&answer))))
        }),
        reported(
            "77d",
            "a menu, told as 3, numbers as text",
            "VoiceType 3, FAIL \"486\", as documented",
            |scene| {
                let form = json!({"reports": {"menus_are": 3, "numbers": "text"}});
                scene.operator().change_app(scene.app(), &form);
                word(&scene.report(&scene.ivr(&[])))
            },
        ),
        reported("77e", "keys in a code, a path through a menu", "123, 12", |scene| {
            let code = scene.verify(&[("Mobile", &scene.mobile("1123"))]);
            let menu = scene.ivr(&[("Mobile", &scene.other("1123"))]);
            let keys = [code, menu].map(|answer| scene.report(&answer)["PressKey"].clone());
            keys.map(|keys| keys.as_str().unwrap_or("no text").to_owned()).join(", ")
        }),
        reported("77f", "its message", "application/json;charset=UTF-8, a list of 1", |scene| {
            let _report = scene.report(&scene.verify(&[]));
            let path = format!("/{}", scene.report_path());
            let all = scene.house.receiver.all();
            let message = all.iter().find(|push| push.path == path).expect("the report came in one");
            let size = message.body.as_array().map_or(0, Vec::len);
            format!("{}, a list of {size}", message.headers["content-type"])
        }),
    ]
}

/// A case whose app has its reports sent to it.
fn reported(
    row: &'static str,
    words: &str,
    expected: &str,
    play: impl Fn(&Scene) -> String + Send + Sync + 'static,
) -> Case {
    case(row, format!("the report of {words}"), expected, play).given(|scene| scene.takes_reports())
}

/// A code with all that can be asked of it.
fn heard(scene: &Scene) -> String {
    let own = format!("0{}", scene.own_number());
    let mobile = scene.mobile(STAYS);
    let more = [("Mobile", &*mobile), ("Caller", &own), ("ExtId", "abc123"), ("PlayTimes", "1")];
    let report = scene.report(&scene.verify(&more));
    let told =
        ["Mobile", "Caller", "CallerDisplay", "ExtId"].map(|name| report[name].as_str().unwrap_or("no text"));
    if told != [&mobile, &own, &own, "abc123"] {
        return format!("another call than was asked for: {report}");
    }
    let length = report["Duration"].as_i64().unwrap_or_default();
    if length == 0 || length != secs_between(&report, "AnswerTime", "EndTime") {
        return format!("a wrong Duration: {report}");
    }
    word(&report)
}

/// A code of which there is little to tell.
fn busy(scene: &Scene) -> String {
    let report = scene.report(&scene.verify(&[]));
    let empty = ["AnswerTime", "EndTime", "PressKey", "ExtId", "Caller"];
    let full: Vec<&str> = empty.into_iter().filter(|name| report[*name] != "").collect();
    if !full.is_empty() || report["Duration"] != 0 || report["StartTime"] == "" {
        return format!("{full:?} are there, or a Duration: {report}");
    }
    if report["CallerDisplay"] != format!("0{}", scene.own_number()) {
        return format!("another number was shown: {report}");
    }
    word(&report)
}

/// What a report says, if its fields have the names and forms of the document.
fn word(report: &Value) -> String {
    let faults = faults(report);
    if faults.is_empty() {
        let told = ["Status", "ErrCode", "VoiceType"].map(|name| &report[name]);
        let status = told[0].as_str().unwrap_or_default();
        format!("VoiceType {}, {status} {}, as documented", told[2], told[1])
    } else {
        format!("{} in {report}", faults.join(", "))
    }
}

/// What of a report is not as documented.
fn faults(report: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let names: BTreeSet<&str> =
        report.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    if names != FIELDS.iter().copied().collect() {
        faults.push(format!("fields {names:?}"));
    }
    for name in ["StartTime", "AnswerTime", "EndTime"] {
        if report[name] != "" && time(&report[name]).is_none() {
            faults.push(format!("{name} is no time"));
        }
    }
    for name in ["Mobile", "PressKey", "ExtId", "Caller", "CallerDisplay", "ErrDesc"] {
        if !report[name].is_string() {
            faults.push(format!("{name} is no text"));
        }
    }
    let is_code =
        report["ErrCode"].is_u64() || report["ErrCode"].as_str().is_some_and(|code| !code.is_empty());
    let is_status = report["Status"] == "SUCCESS" || report["Status"] == "FAIL";
    let are_numbers = report["Duration"].is_u64() && report["VoiceType"].is_u64();
    if !(is_code && is_status && are_numbers && answers::is_call_id(&report["CallId"])) {
        faults.push("a code, a status, a number or the CallId".to_owned());
    }
    faults
}

/// A time of Beijing, if it is one of the last minutes.
fn time(told: &Value) -> Option<chrono::NaiveDateTime> {
    let time = chrono::NaiveDateTime::parse_from_str(told.as_str()?, "%Y-%m-%d %H:%M:%S").ok()?;
    let beijing = chrono::Utc::now().naive_utc() + chrono::TimeDelta::hours(8);
    ((beijing - time).num_seconds().abs() < 600).then_some(time)
}

fn secs_between(report: &Value, from: &str, to: &str) -> i64 {
    let [from, to] = [from, to].map(|name| time(&report[name]).expect("a call that was answered has times"));
    (to - from).num_seconds()
}

/// The fields of a report, no more and no fewer.
const FIELDS: &[&str] = &[
    "CallId",
    "ExtId",
    "Mobile",
    "Status",
    "ErrCode",
    "ErrDesc",
    "StartTime",
    "AnswerTime",
    "EndTime",
    "Duration",
    "PressKey",
    "Caller",
    "CallerDisplay",
    "VoiceType",
];
