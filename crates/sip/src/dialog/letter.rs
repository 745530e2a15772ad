//! Writing the messages of a leg.

use super::route::hop_of;
use super::tools::Tools;
use super::{Dialog, Names, heard};
use crate::event::Output;
use crate::identity::Party;
use crate::invite::Invite;
use crate::message::{Fault, Message, Method, Name, Scheme, Uri, Writer, refuse};
use crate::registration::Register;
use crate::saved::Saved;
use crate::settings::{LEAST_SESSION_SECS, NextHop, Settings};
use crate::transport::{Hop, Transport};

/// What a message carries beyond what every message has.
pub(crate) struct Extra<'a> {
    pub(crate) headers: &'a [(&'a str, &'a str)],
    /// Content-Type and body.
    pub(crate) body: Option<(&'a str, &'a [u8])>,
}

impl Extra<'_> {
    /// Nothing.
    pub(crate) const NONE: Extra<'static> = Extra { headers: &[], body: None };
}

/// A session description as a body.
pub(crate) fn of_sdp(sdp: &[u8]) -> (&'static str, &[u8]) {
    (SDP, sdp)
}

/// The first INVITE of a call.
pub(crate) fn invite(invite: &Invite, settings: &Settings) -> Vec<u8> {
    let mut writer = Writer::request(Method::Invite, invite.request_uri.as_str());
    top(&mut writer, &invite.branch, invite.peer, settings);
    writer
        .text(Name::From, format_args!("{};tag={}", invite.from, invite.from_tag))
        .header(Name::To, invite.to.as_str())
        .header(Name::CallId, &invite.call_id)
        .text(Name::CSeq, format_args!("{} INVITE", crate::FIRST_CSEQ))
        .header(Name::Contact, invite.contact.as_str())
        .header(Name::Allow, ALLOW);
    writer.header(Name::Supported, if invite.supported_100rel { SUPPORTED } else { TIMER });
    // Who refreshes is left to the callee, as RFC 4028 7.1 advises.
    if let Some(secs) = settings.session.wanted_secs() {
        writer.text(Name::SessionExpires, secs);
        let least = settings.session.least_secs();
        if least > LEAST_SESSION_SECS {
            writer.text(Name::MinSe, least);
        }
    }
    if let Some(identity) = &invite.asserted_identity {
        writer.header(Name::PAssertedIdentity, identity.as_str());
    }
    if let Some(privacy) = invite.privacy.as_str() {
        writer.header(Name::Privacy, privacy);
    }
    for header in &invite.headers {
        writer.header_named(header.name(), header.value());
    }
    product(&mut writer, Name::UserAgent, settings);
    writer.body(SDP, invite.offer.clone()).finish()
}

/// The head of an INVITE of a former life, of which a CANCEL and an ACK can be made.
pub(crate) fn invite_again(saved: &Saved, settings: &Settings) -> Vec<u8> {
    let mut writer = Writer::request(Method::Invite, &saved.request_uri);
    top(&mut writer, &saved.branch, saved.hop(), settings);
    writer
        .text(Name::From, format_args!("{};tag={}", saved.local, saved.local_tag))
        .header(Name::To, &saved.remote)
        .header(Name::CallId, &saved.call_id)
        .text(Name::CSeq, format_args!("{} INVITE", saved.cseq))
        .finish()
}

/// A request inside a dialog, and where it goes.
pub(super) fn in_dialog(
    (names, dialog, peer): (&Names, &Dialog, Hop),
    (method, cseq, branch): (Method, u32, &str),
    extra: &Extra<'_>,
    settings: &Settings,
) -> (Vec<u8>, Hop) {
    let path = dialog.routes.path(&dialog.target);
    let to = match settings.next_hop {
        NextHop::Dialog => hop_of(path.next, peer.transport, &settings.transports).unwrap_or(peer),
        NextHop::Peer => peer,
    };
    let mut writer = Writer::request(method, path.request_uri);
    // Whoever is next on the way, the trunk's own name for us holds.
    top(&mut writer, branch, Hop::new(to.transport, peer.address), settings);
    for route in &path.routes {
        writer.header(Name::Route, route.as_bytes());
    }
    writer.text(Name::From, format_args!("{};tag={}", names.local, names.local_tag));
    if dialog.remote_tag.is_empty() {
        writer.header(Name::To, names.remote.as_bytes());
    } else {
        writer.text(Name::To, format_args!("{};tag={}", names.remote, dialog.remote_tag));
    }
    writer
        .header(Name::CallId, names.call_id.as_bytes())
        .text(Name::CSeq, format_args!("{cseq} {}", method.as_str()));
    product(&mut writer, Name::UserAgent, settings);
    (finish(writer, extra), to)
}

/// A response. One that makes a dialog carries the Record-Routes of its request (RFC 3261 12.1.1).
pub(crate) fn response(
    request: &Message<'_>,
    from: Hop,
    (status, our_tag): (u16, Option<&str>),
    extra: &Extra<'_>,
    settings: &Settings,
) -> Vec<u8> {
    let mut writer = Writer::reply(request, status, phrase(status), our_tag, from.address);
    if request.method() == Method::Invite && (101..300).contains(&status) {
        writer.copy(request, Name::RecordRoute);
    }
    product(&mut writer, Name::Server, settings);
    finish(writer, extra)
}

/// A ping outside any dialog.
pub(crate) fn ping(peer: Hop, (branch, call_id, tag): (&str, &str, &str), settings: &Settings) -> Vec<u8> {
    let uri = contact_uri(&peer.address.to_string(), peer.transport);
    let mut writer = Writer::request(Method::Options, &uri);
    top(&mut writer, branch, peer, settings);
    writer
        .text(Name::From, format_args!("<sip:{}>;tag={tag}", settings.sent_by(peer)))
        .text(Name::To, format_args!("<sip:{}>", peer.address))
        .header(Name::CallId, call_id)
        .text(Name::CSeq, format_args!("{} OPTIONS", crate::FIRST_CSEQ))
        .header(Name::Contact, our_contact(peer, settings))
        .header(Name::Accept, SDP);
    product(&mut writer, Name::UserAgent, settings);
    writer.finish()
}

/// A REGISTER (RFC 3261 10.2).
pub(crate) fn register(
    register: &Register,
    (branch, tag, cseq): (&str, &str, u32),
    expires_secs: u32,
    settings: &Settings,
) -> Vec<u8> {
    let mut writer = Writer::request(Method::Register, register.domain.as_str());
    top(&mut writer, branch, register.registrar, settings);
    writer
        .text(Name::From, format_args!("{};tag={tag}", register.account))
        .header(Name::To, register.account.as_str())
        .header(Name::CallId, &register.call_id)
        .text(Name::CSeq, format_args!("{cseq} REGISTER"))
        .header(Name::Contact, register.contact.as_str())
        .text(Name::Expires, expires_secs)
        .header(Name::Allow, ALLOW);
    product(&mut writer, Name::UserAgent, settings);
    writer.finish()
}

/// Answers OPTIONS in a dialog: what we take and can (RFC 3261 11.2).
pub(crate) fn describe_us(key: u64, tools: &mut Tools<'_>) {
    let Some(asker) = tools.servers.reply_to(key) else { return };
    let (tag, contact) = (tools.word(), our_contact(asker, tools.settings));
    tools.respond(key, 200, Some(&tag), &Extra { headers: &abilities(&contact), body: None });
}

/// The same outside of all dialogs.
pub(crate) fn describe_us_in_passing(request: &Message<'_>, from: Hop, settings: &Settings) -> Output {
    let contact = our_contact(heard::reply_to(request, from), settings);
    in_passing(request, from, 200, &abilities(&contact), settings)
}

const fn abilities(contact: &str) -> [(&str, &str); 4] {
    [("Contact", contact), ("Allow", ALLOW), ("Accept", ACCEPT), ("Supported", SUPPORTED)]
}

/// A 503 for when the tables are full.
pub(crate) fn overloaded(request: &Message<'_>, from: Hop, settings: &Settings) -> Output {
    in_passing(request, from, 503, &[("Retry-After", OVERLOAD_SECS)], settings)
}

/// A final response without any state: a request that comes again is answered anew, with the same (RFC 3261 8.2.7).
pub(crate) fn in_passing(
    request: &Message<'_>,
    from: Hop,
    status: u16,
    headers: &[(&str, &str)],
    settings: &Settings,
) -> Output {
    let bytes =
        response(request, from, (status, Some(STATELESS_TAG)), &Extra { headers, body: None }, settings);
    Output::send(heard::reply_to(request, from), bytes.into())
}

/// The answer to a datagram that cannot be read, if one is due.
pub(crate) fn refusal(datagram: &[u8], fault: Fault) -> Option<Vec<u8>> {
    refuse(datagram, fault, STATELESS_TAG)
}

/// Our Contact where the owner gave none.
pub(crate) fn our_contact(peer: Hop, settings: &Settings) -> String {
    format!("<{}>", contact_uri(settings.sent_by(peer), peer.transport))
}

fn contact_uri(host: &str, transport: Transport) -> String {
    match transport {
        Transport::Udp => format!("sip:{host}"),
        Transport::Tcp | Transport::Tls => format!("sip:{host};transport={}", transport.as_param()),
    }
}

/// The owner's Contact, which by a connection must say so: without the parameter it means UDP (RFC 3263 4.1).
pub(crate) fn contact_by(contact: Party, transport: Transport) -> Party {
    let uri = Uri::parse(contact.uri().as_bytes());
    let plain = uri.is_some_and(|uri| uri.scheme() == Scheme::Sip && !uri.params().has("transport"));
    if transport == Transport::Udp || !plain {
        return contact;
    }
    contact.with_param("transport", transport.as_param())
}

/// Via and Max-Forwards.
fn top(writer: &mut Writer, branch: &str, to: Hop, settings: &Settings) {
    let (token, sent_by) = (to.transport.as_str(), settings.sent_by(to));
    writer
        .text(Name::Via, format_args!("SIP/2.0/{token} {sent_by};rport;branch={branch}"))
        .header(Name::MaxForwards, "70");
}

fn product(writer: &mut Writer, name: Name, settings: &Settings) {
    if !settings.product.is_empty() {
        writer.header(name, &settings.product);
    }
}

fn finish(mut writer: Writer, extra: &Extra<'_>) -> Vec<u8> {
    for (name, value) in extra.headers {
        writer.header_named(name, value);
    }
    if let Some((content_type, body)) = extra.body {
        writer.body(content_type, body);
    }
    writer.finish()
}

/// Reason phrases of RFC 3261 21 and its extensions. They are for people; nobody decides by them.
fn phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        302 => "Moved Temporarily",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        422 => "Session Interval Too Small",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        484 => "Address Incomplete",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        _ => match status / 100 {
            1 => "Progress",
            2 => "Success",
            3 => "Redirection",
            4 => "Request Failure",
            5 => "Server Failure",
            _ => "Global Failure",
        },
    }
}

/// What we take.
pub(crate) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, INFO, OPTIONS";

/// The option tag of session timers.
pub(crate) const TIMER: &str = "timer";

/// What we can beyond RFC 3261.
pub(crate) const SUPPORTED: &str = "100rel, timer";

/// How long an overloaded endpoint asks to be left alone: two rounds of its longest waits are over by then.
pub(crate) const OVERLOAD_SECS: &str = "5";

const SDP: &str = "application/sdp";

/// The bodies that we read: descriptions in INVITE, and what [`info`](super::info) reads.
const ACCEPT: &str = "application/sdp, application/dtmf-relay, application/dtmf";

/// The tag of responses that we send without remembering them.
const STATELESS_TAG: &str = "huihu";
