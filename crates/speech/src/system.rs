//! The clips that ship with the platform: spoken by a machine, or calculated.

use base::clip::{CodeWording, SystemClip};

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
        SystemClip::BeforeCode(wording) => around_code(wording).before,
        SystemClip::AfterCode(wording) => around_code(wording).after,
        SystemClip::Digit(_) | SystemClip::Pause => &PAUSE,
    }
}

/// What is said around the digits of a verification code.
struct AroundCode {
    before: &'static [u8],
    after: &'static [u8],
}

const fn around_code(wording: CodeWording) -> AroundCode {
    match wording {
        CodeWording::Plain => PLAIN,
        CodeWording::Registration => REGISTRATION,
        CodeWording::LogIn => LOG_IN,
        CodeWording::PasswordReset => PASSWORD_RESET,
        CodeWording::Payment => PAYMENT,
    }
}

const PLAIN: AroundCode = AroundCode {
    before: payload(include_bytes!("../clips/zh/code-plain-before.wav")),
    after: payload(include_bytes!("../clips/zh/code-plain-after.wav")),
};
const REGISTRATION: AroundCode = AroundCode {
    before: payload(include_bytes!("../clips/zh/code-registration-before.wav")),
    after: payload(include_bytes!("../clips/zh/code-registration-after.wav")),
};
const LOG_IN: AroundCode = AroundCode {
    before: payload(include_bytes!("../clips/zh/code-log-in-before.wav")),
    after: payload(include_bytes!("../clips/zh/code-log-in-after.wav")),
};
const PASSWORD_RESET: AroundCode = AroundCode {
    before: payload(include_bytes!("../clips/zh/code-password-reset-before.wav")),
    after: payload(include_bytes!("../clips/zh/code-password-reset-after.wav")),
};
const PAYMENT: AroundCode = AroundCode {
    before: payload(include_bytes!("../clips/zh/code-payment-before.wav")),
    after: payload(include_bytes!("../clips/zh/code-payment-after.wav")),
};

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
