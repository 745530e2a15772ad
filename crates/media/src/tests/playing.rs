use super::*;
use crate::line::FRAME;

#[test]
fn a_clip_leaves_every_twenty_milliseconds_and_ends_when_it_is_played_out() {
    let mut leg = Leg::new(params());
    let play = leg.play(400);
    leg.wait(200);
    let times: Vec<_> =
        leg.sent.iter().map(|sent| (sent.millis, sent.header.marker, sent.payload.len())).collect();
    assert_eq!(times, [(0, true, 160), (20, false, 160), (40, false, 160)]);
    assert_eq!(leg.sent[2].payload[79..82], [b'p', 0xd5, 0xd5], "the rest of the last frame is silence");
    assert_eq!(leg.news, [(60, Due::ClipEnded(play))]);
    leg.assert_one_line();
    assert_eq!(leg.session.next_due(), None);
}

#[test]
fn the_next_clip_goes_on_where_the_last_one_ended() {
    let mut leg = Leg::new(params());
    leg.play(800);
    while leg.news.is_empty() {
        leg.wait(2);
    }
    leg.play(800);
    leg.wait(300);
    assert_eq!(leg.news.len(), 2);
    let times: Vec<_> = leg.sent.iter().map(|sent| sent.millis).collect();
    assert_eq!(times, [0, 20, 40, 60, 80, 100, 120, 140, 160, 180]);
    leg.assert_one_line();
}

#[test]
fn silence_between_clips_passes_on_the_line() {
    let mut leg = Leg::new(params());
    leg.wait(1_000);
    leg.play(160);
    leg.wait(3_003);
    leg.play(160);
    leg.wait(100);
    assert_eq!(leg.sent[1].header.timestamp.wrapping_sub(leg.sent[0].header.timestamp), 24_000);
    assert!(leg.sent.iter().all(|sent| sent.header.marker), "each begins a talk spurt");
    leg.assert_one_line();
}

#[test]
fn a_replaced_clip_tells_no_end() {
    let mut leg = Leg::new(params());
    leg.play(8_000);
    leg.wait(100);
    let second = leg.play(320);
    leg.wait(200);
    assert_eq!(leg.news.iter().map(|news| news.1).collect::<Vec<_>>(), [Due::ClipEnded(second)]);
    leg.play(8_000);
    leg.session.silence();
    leg.wait(2_000);
    assert_eq!(leg.news.len(), 1);
    leg.assert_one_line();
}

#[test]
fn an_hour_of_ring_back_does_not_drift() {
    let mut leg = Leg::new(params());
    let ring_back = Playlist::new([Clip::from_alaw(&[b'r'; 8_001])], Plays::Endless).unwrap();
    leg.session.play(ring_back, leg.now);
    leg.tick();
    leg.wait(3_600_000);
    assert_eq!(leg.sent.len(), 180_001);
    assert_eq!(leg.sent.last().map(|sent| sent.millis), Some(3_600_000));
    assert_eq!(leg.session.report().stalls, 0);
    leg.assert_one_line();
}

#[test]
fn a_tick_that_is_a_little_late_catches_up() {
    let mut leg = Leg::new(params());
    leg.play(8_000);
    leg.stall(75);
    leg.wait(100);
    let times: Vec<_> = leg.sent.iter().map(|sent| sent.millis).take(6).collect();
    assert_eq!(times, [0, 77, 77, 77, 81, 101]);
    assert_eq!(leg.session.report().stalls, 0);
    let places = leg.sent.iter().map(|sent| sent.header.timestamp.wrapping_sub(u32::MAX - 799));
    assert!(places.eq((0..leg.sent.len() as u32).map(|n| n * 160)), "no sample is left out");
}

#[test]
fn a_tick_that_is_far_too_late_leaves_a_silence_and_no_burst() {
    let mut leg = Leg::new(params());
    leg.play(800);
    leg.stall(5_000);
    leg.wait(100);
    let times: Vec<_> = leg.sent.iter().map(|sent| sent.millis).collect();
    assert_eq!(times, [0, 5_002, 5_020, 5_040, 5_060], "the clip goes on where it stopped");
    assert!(leg.sent[1].header.marker);
    assert_eq!(leg.session.report().stalls, 1);
    leg.assert_one_line();
}

#[test]
fn a_clip_to_nobody_ends_too_and_is_not_counted() {
    let mut params = params();
    params.description.remote = None;
    let mut leg = Leg::new(params);
    let play = leg.play(320);
    leg.wait(100);
    assert_eq!(leg.news, [(40, Due::ClipEnded(play))]);
    assert_eq!(leg.session.report().packets_out, 0);
}

#[test]
fn a_leg_that_changes_to_mu_law_hears_mu_law() {
    let mut leg = Leg::new(params());
    leg.play(1_600);
    leg.wait(20);
    let description = Description { codec: Codec::PCMU, ..*leg.session.description() };
    leg.session.describe(description, leg.now);
    leg.wait(20);
    let types: Vec<_> = leg.sent.iter().map(|sent| sent.header.payload_type).collect();
    assert_eq!(types, [8, 8, 0]);
    assert_eq!(leg.sent[2].payload, Clip::from_alaw(&[b'p'; 160]).samples(Law::Pcmu));
    leg.assert_one_line();
}

#[test]
fn a_party_that_waits_hears_silence_where_that_is_wished() {
    let mut leg = Leg::new(params());
    leg.wait(1_000);
    leg.session.fill_pauses(leg.now);
    leg.wait(200);
    assert_eq!(leg.sent.len(), 11);
    assert!(leg.sent.iter().all(|sent| sent.payload == [0xd5; 160]));
    let play = leg.play(400);
    leg.wait(1_000);
    let clip = leg.sent.iter().filter(|sent| sent.payload[0] == b'p').count();
    assert_eq!((clip, leg.news.len(), leg.news[0].1), (3, 1, Due::ClipEnded(play)));
    let gaps = leg.sent.windows(2).map(|pair| pair[1].millis - pair[0].millis);
    assert!(gaps.clone().all(|gap| (10..=30).contains(&gap)), "{:?}", gaps.collect::<Vec<_>>());
    leg.session.silence();
    leg.wait(100);
    assert_eq!(leg.sent.len(), 1 + 1_300 / 20);
    leg.assert_one_line();
    leg.session.finish();
    leg.wait(1_000);
    assert_eq!((leg.sent.len(), leg.session.next_due()), (1 + 1_300 / 20, None));
}

#[test]
fn no_silence_comes_between_a_clip_and_the_next_one() {
    let mut leg = Leg::new(params());
    leg.session.fill_pauses(leg.now);
    for _ in 0..3 {
        leg.play(800);
        let told = leg.news.len();
        while leg.news.len() == told {
            leg.wait(2);
        }
    }
    leg.wait(9);
    assert_eq!(leg.sent.len(), 15);
    assert!(leg.sent.iter().all(|sent| sent.payload == [b'p'; 160]));
    leg.assert_one_line();
}

#[test]
fn a_party_that_hears_its_peer_hears_no_silence() {
    let mut leg = Leg::new(params());
    leg.session.fill_pauses(leg.now);
    leg.session.relay();
    leg.wait(1_000);
    assert!(leg.sent.is_empty());
    assert_eq!(leg.session.next_due(), None);
}

#[test]
fn an_hour_of_late_ticks_does_not_drift_either() {
    use rand::{Rng, SeedableRng};
    let mut rng = rand::rngs::SmallRng::seed_from_u64(8);
    let mut params = params();
    params.description.remote_rtcp = "192.0.2.1:4001".parse().ok();
    let mut session = Session::new(params, Instant::START);
    let endless = Playlist::new([Clip::from_alaw(&[b'p'; 777])], Plays::Endless).unwrap();
    session.play(endless, Instant::START);
    let (mut frames, mut now, mut out) = (0_u32, Instant::START, [0; OUT_BYTES]);
    while now < Instant::from_millis(3_600_000) {
        while let Some(due) = session.tick(now, &mut out) {
            let Due::Rtp(length) = due else { continue };
            let header = Packet::parse(&out[..length]).unwrap().header;
            let due = Instant::START + FRAME * frames;
            assert!(due <= now && now.since(due) <= Duration::from_millis(5), "frame {frames} at {now:?}");
            assert_eq!(header.timestamp, (u32::MAX - 799).wrapping_add(frames * 160));
            assert_eq!(header.seq, 65_530_u16.wrapping_add(frames as u16));
            frames += 1;
        }
        // The driver is never early and up to 5 ms late.
        now = session.next_due().unwrap() + Duration::from_micros(rng.random_range(0..=5_000));
    }
    assert_eq!((frames, session.report().stalls), (180_000, 0));
}
