//! The clips that ship, as something to listen to: speech of two voices, and tones.

/// A clip by its name: A-law.
#[track_caller]
pub(crate) fn clip(name: &str) -> &'static [u8] {
    let found = CLIPS.iter().find(|(own, _)| *own == name);
    // A-law WAV files of ours: the samples come last.
    found.map(|(_, file)| &file[58..]).expect("there is such a clip")
}

/// The names of all.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    CLIPS.iter().map(|(name, _)| *name)
}

macro_rules! clips {
    ($($name:literal,)+) => {
        [$(($name, include_bytes!(concat!("../../../speech/clips/zh/", $name, ".wav")) as &[u8]),)+]
    };
}

static CLIPS: [(&str, &[u8]); 34] = clips![
    "again",
    "busy",
    "busy-tone",
    "code-is",
    "code-log-in-after",
    "code-log-in-before",
    "code-password-reset-after",
    "code-password-reset-before",
    "code-payment-after",
    "code-payment-before",
    "code-plain-after",
    "code-plain-before",
    "code-registration-after",
    "code-registration-before",
    "demo-callee",
    "demo-caller",
    "digit-0",
    "digit-1",
    "digit-1-yao",
    "digit-2",
    "digit-3",
    "digit-4",
    "digit-5",
    "digit-6",
    "digit-7",
    "digit-8",
    "digit-9",
    "empty-number",
    "hint-tone",
    "last-minute",
    "powered-off",
    "ringback",
    "transferring",
    "welcome",
];
