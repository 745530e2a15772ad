//! Offers and answers as trunks write them.

use super::*;

fn ours() -> OurSide {
    OurSide::new("192.0.2.10:40000".parse().unwrap(), &[Codec::Pcma, Codec::Pcmu], 7)
}

fn text(body: &[u8]) -> String {
    String::from_utf8(body.to_vec()).unwrap()
}

/// A description with these lines after the connection.
fn theirs(lines: &str) -> String {
    format!("v=0\r\no=- 1 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n{lines}")
}

fn read(lines: &str) -> Result<AudioDescription, Fault> {
    AudioDescription::read(theirs(lines).as_bytes())
}

/// What we answer, from the media lines on.
fn answered(lines: &str) -> (String, Agreed) {
    let (body, agreed) = ours().answer(theirs(lines).as_bytes(), Direction::SendRecv).unwrap();
    (text(&body).split_once("t=0 0\r\n").unwrap().1.to_owned(), agreed)
}

#[test]
fn our_offer_lists_what_we_speak() {
    assert_eq!(
        text(&ours().offer(Direction::SendRecv)),
        "v=0\r\no=- 7 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n\
         m=audio 40000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    );
}

#[test]
fn every_codec_is_offered_with_keys_at_its_clock() {
    let mut side = OurSide::new("192.0.2.10:40000".parse().unwrap(), &[Codec::Opus, Codec::G722], 7);
    let offer = text(&side.offer(Direction::SendRecv));
    let media = offer.split_once("t=0 0\r\n").unwrap().1;
    assert_eq!(
        media,
        "m=audio 40000 RTP/AVP 111 9 110 101\r\na=rtpmap:111 opus/48000/2\r\n\
         a=fmtp:111 maxplaybackrate=16000;sprop-maxcapturerate=16000\r\na=rtpmap:9 G722/8000\r\n\
         a=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-15\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    );
    // The far end hears under numbers of its own; we hear under ours.
    let answer = "m=audio 5004 RTP/AVP 96 98 97\r\na=rtpmap:96 OPUS/48000/2\r\na=rtpmap:97 telephone-event/48000\r\n\
                  a=rtpmap:98 telephone-event/8000\r\n";
    let agreed = side.accept(theirs(answer).as_bytes()).unwrap();
    assert_eq!((agreed.codec, agreed.payload, agreed.payload_heard), (Codec::Opus, 96, 111));
    assert_eq!((agreed.events, agreed.events_heard), (Some(97), Some(110)));
    let agreed = side.accept(theirs("m=audio 5004 RTP/AVP 9 101\r\n").as_bytes()).unwrap();
    assert_eq!((agreed.codec, agreed.payload_heard, agreed.events), (Codec::G722, 9, None));
}

#[test]
fn an_offer_of_opus_is_answered_under_its_numbers() {
    let mut side = OurSide::new("192.0.2.10:40000".parse().unwrap(), &Codec::ALL, 7);
    let offer = "m=audio 5004 RTP/AVP 111 96 101 97\r\na=rtpmap:111 speex/16000\r\na=rtpmap:96 opus/48000/2\r\n\
                 a=rtpmap:101 telephone-event/8000\r\na=rtpmap:97 telephone-event/48000\r\n";
    let (body, agreed) = side.answer(theirs(offer).as_bytes(), Direction::SendRecv).unwrap();
    assert_eq!((agreed.payload, agreed.payload_heard, agreed.events_heard), (96, 96, Some(97)));
    assert!(text(&body).contains("m=audio 40000 RTP/AVP 96 97\r\na=rtpmap:96 opus/48000/2\r\n"));
    let mono = read("m=audio 5004 RTP/AVP 111\r\na=rtpmap:111 opus/48000\r\n").unwrap();
    assert_eq!(mono.payloads[0].kind, Kind::Other);
}

#[test]
fn the_version_grows_only_when_something_changes() {
    let mut side = ours();
    let first = side.offer(Direction::SendRecv);
    assert_eq!(side.offer(Direction::SendRecv), first);
    let held = side.offer(Direction::SendOnly);
    assert!(text(&held).contains("o=- 7 2 IN"));
    assert!(text(&side.offer(Direction::SendRecv)).contains("o=- 7 3 IN"));
    assert_eq!(side.said(), side.clone().offer(Direction::SendRecv));
}

#[test]
fn an_answer_settles_codec_keys_and_addresses() {
    let mut side = ours();
    side.offer(Direction::SendRecv);
    let answer =
        theirs("m=audio 5004 RTP/AVP 18 0 8 97\r\na=rtpmap:97 telephone-event/8000\r\na=ptime:30\r\n");
    let agreed = side.accept(answer.as_bytes()).unwrap();
    assert_eq!((agreed.codec, agreed.payload, agreed.events), (Codec::Pcmu, 0, Some(97)));
    assert_eq!((agreed.address.to_string(), agreed.rtcp.port()), ("198.51.100.1:5004".to_owned(), 5005));
    assert_eq!((agreed.direction, agreed.ptime_millis), (Direction::SendRecv, Some(30)));
}

#[test]
fn a_codec_that_we_did_not_offer_is_none() {
    let mut side = OurSide::new("192.0.2.10:40000".parse().unwrap(), &[Codec::Pcma], 7);
    side.offer(Direction::SendRecv);
    assert_eq!(side.accept(theirs("m=audio 5004 RTP/AVP 0\r\n").as_bytes()), Err(Fault::NoCodec));
}

#[test]
fn quirks_of_trunks_are_understood() {
    let sdp = b"\n\nv=0 \no=broken\ns=caf\xe9\nb=nonsense\nt=never\nm=audio  6000/2 rtp/avp  8  96 9 x 300\nc=IN IP4 203.0.113.7/127\n\
        a=rtpmap:96 TELEPHONE-EVENT/8000/1\na=fmtp:96 0-11,16\na=rtcp:7001 IN IP4 203.0.113.8\nz\na=X-\xff\n";
    let audio = AudioDescription::read(sdp).unwrap();
    assert_eq!(
        (audio.address, audio.rtcp),
        ("203.0.113.7:6000".parse().unwrap(), "203.0.113.8:7001".parse().unwrap())
    );
    let payloads: Vec<_> = audio.payloads.iter().map(|payload| (payload.number, payload.kind)).collect();
    assert_eq!(
        payloads,
        [(8, Kind::Voice(Codec::Pcma)), (96, Kind::TelephoneEvent), (9, Kind::Voice(Codec::G722))]
    );
}

#[test]
fn an_rtpmap_outranks_the_static_table() {
    let audio = read("m=audio 5004 RTP/AVP 96 0 8\r\na=rtpmap:96 pcma/8000\r\na=rtpmap:0 X/8000\r\na=rtpmap:8 PCMA/16000\r\n").unwrap();
    let kinds: Vec<_> = audio.payloads.iter().map(|payload| payload.kind).collect();
    assert_eq!(kinds, [Kind::Voice(Codec::Pcma), Kind::Other, Kind::Other]);
    let (body, agreed) = answered("m=audio 5004 RTP/AVP 96\r\na=rtpmap:96 pcma/8000\r\n");
    assert_eq!((agreed.codec, agreed.payload, agreed.events), (Codec::Pcma, 96, None));
    assert!(
        body.starts_with("m=audio 40000 RTP/AVP 96\r\na=rtpmap:96 PCMA/8000\r\na=ptime:20\r\n"),
        "{body}"
    );
}

#[test]
fn hold_silences_us_and_is_mirrored() {
    let hold = |attribute: &str| {
        let (body, agreed) = answered(&format!("m=audio 5004 RTP/AVP 8\r\na={attribute}\r\n"));
        (body.lines().last().unwrap().to_owned(), agreed.direction)
    };
    assert_eq!(hold("sendrecv"), ("a=sendrecv".to_owned(), Direction::SendRecv));
    assert_eq!(hold("sendonly"), ("a=recvonly".to_owned(), Direction::RecvOnly));
    assert_eq!(hold("recvonly"), ("a=sendonly".to_owned(), Direction::SendOnly));
    assert_eq!(hold("inactive"), ("a=inactive".to_owned(), Direction::Inactive));
    let old = "c=IN IP4 0.0.0.0\r\n";
    let (body, agreed) = answered(&format!("m=audio 5004 RTP/AVP 8\r\n{old}"));
    assert!(body.ends_with("a=sendrecv\r\n") && agreed.direction == Direction::RecvOnly, "{body}");
    assert!(read(&format!("m=audio 5004 RTP/AVP 8\r\n{old}")).unwrap().is_held());
}

#[test]
fn a_direction_for_the_whole_session_counts_until_the_media_says_its_own() {
    assert_eq!(read("a=inactive\r\nm=audio 5004 RTP/AVP 8\r\n").unwrap().direction, Direction::Inactive);
    let own = read("a=inactive\r\nm=audio 5004 RTP/AVP 8\r\na=sendrecv\r\n").unwrap();
    assert_eq!(own.direction, Direction::SendRecv);
}

#[test]
fn every_other_media_is_declined_in_its_place() {
    let (body, agreed) = answered(
        "m=video 6000 RTP/AVP 96 97\r\na=rtpmap:96 H264/90000\r\nm=audio 6002 RTP/SAVP 8\r\nm=audio 6004 RTP/AVP 9 8 101\r\n\
         a=rtpmap:101 telephone-event/8000\r\nm=application 6006 UDP/BFCP *\r\n",
    );
    let lines: Vec<_> = body.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(
        lines,
        [
            "m=video 0 RTP/AVP 96 97",
            "m=audio 0 RTP/SAVP 8",
            "m=audio 40000 RTP/AVP 8 101",
            "m=application 0 UDP/BFCP *"
        ]
    );
    assert_eq!((agreed.address.port(), agreed.events), (6004, Some(101)));
}

#[test]
fn an_address_of_version_6_is_answered_in_its_own_kind() {
    let mut side = OurSide::new("[2001:db8::10]:40000".parse().unwrap(), &[Codec::Pcma], 7);
    let offer = "v=0\r\ns=-\r\nm=audio 5004 RTP/AVP 8\r\nc=IN IP6 2001:db8::1\r\n";
    let (body, agreed) = side.answer(offer.as_bytes(), Direction::SendRecv).unwrap();
    assert!(text(&body).contains("c=IN IP6 2001:db8::10\r\n"));
    assert_eq!(agreed.rtcp, "[2001:db8::1]:5005".parse().unwrap());
}

#[test]
fn what_cannot_be_used_says_why() {
    let is = |lines: &str, fault| assert_eq!(read(lines), Err(fault), "{lines}");
    is("", Fault::NoAudio);
    is("m=video 5004 RTP/AVP 96\r\n", Fault::NoAudio);
    is("m=audio 5004 RTP/SAVP 8\r\n", Fault::NoAudio);
    is("m=audio 0 RTP/AVP 8\r\n", Fault::Declined);
    is("m=audio 5004 RTP/AVP 8\r\nc=IN IP4 host.example\r\n", Fault::Address);
    is("m=audio 5004 RTP/AVP 8\r\nc=IN IP4 239.1.1.1/127\r\n", Fault::Address);
    is("m=audio 99999 RTP/AVP 8\r\n", Fault::Malformed);
    is("m=audio\r\n", Fault::Malformed);
    is(&"m=audio 0 RTP/AVP 8\r\n".repeat(MEDIA + 1), Fault::TooManyMedia);
    let without = AudioDescription::read(b"v=0\r\nm=audio 5004 RTP/AVP 8\r\n");
    assert_eq!(without, Err(Fault::Address), "no connection at all");
    assert_eq!(AudioDescription::read(b""), Err(Fault::Malformed));
    assert_eq!(AudioDescription::read(b"v=1\r\n"), Err(Fault::Malformed));
    let g729 = ours().answer(theirs("m=audio 5004 RTP/AVP 18\r\n").as_bytes(), Direction::SendRecv);
    assert_eq!(g729.map_err(Fault::status), Err(488));
}

#[test]
fn a_refused_offer_changes_nothing() {
    let mut side = ours();
    side.offer(Direction::SendRecv);
    let before = side.said().to_vec();
    side.answer(theirs("m=audio 0 RTP/AVP 8\r\n").as_bytes(), Direction::Inactive).unwrap_err();
    assert_eq!(side.said(), before);
}

#[test]
fn keys_go_both_ways_and_are_never_shown() {
    let address = "192.0.2.10:40000".parse().unwrap();
    let mut ours = OurSide::new(address, &[Codec::Pcma], 7).protected_by([1; KEYING_BYTES]);
    let mut far = OurSide::new(address, &[Codec::Pcma], 8).protected_by([2; KEYING_BYTES]);
    let offer = ours.offer(Direction::SendRecv);
    assert!(text(&offer).contains("m=audio 40000 RTP/SAVP 8 101\r\n"));
    assert!(text(&offer).contains("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AQEBAQ"));
    // The far end takes our tag, whatever it is.
    let renamed = text(&offer).replace("crypto:1", "crypto:9 F8_128_HMAC_SHA1_80 inline:AQ==\r\na=crypto:5");
    let (answer, heard) = far.answer(renamed.as_bytes(), Direction::SendRecv).unwrap();
    assert!(text(&answer).contains("a=crypto:5 AES_CM_128_HMAC_SHA1_80 inline:AgIC"));
    assert_eq!(heard.crypto.unwrap().expose(), &[1; KEYING_BYTES]);
    let agreed = ours.accept(&answer).unwrap();
    assert_eq!(agreed.crypto.unwrap().expose(), &[2; KEYING_BYTES]);
    let shown = format!("{agreed:?} {ours:?}");
    assert!(!shown.contains("2, 2") && !shown.contains("AgIC") && !shown.contains("65, 81"), "{shown}");
}

#[test]
fn a_protected_side_takes_nothing_open_and_no_keys_that_it_cannot_use() {
    let address = "192.0.2.10:40000".parse().unwrap();
    let mut ours = OurSide::new(address, &[Codec::Pcma], 7).protected_by([1; KEYING_BYTES]);
    ours.offer(Direction::SendRecv);
    let accept = |lines: &str| ours.accept(theirs(lines).as_bytes()).map(|agreed| agreed.crypto.is_some());
    assert_eq!(accept("m=audio 5004 RTP/AVP 8\r\n"), Err(Fault::NoAudio));
    let key = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC";
    let with = |crypto: &str| accept(&format!("m=audio 5004 RTP/SAVP 8\r\na=crypto:{crypto}\r\n"));
    assert_eq!(with(&format!("1 {SUITE} inline:{key}|2^31")), Ok(true));
    for bad in [
        String::new(),
        format!("1 {SUITE} inline:{key}|2^20|1:4"),
        format!("1 {SUITE} inline:{key}|1:4"),
        format!("1 {SUITE} inline:{key} UNENCRYPTED_SRTP"),
        format!("1 {SUITE} inline:{}", &key[4..]),
        format!("1 {SUITE} \u{e9}\u{e9}\u{e9}\u{e9}{key}"),
        format!("x {SUITE} inline:{key}"),
    ] {
        assert_eq!(with(&bad), Err(Fault::NoKeys), "{bad}");
    }
}
