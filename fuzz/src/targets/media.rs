//! What arrives on the ports of a leg. An input is a row of packets, each behind its length and how long it let wait.

use std::net::SocketAddr;
use std::time::Duration;

use base::time::{Instant, Timestamp};
use media::codec::Codec;
use media::rtp::Packet;
use media::session::{Description, Due, EventTypes, Hears, Incoming, OUT_BYTES, Params, Session};
use media::source::Policy;

use crate::target::{Target, seen};

/// Audio, to a leg that is bridged with another.
pub(super) const RTP: Target = Target { name: "rtp", corpora: &[], words: &[], bytes_max: 4_096, run: rtp };

/// Reports.
pub(super) const RTCP: Target =
    Target { name: "rtcp", corpora: &[], words: &[], bytes_max: 4_096, run: rtcp };

/// Keys as events.
pub(super) const DTMF: Target =
    Target { name: "dtmf", corpora: &[], words: &[], bytes_max: 2_048, run: dtmf };

fn far_end() -> SocketAddr {
    ([192, 0, 2, 1], 4_000).into()
}

fn session(seed: u64) -> Session {
    let description = Description {
        remote: Some(far_end()),
        remote_rtcp: Some(far_end()),
        codec: Codec::PCMA,
        hears: Hears::Both,
        events: Some(EventTypes { receive: 101, send: 101 }),
    };
    let params = Params {
        ssrc: 0xaaaa,
        seq: 65_530,
        timestamp: u32::MAX - 799,
        policy: Policy::Strict,
        description,
        wall: Timestamp::from_millis(1_772_600_767_000),
        seed,
    };
    Session::new(params, Instant::START)
}

/// The packets of an input, each with the time before it.
fn packets(mut input: &[u8]) -> impl Iterator<Item = (Duration, Vec<u8>)> {
    std::iter::from_fn(move || {
        let (&[length, wait], rest) = input.split_first_chunk::<2>()?;
        let (packet, rest) = rest.split_at(usize::from(length).min(rest.len()));
        input = rest;
        Some((Duration::from_millis(u64::from(wait)), packet.to_vec()))
    })
}

/// Lets a leg do what is due; it comes to rest.
fn tick(leg: &mut Session, now: Instant) -> usize {
    let mut out = [0; OUT_BYTES];
    for rounds in 0..ROUNDS_MAX {
        match leg.tick(now, &mut out) {
            None => {
                assert!(leg.next_due().is_none_or(|due| due > now), "what is due is done");
                return rounds;
            }
            Some(Due::Rtp(bytes)) => assert!(Packet::parse(&out[..bytes]).is_some(), "we send RTP"),
            Some(Due::Rtcp(bytes)) => assert!(bytes >= 8 && out[0] >> 6 == 2, "we send RTCP"),
            Some(_) => {}
        }
    }
    panic!("a leg that never rests");
}

/// Things that are due at once, at most: three frames and some news.
const ROUNDS_MAX: usize = 64;

fn rtp(input: &[u8]) -> u64 {
    let (mut heard_by, mut peer, mut now) = (session(1), session(2), Instant::START);
    heard_by.listen_for_tones();
    peer.relay();
    let mut verdicts = Vec::new();
    for (wait, mut packet) in packets(input) {
        now = now + wait;
        let incoming = heard_by.receive(far_end(), &packet, now);
        if let Incoming::Audio(heard, _) | Incoming::Event(heard, _) | Incoming::Noise(heard) = &incoming
            && let Some(range) = peer.forward(heard, &mut packet, now)
        {
            assert!(Packet::parse(&packet[range]).is_some(), "what is handed on is RTP");
        }
        verdicts.push(std::mem::discriminant(&incoming));
        tick(&mut heard_by, now);
        tick(&mut peer, now);
    }
    let report = heard_by.report();
    let count = u32::try_from(verdicts.len()).unwrap_or(u32::MAX);
    assert!(report.packets_in.max(report.unusable) <= count, "nothing is counted twice");
    assert!(report.late <= report.packets_in, "late ones are heard");
    verdicts.truncate(6);
    seen((verdicts, report.late.min(9), report.lost.min(9)))
}

fn rtcp(input: &[u8]) -> u64 {
    let (mut leg, mut now) = (session(1), Instant::START);
    let mut rounds = 0;
    for (wait, packet) in packets(input) {
        now = now + 100 * wait;
        leg.receive_rtcp(far_end(), &packet, now);
        rounds += tick(&mut leg, now);
    }
    let report = leg.report();
    assert_eq!(report.packets_in, 0, "reports are no audio");
    seen((format!("{:?}", report.far_end), rounds.min(9)))
}

fn dtmf(input: &[u8]) -> u64 {
    let (mut leg, mut now) = (session(1), Instant::START);
    let (mut keys, mut events) = (Vec::new(), 0);
    for (n, (wait, bytes)) in (0_u16..).zip(packets(input)) {
        now = now + wait;
        // Four bytes are an event; before them stands where in time it began, in tenths of a second.
        let (began, payload) = bytes.split_first().map_or((0, &[][..]), |(began, payload)| (*began, payload));
        let timestamp = (u32::from(began) * 800).to_be_bytes();
        let header = [&[0x80, 101][..], &n.to_be_bytes(), &timestamp, &[0, 0, 0, 1]].concat();
        if let Incoming::Event(_, pressed) = leg.receive(far_end(), &[&header, payload].concat(), now) {
            events += 1;
            keys.extend(pressed.map(|pressed| pressed.key.code()));
        }
        let mut out = [0; OUT_BYTES];
        for _ in 0..ROUNDS_MAX {
            match leg.tick(now, &mut out) {
                Some(Due::Pressed(pressed)) => keys.push(pressed.key.code()),
                Some(_) => {}
                None => break,
            }
        }
    }
    assert!(keys.len() <= events, "no key without an event");
    assert!(keys.iter().all(|code| *code < 16));
    keys.truncate(4);
    seen((keys, events.min(9)))
}
