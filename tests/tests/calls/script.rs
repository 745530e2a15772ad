//! Plays calls, all at once, and compares what the customer was told and what the trunk saw with the script.

use std::time::Duration;

use huihu_tests::api::hmac;
use huihu_tests::receiver::Received;
use huihu_tests::trace::Trace;
use huihu_tests::wait;
use serde_json::{Value, json};

use crate::fee;
use crate::stage::{Placed, Stage, USER_DATA, first, second};

/// A call, and what everybody sees of it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The fate of the first party, or the only one: the last four digits of its number.
    pub(crate) a: &'static str,
    /// The fate of the second party; empty makes a verification call.
    pub(crate) b: &'static str,
    /// Fields of the request besides the usual ones.
    pub(crate) more: Value,
    /// The status event after which the customer stops the call; empty lets it run.
    pub(crate) stop_after: &'static str,
    /// The status events, and after the last one `stateCode`, the text of a 0, and `partyType`.
    pub(crate) told: &'static str,
    /// `ulFailReason`, `sipStatusCode`, `callOutUnaswRsn`, `fwdUnaswRsn`.
    pub(crate) fee: [i64; 4],
    /// What the trunk saw of the first leg.
    pub(crate) wire_a: &'static str,
    /// What the trunk saw of the second leg; empty when it is not dialled.
    pub(crate) wire_b: &'static str,
}

impl Call {
    /// A verification call.
    pub(crate) fn verification(a: &'static str) -> Self {
        Self { a, b: "", more: json!({}), stop_after: "", told: "", fee: [0; 4], wire_a: "", wire_b: "" }
    }

    /// A callback.
    pub(crate) fn callback(a: &'static str, b: &'static str) -> Self {
        Self { b, ..Self::verification(a) }
    }
}

/// Plays the calls.
pub(crate) fn play(calls: &[Call]) {
    let legs = calls.iter().flat_map(|call| [call.wire_a, call.wire_b]).filter(|wire| !wire.is_empty());
    let stage = Stage::for_legs(u32::try_from(legs.count()).expect("a script has few calls"));
    let placed: Vec<Placed> = calls.iter().enumerate().map(|(n, call)| place(&stage, n, call)).collect();
    for (call, placed) in calls.iter().zip(&placed).filter(|(call, _)| !call.stop_after.is_empty()) {
        wait_for(&stage, placed, call.stop_after);
        let answer = stage.customer.stop(&placed.session);
        assert_eq!((answer.status, answer.code()), (200, "0"), "{call:?}: {}", answer.body);
        assert_eq!(answer.body.get("sessionId"), None, "a stop is answered without a session id");
    }
    for (call, placed) in calls.iter().zip(&placed) {
        assert_eq!(told(&stage, placed), call.told, "{call:?}");
        let fee = stage.receiver.fee(&placed.session);
        let pushes = stage.receiver.of(&placed.session);
        let (fees, status): (Vec<Received>, Vec<Received>) =
            pushes.into_iter().partition(|push| push.event() == "fee");
        assert_eq!(fees.len(), 1, "{call:?}: one record a call");
        assert_eq!(fee::check(&fee, placed, &stage.customer.key, &status), call.fee, "{call:?}");
        let again = stage.customer.stop(&placed.session);
        assert_eq!((again.status, again.code()), (500, "1020152"), "{call:?}: it is over");
    }
    let Stage { trunk, server, .. } = stage;
    let trace = trunk.succeeds();
    drop(server);
    for (call, placed) in calls.iter().zip(&placed) {
        assert_eq!(trace.story(&placed.a), call.wire_a, "{call:?}");
        assert_eq!(trace.story(&placed.b), call.wire_b, "{call:?}");
        say_why(&trace, placed);
    }
}

fn place(stage: &Stage, n: usize, call: &Call) -> Placed {
    let a = first(n, call.a);
    if call.b.is_empty() { stage.verify(&a) } else { stage.callback(&a, &second(n, call.b), &call.more) }
}

/// Waits for a status event such as `answer B`.
pub(crate) fn wait_for(stage: &Stage, placed: &Placed, event: &str) {
    wait::until(event, Duration::from_secs(20), || {
        let pushes = stage.receiver.of(&placed.session);
        let mut events = pushes.iter().filter(|push| push.event() != "fee");
        events.any(|push| format!("{} {}", push.event(), placed.party(push)) == event).then_some(())
    });
}

/// What the customer was told, once the call is over: every push is checked, and put into a few words.
fn told(stage: &Stage, placed: &Placed) -> String {
    // It waits for the last one.
    let _names = stage.receiver.events(&placed.session);
    let pushes = stage.receiver.of(&placed.session);
    let status = pushes.iter().filter(|push| push.event() != "fee");
    for push in &pushes {
        check_headers(stage, push);
    }
    status.map(|push| words(placed, push)).collect::<Vec<_>>().join(", ")
}

/// Checks a status event's fields and puts it into a few words.
fn words(placed: &Placed, push: &Received) -> String {
    let info = &push.body["statusInfo"];
    let is_last = push.event() == "disconnect";
    let mut fields = vec!["called", "caller", "sessionId", "timestamp", "userData"];
    if is_last {
        fields.extend(["stateCode", "stateDesc"]);
        fields.extend((!placed.b.is_empty()).then_some("partyType"));
    }
    fields.sort_unstable();
    let mut keys: Vec<&String> = info.as_object().expect("a status is an object").keys().collect();
    keys.sort();
    assert_eq!(keys, fields, "the fields of {info}");
    assert_eq!((&info["sessionId"], &info["userData"]), (&json!(placed.session), &json!(USER_DATA)));
    let timestamp = info["timestamp"].as_str().expect("a timestamp is text");
    chrono::NaiveDateTime::parse_from_str(timestamp, "%Y-%m-%d %H:%M:%S").expect("a timestamp is a time");
    let mut words = format!("{} {}", push.event(), placed.party(push));
    if is_last {
        let code = info["stateCode"].as_i64().expect("the state code is a number");
        let text = info["stateDesc"].as_str().expect("the state has a text");
        assert!((1..=128).contains(&text.len()), "{text:?}");
        words += &format!(" {code}");
        if code == 0 {
            words += &format!(" {text}");
        }
        if let Some(party) = info["partyType"].as_str() {
            words += &format!(" {party}");
        }
    }
    words
}

/// Checks the headers of a push, with a digest that is computed from the vendor's document.
fn check_headers(stage: &Stage, push: &Received) {
    let [nonce, created] = ["Nonce", "Created"].map(|name| attribute(push, name));
    let url = stage.receiver.url(push.path.trim_start_matches('/'));
    assert_eq!(attribute(push, "Username"), stage.customer.key);
    let expected = hmac(&stage.customer.secret, &format!("{url}{nonce}{created}"));
    assert_eq!(attribute(push, "PasswordDigest"), expected);
    let content_type = push.headers.get("content-type").map(String::as_str);
    assert_eq!(content_type, Some("application/json;charset=UTF-8"));
}

/// An attribute of a push's `X-AKSK`.
pub(crate) fn attribute(push: &Received, name: &str) -> String {
    let header = push.headers.get("x-aksk").expect("the push is signed");
    let rest = header.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("{name} is in {header}")).1;
    rest.split('"').next().unwrap_or("").to_owned()
}

/// Every leg that we gave up was told why: normal call clearing, in all these stories.
fn say_why(trace: &Trace, placed: &Placed) {
    for number in [&placed.a, &placed.b] {
        let ends = trace.leg(number).into_iter().filter(|message| message.received);
        for end in ends.filter(|message| matches!(message.word(), "CANCEL" | "BYE")) {
            assert_eq!(end.header("Reason"), "Q.850;cause=16", "{}", end.text);
        }
    }
}
