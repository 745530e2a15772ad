//! From a text as it is written to the words that are said. Pure; never fails; takes time in proportion to the text.
//!
//! ```text
//! "您的验证码1234，12:30前有效"  ─▶  您的验证码一二三四，十二点三十分前有效
//! ```
//!
//! Digits are said one by one, as in codes and telephone numbers, unless something beside them says that they are a
//! date, a time, an amount or a count. What has no sound, such as a picture, is left out.

use std::fmt;

use crate::text::{Language, Text};

use self::piece::{Pause, Piece};

mod chinese;
mod english;
mod figure;
mod piece;
mod scan;
mod units;

/// The words of a text, cut where the language changes.
#[derive(Clone, PartialEq, Eq)]
pub struct Wording {
    language: Language,
    runs: Vec<Run>,
}

/// Words of one language, with pauses between them.
#[derive(Clone, PartialEq, Eq)]
pub struct Run {
    /// Their language.
    pub language: Language,
    /// In Chinese, characters with `，` and `。`. In English, words in small letters and letters to be said one by one
    /// in capitals, with spaces between them and with `,` and `.` behind them.
    pub words: String,
}

impl Wording {
    /// The words of a text.
    #[must_use]
    pub fn of(text: &Text) -> Self {
        let mut wording = Self { language: text.language(), runs: Vec::new() };
        for piece in scan::scan(text.words()) {
            wording.add(&piece);
        }
        wording
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

    /// The runs in their order; none is empty, and none has the language of the one before it.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// All runs as one text.
    #[must_use]
    pub fn joined(&self) -> String {
        self.runs.iter().map(|run| &*run.words).collect::<Vec<_>>().join(" ")
    }

    fn add(&mut self, piece: &Piece) {
        match (piece, self.language) {
            (Piece::Chinese(text), _) => self.say(Language::Chinese, text),
            (Piece::Word(word), _) => self.say(Language::English, word),
            (Piece::Letters(letters), _) => {
                for letter in letters.chars() {
                    self.say(Language::English, letter.encode_utf8(&mut [0; 4]));
                }
            }
            (Piece::Figure(figure), Language::Chinese) => {
                self.say(Language::Chinese, &chinese::words(figure));
            }
            (Piece::Figure(figure), Language::English) => {
                self.say(Language::English, &english::words(figure));
            }
            (Piece::Pause(pause), _) => self.pause(*pause),
        }
    }

    fn say(&mut self, language: Language, words: &str) {
        match self.runs.last_mut() {
            Some(run) if run.language == language => {
                run.words.push_str(if language == Language::English { " " } else { "" });
                run.words.push_str(words);
            }
            _ => self.runs.push(Run { language, words: words.to_owned() }),
        }
    }

    /// Pauses behind what was said. Of several only the longest is made.
    fn pause(&mut self, pause: Pause) {
        let Some(run) = self.runs.last_mut() else { return };
        let (short, long) = match run.language {
            Language::Chinese => ('，', '。'),
            Language::English => (',', '.'),
        };
        match (run.words.chars().last(), pause) {
            (Some(last), Pause::Short) if last == short || last == long => {}
            (Some(last), Pause::Long) if last == long => {}
            (Some(last), Pause::Long) if last == short => {
                run.words.pop();
                run.words.push(long);
            }
            (_, Pause::Short) => run.words.push(short),
            (_, Pause::Long) => run.words.push(long),
        }
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
