//! What the message layer promises, told with one INVITE as trunks send it.

use super::*;

const INVITE: &[u8] = b"INVITE sip:+8613800000000@198.51.100.7:5060;user=phone SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5062;rport;branch=z9hG4bK77ef4c2312983.1, SIP/2.0/TCP 203.0.113.9\r\n\
    v: SIP/2.0/UDP [2001:db8::9]:5080;branch=z9hG4bKlast\r\n\
    Max-Forwards: 70\r\n\
    f: \"Front desk, \\\"A\\\"\" <sip:+867552878@192.0.2.1>;tag=1928301774\r\n\
    To: <sip:+8613800000000@198.51.100.7;user=phone>\r\n\
    Call-ID: a84b4c76e66710@192.0.2.1\r\n\
    CSeq: 314159 INVITE\r\n\
    Contact: <sip:+867552878@192.0.2.1:5062>\r\n\
    Supported: timer, 100rel,\r\n\t path\r\n\
    k: replaces\r\n\
    Session-Expires: 1800;refresher=uac\r\n\
    Min-SE: 90\r\n\
    Allow: INVITE,ACK, BYE ,CANCEL\r\n\
    X-Trunk: caf\xe9\r\n\
    Content-Type: application/sdp ; charset=utf-8\r\n\
    Content-Length: 4\r\n\
    \r\n\
    v=0\nleft over";

fn invite() -> Message<'static> {
    Message::parse(INVITE).unwrap()
}

/// The fault of the INVITE after one replacement.
fn fault_with(from: &str, to: &str) -> Option<Fault> {
    let text = String::from_utf8_lossy(INVITE).into_owned();
    assert!(text.contains(from), "{from}");
    Message::parse(text.replacen(from, to, 1).as_bytes()).err()
}

fn list<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    values.map(|value| text(value).into_owned()).collect()
}

#[test]
fn a_request_shows_what_a_transaction_needs() {
    let invite = invite();
    let StartLine::Request { method, token, uri } = invite.start() else { panic!("it is a request") };
    assert_eq!((method, token), (Method::Invite, &b"INVITE"[..]));
    assert_eq!(uri, b"sip:+8613800000000@198.51.100.7:5060;user=phone");
    assert_eq!((invite.cseq(), invite.method(), invite.status()), (314_159, Method::Invite, None));
    assert_eq!(invite.call_id(), b"a84b4c76e66710@192.0.2.1");
    assert_eq!((invite.from().tag(), invite.to().tag()), (Some(&b"1928301774"[..]), None));
    assert_eq!(invite.from().display(), b"\"Front desk, \\\"A\\\"\"");
    assert_eq!(invite.to().uri(), b"sip:+8613800000000@198.51.100.7;user=phone");
    let via = invite.via();
    assert_eq!((via.transport(), via.host(), via.port()), (&b"UDP"[..], &b"192.0.2.1"[..], Some(5062)));
    assert_eq!(via.branch(), Some(&b"z9hG4bK77ef4c2312983.1"[..]));
    assert!(via.wants_rport());
    assert_eq!(via.rport(), None);
    assert_eq!(invite.body(), b"v=0\n");
    assert_eq!(invite.check(), Ok(()));
}

#[test]
fn lists_run_over_lines_commas_and_folds() {
    let invite = invite();
    assert_eq!(list(invite.supported()), ["timer", "100rel", "path", "replaces"]);
    assert_eq!(list(invite.allow()), ["INVITE", "ACK", "BYE", "CANCEL"]);
    assert!(invite.supported().has_token("100REL") && !invite.supported().has_token("100"));
    assert!(!invite.require().has_token("timer"));
    assert_eq!(invite.vias().count(), 3);
    let last = invite.vias().last().and_then(Via::parse).unwrap();
    assert_eq!((last.host(), last.port()), (&b"[2001:db8::9]"[..], Some(5080)));
}

#[test]
fn typed_headers_are_read_where_they_stand() {
    let invite = invite();
    let expires = invite.session_expires().unwrap();
    assert_eq!((expires.secs, expires.refresher, invite.min_se()), (1800, Some(Refresher::Uac), Some(90)));
    assert!(invite.is_content("application/sdp") && !invite.is_content("application/sdpx"));
    assert_eq!(invite.max_forwards(), Some(70));
    assert_eq!(invite.contact().unwrap().address().unwrap().port(), Some(5062));
    assert_eq!(invite.header_named("x-trunk"), Some(&b"caf\xe9"[..]), "no UTF-8 is asked for");
    assert_eq!(text(invite.header_named("X-TRUNK").unwrap()), "caf\u{fffd}");
}

#[test]
fn a_response_tells_why_and_how_long() {
    let response = b"SIP/2.0 503 Service Unavailable\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx;received=192.0.2.9;rport=6000\n\
        From: <sip:a@b>;tag=1\nTo: sip:c@d;tag=2\nCall-ID: x\nCSeq: 1 INVITE\nRetry-After: 18 (maintenance);duration=9\n\
        Reason: SIP;cause=503 , Q.850;cause=34;text=\"No circuit, sorry\"\nRSeq: 988\nUnsupported:\n\n";
    let response = Message::parse(response).unwrap();
    assert_eq!(response.start(), StartLine::Response { status: 503, reason: b"Service Unavailable" });
    assert_eq!((response.retry_after(), response.rseq()), (Some(18), Some(988)));
    let reasons: Vec<_> = response.reasons().collect();
    assert_eq!((reasons[0].cause, reasons[0].q850()), (Some(503), None));
    assert_eq!((reasons[1].q850(), reasons[1].text), (Some(34), Some(&b"No circuit, sorry"[..])));
    assert_eq!((response.via().received(), response.via().rport()), (Some(&b"192.0.2.9"[..]), Some(6000)));
    assert_eq!(response.to().tag(), Some(&b"2"[..]), "without brackets parameters are the header's");
    assert_eq!(response.body(), b"", "there is no length and nothing follows");
}

#[test]
fn a_prack_names_what_it_acknowledges() {
    let read =
        |value: &'static [u8]| RAck::parse(value).map(|rack| (rack.rseq, rack.cseq.number, rack.cseq.method));
    assert_eq!(read(b"776656 1 INVITE"), Some((776_656, 1, Method::Invite)));
    assert_eq!(read(b"776656 \r\n 1\tINVITE"), Some((776_656, 1, Method::Invite)));
    for broken in [&b"776656 1"[..], b"7766561 INVITE", b"", b"1 2 3 4", b"99999999999 1 INVITE"] {
        assert_eq!(read(broken), None, "{broken:?}");
    }
}

#[test]
fn each_broken_rule_has_its_fault() {
    let is = |from, to, fault| assert_eq!(fault_with(from, to), Some(fault), "{from} -> {to}");
    is("SIP/2.0\r\n", "SIP/3.0\r\n", Fault::Version);
    is("INVITE sip", "INVITE  sip", Fault::StartLine);
    is("SIP/2.0\r\n", "SIP/2.0 \r\n", Fault::StartLine);
    is("SIP/2.0\r\n", "HTTP/1.1\r\n", Fault::StartLine);
    is("X-Trunk:", "X-Trunk", Fault::HeaderLine);
    is("X-Trunk:", ":", Fault::HeaderLine);
    is("X-Trunk: ", "X-Trunk: a\rb", Fault::LoneCr);
    is("CSeq: 314159 INVITE\r\n", "", Fault::Missing(Name::CSeq));
    is("Call-ID: a84b4c76e66710@192.0.2.1\r\n", "", Fault::Missing(Name::CallId));
    is("a84b4c76e66710@192.0.2.1", "", Fault::Malformed(Name::CallId));
    is("Max-Forwards: 70", "i: other", Fault::Repeated(Name::CallId));
    is("314159 INVITE", "314159 BYE", Fault::MethodMismatch);
    is("314159 INVITE", "2147483648 INVITE", Fault::Malformed(Name::CSeq));
    is("192.0.2.1:5062;rport", "192.0.2.1:65536;rport", Fault::Malformed(Name::Via));
    is("\\\"A\\\"\"", "A", Fault::Malformed(Name::From));
    is("Content-Length: 4", "Content-Length: 14", Fault::BodyCut);
    is("Content-Length: 4", "Content-Length: -4", Fault::Malformed(Name::ContentLength));
    is("Content-Length: 4", "l: 4\r\nContent-Length: 3", Fault::TwoLengths);
    assert_eq!(
        fault_with("Content-Length: 4", "l: 4\r\nContent-Length: 4"),
        None,
        "twice the same is no harm"
    );
    assert_eq!(Message::parse(b"\r\n\r\n").err(), Some(Fault::Empty));
    assert_eq!(Message::parse(b"").err(), Some(Fault::Empty));
    assert_eq!(Message::parse(&INVITE[..400]).err(), Some(Fault::Unfinished));
}

#[test]
fn size_and_number_of_headers_are_bounded() {
    const OWN: usize = 16;
    let head = &INVITE[..INVITE.len() - b"\r\nv=0\nleft over".len()];
    let with = |more: usize| Message::parse(&[head, &b"X: y\r\n".repeat(more), b"\r\nbody"].concat()).err();
    assert_eq!(with(HEADERS - OWN), None);
    assert_eq!(with(HEADERS - OWN + 1), Some(Fault::TooManyHeaders));
    assert_eq!(with(MESSAGE_BYTES / 6), Some(Fault::TooLong));
}

#[test]
fn a_message_prints_nothing_of_anybody() {
    let shown =
        format!("{:?} {:?} {:?} {:?}", invite(), invite().start(), invite().from(), invite().contact());
    assert!(shown.contains("INVITE") && !shown.contains("86"), "{shown}");
}

#[test]
fn a_reply_says_where_the_request_came_from() {
    let reply =
        Writer::reply(&invite(), 180, "Ringing", Some("ours"), "203.0.113.5:40000".parse().unwrap()).finish();
    let reply = Message::parse(&reply).unwrap();
    assert_eq!((reply.via().received(), reply.via().rport()), (Some(&b"203.0.113.5"[..]), Some(40_000)));
    assert_eq!(reply.via().branch(), invite().via().branch());
    assert_eq!(list(reply.vias().skip(1)), list(invite().vias().skip(1)));
    assert_eq!((reply.to().tag(), reply.from()), (Some(&b"ours"[..]), invite().from()));
    assert_eq!((reply.call_id(), reply.cseq_value()), (invite().call_id(), invite().cseq_value()));
}

#[test]
fn a_reply_does_not_outgrow_its_request() {
    let many = format!("SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKx{}", ",a".repeat(20_000));
    let text = String::from_utf8_lossy(INVITE).into_owned();
    let request = text.replacen("SIP/2.0/UDP 192.0.2.1:5062;rport;branch=z9hG4bK77ef4c2312983.1", &many, 1);
    let parsed = Message::parse(request.as_bytes()).unwrap();
    let reply =
        Writer::reply(&parsed, 400, "Bad Request", None, "203.0.113.5:40000".parse().unwrap()).finish();
    assert!(reply.len() < request.len());
    assert_eq!(parsed.check(), Err(Fault::Malformed(Name::Via)));
}

#[test]
fn no_value_leaves_its_line() {
    let mut writer = Writer::request(Method::Options, "sip:a b\r\nX: 1@h");
    writer.header(Name::Subject, "a\r\nInjected: yes\r\n\r\nbody\0").header_named("X Y:\n", "\r");
    let bytes = writer.finish();
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(
        text,
        "OPTIONS sip:a%20b%0D%0AX:%201@h SIP/2.0\r\nSubject: a Injected: yes body \r\nX-Y--:  \r\nContent-Length: 0\r\n\r\n"
    );
}

#[test]
fn a_bad_request_is_refused_and_a_bad_response_is_not() {
    let bad = String::from_utf8_lossy(INVITE).replace("314159 INVITE", "314159 BYE");
    let fault = Message::parse(bad.as_bytes()).unwrap_err();
    let answer = refuse(bad.as_bytes(), fault, "t").unwrap();
    let text = String::from_utf8(answer).unwrap();
    assert!(
        text.starts_with("SIP/2.0 400 CSeq names another method\r\nVia: SIP/2.0/UDP 192.0.2.1:5062;rport;"),
        "{text}"
    );
    assert!(text.contains("\r\nTo: <sip:+8613800000000@198.51.100.7;user=phone>;tag=t\r\n"));
    assert_eq!(refuse(b"SIP/2.0 200 OK\r\nVia: x\r\n\r\n", Fault::Missing(Name::To), "t"), None);
    assert_eq!(refuse(b"ACK sip:a@b SIP/2.0\r\nVia: x\r\n\r\n", Fault::Missing(Name::To), "t"), None);
    assert_eq!(refuse(b"BYE sip:a@b SIP/2.0\r\n\r\n", Fault::Missing(Name::Via), "t"), None, "no way back");
    assert_eq!(refuse(b"\r\n\r\n", Fault::Empty, "t"), None);
}

#[test]
fn a_stream_is_cut_into_messages_wherever_it_breaks() {
    let message = &INVITE[..INVITE.len() - b"left over".len()];
    let stream = [b"\r\n\r\n", message, b"\r\n", message].concat();
    for end in 4 + 1..4 + message.len() {
        let Frame::Partial { need } = frame(&stream[4..end]) else {
            panic!("a part of {end} bytes is no whole")
        };
        assert!(need > end - 4 && need <= message.len());
    }
    assert_eq!(frame(&stream), Frame::Ping { len: 4 });
    assert_eq!(frame(&stream[4..]), Frame::Whole { len: message.len() });
    assert_eq!(frame(&stream[4 + message.len()..]), Frame::Blank { len: 2 });
    assert_eq!(frame(b"\r\n"), Frame::Partial { need: 3 });
    assert_eq!(frame(b"GET / HTTP/1.1\r\nno colon\r\n"), Frame::Broken(Fault::HeaderLine));
    assert_eq!(frame(&vec![b'a'; MESSAGE_BYTES]), Frame::Broken(Fault::TooLong));
    assert_eq!(
        frame(b"BYE a SIP/2.0\r\nl: 99999999999999999999\r\n\r\n"),
        Frame::Broken(Fault::Malformed(Name::ContentLength))
    );
    assert_eq!(frame(b"BYE a SIP/2.0\r\nl: 99999999\r\n\r\n"), Frame::Broken(Fault::TooLong));
}
