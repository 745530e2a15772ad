//! Requests and replies as text.

use std::net::Ipv4Addr;

use base::quota::Window;
use base::refusal::Refusal;
use huihu_dialects::{WireReply, WireRequest};

use crate::refusals;
use crate::transcript::Exchange;

/// What came out, and who said no.
pub(crate) struct Played {
    pub(crate) text: String,
    /// What was asked for: a path, or an action.
    pub(crate) path: String,
    pub(crate) refusal: Option<&'static str>,
}

/// The number of every request.
const REQUEST: u128 = 0x7de1_9b5e_0791_4269_872b_c3e0_5b53_c3c8;

/// Reads `POST /path?query`, header lines, a blank line and the body.
pub(crate) fn request(text: &str) -> WireRequest {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, target) = lines.next().unwrap().split_once(' ').expect("a method and a path");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    WireRequest {
        id: REQUEST,
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers: lines.map(|line| line.split_once(": ").expect("a header")).collect(),
        body: body.as_bytes().to_vec(),
        peer: Ipv4Addr::LOCALHOST.into(),
    }
}

pub(crate) fn print(reply: &WireReply) -> String {
    let headers: String = reply.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let body = String::from_utf8(reply.body.clone()).unwrap();
    format!("{}\n{headers}\n{body}", reply.status).trim_end().to_owned()
}

/// Whether an exchange has admission say no at that place.
pub(crate) fn says_no(exchange: &Exchange, place: &str) -> Result<(), Refusal> {
    exchange.setting(place).map_or(Ok(()), |name| Err(refusal(name)))
}

/// The refusal of that name; `LimitReached by App`, or `LimitReached by App per Ever`, for one of a limit's.
fn refusal(name: &str) -> Refusal {
    if let Some(limit) = name.strip_prefix("LimitReached by ") {
        let (counted, window) = limit.split_once(" per ").unwrap_or((limit, "Day"));
        let of = serde_json::from_value(counted.into()).unwrap();
        let per: Window = serde_json::from_value(window.into()).unwrap();
        return Refusal::LimitReached { of, per };
    }
    let found = refusals::every().into_iter().find(|refusal| refusals::name(refusal) == name);
    found.unwrap_or_else(|| panic!("no refusal is called {name}"))
}
