use std::f64::consts::TAU;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::g711::SAMPLE_RATE;
use crate::tests::clips;

/// What a telephone sends, as linear samples.
type Sound = Vec<f64>;

/// A clip that ships, or several, one after the other.
fn says(clips: &[&str]) -> Sound {
    let samples = |clip: &&str| {
        clips::clip(clip).iter().map(|byte| f64::from(Law::Pcma.decode(*byte))).collect::<Sound>()
    };
    clips.iter().flat_map(samples).collect()
}

fn silence(millis: u32) -> Sound {
    vec![0.0; (millis * 8) as usize]
}

fn tone(hertz: f64, millis: u32) -> Sound {
    let sample = |n: u32| (TAU * hertz * f64::from(n) / f64::from(SAMPLE_RATE)).sin() * 6_000.0;
    (0..millis * 8).map(sample).collect()
}

fn join(parts: &[Sound]) -> Sound {
    parts.concat()
}

/// The line between a telephone and us.
#[derive(Clone, Copy)]
struct Road {
    /// What is said, times this.
    gain: f64,
    /// White noise of this amplitude.
    noise: f64,
    /// Packets of a hundred that are lost.
    lost: u32,
}

const CLEAN: Road = Road { gain: 1.0, noise: 0.0, lost: 0 };

const ROADS: [Road; 5] = [
    CLEAN,
    Road { gain: 0.15, noise: 0.0, lost: 0 },
    Road { gain: 2.0, noise: 30.0, lost: 0 },
    Road { gain: 0.5, noise: 200.0, lost: 0 },
    Road { gain: 1.0, noise: 60.0, lost: 5 },
];

/// What is told of a party that says this, with the milliseconds since it picked up; silence follows it.
fn told(sound: &Sound, road: Road, seed: u64) -> Vec<(u64, Told)> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut ear = AnswererEar::new(PATIENCE, Instant::START);
    let mut told = Vec::new();
    let whole = sound.iter().copied().chain(silence(32_000));
    let samples: Vec<u8> = whole
        .map(|sample| {
            let noise = if road.noise > 0.0 { rng.random_range(-road.noise..road.noise) } else { 0.0 };
            Law::Pcma.encode((sample * road.gain + noise).clamp(-32_767.0, 32_767.0) as i16)
        })
        .collect();
    for (nth, frame) in (0_u32..).zip(samples.chunks(160)) {
        let now = Instant::from_millis(u64::from(nth + 1) * 20);
        let header = Header {
            marker: false,
            payload_type: 8,
            seq: nth as u16,
            timestamp: nth.wrapping_mul(160).wrapping_sub(5_000),
            ssrc: 1,
        };
        if road.lost == 0 || rng.random_range(0..100) >= road.lost {
            ear.hear(&header, frame, Law::Pcma, now);
        }
        while let Some(news) = ear.told(now) {
            told.push((now.micros() / 1_000, news));
        }
        if ear.is_over() {
            break;
        }
    }
    assert!(ear.is_over() && ear.due().is_none(), "nobody is listened to for ever");
    told
}

#[track_caller]
fn are(sounds: &[(&str, Sound)], wanted: &[Told]) {
    for (name, sound) in sounds {
        for (nth, road) in ROADS.into_iter().enumerate() {
            let told = told(sound, road, nth as u64);
            let what: Vec<_> = told.iter().map(|(_, news)| *news).collect();
            assert_eq!(what, wanted, "{name} by road {nth}: {told:?}");
            assert!(told[0].0 <= PATIENCE.as_millis() as u64 + 20, "{name} by road {nth}: too late");
        }
    }
}

const PERSON: Told = Told::Is(Answerer::Person);
const MACHINE: Told = Told::Is(Answerer::Machine);
const BEEP: Told = Told::Is(Answerer::Beep);
const UNSURE: Told = Told::Is(Answerer::Unsure);

fn greeting() -> Sound {
    says(&["demo-callee", "code-registration-after", "last-minute"])
}

#[test]
fn whoever_says_a_few_words_and_listens_is_a_person() {
    are(
        &[
            ("喂", join(&[silence(300), says(&["digit-9"])])),
            ("at once", says(&["digit-5"])),
            ("late", join(&[silence(1_800), says(&["digit-8"])])),
            ("twice", join(&[silence(200), says(&["digit-9"]), silence(400), says(&["digit-9"])])),
            ("a sentence", join(&[silence(500), says(&["again"])])),
            ("a long one", join(&[silence(200), says(&["welcome"])])),
            ("and asks", join(&[says(&["digit-9"]), silence(2_500), says(&["code-is"])])),
        ],
        &[PERSON],
    );
}

#[test]
fn whoever_talks_on_is_a_machine_and_is_waited_for_until_it_beeps() {
    for hertz in [350.0, 440.0, 852.0, 1_000.0, 1_400.0, 2_000.0, 2_400.0] {
        let beep = tone(hertz, 400);
        are(&[("greets and beeps", join(&[silence(400), greeting(), silence(300), beep]))], &[MACHINE, BEEP]);
    }
    are(
        &[
            ("a short beep", join(&[greeting(), tone(1_000.0, 220)])),
            ("a long one", join(&[greeting(), tone(440.0, 1_500)])),
        ],
        &[MACHINE, BEEP],
    );
}

#[test]
fn a_machine_that_does_not_beep_is_not_waited_for_longer_than_it_is_silent() {
    are(&[("no beep", join(&[silence(400), greeting()]))], &[MACHINE, Told::Hush]);
    let talks_for_ever: Sound = (0..8).flat_map(|_| greeting()).collect();
    let told = told(&talks_for_ever, CLEAN, 0);
    assert_eq!(told.iter().map(|(_, news)| *news).collect::<Vec<_>>(), [MACHINE, Told::Hush]);
    assert!((29_900..30_200).contains(&told[1].0), "{told:?}");
}

#[test]
fn a_short_greeting_is_a_machines_if_it_beeps() {
    are(&[("bye and beep", join(&[says(&["again"]), silence(300), tone(1_000.0, 500)]))], &[BEEP]);
    are(&[("later", join(&[says(&["again"]), silence(1_500), tone(1_000.0, 500)]))], &[PERSON, BEEP]);
}

#[test]
fn silence_and_noise_are_nobody_in_particular() {
    are(&[("nothing", silence(1_000)), ("a click", join(&[silence(900), vec![20_000.0; 100]]))], &[UNSURE]);
}

#[test]
fn a_party_whose_packets_never_come_is_told_in_time() {
    let mut ear = AnswererEar::new(PATIENCE, Instant::START);
    let due = ear.due().unwrap();
    assert!((4_000..4_200).contains(&(due.micros() / 1_000)));
    assert_eq!(ear.told(Instant::from_millis(4_000)), None);
    assert_eq!(ear.told(due), Some(UNSURE));
    let due = ear.due().unwrap();
    assert_eq!((ear.told(due), ear.is_over()), (None, true));
}

#[test]
fn a_party_that_sends_nothing_while_it_is_silent_is_listening() {
    let mut ear = AnswererEar::new(PATIENCE, Instant::START);
    let word = says(&["digit-9"]);
    let samples: Vec<u8> = word.iter().map(|sample| Law::Pcma.encode(*sample as i16)).collect();
    let mut now = Instant::START;
    for (nth, frame) in (0_u32..).zip(samples.chunks(160)) {
        now = Instant::from_millis(u64::from(nth + 1) * 20);
        let header =
            Header { marker: nth == 0, payload_type: 8, seq: nth as u16, timestamp: nth * 160, ssrc: 1 };
        ear.hear(&header, frame, Law::Pcma, now);
        assert_eq!(ear.told(now), None);
    }
    assert_eq!(ear.told(now + Duration::from_millis(950)), Some(PERSON));
}

#[test]
fn no_clip_that_ships_beeps() {
    let tones = ["busy-tone", "ringback", "hint-tone"];
    for name in clips::names().filter(|name| !tones.contains(name)) {
        for gain in [0.1, 1.0, 3.0] {
            let said = told(&join(&[silence(1_100), says(&[name])]), Road { gain, ..CLEAN }, 1);
            assert!(said.iter().all(|(_, news)| *news != BEEP), "{name} at {gain}: {said:?}");
        }
    }
}
