//! The bytes of a request: read whole, bounded in size and time, before anything else looks at them.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::problem::{Kind, Problem};

/// Who is at the other end of the connection. The listener puts it into the request's extensions; a request without
/// one was made in this process.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// The body of a request, for the layers that look at it before the handler does.
#[derive(Clone)]
pub(crate) struct Intake(pub(crate) Bytes);

/// Reads the body.
pub(crate) async fn intake(request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    let limited = Limited::new(body, room(&head.headers));
    let bytes = match tokio::time::timeout(PATIENCE, limited.collect()).await {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(fault)) if fault.is::<LengthLimitError>() => {
            return Problem::of(Kind::BodyTooLarge).into_response();
        }
        Ok(Err(_)) | Err(_) => return Problem::of(Kind::BodyTooSlow).into_response(),
    };
    head.extensions.insert(Intake(bytes.clone()));
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(&head.method);
    let request = Request::from_parts(head, Body::from(bytes));
    if reads {
        return next.run(request).await;
    }
    // A client that breaks off must not leave a change half done or unnoted.
    match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        Err(fault) => Problem::fault(&fault).into_response(),
    }
}

/// Bytes that a body of that type may have.
fn room(headers: &HeaderMap) -> usize {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if content_type.is_some_and(is_wav) { speech::wav::FILE_BYTES_MAX } else { JSON_BYTES }
}

/// Whether a content type is one of those that WAV files are sent with.
pub(crate) fn is_wav(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or("").trim();
    ["audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"]
        .iter()
        .any(|known| essence.eq_ignore_ascii_case(known))
}

/// Bytes of JSON: a list of ten thousand numbers fits.
const JSON_BYTES: usize = 1024 * 1024;

/// How long a body may take: eight megabytes over a slow line.
const PATIENCE: Duration = Duration::from_secs(60);
