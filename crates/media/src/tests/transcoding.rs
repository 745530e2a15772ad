//! Legs of different codecs hear each other; legs of the same one are relayed byte for byte.

use std::f32::consts::TAU;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::codec::{Decoder, Encoder, PACKET_SAMPLES_MAX, Rate, WIDE_FRAME};
use crate::record::{Channels, Recorder, Side};
use crate::tone::tone_share;

const OPUS: Codec = Codec::Opus { receive: 111, send: 96 };

/// The far end of the peer's leg: it says a tone of 440 Hz in its codec.
struct Speaker {
    codec: Codec,
    session: Session,
    encoder: Encoder,
    seq: u16,
}

impl Speaker {
    fn new(codec: Codec) -> Self {
        let mut params = Params { ssrc: 0xbbbb, ..params() };
        params.description.codec = codec;
        let session = Session::new(params, Instant::START);
        Self { codec, session, encoder: Encoder::new(codec), seq: 65_500 }
    }

    /// The next 20 ms.
    fn packet(&mut self) -> Vec<u8> {
        let rate = 8_000.0 * self.codec.rate().samples() as f32;
        let first = u32::from(self.seq.wrapping_sub(65_500)) * 160;
        let tone: Vec<i16> = (0..160 * self.codec.rate().samples())
            .map(|n| (first as f32 / 8_000.0) + n as f32 / rate)
            .map(|at| (6_000.0 * f32::sin(TAU * 440.0 * at)) as i16)
            .collect();
        let mut payload = [0; 160];
        let length = self.encoder.encode(&tone, &mut payload);
        let timestamp = (first.wrapping_add(u32::MAX - 5_000)).wrapping_mul(self.codec.ticks());
        let bytes = packet(self.codec.payload_type_heard(), self.seq, timestamp, 7, &payload[..length]);
        self.seq = self.seq.wrapping_add(1);
        bytes
    }

    fn says(&mut self, leg: &mut Leg, packets: usize) {
        for _ in 0..packets {
            let bytes = self.packet();
            leg.forward(&mut self.session, &bytes);
            leg.wait(20);
        }
    }
}

fn leg(codec: Codec) -> Leg {
    let mut params = params();
    params.description.codec = codec;
    Leg::new(params)
}

/// What the far end of a leg hears, as A-law.
fn heard(leg: &Leg, codec: Codec) -> Vec<u8> {
    let (mut decoder, mut resampler) = (Decoder::new(codec), crate::resample::Resampler::new());
    let mut heard = Vec::new();
    for sent in &leg.sent {
        let (mut samples, mut narrow) = ([0; PACKET_SAMPLES_MAX], [0; WIDE_FRAME]);
        let count = decoder.decode(&sent.payload, &mut samples);
        let count = resampler.convert(&samples[..count], codec.rate(), Rate::Narrow, &mut narrow);
        heard.extend(narrow[..count].iter().map(|sample| Law::Pcma.encode(*sample)));
    }
    heard
}

/// One stream whose packets are numbered, timed and paced without a gap.
fn assert_paced(leg: &Leg, codec: Codec) {
    for (n, pair) in leg.sent.windows(2).enumerate() {
        assert_eq!(pair[1].header.seq, pair[0].header.seq.wrapping_add(1), "packet {n}");
        let ticks = pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp);
        assert_eq!(ticks, 160 * codec.ticks(), "packet {n}");
        let paced = (18..=22).contains(&(pair[1].millis - pair[0].millis));
        assert!(paced, "packet {n} at {} after {}", pair[1].millis, pair[0].millis);
        assert_eq!(pair[1].header.payload_type, codec.payload_type());
    }
}

#[test]
fn every_codec_is_heard_in_every_other() {
    let codecs = [Codec::PCMA, Codec::PCMU, Codec::G722, OPUS];
    for from in codecs {
        for to in codecs.into_iter().filter(|to| !to.is_same_coding(from)) {
            let (mut leg, mut speaker) = (leg(to), Speaker::new(from));
            leg.session.relay();
            speaker.says(&mut leg, 60);
            let all = heard(&leg, to);
            assert!(all.len() >= 50 * 160, "{from:?} to {to:?}: {}", all.len());
            let share = tone_share(&all[20 * 160..50 * 160], Law::Pcma, 440.0);
            assert!(share > 0.95, "{from:?} to {to:?}: {share}");
            assert_paced(&leg, to);
        }
    }
}

#[test]
fn the_same_codec_is_relayed_byte_for_byte() {
    let theirs = Codec::Opus { receive: 99, send: 99 };
    for (from, to) in [(Codec::G722, Codec::G722), (theirs, OPUS)] {
        let (mut leg, mut speaker) = (leg(to), Speaker::new(from));
        leg.session.relay();
        let mut said = Vec::new();
        for _ in 0..50 {
            let bytes = speaker.packet();
            said.push(bytes[HEADER_BYTES..].to_vec());
            assert!(leg.forward(&mut speaker.session, &bytes), "at once");
            leg.wait(20);
        }
        assert!(!leg.session.is_transcoding());
        let sent: Vec<_> = leg.sent.iter().map(|sent| sent.payload.clone()).collect();
        assert_eq!(sent, said);
        assert_paced(&leg, to);
    }
}

#[test]
fn losses_and_jitter_of_the_peer_are_not_heard_as_gaps() {
    let mut rng = SmallRng::seed_from_u64(3);
    let (mut leg, mut speaker) = (leg(Codec::PCMA), Speaker::new(Codec::G722));
    leg.session.relay();
    let mut arrivals: Vec<(u64, Vec<u8>)> = Vec::new();
    for n in 0..500 {
        let bytes = speaker.packet();
        if !rng.random_bool(0.05) || n == 0 {
            arrivals.push((n * 20 + rng.random_range(0..40), bytes));
        }
    }
    arrivals.sort_by_key(|(at, _)| *at);
    for (at, bytes) in arrivals {
        let now = leg.millis();
        leg.wait(at - now);
        leg.forward(&mut speaker.session, &bytes);
        leg.tick();
    }
    assert_paced(&leg, Codec::PCMA);
    let all = heard(&leg, Codec::PCMA);
    let quiet = all[4_000..].chunks_exact(80).filter(|part| Law::Pcma.is_quiet(part)).count();
    assert!(all.len() > 490 * 160 && quiet < 5, "{} samples, {quiet} times 10 ms of silence", all.len());
}

#[test]
fn a_pause_of_the_peer_stops_the_line_and_does_not_bend_it() {
    let (mut leg, mut speaker) = (leg(Codec::PCMA), Speaker::new(Codec::G722));
    leg.session.relay();
    speaker.says(&mut leg, 50);
    leg.wait(3_000);
    let before = leg.sent.len();
    assert!((50..65).contains(&before), "after 200 ms nothing is sent: {before}");
    speaker.seq = speaker.seq.wrapping_add(150);
    speaker.says(&mut leg, 50);
    assert!(leg.sent.len() - before >= 45);
    leg.assert_one_line();
    assert_eq!(leg.session.report().stalls, 0);
}

#[test]
fn a_clock_that_runs_fast_or_slow_keeps_its_delay() {
    for drift_ppm in [-500_i64, 500] {
        let (mut leg, mut speaker) = (leg(Codec::PCMA), Speaker::new(Codec::G722));
        leg.session.relay();
        // A minute and a half: 45 ms of drift.
        for n in 0..4_500_i64 {
            let at = n * 20_000 * (1_000_000 + drift_ppm) / 1_000_000 / 1_000;
            while (leg.millis() as i64) < at {
                leg.wait(1);
            }
            let bytes = speaker.packet();
            leg.forward(&mut speaker.session, &bytes);
            leg.tick();
        }
        assert_paced(&leg, Codec::PCMA);
        let frames = leg.sent.len() as u64;
        assert!(leg.millis() / 20 - frames < 5, "{frames} frames in {} ms", leg.millis());
        let all = heard(&leg, Codec::PCMA);
        let quiet = all[8_000..].chunks_exact(80).filter(|part| Law::Pcma.is_quiet(part)).count();
        assert!(quiet < 3, "{drift_ppm} ppm: {quiet}");
    }
}

#[test]
fn clips_and_silence_are_heard_in_every_codec() {
    for codec in [Codec::G722, OPUS] {
        let mut leg = leg(codec);
        let tone: Vec<u8> = (0..8_000)
            .map(|n| (6_000.0 * f32::sin(TAU * 440.0 * n as f32 / 8_000.0)) as i16)
            .map(|sample| Law::Pcma.encode(sample))
            .collect();
        leg.session.fill_pauses(leg.now);
        leg.session.play(Playlist::new([Clip::from_alaw(&tone)], Plays::ONCE).unwrap(), leg.now);
        leg.tick();
        leg.wait(980);
        assert_paced(&leg, codec);
        leg.wait(520);
        let all = heard(&leg, codec);
        assert!(tone_share(&all[800..7_200], Law::Pcma, 440.0) > 0.95, "{codec:?}");
        assert!(Law::Pcma.is_quiet(&all[9_600..]), "{codec:?}: silence after it");
    }
}

#[test]
fn a_clip_interrupts_the_peer_and_the_peer_goes_on() {
    let (mut leg, mut speaker) = (leg(OPUS), Speaker::new(Codec::PCMA));
    leg.session.relay();
    speaker.says(&mut leg, 20);
    leg.session.announce(playlist(1_600), leg.now);
    speaker.says(&mut leg, 30);
    assert!(leg.news.iter().any(|(_, due)| matches!(due, Due::ClipEnded(_))));
    assert!(leg.session.is_transcoding() && leg.sent.len() >= 40, "{}", leg.sent.len());
    for (n, pair) in leg.sent.windows(2).enumerate() {
        assert_eq!(pair[1].header.seq, pair[0].header.seq.wrapping_add(1), "packet {n}");
        assert!(pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp) < 960 * 10, "packet {n}");
    }
}

#[test]
fn keys_have_the_clock_of_the_line_they_are_on() {
    // A peer with G.711 presses for 100 ms; the leg speaks Opus, whose events count 48,000 a second.
    let (mut leg, mut speaker) = (leg(OPUS), Speaker::new(Codec::PCMA));
    leg.session.relay();
    speaker.says(&mut leg, 5);
    for n in 1..=5_u16 {
        let payload = [5, if n == 5 { 0x8a } else { 10 }, 0, 0];
        let mut bytes = packet(101, speaker.seq, 9_000, 7, &payload);
        bytes[14..16].copy_from_slice(&(160 * n).to_be_bytes());
        speaker.seq = speaker.seq.wrapping_add(1);
        assert!(leg.forward(&mut speaker.session, &bytes));
        leg.wait(20);
    }
    let events: Vec<&Sent> = leg.sent.iter().filter(|sent| sent.header.payload_type == 101).collect();
    let durations: Vec<u16> =
        events.iter().map(|sent| u16::from_be_bytes([sent.payload[2], sent.payload[3]])).collect();
    assert_eq!(durations, [960, 1_920, 2_880, 3_840, 4_800]);
    assert!(events.iter().all(|sent| sent.header.timestamp == events[0].header.timestamp));
    assert!(events[0].header.marker && !events[1].header.marker);
    let mut seqs: Vec<u16> = leg.sent.iter().map(|sent| sent.header.seq.wrapping_sub(65_530)).collect();
    seqs.dedup();
    assert_eq!(seqs, (0..leg.sent.len() as u16).collect::<Vec<_>>());

    // And the other way: what an Opus far end presses is as long as it is.
    let mut far = Speaker::new(OPUS).session;
    let mut told = None;
    for (n, payload) in [[5, 10, 9, 96], [5, 0x8a, 0x25, 0x80]].into_iter().enumerate() {
        let bytes = packet(101, n as u16, 48_000, 7, &payload);
        if let Incoming::Event(_, pressed) = far.receive(address(), &bytes, Instant::START) {
            told = told.or(pressed);
        }
    }
    assert_eq!(told.map(|pressed| pressed.held), Some(200 * MILLISECOND));

    // And what we press.
    let mut leg = Leg::new({
        let mut params = params();
        params.description.codec = OPUS;
        params
    });
    leg.session.press(&[crate::dtmf::Key::from_char('7').unwrap()]).unwrap();
    leg.tick();
    leg.wait(400);
    let last = leg.sent.last().unwrap();
    assert_eq!(last.payload, [7, 0x8a, 0x1e, 0x00], "160 ms of 48,000 a second");
}

#[test]
fn what_is_said_in_any_codec_is_recorded() {
    for codec in [Codec::PCMU, Codec::G722, OPUS] {
        let mut speaker = Speaker::new(codec);
        let mut recorder = Recorder::new(Channels::Mono, Instant::START);
        for n in 0..100 {
            let (bytes, now) = (speaker.packet(), Instant::from_millis(20 * n));
            // A packet is lost now and then.
            if n % 20 == 13 {
                continue;
            }
            let Incoming::Audio(heard, _) = speaker.session.receive(address(), &bytes, now) else {
                panic!("not heard")
            };
            recorder.hear(Side::Left, &heard, &bytes, now);
        }
        let said = recorder.finish(Instant::from_millis(2_000)).bytes;
        assert_eq!(said.len(), 16_000);
        let share = tone_share(&said[1_600..], Law::Pcma, 440.0);
        assert!(share > 0.85, "{codec:?}: {share}");
        let quiet = said[1_600..].chunks_exact(80).filter(|part| Law::Pcma.is_quiet(part)).count();
        assert_eq!(quiet, 0, "{codec:?}");
    }
}

#[test]
fn comfort_noise_is_no_loss_and_no_fault() {
    let mut speaker = Speaker::new(Codec::PCMA);
    for n in 0..20_u16 {
        let noise = n % 10 > 6;
        let bytes = packet(
            if noise { 13 } else { 8 },
            n,
            u32::from(n) * 160,
            7,
            &[40; 160][..if noise { 1 } else { 160 }],
        );
        let incoming = speaker.session.receive(address(), &bytes, Instant::from_millis(u64::from(n) * 20));
        assert_eq!(matches!(incoming, Incoming::Noise(_)), noise);
    }
    let report = speaker.session.report();
    assert_eq!((report.packets_in, report.lost, report.unusable), (20, 0, 0));
}

proptest::proptest! {
    #[test]
    fn no_peer_does_harm_to_a_line(
        packets in proptest::collection::vec(
            (proptest::num::u16::ANY, proptest::num::u32::ANY, 0_u32..2, 0_usize..700, 0_u64..100), 1..40)
    ) {
        let mut leg = leg(Codec::PCMA);
        leg.session.relay();
        let mut far = Speaker::new(Codec::G722).session;
        for (seq, timestamp, kind, length, pause) in packets {
            // Some near each other, some anywhere.
            let (seq, timestamp) = if kind == 0 { (seq % 50, timestamp % 8_000) } else { (seq, timestamp) };
            leg.forward(&mut far, &packet(9, seq, timestamp, kind, &vec![0x5a; length]));
            leg.tick();
            leg.wait(pause);
        }
        for pair in leg.sent.windows(2) {
            proptest::prop_assert_eq!(pair[1].header.seq, pair[0].header.seq.wrapping_add(1));
        }
    }
}
