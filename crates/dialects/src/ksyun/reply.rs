//! Replies: what was done, or the answer to a refusal. Always JSON, whatever `Accept` says.
//!
//! ```text
//! {"CallId":"fbdad845962b1586960833","ExtId":"","RequestId":"7de19b5e-0791-4269-872b-c3e05b53c3c8"}
//! {"RequestId":"7e9a59c5-…","Error":{"Type":"server","Code":"AccountVoiceServiceUnavailable","Message":"The Account …"}}
//! ```

use serde::Serialize;

use super::codes::Answer;
use super::{json, session};
use crate::dialect::Done;
use crate::wire::{Headers, WireReply, WireRequest};

/// The content type of every reply.
const JSON: &str = "application/json";

/// What was done, in the order of the vendor's samples.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Success<'a> {
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    placed: Option<Placed<'a>>,
    request_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Placed<'a> {
    call_id: String,
    ext_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failure<'a> {
    request_id: String,
    error: Error<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Error<'a> {
    r#type: &'static str,
    code: &'static str,
    message: &'a str,
}

/// Words what was done; `ext_id` is the customer's own number for it, as far as there is one.
pub(super) fn done(request: &WireRequest, done: &Done, ext_id: &str) -> WireReply {
    let placed = match done {
        Done::Placed { call, node: _, idle_ports: _ } => {
            Some(Placed { call_id: session::print(*call), ext_id })
        }
        // Nothing else can be asked in this language but whether one may ask.
        Done::Allowed | Done::Stopped | Done::Recording { .. } | Done::LoggedIn { .. } | Done::LoggedOut => {
            None
        }
    };
    reply(200, &Success { placed, request_id: id(request.id) })
}

/// Words an answer.
pub(super) fn refused(request: &WireRequest, answer: &Answer) -> WireReply {
    let error = Error { r#type: answer.kind.word(), code: answer.code.code, message: &answer.message };
    reply(answer.code.status, &Failure { request_id: id(request.id), error })
}

fn reply(status: u16, body: &impl Serialize) -> WireReply {
    WireReply { status, headers: Headers::from_iter([("Content-Type", JSON)]), body: json(body) }
}

/// The request's number as a UUID of version 4 (RFC 9562 section 5.4): of its 128 bits, six say what it is.
fn id(random: u128) -> String {
    const VERSION: u128 = 0xf << 76;
    const VARIANT: u128 = 0b11 << 62;

    let text = format!("{:032x}", random & !VERSION & !VARIANT | 4 << 76 | 0b10 << 62);
    let [a, b, c, d, e] = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &text[part]);
    format!("{a}-{b}-{c}-{d}-{e}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_named_by_a_random_uuid() {
        assert_eq!(id(0x7de1_9b5e_0791_4269_872b_c3e0_5b53_c3c8), "7de19b5e-0791-4269-872b-c3e05b53c3c8");
        assert_eq!(id(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(id(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
