//! Apps and what belongs to them.

use axum::body::Body;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::stage::Stage;

#[tokio::test]
async fn an_app_is_made_looked_at_and_changed() {
    let stage = Stage::new().await;
    let new = json!({
        "name": "demo", "account": "shop", "products": ["code"], "ports": 7,
        "status_url": "https://example.com/status", "push_signature": "lines",
    });
    let made = stage.post("/apps", &new).await;
    assert_eq!(made.status, 201, "{}", made.json);
    let path = format!("/apps/{}", made.json["id"]);
    assert_eq!(stage.get(&path).await.json, made.json);
    let conduct = json!({
        "answered": {"calls": 100, "percent": 30},
        "short": {"calls": 50, "shorter_than_secs": 6, "percent": 80},
    });
    let patch = json!({
        "state": "paused", "products": ["callback", "code", "notice"], "status_url": null, "ports": 8,
        "phase": "sandbox", "hold": "abnormal_calls", "addresses": ["203.0.113.0/24"], "origin": "ipv4",
        "requests_per_minute": 60, "conduct": conduct, "recording": true, "recording_days": 30,
        "push_profile": "reliable", "destinations": ["+86", "+852"],
    });
    let changed = stage.patch(&path, &patch).await;
    assert_eq!(changed.status, 200);
    for (field, value) in [
        ("name", json!("demo")),
        ("account", json!("shop")),
        ("state", json!("paused")),
        ("products", json!(["callback", "code", "notice"])),
        ("phase", json!("sandbox")),
        ("hold", json!("abnormal_calls")),
        ("addresses", json!(["203.0.113.0/24"])),
        ("destinations", json!(["+86", "+852"])),
        ("origin", json!("ipv4")),
        ("requests_per_minute", json!(60)),
        ("conduct", conduct),
        ("recording", json!(true)),
        ("recording_days", json!(30)),
        ("push_profile", json!("reliable")),
        ("ports", json!(8)),
        ("status_url", json!(null)),
        ("push_signature", json!("lines")),
    ] {
        assert_eq!(changed.json[field], value, "{field}");
    }
    assert_eq!(stage.patch(&path, &json!({})).await.json, changed.json, "nothing asked, nothing changed");
    stage.patch(&path, &json!({"state": "active", "fee_url": "ftp://x"})).await.is(422, "unusable-value");
    assert_eq!(stage.get(&path).await.json, changed.json, "half a patch is none");
    for wrong in [
        json!({"addresses": ["x"]}),
        json!({"destinations": ["86"]}),
        json!({"destinations": vec!["+86"; 101]}),
        json!({"recording_days": 0}),
        json!({"conduct": {"answered": {"calls": 0, "percent": 5}, "short": null}}),
    ] {
        stage.patch(&path, &wrong).await.is(422, "unusable-value");
    }
    stage.patch(&path, &json!({"state": "deleted"})).await.is(422, "invalid-body");
    assert_eq!(stage.get("/apps?name=demo&account=shop").await.json["items"], json!([changed.json]));
    assert_eq!(stage.get("/apps?name=other").await.json["items"], json!([]));
    assert_eq!(stage.get("/apps?account=other").await.json["items"], json!([]));
    assert_eq!(stage.delete(&path).await.json["state"], "deleted");
    stage.delete("/apps/99").await.is(404, "not-found");
}

#[tokio::test]
async fn an_app_says_where_reports_go_and_how_they_are_worded() {
    let stage = Stage::new().await;
    let path = format!("/apps/{}", stage.app("demo").await);
    let fields = |app: &Value| [app["report_url"].clone(), app["reports"].clone(), app["lengths"].clone()];
    let plain = json!({"codes": "status", "numbers": "number", "menus_are": 2});
    let made = stage.get(&path).await.json;
    assert_eq!(fields(&made), [json!(null), plain, json!("wide")]);
    assert_eq!(made["products"], json!(["callback", "code", "notice", "menu"]));
    let url = "https://receiver.example/report";
    let patch = json!({"report_url": url, "reports": {"codes": "detailed"}, "lengths": "strict"});
    let changed = stage.patch(&path, &patch).await.json;
    let detailed = json!({"codes": "detailed", "numbers": "number", "menus_are": 2});
    assert_eq!(fields(&changed), [json!(url), detailed, json!("strict")], "what is left out stays");
    let patch = json!({"report_url": null, "reports": {"numbers": "text", "menus_are": 3}});
    let changed = stage.patch(&path, &patch).await.json;
    let both = json!({"codes": "detailed", "numbers": "text", "menus_are": 3});
    assert_eq!(fields(&changed), [json!(null), both.clone(), json!("strict")]);
    for wrong in [json!({"report_url": "ftp://x"}), json!({"reports": {"menus_are": 10}})] {
        stage.patch(&path, &wrong).await.is(422, "unusable-value");
    }
    stage.patch(&path, &json!({"reports": {"colour": "red"}})).await.is(422, "invalid-body");
    let new =
        json!({"name": "b", "account": "shop", "report_url": url, "reports": both, "lengths": "strict"});
    let made = stage.post("/apps", &new).await.json;
    assert_eq!(fields(&made), [json!(url), both, json!("strict")]);
}

#[tokio::test]
async fn a_temporary_key_shows_its_token_once() {
    let stage = Stage::new().await;
    let keys = format!("/apps/{}/keys", stage.app("demo").await);
    let made = stage.post(&keys, &json!({"temporary": {"lives_secs": 900}})).await;
    assert_eq!((made.status, &made.json["temporary"]), (201, &json!(true)), "{}", made.json);
    assert_eq!(made.json["valid_until"], "2026-01-02T12:15:00.000Z");
    let token = made.json["token"].as_str().unwrap();
    assert_eq!(token.len(), 64);
    let path = format!("/keys/{}", made.json["id"].as_str().unwrap());
    for seen in [stage.get(&path).await.json, stage.get(&keys).await.json, stage.get("/audit").await.json] {
        assert!(!seen.to_string().contains(token), "{seen}");
    }
    let lasting = stage.post(&keys, &json!({})).await.json;
    assert_eq!((&lasting["temporary"], &lasting["token"]), (&json!(false), &json!(null)));
    stage.post(&format!("{path}/rotate"), &json!({})).await.is(422, "unusable-value");
    for lives in [0, 129_601] {
        let new = json!({"temporary": {"lives_secs": lives}});
        stage.post(&keys, &new).await.is(422, "unusable-value");
    }
    let both = json!({"temporary": {"lives_secs": 9}, "existing": {"id": "a", "secret": "b"}});
    stage.post(&keys, &both).await.is(422, "invalid-body");
}

#[tokio::test]
async fn a_key_shows_its_secret_once() {
    let stage = Stage::new().await;
    let app = stage.app("demo").await;
    let made = stage.post(&format!("/apps/{app}/keys"), &json!({})).await;
    assert_eq!(made.status, 201);
    let path = format!("/keys/{}", made.json["id"].as_str().unwrap());
    let seen = stage.get(&path).await;
    assert_eq!(seen.json["state"], "active");
    assert!(seen.json.get("secret").is_none());
    assert_eq!(seen.json["valid_until"], json!(null));
    let rotated = stage.post(&format!("{path}/rotate"), &json!({"overlap_secs": 3_600})).await;
    assert_eq!(rotated.status, 201, "{}", rotated.json);
    assert_ne!(rotated.json["id"], made.json["id"]);
    assert_ne!(rotated.json["secret"], made.json["secret"]);
    assert_eq!(
        stage.get(&path).await.json["valid_until"],
        "2026-01-02T13:00:00.000Z",
        "both work for an hour"
    );
    stage
        .post(&format!("{path}/rotate"), &json!({"overlap_secs": 2_592_001}))
        .await
        .is(422, "unusable-value");
    let existing = json!({"existing": {"id": "theirs", "secret": "of-the-other-cloud"}});
    let taken_over = stage.post(&format!("/apps/{app}/keys"), &existing).await;
    assert_eq!(
        (&taken_over.json["id"], &taken_over.json["secret"]),
        (&json!("theirs"), &json!("of-the-other-cloud"))
    );
    stage.post(&format!("/apps/{app}/keys"), &existing).await.is(409, "conflict");
    assert_eq!(stage.post(&format!("{path}/revoke"), &json!({})).await.json["state"], "revoked");
    let listed = stage.get(&format!("/apps/{app}/keys")).await;
    let states: Vec<&Value> =
        listed.json["items"].as_array().unwrap().iter().map(|key| &key["state"]).collect();
    assert_eq!(states.iter().filter(|state| **state == "revoked").count(), 1);
    assert_eq!(states.len(), 3);
    stage.get("/keys/nobody").await.is(404, "not-found");
    stage.post("/keys/nobody/rotate", &json!({})).await.is(404, "not-found");
    stage.post("/keys/nobody/revoke", &json!({})).await.is(404, "not-found");
    stage.get("/apps/99/keys").await.is(404, "not-found");
}

#[tokio::test]
async fn a_number_belongs_to_one_app() {
    let stage = Stage::new().await;
    let (first, second) = (stage.app("first").await, stage.app("second").await);
    let (number, path) = ("+8675500000001", format!("/apps/{first}/numbers"));
    let added = stage.post(&path, &json!({"number": number})).await;
    assert_eq!((added.status, &added.json["state"]), (201, &json!("active")));
    let twice = stage.post(&format!("/apps/{second}/numbers"), &json!({"number": number})).await;
    twice.is(409, "conflict");
    stage.post(&path, &json!({"number": "0755"})).await.is(422, "unusable-value");
    let one = format!("{path}/{}", &number[1..]);
    assert_eq!(stage.get(&one).await.json, added.json);
    assert_eq!(stage.get(&format!("{path}/{number}")).await.json, added.json);
    assert_eq!(stage.get(&format!("{path}/%2B{}", &number[1..])).await.json, added.json);
    stage.get(&format!("/apps/{second}/numbers/{number}")).await.is(404, "not-found");
    stage.get(&format!("{path}/hello")).await.is(404, "not-found");
    let paused = stage.patch(&one, &json!({"state": "paused"})).await;
    assert_eq!((paused.status, &paused.json["state"]), (200, &json!("paused")));
    assert_eq!(stage.get(&path).await.json["items"], json!([paused.json]));
    let gone = stage.delete(&one).await;
    assert_eq!((gone.status, gone.bytes.len()), (204, 0));
    stage.delete(&one).await.is(404, "not-found");
}

#[tokio::test]
async fn a_voice_file_is_uploaded_heard_and_judged() {
    let stage = Stage::new().await;
    let app = stage.app("demo").await;
    let path = format!("/apps/{app}/clips/hello.wav");
    let sound = speech::wav::wav_alaw(&[0x55; 8_000]);
    let upload = async |path: &str, content_type: &str, sound: &[u8]| {
        let mut request = stage.request(Method::PUT, path);
        request.headers_mut().insert(CONTENT_TYPE, content_type.parse().unwrap());
        *request.body_mut() = Body::from(sound.to_vec());
        stage.send(request).await
    };
    let uploaded = upload(&path, "audio/wav", &sound).await;
    assert_eq!(uploaded.status, 200, "{}", uploaded.json);
    assert_eq!(uploaded.json["secs"], 1.0);
    assert_eq!(uploaded.json["clip"]["review"], "pending");
    let heard = stage.get(&format!("{path}/sound")).await;
    assert_eq!((&heard.headers[CONTENT_TYPE], &heard.bytes), (&"audio/wav".parse().unwrap(), &sound));
    let judged = stage.post(&format!("{path}/review"), &json!({"review": "approved"})).await;
    assert_eq!((judged.status, &judged.json["review"]), (200, &json!("approved")));
    assert_eq!(stage.get(&path).await.json, judged.json);
    assert_eq!(stage.get(&format!("/apps/{app}/clips")).await.json["items"], json!([judged.json]));
    upload(&path, "audio/mpeg", &sound).await.is(415, "unsupported-media-type");
    upload(&path, "audio/wav", b"hello").await.is(422, "unusable-value");
    upload(&format!("/apps/{app}/clips/x.mp3"), "audio/wav", &sound).await.is(422, "unusable-value");
    upload("/apps/99/clips/x.wav", "audio/wav", &sound).await.is(404, "not-found");
    upload(&path, "audio/wav", &vec![0; 9 << 20]).await.is(413, "body-too-large");
    assert_eq!(stage.delete(&path).await.status, 204);
    stage.delete(&path).await.is(404, "not-found");
    for missing in ["", "/sound"] {
        stage.get(&format!("/apps/{app}/clips/nothing.wav{missing}")).await.is(404, "not-found");
    }
    stage
        .post(&format!("/apps/{app}/clips/nothing.wav/review"), &json!({"review": "approved"}))
        .await
        .is(404, "not-found");
}
