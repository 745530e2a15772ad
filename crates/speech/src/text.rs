//! What is to be said, as a caller gives it.

use std::fmt;

use base::private::Private;

/// A text to be spoken, with how it is to be spoken and for how long its sound may be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    words: Private<Box<str>>,
    language: Language,
    speed: Speed,
    keep: Keep,
}

/// The language that numbers and dates of a text are read in. Words of the other one are still spoken as their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// Mandarin.
    Chinese,
    /// American English.
    English,
}

/// How fast: 0.5 to 2 times the voice's own speed, in steps of a hundredth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Speed(u16);

/// How long the sound of a text may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keep {
    /// On disk: the text is the same for everybody who hears it.
    OnDisk,
    /// In memory and for minutes: something in the text is about one person, such as a name or an amount.
    Briefly,
}

/// The text cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    /// Longer than any text of a call.
    #[error("the text has {bytes} bytes and may have {TEXT_BYTES_MAX}: make it shorter")]
    TooLong {
        /// Its bytes.
        bytes: usize,
    },
    /// The speed is not one.
    #[error("the speed is between 0.5 and 2")]
    Speed,
}

impl Text {
    /// A text in the language of its letters, at the voice's own speed, whose sound is kept [`Keep::Briefly`]: who knows
    /// that nobody is named in it says so with [`Text::kept`].
    ///
    /// # Errors
    ///
    /// [`TextFault::TooLong`] past [`TEXT_BYTES_MAX`].
    pub fn new(words: &str) -> Result<Self, TextFault> {
        if words.len() > TEXT_BYTES_MAX {
            return Err(TextFault::TooLong { bytes: words.len() });
        }
        Ok(Self {
            words: Private::new(words.into()),
            language: Language::of(words),
            speed: Speed::NORMAL,
            keep: Keep::Briefly,
        })
    }

    /// The same, with numbers read in this language.
    #[must_use]
    pub fn in_language(self, language: Language) -> Self {
        Self { language, ..self }
    }

    /// The same at another speed.
    #[must_use]
    pub fn at(self, speed: Speed) -> Self {
        Self { speed, ..self }
    }

    /// The same, kept for another time.
    #[must_use]
    pub fn kept(self, keep: Keep) -> Self {
        Self { keep, ..self }
    }

    /// What is said. Private: it may hold a code or a name.
    #[must_use]
    pub fn words(&self) -> &str {
        self.words.expose()
    }

    /// The language of numbers and dates.
    #[must_use]
    pub const fn language(&self) -> Language {
        self.language
    }

    /// How fast.
    #[must_use]
    pub const fn speed(&self) -> Speed {
        self.speed
    }

    /// How long its sound may be kept.
    #[must_use]
    pub const fn keep(&self) -> Keep {
        self.keep
    }
}

impl Language {
    /// Chinese if there is a Chinese character in it, or no letter at all; otherwise English.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let english = text.chars().any(|c| c.is_ascii_alphabetic()) && !text.chars().any(is_han);
        if english { Self::English } else { Self::Chinese }
    }

    /// The tag of BCP 47.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en-US",
        }
    }
}

impl Speed {
    /// The voice's own speed.
    pub const NORMAL: Self = Self(100);

    /// So many times the voice's own speed.
    ///
    /// # Errors
    ///
    /// [`TextFault::Speed`] outside 0.5 to 2.
    pub fn times(factor: f32) -> Result<Self, TextFault> {
        if !(0.5..=2.0).contains(&factor) {
            return Err(TextFault::Speed);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "50 to 200")]
        Ok(Self((factor * 100.0).round() as u16))
    }

    /// Times the voice's own speed.
    #[must_use]
    pub fn factor(self) -> f32 {
        f32::from(self.0) / 100.0
    }
}

impl Default for Speed {
    fn default() -> Self {
        Self::NORMAL
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.factor())
    }
}

/// A character that has a Mandarin reading: the unified ideographs, their first extension, and 〇.
pub(crate) const fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '〇')
}

/// Bytes of a text. A template has 900 at most, and each of its variables, 8 bytes or more, becomes 32 at most.
pub const TEXT_BYTES_MAX: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_language_of_its_letters() {
        for (text, language) in [
            ("您好", Language::Chinese),
            ("您的 iPhone 已发货", Language::Chinese),
            ("Your parcel is here", Language::English),
            ("12:30", Language::Chinese),
            ("", Language::Chinese),
        ] {
            assert_eq!(Language::of(text), language, "{text}");
        }
    }

    #[test]
    fn a_speed_is_between_half_and_double() {
        for factor in [0.49, 2.01, f32::NAN, -1.0, f32::INFINITY] {
            assert_eq!(Speed::times(factor), Err(TextFault::Speed), "{factor}");
        }
        assert_eq!(Speed::times(0.5).unwrap().factor(), 0.5);
        assert_eq!(Speed::times(1.0).unwrap(), Speed::NORMAL);
        assert_eq!(Speed::times(1.25).unwrap().to_string(), "1.25");
    }

    #[test]
    fn a_text_is_bounded_and_not_shown() {
        assert!(Text::new(&"a".repeat(TEXT_BYTES_MAX)).is_ok());
        assert!(Text::new(&"a".repeat(TEXT_BYTES_MAX + 1)).is_err());
        assert!(!format!("{:?}", Text::new("您的验证码是 4711").unwrap()).contains("4711"));
    }
}
