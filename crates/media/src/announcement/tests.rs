use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::tests::clips::{self, clip};

/// What an operator might have recorded: four announcements.
fn known() -> Announcements {
    let reference = |(cause, name): (Cause, &str)| Reference::new(cause, clip(name)).unwrap();
    Announcements::new(KNOWN.map(reference))
}

const KNOWN: [(Cause, &str); 4] = [
    (Cause::Busy, "busy"),
    (Cause::NoSuchNumber, "empty-number"),
    (Cause::PoweredOff, "powered-off"),
    (Cause::Unreachable, "code-registration-after"),
];

/// What the network does to an announcement.
#[derive(Clone, Copy, Debug)]
struct Road {
    gain: f64,
    noise: f64,
    lost: u32,
    /// Samples that are missing at its beginning.
    offset: usize,
    law: Law,
}

const CLEAN: Road = Road { gain: 1.0, noise: 0.0, lost: 0, offset: 0, law: Law::Pcma };

const ROADS: [Road; 6] = [
    CLEAN,
    Road { gain: 0.2, ..CLEAN },
    Road { gain: 2.5, offset: 77, ..CLEAN },
    Road { offset: 6_083, law: Law::Pcmu, ..CLEAN },
    Road { gain: 0.5, noise: 120.0, offset: 40, ..CLEAN },
    Road { lost: 5, offset: 4_111, ..CLEAN },
];

/// What is recognised in a clip that is played again and again, and after how many milliseconds.
fn recognised(said: &[u8], road: Road, millis: usize, seed: u64) -> Option<(usize, Cause)> {
    recognised_of(known(), said, road, millis, seed)
}

fn recognised_of(
    known: Announcements,
    said: &[u8],
    road: Road,
    millis: usize,
    seed: u64,
) -> Option<(usize, Cause)> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut ear = AnnouncementEar::new(known);
    let mut samples = said.iter().cycle().skip(road.offset);
    for packet in 0..millis / 20 {
        let noise = |rng: &mut SmallRng| {
            if road.noise > 0.0 { rng.random_range(-road.noise..road.noise) } else { 0.0 }
        };
        let frame: Vec<u8> = samples
            .by_ref()
            .take(160)
            .map(|byte| f64::from(Law::Pcma.decode(*byte)) * road.gain + noise(&mut rng))
            .map(|sample| road.law.encode(sample.clamp(-32_767.0, 32_767.0) as i16))
            .collect();
        if rng.random_range(0..100) >= road.lost {
            ear.hear(&header(packet), &frame, road.law);
        }
        if let Some(cause) = ear.told() {
            return Some((packet * 20, cause));
        }
    }
    None
}

fn header(packet: usize) -> Header {
    let (seq, timestamp) = (packet as u16, (packet * 160) as u32);
    Header { marker: false, payload_type: 8, seq, timestamp, ssrc: 1 }
}

#[test]
fn an_announcement_that_is_known_is_recognised_whatever_the_network_does_to_it() {
    for (cause, name) in KNOWN {
        for road in ROADS {
            let said = recognised(clip(name), road, 10_000, 3);
            let (after, heard) = said.unwrap_or_else(|| panic!("{name} by {road:?} is not recognised"));
            assert_eq!(heard, cause, "{name} by {road:?}");
            assert!(after <= 8_000, "{name} by {road:?} after {after} ms");
        }
    }
}

#[test]
fn nothing_else_is_taken_for_one() {
    for name in clips::names().filter(|name| KNOWN.iter().all(|(_, known)| known != name)) {
        for road in [CLEAN, ROADS[3]] {
            assert_eq!(recognised(clip(name), road, 6_000, 4), None, "{name} by {road:?}");
        }
    }
}

#[test]
fn announcements_that_begin_alike_are_told_apart() {
    let only = |nth: usize| {
        let (cause, name) = KNOWN[nth];
        Announcements::new([Reference::new(cause, clip(name)).unwrap()])
    };
    // Both begin with "the number you have dialled", in the same voice.
    assert_eq!(recognised_of(only(0), clip("empty-number"), CLEAN, 12_000, 1), None);
    assert_eq!(recognised_of(only(1), clip("busy"), CLEAN, 12_000, 1), None);
    assert!(recognised_of(only(0), clip("busy"), CLEAN, 4_000, 1).is_some());
}

#[test]
fn silence_noise_and_tones_say_nothing() {
    let noisy = Road { noise: 3_000.0, ..CLEAN };
    assert_eq!(recognised(&[0xd5; 800], CLEAN, 6_000, 5), None);
    assert_eq!(recognised(&[0xd5; 800], noisy, 20_000, 5), None);
    let tone = crate::tone::alaw_tone(450.0, 6_000, std::time::Duration::from_secs(1));
    assert_eq!(recognised(&tone, CLEAN, 6_000, 5), None);
}

#[test]
fn what_cannot_be_compared_is_no_reference() {
    assert!(Reference::new(Cause::Busy, &[0xd5; 80_000]).is_none(), "silence");
    assert!(Reference::new(Cause::Busy, clip("again")).is_none(), "a second of speech");
    assert!(Announcements::new([]).is_empty());
}

#[test]
fn early_media_is_not_listened_to_for_ever() {
    let mut ear = AnnouncementEar::new(known());
    let frame = [0xd5; 160];
    (0..2_999).for_each(|packet| ear.hear(&header(packet), &frame, Law::Pcma));
    assert!(!ear.is_over());
    ear.hear(&header(2_999), &frame, Law::Pcma);
    assert!(ear.is_over() && !ear.has_news());
}
