//! Who changed what: a line for every request that would change something, written before it is done.
//!
//! The line's outcome follows when it is done. A line without one belongs to a process that died on the way, so no
//! change goes unnoted. Neither holds a secret: handlers say what the log may know.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Json, Response};
use serde::Serialize;
use serde_json::Value;
use store::admin::{AuditDraft, AuditOutcome};

use crate::intake::Peer;
use crate::parts::Parts;
use crate::problem::Problem;

/// An answer that tells of a change: what the client reads, and what the audit log knows.
#[derive(Debug)]
pub(crate) struct Changed<T> {
    status: StatusCode,
    body: Option<T>,
    before: Value,
    after: Value,
}

/// What a handler changed, on its way out to the audit log.
#[derive(Clone, Debug, Default)]
struct Change {
    before: Value,
    after: Value,
}

impl<T: Serialize> Changed<T> {
    /// Something was made.
    pub(crate) fn made(thing: T) -> Self {
        let after = told(&thing);
        Self { status: StatusCode::CREATED, body: Some(thing), before: Value::Null, after }
    }

    /// Something is otherwise now.
    pub(crate) fn from(before: &impl Serialize, thing: T) -> Self {
        let after = told(&thing);
        Self { status: StatusCode::OK, body: Some(thing), before: told(before), after }
    }

    /// Something was done; the log shall know what.
    pub(crate) fn done(thing: T) -> Self {
        Self { status: StatusCode::OK, body: Some(thing), before: Value::Null, after: Value::Null }
    }

    /// Something is gone.
    pub(crate) fn gone(before: &impl Serialize) -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None, before: told(before), after: Value::Null }
    }

    /// Something was there before that this takes the place of.
    pub(crate) fn instead_of(self, before: &impl Serialize) -> Self {
        Self { before: told(before), ..self }
    }

    /// The log shall know this of what is there now, because the client is shown a secret.
    pub(crate) fn known_as(self, after: &impl Serialize) -> Self {
        Self { after: told(after), ..self }
    }
}

impl<T: Serialize> IntoResponse for Changed<T> {
    fn into_response(self) -> Response {
        let mut response = match self.body {
            Some(body) => (self.status, Json(body)).into_response(),
            None => self.status.into_response(),
        };
        response.extensions_mut().insert(Change { before: self.before, after: self.after });
        response
    }
}

/// Notes a request that would change something, and what came of it.
pub(crate) async fn audit(State(parts): State<Arc<Parts>>, request: Request, next: Next) -> Response {
    if !changes(&request) {
        return next.run(request).await;
    }
    let no = match parts.admin.begin_audit(&draft(&parts, &request)).await {
        Ok(no) => no,
        Err(fault) => return Problem::from(fault).into_response(),
    };
    let mut response = next.run(request).await;
    let Change { before, after } = response.extensions_mut().remove().unwrap_or_default();
    let text = |value: &Value| (!value.is_null()).then(|| value.to_string().into());
    let outcome =
        AuditOutcome { status: response.status().as_u16(), before: text(&before), after: text(&after) };
    if let Err(fault) = parts.admin.finish_audit(no, &outcome).await {
        return Problem::from(fault).into_response();
    }
    response
}

fn changes(request: &Request) -> bool {
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    !reads && !LOOKS.contains(&request.uri().path())
}

fn draft(parts: &Parts, request: &Request) -> AuditDraft {
    let actor = match request.extensions().get::<Peer>() {
        Some(Peer(address)) => format!("operator from {address}"),
        None => "operator on this machine".to_owned(),
    };
    AuditDraft {
        at: (parts.clock)(),
        who: actor.into(),
        action: request.method().as_str().into(),
        what: request.uri().path().chars().take(PATH_CHARS).collect::<String>().into(),
    }
}

/// What the API shows is what the log knows; it is always JSON.
fn told(thing: &impl Serialize) -> Value {
    serde_json::to_value(thing).unwrap_or(Value::Null)
}

/// Routes that take a body and change nothing.
const LOOKS: [&str; 1] = ["/api/v1/explain"];

/// Characters of a path that the log keeps: every path of ours is shorter.
const PATH_CHARS: usize = 256;
