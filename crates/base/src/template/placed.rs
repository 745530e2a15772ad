//! Texts whose places are filled in their order: `您的快递已到${TXT_20}，请于${DATE}，${TIME}前领取。`
//!
//! | place | takes |
//! | --- | --- |
//! | `${TXT_n}` | at most `n` bytes of text, `n` 1 to 32 |
//! | `${NUM_n}` | at most `n` digits, `n` 1 to 32 |
//! | `${DATE}` | `2026/01/31` |
//! | `${TIME}` | `23:59` or `23:59:59` |

use chrono::NaiveDate;

use super::BadTemplate;

/// A text with its places, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Words(Box<str>),
    Place(Place),
}

/// What a place takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At most so many bytes of text.
    Text(u8),
    /// At most so many digits.
    Digits(u8),
    /// A day.
    Date,
    /// A time of day.
    Time,
}

/// Why values do not fill a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// There are more or fewer values than places.
    Count,
    /// The value at that position, from 0, does not fit its place.
    Value(usize),
}

impl Placed {
    /// Reads a text.
    ///
    /// # Errors
    /// [`BadTemplate`].
    pub fn parse(text: &str) -> Result<Self, BadTemplate> {
        if text.is_empty() || text.len() > BYTES_MAX {
            return Err(BadTemplate::Length);
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((words, after)) = rest.split_once("${") {
            let (place, after) = after.split_once('}').ok_or(BadTemplate::Place)?;
            if !words.is_empty() {
                pieces.push(Piece::Words(words.into()));
            }
            pieces.push(Piece::Place(Place::parse(place).ok_or(BadTemplate::Place)?));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Words(rest.into()));
        }
        Ok(Self { pieces })
    }

    /// Its places, in order.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Place(place) => Some(*place),
            Piece::Words(_) => None,
        })
    }

    /// What stands between its places.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Words(words) => Some(&**words),
            Piece::Place(_) => None,
        })
    }

    /// The text with the values in its places.
    ///
    /// # Errors
    /// [`Misfit`].
    pub fn fill<'a>(&'a self, values: &[&'a str]) -> Result<String, Misfit> {
        if values.len() != self.places().count() {
            return Err(Misfit::Count);
        }
        let misfit = self.places().zip(values).position(|(place, value)| !place.takes(value));
        if let Some(position) = misfit {
            return Err(Misfit::Value(position));
        }
        let mut values = values.iter();
        let word = |piece: &'a Piece| match piece {
            Piece::Words(words) => Some(&**words),
            Piece::Place(_) => values.next().copied(),
        };
        Ok(self.pieces.iter().filter_map(word).collect())
    }
}

impl Place {
    fn parse(name: &str) -> Option<Self> {
        let room = |digits: &str| digits.parse().ok().filter(|room| (1..=ROOM_MAX).contains(room));
        match name {
            "DATE" => Some(Self::Date),
            "TIME" => Some(Self::Time),
            _ => match name.split_once('_')? {
                ("TXT", digits) => room(digits).map(Self::Text),
                ("NUM", digits) => room(digits).map(Self::Digits),
                _ => None,
            },
        }
    }

    /// Whether the value fits.
    #[must_use]
    pub fn takes(self, value: &str) -> bool {
        match self {
            Self::Text(room) => !value.is_empty() && value.len() <= room.into(),
            Self::Digits(room) => {
                !value.is_empty()
                    && value.len() <= room.into()
                    && value.bytes().all(|byte| byte.is_ascii_digit())
            }
            Self::Date => is_date(value),
            Self::Time => is_time(value),
        }
    }
}

fn is_date(value: &str) -> bool {
    let shape = value.len() == 10 && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'/');
    shape && NaiveDate::parse_from_str(value, "%Y/%m/%d").is_ok()
}

fn is_time(value: &str) -> bool {
    let below = |text: &str, end: u8| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits && text.parse::<u8>().is_ok_and(|number| number < end)
    };
    let fields: Vec<&str> = value.split(':').collect();
    match fields[..] {
        [hour, minute] => below(hour, 24) && below(minute, 60),
        [hour, minute, second] => below(hour, 24) && below(minute, 60) && below(second, 60),
        _ => false,
    }
}

/// Bytes of such a template, as documented.
pub const BYTES_MAX: usize = 900;

/// Bytes of what a place takes, as documented.
const ROOM_MAX: u8 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_their_places() {
        let template = Placed::parse("尊敬的${TXT_6}，验证码${NUM_6}，${DATE}，${TIME}前有效").unwrap();
        let full = template.fill(&["张三", "123456", "2026/01/31", "23:59"]);
        assert_eq!(full.as_deref(), Ok("尊敬的张三，验证码123456，2026/01/31，23:59前有效"));
        assert_eq!(template.fill(&["张三"]), Err(Misfit::Count));
        assert_eq!(template.fill(&["张三", "12a456", "2026/01/31", "23:59"]), Err(Misfit::Value(1)));
        assert_eq!(Placed::parse("您好").unwrap().fill(&[]).as_deref(), Ok("您好"));
    }

    #[test]
    fn a_value_fits_its_place_or_not() {
        for (place, value, fits) in [
            ("TXT_9", "九个字节嘛", false),
            ("TXT_9", "三字符", true),
            ("TXT_9", "1.5", true),
            ("TXT_9", "", false),
            ("NUM_6", "abc", false),
            ("NUM_6", "1234567", false),
            ("NUM_6", "１２", false),
            ("DATE", "2026/02/29", false),
            ("DATE", "2024/02/29", true),
            ("DATE", "2024-02-29", false),
            ("DATE", "2024/2/29", false),
            ("TIME", "25:00", false),
            ("TIME", "23:59:60", false),
            ("TIME", "+1:00", false),
            ("TIME", "09:05:00", true),
            ("TIME", "9:05", false),
        ] {
            assert_eq!(Place::parse(place).unwrap().takes(value), fits, "{place} {value}");
        }
    }

    #[test]
    fn what_is_no_template_is_said() {
        for (text, fault) in [
            ("", BadTemplate::Length),
            ("${TXT_0}", BadTemplate::Place),
            ("${TXT_33}", BadTemplate::Place),
            ("${NAME}", BadTemplate::Place),
            ("${TXT_9", BadTemplate::Place),
            (&"好".repeat(301), BadTemplate::Length),
        ] {
            assert_eq!(Placed::parse(text), Err(fault), "{text}");
        }
    }
}
