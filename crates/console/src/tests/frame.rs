//! What holds for every route: the token, the errors, the pages, the idempotency key, the audit log.

use axum::body::Body;
use axum::http::Method;
use axum::http::header::{ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_LANGUAGE, CONTENT_TYPE};
use serde_json::{Value, json};

use super::stage::{Stage, anonymous, json_body};

#[tokio::test]
async fn strangers_learn_nothing() {
    let stage = Stage::new().await;
    for (method, path) in [
        (Method::GET, "/apps"),
        (Method::GET, "/apps/1"),
        (Method::GET, "/nothing"),
        (Method::GET, "/api/elsewhere"),
        (Method::PUT, "/apps"),
        (Method::POST, "/apps"),
        (Method::GET, "/openapi.json"),
    ] {
        let answer = stage.send(anonymous(method.clone(), path)).await;
        answer.is(401, "unauthorized");
        assert!(answer.headers.contains_key("www-authenticate"));
        for wrong in ["Bearer x", "Bearer ", "Basic eDp5", "bearer", ""] {
            let mut request = anonymous(method.clone(), path);
            request.headers_mut().insert(AUTHORIZATION, wrong.parse().unwrap());
            stage.send(request).await.is(401, "unauthorized");
        }
    }
    let mut twice = stage.request(Method::GET, "/version");
    twice.headers_mut().append(AUTHORIZATION, "Bearer x".parse().unwrap());
    stage.send(twice).await.is(401, "unauthorized");
    assert_eq!(stage.get("/version").await.status, 200);
}

#[tokio::test]
async fn every_fault_of_a_request_is_a_problem() {
    let stage = Stage::new().await;
    let app = stage.app("demo").await;
    stage.get("/nothing").await.is(404, "no-such-path");
    stage.get("/api/v2/apps").await.is(404, "no-such-path");
    stage.get("/apps/99").await.is(404, "not-found");
    stage.get("/apps/x").await.is(404, "not-found");
    let wrong = stage.delete("/apps").await;
    wrong.is(405, "method-not-allowed");
    assert_eq!(wrong.headers["allow"], "GET,HEAD,POST");
    for query in ["limit=0", "limit=201", "limit=x", "limit=-1", "cursor=x", "colour=red", "cursor=InR4dCI"] {
        stage.get(&format!("/apps?{query}")).await.is(400, "invalid-query");
    }
    let post = || stage.request(Method::POST, "/apps");
    stage.send(post()).await.is(415, "unsupported-media-type");
    for body in ["", "{", "\u{feff}{}", "nul"] {
        let mut request = json_body(post(), &Value::Null);
        *request.body_mut() = Body::from(body);
        stage.send(request).await.is(400, "malformed-body");
    }
    for body in
        [json!([]), json!({}), json!({"name": 1}), json!({"name": "a", "account": "b", "colour": "red"})]
    {
        stage.post("/apps", &body).await.is(422, "invalid-body");
    }
    stage.post("/apps", &json!({"name": "", "account": "b"})).await.is(422, "unusable-value");
    stage.post("/apps", &json!({"name": "demo", "account": "shop"})).await.is(409, "conflict");
    let long = json!({"name": "x".repeat(2 << 20), "account": "b"});
    stage.post("/apps", &long).await.is(413, "body-too-large");
    for body in [json!({"state": "asleep"}), json!([]), json!([null, null, null])] {
        stage.patch(&format!("/apps/{app}"), &body).await.is(422, "invalid-body");
    }
}

#[tokio::test]
async fn a_problem_speaks_chinese_to_those_who_ask_for_it() {
    let stage = Stage::new().await;
    let mut request = stage.request(Method::GET, "/apps/7");
    request.headers_mut().insert(ACCEPT_LANGUAGE, "zh-CN,zh;q=0.9,en;q=0.8".parse().unwrap());
    let answer = stage.send(request).await;
    answer.is(404, "not-found");
    assert_eq!(answer.headers[CONTENT_LANGUAGE], "zh");
    assert_eq!(answer.json["detail"], "没有应用 7");
    assert_eq!(stage.get("/apps/7").await.json["detail"], "there is no app 7");
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let stage = Stage::new().await;
    for n in 0..7 {
        stage.app(&format!("app {n}")).await;
    }
    let (mut path, mut names) = ("/apps?limit=3".to_owned(), Vec::new());
    loop {
        let page = stage.get(&path).await.json;
        let items = page["items"].as_array().unwrap();
        names.push(items.iter().map(|app| app["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/apps?limit=3&cursor={next}");
    }
    assert_eq!(names, [vec!["app 0", "app 1", "app 2"], vec!["app 3", "app 4", "app 5"], vec!["app 6"]]);
}

#[tokio::test]
async fn a_post_that_is_sent_twice_is_done_once() {
    let stage = Stage::new().await;
    let app = stage.app("demo").await;
    let path = format!("/apps/{app}/keys");
    let send = async |path: &str, key: &str| {
        let mut request = stage.request(Method::POST, path);
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        stage.send(request).await
    };
    let first = send(&path, "one").await;
    let again = send(&path, "one").await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.json, again.json, "the secret is the first one's");
    assert_eq!(again.headers[CONTENT_TYPE], "application/json");
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let other = send(&format!("/apps/{app}/numbers"), "one").await;
    other.is(422, "idempotency-key-reused");
    let another = send(&path, "two").await;
    assert_ne!(first.json["id"], another.json["id"]);
    assert_eq!(stage.get(&path).await.json["items"].as_array().unwrap().len(), 2);
    send(&path, "with space").await.is(400, "invalid-idempotency-key");
    send(&path, &"x".repeat(129)).await.is(400, "invalid-idempotency-key");
    // What failed may be tried again under the same key.
    send("/apps/99/keys", "three").await.is(404, "not-found");
    send("/apps/99/keys", "three").await.is(404, "not-found");
}

#[tokio::test]
async fn the_audit_log_knows_every_change_and_no_secret() {
    let stage = Stage::new().await;
    let app = stage.app("demo").await;
    let key = stage.post(&format!("/apps/{app}/keys"), &json!({})).await;
    stage.patch(&format!("/apps/{app}"), &json!({"state": "paused"})).await;
    stage.post("/apps", &json!({"name": "demo", "account": "shop"})).await.is(409, "conflict");
    stage.get("/apps").await;
    let log = stage.get("/audit").await;
    let entries = log.json["items"].as_array().unwrap();
    let told: Vec<(&str, &str, u64)> = entries
        .iter()
        .map(|entry| {
            (
                entry["method"].as_str().unwrap(),
                entry["path"].as_str().unwrap(),
                entry["status"].as_u64().unwrap(),
            )
        })
        .collect();
    let (one, keys) = (format!("/api/v1/apps/{app}"), format!("/api/v1/apps/{app}/keys"));
    assert_eq!(
        told,
        [
            ("POST", "/api/v1/apps", 409),
            ("PATCH", &*one, 200),
            ("POST", &*keys, 201),
            ("POST", "/api/v1/apps", 201)
        ]
    );
    assert_eq!(
        (&entries[1]["before"]["state"], &entries[1]["after"]["state"]),
        (&json!("active"), &json!("paused"))
    );
    assert_eq!(entries[2]["after"]["id"], key.json["id"]);
    assert_eq!(entries[0]["after"], Value::Null);
    assert_eq!(entries[0]["actor"], "operator on this machine");
    assert_eq!(entries[0]["at"], "2026-01-02T12:00:00.000Z");
    let secret = key.json["secret"].as_str().unwrap();
    assert!(secret.len() > 20 && !log.json.to_string().contains(secret));
}
