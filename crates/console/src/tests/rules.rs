//! Enterprises, templates, lists, limits and hours: what operators lay down.

use serde_json::json;

use super::stage::Stage;

#[tokio::test]
async fn an_enterprise_and_its_parts_have_states() {
    let stage = Stage::new().await;
    let made = stage.post("/enterprises", &json!({"account": "shop"})).await;
    assert_eq!((made.status, &made.json["state"]), (201, &json!("active")));
    stage.post("/enterprises", &json!({"account": "shop"})).await.is(409, "conflict");
    stage.post("/enterprises", &json!({"account": ""})).await.is(422, "unusable-value");
    let patch = json!({"state": "in_arrears", "password": "geheim-4711"});
    let changed = stage.patch("/enterprises/shop", &patch).await;
    assert_eq!((&changed.json["state"], &changed.json["has_password"]), (&json!("in_arrears"), &json!(true)));
    assert_eq!(stage.get("/enterprises/shop").await.json, changed.json);
    assert_eq!(stage.get("/enterprises").await.json["items"], json!([changed.json]));
    let without = stage.patch("/enterprises/shop", &json!({"password": null})).await;
    assert_eq!(without.json["has_password"], false);
    let log = stage.get("/audit").await.json.to_string();
    assert!(log.contains("in_arrears") && !log.contains("geheim"), "{log}");
    stage.get("/enterprises/nobody").await.is(404, "not-found");

    let path = "/enterprises/shop/sub_enterprises";
    let made = stage.post(path, &json!({"name": "north"})).await;
    assert_eq!((made.status, &made.json["state"]), (201, &json!("active")));
    let app = stage.app("demo").await;
    let number = format!("/apps/{app}/numbers/8675500000001");
    stage.post(&format!("/apps/{app}/numbers"), &json!({"number": "+8675500000001"})).await;
    assert_eq!(
        stage.patch(&number, &json!({"sub_enterprise": "north"})).await.json["sub_enterprise"],
        "north"
    );
    stage.patch(&number, &json!({"sub_enterprise": "south"})).await.is(404, "not-found");
    let suspended = stage.patch(&format!("{path}/north"), &json!({"state": "suspended"})).await;
    assert_eq!(suspended.json["state"], "suspended");
    assert_eq!(stage.get(&format!("{path}/north")).await.json, suspended.json);
    assert_eq!(stage.get(path).await.json["items"], json!([suspended.json]));
    assert_eq!(stage.get(&number).await.json["sub_enterprise_state"], "suspended");
    let free = stage.patch(&number, &json!({"sub_enterprise": null})).await;
    assert_eq!(
        (&free.json["sub_enterprise"], &free.json["sub_enterprise_state"]),
        (&json!(null), &json!("active"))
    );
}

#[tokio::test]
async fn a_template_is_spoken_when_a_reviewer_agrees() {
    let stage = Stage::new().await;
    stage.post("/enterprises", &json!({"account": "shop"})).await;
    let list = "/enterprises/shop/templates";
    let made = stage.post(list, &json!({"name": "code", "text": "您的验证码是${NUM_6}。"})).await;
    assert_eq!(
        (made.status, &made.json["review"], &made.json["speed"]),
        (201, &json!("pending"), &json!(100))
    );
    let path = format!("/templates/{}", made.json["id"].as_str().unwrap());
    let verdict = json!({"review": "rejected", "note": "too long"});
    let judged = stage.post(&format!("{path}/review"), &verdict).await;
    assert_eq!((&judged.json["review"], &judged.json["note"]), (&json!("rejected"), &json!("too long")));
    let changed = stage.put(&path, &json!({"name": "code", "text": "验证码${NUM_6}", "speed": 80})).await;
    assert_eq!((&changed.json["review"], &changed.json["speed"]), (&json!("pending"), &json!(80)));
    assert_eq!(stage.get(&path).await.json, changed.json);
    assert_eq!(stage.get(list).await.json["items"], json!([changed.json]));
    for text in ["", "${TXT_99}"] {
        stage.post(list, &json!({"name": "x", "text": text})).await.is(422, "unusable-value");
    }
    assert_eq!(stage.delete(&path).await.status, 204);
    stage.get(&path).await.is(404, "not-found");
    stage.get("/enterprises/nobody/templates").await.is(404, "not-found");
}

#[tokio::test]
async fn a_template_stays_of_its_kind_and_says_nothing_forbidden() {
    let stage = Stage::new().await;
    stage.post("/enterprises", &json!({"account": "shop"})).await;
    let list = "/enterprises/shop/templates";
    let menu = r#"{"nodes":{"root":{"prompt":"您好{name}","keys":{"0":"end"}}},"bye":"再见"}"#;
    let placed = stage.post(list, &json!({"name": "x", "text": "您好"})).await.json;
    assert_eq!(placed["kind"], "placed");
    let named = stage.post(list, &json!({"name": "x", "kind": "named", "text": "您好{name}"})).await.json;
    assert_eq!((&named["kind"], &named["id"]), (&json!("named"), &json!("200001")));
    let menu_made = stage.post(list, &json!({"name": "x", "kind": "menu", "text": menu})).await.json;
    assert_eq!((&menu_made["id"], &menu_made["text"]), (&json!("200002"), &json!(menu)));
    // Without its kind it stays what it is.
    let changed = stage.put("/templates/200001", &json!({"name": "y", "text": "{name}好"})).await.json;
    assert_eq!((&changed["kind"], &changed["text"]), (&json!("named"), &json!("{name}好")));
    let other = json!({"name": "y", "kind": "menu", "text": menu});
    stage.put("/templates/200001", &other).await.is(422, "unusable-value");
    for (kind, text) in [("named", "{"), ("menu", "您好"), ("menu", "{}")] {
        let wrong = json!({"name": "x", "kind": kind, "text": text});
        stage.post(list, &wrong).await.is(422, "unusable-value");
    }
    stage.post(list, &json!({"name": "x", "kind": "song", "text": "x"})).await.is(422, "invalid-body");

    stage.post("/lists/word", &json!({"values": ["赌博"]})).await;
    let bad = json!({"name": "x", "kind": "named", "text": "来赌 博{name}"});
    let bad = stage.post(list, &bad).await.json;
    let review = format!("/templates/{}/review", bad["id"].as_str().unwrap());
    let refused = stage.post(&review, &json!({"review": "approved"})).await;
    refused.is(422, "unusable-value");
    assert!(refused.json["fix"].as_str().unwrap().contains("list `word`"), "{}", refused.json);
    assert_eq!(stage.post("/templates/200002/review", &json!({"review": "approved"})).await.status, 200);
}

#[tokio::test]
async fn words_that_nobody_may_speak_are_a_list_of_the_platform() {
    let stage = Stage::new().await;
    let app = stage.app("demo").await;
    let words = json!({"values": [" 赌博", "casino"], "note": "the law"});
    assert_eq!(stage.post("/lists/word", &words).await.json, json!({"changed": 2}));
    let page = stage.get("/lists/word").await.json;
    assert_eq!((&page["items"][1]["value"], &page["items"][1]["note"]), (&json!("赌博"), &json!("the law")));
    for values in [json!([""]), json!(["!?"]), json!(["x".repeat(65)])] {
        stage.post("/lists/word", &json!({"values": values})).await.is(422, "unusable-value");
    }
    stage.post(&format!("/apps/{app}/lists/word"), &words).await.is(422, "unusable-value");
    let gone = stage.post("/lists/word/remove", &json!({"values": ["赌博"]})).await;
    assert_eq!(gone.json, json!({"changed": 1}));
}

#[tokio::test]
async fn a_trial_is_a_limit_that_is_never_over() {
    let stage = Stage::new().await;
    let path = format!("/apps/{}/limits", stage.app("demo").await);
    let trial = json!({"counted_by": "app", "per": "ever", "calls": 100});
    assert_eq!(stage.put(&format!("{path}/app/ever"), &json!({"calls": 100})).await.json, trial);
    stage.put(&format!("{path}/app/month"), &json!({"calls": 50})).await;
    assert_eq!(stage.get(&path).await.json["items"][1], trial);
    assert_eq!(stage.delete(&format!("{path}/app/ever")).await.status, 204);
    assert_eq!(stage.put("/limits/account/ever", &json!({"calls": 100})).await.status, 200);
    // Counts of everybody who was ever called would have no end.
    for numbers in ["shown_number", "caller", "callee", "service_number", "pair"] {
        for root in [&*path, "/limits"] {
            let refused = stage.put(&format!("{root}/{numbers}/ever"), &json!({"calls": 1})).await;
            refused.is(422, "unusable-value");
            let fix = refused.json["fix"].as_str().unwrap();
            assert!(fix.contains("only calls by account and by app are counted for ever"), "{fix}");
        }
    }
}

#[tokio::test]
async fn lists_take_and_give_back_many_values_at_once() {
    let stage = Stage::new().await;
    let app = stage.app("demo").await;
    for path in ["/lists/callee_block".to_owned(), format!("/apps/{app}/lists/callee_block")] {
        let values =
            json!({"values": ["+8613800000001", "+8613800000002"], "note": "asked not to be called"});
        assert_eq!(stage.post(&path, &values).await.json, json!({"changed": 2}));
        assert_eq!(stage.post(&path, &values).await.json, json!({"changed": 0}));
        let page = stage.get(&format!("{path}?limit=1")).await.json;
        assert_eq!(page["items"][0]["value"], "+8613800000001");
        assert_eq!(page["items"][0]["note"], "asked not to be called");
        let rest = stage.get(&format!("{path}?limit=1&cursor={}", page["next"].as_str().unwrap())).await.json;
        assert_eq!((&rest["items"][0]["value"], &rest["next"]), (&json!("+8613800000002"), &json!(null)));
        stage.post(&path, &json!({"values": ["hello"]})).await.is(422, "unusable-value");
        let gone = stage.post(&format!("{path}/remove"), &json!({"values": ["+8613800000001"]})).await;
        assert_eq!(gone.json, json!({"changed": 1}));
    }
    let blocks = json!({"values": ["203.0.113.0/24"]});
    assert_eq!(stage.post("/lists/address_block", &blocks).await.json, json!({"changed": 1}));
    stage.post(&format!("/apps/{app}/lists/address_block"), &blocks).await.is(422, "unusable-value");
    stage.get("/lists/nothing").await.is(404, "not-found");
    stage.get("/apps/99/lists/callee_block").await.is(404, "not-found");
    assert_eq!(stage.get("/settings").await.json, json!({"listed_only": false}));
    assert_eq!(
        stage.patch("/settings", &json!({"listed_only": true})).await.json,
        json!({"listed_only": true})
    );
    let app = stage.patch(&format!("/apps/{app}"), &json!({"listed_only": true})).await;
    assert_eq!(app.json["listed_only"], true);
}

#[tokio::test]
async fn limits_and_hours_hold_for_everybody_or_for_an_app() {
    let stage = Stage::new().await;
    let app = stage.app("demo").await;
    for root in [String::new(), format!("/apps/{app}")] {
        let limit = json!({"counted_by": "callee", "per": "day", "calls": 3});
        assert_eq!(stage.put(&format!("{root}/limits/callee/day"), &json!({"calls": 3})).await.json, limit);
        stage.put(&format!("{root}/limits/app/minute"), &json!({"calls": 60})).await;
        let page = stage.get(&format!("{root}/limits?limit=1")).await.json;
        assert_eq!(page["items"][0]["counted_by"], "app");
        let rest = stage.get(&format!("{root}/limits?cursor={}", page["next"].as_str().unwrap())).await.json;
        assert_eq!(rest, json!({"items": [limit], "next": null}));
        assert_eq!(stage.delete(&format!("{root}/limits/callee/day")).await.status, 204);
        stage.delete(&format!("{root}/limits/callee/day")).await.is(404, "not-found");
        stage.put(&format!("{root}/limits/callee/year"), &json!({"calls": 3})).await.is(404, "not-found");

        let hours = json!({"spans": [{"from": "12:00", "to": "14:00"}, {"from": "22:00", "to": "08:00"}]});
        let path = format!("{root}/forbidden_hours");
        assert_eq!(stage.get(&path).await.json, json!({"spans": []}));
        assert_eq!(stage.put(&path, &hours).await.json, hours);
        assert_eq!(stage.get(&path).await.json, hours);
        let wrong = json!({"spans": [{"from": "25:00", "to": "08:00"}]});
        stage.put(&path, &wrong).await.is(422, "invalid-body");
    }
    stage.get("/apps/99/limits").await.is(404, "not-found");
    stage.get("/apps/99/forbidden_hours").await.is(404, "not-found");
}
