//! Rows 75 to 77: in which messages reports come, how often, and what stands in them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use huihu_tests::ksyun::call_id;
use huihu_tests::receiver::{Received, Reply};
use huihu_tests::wait;
use serde_json::{Value, json};

use super::scene::{PATIENCE, STAYS, Scene};
use super::town::Kind;
use super::{Case, answers, case};

/// Every case.
pub(super) fn all() -> Vec<Case> {
    [repeats(), contents()].into_iter().flatten().collect()
}

/// What the receiver's answer makes of a message.
fn repeats() -> Vec<Case> {
    let answered = |row, words: &str, replies: &'static [(u16, &'static str)], expected: &str| {
        case(row, format!("a receiver that answers {words}"), expected, move |scene: &Scene| {
            sent_until_taken(scene, replies)
        })
        .given(|scene| scene.takes_reports())
    };
    vec![
        answered(
            "75",
            "500, then code 1, then code 0",
            &[(500, TAKEN), (200, r#"{"code":1,"msg":"later"}"#), (200, TAKEN)],
            "3 posts, alike and apart, then delivered",
        ),
        answered("75b", "code 0 as text", &[(200, r#"{"code":"0"}"#)], "1 post, then delivered"),
        answered(
            "75c",
            "no JSON, then code 0",
            &[(200, "OK"), (200, TAKEN)],
            "2 posts, alike and apart, then delivered",
        ),
        answered(
            "75d",
            "302, then code 0",
            &[(302, TAKEN), (200, TAKEN)],
            "2 posts, alike and apart, then delivered",
        ),
        case("75e", "no address for reports", "nothing is owed", |scene| {
            let call = call_id(&scene.verify(&[]));
            wait::until("the record", PATIENCE, || scene.operator().has_record(&call).then_some(()));
            match scene.operator().pushes(&call).len() {
                0 => "nothing is owed".to_owned(),
                owed => format!("{owed} pushes are owed"),
            }
        })
        .given(|_| ()),
        case(
            "76",
            "450 finished calls, and a receiver that answers each message 500, code 1, code 0",
            BATCHES,
            batches,
        )
        .given(|scene| scene.takes_reports())
        .at(Kind::Gathering),
    ]
}

/// What a message that was understood is answered with.
const TAKEN: &str = r#"{"code":0,"msg":"success"}"#;

/// Answers messages in turn, and tells how often one came until it was delivered.
fn sent_until_taken(scene: &Scene, replies: &'static [(u16, &'static str)]) -> String {
    let path = scene.report_path();
    let mut left = replies.iter();
    scene.house.receiver.answer(&path, move |_| {
        let (status, body) = left.next().unwrap_or(&(200, TAKEN));
        Reply { status: *status, body: (*body).to_owned() }
    });
    let call = call_id(&scene.verify(&[]));
    wait::until("the report to be taken", 2 * PATIENCE, || {
        let pushes = scene.operator().pushes(&call);
        pushes.iter().any(|push| push["state"] == "delivered").then_some(())
    });
    let posts = posts(scene);
    let alike = posts.iter().all(|post| post.body == posts[0].body);
    let apart = posts.windows(2).all(|two| two[1].at - two[0].at > SOONEST);
    let how = match (posts.len(), alike && apart) {
        (1, _) => "1 post".to_owned(),
        (many, true) => format!("{many} posts, alike and apart"),
        (many, false) => format!("{many} posts that are changed or too soon"),
    };
    format!("{how}, then delivered")
}

/// The first repetition comes after a second, less its jitter.
const SOONEST: Duration = Duration::from_millis(450);

/// The messages of a case, in the order in which they came.
fn posts(scene: &Scene) -> Vec<Received> {
    let path = format!("/{}", scene.report_path());
    scene.house.receiver.all().into_iter().filter(|push| push.path == path).collect()
}

const CALLS: usize = 450;

const BATCHES: &str = "messages of 200, 200, 50, each sent 3 times alike, 450 calls once each";

/// Has many calls end, and tells in which messages their reports came.
fn batches(scene: &Scene) -> String {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    scene.house.receiver.answer(&scene.report_path(), move |push| {
        let times = seen.entry(push.body.to_string()).or_default();
        *times += 1;
        match times {
            1 => Reply::status(500),
            2 => Reply::code(1),
            _ => Reply::code(0),
        }
    });
    let placed = place(scene);
    let taken = || {
        let mut messages: Vec<(Value, usize)> = Vec::new();
        for post in posts(scene) {
            match messages.iter_mut().find(|(body, _)| *body == post.body) {
                Some((_, times)) => *times += 1,
                None => messages.push((post.body, 1)),
            }
        }
        messages
    };
    let messages = wait::until("all reports to be taken", 4 * PATIENCE, || {
        let messages = taken();
        let reports: usize = messages.iter().map(|(body, _)| size(body)).sum();
        (reports >= CALLS && messages.iter().all(|(_, times)| *times >= 3)).then_some(messages)
    });
    let sizes: Vec<String> = messages.iter().map(|(body, _)| size(body).to_string()).collect();
    let all: Vec<&str> = messages
        .iter()
        .flat_map(|(body, _)| body.as_array().into_iter().flatten())
        .filter_map(|report| report["CallId"].as_str())
        .collect();
    let different: BTreeSet<&str> = all.iter().copied().collect();
    let missing = placed.iter().filter(|call| !different.contains(call.as_str())).count();
    let once = match (missing, all.len() - different.len()) {
        (0, 0) => format!("{} calls once each", different.len()),
        (missing, twice) => format!("{missing} calls missing and {twice} told twice"),
    };
    let times: BTreeSet<usize> = messages.iter().map(|(_, times)| *times).collect();
    let times = times.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    format!("messages of {}, each sent {times} times alike, {once}", sizes.join(", "))
}

/// Places calls to busy telephones from several clients; gives their ids.
fn place(scene: &Scene) -> Vec<String> {
    const CLIENTS: usize = 8;
    let left = Mutex::new((0..CALLS).map(|n| format!("137{n:04}0486")));
    let placed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                loop {
                    let Some(mobile) = left.lock().expect("no client panics").next() else { return };
                    let call = call_id(&scene.verify(&[("Mobile", &mobile)]));
                    placed.lock().expect("no client panics").push(call);
                }
            });
        }
    });
    placed.into_inner().expect("no client panicked")
}

fn size(body: &Value) -> usize {
    body.as_array().map_or(0, Vec::len)
}

/// What stands in a report.
fn contents() -> Vec<Case> {
    vec![
        case(
            "77",
            "the report of a code that was heard",
            "as documented, SUCCESS \"SUCCESS\", VoiceType 1",
            |scene| {
                let own = format!("0{}", scene.own_number());
                let more = [
                    ("Mobile", &*scene.mobile(STAYS)),
                    ("Caller", &own),
                    ("ExtId", "abc123"),
                    ("PlayTimes", "1"),
                ];
                let report = scene.report(&scene.verify(&more));
                let told = ["Mobile", "Caller", "CallerDisplay", "ExtId"].map(|name| report[name].clone());
                let asked = [scene.mobile(STAYS), own.clone(), own.clone(), "abc123".to_owned()];
                if told != asked.map(Value::from) {
                    return format!("another call than was asked for: {report}");
                }
                let length = report["Duration"].as_i64().unwrap_or_default();
                if length == 0 || length != secs_between(&report, "AnswerTime", "EndTime") {
                    return format!("a wrong Duration: {report}");
                }
                word(&report)
            },
        )
        .given(|scene| scene.takes_reports()),
        case(
            "77b",
            "the report of a busy telephone, no Caller, no ExtId",
            "as documented, FAIL 486, VoiceType 1",
            |scene| {
                let report = scene.report(&scene.verify(&[]));
                let empty = ["AnswerTime", "EndTime", "PressKey", "ExtId", "Caller"];
                let full: Vec<&&str> = empty.iter().filter(|name| report[**name] != "").collect();
                if !full.is_empty() || report["Duration"] != 0 || report["StartTime"] == "" {
                    return format!("{full:?} are there, or a Duration: {report}");
                }
                if report["CallerDisplay"] != format!("0{}", scene.own_number()) {
                    return format!("another number was shown: {report}");
                }
                word(&report)
            },
        )
        .given(|scene| scene.takes_reports()),
        case("77c", "of a notice, of a menu", "as documented, FAIL 486, VoiceType 2 twice", |scene| {
            let told = [scene.notify(&[]), scene.ivr(&[])].map(|answer| word(&scene.report(&answer)));
            if told[0] == told[1] { format!("{} twice", told[0]) } else { told.join("; ") }
        })
        .given(|scene| scene.takes_reports()),
        case(
            "77d",
            "menus told as 3, numbers as text",
            "as documented, FAIL \"486\", VoiceType 3",
            |scene| word(&scene.report(&scene.ivr(&[]))),
        )
        .given(|scene| {
            scene.takes_reports();
            let form = json!({"reports": {"menus_are": 3, "numbers": "text"}});
            scene.operator().change_app(scene.app(), &form);
        }),
        case("77e", "keys in a code, a path through a menu", "123, 12", |scene| {
            let code = scene.verify(&[("Mobile", &scene.mobile("1123"))]);
            let menu = scene.ivr(&[("Mobile", &scene.other("1123"))]);
            let keys = [code, menu].map(|answer| scene.report(&answer)["PressKey"].clone());
            keys.map(|keys| keys.as_str().unwrap_or("no text").to_owned()).join(", ")
        })
        .given(|scene| scene.takes_reports()),
    ]
}

/// What a report says, if its fields have the names and forms of the document.
fn word(report: &Value) -> String {
    let faults = faults(report);
    if faults.is_empty() {
        let told = ["Status", "ErrCode", "VoiceType"].map(|name| &report[name]);
        let status = told[0].as_str().unwrap_or_default();
        format!("as documented, {status} {}, VoiceType {}", told[1], told[2])
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
