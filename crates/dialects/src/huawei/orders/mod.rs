//! Request bodies: one file an API, each with the body as the vendor documents it.
//!
//! A body is judged in the documented order: everything that is answered with 1010002 first, field by field in the
//! order of the document's table, then the telephone numbers. A field that another one switches off is not looked at.

pub(super) mod call_stop;
pub(super) mod call_verify;
pub(super) mod click2call;
mod placing;

use base::limits::REQUEST_BODY_BYTES;
use base::refusal::Refusal;

use crate::wire::WireRequest;

/// The body, if its length and its content type are those of JSON.
pub(super) fn json(request: &WireRequest) -> Result<&[u8], Refusal> {
    let content_type = request.headers.first("Content-Type").ok_or(Refusal::BadBody)?;
    let essence = content_type.split(';').next().unwrap_or("").trim();
    if essence.eq_ignore_ascii_case("application/json") && request.body.len() <= REQUEST_BODY_BYTES {
        Ok(&request.body)
    } else {
        Err(Refusal::BadBody)
    }
}

/// Reads a body of its type. Unknown fields are passed over; a field that comes twice is a fault.
fn body<'de, T: serde::Deserialize<'de>>(json: &'de [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(json).map_err(|_| Refusal::BadBody)
}
