//! What a text is made of, before any of it is put into words.

/// A part of a text that is said in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Chinese characters.
    Chinese(String),
    /// An English word in small letters.
    Word(String),
    /// Letters said one by one, in capitals.
    Letters(String),
    /// Something that each language has its own words for.
    Figure(Figure),
    /// No sound.
    Pause(Pause),
}

/// What each language has its own words for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Figure {
    /// Digits said one by one: a code, a telephone number, a year.
    Digits(String),
    /// How much, on its own.
    Number(Number),
    /// How many of what comes next.
    Count(Number),
    Percent(Number),
    Permille(Number),
    Money(Currency, Number),
    Measure(Number, Measure),
    Date(Date),
    Time(Time),
    Sign(Sign),
}

/// A decimal number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) minus: bool,
    /// 1 to [`WHOLE_DIGITS_MAX`](super::figure::WHOLE_DIGITS_MAX) digits; the first is no zero, unless it is the only one.
    pub(super) whole: String,
    /// The digits behind the point, if any.
    pub(super) fraction: String,
}

/// A day that is in the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    /// 0 to 9999
    pub(super) year: u16,
    /// 1 to 12
    pub(super) month: u8,
    /// 1 to 31
    pub(super) day: u8,
}

/// A time that a clock shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Time {
    /// 0 to 24
    pub(super) hour: u8,
    /// 0 to 59
    pub(super) minute: u8,
    /// 0 to 59
    pub(super) second: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Currency {
    Yuan,
    Dollar,
    HongKongDollar,
    Euro,
    Pound,
    Yen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    Kilogram,
    Kilometre,
    Centimetre,
    Millimetre,
    Millilitre,
    Celsius,
    Degree,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Hash,
    Star,
    At,
    And,
    Plus,
    Equals,
    Dot,
    To,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// As at a comma.
    Short,
    /// As at a full stop.
    Long,
}

impl Number {
    /// Exactly two, which Chinese has a word of its own for when it counts.
    pub(super) fn is_two(&self) -> bool {
        self.whole == "2" && self.fraction.is_empty()
    }
}
