//! Tones: made, so that each party of a test has its own voice and telephones have keys that are heard, and found again
//! in what was heard.

use std::f64::consts::TAU;
use std::time::Duration;

use crate::dtmf::Key;
use crate::g711::{Law, SAMPLE_RATE};
use crate::inband::tones_of;

/// A tone as A-law samples. `amplitude` is of 32,767; 8,000 is a normal voice.
#[must_use]
pub fn alaw_tone(hertz: f64, amplitude: i16, duration: Duration) -> Vec<u8> {
    let samples = duration.as_millis() as u64 * u64::from(SAMPLE_RATE) / 1_000;
    let sample = |n: u64| (TAU * hertz * n as f64 / f64::from(SAMPLE_RATE)).sin() * f64::from(amplitude);
    (0..samples).map(|n| Law::Pcma.encode(sample(n) as i16)).collect()
}

/// The two tones of a key (ITU-T Q.23) as A-law samples, each as loud as telephones send them: -10 dBm0.
#[must_use]
pub fn alaw_key(key: Key, duration: Duration) -> Vec<u8> {
    let samples = duration.as_millis() as u64 * u64::from(SAMPLE_RATE) / 1_000;
    let sample = |n: u64| {
        let tone = |hertz: f32| (TAU * f64::from(hertz) * n as f64 / f64::from(SAMPLE_RATE)).sin();
        tones_of(key).map(tone).iter().sum::<f64>() * KEY_AMPLITUDE
    };
    (0..samples).map(|n| Law::Pcma.encode(sample(n) as i16)).collect()
}

/// The share of a stretch of samples' energy that lies at one frequency (Goertzel): 1 for a pure tone, 0 for none.
/// A stretch of 20 ms tells frequencies apart that are 50 Hz or more from each other. Silence has no tone.
#[must_use]
pub fn tone_share(samples: &[u8], law: Law, hertz: f64) -> f64 {
    let coefficient = 2.0 * (TAU * hertz / f64::from(SAMPLE_RATE)).cos();
    let (mut last, mut before, mut energy) = (0.0, 0.0, 0.0);
    for &byte in samples {
        let sample = f64::from(law.decode(byte));
        energy += sample * sample;
        (last, before) = (sample + coefficient * last - before, last);
    }
    let power = last * last + before * before - coefficient * last * before;
    let loudest = energy * samples.len() as f64 / 2.0;
    if energy <= QUIET * samples.len() as f64 { 0.0 } else { (power / loudest).min(1.0) }
}

/// -10 dBm0; the largest sine is +3.14 dBm0.
const KEY_AMPLITUDE: f64 = 7_217.0;

/// Mean square below which a stretch is silence: A-law's smallest steps.
const QUIET: f64 = 1_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_found_and_another_is_not() {
        let low = alaw_tone(440.0, 8_000, Duration::from_millis(100));
        assert_eq!(low.len(), 800);
        assert!(tone_share(&low, Law::Pcma, 440.0) > 0.98);
        assert!(tone_share(&low, Law::Pcma, 1_000.0) < 0.01);
        let both: Vec<u8> = low
            .iter()
            .zip(alaw_tone(1_000.0, 8_000, Duration::from_millis(100)))
            .map(|(&a, b)| Law::Pcma.encode(Law::Pcma.decode(a) / 2 + Law::Pcma.decode(b) / 2))
            .collect();
        for hertz in [440.0, 1_000.0] {
            let share = tone_share(&both, Law::Pcma, hertz);
            assert!((0.45..0.55).contains(&share), "{hertz} Hz: {share}");
        }
    }

    #[test]
    fn a_key_is_its_two_tones_and_nothing_else() {
        for (letter, low, high) in [
            ('1', 697.0, 1_209.0),
            ('5', 770.0, 1_336.0),
            ('9', 852.0, 1_477.0),
            ('0', 941.0, 1_336.0),
            ('D', 941.0, 1_633.0),
        ] {
            let samples = alaw_key(Key::from_char(letter).unwrap(), Duration::from_millis(100));
            let shares = [low, high].map(|hertz| tone_share(&samples, Law::Pcma, hertz));
            assert!(shares.iter().all(|share| (0.48..0.52).contains(share)), "{letter}: {shares:?}");
        }
    }

    #[test]
    fn silence_has_no_tone() {
        assert_eq!(tone_share(&[0xd5; 160], Law::Pcma, 440.0), 0.0);
        assert_eq!(tone_share(&[], Law::Pcma, 440.0), 0.0);
    }
}
