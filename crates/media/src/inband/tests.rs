use std::f64::consts::TAU;

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

/// What a sender's microphone hears, sample by sample.
struct Sound {
    samples: Vec<f64>,
    rng: StdRng,
}

/// A key, how loud its tones are, how far beside their places, and how long it is held.
#[derive(Clone, Copy, Debug)]
struct Press {
    key: char,
    low_dbm0: f64,
    high_dbm0: f64,
    detuned: f64,
    millis: usize,
}

const KEYS: &str = "0123456789*#ABCD";

fn press(key: char) -> Press {
    Press { key, low_dbm0: -10.0, high_dbm0: -10.0, detuned: 1.0, millis: 60 }
}

/// The amplitude of a sine.
#[expect(clippy::approx_constant, reason = "the largest sine of A-law is +3.14 dBm0, which is not pi")]
fn amplitude(dbm0: f64) -> f64 {
    32_767.0 * 10_f64.powf((dbm0 - 3.14) / 20.0)
}

impl Press {
    /// The louder tone at this level, the low one louder than the high one by so many dB.
    fn at(self, dbm0: f64, twist: f64) -> Self {
        Self { low_dbm0: dbm0 + twist.min(0.0), high_dbm0: dbm0 - twist.max(0.0), ..self }
    }

    fn power(self) -> f64 {
        (amplitude(self.low_dbm0).powi(2) + amplitude(self.high_dbm0).powi(2)) / 2.0
    }
}

impl Sound {
    fn new(seed: u64) -> Self {
        Self { samples: Vec::new(), rng: StdRng::seed_from_u64(seed) }
    }

    fn press(&mut self, press: Press) -> &mut Self {
        let tones = tones_of(Key::from_char(press.key).unwrap());
        let tones = [(tones[0], press.low_dbm0), (tones[1], press.high_dbm0)];
        let phases: [f64; 2] = self.rng.random();
        for n in 0..press.millis * 8 {
            let tone = |((hertz, dbm0), phase): ((f32, f64), f64)| {
                let turns = f64::from(hertz) * press.detuned * n as f64 / f64::from(SAMPLE_RATE) + phase;
                (turns * TAU).sin() * amplitude(dbm0)
            };
            self.samples.push(tones.into_iter().zip(phases).map(tone).sum());
        }
        self
    }

    fn pause(&mut self, samples: usize) -> &mut Self {
        self.samples.resize(self.samples.len() + samples, 0.0);
        self
    }

    /// Adds white noise of this power to all of it.
    fn noise(&mut self, power: f64) -> &mut Self {
        // The sum of three evenly distributed numbers, each of variance 1/12, is near enough to normal.
        let scale = (power * 4.0).sqrt();
        let Self { samples, rng } = self;
        for sample in samples {
            *sample += (rng.random::<[f64; 3]>().iter().sum::<f64>() - 1.5) * scale;
        }
        self
    }

    fn encode(&self, law: Law) -> Vec<u8> {
        self.samples.iter().map(|sample| law.encode(*sample as i16)).collect()
    }

    fn keys(&self) -> String {
        keys(&self.encode(Law::Pcma), Law::Pcma)
    }
}

fn header(nth: usize) -> Header {
    let (seq, timestamp) = ((nth as u16).wrapping_sub(5), (nth as u32 * 160).wrapping_sub(400));
    Header { marker: false, payload_type: 8, seq, timestamp, ssrc: 1 }
}

/// The keys that are heard in these samples, in packets of 20 ms, when some packets are lost.
fn keys_without(lost: impl Fn(usize) -> bool, samples: &[u8], law: Law) -> String {
    let mut ear = ToneEar::new();
    let packets = samples.chunks(160).enumerate().filter(|(nth, _)| !lost(*nth));
    let pressed = packets.filter_map(|(nth, packet)| ear.hear(&header(nth), packet, law));
    pressed.map(|pressed| pressed.key.letter()).collect()
}

fn keys(samples: &[u8], law: Law) -> String {
    keys_without(|_| false, samples, law)
}

/// Two presses with a pause, somewhere in noise 15 dB below them; what is wrong with what is heard.
fn fault(press: Press, law: Law, seed: u64) -> Option<String> {
    let mut rng = StdRng::seed_from_u64(seed);
    let press = Press { millis: rng.random_range(40..80), ..press };
    let mut sound = Sound::new(seed);
    sound
        .pause(rng.random_range(0..160))
        .press(press)
        .pause(rng.random_range(320..480))
        .press(press)
        .pause(400);
    sound.noise(press.power() / 10_f64.powf(1.5));
    let heard = keys(&sound.encode(law), law);
    (heard != format!("{0}{0}", press.key)).then(|| format!("{press:?} {law:?}, seed {seed}: {heard:?}"))
}

#[test]
fn all_sixteen_keys_are_heard_at_every_level_with_twist_in_noise() {
    let (mut seed, mut faults) = (0, Vec::new());
    for key in KEYS.chars() {
        for level in [-3.0, -10.0, -20.0, -30.0] {
            for twist in [-6.0, 0.0, 6.0] {
                for (law, detuned) in [(Law::Pcma, 0.985), (Law::Pcmu, 1.0), (Law::Pcma, 1.015)] {
                    seed += 1;
                    faults.extend(fault(Press { detuned, ..press(key).at(level, twist) }, law, seed));
                }
            }
        }
    }
    assert_eq!((seed, faults), (576, Vec::<String>::new()));
}

#[test]
fn a_row_of_keys_is_heard_key_by_key() {
    let mut sound = Sound::new(1);
    for key in KEYS.chars() {
        sound.press(Press { millis: 50, ..press(key) }).pause(400);
    }
    assert_eq!(sound.keys(), KEYS);
    let mut without_pauses = Sound::new(2);
    "1590".chars().for_each(|key| _ = without_pauses.press(press(key)));
    assert_eq!(without_pauses.pause(400).keys(), "1590");
}

#[test]
fn a_key_that_is_held_for_long_is_one_key() {
    let mut sound = Sound::new(1);
    sound.press(Press { millis: 5_000, ..press('7') }).pause(400);
    assert_eq!(sound.keys(), "7");
    sound.samples[16_000..16_080].fill(0.0);
    assert_eq!(sound.keys(), "7", "a hole of 10 ms is no pause");
    sound.samples[16_000..16_320].fill(0.0);
    assert_eq!(sound.keys(), "77", "a pause of 40 ms is one");
}

#[test]
fn what_is_too_short_or_too_quiet_or_too_far_off_is_no_key() {
    let no_keys = [
        ("30 ms", Press { millis: 30, ..press('5') }),
        ("too quiet", press('5').at(-46.0, 0.0)),
        ("only one tone", press('5').at(-10.0, 60.0)),
        ("too much twist", press('5').at(-10.0, 11.0)),
        ("too much twist the other way", press('5').at(-10.0, -11.0)),
        ("between the places", Press { detuned: 1.04, ..press('5') }),
    ];
    for (why, press) in no_keys {
        assert_eq!(Sound::new(3).pause(60).press(press).pause(400).keys(), "", "{why}");
    }
    let mut in_voices = Sound::new(4);
    in_voices.press(press('5')).noise(press('5').power() / 2.0);
    assert_eq!(in_voices.pause(400).keys(), "", "as loud as what is around it");
}

#[test]
fn whatever_packets_of_a_key_are_lost_it_is_heard_at_most_once() {
    let mut sound = Sound::new(1);
    sound.pause(100).press(Press { millis: 200, ..press('6') }).pause(2_000);
    let samples = sound.encode(Law::Pcma);
    let mut heard = 0;
    for lost in (0_u32..1 << 12).step_by(7) {
        let keys = keys_without(|nth| lost & 1 << nth != 0, &samples, Law::Pcma);
        assert!(keys.is_empty() || keys == "6", "without {lost:#b}: {keys}");
        heard += usize::from(!keys.is_empty());
    }
    assert!(heard > 400, "{heard} of 586");
}

#[test]
fn two_presses_are_two_although_a_packet_between_them_is_lost() {
    let mut sound = Sound::new(1);
    sound.press(press('6')).pause(640).press(press('6')).pause(640);
    let samples = sound.encode(Law::Pcma);
    for lost in 0..samples.len() / 160 {
        // Packets 0 to 2 and 7 to 9 are the keys: with the middle of 60 ms missing, what is left is too short.
        let heard = keys_without(|nth| nth == lost, &samples, Law::Pcma);
        assert_eq!(heard, if [1, 8].contains(&lost) { "6" } else { "66" }, "without {lost}");
    }
}

#[test]
fn silence_that_is_not_sent_ends_a_key() {
    let tone = Sound::new(1).press(press('4')).encode(Law::Pcma);
    let mut ear = ToneEar::new();
    let mut heard = String::new();
    for (seq, timestamp) in [(0, 0), (1, 160), (2, 320), (3, 8_000), (4, 8_160), (5, 8_320)] {
        let header = Header { seq, timestamp, ..header(0) };
        let packet = &tone[usize::from(seq % 3) * 160..][..160];
        heard.extend(ear.hear(&header, packet, Law::Pcma).map(|pressed| pressed.key.letter()));
    }
    assert_eq!(heard, "44");
}

#[test]
fn a_packet_of_any_length_gives_all_its_keys() {
    let mut sound = Sound::new(1);
    sound.press(press('4')).pause(480).press(press('2')).pause(320);
    let samples = sound.encode(Law::Pcmu);
    for length in [1, 7, 80, 240, 480, 1_460] {
        let mut ear = ToneEar::new();
        let (mut heard, mut at) = (String::new(), 0);
        for (seq, packet) in samples.chunks(length).chain([&[0xff; 1][..]]).enumerate() {
            let header = Header { seq: seq as u16, timestamp: at, ..header(0) };
            at += packet.len() as u32;
            heard.extend(ear.hear(&header, packet, Law::Pcmu).map(|pressed| pressed.key.letter()));
        }
        assert_eq!(heard, "42", "{length}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Packets of any length, number and time: each gives at most one key, and all are taken.
    #[test]
    fn no_packets_do_harm(
        packets in prop::collection::vec((any::<u16>(), any::<u32>(), 0..4_u8, 1..1_500_usize), 1..40),
    ) {
        let tone = Sound::new(1).press(Press { millis: 200, ..press('6') }).encode(Law::Pcma);
        let (mut ear, mut last) = (ToneEar::new(), header(0));
        for (seq, timestamp, how, length) in packets {
            last.seq = if how == 0 { seq } else { last.seq.wrapping_add(1) };
            last.timestamp = match how {
                0 => timestamp,
                1 => last.timestamp.wrapping_add(timestamp % 4_000),
                _ => last.timestamp.wrapping_add(length as u32),
            };
            let pressed = ear.hear(&last, &tone[..length], Law::Pcma);
            prop_assert!(pressed.is_none_or(|pressed| pressed.key.letter() == '6'));
            prop_assert!(ear.missing > 0 && ear.lost <= LOST_WINDOWS);
        }
    }
}

#[test]
fn what_is_heard_is_not_shown() {
    assert_eq!(format!("{:?}", ToneEar::new()), "ToneEar");
}
