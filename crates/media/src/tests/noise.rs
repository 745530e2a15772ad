//! A far end that falls silent and says so by packets of comfort noise (RFC 3389): it disturbs nothing.

use super::*;
use crate::record::{Channels, Recorder, Side};
use crate::tone::{alaw_tone, tone_share};

/// A talker whose pauses are told: after 200 ms of voice a packet of noise, then nothing for 300 ms but another one.
struct Pausing {
    session: Session,
    seq: u16,
    timestamp: u32,
}

impl Pausing {
    fn new() -> Self {
        Self { session: Session::new(params(), Instant::START), seq: 100, timestamp: 9_000 }
    }

    /// Its packets of half a second, with the milliseconds at which they come.
    fn half_second(&mut self) -> Vec<(u64, Vec<u8>)> {
        let voice = alaw_tone(450.0, 8_000, Duration::from_millis(20));
        let mut packets = Vec::new();
        for frame in 0..25_u64 {
            let payload = match frame {
                0..10 => Some((8, &voice[..])),
                10 | 18 => Some((13, &[60_u8, 40, 30][..])),
                _ => None,
            };
            if let Some((payload_type, payload)) = payload {
                packets.push((frame * 20, packet(payload_type, self.seq, self.timestamp, 7, payload)));
                self.seq = self.seq.wrapping_add(1);
            }
            self.timestamp = self.timestamp.wrapping_add(160);
        }
        packets
    }
}

#[test]
fn what_is_relayed_around_the_noise_has_no_holes() {
    let (mut leg, mut talker) = (Leg::new(params()), Pausing::new());
    leg.session.relay();
    for _ in 0..20 {
        let mut waited = 0;
        for (millis, bytes) in talker.half_second() {
            leg.wait(millis - waited);
            waited = millis;
            leg.forward(&mut talker.session, &bytes);
        }
        leg.wait(500 - waited);
    }
    assert_eq!(leg.sent.len(), 200, "the voice, and not the noise");
    leg.assert_one_line();
    let steps: Vec<_> = leg
        .sent
        .windows(2)
        .map(|pair| pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp))
        .collect();
    assert!(steps.chunks(10).all(|said| said[..9] == [160; 9]), "voice stays together");
    assert!(
        steps.iter().skip(9).step_by(10).all(|pause| *pause == 16 * 160),
        "and pauses are as long as they were"
    );
}

#[test]
fn the_noise_is_no_loss_no_jitter_and_no_late_packet() {
    let mut talker = Pausing::new();
    let mut now = Instant::START;
    for half in 0..40_u64 {
        for (millis, bytes) in talker.half_second() {
            now = Instant::from_millis(half * 500 + millis);
            talker.session.receive(address(), &bytes, now);
        }
    }
    let report = talker.session.report();
    assert_eq!((report.packets_in, report.lost, report.late, report.unusable), (480, 0, 0, 0));
    let heard = talker.session.quality(now).heard;
    assert_eq!((heard.lost, heard.missed), (0, 0));
    assert!(heard.rating.is_some_and(|rating| rating.mos > 4.3), "{heard:?}");
}

#[test]
fn a_pause_is_recorded_as_silence_and_not_filled() {
    let mut talker = Pausing::new();
    let mut recorder = Recorder::new(Channels::Mono, Instant::START);
    for half in 0..4_u64 {
        for (millis, bytes) in talker.half_second() {
            let now = Instant::from_millis(half * 500 + millis);
            let (Incoming::Audio(heard, _) | Incoming::Noise(heard)) =
                talker.session.receive(address(), &bytes, now)
            else {
                panic!("not heard")
            };
            recorder.hear(Side::Left, &heard, &bytes, now);
        }
    }
    let said = recorder.finish(Instant::from_millis(2_000)).bytes;
    assert_eq!(said.len(), 16_000);
    for half in said.chunks(4_000) {
        assert!(tone_share(&half[..1_600], Law::Pcma, 450.0) > 0.98, "the voice");
        assert!(half[1_600..].iter().all(|byte| *byte == 0xd5), "the pause");
    }
}

#[test]
fn a_leg_of_another_codec_hears_the_pause_and_nothing_made_up() {
    let mut wide = params();
    wide.description.codec = Codec::G722;
    let (mut leg, mut talker) = (Leg::new(wide), Pausing::new());
    leg.session.relay();
    for _ in 0..6 {
        let mut waited = 0;
        for (millis, bytes) in talker.half_second() {
            leg.wait(millis - waited);
            waited = millis;
            leg.forward(&mut talker.session, &bytes);
            leg.tick();
        }
        leg.wait(500 - waited);
    }
    let mut decoder = crate::codec::Decoder::new(Codec::G722);
    let mut loud = Vec::new();
    for sent in &leg.sent {
        let mut samples = [0; crate::codec::PACKET_SAMPLES_MAX];
        let count = decoder.decode(&sent.payload, &mut samples);
        let square: i64 = samples[..count].iter().map(|sample| i64::from(*sample).pow(2)).sum();
        loud.push(square / count.max(1) as i64 > 1_000_000);
    }
    let voiced = loud.iter().filter(|loud| **loud).count();
    assert!((55..=68).contains(&voiced), "{voiced} of {} frames are loud, and 60 were said", loud.len());
}
