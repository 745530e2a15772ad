//! The roads that speech takes from A-law to A-law: through legs that speak Opus, and into a recording.

use std::net::SocketAddr;
use std::time::Duration;

use base::time::{Instant, Timestamp};
use media::codec::Codec;
use media::quality::Heard;
use media::record::{Channels, Recorder, Side};
use media::rtp::{HEADER_BYTES, Header, Packet};
use media::session::{Description, Due, Hears, Incoming, OUT_BYTES, Params, Session};
use media::source::Policy;
use media::{FRAME, FRAME_SAMPLES};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::score::linear;

/// Opus as two far ends that agree about its number.
const OPUS: Codec = Codec::Opus { receive: 96, send: 96 };

/// How often a driver looks after its legs.
const TICK: Duration = Duration::from_millis(2);

/// What is heard of A-law that one platform sends as Opus to another one, which makes A-law of it again.
pub(crate) fn through_opus(said: &[u8]) -> Vec<i16> {
    let (mut near, mut out) = (leg(Codec::PCMA), leg(OPUS));
    let (mut back, mut far) = (leg(OPUS), leg(Codec::PCMA));
    out.relay();
    far.relay();
    let (mut heard, mut now) = (Vec::new(), Instant::START);
    // What still waits is heard in silence.
    let silence = vec![SILENCE; 10 * FRAME_SAMPLES];
    for (n, frame) in said.chunks_exact(FRAME_SAMPLES).chain(silence.chunks_exact(FRAME_SAMPLES)).enumerate()
    {
        hand_over(&mut near, &mut out, &mut packet(n, frame), now);
        let next = now + FRAME;
        while now < next {
            for mut sent in due(&mut out, now) {
                hand_over(&mut back, &mut far, &mut sent, now);
            }
            for sent in due(&mut far, now) {
                heard.extend(linear(&sent[HEADER_BYTES..]));
            }
            now = now + TICK;
        }
    }
    heard
}

/// What a recording holds of A-law when so many of its packets are lost, by chance.
pub(crate) fn recorded_with_losses(said: &[u8], share: f64, seed: u64) -> Vec<i16> {
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut session, mut now) = (leg(Codec::PCMA), Instant::START);
    let mut recorder = Recorder::new(Channels::Mono, now);
    let mut recorded = Vec::new();
    for (n, frame) in said.chunks_exact(FRAME_SAMPLES).enumerate() {
        // The first packet says where the recording begins.
        if n == 0 || !rng.random_bool(share) {
            let bytes = packet(n, frame);
            let Incoming::Audio(heard, _) = session.receive(far_end(), &bytes, now) else {
                panic!("packet {n} was not heard")
            };
            recorder.hear(Side::Left, &heard, &bytes, now);
        }
        if recorder.is_ready() {
            recorded.extend(linear(&recorder.take(Recorder::fresh_chunk()).bytes));
        }
        now = now + FRAME;
    }
    recorded.extend(linear(&recorder.finish(now).bytes));
    recorded
}

/// What a leg tells of a stream of which so much gets lost, by chance; and how many packets were sent and lost.
pub(crate) fn rated_with_losses(packets: u32, share: f64, seed: u64) -> (u32, u32, Heard) {
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut session, mut now, mut lost) = (leg(Codec::PCMA), Instant::START, 0);
    for n in 0..packets {
        // What is lost at the ends, no listener can know.
        if n > 0 && n + 1 < packets && rng.random_bool(share) {
            lost += 1;
        } else {
            session.receive(far_end(), &packet(n as usize, &[0x2a; FRAME_SAMPLES]), now);
        }
        now = now + FRAME;
    }
    (packets, lost, session.quality(now).heard)
}

/// The peer's leg hears a packet, and this leg is to say it.
fn hand_over(peer: &mut Session, leg: &mut Session, bytes: &mut [u8], now: Instant) {
    let Incoming::Audio(heard, _) = peer.receive(far_end(), bytes, now) else { panic!("not heard") };
    assert_eq!(leg.forward(&heard, bytes, now), None, "it goes out with the ticks");
}

/// What a leg sends now.
fn due(leg: &mut Session, now: Instant) -> Vec<Vec<u8>> {
    let (mut out, mut sent) = ([0; OUT_BYTES], Vec::new());
    while let Some(due) = leg.tick(now, &mut out) {
        if let Due::Rtp(length) = due {
            assert!(Packet::parse(&out[..length]).is_some());
            sent.push(out[..length].to_vec());
        }
    }
    sent
}

/// A packet of what somebody says in A-law.
pub(crate) fn packet(nth: usize, samples: &[u8]) -> Vec<u8> {
    let (seq, timestamp) = (nth as u16, (nth * FRAME_SAMPLES) as u32);
    let mut bytes = vec![0; HEADER_BYTES];
    let header = Header { marker: false, payload_type: 8, seq, timestamp, ssrc: 9 };
    header.write(bytes.first_chunk_mut().expect("there is room"));
    bytes.extend_from_slice(samples);
    bytes
}

pub(crate) fn leg(codec: Codec) -> Session {
    let description =
        Description { remote: Some(far_end()), remote_rtcp: None, codec, hears: Hears::Both, events: None };
    let params = Params {
        ssrc: 1,
        seq: 1,
        timestamp: 1,
        policy: Policy::Strict,
        description,
        wall: Timestamp::from_millis(0),
        seed: 1,
    };
    Session::new(params, Instant::START)
}

pub(crate) fn far_end() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 4_000))
}

/// A-law of nothing.
const SILENCE: u8 = 0xd5;
