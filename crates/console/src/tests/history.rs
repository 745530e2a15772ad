//! Calls, records and pushes: what happened.

use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use base::id::Leg;
use base::trace;
use serde_json::{Value, json};

use super::stage::{End, Stage, noon};

#[tokio::test]
async fn a_call_is_seen_while_it_runs_and_searched_when_it_is_over() {
    let stage = Stage::new().await;
    let app = stage.app("demo").await;
    let over = stage.call(app, 1, End::Over).await;
    let open = stage.call(app, 2, End::Open).await;
    let other = stage.call(99, 3, End::Over).await;

    let live = stage.get("/calls").await.json;
    assert_eq!(live["items"].as_array().unwrap().len(), 1);
    assert_eq!(live["items"][0]["call"], open.to_string());
    assert_eq!(live["items"][0]["parties"]["b"]["dialled"], "+8613810000002");

    let ids = async |query: &str| {
        let page = stage.get(&format!("/records?{query}")).await.json;
        let items = page["items"].as_array().unwrap_or_else(|| panic!("{query}: {page}"));
        items.iter().map(|record| record["call"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (over, other) = (over.to_string(), other.to_string());
    for (query, found) in [
        ("", vec![&other, &over]),
        ("number=%2B8613800000001", vec![&over]),
        ("number=%2B8675500000001", vec![&other, &over]),
        ("number=%2B8613899999999", vec![]),
        (&*format!("app={app}"), vec![&over]),
        ("user_data=order%203", vec![&other]),
        ("from=2026-01-02T12:00:02Z", vec![&other]),
        ("until=2026-01-02T20:00:02%2B08:00", vec![&over]),
        (&*format!("id={over}"), vec![&over]),
        (&*format!("id=session-{over}"), vec![&over]),
        (&*format!("id={over}&app=99"), vec![]),
        (&*format!("id={over}&number=%2B8613810000001&user_data=order%201"), vec![&over]),
        ("id=hello", vec![]),
    ] {
        assert_eq!(ids(query).await.iter().collect::<Vec<_>>(), found, "{query}");
    }
    let first = stage.get("/records?limit=1").await.json;
    assert_eq!(ids(&format!("limit=1&cursor={}", first["next"].as_str().unwrap())).await, vec![over.clone()]);
    stage.get("/records?number=hello").await.is(422, "unusable-value");
    stage.get("/records?from=yesterday").await.is(400, "invalid-query");

    let story = stage.get(&format!("/records/session-{over}")).await.json;
    let record = &story["record"];
    assert_eq!(
        (&story["over"], &record["cause"], &record["by"]),
        (&json!(true), &json!("busy"), &json!("caller"))
    );
    assert_eq!((&record["legs"]["a"]["sip_status"], &record["legs"]["a"]["q850"]), (&json!(486), &json!(17)));
    assert_eq!(record["legs"]["b"]["dialled_at"], Value::Null);
    let ladder = story["ladder"].as_str().unwrap();
    assert!(ladder.contains("INVITE") && !ladder.contains("+8613800000001"), "{ladder}");
    let story = stage.get(&format!("/records/{open}")).await.json;
    assert_eq!((&story["over"], &story["record"]), (&json!(false), &Value::Null));
    stage.get("/records/hello").await.is(404, "not-found");
    stage.get(&format!("/records/{}", "0".repeat(32))).await.is(404, "not-found");
}

#[tokio::test]
async fn pushes_are_listed_and_sent_again() {
    let stage = Stage::new().await;
    let app = stage.app("demo").await;
    stage.post(&format!("/apps/{app}/keys"), &json!({"existing": {"id": "key-1", "secret": "s"}})).await;
    let call = stage.call(app, 1, End::Over).await;
    let page = stage.get(&format!("/pushes?call={call}")).await.json;
    let events: Vec<&str> =
        page["items"].as_array().unwrap().iter().map(|push| push["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["fee", "over", "ringing", "dialled"], "latest first");
    let fee = &page["items"][0];
    assert_eq!((&fee["state"], &fee["url"]), (&json!("fresh"), &json!("http://receiver.example/fee")));
    let count = async |query: &str| {
        stage.get(&format!("/pushes?{query}")).await.json["items"].as_array().map(Vec::len)
    };
    for (query, found) in [
        ("", 4),
        ("state=fresh", 4),
        ("state=parked", 0),
        ("channel=fee", 1),
        (&*format!("app={app}"), 4),
        ("app=99", 0),
        ("host=receiver.example", 4),
        ("host=other.example", 0),
        ("until=2026-01-01T00:00:00Z", 0),
        (&*format!("call=session-{call}&channel=status&limit=2"), 2),
    ] {
        assert_eq!(count(query).await, Some(found), "{query}");
    }
    stage.get("/pushes?state=lost").await.is(400, "invalid-query");
    stage.get("/pushes?call=hello").await.is(404, "not-found");

    let path = format!("/pushes/{}", fee["id"]);
    let story = stage.get(&path).await.json;
    assert_eq!((&story["push"], &story["attempts"]), (fee, &json!([])));
    stage.get("/pushes/999").await.is(404, "not-found");
    stage.post(&format!("{path}/redeliver"), &json!({})).await.is(404, "not-found");
    let done = stage.post("/pushes/redeliver", &json!({"app": app, "channel": "fee"})).await;
    assert_eq!((done.status, &done.json), (200, &json!({"pushes": 0, "next": null})), "it still waits");
    stage
        .post("/pushes/redeliver", &json!({"first": i64::MIN, "last": i64::MIN}))
        .await
        .is(422, "unusable-value");
    stage.post("/pushes/redeliver", &json!({"colour": "red"})).await.is(422, "invalid-body");
}

#[tokio::test]
async fn a_call_is_named_as_its_customer_names_it_though_the_name_is_short() {
    let stage = Stage::new().await;
    let app = stage.app("demo").await;
    let call = stage.reported_call(app, 5).await.to_string();
    let name = format!("short-{}", &call[..12]);
    let story = stage.get(&format!("/records/{name}")).await.json;
    assert_eq!((&story["record"]["call"], &story["record"]["session"]), (&json!(call), &json!(name)));
    assert_eq!(stage.get(&format!("/records?id={name}")).await.json["items"][0]["call"], call);
    assert_eq!(stage.get(&format!("/pushes?call={name}")).await.json["items"][0]["call"], call);
    let nobody = "short-000000000000";
    stage.get(&format!("/records/{nobody}")).await.is(404, "not-found");
    stage.get(&format!("/pushes?call={nobody}")).await.is(404, "not-found");
    assert_eq!(stage.get(&format!("/records?id={nobody}")).await.json["items"], json!([]));
    let open = stage.call(app, 6, End::Open).await.to_string();
    let story = stage.get(&format!("/records/short-{}", &open[..12])).await.json;
    assert_eq!(story["over"], false, "a call that runs is found too");
}

#[tokio::test]
async fn a_report_is_a_push_and_its_record_says_what_was_pressed() {
    let stage = Stage::new().await;
    let app = stage.app("demo").await;
    let call = stage.reported_call(app, 5).await;
    let story = stage.get(&format!("/records/{call}")).await.json;
    assert_eq!((&story["record"]["product"], &story["record"]["pressed"]), (&json!("notice"), &json!("42")));
    assert!(!story["ladder"].as_str().unwrap().contains("42"), "the ladder is made to be shown around");
    stage.settle_push(1).await;
    let parked = stage.get("/pushes?channel=report&state=parked").await.json;
    let push = &parked["items"][0];
    assert_eq!((&push["event"], &push["channel"]), (&json!("report"), &json!("report")));
    assert_eq!(push["url"], "http://receiver.example/report");
    let wish = |host: &str| json!({"channel": "report", "state": "parked", "host": host});
    let nowhere = stage.post("/pushes/redeliver", &wish("other.example")).await;
    assert_eq!(nowhere.json["pushes"], 0);
    let again = stage.post("/pushes/redeliver", &wish("receiver.example")).await;
    assert_eq!(again.json, json!({"pushes": 1, "next": null}));
    let noted = stage.get("/audit").await.json["items"][0]["after"].to_string();
    assert!(noted.contains("receiver.example") && noted.contains("pushes"), "{noted}");
    let other = stage.call(app, 6, End::Over).await;
    assert_eq!(stage.get(&format!("/records/{other}")).await.json["record"]["pressed"], "");
}

#[tokio::test]
async fn a_ladder_is_drawn_in_four_ways() {
    let stage = Stage::new().await;
    let app = stage.app("demo").await;
    let call = stage.call(app, 1, End::Over).await;
    let path = |form: &str| format!("/records/{call}/ladder?as={form}");
    stage.get(&path("pcap")).await.is(404, "not-found");
    stage.get(&path("gif")).await.is(400, "invalid-query");
    stage.get(&format!("/records/{}/ladder", "0".repeat(32))).await.is(404, "not-found");

    let began = noon();
    let message = "SIP/2.0 486 Busy Here\r\nCSeq: 1 INVITE\r\n\r\n".as_bytes();
    let packet = trace::Packet {
        at: began + Duration::from_millis(5),
        leg: Leg::A,
        way: trace::Way::Received,
        kind: trace::Kind::Sip,
        ours: "192.0.2.1:5060".parse().unwrap(),
        far: "192.0.2.9:5060".parse().unwrap(),
        length: u16::try_from(message.len()).unwrap(),
        payload: message,
    };
    let file = trace::Trace { packets: vec![packet], left_out: 0 }.to_pcap();
    let kept = trace::path(&stage.dir.path().join("traces"), call);
    std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
    std::fs::write(&kept, &file).unwrap();
    stage.settle_push(1).await;

    let pcap = stage.get(&path("pcap")).await;
    assert_eq!(
        (pcap.headers[CONTENT_TYPE].to_str().unwrap(), &pcap.bytes),
        ("application/vnd.tcpdump.pcap", &file)
    );
    let text = String::from_utf8(stage.get(&path("text")).await.bytes).unwrap();
    assert!(text.contains("486 ") && text.contains("A: 486 Busy Here to INVITE"), "{text}");
    assert!(
        text.contains("push failed: A dialled: the receiver is gone") && text.contains("push owed: fee"),
        "{text}"
    );
    let svg = stage.get(&path("svg")).await;
    assert_eq!(svg.headers[CONTENT_TYPE].to_str().unwrap(), "image/svg+xml");
    assert!(svg.bytes.starts_with(b"<svg ") && String::from_utf8_lossy(&svg.bytes).contains("486 Busy Here"));
    let ladder = stage.get(&format!("/records/session-{call}/ladder")).await.json;
    let rows = ladder["rows"].as_array().unwrap();
    let told = rows.iter().find(|row| row["kind"] == "message").unwrap();
    assert_eq!(told["arrow"], json!({"from": "a", "to": "us", "both_ways": false, "label": "486"}));
    assert_eq!(
        (&told["message"], &ladder["call"]),
        (&json!(String::from_utf8_lossy(message)), &json!(call.to_string()))
    );
    assert!(rows.iter().any(|row| row["kind"] == "push") && rows.iter().any(|row| row["kind"] == "fact"));
}
