//! The names of voice files.

use std::fmt;
use std::str::FromStr;

/// The name of a voice file as an order gives it: `welcome.wav`.
///
/// Letters, digits, `-`, `_`, `.` and `@`, then `.wav`, at most 127 characters. It is a key in a table and never a
/// part of a path: on disk a clip is called by its content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VoiceName(Box<str>);

/// The text is no name of a voice file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a voice file is named by 1 to 123 letters, digits, '-', '_', '.' or '@', and then '.wav'")]
pub struct BadVoiceName;

impl VoiceName {
    /// The name, if it is one.
    ///
    /// # Errors
    ///
    /// [`BadVoiceName`] if a character or the length is not allowed, or the end is not `.wav` in small letters.
    pub fn parse(text: &str) -> Result<Self, BadVoiceName> {
        let stem = text.strip_suffix(SUFFIX).ok_or(BadVoiceName)?;
        let fits = (1..=STEM_BYTES_MAX).contains(&stem.len()) && stem.bytes().all(allowed);
        if fits { Ok(Self(text.into())) } else { Err(BadVoiceName) }
    }

    /// The name with its `.wav`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for VoiceName {
    type Err = BadVoiceName;

    fn from_str(text: &str) -> Result<Self, BadVoiceName> {
        Self::parse(text)
    }
}

impl fmt::Display for VoiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const fn allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@')
}

const SUFFIX: &str = ".wav";

/// The wire field that carries a name has at most 128 characters and at least one is lost to somebody's terminator.
const STEM_BYTES_MAX: usize = 123;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_word_and_its_ending() {
        let longest = format!("{}.wav", "a".repeat(123));
        for good in ["welcome.wav", "a.wav", "pre_tone-2@app.v1.wav", "..wav", "7.wav", &longest] {
            assert_eq!(VoiceName::parse(good).map(|name| name.to_string()).as_deref(), Ok(good));
        }
    }

    #[test]
    fn nothing_else_is_a_name() {
        let long = format!("{}.wav", "a".repeat(124));
        let path = ["../a.wav", "/etc/a.wav", "a\\b.wav", "a/b.wav", "a\0.wav", "a\n.wav"];
        for bad in ["", ".wav", "a", "a.WAV", "a.mp3", "a.wav ", "a b.wav", "语.wav", "a.wav.exe", &long] {
            assert_eq!(VoiceName::parse(bad), Err(BadVoiceName), "{bad:?}");
        }
        assert!(path.iter().all(|bad| VoiceName::parse(bad).is_err()));
    }
}
