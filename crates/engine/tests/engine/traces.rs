//! What is kept of what goes over the wire.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::time::Duration;

use base::id::Leg;
use base::trace::{self, Kind, Trace, Way};
use huihu_engine::trace::Numbers;
use huihu_engine::trunk::Srtp;
use huihu_engine::{Homer, TraceSettings, Traced};

use crate::world::{World, callback, dialled, id, notice};

fn traced(calls: Traced, folder: &Path, homer: Option<Homer>) -> World {
    let mut world = World::new();
    world.engine = None;
    let folder = folder.to_owned();
    world.settings.trace =
        Some(TraceSettings { calls, folder, rtp_headers: true, numbers: Numbers::Masked, homer });
    world.start();
    world
}

fn first_line(message: &[u8]) -> String {
    let line = message.split(|byte| *byte == b'\r').next().unwrap();
    String::from_utf8_lossy(line).into_owned()
}

#[test]
fn a_call_leaves_its_messages_and_the_headers_of_its_packets() {
    let folder = tempfile::tempdir().unwrap();
    let homer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let told = Homer { address: homer.local_addr().unwrap(), id: 1, password: None };
    let mut world = traced(Traced::All, folder.path(), Some(told));
    let (a, b) = world.bridged(0);
    world.talk((a, b), Duration::from_millis(200));
    world.far.inform(a, '7');
    world.until_fact(0, "A pressed");
    world.far.hang_up(b);
    world.all_over(0);
    let ours = world.engine().address();
    let far = world.far.address();
    world.engine = None;
    let file = fs::read(trace::path(folder.path(), id(0))).unwrap();
    let trace = Trace::read(&file);
    let messages: Vec<_> = trace.packets.iter().filter(|packet| packet.kind == Kind::Sip).collect();
    assert!(messages.iter().all(|message| (message.ours, message.far) == (ours, far)));
    let said = |leg: Leg, way: Way, start: &str| {
        messages.iter().any(|message| {
            (message.leg, message.way) == (leg, way) && first_line(message.payload).starts_with(start)
        })
    };
    for leg in [Leg::A, Leg::B] {
        assert!(said(leg, Way::Sent, "INVITE") && said(leg, Way::Received, "SIP/2.0 200"));
        assert!(said(leg, Way::Sent, "ACK"));
    }
    assert!(said(Leg::A, Way::Received, "INFO") && said(Leg::B, Way::Received, "BYE"));
    assert!(said(Leg::A, Way::Sent, "BYE") && said(Leg::B, Way::Sent, "SIP/2.0 200"));
    for leg in [Leg::A, Leg::B] {
        for way in [Way::Sent, Way::Received] {
            let is_one = |packet: &&trace::Packet<'_>| {
                (packet.kind, packet.leg, packet.way) == (Kind::Rtp, leg, way)
                    && (packet.payload.len(), packet.length) == (12, 172)
            };
            assert!(trace.packets.iter().filter(is_one).count() > 1, "{leg} {way:?}");
        }
    }
    let text = String::from_utf8_lossy(&file);
    assert!(text.contains("Signal=*") && !text.contains("Signal=7"), "keys are hidden");
    for leg in [Leg::A, Leg::B] {
        assert!(!text.contains(&dialled(0, leg)), "numbers are masked");
    }
    let mut packet = [0; 4_096];
    homer.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    for _ in &messages {
        let length = homer.recv(&mut packet).unwrap();
        assert!(packet.starts_with(b"HEP3") && !packet[..length].windows(8).any(|own| own == b"Signal=7"));
    }
}

#[test]
fn a_call_that_failed_leaves_a_trace_without_keys_and_others_leave_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = traced(Traced::Failed, folder.path(), None);
    let (a, _) = world.bridged(0);
    world.far.hang_up(a);
    world.all_over(0);
    world.engine = None;
    assert!(!trace::path(folder.path(), id(0)).exists());
    world.settings.trunks[0].srtp = Srtp::Required;
    world.start();
    world.launch(1, notice);
    let a = world.phone(1, Leg::A);
    world.far.answer_with(a, b"v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 8\r\n");
    world.all_over(1);
    world.engine = None;
    let file = fs::read(trace::path(folder.path(), id(1))).unwrap();
    let text = String::from_utf8_lossy(&file);
    assert!(text.contains("inline:****") && !Trace::read(&file).packets.is_empty(), "{text}");
}

#[test]
fn nothing_is_written_where_nothing_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = traced(Traced::Nothing, folder.path(), None);
    world.launch(0, callback);
    let a = world.phone(0, Leg::A);
    world.far.reject(a, 486);
    world.all_over(0);
    world.engine = None;
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
