//! The webhook inbox of `huihu dev`: a customer's receiver that checks each push's signature and keeps the latest.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::get;
use base::account::{Key, PushSignature};
use dialects::Headers;
use dialects::huawei::client::check_push;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Pushes that are kept.
const KEPT: usize = 1_000;

/// A push that came in.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// `callout`, `alerting`, `answer`, `disconnect`, `fee` or `report`.
    pub(crate) event: String,
    /// The session that it is about.
    pub(crate) session: String,
    /// Why the signature was not accepted; `None` when it was, or when none is made.
    pub(crate) fault: Option<String>,
    pub(crate) body: Value,
}

/// A running inbox. Dropping it closes it.
pub(crate) struct Inbox {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    /// Whose pushes come in, once somebody is known.
    key: OnceLock<Key>,
    base: String,
    received: Mutex<VecDeque<Received>>,
    news: Notify,
}

impl Inbox {
    /// Opens an inbox beside `near`: the port after it, or any that is free.
    pub(crate) async fn open(near: SocketAddr) -> Result<Self> {
        let port = if near.port() == 0 { 0 } else { near.port().wrapping_add(1) };
        let next = SocketAddr::new(near.ip(), port);
        let listener = match TcpListener::bind(next).await {
            Ok(listener) => listener,
            Err(_) => TcpListener::bind(SocketAddr::new(near.ip(), 0)).await?,
        };
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            key: OnceLock::new(),
            base: format!("http://{address}"),
            received: Mutex::default(),
            news: Notify::new(),
        });
        let routes = Router::new().fallback(get(list).post(take)).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            if let Err(fault) = axum::serve(listener, routes).await {
                tracing::error!("the inbox ended: {fault}");
            }
        });
        Ok(Self { shared, task })
    }

    /// Says whose pushes come in, so that their signatures can be checked. The first word counts.
    pub(crate) fn belongs_to(&self, key: Key) {
        self.shared.key.set(key).ok();
    }

    /// The address to give as a receiver. It has only characters that the vendors allow.
    pub(crate) fn url(&self) -> String {
        format!("{}/inbox", self.shared.base)
    }

    /// What has come in of a session, in order.
    pub(crate) fn of(&self, session: &str) -> Vec<Received> {
        let received = self.shared.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.iter().filter(|push| push.session == session).cloned().collect()
    }

    /// Comes back when something more has come in.
    pub(crate) async fn news(&self) {
        self.shared.news.notified().await;
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// `POST`: a push.
async fn take(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return (StatusCode::BAD_REQUEST, "this is no JSON");
    };
    let fields =
        headers.iter().map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())));
    let fields = fields.collect::<Headers>();
    let url = format!("{}{uri}", shared.base);
    let Some(key) = shared.key.get() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "nobody owns this inbox yet");
    };
    let checked = check_push(&fields, &url, key, PushSignature::Joined);
    if let Value::Array(reports) = body {
        shared.keep(reports.into_iter().map(Received::report));
        return (StatusCode::OK, r#"{"code":0,"msg":"success"}"#);
    }
    let status = &body["statusInfo"]["sessionId"];
    let session = if status.is_string() { status } else { &body["feeLst"][0]["sessionId"] };
    let push = Received {
        event: text(&body["eventType"]),
        session: text(session),
        fault: checked.err().map(|fault| fault.to_string()),
        body: body.clone(),
    };
    let answer = match &push.fault {
        None => (StatusCode::OK, r#"{"resultcode":"0","resultdesc":"Success"}"#),
        Some(_) => (StatusCode::UNAUTHORIZED, "the signature is wrong"),
    };
    shared.keep([push]);
    answer
}

impl Received {
    /// A report. This vendor does not sign them.
    fn report(body: Value) -> Self {
        Self { event: "report".to_owned(), session: text(&body["CallId"]), fault: None, body }
    }
}

impl Shared {
    fn keep(&self, pushes: impl IntoIterator<Item = Received>) {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        for push in pushes {
            if received.len() == KEPT {
                received.pop_front();
            }
            received.push_back(push);
        }
        drop(received);
        self.news.notify_one();
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("").to_owned()
}

/// `GET`: what has come in, newest last.
async fn list(State(shared): State<Arc<Shared>>) -> axum::Json<Value> {
    let received = shared.received.lock().unwrap_or_else(PoisonError::into_inner);
    let line =
        |push: &Received| json!({"signature": push.fault.as_deref().unwrap_or("ok"), "body": push.body});
    axum::Json(received.iter().map(line).collect())
}
