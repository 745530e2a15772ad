//! From a text as it is written to the words that are said.

use std::fmt;

use crate::text::{Language, Text, is_han};

/// The words of a text, cut where the language changes.
#[derive(Clone, PartialEq, Eq)]
pub struct Wording {
    language: Language,
    runs: Vec<Run>,
}

/// Words of one language with commas and full stops for pauses.
#[derive(Clone, PartialEq, Eq)]
pub struct Run {
    /// Their language.
    pub language: Language,
    /// Chinese characters, or English words in small letters and single letters in capitals; `,` and `.` between them.
    pub words: String,
}

impl Wording {
    /// The words of a text.
    #[must_use]
    pub fn of(text: &Text) -> Self {
        let mut runs: Vec<Run> = Vec::new();
        for c in text.words().chars() {
            let language = match c {
                _ if is_han(c) => Language::Chinese,
                _ if c.is_ascii_alphabetic() => Language::English,
                _ => continue,
            };
            match runs.last_mut() {
                Some(run) if run.language == language => run.words.push(c),
                _ => runs.push(Run { language, words: c.to_string() }),
            }
        }
        Self { language: text.language(), runs }
    }

    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The language of numbers and dates.
    #[must_use]
    pub const fn language(&self) -> Language {
        self.language
    }

    /// The runs in their order.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// All runs as one text.
    #[must_use]
    pub fn joined(&self) -> String {
        self.runs.iter().map(|run| &*run.words).collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Debug for Wording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wording({:?}, {} runs)", self.language, self.runs.len())
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Run({:?}, {} bytes)", self.language, self.words.len())
    }
}
