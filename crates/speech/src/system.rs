//! The clips that ship with the platform: spoken by a machine, or calculated.

use base::clip::SystemClip;

use crate::shipped::payload;

/// The A-law bytes of a system clip, 8,000 a second, without any header.
///
/// Never fails: a digit above nine, which no code contains, is a pause.
#[must_use]
pub const fn system(clip: SystemClip) -> &'static [u8] {
    match clip {
        SystemClip::Digit(digit) if (digit as usize) < DIGITS.len() => DIGITS[digit as usize],
        SystemClip::Transferring => TRANSFERRING,
        SystemClip::LastMinute => LAST_MINUTE,
        SystemClip::RingBack => RING_BACK,
        SystemClip::HintTone => HINT_TONE,
        SystemClip::Digit(_) | SystemClip::Pause => &PAUSE,
    }
}

const DIGITS: [&[u8]; 10] = [
    payload(include_bytes!("../clips/zh/digit-0.wav")),
    payload(include_bytes!("../clips/zh/digit-1.wav")),
    payload(include_bytes!("../clips/zh/digit-2.wav")),
    payload(include_bytes!("../clips/zh/digit-3.wav")),
    payload(include_bytes!("../clips/zh/digit-4.wav")),
    payload(include_bytes!("../clips/zh/digit-5.wav")),
    payload(include_bytes!("../clips/zh/digit-6.wav")),
    payload(include_bytes!("../clips/zh/digit-7.wav")),
    payload(include_bytes!("../clips/zh/digit-8.wav")),
    payload(include_bytes!("../clips/zh/digit-9.wav")),
];
const TRANSFERRING: &[u8] = payload(include_bytes!("../clips/zh/transferring.wav"));
const LAST_MINUTE: &[u8] = payload(include_bytes!("../clips/zh/last-minute.wav"));
const RING_BACK: &[u8] = payload(include_bytes!("../clips/zh/ringback.wav"));
const HINT_TONE: &[u8] = payload(include_bytes!("../clips/zh/hint-tone.wav"));

/// Half a second of A-law's smallest positive value: silence, and not a gap in the stream.
static PAUSE: [u8; 4_000] = [0xD5; 4_000];
