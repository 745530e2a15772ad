//! `Idempotency-Key`: a POST that is sent twice is done once.
//!
//! The first answer is kept for a day and given again. A key that comes with another request is refused; one whose
//! first request is still at work is told to wait. A failure of our own is not kept: the request may be sent again.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base::private::Private;
use sha2::{Digest, Sha256};
use store::admin::{KeptAnswer, Turn};

use crate::intake::Intake;
use crate::parts::Parts;
use crate::problem::{Kind, Problem};

/// The request's header.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Says in an answer that it was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Lets a POST with a key pass once.
pub(crate) async fn repeat(State(parts): State<Arc<Parts>>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(IDEMPOTENCY_KEY) {
        return next.run(request).await;
    }
    let Some(key) = key(request.headers()) else {
        return Problem::of(Kind::InvalidIdempotencyKey).into_response();
    };
    match parts.admin.take_turn(&key, digest(&request), (parts.clock)()).await {
        Ok(Turn::First) => first(&parts, &key, request, next).await,
        Ok(Turn::Again(answer)) => again(answer),
        Ok(Turn::Busy) => Problem::of(Kind::IdempotencyKeyBusy).into_response(),
        Ok(Turn::Foreign) => Problem::of(Kind::IdempotencyKeyReused).into_response(),
        Err(fault) => Problem::from(fault).into_response(),
    }
}

async fn first(parts: &Parts, key: &str, request: Request, next: Next) -> Response {
    let (head, body) = next.run(request).await.into_parts();
    // Every answer to a POST is one piece of JSON in memory.
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return Problem::of(Kind::Fault).into_response();
    };
    // A problem has its body only further out, in the language of each request; it changed nothing and is made anew.
    let kept = if head.status.is_success() {
        let content_type =
            head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(Into::into);
        let text = String::from_utf8_lossy(&body).into_owned().into();
        let answer = KeptAnswer { status: head.status.as_u16(), content_type, body: Private::new(text) };
        parts.admin.keep_answer(key, &answer).await
    } else {
        parts.admin.release_turn(key).await
    };
    match kept {
        Ok(()) => Response::from_parts(head, Body::from(body)),
        Err(fault) => Problem::from(fault).into_response(),
    }
}

fn again(answer: KeptAnswer) -> Response {
    let mut response = Response::new(Body::from(String::from(answer.body.into_exposed())));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let content_type = answer.content_type.and_then(|text| HeaderValue::from_str(&text).ok());
    if let Some(content_type) = content_type {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

fn key(headers: &HeaderMap) -> Option<Box<str>> {
    let text = headers.get(IDEMPOTENCY_KEY)?.to_str().ok()?;
    let usable = (1..=KEY_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    usable.then(|| text.into())
}

/// What makes a request the same as another: path, query and body.
fn digest(request: &Request) -> [u8; 32] {
    let body = request.extensions().get::<Intake>().map(|intake| intake.0.clone()).unwrap_or_default();
    let place = request.uri().path_and_query().map_or("", PathAndQuery::as_str);
    let whole = Sha256::new().chain_update(place).chain_update([0]).chain_update(&body);
    whole.finalize().into()
}

/// Bytes of a key: a UUID has 36.
const KEY_BYTES: usize = 128;
