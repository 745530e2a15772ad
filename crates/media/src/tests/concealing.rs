//! What is lost of a recorded voice is hardly missed.

use std::f32::consts::TAU;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::record::{Channels, Recorder, Side};

const SECONDS: usize = 60;
const FRAMES: usize = SECONDS * 50;

/// A voice of its own kind: a gliding pitch with harmonics under two formants, in syllables of a fifth of a second with
/// short pauses.
fn voice() -> Vec<i16> {
    let mut phase = 0.0_f32;
    let sample = |n: usize| {
        let at = n as f32 / 8_000.0;
        let pitch = 140.0 + 40.0 * f32::sin(TAU * at * 0.7) + 15.0 * f32::sin(TAU * at * 3.1);
        phase = (phase + pitch / 8_000.0).fract();
        let formants = [500.0 + 250.0 * f32::sin(TAU * at * 1.3), 1_500.0 + 500.0 * f32::sin(TAU * at * 0.9)];
        let harmonic = |k: u8| {
            let hertz = f32::from(k) * pitch;
            let loud: f32 =
                formants.iter().map(|formant| 1.0 / (1.0 + ((hertz - formant) / 150.0).powi(2))).sum();
            loud * f32::sin(TAU * phase * f32::from(k))
        };
        let syllable = f32::sin(TAU * at * 2.5).max(-0.2) + 0.2;
        (5_000.0 * syllable * (1..20).map(harmonic).sum::<f32>()) as i16
    };
    (0..FRAMES * 160).map(sample).collect()
}

/// Records the voice with some of its packets lost.
fn recorded(said: &[u8], is_lost: impl Fn(usize) -> bool) -> Vec<i16> {
    let mut session = Session::new(params(), Instant::START);
    let mut recorder = Recorder::new(Channels::Mono, Instant::START);
    let mut bytes = Vec::new();
    for (n, frame) in said.chunks_exact(160).enumerate().filter(|(n, _)| !is_lost(*n)) {
        let now = Instant::START + 20 * MILLISECOND * n as u32;
        let packet = packet(8, n as u16, n as u32 * 160, 1, frame);
        let Incoming::Audio(heard, _) = session.receive(address(), &packet, now) else { panic!("not heard") };
        recorder.hear(Side::Left, &heard, &packet, now);
        if recorder.is_ready() {
            bytes.extend(recorder.take(Recorder::fresh_chunk()).bytes);
        }
    }
    bytes.extend(recorder.finish(Instant::START + 20 * MILLISECOND * FRAMES as u32).bytes);
    bytes.into_iter().map(|byte| Law::Pcma.decode(byte)).collect()
}

/// Signal to noise of 20 ms, in dB, kept within what an ear can tell.
fn ratio(said: &[i16], heard: &[i16]) -> f32 {
    let square = |sample: f32| sample * sample;
    let voice: f32 = said.iter().map(|sample| square((*sample).into())).sum();
    let noise: f32 = said.iter().zip(heard).map(|(a, b)| square(f32::from(*a) - f32::from(*b))).sum();
    (10.0 * ((voice + 1.0) / (noise + 1.0)).log10()).clamp(-10.0, 35.0)
}

/// How far the loudness in eight bands is off, in dB.
fn spectral_distance(said: &[i16], heard: &[i16]) -> f32 {
    let level = |samples: &[i16], hertz: f32| {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, sample) in samples.iter().enumerate() {
            let (sin, cos) = f32::sin_cos(TAU * hertz * n as f32 / 8_000.0);
            re += f32::from(*sample) * cos;
            im += f32::from(*sample) * sin;
        }
        10.0 * (re * re + im * im + 1e6).log10()
    };
    let bands = (1..9).map(|band| 220.0 * band as f32);
    bands.map(|hertz| (level(said, hertz) - level(heard, hertz)).abs()).sum::<f32>() / 8.0
}

#[test]
fn five_percent_lost_are_hardly_missed() {
    let mut rng = SmallRng::seed_from_u64(11);
    let lost: Vec<bool> = (0..FRAMES).map(|n| n > 5 && n < FRAMES - 5 && rng.random_bool(0.05)).collect();
    let said: Vec<u8> = voice().into_iter().map(|sample| Law::Pcma.encode(sample)).collect();
    let whole = recorded(&said, |_| false);
    let heard = recorded(&said, |n| lost[n]);
    assert_eq!(heard.len(), whole.len());

    let (mut ratios, mut distances, mut silent_distances) = (0.0, 0.0, 0.0);
    for (n, lost) in lost.iter().enumerate() {
        let frame = n * 160..(n + 1) * 160;
        let (said, heard) = (&whole[frame.clone()], &heard[frame]);
        if !lost {
            assert_eq!(said, heard, "what came is untouched");
            continue;
        }
        ratios += ratio(said, heard);
        distances += spectral_distance(said, heard);
        silent_distances += spectral_distance(said, &[0; 160]);
    }
    let count = lost.iter().filter(|lost| **lost).count() as f32;
    assert!(count > 100.0);
    // Silence has a ratio of 0 dB.
    assert!(ratios / count > 4.0, "{} dB", ratios / count);
    assert!(distances < silent_distances / 3.0, "{distances} instead of {silent_distances}");
}
