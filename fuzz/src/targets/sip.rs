//! What arrives on the signalling port.

use std::net::SocketAddr;

use sip::digest::{Challenge, Credentials, Subject};
use sip::message::{
    Arrived, Inbox, MESSAGE_BYTES, Message, Name, NameAddr, StartLine, Uri, Via, Writer, refuse, unfold,
};
use sip::sdp::{AudioDescription, Codec, Direction, OurSide};

use crate::target::{Target, seen};

const HEADERS: &[&str] = &[
    "\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1",
    "\r\nContent-Length: ",
    "\r\nl: 0",
    "\r\nCSeq: 1 INVITE",
    "\r\nRoute: <sip:a;lr>,",
    "\r\nContact: *",
    "\r\nRequire: 100rel",
    "\r\nRAck: 1 1 INVITE",
    "\r\n \t",
    "INVITE",
    "SIP/2.0",
    ";tag=",
    ";rport",
    "\r\n\r\n",
    "\r\nSession-Expires: 90;refresher=uac",
    "\r\nReason: Q.850;cause=16",
    "\r\nWWW-Authenticate: Digest realm=\"r\",nonce=\"n\"",
    "sip:",
    "tel:+86",
    "sips:",
    "[2001:db8::1]",
    "%00",
    ";lr",
    "\"a\\\"b\"",
    "<",
    ">",
    "\r\nContent-Type: application/sdp",
];

/// A datagram.
pub(super) const MESSAGE: Target = Target {
    name: "sip-message",
    corpora: &["crates/sip/torture"],
    words: HEADERS,
    bytes_max: 4_096,
    run: message,
};

fn message(input: &[u8]) -> u64 {
    let message = match Message::parse(input) {
        Ok(message) => message,
        Err(fault) => {
            let answer = refuse(input, fault, "t");
            assert!(answer.is_none_or(|answer| answer.starts_with(b"SIP/2.0 ")), "a refusal is a response");
            return seen(fault.to_string());
        }
    };
    let sound = message.check().map_err(|fault| fault.to_string());
    ask(&message);
    // Bytes that would end a line or a text become blanks, where only a broken sender wrote them.
    let is_clean =
        |(_, _, value): (Name, &[u8], &[u8])| !unfold(value).iter().any(|byte| BREAKS.contains(byte));
    if message.lines().all(is_clean) && is_clean_start(message.start()) {
        let printed = print(&message);
        let again = Message::parse(&printed);
        let again = again.unwrap_or_else(|fault| panic!("what is printed is not read: {fault}"));
        assert!(is_same(&message, &again), "what is printed says something else");
    }
    let reply = Writer::reply(&message, 486, "Busy Here", Some("t"), source()).finish();
    assert!(reply.len() <= 2 * input.len() + REPLY_BYTES, "an answer is not much longer than its request");
    let names: Vec<_> = message.lines().map(|(name, _, _)| name.as_str()).collect();
    seen((sound.err(), message.is_request(), names))
}

/// Bytes that an answer has of its own.
const REPLY_BYTES: usize = 1_024;

fn source() -> SocketAddr {
    ([192, 0, 2, 1], 5_060).into()
}

/// Asks a message everything that it can tell.
fn ask(message: &Message<'_>) {
    let parties = message.contacts().chain(message.routes()).chain(message.record_routes());
    for party in parties.chain([message.from(), message.to()]) {
        assert!(party.params().into_iter().count() <= party.params().as_bytes().len());
        let _ = party.address().map(|uri| uri.user_decoded().len());
    }
    for via in message.vias().filter_map(Via::parse) {
        let _ = (via.branch(), via.received(), via.rport(), via.wants_rport(), via.is_unique());
    }
    let _ =
        (message.rack(), message.rseq(), message.retry_after(), message.session_expires(), message.min_se());
    let _ = (message.expires(), message.max_forwards(), message.reasons().count(), message.allow().count());
    let _ = message.require().has_token("100rel");
}

/// Writes a message anew.
fn print(message: &Message<'_>) -> Vec<u8> {
    let mut writer = match message.start() {
        StartLine::Request { token, uri, .. } => Writer::request_with(token, uri),
        StartLine::Response { status, reason } => Writer::response(status, reason),
    };
    for (name, spelling, value) in message.lines().filter(|(name, _, _)| !is_of_body(*name)) {
        assert!(!spelling.is_empty(), "{name:?} has no name");
        writer.header_named(spelling, value);
    }
    writer.body(message.content_type().unwrap_or_default(), message.body()).finish()
}

fn is_of_body(name: Name) -> bool {
    matches!(name, Name::ContentLength | Name::ContentType)
}

fn is_same(one: &Message<'_>, other: &Message<'_>) -> bool {
    let line = |message: &Message<'_>| match message.start() {
        StartLine::Request { token, uri, .. } => (0, token.to_vec(), uri.to_vec()),
        StartLine::Response { status, reason } => (status, Vec::new(), plain(reason)),
    };
    let lines = |message: &Message<'_>| {
        let lines = message.lines().filter(|(name, _, _)| !is_of_body(*name));
        lines.map(|(name, _, value)| (name, plain(value))).collect::<Vec<_>>()
    };
    line(one) == line(other)
        && lines(one) == lines(other)
        && one.body() == other.body()
        && one.cseq() == other.cseq()
}

fn is_clean_start(line: StartLine<'_>) -> bool {
    match line {
        StartLine::Request { uri, .. } => uri.iter().all(|byte| *byte > b' ' && *byte != 0x7f),
        StartLine::Response { reason, .. } => !unfold(reason).iter().any(|byte| BREAKS.contains(byte)),
    }
}

/// A value as one line.
fn plain(value: &[u8]) -> Vec<u8> {
    unfold(value).trim_ascii().to_vec()
}

/// Bytes that no line may hold.
const BREAKS: &[u8] = b"\r\n\0";

/// A URI.
pub(super) const URI: Target = Target {
    name: "sip-uri",
    corpora: &[],
    words: &[
        "sip:",
        "sips:",
        "tel:",
        "@",
        ";lr",
        ";transport=tcp",
        "?Subject=x",
        "%41",
        "%0",
        "[::1]",
        ":65535",
        ";user=phone",
    ],
    bytes_max: 512,
    run: uri,
};

fn uri(input: &[u8]) -> u64 {
    let Some(uri) = Uri::parse(input) else { return seen(0) };
    assert_eq!(uri.as_bytes(), input, "it is what it was");
    let parts = [uri.user(), uri.host(), uri.params().as_bytes(), uri.headers()];
    assert!(parts.iter().map(|part| part.len()).sum::<usize>() < input.len(), "parts do not overlap");
    assert!(uri.user_decoded().len() <= uri.user().len());
    let angled = [b"<", input, b">;tag=1"].concat();
    if !input.contains(&b'>') {
        let party = NameAddr::parse(&angled).expect("a URI in brackets is a party");
        assert!(party.address() == Uri::parse(input), "brackets change nothing");
        assert_eq!(party.tag(), Some(&b"1"[..]));
    }
    let params: Vec<_> = uri.params().into_iter().map(|(name, value)| (name.len(), value.len())).collect();
    seen((format!("{:?}", uri.scheme()), uri.port().is_some(), uri.is_loose(), params))
}

/// Values of Via, Route, Contact and their like.
pub(super) const ROUTE: Target = Target {
    name: "sip-route",
    corpora: &[],
    words: &[
        "SIP/2.0/UDP ",
        "SIP / 2.0 / TCP",
        ";branch=z9hG4bK",
        ";rport",
        ";received=",
        "<sip:a;lr>",
        ",",
        "\"a\\\"\"",
        "[::1]:5060",
        ";tag=",
        "\r\n ",
    ],
    bytes_max: 1_024,
    run: route,
};

fn route(input: &[u8]) -> u64 {
    let via = Via::parse(input).map(|via| {
        let printed = [b"SIP/2.0/", via.transport(), b" ", via.sent_by(), via.params().as_bytes()].concat();
        let again = Via::parse(&printed).expect("what is printed is read");
        let parts = |via: &Via<'_>| {
            let texts = (via.transport().to_vec(), via.host().to_vec(), via.branch().map(<[u8]>::to_vec));
            (texts, via.port(), via.rport(), via.wants_rport(), via.received().map(<[u8]>::to_vec))
        };
        assert_eq!(parts(&via), parts(&again));
        (via.port().is_some(), via.is_unique(), via.wants_rport())
    });
    let party = NameAddr::parse(input).map(|party| {
        let printed = [party.display(), b" <", party.uri(), b">", party.params().as_bytes()].concat();
        if !party.uri().contains(&b'>') {
            let again = NameAddr::parse(&printed).expect("what is printed is read");
            assert_eq!((again.display(), again.uri()), (party.display(), party.uri()));
            assert_eq!(again.tag(), party.tag());
            assert!(again.address() == party.address());
        }
        (party.display().len(), party.tag().is_some(), party.address().is_some())
    });
    seen((via, party, input.iter().filter(|byte| **byte == b';').count()))
}

/// A session description, as an offer and as an answer.
pub(super) const SDP: Target = Target {
    name: "sdp",
    corpora: &[],
    words: &[
        "v=0\r\n",
        "m=audio 4000 RTP/AVP 8\r\n",
        "m=audio 0 RTP/AVP 8\r\n",
        "m=video 5 RTP/AVP 96\r\n",
        "c=IN IP4 0.0.0.0\r\n",
        "c=IN IP6 ::1\r\n",
        "a=rtpmap:101 telephone-event/8000\r\n",
        "a=fmtp:101 0-15\r\n",
        "a=sendonly\r\n",
        "a=inactive\r\n",
        "a=ptime:20\r\n",
        "a=rtcp:1 IN IP4 1.2.3.4\r\n",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:",
        "RTP/SAVP",
        "a=rtcp-mux\r\n",
    ],
    bytes_max: 4_096,
    run: sdp,
};

fn sdp(input: &[u8]) -> u64 {
    let ours = ([192, 0, 2, 9], 4_000).into();
    let mut side = OurSide::new(ours, &[Codec::Pcma, Codec::Pcmu], 1);
    let answered = side.answer(input, Direction::SendRecv).map(|(answer, agreed)| {
        let said = AudioDescription::read(&answer).expect("our own answer is read");
        assert_eq!(said.address, ours, "we say where we are");
        assert!(
            said.payloads.iter().any(|payload| payload.number == agreed.payload),
            "we take what we agreed to"
        );
        assert!(answer.len() <= input.len() + ANSWER_BYTES, "an answer does not grow without end");
        (agreed.codec, agreed.direction, agreed.events.is_some())
    });
    let mut offering = OurSide::new(ours, &[Codec::Pcma], 1);
    let _offer = offering.offer(Direction::SendRecv);
    let accepted = offering.accept(input).map(|agreed| agreed.direction);
    seen(format!(
        "{answered:?} {accepted:?} {:?}",
        AudioDescription::read(input).map(|read| read.payloads.len())
    ))
}

/// Bytes that an answer has of its own.
const ANSWER_BYTES: usize = 2_048;

/// A challenge.
pub(super) const DIGEST: Target = Target {
    name: "sip-digest",
    corpora: &[],
    words: &[
        "Digest ",
        "realm=\"",
        "nonce=\"",
        "opaque=\"",
        "qop=\"auth,auth-int\"",
        "algorithm=SHA-256",
        "algorithm=MD5-sess",
        "stale=true",
        "\\\"",
        ", ",
    ],
    bytes_max: 2_048,
    run: digest,
};

fn digest(input: &[u8]) -> u64 {
    let Some(challenge) = Challenge::parse(input, false) else { return seen(0) };
    let known = Credentials::new("user".to_owned(), "a password".to_owned());
    let subject = Subject { method: "INVITE", uri: b"sip:a@b", body: b"v=0" };
    let answer = challenge.answer(&known, subject, 1, "c");
    assert!(!answer.contains("a password"), "the password stays here");
    assert!(answer.len() <= 2 * input.len() + REPLY_BYTES, "an answer does not grow without end");
    let mut writer = Writer::response(200, "OK");
    let printed = writer.header(challenge.header(), &answer).finish();
    let ends = printed.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
    assert_eq!(ends, 4 * 2, "start line, header, length, blank line");
    seen((challenge.is_stale(), format!("{:?}", challenge.algorithm()), answer.matches(", ").count()))
}

/// Bytes of a connection, as they come: the first says in which pieces.
pub(super) const STREAM: Target = Target {
    name: "sip-stream",
    corpora: &["crates/sip/torture"],
    words: HEADERS,
    bytes_max: 8_192,
    run: stream,
};

fn stream(input: &[u8]) -> u64 {
    let Some((&piece, bytes)) = input.split_first() else { return 0 };
    let piece = usize::from(piece).max(1);
    let (whole, pieces) = (arrived([bytes]), arrived(bytes.chunks(piece)));
    assert!(whole == pieces, "cuts change nothing: {} and {} arrived", whole.0.len(), pieces.0.len());
    assert!(whole.0.iter().all(|message| message.len() <= MESSAGE_BYTES));
    assert!(whole.0.iter().map(Vec::len).sum::<usize>() <= bytes.len(), "nothing arrives that was not sent");
    seen((whole.0.len(), whole.1, whole.2))
}

/// The messages of a stream in these pieces, the pings among them, and how it ended if it broke.
fn arrived<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, usize, Option<String>) {
    let (mut inbox, mut messages, mut pings) = (Inbox::default(), Vec::new(), 0);
    for piece in pieces {
        let taken = inbox.take(piece, |arrived| match arrived {
            Arrived::Message(message) => messages.push(message.to_vec()),
            Arrived::Ping => pings += 1,
        });
        if let Err(fault) = taken {
            return (messages, pings, Some(fault.to_string()));
        }
    }
    (messages, pings, None)
}
