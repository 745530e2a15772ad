//! What a telephone heard: WAV files, and whether a known sound is in them.

use std::path::Path;

/// Samples a second of everything here.
pub const RATE: usize = 8_000;

/// Decodes one A-law byte (ITU-T G.711) to 16-bit PCM.
///
/// Written from the Recommendation and not taken from the product, so that the two check each other.
#[must_use]
pub fn alaw(byte: u8) -> i16 {
    let bits = byte ^ 0x55;
    let (exponent, mantissa) = ((bits >> 4) & 7, i16::from(bits & 15));
    let magnitude = match exponent {
        0 => (mantissa << 4) + 8,
        high => ((mantissa << 4) + 0x108) << (high - 1),
    };
    if bits & 0x80 == 0 { -magnitude } else { magnitude }
}

/// Reads a mono WAV file, A-law or 16-bit PCM, of 8 kHz.
///
/// # Panics
/// When the file is not such a file.
#[must_use]
pub fn read(path: &Path) -> Vec<i16> {
    let bytes = std::fs::read(path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    parse(&bytes, 1)
}

/// Reads a WAV file of 16-bit PCM, of whatever channels and a multiple of our rate: the first channel, at our rate.
///
/// # Panics
/// When the file is not such a file.
#[must_use]
pub fn read_any(path: &Path) -> Vec<i16> {
    let bytes = std::fs::read(path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    let Sound { tag: PCM, channels, rate, bytes } = sound_of(&bytes) else { panic!("this is no PCM") };
    let samples: Vec<i16> =
        bytes.chunks_exact(2 * channels).map(|all| i16::from_le_bytes([all[0], all[1]])).collect();
    let mean = |part: &[i16]| part.iter().map(|sample| i32::from(*sample)).sum::<i32>() / part.len() as i32;
    samples.chunks_exact(rate / RATE).map(|part| mean(part) as i16).collect()
}

/// Reads a WAV file of two channels: the left one and the right one.
///
/// # Panics
/// When the file is not such a file.
#[must_use]
pub fn read_stereo(path: &Path) -> [Vec<i16>; 2] {
    let bytes = std::fs::read(path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    let both = parse(&bytes, 2);
    [0, 1].map(|channel| both.iter().skip(channel).step_by(2).copied().collect())
}

/// The samples of a WAV file of 8 kHz, A-law or 16-bit PCM, with so many channels.
///
/// # Panics
/// When the bytes are not such a file.
#[must_use]
pub fn parse(bytes: &[u8], channels: usize) -> Vec<i16> {
    let sound = sound_of(bytes);
    assert_eq!((sound.channels, sound.rate), (channels, RATE), "so many channels of 8 kHz are expected");
    match sound.tag {
        ALAW => sound.bytes.iter().map(|byte| alaw(*byte)).collect(),
        _ => sound.bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect(),
    }
}

/// The bytes of a mono WAV file of A-law, as they would be sent.
///
/// # Panics
/// When it is not such a file.
#[must_use]
pub fn read_alaw(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    let Sound { tag: ALAW, channels: 1, rate: RATE, bytes } = sound_of(&bytes) else {
        panic!("{} is no A-law", path.display())
    };
    bytes.to_vec()
}

/// The sound of a WAV file, and how it is written.
struct Sound<'a> {
    tag: u16,
    channels: usize,
    rate: usize,
    bytes: &'a [u8],
}

fn sound_of(bytes: &[u8]) -> Sound<'_> {
    assert_eq!((&bytes[..4], &bytes[8..12]), (&b"RIFF"[..], &b"WAVE"[..]), "this is no WAV");
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes")) as usize;
    let mut at = 12;
    let (mut tag, mut channels, mut rate) = (0, 0, 0);
    while at + 8 <= bytes.len() {
        let size = number(&bytes[at + 4..at + 8]);
        let body = &bytes[at + 8..bytes.len().min(at + 8 + size)];
        match &bytes[at..at + 4] {
            b"fmt " => {
                (tag, channels) = (u16::from_le_bytes([body[0], body[1]]), usize::from(body[2]));
                rate = number(&body[4..8]);
            }
            b"data" => return Sound { tag, channels, rate, bytes: body },
            _ => {}
        }
        at += 8 + size + size % 2;
    }
    panic!("the file has no sound");
}

/// How a WAV file says that its sound is PCM, and that it is A-law.
const PCM: u16 = 1;
const ALAW: u16 = 6;

/// A mono WAV file of 16-bit PCM at 8 kHz.
///
/// # Panics
/// Never: no test has hours of sound.
#[must_use]
pub fn wav(sound: &[i16]) -> Vec<u8> {
    wav_at(RATE, 1, sound)
}

/// A WAV file of 16-bit PCM at this rate, with the same sound in so many channels.
///
/// # Panics
/// Never: no test has hours of sound.
#[must_use]
pub fn wav_at(rate: usize, channels: u16, sound: &[i16]) -> Vec<u8> {
    let frame = 2 * usize::from(channels);
    let number = |number: usize| u32::try_from(number).expect("a sound is short").to_le_bytes();
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend(number(36 + sound.len() * frame));
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    file.extend(channels.to_le_bytes());
    file.extend(number(rate));
    file.extend(number(rate * frame));
    file.extend((2 * channels).to_le_bytes());
    file.extend(b"\x10\0data");
    file.extend(number(sound.len() * frame));
    let all = |sample: &i16| sample.to_le_bytes().repeat(usize::from(channels));
    file.extend(sound.iter().flat_map(all));
    file
}

/// A pure tone.
#[must_use]
pub fn sine(hz: f64, samples: usize) -> Vec<i16> {
    sine_at(RATE, hz, samples)
}

/// A pure tone, of which so many samples make a second.
#[must_use]
pub fn sine_at(rate: usize, hz: f64, samples: usize) -> Vec<i16> {
    let turn = |n: usize| n as f64 * hz / rate as f64 * std::f64::consts::TAU;
    (0..samples).map(|n| (turn(n).sin() * 12_000.0) as i16).collect()
}

/// The tones of a key (ITU-T Q.23), for as long as somebody presses it who presses it well.
///
/// # Panics
/// When there is no such key.
#[must_use]
pub fn key(key: char) -> Vec<i16> {
    const ROWS: [(&str, f64); 4] = [("123A", 697.0), ("456B", 770.0), ("789C", 852.0), ("*0#D", 941.0)];
    const COLUMNS: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];

    let (keys, low) = ROWS.into_iter().find(|(keys, _)| keys.contains(key)).expect("there is such a key");
    let high = COLUMNS[keys.find(key).expect("it was found")];
    let length = RATE * 15 / 100;
    sine(low, length).iter().zip(sine(high, length)).map(|(low, high)| low / 2 + high / 2).collect()
}

/// A sound without the silence around it.
///
/// # Panics
/// When it is all silence.
#[must_use]
pub fn spoken(heard: &[i16]) -> &[i16] {
    let loud = |sample: &i16| sample.unsigned_abs() > 100;
    let first = heard.iter().position(loud).expect("something was said");
    let last = heard.iter().rposition(loud).expect("something was said");
    &heard[first..=last]
}

/// Where `sound` is heard in `heard` for the first time at or after `from`: the sample at which it begins, and how
/// alike the two are there (1 is the same, 0 is unrelated). The best match wins.
#[must_use]
pub fn find(sound: &[i16], heard: &[i16], from: usize) -> Option<(usize, f64)> {
    let last = heard.len().checked_sub(sound.len())?;
    // What is left of both without their high notes tells some neighbourhoods; a fine look at each finds the place.
    let (low_sound, low_heard) = (low_notes(sound), low_notes(heard.get(from..)?));
    let mut near: Vec<(usize, f64)> = low_heard
        .windows(low_sound.len().max(1))
        .enumerate()
        .map(|(at, part)| (from + at * LOW_NOTES, alike(&low_sound, part)))
        .collect();
    near.sort_by(|one, other| other.1.total_cmp(&one.1));
    near.truncate(NEIGHBOURHOODS);
    let around =
        |near: usize| near.saturating_sub(2 * LOW_NOTES).max(from)..=(near + 2 * LOW_NOTES).min(last);
    let fine = near.into_iter().flat_map(|(near, _)| around(near));
    fine.map(|at| (at, alike(sound, &heard[at..at + sound.len()])))
        .max_by(|one, other| one.1.total_cmp(&other.1))
}

/// A sound at a part of its rate.
fn low_notes(sound: &[i16]) -> Vec<i16> {
    let mean =
        |part: &[i16]| (part.iter().map(|sample| i32::from(*sample)).sum::<i32>() / LOW_NOTES as i32) as i16;
    sound.chunks_exact(LOW_NOTES).map(mean).collect()
}

/// Samples that become one where only low notes count.
const LOW_NOTES: usize = 4;

/// Places of which one is the best.
const NEIGHBOURHOODS: usize = 8;

/// The normalised correlation of two sounds of the same length.
fn alike(one: &[i16], other: &[i16]) -> f64 {
    let (mut product, mut first, mut second) = (0_i64, 0_i64, 0_i64);
    for (a, b) in one.iter().zip(other) {
        let (a, b) = (i64::from(*a), i64::from(*b));
        product += a * b;
        first += a * a;
        second += b * b;
    }
    if first == 0 || second == 0 { 0.0 } else { product as f64 / ((first as f64) * (second as f64)).sqrt() }
}

/// The share of a sound's power that is at one frequency: near 1 for a pure tone, near 0 without it.
#[must_use]
pub fn tone(hz: f64, heard: &[i16]) -> f64 {
    let step = 2.0 * std::f64::consts::PI * hz / 8_000.0;
    let coefficient = 2.0 * step.cos();
    let (mut before, mut last, mut power) = (0.0_f64, 0.0_f64, 0.0_f64);
    for sample in heard {
        let sample = f64::from(*sample);
        let next = sample + coefficient * last - before;
        (before, last) = (last, next);
        power += sample * sample;
    }
    let at_frequency = last * last + before * before - coefficient * last * before;
    let count = f64::from(u32::try_from(heard.len()).unwrap_or(u32::MAX));
    if power == 0.0 { 0.0 } else { 2.0 * at_frequency / (count * power) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_heard_at_its_own_frequency_only() {
        let heard = sine(440.0, 8_000);
        assert!(tone(440.0, &heard) > 0.95);
        assert!(tone(1_000.0, &heard) < 0.01);
    }

    #[test]
    fn a_sound_is_found_where_it_begins() {
        let mut sound = sine(300.0, 1_000);
        for (n, sample) in sound.iter_mut().enumerate() {
            *sample = (*sample / 2).wrapping_add(((n * n * 37) % 4_001) as i16 - 2_000);
        }
        let mut heard = sine(450.0, 3_000);
        heard.extend(&sound);
        heard.extend(sine(450.0, 500));
        let (at, alike) = find(&sound, &heard, 0).unwrap();
        assert_eq!(at, 3_000);
        assert!(alike > 0.99);
    }

    #[test]
    fn a_law_is_the_recommendations() {
        assert_eq!((alaw(0xd5), alaw(0x55), alaw(0xaa), alaw(0x2a)), (8, -8, 32_256, -32_256));
    }
}
