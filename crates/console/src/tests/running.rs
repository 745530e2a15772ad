//! What only a running platform knows.

use serde_json::{Value, json};

use super::stage::{BANNED, End, Stage};

#[tokio::test]
async fn without_a_platform_there_is_nobody_to_ask() {
    let stage = Stage::new().await;
    let app = stage.app("demo").await;
    assert_eq!(stage.get("/health").await.json["serving"], false);
    stage.get("/trunks").await.is(409, "not-running");
    stage.get("/bans").await.is(409, "not-running");
    stage.delete(&format!("/bans/{BANNED}")).await.is(409, "not-running");
    let question = json!({"app": app, "request": {"path": "/x"}});
    stage.post("/explain", &question).await.is(409, "not-running");
}

#[tokio::test]
async fn trunks_and_bans_are_those_of_the_platform() {
    let stage = Stage::serving().await;
    let health = stage.get("/health").await.json;
    assert_eq!((&health["serving"], &health["live_calls"]), (&json!(true), &json!(3)));
    let trunks = stage.get("/trunks?limit=1").await.json;
    assert_eq!(
        (&trunks["items"][0]["peer"], &trunks["items"][0]["health"], &trunks["items"][0]["seen_as"]),
        (&json!("192.0.2.1:5060"), &json!("working"), &json!("203.0.113.5:40000"))
    );
    assert_eq!(
        (&trunks["items"][0]["name"], &trunks["items"][0]["calls"], &trunks["items"][0]["since"]),
        (&json!("near"), &json!(7), &json!("2026-01-02T12:00:00.000Z"))
    );
    let rest = stage.get(&format!("/trunks?cursor={}", trunks["next"].as_str().unwrap())).await.json;
    assert_eq!(
        (&rest["items"][0]["health"], &rest["items"][0]["sip_status"]),
        (&json!("failing"), &json!(503))
    );
    assert_eq!(rest["next"], Value::Null);

    let bans = stage.get("/bans").await.json;
    assert_eq!(bans["items"], json!([{"address": BANNED, "until": "2026-01-02T12:00:00.000Z"}]));
    assert_eq!(stage.delete(&format!("/bans/{BANNED}")).await.status, 204);
    assert_eq!(stage.get("/bans").await.json["items"], json!([]));
    stage.delete(&format!("/bans/{BANNED}")).await.is(404, "not-found");
    stage.delete("/bans/hello").await.is(404, "not-found");
}

#[tokio::test]
async fn a_host_shows_how_it_fares_and_what_it_does_not_have() {
    let stage = Stage::serving().await;
    let app = stage.app("demo").await;
    stage.call(app, 1, End::Over).await;
    stage.settle_push(2).await;
    assert_eq!(stage.get("/health").await.json["parked_pushes"], 1);
    let first = stage.get("/pushes/hosts?limit=1").await.json;
    let host = &first["items"][0];
    assert_eq!((&host["host"], &host["health"]["condition"]), (&json!("a.example"), &json!("probing")));
    assert_eq!((&host["fresh"], &host["parked"]), (&json!(0), &json!(0)));
    let rest = stage.get(&format!("/pushes/hosts?cursor={}", first["next"].as_str().unwrap())).await.json;
    assert_eq!(
        rest["items"],
        json!([{
            "host": "receiver.example", "fresh": 3, "deferred": 0, "parked": 1,
            "health": {
                "condition": "resting", "rests_until": "2026-01-02T12:00:40.000Z", "failures": 10,
                "failing_since": "2026-01-02T12:00:00.000Z", "last_fault": "no answer within 10 s",
                "last_fault_at": "2026-01-02T12:00:00.000Z", "taken": 7, "failed": 12, "in_flight": 1,
            },
        }])
    );
    assert_eq!(rest["next"], Value::Null);
    let alone = Stage::new().await;
    let app = alone.app("demo").await;
    alone.call(app, 1, End::Over).await;
    let hosts = alone.get("/pushes/hosts").await.json;
    assert_eq!((&hosts["items"][0]["fresh"], &hosts["items"][0]["health"]), (&json!(4), &Value::Null));
}

#[tokio::test]
async fn an_order_is_explained_without_being_placed() {
    let stage = Stage::serving().await;
    let app = stage.app("demo").await;
    let ask = async |question: Value| stage.post("/explain", &question).await;
    let callback = json!({
        "product": "callback", "caller": "+8613800000001", "callee": "+8613800000002",
        "shown_to_caller": "+8675500000001", "max_minutes": 5, "record": true,
    });
    let code =
        json!({"product": "code", "callee": "+8613800000001", "shown": "+8675500000001", "clip": "hi.wav"});
    let notice = json!({
        "product": "notice", "callee": "+8613800000001", "shown": "+8675500000001", "phase": "sandbox",
        "items": [{"clip": "hi.wav"}, {"template": "t", "values": ["1"]}],
    });
    for order in [&callback, &notice] {
        let answer = ask(json!({"app": app, "order": order})).await;
        assert_eq!((answer.status, &answer.json["accepted"]), (200, &json!(true)), "{}", answer.json);
        assert_eq!(answer.json["rules"][0]["quotas"][0]["left"], 2);
    }
    let refused = ask(json!({"app": app, "order": code, "from": "203.0.113.9"})).await.json;
    assert_eq!((&refused["accepted"], &refused["refusal"]), (&json!(false), &json!("the callee is blocked")));
    assert_eq!((&refused["rules"][0]["passed"], &refused["answer"]), (&json!(false), &Value::Null));
    let request = ask(json!({"app": app, "request": {"path": "/order?x=1", "body": {"a": 1}}})).await.json;
    assert_eq!(request["answer"], json!({"status": 403, "body": "{\"a\":1}"}));
    for (path, status, kind) in
        [("/none", 422, "unusable-value"), ("/stop", 422, "unusable-value"), ("/keyless", 409, "conflict")]
    {
        ask(json!({"app": app, "request": {"path": path}})).await.is(status, kind);
    }
    for wrong in [
        json!({"app": app}),
        json!({"app": app, "order": callback, "request": {"path": "/x"}}),
        json!({"app": app, "order": {"product": "fax"}}),
        json!({"app": app, "order": code, "from": "x"}),
    ] {
        ask(wrong).await.is(422, "invalid-body");
    }
    let empty =
        json!({"product": "notice", "callee": "+8613800000001", "shown": "+8675500000001", "items": []});
    ask(json!({"app": app, "order": empty})).await.is(422, "unusable-value");
    for minutes in [0, 1_441] {
        let mut long = callback.clone();
        long["max_minutes"] = json!(minutes);
        ask(json!({"app": app, "order": long})).await.is(422, "unusable-value");
    }
    ask(json!({"app": 99, "order": callback})).await.is(404, "not-found");
    let log = stage.get("/audit").await.json;
    assert!(!log.to_string().contains("explain"), "asking changes nothing");
}

#[tokio::test]
async fn an_objection_that_is_reported_is_no_refusal_and_passes_nowhere() {
    let stage = Stage::serving().await;
    let app = stage.app("demo").await;
    let ask = async |body| {
        stage.post("/explain", &json!({"app": app, "request": {"path": "/reports", "body": body}})).await.json
    };
    let told = ask("").await;
    assert_eq!(
        (&told["accepted"], &told["refusal"], &told["objection"], &told["answer"]),
        (&json!(true), &Value::Null, &json!("forbidden_words"), &Value::Null),
        "the first is told"
    );
    let rules: Vec<_> = told["rules"].as_array().unwrap().iter().collect();
    let seen = |rule: &&Value| json!([rule["passed"], rule["refusal"], rule["objection"]]);
    assert_eq!(
        rules.iter().map(seen).collect::<Vec<_>>(),
        [
            json!([false, null, "forbidden_words"]),
            json!([false, null, "callee_blocked"]),
            json!([true, null, null]),
            json!([true, null, null]),
        ]
    );
    // What is refused has no report.
    let refused = ask("full").await;
    assert_eq!((&refused["accepted"], &refused["objection"]), (&json!(false), &Value::Null));
    assert_eq!(refused["rules"][0]["objection"], "forbidden_words");
}

#[tokio::test]
async fn templates_with_names_and_menus_are_explained_by_their_ids() {
    let stage = Stage::serving().await;
    let app = stage.app("demo").await;
    let list = "/enterprises/shop/templates";
    stage.post(list, &json!({"name": "x", "kind": "named", "text": "您好{name}"})).await;
    let menu = r#"{"nodes":{"root":{"prompt":"您好{name}","keys":{"0":"end"}}},"bye":"再见"}"#;
    stage.post(list, &json!({"name": "x", "kind": "menu", "text": menu})).await;
    let ask = async |order: Value| stage.post("/explain", &json!({"app": app, "order": order})).await;
    let (callee, shown) = ("+8613800000001", "+8675500000001");
    let notice = json!({
        "product": "notice", "callee": callee, "shown": shown,
        "items": [{"template": "200001", "values": {"name": "张三"}}],
    });
    let menu = |template: &str| json!({"product": "menu", "callee": callee, "shown": shown, "template": template, "values": {"name": "张三"}});
    for (order, rule) in [(notice, "1 text with names"), (menu("200002"), "2 texts with names")] {
        let answer = ask(order).await;
        assert_eq!((answer.status, &answer.json["accepted"]), (200, &json!(true)), "{}", answer.json);
        assert_eq!(answer.json["rules"][0]["rule"], rule);
    }
    ask(menu("200001")).await.is(422, "unusable-value");
    ask(menu("200009")).await.is(404, "not-found");
    let nameless = json!({"product": "menu", "callee": callee, "shown": shown});
    ask(nameless).await.is(422, "invalid-body");
}
