//! The document, and a tour of everything it promises.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::stage::{Answer, BANNED, End, Stage};
use crate::document;

/// Every operation of the document: its id, method and path.
fn operations() -> Vec<(String, Method, String)> {
    let document = serde_json::to_value(document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let operation = |(method, operation): (&String, &Value)| {
            let id = operation["operationId"].as_str()?.to_owned();
            Some((id, method.to_uppercase().parse().unwrap(), path.clone()))
        };
        item.as_object().unwrap().iter().filter_map(operation).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

/// Walks through the API and notes which operations it has seen succeed.
struct Tour {
    stage: Stage,
    seen: BTreeSet<String>,
}

impl Tour {
    /// Calls an operation with the values of its path, in order.
    async fn visit(&mut self, id: &str, values: &[&str], body: Value) -> Answer {
        let (_, method, path) =
            operations().into_iter().find(|(known, ..)| known == id).unwrap_or_else(|| panic!("no {id}"));
        let mut values = values.iter();
        let fill = |piece: &str| match piece.strip_prefix('{') {
            Some(_) => (*values.next().expect("a value for each place")).to_owned(),
            None => piece.to_owned(),
        };
        let path = path.split('/').map(fill).collect::<Vec<_>>().join("/");
        let mut request = self.stage.request(method, &path);
        if let Value::String(sound) = body {
            request.headers_mut().insert(CONTENT_TYPE, sound.parse().unwrap());
            *request.body_mut() = Body::from(speech::wav::wav_alaw(&[0x55; 800]));
        } else if body != Value::Null {
            request = super::stage::json_body(request, &body);
        }
        let answer = self.stage.send(request).await;
        assert_eq!(answer.status / 100, 2, "{id}: {}", answer.json);
        self.seen.insert(id.to_owned());
        answer
    }

    async fn look(&mut self, ids: &[&str], values: &[&str]) {
        for id in ids {
            self.visit(id, values, Value::Null).await;
        }
    }
}

#[tokio::test]
async fn every_operation_of_the_document_is_there_and_succeeds() {
    let mut tour = Tour { stage: Stage::serving().await, seen: BTreeSet::new() };
    tour.look(&["get_version", "get_health", "get_openapi"], &[]).await;

    tour.visit("create_enterprise", &[], json!({"account": "shop"})).await;
    tour.visit("change_enterprise", &["shop"], json!({"state": "active"})).await;
    tour.visit("create_sub_enterprise", &["shop"], json!({"name": "north"})).await;
    tour.visit("change_sub_enterprise", &["shop", "north"], json!({"state": "active"})).await;
    tour.look(&["list_enterprises"], &[]).await;
    tour.look(&["get_enterprise", "list_sub_enterprises", "list_templates"], &["shop"]).await;
    tour.look(&["get_sub_enterprise"], &["shop", "north"]).await;

    let template = tour.visit("create_template", &["shop"], json!({"name": "hi", "text": "您好"})).await;
    let template = [template.json["id"].as_str().unwrap()];
    tour.visit("change_template", &template, json!({"name": "hi", "text": "你好"})).await;
    tour.visit("review_template", &template, json!({"review": "approved"})).await;
    tour.look(&["get_template", "remove_template"], &template).await;

    let app = tour.visit("create_app", &[], json!({"name": "demo", "account": "shop"})).await;
    let (id, app) = (app.json["id"].as_i64().unwrap(), app.json["id"].to_string());
    tour.visit("change_app", &[&app], json!({"ports": 5})).await;
    tour.look(&["list_apps"], &[]).await;
    tour.look(&["get_app", "list_keys", "list_numbers", "list_clips"], &[&app]).await;

    let key = tour.visit("create_key", &[&app], json!({})).await;
    let key = key.json["id"].as_str().unwrap();
    tour.visit("rotate_key", &[key], json!({})).await;
    tour.look(&["get_key", "revoke_key"], &[key]).await;

    let number = "+8675500000001";
    tour.visit("add_number", &[&app], json!({"number": number})).await;
    tour.visit("change_number", &[&app, number], json!({"state": "paused"})).await;
    tour.look(&["get_number", "remove_number"], &[&app, number]).await;

    let clip = [&*app, "hi.wav"];
    tour.visit("upload_clip", &clip, json!("audio/wav")).await;
    tour.visit("review_clip", &clip, json!({"review": "approved"})).await;
    tour.look(&["get_clip", "download_clip", "remove_clip"], &clip).await;

    for (whose, path) in [("", vec![]), ("_of_app", vec![&*app])] {
        let (list, limit) =
            ([&path[..], &["callee_block"]].concat(), [&path[..], &["callee", "day"]].concat());
        let values = json!({"values": ["+8613800000009"]});
        tour.visit(&format!("add_listed{whose}"), &list, values.clone()).await;
        tour.look(&[&format!("list_listed{whose}")], &list).await;
        tour.visit(&format!("remove_listed{whose}"), &list, values).await;
        tour.visit(&format!("set_limit{whose}"), &limit, json!({"calls": 3})).await;
        tour.look(&[&format!("list_limits{whose}")], &path).await;
        tour.look(&[&format!("lift_limit{whose}")], &limit).await;
        let hours = json!({"spans": [{"from": "22:00", "to": "08:00"}]});
        tour.visit(&format!("set_forbidden_hours{whose}"), &path, hours).await;
        tour.look(&[&format!("get_forbidden_hours{whose}")], &path).await;
    }
    tour.visit("change_settings", &[], json!({"listed_only": false})).await;
    tour.look(&["get_settings", "list_trunks", "list_push_hosts", "list_bans", "list_audit"], &[]).await;
    tour.look(&["lift_ban"], &[BANNED]).await;
    let order = json!({"product": "code", "callee": "+8613800000001", "shown": number});
    tour.visit("explain", &[], json!({"app": id, "order": order})).await;

    let call = tour.stage.call(id, 1, End::Over).await.to_string();
    tour.look(&["list_calls", "list_records", "list_pushes"], &[]).await;
    tour.look(&["get_record", "get_ladder"], &[&call]).await;
    tour.look(&["get_push"], &["1"]).await;
    tour.visit("redeliver_pushes", &[], json!({})).await;
    tour.stage.settle_push(1).await;
    tour.look(&["redeliver_push"], &["1"]).await;
    tour.look(&["delete_app"], &[&app]).await;

    let all: BTreeSet<String> = operations().into_iter().map(|(id, ..)| id).collect();
    let missing: Vec<&String> = all.difference(&tour.seen).collect();
    assert_eq!(missing, Vec::<&String>::new(), "no story visits these");
}

#[test]
fn the_document_is_whole() {
    let document = serde_json::to_value(document()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let all = operations();
    let ids: BTreeSet<&String> = all.iter().map(|(id, ..)| id).collect();
    assert_eq!(ids.len(), all.len(), "operation ids are unique");
    for (id, method, path) in &all {
        let operation = &document["paths"][path][method.as_str().to_lowercase()];
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{id} has no summary");
        let responses = operation["responses"].as_object().unwrap();
        for (status, response) in responses {
            assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{id} {status}");
        }
        assert!(responses.contains_key("401"), "{id} says nothing of strangers");
        assert!(responses.contains_key("413"), "{id} reads bodies of any length");
        let keyed = operation["parameters"].to_string().contains("Idempotency-Key");
        assert_eq!(keyed, *method == Method::POST, "{id}");
        assert!(!path.contains('{') || responses.contains_key("404"), "{id}");
    }
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"].get(name).is_some(), "{name} is nowhere");
    }
}
