//! The API of a new data directory, and a client of it.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Request};
use base::time::Timestamp;
use serde_json::{Value, json};
use speech::shelf::Shelf;
use store::Store;
use tempfile::TempDir;
use tower::ServiceExt;

use crate::parts::Sessions;
use crate::{OperatorKey, Parts, router};

/// The API of a new data directory.
pub(super) struct Stage {
    router: Router,
    token: String,
    _dir: TempDir,
}

/// An answer of the API.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Vec<u8>,
    pub(super) json: Value,
}

impl Stage {
    pub(super) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
        let key = OperatorKey::open(dir.path()).unwrap();
        let shelf = Shelf::open(dir.path().join("clips")).unwrap();
        let sessions = Sessions {
            parse: |text| text.strip_prefix("session-")?.parse().ok(),
            print: |call, _| format!("session-{call}"),
        };
        let token = key.token().expose().to_string();
        let parts = Parts::new(&store, shelf, key, sessions, noon);
        Self { router: router(parts), token, _dir: dir }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(json_body(self.request(Method::POST, path), body)).await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(json_body(self.request(Method::PUT, path), body)).await
    }

    pub(super) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(json_body(self.request(Method::PATCH, path), body)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// A request of the operator.
    pub(super) fn request(&self, method: Method, path: &str) -> Request<Body> {
        let mut request = anonymous(method, path);
        let token = format!("Bearer {}", self.token).parse().unwrap();
        request.headers_mut().insert(AUTHORIZATION, token);
        request
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: head.status.as_u16(), headers: head.headers, bytes, json }
    }

    /// An app, by its id.
    pub(super) async fn app(&self, name: &str) -> i64 {
        let made = self.post("/apps", &json!({"name": name, "account": "shop"})).await;
        assert_eq!(made.status, 201, "{}", made.json);
        made.json["id"].as_i64().unwrap()
    }
}

impl Answer {
    /// Asserts that this is a problem of that kind.
    #[track_caller]
    pub(super) fn is(&self, status: u16, kind: &str) -> &Self {
        assert_eq!(self.status, status, "{}", self.json);
        assert_eq!(self.headers[CONTENT_TYPE], "application/problem+json");
        assert_eq!(self.json["type"], format!("urn:huihu:problem:{kind}"), "{}", self.json);
        assert_eq!(self.json["status"], status);
        for field in ["title", "detail", "fix"] {
            assert!(
                self.json[field].as_str().is_some_and(|text| !text.is_empty()),
                "{field} of {}",
                self.json
            );
        }
        self
    }
}

/// A request of a stranger.
pub(super) fn anonymous(method: Method, path: &str) -> Request<Body> {
    let uri = if path.starts_with("/api") { path.to_owned() } else { format!("/api/v1{path}") };
    Request::builder().method(method).uri(uri).body(Body::empty()).unwrap()
}

/// The same request with a body of JSON.
pub(super) fn json_body(request: Request<Body>, body: &Value) -> Request<Body> {
    let (mut head, _) = request.into_parts();
    head.headers.insert(CONTENT_TYPE, "application/json".parse().unwrap());
    Request::from_parts(head, Body::from(body.to_string()))
}

/// What the clock says in every story.
fn noon() -> Timestamp {
    Timestamp::parse("2026-01-02T12:00:00Z", "%Y-%m-%dT%H:%M:%SZ").unwrap()
}
