//! Finds dates, times and numbers at the start of some characters. Pure; looks as far as its finding and a little beyond.

use super::piece::{Date, Number, Time};

/// A number as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// The digits before the point, without the commas between thousands.
    pub(super) whole: String,
    pub(super) fraction: String,
    /// It had commas between thousands.
    pub(super) grouped: bool,
    /// Its characters.
    pub(super) length: usize,
}

impl Written {
    /// As a quantity; `None` if it is too long to be one.
    pub(super) fn number(&self, minus: bool) -> Option<Number> {
        let whole = match self.whole.trim_start_matches('0') {
            "" => "0",
            whole => whole,
        };
        let fits = whole.len() <= WHOLE_DIGITS_MAX;
        fits.then(|| Number { minus, whole: whole.to_owned(), fraction: self.fraction.clone() })
    }
}

/// `2024/05/20` or `2024-5-20`, with the characters that it takes.
pub(super) fn date(rest: &[char]) -> Option<(Date, usize)> {
    let separator = *rest.get(4).filter(|c| matches!(c, '/' | '-'))?;
    let mut fields = Fields { rest, at: 0 };
    let year = fields.number(4..=4)?;
    fields.skip(separator)?;
    let month = u8::try_from(fields.number(1..=2)?).ok()?;
    fields.skip(separator)?;
    let day = u8::try_from(fields.number(1..=2)?).ok()?;
    let date = Date { year, month, day };
    let whole = !fields.goes_on(separator);
    (whole && in_calendar(date)).then_some((date, fields.at))
}

/// `14:30` or `14:30:05`, with the characters that it takes.
pub(super) fn time(rest: &[char]) -> Option<(Time, usize)> {
    let mut fields = Fields { rest, at: 0 };
    let hour = u8::try_from(fields.number(1..=2)?).ok()?;
    fields.skip(':')?;
    let minute = u8::try_from(fields.number(2..=2)?).ok()?;
    let second = if fields.goes_on(':') {
        fields.skip(':')?;
        Some(u8::try_from(fields.number(2..=2)?).ok()?)
    } else {
        None
    };
    let whole = !fields.goes_on(':');
    let shown = hour <= 23 || (hour == 24 && minute == 0 && second.unwrap_or(0) == 0);
    let fits = shown && minute <= 59 && second.unwrap_or(0) <= 59;
    (whole && fits).then_some((Time { hour, minute, second }, fields.at))
}

/// The number that `rest` begins with. Its digits are taken to the last, so nothing is looked at twice.
pub(super) fn written(rest: &[char]) -> Option<Written> {
    let first = digits(rest);
    if first == 0 {
        return None;
    }
    let mut found =
        Written { whole: text(&rest[..first]), fraction: String::new(), grouped: false, length: first };
    if first <= 3 && rest[0] != '0' {
        while let Some([',', group @ ..]) = rest.get(found.length..)
            && digits(group) == 3
            && found.whole.len() <= WHOLE_DIGITS_MAX
        {
            found.whole.extend(&group[..3]);
            found.grouped = true;
            found.length += 4;
        }
    }
    if let Some(['.', behind @ ..]) = rest.get(found.length..) {
        let count = digits(behind);
        // 1.2.3 is a version or an address and no decimal.
        let last = !matches!(behind.get(count..), Some(['.', next, ..]) if next.is_ascii_digit());
        if count > 0 && last {
            found.fraction = text(&behind[..count]);
            found.length += 1 + count;
        }
    }
    Some(found)
}

/// How many digits `rest` begins with.
pub(super) fn digits(rest: &[char]) -> usize {
    rest.iter().take_while(|c| c.is_ascii_digit()).count()
}

fn text(chars: &[char]) -> String {
    chars.iter().collect()
}

const fn in_calendar(date: Date) -> bool {
    let leap =
        date.year.is_multiple_of(4) && (!date.year.is_multiple_of(100) || date.year.is_multiple_of(400));
    let days = match date.month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    1 <= date.day && date.day <= days
}

/// Numbers with separators, read from left to right.
struct Fields<'a> {
    rest: &'a [char],
    at: usize,
}

impl Fields<'_> {
    /// A number of so many digits and no more.
    fn number(&mut self, lengths: std::ops::RangeInclusive<usize>) -> Option<u16> {
        let rest = self.rest.get(self.at..)?;
        let count = rest.iter().take(lengths.end() + 1).take_while(|c| c.is_ascii_digit()).count();
        if !lengths.contains(&count) {
            return None;
        }
        self.at += count;
        text(&rest[..count]).parse().ok()
    }

    fn skip(&mut self, separator: char) -> Option<()> {
        (self.rest.get(self.at) == Some(&separator)).then(|| self.at += 1)
    }

    /// Whether another field comes.
    fn goes_on(&self, separator: char) -> bool {
        matches!(self.rest.get(self.at..), Some([c, next, ..]) if *c == separator && next.is_ascii_digit())
    }
}

/// Digits of the longest number that is said as a quantity: below a million million.
pub(super) const WHOLE_DIGITS_MAX: usize = 12;
