//! Voice files of every kind come in as clips, and files made to hurt are refused in a sentence.

use std::f32::consts::TAU;
use std::io::Cursor;

use crate::loudness::{Loudness, Warning};
use crate::wav::{FILE_BYTES_MAX, ImportFault, Imported, SECS_MAX, import, wav_alaw};
use audio_codec_algorithms::{decode_alaw, encode_alaw, encode_ulaw};
use hound::{SampleFormat, WavSpec, WavWriter};
use proptest::prelude::*;

#[test]
fn every_width_and_rate_arrives_at_the_same_level() {
    for rate in [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000, 96_000, 192_000] {
        for width in [Int(8), Int(16), Int(24), Int(32), Float] {
            let clip = import(&pcm(width, 1, rate, &tone(1_000.0, 0.5, rate, 0.25))).unwrap();
            let about = format!("{width:?} at {rate} Hz");
            assert!((level(&clip, 1_000.0) - 0.5).abs() < 0.02, "{about}: level {}", level(&clip, 1_000.0));
            assert!(clip.duration.as_millis().abs_diff(250) <= 1, "{about}: lasts {:?}", clip.duration);
            assert!(clip.warnings().is_empty(), "{about}: {:?}", clip.warnings());
        }
    }
}

#[test]
fn an_odd_rate_arrives_too() {
    for rate in [4_000, 7_999, 12_345, 44_101] {
        let clip = import(&pcm(Int(16), 1, rate, &tone(1_000.0, 0.5, rate, 0.5))).unwrap();
        assert!((level(&clip, 1_000.0) - 0.5).abs() < 0.02, "{rate} Hz: level {}", level(&clip, 1_000.0));
    }
}

#[test]
fn what_a_telephone_cannot_carry_is_gone_and_leaves_no_ghost() {
    // 6 kHz would fold to 2 kHz, 4.4 kHz to 3.6 kHz.
    for (hertz, ghost) in [(6_000.0, 2_000.0), (4_400.0, 3_600.0)] {
        let clip = import(&pcm(Int(16), 1, 44_100, &tone(hertz, 0.5, 44_100, 0.5))).unwrap();
        assert!(level(&clip, ghost) < 0.001, "{hertz} Hz is heard at {ghost} Hz: {}", level(&clip, ghost));
        let middle = Loudness::of(&clip.alaw[1_000..3_000]);
        assert!(middle.silent(), "{hertz} Hz leaves {} dBFS", middle.rms_dbfs);
    }
}

#[test]
fn what_a_telephone_carries_stays() {
    for hertz in [300.0, 1_000.0, 3_400.0] {
        let clip = import(&pcm(Int(16), 1, 48_000, &tone(hertz, 0.5, 48_000, 0.5))).unwrap();
        assert!((level(&clip, hertz) - 0.5).abs() < 0.02, "{hertz} Hz arrives at {}", level(&clip, hertz));
    }
}

#[test]
fn both_channels_are_heard() {
    let (left, right) = (tone(500.0, 0.4, 16_000, 0.5), tone(1_500.0, 0.4, 16_000, 0.5));
    let both: Vec<f32> = left.iter().zip(&right).flat_map(|(left, right)| [*left, *right]).collect();
    let clip = import(&pcm(Int(16), 2, 16_000, &both)).unwrap();
    assert!((level(&clip, 500.0) - 0.2).abs() < 0.01);
    assert!((level(&clip, 1_500.0) - 0.2).abs() < 0.01);
    assert!(clip.duration.as_millis().abs_diff(500) <= 1);
}

#[test]
fn alaw_at_8_khz_passes_bit_by_bit() {
    let every_byte: Vec<u8> = (0..=255).cycle().take(8_001).collect();
    let file = wav_alaw(&every_byte);
    assert_eq!(import(&file).unwrap().alaw, every_byte);
    assert_eq!(file.len() % 2, 0, "an odd chunk is padded");
    assert_eq!(&file[..4], b"RIFF");
    assert_eq!(u32::from_le_bytes(file[4..8].try_into().unwrap()) as usize, file.len() - 8);
    assert_eq!(u32::from_le_bytes(file[54..58].try_into().unwrap()), 8_001);
    assert_eq!(file[58..8_059], every_byte);
}

#[test]
fn both_laws_are_read_at_any_rate() {
    for (tag, encode) in [(6, encode_alaw as fn(i16) -> u8), (7, encode_ulaw)] {
        for rate in [8_000, 16_000] {
            let sound: Vec<u8> =
                tone(1_000.0, 0.5, rate, 0.5).into_iter().map(|sample| encode(i16_of(sample))).collect();
            let clip = import(&file(&fmt(tag, 1, rate, 8), &sound)).unwrap();
            assert!((level(&clip, 1_000.0) - 0.5).abs() < 0.02, "tag {tag} at {rate} Hz");
        }
    }
}

#[test]
fn an_extensible_header_is_read_for_any_format_inside() {
    let sound: Vec<u8> =
        tone(1_000.0, 0.5, 8_000, 0.5).into_iter().map(|sample| encode_alaw(i16_of(sample))).collect();
    let mut header = fmt(0xFFFE, 1, 8_000, 8);
    header.extend_from_slice(&[22, 0, 8, 0, 4, 0, 0, 0]);
    header.extend_from_slice(b"\x06\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71");
    assert_eq!(import(&file(&header, &sound)).unwrap().alaw, sound);
    // hound writes 24 bits in this form.
    assert!(import(&pcm(Int(24), 2, 44_100, &tone(1_000.0, 0.5, 44_100, 0.5))).is_ok());
}

#[test]
fn chunks_that_we_do_not_know_are_stepped_over() {
    let sound = vec![0x55; 800];
    let mut odd = b"RIFF\0\0\0\0WAVE".to_vec();
    odd.extend(chunk(b"LIST", b"odd"));
    odd.extend(chunk(b"fmt ", &fmt(6, 1, 8_000, 8)));
    for _ in 0..10_000 {
        odd.extend(chunk(b"junk", b""));
    }
    odd.extend(chunk(b"data", &sound));
    odd.extend(chunk(b"id3 ", b"after the sound"));
    assert_eq!(import(&odd).unwrap().alaw, sound);
}

#[test]
fn a_length_that_nobody_came_back_to_fill_in_means_all_there_is() {
    for stated in [0xFFFF_FFFF_u32, 0x7FFF_FFFF] {
        let mut piped = file(&fmt(6, 1, 8_000, 8), &[0x55; 800]);
        let at = piped.len() - 804;
        piped[at..at + 4].copy_from_slice(&stated.to_le_bytes());
        assert_eq!(import(&piped).unwrap().alaw.len(), 800);
    }
}

#[test]
fn clipping_silence_and_level_are_told() {
    let loud: Vec<f32> =
        tone(400.0, 4.0, 16_000, 0.5).into_iter().map(|sample| sample.clamp(-1.0, 1.0)).collect();
    let clip = import(&pcm(Int(16), 1, 16_000, &loud)).unwrap();
    assert!(clip.clipped);
    assert_eq!(clip.warnings(), [Warning::Clipped, Warning::Loud]);

    let clip = import(&pcm(Int(16), 1, 16_000, &[0.0; 16_000])).unwrap();
    assert!(clip.silent && !clip.clipped);
    assert_eq!(clip.warnings(), [Warning::Silent]);

    let clip = import(&pcm(Int(16), 1, 16_000, &tone(400.0, 0.02, 16_000, 0.5))).unwrap();
    assert_eq!(clip.warnings(), [Warning::Quiet]);

    // A sine at full scale touches the end and goes on.
    let clip = import(&pcm(Int(16), 1, 48_000, &tone(1_000.0, 1.0, 48_000, 0.5))).unwrap();
    assert!(!clip.clipped);
}

#[test]
fn a_pause_does_not_make_a_voice_softer() {
    let mut sound = tone(400.0, 0.2, 8_000, 1.0);
    let spoken = import(&pcm(Int(16), 1, 8_000, &sound)).unwrap();
    sound.extend([0.0; 40_000]);
    let with_pause = import(&pcm(Int(16), 1, 8_000, &sound)).unwrap();
    assert!((spoken.rms_dbfs - with_pause.rms_dbfs).abs() < 0.1);
    assert!((spoken.rms_dbfs - -17.0).abs() < 0.2 && (spoken.peak_dbfs - -14.0).abs() < 0.3);
}

#[test]
fn every_fault_has_its_file() {
    let good = fmt(1, 1, 8_000, 16);
    let frame = |block: u8| {
        let mut header = fmt(1, 1, 8_000, 16);
        header[12] = block;
        header
    };
    let mut cut = file(&good, &[1; 100]);
    cut.truncate(cut.len() - 40);
    let cases = [
        (Vec::new(), ImportFault::NotWav),
        (b"ID3\x04 an mp3 that was renamed".to_vec(), ImportFault::NotWav),
        (b"RIFF\x04\0\0\0AVI ".to_vec(), ImportFault::NotWav),
        (b"RIFF\x04\0\0\0WAVE".to_vec(), ImportFault::NoFormat),
        (b"RIFF\x04\0\0\0WAV".to_vec(), ImportFault::NotWav),
        (file(&[], &[1; 100]), ImportFault::NoFormat),
        (file(&good[..15], &[1; 100]), ImportFault::NoFormat),
        (file(&fmt(0xFFFE, 1, 8_000, 16), &[1; 100]), ImportFault::NoFormat),
        (file(&fmt(85, 1, 8_000, 16), &[1; 100]), ImportFault::Format { tag: 85, bits: 16 }),
        (file(&fmt(1, 1, 8_000, 12), &[1; 100]), ImportFault::Format { tag: 1, bits: 12 }),
        (file(&fmt(3, 1, 8_000, 64), &[1; 100]), ImportFault::Format { tag: 3, bits: 64 }),
        (file(&fmt(1, 0, 8_000, 16), &[1; 100]), ImportFault::Channels { channels: 0 }),
        (file(&fmt(1, 6, 8_000, 16), &[1; 100]), ImportFault::Channels { channels: 6 }),
        (file(&fmt(1, 1, 0, 16), &[1; 100]), ImportFault::Rate { rate: 0 }),
        (file(&fmt(1, 1, u32::MAX, 16), &[1; 100]), ImportFault::Rate { rate: u32::MAX }),
        (file(&frame(0), &[1; 100]), ImportFault::Frame { stated: 0, needed: 2 }),
        (file(&frame(3), &[1; 100]), ImportFault::Frame { stated: 3, needed: 2 }),
        (file(&good, &[]), ImportFault::Empty),
        (file(&good, &[1]), ImportFault::Empty),
        (cut, ImportFault::Truncated { stated: 100, found: 60 }),
        (wav_alaw(&vec![0x55; SECS_MAX * 8_000 + 8_000]), ImportFault::TooLong { secs: 301 }),
        (vec![0; FILE_BYTES_MAX + 1], ImportFault::TooBig { bytes: FILE_BYTES_MAX + 1 }),
    ];
    for (file, fault) in cases {
        assert_eq!(import(&file), Err(fault), "{:?}", String::from_utf8_lossy(&file[..file.len().min(40)]));
        assert!(fault.to_string().len() > 20, "{fault}");
    }
}

#[test]
fn stated_sizes_near_4_gib_cost_nothing() {
    for name in [b"fmt ", b"junk", b"data"] {
        let mut file = b"RIFF\xff\xff\xff\xffWAVE".to_vec();
        file.extend_from_slice(name);
        file.extend_from_slice(&u32::MAX.to_le_bytes());
        file.extend_from_slice(&fmt(1, 1, 8_000, 16));
        assert!(import(&file).is_err());
    }
}

#[test]
fn the_longest_clip_is_allowed() {
    let longest = vec![0x55; SECS_MAX * 8_000];
    assert_eq!(import(&wav_alaw(&longest)).unwrap().alaw.len(), longest.len());
}

#[test]
fn float_samples_that_are_no_numbers_become_silence() {
    let mut sound = vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN];
    sound.resize(4_000, 0.0);
    let clip = import(&pcm(Float, 1, 16_000, &sound)).unwrap();
    assert!(clip.peak_dbfs <= 0.0 && clip.rms_dbfs.is_finite());
    assert!(clip.alaw[1_000..].iter().all(|byte| decode_alaw(*byte).abs() <= 8), "the end is silent");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_bytes_at_all_are_a_panic(
        header in proptest::collection::vec(any::<u8>(), 0..44),
        at in 0_usize..60,
        byte: u8,
        keep in 0_usize..400,
    ) {
        let mut file = file(&fmt(1, 2, 11_025, 24), &[7; 300]);
        if let Some(place) = file.get_mut(at) {
            *place = byte;
        }
        file.truncate(keep);
        let _ = import(&file);
        let _ = import(&self::file(&header, &[7; 300]));
    }

    #[test]
    fn what_was_written_is_what_is_read(alaw in proptest::collection::vec(any::<u8>(), 1..500)) {
        prop_assert_eq!(import(&wav_alaw(&alaw)).unwrap().alaw, alaw);
    }
}

#[derive(Clone, Copy, Debug)]
enum Of {
    Int(u16),
    Float,
}
use Of::{Float, Int};

/// A PCM file as another program writes it; `samples` are interleaved.
fn pcm(width: Of, channels: u16, sample_rate: u32, samples: &[f32]) -> Vec<u8> {
    let (bits_per_sample, sample_format) = match width {
        Int(bits) => (bits, SampleFormat::Int),
        Float => (32, SampleFormat::Float),
    };
    let mut file = Cursor::new(Vec::new());
    let spec = WavSpec { channels, sample_rate, bits_per_sample, sample_format };
    let mut writer = WavWriter::new(&mut file, spec).unwrap();
    for sample in samples {
        match width {
            Int(bits) => {
                let top = f64::from(bits - 1).exp2() - 1.0;
                writer.write_sample((f64::from(*sample) * top).round() as i32).unwrap();
            }
            Float => writer.write_sample(*sample).unwrap(),
        }
    }
    writer.finalize().unwrap();
    file.into_inner()
}

fn tone(hertz: f32, size: f32, rate: u32, secs: f32) -> Vec<f32> {
    let rate = rate as f32;
    (0..(rate * secs) as usize).map(|at| size * (TAU * hertz * at as f32 / rate).sin()).collect()
}

/// How strongly a clip's middle sounds at a frequency: the amplitude of that sine.
fn level(clip: &Imported, hertz: f32) -> f32 {
    let middle = &clip.alaw[clip.alaw.len() / 4..][..clip.alaw.len() / 2 / 80 * 80];
    let (sin, cos) = middle.iter().enumerate().fold((0.0, 0.0), |(sin, cos), (at, byte)| {
        let (angle, sample) = (TAU * hertz * at as f32 / 8_000.0, f32::from(decode_alaw(*byte)) / 32_768.0);
        (sin + sample * angle.sin(), cos + sample * angle.cos())
    });
    2.0 * sin.hypot(cos) / middle.len() as f32
}

fn i16_of(sample: f32) -> i16 {
    (sample * 32_767.0) as i16
}

/// The first 16 bytes of a `fmt ` chunk.
fn fmt(tag: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
    let block = channels.wrapping_mul(bits.div_ceil(8));
    let mut header = Vec::new();
    header.extend_from_slice(&tag.to_le_bytes());
    header.extend_from_slice(&channels.to_le_bytes());
    header.extend_from_slice(&rate.to_le_bytes());
    header.extend_from_slice(&rate.wrapping_mul(u32::from(block)).to_le_bytes());
    header.extend_from_slice(&block.to_le_bytes());
    header.extend_from_slice(&bits.to_le_bytes());
    header
}

fn file(fmt: &[u8], sound: &[u8]) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WAVE".to_vec();
    file.extend(chunk(b"fmt ", fmt));
    file.extend(chunk(b"data", sound));
    file
}

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut chunk = name.to_vec();
    chunk.extend_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
    chunk.extend_from_slice(body);
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}
