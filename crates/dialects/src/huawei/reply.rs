//! Replies: what was done, or the answer to a refusal.

use base::private::Private;
use serde::Serialize;

use super::codes::Answer;
use super::routes::Route;
use super::{JSON, json, session};
use crate::dialect::Done;
use crate::wire::{Headers, WireReply};

/// A reply's body, in the order of the vendor's samples.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reply<'a> {
    resultcode: &'a str,
    resultdesc: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_port: Option<u32>,
}

/// The body of a login's reply: texts only.
#[derive(Serialize)]
struct Login<'a> {
    access_token: &'a str,
    refresh_token: &'a str,
    expires_in: String,
    resultcode: &'a str,
    resultdesc: &'a str,
}

impl<'a> Reply<'a> {
    const fn success(text: &'a str) -> Self {
        Self { resultcode: "0", resultdesc: text, session_id: None, idle_port: None }
    }
}

/// What success is called, without the full stop of the tables: customers compare the whole text.
const SUCCESS: &str = "Success";

/// What it was called in the days of logins.
const SUCCEED: &str = "Succeed";

/// Words what was done.
pub(super) fn done(done: &Done) -> WireReply {
    /// The documented range of `idlePort` ends here.
    const IDLE_PORTS_MAX: u32 = 65_535;

    match done {
        Done::Placed { call, node, idle_ports } => {
            let session = session::print(*call, node);
            let idle_port = idle_ports.map(|ports| ports.min(IDLE_PORTS_MAX));
            let body = Reply { session_id: Some(&session), idle_port, ..Reply::success(SUCCESS) };
            reply(200, &body)
        }
        Done::Stopped | Done::Allowed => reply(200, &Reply::success(SUCCESS)),
        Done::Recording { url } => {
            let headers = Headers::from_iter([("Location", url.clone())]);
            WireReply { status: 301, headers, body: Vec::new() }
        }
        Done::LoggedIn { access, renewal, lives } => login(access, renewal, lives.as_secs()),
        Done::LoggedOut => reply(200, &Reply::success(SUCCEED)),
    }
}

fn login(access: &Private<Box<str>>, renewal: &Private<Box<str>>, secs: u64) -> WireReply {
    let body = Login {
        access_token: access.expose(),
        refresh_token: renewal.expose(),
        expires_in: secs.to_string(),
        resultcode: "0",
        resultdesc: SUCCEED,
    };
    reply(200, &body)
}

/// Words an answer. The APIs that place calls say an empty `sessionId`; the others, and unknown paths, say none.
pub(super) fn refused(route: Option<Route>, answer: &Answer) -> WireReply {
    let session_id = route.and_then(Route::product).map(|_| "");
    let body = Reply { resultcode: answer.code, resultdesc: &answer.text, session_id, idle_port: None };
    reply(answer.status, &body)
}

fn reply(status: u16, body: &impl Serialize) -> WireReply {
    WireReply { status, headers: Headers::from_iter([("Content-Type", JSON)]), body: json(body) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_told_up_to_the_documented_end() {
        let placed = |idle_ports| Done::Placed {
            call: base::id::CallId::from_bytes([0; 16]),
            node: "n".into(),
            idle_ports: Some(idle_ports),
        };
        let told = |ports| String::from_utf8(done(&placed(ports)).body).unwrap();
        assert!(told(0).ends_with(r#""idlePort":0}"#));
        assert!(told(70_000).ends_with(r#""idlePort":65535}"#));
    }
}
