//! Figures in English.

use super::piece::{Currency, Date, Figure, Measure, Number, Sign, Time};

/// The words of a figure, in small letters with single capitals, as [`Run`](super::Run) has them.
pub(super) fn words(figure: &Figure) -> String {
    match figure {
        Figure::Digits(digits) => one_by_one(digits),
        Figure::Number(number) | Figure::Count(number) => decimal(number),
        Figure::Percent(number) => format!("{} percent", decimal(number)),
        Figure::Permille(number) => format!("{} per mille", decimal(number)),
        Figure::Money(currency, number) => money(*currency, number),
        Figure::Measure(number, measure) => quantity(number, *measure),
        Figure::Date(date) => calendar(*date),
        Figure::Time(time) => clock(*time),
        Figure::Sign(sign) => self::sign(*sign).to_owned(),
    }
}

fn one_by_one(digits: &str) -> String {
    digits.bytes().map(|byte| ONES[usize::from(byte.wrapping_sub(b'0') % 10)]).collect::<Vec<_>>().join(" ")
}

fn decimal(number: &Number) -> String {
    let minus = if number.minus { "minus " } else { "" };
    let point = if number.fraction.is_empty() { "" } else { " point " };
    format!("{minus}{}{point}{}", cardinal(&number.whole), one_by_one(&number.fraction))
}

/// $12.50 is twelve dollars and fifty cents; what is finer is said as a decimal.
fn money(currency: Currency, number: &Number) -> String {
    let (one, many, cents) = match currency {
        Currency::Yuan => ("yuan", "yuan", None),
        Currency::Dollar => ("dollar", "dollars", Some(("cent", "cents"))),
        Currency::HongKongDollar => ("hong kong dollar", "hong kong dollars", Some(("cent", "cents"))),
        Currency::Euro => ("euro", "euros", Some(("cent", "cents"))),
        Currency::Pound => ("pound", "pounds", Some(("penny", "pence"))),
        Currency::Yen => ("yen", "yen", None),
    };
    let fraction = number.fraction.trim_end_matches('0');
    let whole = Number { fraction: String::new(), ..number.clone() };
    let named = if whole.whole == "1" { one } else { many };
    match (cents, fraction.len()) {
        (_, 0) => format!("{} {named}", decimal(&whole)),
        (Some((one, many)), 1 | 2) => {
            let count = format!("{fraction:0<2}");
            let count = count.trim_start_matches('0');
            let cents = format!("{} {}", cardinal(count), if count == "1" { one } else { many });
            match &*whole.whole {
                "0" if !whole.minus => cents,
                _ => format!("{} {named} and {cents}", decimal(&whole)),
            }
        }
        _ => format!("{} {many}", decimal(&Number { fraction: fraction.to_owned(), ..whole })),
    }
}

fn quantity(number: &Number, measure: Measure) -> String {
    let (one, many) = match measure {
        Measure::Kilogram => ("kilogram", "kilograms"),
        Measure::Kilometre => ("kilometer", "kilometers"),
        Measure::Centimetre => ("centimeter", "centimeters"),
        Measure::Millimetre => ("millimeter", "millimeters"),
        Measure::Millilitre => ("milliliter", "milliliters"),
        Measure::Celsius => ("degree celsius", "degrees celsius"),
        Measure::Degree => ("degree", "degrees"),
    };
    let single = number.whole == "1" && number.fraction.is_empty();
    format!("{} {}", decimal(number), if single { one } else { many })
}

fn calendar(Date { year, month, day }: Date) -> String {
    let month = MONTHS[usize::from(month - 1) % 12];
    format!("{month} {}, {}", ordinal(day), self::year(year))
}

/// 1999 is nineteen ninety nine, 2005 is two thousand five, 2024 is twenty twenty four.
fn year(year: u16) -> String {
    let (century, rest) = (year / 100, year % 100);
    match (century, rest) {
        (0..10, _) | (20, 0..10) => cardinal(&year.to_string()),
        (_, 0) if century % 10 == 0 => cardinal(&year.to_string()),
        (_, 0) => format!("{} hundred", below_hundred(century)),
        (_, 1..10) => format!("{} oh {}", below_hundred(century), below_hundred(rest)),
        _ => format!("{} {}", below_hundred(century), below_hundred(rest)),
    }
}

/// Afternoons on a clock of twelve hours; what may be a morning stays as it is written.
fn clock(time: Time) -> String {
    let (hour, half) = match time.hour {
        0 | 24 => (12, " A M"),
        hour @ 1..=12 => (hour, ""),
        hour => (hour - 12, " P M"),
    };
    let hour = below_hundred(hour.into());
    let minute = match time.minute {
        0 if half.is_empty() => " o'clock".to_owned(),
        0 => String::new(),
        minute @ 1..10 => format!(" oh {}", below_hundred(minute.into())),
        minute => format!(" {}", below_hundred(minute.into())),
    };
    let second = match time.second {
        None | Some(0) => String::new(),
        Some(1) => " and one second".to_owned(),
        Some(second) => format!(" and {} seconds", below_hundred(second.into())),
    };
    format!("{hour}{minute}{half}{second}")
}

const fn sign(sign: Sign) -> &'static str {
    match sign {
        Sign::Hash => "pound",
        Sign::Star => "star",
        Sign::At => "at",
        Sign::And => "and",
        Sign::Plus => "plus",
        Sign::Equals => "equals",
        Sign::Dot => "dot",
        Sign::To => "to",
    }
}

/// At most twelve digits.
fn cardinal(digits: &str) -> String {
    let number: u64 = digits.parse().unwrap_or_default();
    if number == 0 {
        return ONES[0].to_owned();
    }
    let mut words = Vec::new();
    for (name, size) in [("billion", 1_000_000_000), ("million", 1_000_000), ("thousand", 1_000)] {
        let count = number / size % 1_000;
        if count > 0 {
            words.push(format!("{} {name}", below_thousand(count)));
        }
    }
    if !number.is_multiple_of(1_000) {
        words.push(below_thousand(number % 1_000));
    }
    words.join(" ")
}

fn below_thousand(number: u64) -> String {
    let (hundreds, rest) = (number / 100, below_hundred(u16::try_from(number % 100).unwrap_or_default()));
    match (hundreds, number % 100) {
        (0, _) => rest,
        (_, 0) => format!("{} hundred", ONES[as_index(hundreds)]),
        _ => format!("{} hundred {rest}", ONES[as_index(hundreds)]),
    }
}

fn below_hundred(number: u16) -> String {
    let (tens, ones) = (usize::from(number / 10), usize::from(number % 10));
    match (number, ones) {
        (0..20, _) => ONES[usize::from(number)].to_owned(),
        (_, 0) => TENS[tens % 10].to_owned(),
        _ => format!("{} {}", TENS[tens % 10], ONES[ones]),
    }
}

/// 1 to 31.
fn ordinal(day: u8) -> String {
    let (tens, ones) = (usize::from(day / 10), usize::from(day % 10));
    match day {
        0..20 => ORDINALS[usize::from(day)].to_owned(),
        20 => "twentieth".to_owned(),
        30 => "thirtieth".to_owned(),
        _ => format!("{} {}", TENS[tens % 10], ORDINALS[ones]),
    }
}

fn as_index(digit: u64) -> usize {
    usize::try_from(digit).unwrap_or_default() % ONES.len()
}

const ONES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

const TENS: [&str; 10] =
    ["", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

const ORDINALS: [&str; 20] = [
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
