//! A verdict on each message of `torture/`, and on the IPv6 spellings of RFC 5118.
//!
//! What is judged is the message layer: [`Message::parse`], then for requests [`Message::check`], then what
//! [`refuse`] answers. Where a message is accepted here and refused above (an unknown scheme, a required extension),
//! the reason says so and a test below shows that the layer above can see it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use huihu_sip::message::{Fault, Message, Method, Name, Scheme, StartLine, Via, refuse, text, unfold};

use Verdict::{Accept, Drop, Refuse};

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It is understood.
    Accept,
    /// It is answered with the fault's status.
    Refuse(Fault),
    /// Nothing is said.
    Drop(Fault),
}

/// Every message with its verdict and the reason, in the order of RFC 4475.
const VERDICTS: &[(&str, Verdict, &str)] = &[
    // 3.1.1: valid messages.
    ("wsinv", Accept, "folds, compact names and spaces wherever the grammar has them"),
    ("intmeth", Accept, "every byte that a token, a quoted string or a user may have"),
    ("esc01", Accept, "escapes in a user are not separators"),
    ("escnull", Accept, "an escaped NUL is a character like any other"),
    ("esc02", Accept, "a percent sign in a token is no escape; the method and the header are unknown ones"),
    ("lwsdisp", Accept, "no space is needed between a display name and its bracket"),
    ("longreq", Accept, "values may be long"),
    ("dblreq", Accept, "what follows the body in a datagram is not part of it"),
    ("semiuri", Accept, "a semicolon before the @ belongs to the user"),
    ("transports", Accept, "a Via may name a transport that we do not have"),
    ("mpart01", Accept, "a body is bytes"),
    ("unreason", Accept, "a reason phrase is bytes, here UTF-8"),
    ("noreason", Accept, "a reason phrase may be empty"),
    // 3.1.2: invalid messages.
    ("badinv01", Refuse(Fault::Malformed(Name::Via)), "empty parameters and values of a Via"),
    ("clerr", Refuse(Fault::BodyCut), "the length promises more than the datagram holds"),
    ("ncl", Refuse(Fault::Malformed(Name::ContentLength)), "a length below zero"),
    ("scalar02", Refuse(Fault::Malformed(Name::CSeq)), "a CSeq beyond 31 bits"),
    ("scalarlg", Drop(Fault::Malformed(Name::CSeq)), "a response is never answered"),
    ("quotbal", Refuse(Fault::Malformed(Name::To)), "a quote stays open"),
    ("ltgtruri", Refuse(Fault::RequestUri), "brackets are no part of a request URI"),
    ("lwsruri", Refuse(Fault::StartLine), "a space inside the request URI"),
    ("lwsstart", Refuse(Fault::StartLine), "more than one space in the start line"),
    ("trws", Refuse(Fault::StartLine), "spaces behind the version"),
    (
        "escruri",
        Refuse(Fault::RequestUri),
        "a request URI may not carry headers: they would be obeyed or lost",
    ),
    ("baddate", Accept, "we do not read Date, so a foreign time zone is no reason to refuse a call"),
    ("regbadct", Refuse(Fault::Malformed(Name::Contact)), "a question mark outside brackets: whose is it?"),
    ("badaspec", Accept, "spaces inside brackets have only one meaning"),
    ("baddn", Accept, "From and To are no lists, so a bare comma in a name has only one meaning"),
    ("badvers", Refuse(Fault::Version), "505 tells which version we speak"),
    ("mismatch01", Refuse(Fault::MethodMismatch), "CSeq names another method"),
    ("mismatch02", Refuse(Fault::MethodMismatch), "the same with a method that nobody knows"),
    ("bigcode", Drop(Fault::StartLine), "a status has three digits, and a response is never answered"),
    // 3.2: transaction layer.
    ("badbranch", Accept, "the cookie alone is no unique branch: matched as before RFC 3261"),
    // 3.3: application layer.
    ("insuf", Refuse(Fault::Missing(Name::CallId)), "no Call-ID, From and To"),
    ("unkscm", Accept, "the endpoint answers 416: an opaque scheme"),
    ("novelsc", Accept, "the endpoint answers 416: a known scheme that is not ours"),
    ("unksm2", Accept, "schemes in From, To and Contact are the registrar's business"),
    ("bext01", Accept, "the endpoint answers 420: required extensions that nobody has"),
    ("invut", Accept, "the endpoint answers 415: a body that is no session description"),
    ("regaut01", Accept, "an unknown authorization scheme is none"),
    ("multi01", Refuse(Fault::Repeated(Name::CSeq)), "which call would it be?"),
    ("mcl01", Refuse(Fault::TwoLengths), "two lengths for one body"),
    ("bcast", Accept, "a second Via is the endpoint's reason to drop a response: it was not ours"),
    ("zeromf", Accept, "Max-Forwards 0 stops a proxy, not the one it is meant for"),
    ("cparam01", Accept, "without brackets the parameter is the header's"),
    ("cparam02", Accept, "inside brackets the parameter is the URI's"),
    ("regescrt", Accept, "inside brackets a URI may carry headers"),
    ("sdp01", Accept, "what the sender accepts in return is the endpoint's business"),
    // 3.4: backward compatibility.
    ("inv2543", Accept, "no branch, no tag, no Max-Forwards, no length: as RFC 2543 wrote it"),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("torture")
}

fn load(name: &str) -> Vec<u8> {
    fs::read(folder().join(name).with_extension("sip")).expect("the message is in the folder")
}

fn judge(datagram: &[u8]) -> Verdict {
    let checked = Message::parse(datagram).and_then(|message| {
        // A sloppy response is still worth understanding.
        if message.is_request() { message.check() } else { Ok(()) }
    });
    let Err(fault) = checked else { return Accept };
    let Some(answer) = refuse(datagram, fault, "ours") else { return Drop(fault) };
    let status = String::from_utf8_lossy(&answer[8..11]).parse().ok();
    assert_eq!(status, fault.status(), "the answer has the status of the fault");
    Refuse(fault)
}

#[test]
fn every_message_gets_its_verdict() {
    let wrong: Vec<_> = VERDICTS.iter().filter(|(name, verdict, _)| judge(&load(name)) != *verdict).collect();
    let seen: Vec<_> = wrong.iter().map(|(name, ..)| (name, judge(&load(name)))).collect();
    assert!(wrong.is_empty(), "expected {wrong:#?}, found {seen:#?}");
}

#[test]
fn every_message_is_listed_once() {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let messages = files.filter(|path| path.extension().is_some_and(|ending| ending == "sip"));
    let files: BTreeSet<_> =
        messages.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    let listed: BTreeSet<_> = VERDICTS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!((files, VERDICTS.len()), (listed, 49));
}

#[test]
fn wsinv_is_read_through_all_its_folds() {
    let bytes = load("wsinv");
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.cseq(), message.method(), message.max_forwards()), (9, Method::Invite, Some(68)));
    assert_eq!(message.to().tag(), Some(&b"77a1918n"[..]));
    assert_eq!(message.from().tag(), Some(&b"98asjd8"[..]));
    let vias: Vec<_> = message.vias().map(|via| Via::parse(via).unwrap()).collect();
    let hops: Vec<_> = vias
        .iter()
        .map(|via| (text(via.transport()), text(via.host()), text(via.branch().unwrap())))
        .collect();
    let hop = |transport: &'static str, host: &'static str, branch: &'static str| {
        (transport.into(), host.into(), branch.into())
    };
    assert_eq!(
        hops,
        [
            hop("UDP", "192.0.2.20", "z9hG4bKwsinv390"),
            hop("TCP", "hop2.example.test", "z9hG4bK9ikj8"),
            hop("UDP", "192.0.2.21", "z9hG4bK30239")
        ]
    );
    assert_eq!(message.header(Name::Subject), Some(&b""[..]));
    assert_eq!(&*unfold(message.header_named("oddheader").unwrap()), b"first part second part after a fold");
    let contact = message.contact().unwrap();
    assert_eq!(contact.display(), b"\"An \\\"escaped\\\" name\"");
    assert_eq!(
        (contact.params().get("later"), contact.params().get("q")),
        (Some(&b"value"[..]), Some(&b"0.33"[..]))
    );
    assert!(message.routes().next().unwrap().address().unwrap().is_loose());
    assert!(message.is_content("application/sdp") && message.body().ends_with(b"RTP/AVP 8 0\r\n"));
}

#[test]
fn unusual_bytes_stay_what_they_are() {
    let bytes = load("intmeth");
    let message = Message::parse(&bytes).unwrap();
    let StartLine::Request { method, token, .. } = message.start() else { panic!("it is a request") };
    assert_eq!((method, token), (Method::Other, &b"!odd-Method0123456789_*+`.%indeed'~"[..]));
    assert_eq!(message.to().display(), b"\"BEL:\\\x07 NUL:\\\0 DEL:\\\x7f\"");
    assert_eq!(message.from().tag(), Some(&b"_tag~1'+`*%!-."[..]));
    let bytes = load("escnull");
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(&*message.to().address().unwrap().user_decoded(), b"null-\0-null");
    assert_eq!(message.contacts().count(), 2);
    let bytes = load("esc02");
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.method(), message.contacts().count()), (Method::Other, 2), "C%6Fntact is no Contact");
}

#[test]
fn a_uri_ends_where_the_grammar_says() {
    let user = |name: &str| {
        let bytes = load(name);
        let message = Message::parse(&bytes).unwrap();
        let uri = message.request_uri().unwrap();
        (text(uri.user()).into_owned(), text(uri.host()).into_owned())
    };
    assert_eq!(user("semiuri"), ("user;par=u%40example.net".to_owned(), "example.test".to_owned()));
    assert_eq!(user("esc01"), ("sips%3Aclerk%40example.test".to_owned(), "example.net".to_owned()));
    let contact = |name: &str| {
        let bytes = load(name);
        let contact = Message::parse(&bytes).unwrap().contact().unwrap();
        (contact.params().has("unknownparam"), contact.address().unwrap().params().has("unknownparam"))
    };
    assert_eq!(contact("cparam01"), (true, false));
    assert_eq!(contact("cparam02"), (false, true));
}

#[test]
fn a_body_is_as_long_as_it_says() {
    let body = |name: &str| Message::parse(&load(name)).unwrap().body().len();
    assert_eq!(body("dblreq"), 0);
    assert_eq!(body("inv2543"), body("sdp01"), "without a length all that is there");
    let bytes = load("mpart01");
    assert!(Message::parse(&bytes).unwrap().body().contains(&0));
}

#[test]
fn the_endpoint_sees_why_to_refuse() {
    let scheme = |name: &str| Message::parse(&load(name)).unwrap().request_uri().unwrap().scheme();
    assert_eq!(
        (scheme("unkscm"), scheme("novelsc"), scheme("unksm2")),
        (Scheme::Other, Scheme::Other, Scheme::Sip)
    );
    let bytes = load("bext01");
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(
        message.require().collect::<Vec<_>>(),
        [&b"nothingSupportsThis"[..], b"nothingSupportsThisEither"]
    );
    assert!(!Message::parse(&load("invut")).unwrap().is_content("application/sdp"));
    assert_eq!(Message::parse(&load("zeromf")).unwrap().max_forwards(), Some(0));
    assert_eq!(Message::parse(&load("bcast")).unwrap().vias().count(), 2);
    assert!(!Message::parse(&load("badbranch")).unwrap().via().is_unique());
    assert!(!Message::parse(&load("inv2543")).unwrap().via().is_unique());
    assert!(Message::parse(&load("bext01")).unwrap().via().is_unique());
}

#[test]
fn a_refusal_repeats_what_could_be_read() {
    let answer = |name: &str, fault| String::from_utf8(refuse(&load(name), fault, "ours").unwrap()).unwrap();
    let insuf = answer("insuf", Fault::Missing(Name::CallId));
    assert_eq!(
        insuf,
        "SIP/2.0 400 Call-ID is missing\r\nVia: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf\r\n\
         CSeq: 193942 INVITE\r\nContent-Length: 0\r\n\r\n"
    );
    let quotbal = answer("quotbal", Fault::Malformed(Name::To));
    assert!(
        quotbal.contains("\r\nTo: \"Mr. J. User <sip:j.user@example.test>\r\n"),
        "an open quote gets no tag"
    );
    assert!(answer("badvers", Fault::Version).starts_with("SIP/2.0 505 "));
}

/// An OPTIONS with this request URI, Via value and Contact value.
fn options(uri: &str, via: &str, contact: &str) -> Verdict {
    let message = format!(
        "OPTIONS {uri} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: <sip:a@example.test>;tag=1\r\n\
         To: <sip:b@example.test>\r\nCall-ID: v6@[2001:db8::1]\r\nCSeq: 1 OPTIONS\r\nContact: {contact}\r\n\r\n"
    );
    judge(message.as_bytes())
}

#[test]
fn addresses_of_version_6_stand_in_brackets() {
    let uri = |uri| options(uri, "SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKv6", "<sip:a@[2001:db8::9:1]>");
    let via = |via| options("sip:b@example.test", via, "<sip:a@[::ffff:192.0.2.10]:5060>");
    // RFC 5118 4.1 and 4.2: with brackets and without.
    assert_eq!(uri("sip:user@[2001:db8::10]"), Accept);
    assert_eq!(uri("sip:2001:db8::10"), Refuse(Fault::RequestUri));
    // 4.3 and 4.4: a port inside the brackets is part of the address.
    assert_eq!(uri("sip:[2001:db8::10:5070]"), Accept);
    assert_eq!(uri("sip:[2001:db8::10]:5070"), Accept);
    // 4.5: `received` with and without brackets.
    assert_eq!(via("SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3-111"), Accept);
    assert_eq!(via("SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3-111"), Accept);
    // 4.7 and 4.10: both versions side by side, and one inside the other.
    assert_eq!(via("SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3, SIP/2.0/UDP 192.0.2.1"), Accept);
    assert_eq!(via("SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19"), Accept);
    assert_eq!(via("SIP/2.0/UDP 2001:db8::9;branch=z9hG4bKas3"), Refuse(Fault::Malformed(Name::Via)));
}
