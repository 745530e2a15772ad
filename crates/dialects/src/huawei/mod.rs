//! Huawei Cloud VoiceCall (语音通话), as its API documents of 2024-11 describe it and its customers use it.
//!
//! ```text
//! auth      who asks: the Authorization and X-AKSK headers     codes   Refusal → HTTP status, resultcode, resultdesc
//! orders/   request bodies → Order                              causes  how a call ended → stateCode, ulFailReason, Q.850
//! session   CallId and node ⇄ sessionId                         push/   rows → status and fee pushes
//! client    the other side: signs requests, checks pushes
//! ```
//!
//! Where the documents contradict each other or are silent, `docs/huawei.md` says which reading was taken.

mod attributes;
mod auth;
mod causes;
pub mod client;
mod codes;
mod fields;
mod orders;
mod push;
pub mod session;

use base::account::{Account, Key};
use base::order::{Order, ProductKind};
use base::refusal::Refusal;
use base::row::{Channel, Row};
use base::time::Timestamp;
use serde::Serialize;

use crate::dialect::{Claim, Dialect, Done, Settings, Stamp};
use crate::wire::{Headers, Push, WireReply, WireRequest};
use codes::Answer;

/// The name that stored calls carry.
pub const NAME: &str = "huawei";

/// The content type of every request, reply and push of this vendor.
const JSON: &str = "application/json;charset=UTF-8";

/// The dialect.
#[derive(Clone, Copy, Debug)]
pub struct Huawei;

/// The paths that exist. Case matters and versions are part of the name; the `/sandbox` twins are not served yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    Click2Call,
    CallVerify,
    CallStop,
}

/// The method and path of every route, each once.
pub fn routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    Route::ALL.iter().map(|route| (route.method(), route.path()))
}

impl Route {
    const ALL: &[Self] = &[Self::Click2Call, Self::CallVerify, Self::CallStop];

    fn of(path: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|route| route.path() == path)
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Click2Call => "/rest/httpsessions/click2Call/v2.0",
            Self::CallVerify => "/rest/httpsessions/callVerify/v1.0",
            Self::CallStop => "/rest/httpsessions/callStop/v2.0",
        }
    }

    const fn method(self) -> &'static str {
        match self {
            Self::Click2Call | Self::CallVerify | Self::CallStop => "POST",
        }
    }

    const fn product(self) -> Option<ProductKind> {
        match self {
            Self::Click2Call => Some(ProductKind::Callback),
            Self::CallVerify => Some(ProductKind::Code),
            Self::CallStop => None,
        }
    }
}

impl Dialect for Huawei {
    fn name(&self) -> &'static str {
        NAME
    }

    fn owns(&self, path: &str) -> bool {
        ["/rest/", "/sandbox/", "/omp/"].iter().any(|prefix| path.starts_with(prefix))
    }

    fn claim(&self, request: &WireRequest) -> Result<Claim, WireReply> {
        let Some(route) = Route::of(&request.path) else {
            return Err(self.write(request, Err(&Refusal::UnknownPath)));
        };
        auth::claim(&request.headers).map_err(|answer| refused(Some(route), &answer))
    }

    fn prove(
        &self,
        claim: &Claim,
        key: Option<&Key>,
        now: Timestamp,
        settings: &Settings,
    ) -> Result<(), Refusal> {
        auth::prove(claim, key, now, settings)
    }

    fn product(&self, request: &WireRequest) -> Option<ProductKind> {
        Route::of(&request.path).filter(|route| *request.method == *route.method())?.product()
    }

    fn read(&self, request: &WireRequest, _account: &Account) -> Result<Order, Refusal> {
        let route = Route::of(&request.path).ok_or(Refusal::UnknownPath)?;
        if *request.method != *route.method() {
            return Err(Refusal::WrongMethod);
        }
        let body = orders::json(request)?;
        match route {
            Route::Click2Call => orders::click2call::read(body),
            Route::CallVerify => orders::call_verify::read(body),
            Route::CallStop => orders::call_stop::read(body),
        }
    }

    fn write(&self, request: &WireRequest, outcome: Result<&Done, &Refusal>) -> WireReply {
        match outcome {
            Ok(done) => done_in_full(done),
            Err(refusal) => refused(Route::of(&request.path), &codes::of(refusal)),
        }
    }

    fn rows_per_push(&self, channel: Channel) -> usize {
        match channel {
            Channel::Status => 1,
            Channel::Fee => push::FEES_MAX,
        }
    }

    fn push(&self, rows: &[Row], stamp: &Stamp<'_>) -> Option<Push> {
        push::push(rows, stamp)
    }

    /// Only 200 counts, whatever the body says: receivers answer with plain text or with JSON of their own.
    fn received(&self, status: u16, _body: &[u8]) -> bool {
        status == 200
    }
}

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

fn done_in_full(done: &Done) -> WireReply {
    /// The documented range of `idlePort` ends here.
    const IDLE_PORTS_MAX: u32 = 65_535;

    let session = match done {
        Done::Placed { call, node, .. } => Some(session::print(*call, node)),
        Done::Stopped => None,
    };
    let idle_port = match done {
        Done::Placed { idle_ports, .. } => idle_ports.map(|ports| ports.min(IDLE_PORTS_MAX)),
        Done::Stopped => None,
    };
    let session_id = session.as_deref();
    reply(200, &Reply { resultcode: "0", resultdesc: "Success", session_id, idle_port })
}

/// The APIs that place calls say an empty `sessionId`; `callStop` and unknown paths say none.
fn refused(route: Option<Route>, answer: &Answer) -> WireReply {
    let session_id = route.and_then(Route::product).map(|_| "");
    let body = Reply { resultcode: answer.code, resultdesc: &answer.text, session_id, idle_port: None };
    reply(answer.status, &body)
}

fn reply(status: u16, body: &Reply<'_>) -> WireReply {
    WireReply { status, headers: Headers::from_iter([("Content-Type", JSON)]), body: json(body) }
}

fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("a struct of texts and numbers is always JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_is_received_by_a_200_and_nothing_else() {
        for status in [100, 199, 201, 204, 302, 404, 500] {
            assert!(!Huawei.received(status, br#"{"resultcode":"0"}"#), "{status}");
        }
        assert!(Huawei.received(200, br#"{"resultcode":"1"}"#));
    }

    #[test]
    fn only_this_vendors_paths_are_owned() {
        for (path, owned) in [
            ("/rest/x", true),
            ("/sandbox/rest/x", true),
            ("/omp/oauth/refresh", true),
            ("/", false),
            ("/api/v1/calls", false),
        ] {
            assert_eq!(Huawei.owns(path), owned, "{path}");
        }
    }

    #[test]
    fn ports_are_told_up_to_the_documented_end() {
        let placed = |idle_ports| Done::Placed {
            call: base::id::CallId::from_bytes([0; 16]),
            node: "n".into(),
            idle_ports: Some(idle_ports),
        };
        let told = |ports| String::from_utf8(done_in_full(&placed(ports)).body).unwrap();
        assert!(told(0).ends_with(r#""idlePort":0}"#));
        assert!(told(70_000).ends_with(r#""idlePort":65535}"#));
    }
}
