//! Rows 8 and 111 to 114: recordings.

use huihu_tests::http::{Answer, Request};
use huihu_tests::wait;
use serde_json::json;

use crate::house::Stage;
use crate::huawei::scene::{Api, PATIENCE, STAYS, Scene, TALKS};
use crate::huawei::town::Kind;
use crate::huawei::{Case, case, told};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("8", "a recording", "301", |scene| ask(scene, &recorded(scene))).given(records),
        case("111", "no fileName", "403 1010002", |scene| get(scene, "recordDomain=test.huihu"))
            .given(records),
        case("112", "an unknown file", MISSING, |scene| {
            missing(&ask(scene, "20260102030405_00000000000000000000000000000000.wav"))
        })
        .given(records),
        case("112b", "the file of another app", format!("{MISSING}, 301"), |scene| {
            let name = recorded(scene);
            let mut other = Scene::new(&scene.house, 0);
            other.customer.from = scene.customer.from;
            // The usual app may record too, but this is not its recording.
            format!("{}, {}", missing(&ask(&other, &name)), told(&ask(scene, &name)))
        })
        .given(records),
        case("112c", "a file that is older than files are kept", MISSING, |scene| {
            let name = recorded(scene);
            wait::until("the end of the recording", 2 * PATIENCE, || {
                let answer = ask(scene, &name);
                (answer.status != 301).then(|| missing(&answer))
            })
        })
        .given(records)
        .at(Kind::Forgetful),
        case("113", "an app without recording", "403 1012012", |scene| ask(scene, "unknown.wav"))
            .given(|_| ()),
        case("114", "the address that it leads to", "200 audio/wav, a recording", |scene| {
            let answer = ask(scene, &recorded(scene));
            let file = follow(&answer);
            let kind = file.headers.get("content-type").cloned().unwrap_or_default();
            let whole = file.bytes.starts_with(b"RIFF") && file.bytes.len() > 3 * 8_000;
            format!("{} {kind}, {}", file.status, if whole { "a recording" } else { "no recording" })
        })
        .given(records),
        case("114b", "the same address when its time is over", "200, then refused", |scene| {
            let answer = ask(scene, &recorded(scene));
            let first = follow(&answer).status;
            let last = wait::until("the end of the address", PATIENCE, || {
                let status = follow(&answer).status;
                (status != 200).then_some(status)
            });
            format!("{first}, then {}", if last / 100 == 4 { "refused".to_owned() } else { last.to_string() })
        })
        .given(records)
        .at(Kind::Forgetful),
        case("+", "a conversation of less than three seconds", "200 0, no recording", |scene| {
            let session = conversation(scene, STAYS, |session| assert_eq!(scene.stop(session).code(), "0"));
            let fee = scene.house.receiver.fee(&session);
            let named = fee.get("recordObjectName").is_some() || fee["recordFlag"] == 1;
            format!("200 0, {}", if named { "a recording" } else { "no recording" })
        })
        .given(records),
    ]
}

/// The document has no code and no text for it; these are ours.
const MISSING: &str = "403 1010002 \"Invalid request.The record does not exist.\"";

/// The operator lets the app record.
fn records(scene: &mut Scene) {
    scene.operator().change_app(scene.app(), &json!({"recording": true}));
}

/// Has two parties talk for more than three seconds; gives the name of the recording.
fn recorded(scene: &Scene) -> String {
    let session = conversation(scene, TALKS, |_| ());
    let fee = scene.house.receiver.fee(&session);
    fee["recordObjectName"].as_str().unwrap_or_else(|| panic!("no recording in {fee}")).to_owned()
}

/// A recorded callback; `meanwhile` is done when both have answered.
fn conversation(scene: &Scene, second: &str, meanwhile: impl Fn(&str)) -> String {
    let mut more = scene.receivers();
    more["recordFlag"] = json!("true");
    more["callerNbr"] = json!(scene.a(STAYS));
    more["calleeNbr"] = json!(scene.b(second));
    let session = scene.callback(&more).session();
    wait::until("both to answer", PATIENCE, || {
        let pushes = scene.house.receiver.of(&session);
        (pushes.iter().filter(|push| push.event() == "answer").count() == 2).then_some(())
    });
    meanwhile(&session);
    session
}

fn ask(scene: &Scene, name: &str) -> Answer {
    get(scene, &format!("fileName={name}&recordDomain=test.huihu"))
}

fn get(scene: &Scene, query: &str) -> Answer {
    scene.customer.get(&format!("{}?{query}", Api::Record.path()))
}

/// An answer with its text, which is a choice of ours.
fn missing(answer: &Answer) -> String {
    format!("{} {} {:?}", answer.status, answer.code(), answer.text())
}

/// Where an answer leads to. Whoever has the address needs no key.
fn follow(answer: &Answer) -> Answer {
    let url = answer.headers.get("location").expect("it leads somewhere");
    let rest = url.strip_prefix("http://").expect("the house has no certificate");
    let (address, path) = rest.split_once('/').expect("it has a path");
    Request::new("GET", &format!("/{path}")).send(address)
}
