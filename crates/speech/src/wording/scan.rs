//! Cuts a text into pieces, from left to right, each character looked at a few times at most.

use super::figure::{Written, date, digits, time, written};
use super::piece::{Currency, Figure, Pause, Piece, Sign};
use super::units::{counter, currency_name, currency_sign, measure};
use crate::text::is_han;

/// The pieces of a text.
pub(super) fn scan(text: &str) -> Vec<Piece> {
    let chars: Vec<char> = text.chars().map(narrow).collect();
    let mut scanner = Scanner { chars: &chars, at: 0, pieces: Vec::new() };
    while let Some(c) = scanner.peek(0) {
        scanner.step(c);
    }
    scanner.pieces
}

struct Scanner<'a> {
    chars: &'a [char],
    at: usize,
    pieces: Vec<Piece>,
}

impl Scanner<'_> {
    /// Takes at least one character.
    fn step(&mut self, c: char) {
        match c {
            _ if is_han(c) => self.chinese(),
            '0'..='9' => self.figure(),
            _ if is_letter(c) => self.word(),
            _ => self.mark(c),
        }
    }

    fn chinese(&mut self) {
        let length = self.count(is_han);
        let text = self.take(length);
        self.pieces.push(Piece::Chinese(text));
    }

    /// A date, a time or a number.
    fn figure(&mut self) {
        if let Some((date, length)) = date(self.rest()) {
            self.at += length;
            // 2024-05-20T14:30:00
            let joined = matches!(self.rest(), ['T', rest @ ..] if time(rest).is_some());
            self.at += usize::from(joined);
            self.push(Figure::Date(date));
        } else if let Some((time, length)) = time(self.rest()) {
            self.at += length;
            self.push(Figure::Time(time));
        } else if let Some(written) = written(self.rest()) {
            match self.quantity(&written, false) {
                Some((figure, length)) => {
                    self.at += length;
                    self.push(figure);
                }
                None => self.digits(),
            }
        }
    }

    /// What a number is the number of, and the characters of both; `None` if its digits are said one by one.
    fn quantity(&self, written: &Written, minus: bool) -> Option<(Figure, usize)> {
        if self.after_dot() {
            return None;
        }
        let number = written.number(minus)?;
        let after = self.rest().get(usize::from(minus) + written.length..)?;
        let found = |figure, sign| Some((figure, written.length + sign));
        match after {
            ['%', ..] => return found(Figure::Percent(number), 1),
            ['‰', ..] => return found(Figure::Permille(number), 1),
            _ => {}
        }
        if let Some((currency, length)) = currency_name(after) {
            return found(Figure::Money(currency, number), length);
        }
        if let Some((measure, length)) = measure(after) {
            return found(Figure::Measure(number, measure), length);
        }
        let coded = written.whole.len() > 2 && written.whole.starts_with('0');
        let digits = if coded { usize::MAX } else { written.whole.len() };
        if self.peek_back() == Some('第') && digits <= ORDINAL_DIGITS_MAX {
            return found(Figure::Number(number), 0);
        }
        match counted(after, digits) {
            Some(true) => found(Figure::Count(number), 0),
            Some(false) => found(Figure::Number(number), 0),
            None if written.grouped || !written.fraction.is_empty() => found(Figure::Number(number), 0),
            None => None,
        }
    }

    fn digits(&mut self) {
        let length = digits(self.rest());
        let digits = self.take(length);
        self.push(Figure::Digits(digits));
    }

    fn word(&mut self) {
        let inner = |c: char| is_letter(c) || matches!(c, '\'' | '’');
        let length = self.count(inner);
        let word = self.take(length).replace('’', "'");
        let word = word.trim_end_matches('\'');
        let article = word == "A" && matches!(self.rest(), [' ', next, ..] if next.is_lowercase());
        let morning = word == "am" && matches!(self.pieces.last(), Some(Piece::Figure(_)));
        self.pieces.push(match () {
            () if article => Piece::Word("a".to_owned()),
            () if morning => Piece::Letters("AM".to_owned()),
            () => word_or_letters(word),
        });
    }

    /// Anything that is neither letter nor digit.
    fn mark(&mut self, c: char) {
        let next = self.peek(1);
        match c {
            '。' | '!' | '?' | ';' | '…' | '\n' | '\r' => self.pause(Pause::Long),
            '.' if self.inside() => self.sign(Sign::Dot),
            '.' => self.pause(Pause::Long),
            '，' | ',' | '、' | ':' | '(' | ')' | '[' | ']' | '{' | '}' | '【' | '】' | '|' | '/' | '\\' =>
            {
                self.pause(Pause::Short);
            }
            '-' | '—' | '–' | '~' if self.ranges(c) => self.sign(Sign::To),
            '-' if next.is_some_and(|c| c.is_ascii_digit()) => self.minus(),
            // A hyphen between letters belongs to the word.
            '-' if self.inside() => self.at += 1,
            '-' | '—' | '–' => self.pause(Pause::Short),
            ' ' => self.space(),
            '*' if next == Some('*') => {
                self.at += self.count(|c| c == '*') - 1;
                self.pause(Pause::Short);
            }
            '#' | '*' => {
                // 井号键 is said of both #键 and #号键.
                self.at += usize::from(next == Some('号'));
                self.sign(if c == '#' { Sign::Hash } else { Sign::Star });
            }
            '@' => self.sign(Sign::At),
            '&' => self.sign(Sign::And),
            '=' => self.sign(Sign::Equals),
            // Not in front of a telephone number.
            '+' if self.peek_back().is_some_and(|c| c.is_ascii_alphanumeric()) => self.sign(Sign::Plus),
            _ => match currency_sign(c) {
                Some(currency) => self.money(currency),
                // An unknown sign is not said.
                None => self.at += 1,
            },
        }
    }

    /// A sign of a currency with its number, or without one.
    fn money(&mut self, currency: Currency) {
        self.at += 1;
        self.at += usize::from(self.peek(0) == Some(' '));
        let number = written(self.rest()).and_then(|written| Some((written.number(false)?, written.length)));
        if let Some((number, length)) = number {
            self.at += length;
            self.push(Figure::Money(currency, number));
        }
    }

    /// A minus before a quantity; before anything else the line is a pause, as in a telephone number.
    fn minus(&mut self) {
        let sign = !self.peek_back().is_some_and(|c| c.is_ascii_alphanumeric());
        let quantity =
            written(&self.rest()[1..]).filter(|_| sign).and_then(|written| self.quantity(&written, true));
        match quantity {
            Some((figure, length)) => {
                self.at += 1 + length;
                self.push(figure);
            }
            None => self.pause(Pause::Short),
        }
    }

    /// Between words a space is nothing. Between groups of digits and between Chinese phrases it is a pause.
    fn space(&mut self) {
        self.at += self.count(|c| c == ' ');
        let digits = matches!(self.pieces.last(), Some(Piece::Figure(Figure::Digits(_))))
            && self.peek(0).is_some_and(|c| c.is_ascii_digit());
        let phrases =
            matches!(self.pieces.last(), Some(Piece::Chinese(_))) && self.peek(0).is_some_and(is_han);
        if digits || phrases {
            self.pieces.push(Piece::Pause(Pause::Short));
        }
    }

    /// Whether a line stands between two ends of a range: 9:00-12:00, 5%~10%, 3-5天, 3天-5天.
    fn ranges(&self, line: char) -> bool {
        let another = self.peek(1).is_some_and(|c| c.is_ascii_digit() || currency_sign(c).is_some());
        let one = match &*self.pieces {
            [.., Piece::Figure(Figure::Count(_)), Piece::Chinese(_)] => self.peek_back().is_some_and(is_han),
            [.., Piece::Figure(Figure::Digits(_))] => line == '~',
            [.., Piece::Figure(Figure::Sign(_))] => false,
            [.., Piece::Figure(_)] => true,
            _ => false,
        };
        another && one
    }

    /// Between two letters or digits, and not between two sentences without a space.
    fn inside(&self) -> bool {
        let (Some(before), Some(after)) = (self.peek_back(), self.peek(1)) else { return false };
        let sentences = before.is_ascii_lowercase() && after.is_ascii_uppercase();
        before.is_ascii_alphanumeric() && after.is_ascii_alphanumeric() && !sentences
    }

    fn after_dot(&self) -> bool {
        self.pieces.last() == Some(&Piece::Figure(Figure::Sign(Sign::Dot)))
    }

    fn pause(&mut self, pause: Pause) {
        self.at += 1;
        self.pieces.push(Piece::Pause(pause));
    }

    fn sign(&mut self, sign: Sign) {
        self.at += 1;
        self.push(Figure::Sign(sign));
    }

    fn push(&mut self, figure: Figure) {
        self.pieces.push(Piece::Figure(figure));
    }

    /// The next `length` characters.
    fn take(&mut self, length: usize) -> String {
        let text = self.rest()[..length].iter().collect();
        self.at += length;
        text
    }

    /// How many of the next characters are so.
    fn count(&self, so: impl Fn(char) -> bool) -> usize {
        self.rest().iter().take_while(|c| so(**c)).count()
    }

    fn rest(&self) -> &[char] {
        &self.chars[self.at..]
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest().get(ahead).copied()
    }

    fn peek_back(&self) -> Option<char> {
        self.chars[..self.at].last().copied()
    }
}

/// Whether something counts a number of so many digits, by itself or behind the other end of a range; if so, whether
/// two of it are a pair.
fn counted(after: &[char], digits_before: usize) -> Option<bool> {
    if let Some(counter) = counter(after, digits_before) {
        return Some(counter.pair);
    }
    let ['-' | '~' | '—' | '–' | '至' | '到', rest @ ..] = after else { return None };
    let length = digits(&rest[..rest.len().min(RANGE_DIGITS_MAX)]);
    let other = rest.get(length..).filter(|_| length > 0 && digits_before <= RANGE_DIGITS_MAX)?;
    match other {
        ['%' | '‰', ..] => Some(false),
        _ if currency_name(other).is_some() || measure(other).is_some() => Some(true),
        _ => counter(other, digits_before.max(length)).map(|counter| counter.pair),
    }
}

/// Letters are said one by one if there are few and all are capitals, or if they cannot be said otherwise.
fn word_or_letters(word: &str) -> Piece {
    let small = word.to_lowercase();
    if let Some((_, long)) = ABBREVIATIONS.iter().find(|(short, _)| *short == small) {
        return Piece::Word((*long).to_owned());
    }
    let letters = word.chars().count();
    let capitals = word.chars().all(char::is_uppercase) && letters <= CAPITALS_MAX;
    let mute = letters <= CAPITALS_MAX && !small.contains(['a', 'e', 'i', 'o', 'u', 'y', 'é', 'ö', 'ü', 'ä']);
    if word.is_ascii() && (capitals || mute) {
        Piece::Letters(word.to_uppercase())
    } else {
        Piece::Word(small)
    }
}

/// Letters of English and of its neighbours.
const fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{FF}')
}

/// Full-width forms become what they are forms of. The Chinese comma stays, since it never stands between thousands.
const fn narrow(c: char) -> char {
    match c {
        '，' => c,
        '\u{FF01}'..='\u{FF5E}' => match char::from_u32(c as u32 - 0xFEE0) {
            Some(narrow) => narrow,
            None => c,
        },
        '\u{3000}' | '\u{A0}' | '\t' => ' ',
        _ => c,
    }
}

const ABBREVIATIONS: &[(&str, &str)] =
    &[("mr", "mister"), ("mrs", "missus"), ("ms", "miss"), ("dr", "doctor"), ("vs", "versus")];

/// Letters of the longest word in capitals that is rather an abbreviation.
const CAPITALS_MAX: usize = 5;

/// Digits behind 第 that are still an ordinal number.
const ORDINAL_DIGITS_MAX: usize = 4;

/// Digits of each end of a range.
const RANGE_DIGITS_MAX: usize = 6;
