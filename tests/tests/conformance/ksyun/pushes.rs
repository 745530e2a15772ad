//! Rows 75 and 76: in which messages reports come, and how often.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use huihu_tests::ksyun::call_id;
use huihu_tests::receiver::{Received, Reply};
use huihu_tests::wait;
use serde_json::Value;

use super::scene::{PATIENCE, Scene};
use super::town::Kind;
use super::{Case, case};

/// What the receiver's answer makes of a message.
pub(super) fn all() -> Vec<Case> {
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
