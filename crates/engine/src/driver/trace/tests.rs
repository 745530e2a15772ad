use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc::{Receiver, sync_channel};

use base::private::Private;
use base::release::Party;
use base::trace::{FILE_HEADER, Trace};
use sip::Transport;

use super::hep::encode;
use super::writer::Writer;
use super::*;
use crate::trace::Homer;

const OURS: &str = "192.0.2.1:5060";
const FAR: &str = "192.0.2.9:5070";
const RTP: &str = "192.0.2.1:20000";
const BEGAN: Beginning = (Instant::from_millis(10), Timestamp::from_millis(1_700_000_000_000));

/// Headers over IPv4 that fill a chunk.
const CHUNK: u32 = 233;

fn udp(address: &str) -> Hop {
    Hop::new(Transport::Udp, address.parse().unwrap())
}

fn call(random: u128) -> CallId {
    CallId::new(Timestamp::from_millis(1_700_000_000_000), random)
}

fn message(call: CallId, leg: Leg, body: &str) -> String {
    format!("INVITE sip:+8613800000001@h SIP/2.0\r\nCall-ID: {call}{leg}\r\n\r\n{body}")
}

fn settings(calls: Traced) -> TraceSettings {
    TraceSettings { calls, folder: "".into(), rtp_headers: true, numbers: Numbers::Masked, homer: None }
}

fn tracer(settings: &TraceSettings, room: usize) -> (Tracer, Receiver<Work>) {
    let (works, todo) = sync_channel(room);
    (Tracer::new(settings, &[udp(OURS)], Some(works)).unwrap(), todo)
}

impl Tracer {
    fn hears(&mut self, text: &str) {
        let far = udp(FAR);
        let message = Message { way: Way::Received, far, bytes: text.as_bytes() };
        self.note(message, Instant::from_millis(15), |_| Some(BEGAN));
    }

    fn ends(&mut self, call: CallId, cause: Cause) {
        self.over(call, Some(Ending { by: Party::Caller, cause, leg: None }));
        self.settle();
    }
}

/// The file that frames make.
fn file(frames: &[u8]) -> Vec<u8> {
    [&FILE_HEADER[..], frames].concat()
}

fn appended(work: Work) -> (CallId, Vec<u8>) {
    let Work::Append(call, frames) = work else { panic!("{work:?}") };
    (call, file(&frames))
}

#[test]
fn messages_of_a_call_are_handed_over_when_it_is_over() {
    let (mut tracer, todo) = tracer(&settings(Traced::All), 8);
    tracer.hears(&message(call(1), Leg::A, "one"));
    tracer.hears(&message(call(2), Leg::A, "another call"));
    tracer.hears("OPTIONS sip:a SIP/2.0\r\nCall-ID: nobody's\r\n\r\n");
    tracer.over(call(1), None);
    tracer.hears(&message(call(1), Leg::B, "in the same turn"));
    assert!(todo.try_recv().is_err());
    tracer.settle();
    let (of, file) = appended(todo.try_recv().unwrap());
    let trace = Trace::read(&file);
    let bodies: Vec<_> =
        trace.packets.iter().map(|packet| packet.payload.rsplit(|byte| *byte == b'\n').next()).collect();
    assert_eq!((of, bodies), (call(1), vec![Some(&b"one"[..]), Some(b"in the same turn")]));
    let first = trace.packets[0];
    assert!(first.payload.starts_with(b"INVITE sip:+86138****0001@h SIP/2.0\r\n"));
    assert_eq!((first.leg, first.way, first.kind), (Leg::A, Way::Received, Kind::Sip));
    assert_eq!((first.ours, first.far), (OURS.parse().unwrap(), FAR.parse().unwrap()));
    assert_eq!(first.at, Timestamp::from_millis(1_700_000_000_005), "it is dated as the call's facts are");
}

#[test]
fn of_failed_calls_alone_a_trace_stays() {
    let (mut tracer, todo) = tracer(&settings(Traced::Failed), 8);
    for (number, cause, stays) in [
        (1, Cause::Busy, true),
        (2, Cause::Normal, false),
        (3, Cause::Stopped, false),
        (4, Cause::OurFault, true),
    ] {
        tracer.hears(&message(call(number), Leg::A, ""));
        tracer.ends(call(number), cause);
        assert_eq!(matches!(todo.try_recv().unwrap(), Work::Append(..)), stays, "{cause:?}");
    }
}

#[test]
fn a_call_without_end_fills_no_memory() {
    let (mut tracer, todo) = tracer(&settings(Traced::All), 8);
    for _ in 0..CALL_MESSAGES + 7 {
        tracer.hears(&message(call(1), Leg::A, ""));
    }
    for _ in 0..3 {
        tracer.hears(&message(call(2), Leg::A, &"x".repeat(50_000)));
    }
    tracer.ends(call(1), Cause::Normal);
    tracer.ends(call(2), Cause::Normal);
    for (kept, left_out) in [(CALL_MESSAGES, 7), (2, 1)] {
        let (_, file) = appended(todo.try_recv().unwrap());
        let trace = Trace::read(&file);
        assert_eq!((trace.packets.len(), trace.left_out), (kept, left_out));
    }
}

#[test]
fn what_the_writer_has_no_room_for_waits() {
    let (mut tracer, todo) = tracer(&settings(Traced::All), 1);
    for number in 1..=2 {
        tracer.hears(&message(call(number), Leg::A, ""));
        tracer.ends(call(number), Cause::Normal);
    }
    assert!(tracer.is_waiting());
    assert_eq!(appended(todo.try_recv().unwrap()).0, call(1));
    tracer.settle();
    assert!(!tracer.is_waiting());
    assert_eq!(appended(todo.try_recv().unwrap()).0, call(2));
    tracer.hears(&message(call(3), Leg::A, ""));
    tracer.close();
    assert_eq!(appended(todo.try_recv().unwrap()).0, call(3), "a call that still runs leaves what there is");
}

#[test]
fn the_headers_of_packets_are_kept_and_what_they_carry_is_not() {
    let (tracer, todo) = tracer(&settings(Traced::All), 1);
    let mut headers = tracer.headers(call(1), Leg::B, RTP.parse().unwrap(), BEGAN).unwrap();
    let packet = [0x80; 172];
    let mut noted = 0;
    while todo.try_recv().map(|work| appended(work).1.len()).is_err() {
        headers.note(Way::Sent, FAR.parse().unwrap(), &packet, Instant::from_millis(20));
        headers.note(Way::Sent, FAR.parse().unwrap(), &packet[..11], Instant::from_millis(20));
        noted += 1;
    }
    assert_eq!(noted, CHUNK, "a chunk is full");
    headers.note(Way::Received, FAR.parse().unwrap(), &packet, Instant::from_millis(30));
    drop(headers);
    let (_, file) = appended(todo.try_recv().unwrap());
    let trace = Trace::read(&file);
    let [packet] = trace.packets[..] else { panic!("there is one") };
    assert_eq!((packet.way, packet.kind, packet.leg), (Way::Received, Kind::Rtp, Leg::B));
    assert_eq!((packet.payload.len(), packet.length), (12, 172));
    assert_eq!(packet.ours, RTP.parse().unwrap());
}

#[test]
fn headers_that_find_no_room_are_counted() {
    let (tracer, todo) = tracer(&settings(Traced::All), 1);
    let mut headers = tracer.headers(call(1), Leg::B, RTP.parse().unwrap(), BEGAN).unwrap();
    for _ in 0..2 * CHUNK {
        headers.note(Way::Sent, FAR.parse().unwrap(), &[0x80; 172], Instant::from_millis(20));
    }
    todo.try_recv().unwrap();
    drop(headers);
    let (_, file) = appended(todo.try_recv().unwrap());
    assert_eq!(Trace::read(&file).left_out, CHUNK);
}

#[test]
fn a_trace_is_a_file_that_only_we_may_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer { folder: folder.path().join("traces"), is_broken: false };
    writer.on(Work::Append(call(1), vec![1; 20]));
    writer.on(Work::Append(call(1), vec![2; 20]));
    let path = trace::path(&writer.folder, call(1));
    assert_eq!(fs::read(&path).unwrap(), [&FILE_HEADER[..], &[1; 20], &[2; 20]].concat());
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    writer.on(Work::Discard(call(1)));
    writer.on(Work::Discard(call(2)));
    assert!(!path.exists() && !writer.is_broken);
}

/// A packet of HEP3, read as its specification says: type and value of each chunk.
fn decode(packet: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let word = |bytes: &[u8]| usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
    assert_eq!((&packet[..4], word(&packet[4..])), (&b"HEP3"[..], packet.len()));
    let (mut rest, mut chunks) = (&packet[6..], Vec::new());
    while !rest.is_empty() {
        assert_eq!(word(rest), 0, "the vendor of the general chunks");
        let length = word(&rest[4..]);
        chunks.push((word(&rest[2..]) as u16, rest[6..length].to_vec()));
        rest = &rest[length..];
    }
    chunks
}

#[test]
fn homer_is_told_at_once() {
    let homer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let password = Some(Private::new("open sesame".to_owned()));
    let told = Homer { address: homer.local_addr().unwrap(), id: 2_001, password };
    let settings = TraceSettings { homer: Some(told), ..settings(Traced::Nothing) };
    let mut tracer = Tracer::new(&settings, &[udp(OURS)], None).unwrap();
    tracer.hears(&message(call(1), Leg::A, "one"));
    let mut packet = [0; 2_048];
    homer.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let length = homer.recv(&mut packet).unwrap();
    let veiled = message(call(1), Leg::A, "one").replace("13800000001", "138****0001");
    let expected: [(u16, &[u8]); 13] = [
        (1, &[2][..]),
        (3, &[192, 0, 2, 9]),
        (4, &[192, 0, 2, 1]),
        (2, &[17]),
        (7, &5_070_u16.to_be_bytes()),
        (8, &5_060_u16.to_be_bytes()),
        (9, &1_700_000_000_u32.to_be_bytes()),
        (10, &5_000_u32.to_be_bytes()),
        (11, &[1]),
        (12, &2_001_u32.to_be_bytes()),
        (14, b"open sesame"),
        (17, &call(1).to_string().into_bytes()),
        (15, veiled.as_bytes()),
    ];
    let expected = expected.map(|(number, value)| (number, value.to_vec()));
    assert_eq!(decode(&packet[..length]), expected);
    tracer.ends(call(1), Cause::Busy);
    assert!(tracer.kept.is_empty() && !tracer.is_waiting(), "nothing is kept of it");
}

#[test]
fn homer_is_told_of_connections_and_of_the_longer_addresses() {
    let packet = Packet {
        at: Timestamp::from_millis(1),
        leg: Leg::A,
        way: Way::Sent,
        kind: Kind::Sip,
        ours: "[2001:db8::1]:5061".parse().unwrap(),
        far: "[2001:db8::9]:5061".parse().unwrap(),
        length: 3,
        payload: b"BYE",
    };
    let mut out = Vec::new();
    encode(&packet, Transport::Tls, call(1), (1, None), &mut out);
    let chunks = decode(&out);
    let value = |number: u16| chunks.iter().find(|(own, _)| *own == number).map(|(_, value)| &value[..]);
    assert_eq!((value(1), value(2)), (Some(&[10][..]), Some(&[6][..])));
    assert!(value(5).unwrap().ends_with(&[1]) && value(6).unwrap().ends_with(&[9]));
    assert_eq!((value(14), value(15)), (None, Some(&b"BYE"[..])));
}

#[test]
fn we_are_shown_where_the_far_end_sees_us() {
    let tls = |address: &str| Hop::new(Transport::Tls, address.parse().unwrap());
    let seen_at = [udp("192.0.2.1:5060"), tls("192.0.2.1:5061"), udp("[2001:db8::1]:5060")];
    for (far, at) in [
        (udp("192.0.2.9:5060"), "192.0.2.1:5060"),
        (tls("192.0.2.9:5061"), "192.0.2.1:5061"),
        (tls("[2001:db8::9]:5061"), "[2001:db8::1]:5060"),
    ] {
        assert_eq!(ours(&seen_at, far), at.parse().unwrap());
    }
}
