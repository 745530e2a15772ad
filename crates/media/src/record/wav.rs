//! Recordings as files: A-law WAV, and the mono form of a stereo one.
//!
//! Whoever keeps a large recording on a disk need not read it whole to make it mono: [`stereo_bytes`] of its header,
//! then [`mix`] of what follows, piece by piece.

use crate::g711::{ALAW_SILENCE, Law};
use crate::record::Channels;

/// Bytes of [`alaw_wav_header`].
pub const WAV_HEADER_BYTES: usize = 58;

/// The header of an A-law WAV file (format tag 6) with so many bytes of samples, at 8,000 samples a second. Write it
/// first with 0 and again when the length is known. A file with an odd number of bytes wants one byte of padding.
#[must_use]
pub fn alaw_wav_header(channels: Channels, bytes: u32) -> [u8; WAV_HEADER_BYTES] {
    const A_LAW: u16 = 6;
    const BITS: u16 = 8;
    let count = channels.count();
    let rate = crate::g711::SAMPLE_RATE;
    let riff = bytes.saturating_add(WAV_HEADER_BYTES as u32 - 8).saturating_add(bytes & 1);
    let parts: [&[u8]; 17] = [
        b"RIFF",
        &riff.to_le_bytes(),
        b"WAVE",
        b"fmt ",
        &18u32.to_le_bytes(),
        &A_LAW.to_le_bytes(),
        &count.to_le_bytes(),
        &rate.to_le_bytes(),
        &(rate * u32::from(count)).to_le_bytes(),
        &count.to_le_bytes(),
        &BITS.to_le_bytes(),
        // No extension of the format.
        &0u16.to_le_bytes(),
        b"fact",
        &4u32.to_le_bytes(),
        &(bytes / u32::from(count)).to_le_bytes(),
        b"data",
        &bytes.to_le_bytes(),
    ];
    let mut header = [0; WAV_HEADER_BYTES];
    let mut rest = &mut header[..];
    for part in parts {
        let (head, tail) = rest.split_at_mut(part.len());
        head.copy_from_slice(part);
        rest = tail;
    }
    header
}

/// How many bytes of samples follow the header of a stereo recording of ours; `None` for any other header.
#[must_use]
pub fn stereo_bytes(header: &[u8; WAV_HEADER_BYTES]) -> Option<u32> {
    let bytes = u32::from_le_bytes(*header.last_chunk()?);
    (bytes % 2 == 0 && *header == alaw_wav_header(Channels::Stereo, bytes)).then_some(bytes)
}

/// A stereo recording of ours as a mono one, whole file to whole file; `None` when it is none. A file that ends before
/// its header says so is read as far as it goes.
#[must_use]
pub fn mono(stereo: &[u8]) -> Option<Vec<u8>> {
    let (header, rest) = stereo.split_first_chunk()?;
    let stated = usize::try_from(stereo_bytes(header)?).ok()?;
    let samples = &rest[..stated.min(rest.len())];
    let bytes = u32::try_from(samples.len() / 2).ok()?;
    let mut file = Vec::with_capacity(WAV_HEADER_BYTES + samples.len() / 2 + 1);
    file.extend_from_slice(&alaw_wav_header(Channels::Mono, bytes));
    mix(samples, &mut file);
    if bytes % 2 == 1 {
        file.push(0);
    }
    Some(file)
}

/// Adds one A-law sample for each left and right one. An odd byte at the end is left out.
pub fn mix(stereo: &[u8], mono: &mut Vec<u8>) {
    mono.extend(stereo.chunks_exact(2).map(|pair| sum(pair[0], pair[1])));
}

/// Both at once. While one is silent the other is left bit for bit as it is: silence in A-law is a small step and not
/// nothing, and would change it.
fn sum(left: u8, right: u8) -> u8 {
    if is_silent(right) {
        left
    } else if is_silent(left) {
        right
    } else {
        Law::Pcma.encode(Law::Pcma.decode(left).saturating_add(Law::Pcma.decode(right)))
    }
}

/// The smallest step, up or down.
const fn is_silent(sample: u8) -> bool {
    sample | 0x80 == ALAW_SILENCE
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with these samples, left and right in turns.
    fn stereo(samples: &[u8]) -> Vec<u8> {
        let mut file = alaw_wav_header(Channels::Stereo, samples.len() as u32).to_vec();
        file.extend_from_slice(samples);
        file
    }

    fn samples(mono: &[u8]) -> &[u8] {
        &mono[WAV_HEADER_BYTES..]
    }

    #[test]
    fn the_header_is_that_of_an_a_law_file() {
        let header = alaw_wav_header(Channels::Stereo, 1_000);
        let want: &[u8] =
            b"RIFF\x1a\x04\0\0WAVEfmt \x12\0\0\0\x06\0\x02\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x08\0\0\0\
            fact\x04\0\0\0\xf4\x01\0\0data\xe8\x03\0\0";
        assert_eq!(header, want);
    }

    #[test]
    fn who_speaks_alone_is_heard_bit_for_bit() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        for silence in [ALAW_SILENCE, ALAW_SILENCE & 0x7f] {
            let left: Vec<u8> = all.iter().flat_map(|&sample| [sample, silence]).collect();
            let right: Vec<u8> = all.iter().flat_map(|&sample| [silence, sample]).collect();
            for file in [left, right] {
                let file = mono(&stereo(&file)).unwrap();
                assert_eq!(file[..WAV_HEADER_BYTES], alaw_wav_header(Channels::Mono, 256));
                let quiet = |sample| if is_silent(sample) { ALAW_SILENCE } else { sample };
                assert!(samples(&file).iter().map(|&s| quiet(s)).eq(all.iter().map(|&s| quiet(s))));
            }
        }
    }

    #[test]
    fn two_who_speak_at_once_are_both_heard() {
        let level = |left, right| Law::Pcma.decode(sum(Law::Pcma.encode(left), Law::Pcma.encode(right)));
        assert_eq!(level(1_000, 1_000), Law::Pcma.decode(Law::Pcma.encode(2_000)));
        assert_eq!(level(30_000, 30_000), Law::Pcma.decode(Law::Pcma.encode(i16::MAX)), "no overflow");
        assert_eq!(level(-30_000, -30_000), Law::Pcma.decode(Law::Pcma.encode(i16::MIN)));
        assert!(level(8_000, -8_000).abs() <= 8);
    }

    #[test]
    fn an_odd_number_of_samples_is_padded() {
        let file = mono(&stereo(&[1, ALAW_SILENCE, 2, ALAW_SILENCE, 3, ALAW_SILENCE])).unwrap();
        assert_eq!(file[..WAV_HEADER_BYTES], alaw_wav_header(Channels::Mono, 3));
        assert_eq!(samples(&file), [1, 2, 3, 0]);
    }

    #[test]
    fn pieces_give_what_the_whole_gives() {
        let file = stereo(&(0..200).collect::<Vec<u8>>());
        let (header, rest) = file.split_first_chunk().unwrap();
        assert_eq!(stereo_bytes(header), Some(200));
        let mut pieces = Vec::new();
        rest.chunks(64).for_each(|piece| mix(piece, &mut pieces));
        assert_eq!(samples(&mono(&file).unwrap()), pieces);
    }

    #[test]
    fn a_file_without_its_end_is_read_as_far_as_it_goes() {
        let file = stereo(&[7; 100]);
        assert_eq!(samples(&mono(&file[..file.len() - 41]).unwrap()).len(), 30, "29 and a byte of padding");
        assert!(mono(&file[..WAV_HEADER_BYTES]).is_some());
    }

    #[test]
    fn what_is_no_stereo_recording_of_ours_is_none() {
        let mut other_law = stereo(&[7; 100]);
        other_law[20] = 7;
        let mono_already = mono(&stereo(&[7; 100])).unwrap();
        for file in [&b""[..], &[0; 200], &other_law, &mono_already, &alaw_wav_header(Channels::Stereo, 3)] {
            assert_eq!(mono(file), None);
        }
    }
}
