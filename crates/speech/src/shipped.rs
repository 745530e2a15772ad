//! Opens the shipped files while the compiler runs, so that a wrong file is a build error and nothing can fail later.

/// The A-law bytes of a WAV file as `scripts/voices` writes it: 58 bytes of header, mono, 8 kHz, format tag 6.
pub(crate) const fn payload(file: &'static [u8]) -> &'static [u8] {
    assert!(file.len() > HEADER, "a shipped clip is empty");
    let (header, rest) = file.split_at(HEADER);
    assert!(u16_at(header, 20) == 6, "a shipped clip is not A-law");
    assert!(u16_at(header, 22) == 1, "a shipped clip is not mono");
    assert!(u16_at(header, 24) == 8_000, "a shipped clip is not 8 kHz");
    let bytes = u16_at(header, 54) as usize | (u16_at(header, 56) as usize) << 16;
    assert!(bytes <= rest.len(), "a shipped clip is cut off");
    // What may follow is the byte that pads an odd chunk.
    rest.split_at(bytes).0
}

const fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// RIFF (12), `fmt ` (26), `fact` (12) and the head of `data` (8).
const HEADER: usize = 58;
