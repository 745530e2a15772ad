//! What a leg wants to know of a message that it heard.

use std::borrow::Cow;
use std::net::SocketAddr;

use crate::event::Event;
use crate::message::{Message, Method, Name, NameAddr, StartLine, text, unfold};
use crate::reason::Reason;
use crate::transport::Hop;

/// The session description, whether or not its sender remembered to name its type. Gateways to the telephone network
/// send it in one envelope with their own signalling (RFC 3204, `multipart/mixed`).
pub(crate) fn sdp(message: &Message<'_>) -> Option<Vec<u8>> {
    let body = message.body();
    let untyped = message.content_type().is_none() && body.starts_with(b"v=");
    if untyped || message.is_content("application/sdp") {
        return (!body.is_empty()).then(|| body.to_vec());
    }
    let boundary = boundary(message.content_type()?)?;
    parts(body, &boundary).find_map(sdp_part)
}

/// The boundary of a `multipart/…` body (RFC 2046 5.1.1).
fn boundary(content_type: &[u8]) -> Option<Vec<u8>> {
    let (media, params) = content_type.split_at_checked(MULTIPART.len())?;
    let param = params.split(|&byte| byte == b';').map(<[u8]>::trim_ascii).find_map(|param| {
        let (name, value) = param.split_at_checked(BOUNDARY.len())?;
        name.eq_ignore_ascii_case(BOUNDARY).then_some(value)
    })?;
    let word = param.strip_prefix(b"\"").and_then(|word| word.strip_suffix(b"\"")).unwrap_or(param);
    (media.eq_ignore_ascii_case(MULTIPART) && !word.is_empty()).then(|| [b"--", word].concat())
}

/// What stands between the boundaries.
fn parts<'a>(body: &'a [u8], boundary: &[u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = find(body, boundary).map(|at| &body[at + boundary.len()..]);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = find(text, boundary)?;
        rest = Some(&text[end + boundary.len()..]);
        Some(&text[..end])
    })
    .take(PARTS_MAX)
}

/// The body of a part, if it is a session description. The line end before the boundary belongs to the boundary.
fn sdp_part(part: &[u8]) -> Option<Vec<u8>> {
    let blank = find(part, b"\r\n\r\n")?;
    let (head, body) = (&part[..blank], &part[blank + 4..]);
    let typed = head.to_ascii_lowercase().windows(SDP.len()).any(|word| word == SDP);
    (typed && !body.is_empty()).then(|| body.strip_suffix(b"\r\n").unwrap_or(body).to_vec())
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, word)
}

/// Record-Route from the top, each as a `name-addr` for Route.
pub(crate) fn record_routes(message: &Message<'_>) -> Vec<String> {
    message
        .record_routes()
        .map(|hop| format!("<{}>{}", text(hop.uri()), text(hop.params().as_bytes())))
        .collect()
}

/// The URI of the first Contact.
pub(crate) fn contact(message: &Message<'_>) -> Option<String> {
    message.contact().map(uri)
}

/// The URI of a party.
pub(crate) fn uri(party: NameAddr<'_>) -> String {
    text(party.uri()).into_owned()
}

/// The request URI as it came.
pub(crate) fn request_uri(request: &Message<'_>) -> String {
    match request.start() {
        StartLine::Request { uri, .. } => text(uri).into_owned(),
        StartLine::Response { .. } => String::new(),
    }
}

/// The value of To on one line, for an ACK to repeat.
pub(crate) fn to_line<'a>(message: &Message<'a>) -> Cow<'a, [u8]> {
    unfold(message.header(Name::To).unwrap_or_default())
}

/// The RSeq of a provisional that wants a PRACK (RFC 3262 4).
pub(crate) fn reliable(response: &Message<'_>) -> Option<u32> {
    let wanted = response.require().has_token("100rel") && response.to().tag().is_some();
    response.rseq().filter(|_| wanted)
}

/// Whether the sender takes reliable provisionals.
pub(crate) fn supports_reliable(invite: &Message<'_>) -> bool {
    invite.supported().has_token("100rel") || invite.require().has_token("100rel")
}

/// RSeq and CSeq number of the provisional that a PRACK is about.
pub(crate) fn acknowledged(prack: &Message<'_>) -> Option<(u32, u32)> {
    let rack = prack.rack().filter(|rack| rack.cseq.method == Method::Invite)?;
    Some((rack.rseq, rack.cseq.number))
}

/// What it requires and we do not know, as a value for Unsupported.
pub(crate) fn unknown_extensions(request: &Message<'_>) -> Option<String> {
    let known = |option: &[u8]| [&b"100rel"[..], b"timer"].iter().any(|own| option.eq_ignore_ascii_case(own));
    let unknown = request.require().filter(|option| !known(option));
    let unknown: Vec<_> = unknown.take(UNSUPPORTED_MAX).map(text).collect();
    (!unknown.is_empty()).then(|| unknown.join(", "))
}

/// The final event that a failure response makes.
pub(crate) fn failed(response: &Message<'_>) -> Event {
    Event::Failed {
        status: response.status().unwrap_or_default(),
        reason: Reason::of(response),
        retry_after: response.retry_after(),
        local: false,
    }
}

/// Where responses go: back to the source, if it asked for that (RFC 3581); else to its address and the port of its
/// Via (RFC 3261 18.2.2). Never to another address than the source's.
///
/// By a connection they go back by the same one.
pub(crate) fn reply_to(request: &Message<'_>, from: Hop) -> Hop {
    let via = request.via();
    if from.transport.is_reliable() || via.params().has("rport") {
        return from;
    }
    let port = via.port().filter(|&port| port != 0).unwrap_or_else(|| from.transport.default_port());
    Hop::new(from.transport, SocketAddr::new(from.address.ip(), port))
}

const MULTIPART: &[u8] = b"multipart/";
const BOUNDARY: &[u8] = b"boundary=";
const SDP: &[u8] = b"application/sdp";

/// Parts looked at in one body: a session description, the telephone network's message, and a few more.
const PARTS_MAX: usize = 8;

/// Extensions named in one refusal.
const UNSUPPORTED_MAX: usize = 8;
