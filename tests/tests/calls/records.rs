//! What an operator sees of calls afterwards.

use serde_json::{Value, json};

use crate::stage::{Stage, first, second};

#[test]
fn an_operator_finds_calls_by_time_by_number_and_by_session() {
    let stage = Stage::for_legs(3);
    let busy = stage.callback(&first(0, "0001"), &second(0, "0486"), &json!({}));
    let _record = stage.receiver.fee(&busy.session);
    let refused = stage.verify(&first(1, "0603"));
    let _record = stage.receiver.fee(&refused.session);
    stage.trunk.succeeds();

    let records = stage.installation.records(9);
    let sessions: Vec<&Value> = records.iter().map(|record| &record["session"]).collect();
    assert_eq!(sessions, [&json!(refused.session), &json!(busy.session)], "the newest comes first");
    assert_eq!(stage.installation.records(1), records[..1]);
    let [code, callback] = &records[..] else { panic!("there are two") };
    assert_eq!(
        (&code["cause"], &code["by"], &code["legs"]["b"]),
        (&json!("rejected"), &json!("caller"), &Value::Null)
    );
    assert_eq!((&callback["cause"], &callback["by"]), (&json!("busy"), &json!("callee")));
    assert_eq!(
        (&callback["legs"]["a"]["sip_status"], &callback["legs"]["b"]["sip_status"]),
        (&Value::Null, &json!(486))
    );
    assert_eq!(
        (&callback["legs"]["a"]["trunk"], &callback["legs"]["b"]["trunk"]),
        (&json!("trunk"), &json!("trunk"))
    );
    assert_eq!(callback["user_data"], "order 66");

    let ask = |words: &[&str]| {
        let output = stage.installation.run(&[&["record"], words].concat());
        String::from_utf8(output.stdout).expect("records are text")
    };
    let of_b = ask(&["list", "--number", &busy.b, "--json"]);
    assert_eq!(of_b.lines().count(), 1);
    assert_eq!(ask(&["show", &busy.session, "--json"]), of_b);
    let by_id = ask(&["show", callback["call"].as_str().expect("a record has an id"), "--json"]);
    assert_eq!(by_id, of_b);
    let line = ask(&["show", &busy.session]);
    assert!(line.contains("callback") && line.contains(&busy.b) && line.contains("busy by callee"), "{line}");
    let ladder = ask(&["show", &busy.session, "--ladder"]);
    let story: Vec<&str> = [
        "accepted: callback",
        "A dialled",
        "A rings",
        "A answered",
        "B dialled",
        "B gone: busy",
        "A gone",
        "over",
    ]
    .into_iter()
    .filter(|step| ladder.contains(step))
    .collect();
    assert_eq!(story.len(), 8, "only {story:?} is in\n{ladder}");
    assert!(!ladder.contains(&busy.b), "a ladder can be shown around: {ladder}");
}
