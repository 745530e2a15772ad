//! Stories of legs on virtual time.

pub(crate) mod clips;
mod concealing;
mod keys;
mod noise;
mod playing;
mod protected;
mod quality;
mod relaying;
mod reporting;
mod strangers;
mod transcoding;

use std::net::SocketAddr;
use std::time::Duration;

use base::time::{Instant, Timestamp};

use crate::clip::{Clip, Playlist, Plays};
use crate::codec::Codec;
use crate::g711::Law;
use crate::rtp::{HEADER_BYTES, Header, Packet};
use crate::session::{Description, Due, EventTypes, Hears, Incoming, OUT_BYTES, Params, Play, Session};
use crate::source::Policy;

pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);

/// Where the far end of every leg in these stories is.
pub(crate) fn address() -> SocketAddr {
    "192.0.2.1:4000".parse().unwrap()
}

pub(crate) fn params() -> Params {
    Params {
        ssrc: 0xaaaa,
        seq: 65_530,
        timestamp: u32::MAX - 799,
        policy: Policy::Strict,
        description: Description {
            remote: Some(address()),
            remote_rtcp: None,
            codec: Codec::PCMA,
            hears: Hears::Both,
            events: Some(EventTypes { receive: 101, send: 101 }),
        },
        wall: Timestamp::from_millis(1_772_600_767_000),
        seed: 1,
    }
}

pub(crate) fn packet(payload_type: u8, seq: u16, timestamp: u32, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; HEADER_BYTES];
    Header { marker: false, payload_type, seq, timestamp, ssrc }.write(bytes.first_chunk_mut().unwrap());
    bytes.extend_from_slice(payload);
    bytes
}

fn playlist(samples: usize) -> Playlist {
    Playlist::new([Clip::from_alaw(&vec![b'p'; samples])], Plays::ONCE).unwrap()
}

/// A packet that left a leg: when, and how it looks on the far end's wire.
#[derive(Clone, Debug)]
struct Sent {
    millis: u64,
    header: Header,
    payload: Vec<u8>,
}

/// A leg, its time, and everything that left it.
struct Leg {
    session: Session,
    now: Instant,
    sent: Vec<Sent>,
    rtcp: Vec<(u64, Vec<u8>)>,
    news: Vec<(u64, Due)>,
}

impl Leg {
    fn new(params: Params) -> Self {
        let session = Session::new(params, Instant::START);
        Self { session, now: Instant::START, sent: Vec::new(), rtcp: Vec::new(), news: Vec::new() }
    }

    fn millis(&self) -> u64 {
        self.now.micros() / 1_000
    }

    /// Ticks every two milliseconds, as the driver does.
    fn wait(&mut self, millis: u64) {
        let until = self.now + MILLISECOND * u32::try_from(millis).unwrap();
        while self.now < until {
            self.now = (self.now + 2 * MILLISECOND).min(until);
            self.tick();
        }
    }

    /// Nothing runs for so long.
    fn stall(&mut self, millis: u64) {
        self.now = self.now + MILLISECOND * u32::try_from(millis).unwrap();
    }

    fn tick(&mut self) {
        let mut out = [0; OUT_BYTES];
        while let Some(due) = self.session.tick(self.now, &mut out) {
            match due {
                Due::Rtp(length) => self.note(&out[..length]),
                Due::Rtcp(length) => self.rtcp.push((self.millis(), out[..length].to_vec())),
                Due::ClipEnded(_)
                | Due::KeysSent
                | Due::Pressed(_)
                | Due::Announced(_)
                | Due::PickedUp(_) => self.news.push((self.millis(), due)),
            }
        }
        assert!(self.session.next_due().is_none_or(|due| due > self.now), "something due was left");
    }

    fn play(&mut self, samples: usize) -> Play {
        let play = self.session.play(playlist(samples), self.now);
        self.tick();
        play
    }

    /// The peer's session hears a packet of its far end; this leg forwards it.
    fn forward(&mut self, peer: &mut Session, bytes: &[u8]) -> bool {
        let mut bytes = bytes.to_vec();
        let (Incoming::Audio(heard, _) | Incoming::Event(heard, _) | Incoming::Noise(heard)) =
            peer.receive(address(), &bytes, self.now)
        else {
            return false;
        };
        let Some(range) = self.session.forward(&heard, &mut bytes, self.now) else { return false };
        let sent = bytes[range].to_vec();
        self.note(&sent);
        true
    }

    fn note(&mut self, bytes: &[u8]) {
        let packet = Packet::parse(bytes).unwrap();
        let payload = bytes[packet.payload()].to_vec();
        self.sent.push(Sent { millis: self.millis(), header: packet.header, payload });
    }

    /// Asserts the one line: one stream, every number follows the last, audio timestamps never go back and never run
    /// more than a frame away from the time that has passed.
    fn assert_one_line(&self) {
        let (base_millis, base) = (self.sent[0].millis, self.sent[0].header.timestamp);
        let mut end = 0;
        for (n, sent) in self.sent.iter().enumerate() {
            assert_eq!(sent.header.ssrc, 0xaaaa);
            assert_eq!(sent.header.seq, 65_530u16.wrapping_add(n as u16), "packet {n}");
            if sent.header.payload_type == 101 {
                continue;
            }
            let place = sent.header.timestamp.wrapping_sub(base);
            assert!(place >= end, "packet {n} goes back from {end} to {place}");
            let passed = (sent.millis - base_millis) * 8;
            assert!(
                u64::from(place).abs_diff(passed) <= 320,
                "packet {n}: {place} samples, {passed} have passed"
            );
            end = place + sent.payload.len() as u32;
        }
    }
}
