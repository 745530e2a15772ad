//! Request bodies: one file an API, each with the body as the vendor documents it.
//!
//! A body is judged in the documented order: everything that is answered with 1010002 first, field by field in the
//! order of the document's table, then the telephone numbers. A field that another one switches off is not looked at.

pub(super) mod call_notify;
pub(super) mod call_stop;
pub(super) mod call_verify;
pub(super) mod click2call;
mod placing;
pub(super) mod record;

use base::limits::REQUEST_BODY_BYTES;
use base::refusal::Refusal;
use serde::de::{Deserialize, IgnoredAny};

use super::fields::Loose;
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
fn body<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Result<T, Refusal> {
    match serde_json::from_slice(json) {
        Ok(Loose::<IgnoredAny, T>::Object(body)) => Ok(body),
        // Also a list, of which serde would make a struct by the order of its fields.
        Ok(_) | Err(_) => Err(Refusal::BadBody),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Headers;

    fn read(content_type: &str, body: Vec<u8>) -> Result<usize, Refusal> {
        let request = WireRequest {
            id: 0,
            method: "POST".into(),
            path: "/".into(),
            query: "".into(),
            headers: Headers::from_iter([("content-type", content_type)]),
            body,
            peer: [127, 0, 0, 1].into(),
        };
        json(&request).map(<[u8]>::len)
    }

    #[test]
    fn a_body_says_that_it_is_json() {
        for good in ["application/json", "application/json;charset=UTF-8", "Application/JSON ; charset=utf-8"]
        {
            assert_eq!(read(good, vec![b'{']), Ok(1), "{good}");
        }
        for bad in ["", "text/plain", "application/jsonx", "application/x-www-form-urlencoded"] {
            assert_eq!(read(bad, vec![b'{']), Err(Refusal::BadBody), "{bad}");
        }
    }

    #[test]
    fn a_body_has_an_end() {
        assert_eq!(read("application/json", vec![b' '; REQUEST_BODY_BYTES]), Ok(REQUEST_BODY_BYTES));
        assert_eq!(read("application/json", vec![b' '; REQUEST_BODY_BYTES + 1]), Err(Refusal::BadBody));
    }

    #[test]
    fn a_body_is_an_object() {
        for bad in ["", "[]", r#"["1202_1_1_20161228102743@n","call_stop"]"#, "null", r#""x""#, "{", "{}x"] {
            assert_eq!(call_stop::read(bad.as_bytes()), Err(Refusal::BadBody), "{bad}");
        }
        assert_eq!(call_stop::read(b" {}"), Err(Refusal::BadField { name: "sessionid" }));
    }

    #[test]
    fn a_body_that_nests_without_end_is_refused() {
        let deep = [vec![b'['; 60_000], vec![b'{'; 5_000]].concat();
        assert_eq!(click2call::read(&deep), Err(Refusal::BadBody));
        let deep = format!(r#"{{"userData":{}"#, "[".repeat(60_000));
        assert_eq!(click2call::read(deep.as_bytes()), Err(Refusal::BadBody));
    }
}
