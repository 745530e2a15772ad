//! What ships is all there, sounds alike in level and can be told apart.

use crate::loudness::Loudness;
use crate::sample::Sample;
use crate::system::system;
use crate::wav::{import, wav_alaw};
use audio_codec_algorithms::decode_alaw;
use base::clip::SystemClip;

#[test]
fn every_clip_has_its_length() {
    for clip in SystemClip::ALL {
        let millis = match clip {
            SystemClip::Digit(_) => 300..=600,
            SystemClip::Transferring | SystemClip::LastMinute => 1_800..=3_500,
            SystemClip::BeforeCode(_) => 1_200..=3_200,
            SystemClip::AfterCode(_) => 1_000..=3_000,
            SystemClip::RingBack => 5_000..=5_000,
            SystemClip::HintTone => 200..=1_000,
            SystemClip::Pause => 500..=500,
        };
        assert!(millis.contains(&millis_of(system(clip))), "{clip:?} lasts {} ms", millis_of(system(clip)));
    }
    for sample in Sample::ALL {
        let millis = match sample {
            Sample::DigitOneYao => 300..=600,
            Sample::Again | Sample::CodeIs => 800..=2_000,
            Sample::Welcome => 1_300..=3_000,
            Sample::DemoCaller | Sample::DemoCallee => 4_000..=6_000,
            Sample::EmptyNumber | Sample::Busy | Sample::PoweredOff => 2_500..=5_000,
            Sample::BusyTone => 700..=700,
        };
        assert!(
            millis.contains(&millis_of(sample.alaw())),
            "{sample:?} lasts {} ms",
            millis_of(sample.alaw())
        );
    }
}

#[test]
fn voices_are_equally_loud_and_none_is_cut_off() {
    for (name, alaw) in voices() {
        let clip = import(&wav_alaw(alaw)).unwrap();
        assert!((clip.rms_dbfs - -18.0).abs() < 1.5, "{name}: {} dBFS", clip.rms_dbfs);
        assert!(clip.peak_dbfs <= -2.5, "{name}: peak {} dBFS", clip.peak_dbfs);
        assert!(clip.warnings().is_empty(), "{name}: {:?}", clip.warnings());
    }
}

#[test]
fn voices_start_and_end_without_a_wait() {
    for (name, alaw) in voices() {
        let loud: Vec<bool> =
            alaw.chunks(BLOCK).map(|block| Loudness::of(block).rms_dbfs > HEARD_DBFS).collect();
        let lead = loud.iter().take_while(|loud| !**loud).count() * 5;
        let tail = loud.iter().rev().take_while(|loud| !**loud).count() * 5;
        assert!(lead <= 30, "{name} starts after {lead} ms");
        assert!(tail <= 60, "{name} ends with {tail} ms of silence");
    }
}

/// What a test does that wants to know which clip a leg hears.
#[test]
fn any_two_clips_can_be_told_apart() {
    let clips: Vec<(String, Vec<f32>)> =
        voices().into_iter().map(|(name, alaw)| (name, coarse(alaw))).collect();
    for (at, (name, clip)) in clips.iter().enumerate() {
        assert!(likeness(clip, clip) > 0.999, "{name} is like itself");
        for (other, sound) in &clips[at + 1..] {
            let likeness = likeness(clip, sound);
            assert!(likeness < 0.8, "{name} and {other} are alike: {likeness}");
        }
    }
}

#[test]
fn ring_back_is_one_second_of_450_hz_and_four_of_silence() {
    let sound = linear(system(SystemClip::RingBack));
    let (on, off) = sound.split_at(8_000);
    let crossings = on.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
    assert!((449..=450).contains(&crossings), "{crossings} Hz");
    assert!(off.iter().all(|sample| sample.abs() < 0.001));
}

#[test]
fn a_digit_that_does_not_exist_is_a_pause() {
    assert_eq!(system(SystemClip::Digit(10)), system(SystemClip::Pause));
    assert_eq!(system(SystemClip::Digit(255)), system(SystemClip::Pause));
}

fn voices() -> Vec<(String, &'static [u8])> {
    let tones = [SystemClip::RingBack, SystemClip::HintTone, SystemClip::Pause];
    let ours = SystemClip::ALL.into_iter().filter(|clip| !tones.contains(clip));
    let ours = ours.enumerate().map(|(at, clip)| (format!("system clip {at}"), system(clip)));
    let samples = Sample::ALL.into_iter().filter(|sample| *sample != Sample::BusyTone);
    ours.chain(samples.map(|sample| (format!("{sample:?}"), sample.alaw()))).collect()
}

/// The highest cross-correlation at any shift up to 25 ms over the longer one's length, 1 for the same sound.
fn likeness(one: &[f32], other: &[f32]) -> f32 {
    let size = (energy(one) * energy(other)).sqrt();
    let at = |shift: usize, one: &[f32], other: &[f32]| -> f32 {
        one[shift..].iter().zip(other).map(|(one, other)| one * other).sum()
    };
    (0..50)
        .map(|shift| f32::max(at(shift, one, other).abs(), at(shift, other, one).abs()))
        .fold(0.0, f32::max)
        / size
}

/// The sound at 2 kHz, which holds most of a voice and is quick to compare.
fn coarse(alaw: &[u8]) -> Vec<f32> {
    linear(alaw).chunks(4).map(|four| four.iter().sum()).collect()
}

fn energy(sound: &[f32]) -> f32 {
    sound.iter().map(|sample| sample * sample).sum()
}

fn linear(alaw: &[u8]) -> Vec<f32> {
    alaw.iter().map(|byte| f32::from(decode_alaw(*byte)) / 32_768.0).collect()
}

const fn millis_of(alaw: &[u8]) -> usize {
    alaw.len() / 8
}

/// Samples in 5 ms.
const BLOCK: usize = 40;

/// Softer than this is not heard at the start of a word that is spoken at -18.
const HEARD_DBFS: f32 = -60.0;
