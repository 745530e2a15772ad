//! Impairments that these stories insert are found in the figures, within a tenth.

use base::quality::{Course, Direction, MediaReport, Trouble};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::quality::{Impairment, Summary, rate};

/// What the network does to the packets of a stream.
#[derive(Clone, Copy, Debug, Default)]
struct Network {
    loss_percent: u32,
    /// A packet is delayed by up to so many milliseconds, evenly.
    jitter_millis: u64,
    /// Losses come in runs of so many; 0 is one by one.
    burst: u32,
    copies_percent: u32,
}

/// What was inserted, counted by the story itself.
#[derive(Debug, Default)]
struct Inserted {
    lost: u32,
    copies: u32,
    /// The mean difference of two packets' transit, in order of arrival (RFC 3550 appendix A.8), in seconds.
    jitter: f64,
}

const PACKETS: u16 = 20_000;

impl Network {
    fn carry(self, seed: u64) -> (Summary, Inserted) {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut session = Session::new(params(), Instant::START);
        let (mut arrivals, mut inserted, mut losing) = (Vec::new(), Inserted::default(), 0);
        for n in 0..PACKETS {
            let run = self.burst.max(1);
            if losing == 0 && rng.random_range(0..100 * run) < self.loss_percent {
                losing = run;
            }
            // The first and the last one arrive, or nobody could know that they were sent.
            let is_lost = losing > 0 && (1..PACKETS - 1).contains(&n);
            losing = losing.saturating_sub(1);
            if is_lost {
                inserted.lost += 1;
                continue;
            }
            let micros = 1_000_000 + u64::from(n) * 20_000 + rng.random_range(0..=self.jitter_millis * 1_000);
            arrivals.push((micros, n));
            if rng.random_range(0..100) < self.copies_percent {
                inserted.copies += 1;
                arrivals.push((micros, n));
            }
        }
        arrivals.sort_unstable();
        let (mut last, mut moves) = (None, Vec::new());
        for &(micros, n) in &arrivals {
            let transit = micros as f64 - f64::from(n) * 20_000.0;
            if let Some((earlier, before)) = last
                && before != n
            {
                moves.push(f64::abs(transit - earlier) / 1e6);
            }
            last = Some((transit, n));
            let bytes = packet(8, n, u32::from(n) * 160, 1, &[0; 160]);
            session.receive(address(), &bytes, Instant::from_micros(micros));
        }
        inserted.jitter = moves.iter().sum::<f64>() / moves.len() as f64;
        let end = Instant::from_micros(arrivals.last().unwrap().0);
        (session.quality(end), inserted)
    }
}

fn assert_near(got: f64, want: f64, what: &str) {
    assert!((got - want).abs() <= want.abs() / 10.0, "{what}: {got} instead of {want}");
}

#[test]
fn loss_that_was_inserted_is_found_and_so_is_its_price() {
    for (seed, loss_percent) in [0, 1, 2, 5, 10, 20].into_iter().enumerate() {
        let (summary, inserted) =
            Network { loss_percent, copies_percent: 3, ..Network::default() }.carry(seed as u64);
        let heard = summary.heard;
        assert_eq!((heard.lost, heard.expected), (inserted.lost, PACKETS.into()), "{loss_percent} %");
        assert_eq!(heard.duplicates, inserted.copies);
        let ratio = Impairment::burst_ratio(heard.expected, heard.lost, heard.bursts);
        assert_near(ratio.into(), 1.0, "random loss has a burst ratio of 1");
        // A frame of 20 ms and the smallest buffer.
        let want = rate(
            Codec::PCMA,
            &Impairment { delay: 40 * MILLISECOND, loss: loss_percent as f32 / 100.0, burst_ratio: 1.0 },
        );
        let got = heard.rating.unwrap();
        assert_near(got.mos.into(), want.mos.into(), "MOS");
        assert_near(got.r.into(), want.r.into(), "R");
    }
}

#[test]
fn jitter_that_was_inserted_is_found() {
    for (seed, jitter_millis) in [5, 10, 20, 40, 60, 80].into_iter().enumerate() {
        let (summary, inserted) = Network { jitter_millis, ..Network::default() }.carry(seed as u64);
        let jitter = summary.heard.jitter;
        assert_near(jitter.mean.as_secs_f64(), inserted.jitter, "mean jitter");
        assert!(jitter.max <= jitter_millis as u32 * MILLISECOND + MILLISECOND, "{jitter:?}");
        assert_eq!(summary.heard.lost, 0);
        let missed = f64::from(summary.heard.missed) / f64::from(PACKETS);
        assert!(missed < 0.005, "{jitter_millis} ms: {missed} would have come too late to be heard");
        assert!(summary.heard.buffer >= jitter_millis as u32 * MILLISECOND * 8 / 10, "{summary:?}");
    }
}

#[test]
fn bursts_cost_more_than_random_loss() {
    let random = Network { loss_percent: 10, ..Network::default() };
    let (even, _) = random.carry(1);
    let (bursty, inserted) = Network { burst: 6, ..random }.carry(1);
    assert_eq!(bursty.heard.lost, inserted.lost);
    let [even, bursty] = [even, bursty].map(|summary| {
        Impairment::burst_ratio(summary.heard.expected, summary.heard.lost, summary.heard.bursts)
    });
    assert!(even < 1.1 && bursty > 3.0, "{even}, {bursty}");
}

/// Two sessions that talk to each other over a line of so many milliseconds one way.
#[test]
fn delay_that_was_inserted_is_found_by_rtcp_and_has_its_price() {
    for delay in [10, 75, 150, 250] {
        let mut params = params();
        params.description.remote_rtcp = "192.0.2.1:4001".parse().ok();
        let rtcp = params.description.remote_rtcp.unwrap();
        let mut sessions = [1, 2]
            .map(|ssrc| Session::new(Params { ssrc, seed: ssrc.into(), ..params.clone() }, Instant::START));
        sessions.iter_mut().for_each(|session| session.fill_pauses(Instant::START));
        let mut wire: Vec<(Instant, usize, bool, Vec<u8>)> = Vec::new();
        for millis in 0..60_000 {
            let now = Instant::from_millis(millis);
            let (due, rest) = wire.into_iter().partition(|(at, ..)| *at <= now);
            wire = rest;
            for (_, to, is_rtcp, bytes) in due {
                if is_rtcp {
                    sessions[to].receive_rtcp(rtcp, &bytes, now);
                } else {
                    sessions[to].receive(address(), &bytes, now);
                }
            }
            for (n, session) in sessions.iter_mut().enumerate() {
                let mut out = [0; OUT_BYTES];
                while let Some(due) = session.tick(now, &mut out) {
                    let (Due::Rtp(length) | Due::Rtcp(length)) = due else { continue };
                    let is_rtcp = matches!(due, Due::Rtcp(_));
                    wire.push((now + MILLISECOND * delay, 1 - n, is_rtcp, out[..length].to_vec()));
                }
            }
        }
        for session in &sessions {
            let summary = session.quality(Instant::from_millis(60_000));
            let trip = summary.round_trip.unwrap();
            let want = f64::from(2 * delay) / 1_000.0;
            for trip in [trip.last, trip.mean, trip.max] {
                assert_near(trip.as_secs_f64(), want, "round trip");
            }
            let line = Impairment { delay: MILLISECOND * (delay + 40), loss: 0.0, burst_ratio: 1.0 };
            let want = rate(Codec::PCMA, &line);
            for got in [summary.heard.rating.unwrap(), summary.said.rating.unwrap()] {
                assert_near(got.mos.into(), want.mos.into(), "MOS");
            }
            assert_eq!(summary.said.reported.map(|reported| reported.lost), Some(0));
            assert_eq!(summary.report(Duration::ZERO).course(), Course::BothWays);
        }
    }
}

#[test]
fn the_sentence_says_what_the_media_did() {
    let mut leg = Leg::new(params());
    let says = |leg: &Leg| {
        let report = leg.session.quality(leg.now).report(Duration::ZERO);
        MediaReport { heard: Direction { mos: None, ..report.heard }, ..report }.to_string()
    };
    assert_eq!(says(&leg), "none at all");
    leg.play(1_600);
    leg.wait(120);
    assert_eq!(says(&leg), "one way: nothing was heard of the party");
    leg.session.receive(address(), &packet(8, 1, 0, 5, &[0x2a; 160]), leg.now);
    assert_eq!(says(&leg), "both ways, first heard after 120 ms");
    leg.session.receive(address(), &packet(8, 4, 480, 5, &[0x2a; 160]), leg.now);
    assert_eq!(says(&leg), "both ways, first heard after 120 ms, 50.0 % lost");

    let mut quiet = Leg::new(params());
    quiet.session.receive(address(), &packet(8, 1, 0, 5, &[0xd5; 160]), quiet.now);
    assert_eq!(
        says(&quiet),
        "one way: the party was heard, and nothing was sent to it; all that came was silence"
    );
}

#[test]
fn a_private_address_in_the_description_is_seen() {
    let elsewhere: SocketAddr = "198.51.100.9:999".parse().unwrap();
    let mut private = params();
    private.description.remote = "10.1.2.3:4000".parse().ok();
    for (policy, course) in [
        (Policy::Strict, Course::Nothing),
        (Policy::Nat(["198.51.100.0/24".parse().unwrap()].into()), Course::OnlyHeard),
    ] {
        let mut leg = Leg::new(Params { policy, ..private.clone() });
        for n in 0..5 {
            leg.session.receive(elsewhere, &packet(8, n, u32::from(n) * 160, 5, &[0x2a; 160]), leg.now);
            leg.wait(20);
        }
        let summary = leg.session.quality(leg.now);
        let report = summary.report(Duration::ZERO);
        assert_eq!((report.course(), report.trouble), (course, Some(Trouble::BehindNat)));
        assert_eq!(summary.source.foreign, Some(elsewhere));
        assert_eq!(summary.source.described, "10.1.2.3:4000".parse().ok());
    }
}

#[test]
fn silence_is_measured() {
    let mut leg = Leg::new(params());
    for (n, pause) in [(0, 20), (1, 700), (2, 20), (3, 300)] {
        leg.session.receive(address(), &packet(8, n, u32::from(n) * 160, 5, &[0; 160]), leg.now);
        leg.wait(pause);
    }
    let heard = leg.session.quality(leg.now).heard;
    assert_eq!((heard.silence_max, heard.silence), (700 * MILLISECOND, Some(300 * MILLISECOND)));
    leg.wait(1_000);
    assert_eq!(leg.session.quality(leg.now).heard.silence_max, 1_300 * MILLISECOND);
}
