//! Who may ask: whoever has the token. Nobody else learns anything, not even which paths there are.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::parts::Parts;
use crate::problem::{Kind, Problem};

/// Lets a request with the token pass.
pub(crate) async fn guard(State(parts): State<Arc<Parts>>, request: Request, next: Next) -> Response {
    if token(request.headers()).is_some_and(|offered| parts.key.fits(offered)) {
        return next.run(request).await;
    }
    let mut response = Problem::of(Kind::Unauthorized).into_response();
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"huihu\""));
    response
}

/// The token of `Authorization: Bearer TOKEN` (RFC 6750 section 2.1); of several headers, none.
fn token(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
