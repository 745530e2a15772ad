//! What holds for every input: nothing panics, and what the writer prints is what the parser reads.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use huihu_sip::digest::{Challenge, Credentials, Subject};
use huihu_sip::message::{
    Frame, Message, Method, Name, NameAddr, StartLine, Uri, Via, Writer, frame, refuse, text, unfold,
};
use huihu_sip::sdp::{AudioDescription, Codec, Direction, OurSide};
use proptest::prelude::*;
use proptest::sample::Index;

/// Messages to spoil: the torture messages and a response with everything that we read from one.
fn corpus() -> &'static [Vec<u8>] {
    static CORPUS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    CORPUS.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("torture");
        let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<_> =
            files.filter(|path| path.extension().is_some_and(|ending| ending == "sip")).collect();
        files.sort();
        let mut corpus: Vec<_> = files.into_iter().filter_map(|path| fs::read(path).ok()).collect();
        assert!(!corpus.is_empty(), "the messages are in the folder");
        corpus.push(RESPONSE.to_vec());
        corpus
    })
}

const RESPONSE: &[u8] = b"SIP/2.0 407 Proxy Authentication Required\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5060;rport=5060;received=192.0.2.1;branch=z9hG4bK1\r\n\
    From: \"A\" <sip:a@example.test>;tag=1\r\nTo: <tel:+867552878>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\
    Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth,auth-int\", algorithm=SHA-256, stale=false\r\n\
    Reason: Q.850;cause=16;text=\"x, y\"\r\nRSeq: 1\r\nRAck: 1 1 INVITE\r\nRetry-After: 5 (x)\r\n\
    Session-Expires: 90;refresher=uas\r\nMin-SE: 90\r\nRecord-Route: <sip:p1;lr>, <sip:p2;lr>\r\n\
    Contact: <sip:a@[2001:db8::1]:5060;transport=tcp>;q=0.5\r\nContent-Type: application/sdp\r\n\r\n\
    v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 5004/2 RTP/AVP 8 101\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=rtcp:5006 IN IP4 192.0.2.2\r\na=sendonly\r\n";

/// One way to spoil a message.
#[derive(Clone, Debug)]
enum Harm {
    Put(Index, Vec<u8>),
    Cut(Index, usize),
    Repeat(Index, usize),
    End(Index),
}

fn harm() -> impl Strategy<Value = Harm> {
    let telling = prop::sample::select(&b"\r\n \t\0:;,<>\"\\@?=%/[]*0\xff"[..]);
    let byte = prop_oneof![telling, any::<u8>()];
    prop_oneof![
        4 => (any::<Index>(), prop::collection::vec(byte, 1..4)).prop_map(|(at, bytes)| Harm::Put(at, bytes)),
        3 => (any::<Index>(), 1..20_usize).prop_map(|(at, len)| Harm::Cut(at, len)),
        2 => (any::<Index>(), 1..200_usize).prop_map(|(at, len)| Harm::Repeat(at, len)),
        1 => any::<Index>().prop_map(Harm::End),
    ]
}

fn spoil(mut bytes: Vec<u8>, harms: &[Harm]) -> Vec<u8> {
    for harm in harms {
        let place = |at: &Index| at.index(bytes.len() + 1);
        match harm {
            Harm::Put(at, more) => {
                let at = place(at);
                bytes.splice(at..at, more.iter().copied());
            }
            Harm::Cut(at, len) => {
                let at = place(at);
                bytes.drain(at..(at + len).min(bytes.len()));
            }
            Harm::Repeat(at, len) => {
                let at = place(at);
                let part = bytes[at..(at + len).min(bytes.len())].to_vec();
                bytes.splice(at..at, part);
            }
            Harm::End(at) => bytes.truncate(place(at)),
        }
    }
    bytes
}

/// Asks a message everything that it can tell.
fn ask(message: &Message<'_>) {
    let _ = format!(
        "{message:?} {:?} {:?} {:?} {:?}",
        message.start(),
        message.from(),
        message.via(),
        message.reason()
    );
    let _ = (message.check(), message.request_uri().map(|uri| (uri.user_decoded().len(), uri.is_loose())));
    let _ =
        (message.rack(), message.rseq(), message.retry_after(), message.session_expires(), message.min_se());
    let _ = (
        message.expires(),
        message.max_forwards(),
        message.is_content("application/sdp"),
        message.allow().count(),
    );
    for (name, spelling, value) in message.lines() {
        let _ = (text(spelling), unfold(value), NameAddr::parse(value), Via::parse(value), Uri::parse(value));
        let _ = (message.headers(name).count(), message.headers(name).has_token("100rel"));
    }
    let parties = message.contacts().chain(message.routes()).chain(message.record_routes());
    parties.for_each(|party| assert!(party.params().into_iter().count() <= party.params().as_bytes().len()));
    message.vias().filter_map(Via::parse).for_each(|via| {
        let _ = (via.branch(), via.received(), via.rport(), via.wants_rport(), via.is_unique());
    });
    if let Some(challenge) = Challenge::strongest(message, None) {
        let subject = Subject { method: "INVITE", uri: b"sip:a@b", body: message.body() };
        let _ = challenge.answer(&Credentials::new("u".into(), "p".into()), subject, 1, "c");
    }
    let _ = Writer::reply(message, 486, "Busy Here", Some("t"), ([192, 0, 2, 1], 5060).into()).finish();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn no_datagram_makes_the_parser_panic(
        which in any::<Index>(),
        harms in prop::collection::vec(harm(), 0..6),
    ) {
        let bytes = spoil(which.get(corpus()).clone(), &harms);
        match Message::parse(&bytes) {
            Ok(message) => ask(&message),
            Err(fault) => {
                let answer = refuse(&bytes, fault, "t");
                prop_assert!(answer.is_none_or(|answer| answer.starts_with(b"SIP/2.0 ")));
            }
        }
        if let Frame::Whole { len } = frame(&bytes) {
            prop_assert!(len <= bytes.len());
        }
    }

    #[test]
    fn no_description_makes_the_reader_panic(harms in prop::collection::vec(harm(), 0..6)) {
        let body = Message::parse(RESPONSE).unwrap().body();
        let offer = spoil(body.to_vec(), &harms);
        let mut side = OurSide::new("192.0.2.9:4000".parse().unwrap(), &[Codec::Pcma, Codec::Pcmu], 1);
        if let Ok((answer, agreed)) = side.answer(&offer, Direction::SendRecv) {
            let ours = AudioDescription::read(&answer).unwrap();
            prop_assert_eq!(ours.address.port(), 4000);
            prop_assert!(ours.payloads.iter().any(|payload| payload.number == agreed.payload));
        }
    }

    #[test]
    fn a_stream_in_pieces_gives_the_same_messages(cut in any::<Index>(), which in any::<Index>()) {
        let bytes = which.get(corpus());
        let whole = frame(bytes);
        let part = frame(&bytes[..cut.index(bytes.len())]);
        // A part never promises more than the whole keeps.
        match part {
            Frame::Partial { need } => prop_assert!(need > cut.index(bytes.len())),
            decided => prop_assert_eq!(decided, whole),
        }
    }

    #[test]
    fn what_is_printed_is_read(
        status in 100..=699_u16,
        phrase in "\\PC{0,20}",
        values in prop::collection::vec("\\PC{0,40}", 0..5),
        number in 0..1_u32 << 31,
        body in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let mut writer = Writer::response(status, &phrase);
        writer.header(Name::Via, "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1");
        writer.header(Name::From, "<sip:a@b>;tag=1").header(Name::To, "<sip:c@d>").header(Name::CallId, "x");
        writer.text(Name::CSeq, format_args!("{number} {}", Method::Update.as_str()));
        for value in &values {
            writer.header_named("X-Any", value);
        }
        let bytes = writer.body("application/octet-stream", body.clone()).finish();
        let message = Message::parse(&bytes).unwrap();
        prop_assert_eq!(message.start(), StartLine::Response { status, reason: phrase.as_bytes() });
        prop_assert_eq!((message.cseq(), message.method(), message.body()), (number, Method::Update, &body[..]));
        let read: Vec<_> = message.headers(Name::Other).collect();
        let put: Vec<_> = values.iter().map(|value| value.trim_matches([' ', '\t']).as_bytes()).collect();
        prop_assert_eq!(read, put);
    }

    #[test]
    fn no_value_adds_a_line(value in prop::collection::vec(any::<u8>(), 0..60), name in prop::collection::vec(any::<u8>(), 0..9)) {
        let mut writer = Writer::request_with(&name, &value);
        writer.header_named(&name, &value).header(Name::Subject, &value);
        let bytes = writer.finish();
        let ends = bytes.iter().filter(|&&byte| matches!(byte, b'\r' | b'\n')).count();
        prop_assert_eq!(ends, 5 * 2, "start line, two headers, the length, the blank line");
    }
}
