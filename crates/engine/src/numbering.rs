//! Numbers as a trunk wants them written.

use std::borrow::Cow;

use base::number::E164;

/// One thing that is done to a number, in the order of a trunk's list; without any it goes out as `+` and digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// As it is dialled within China: mobiles and service numbers as they are, `0` before an area code, and `00` before
    /// the numbers of other countries.
    National,
    /// Without the `+`.
    Digits,
    /// Without this at the beginning, where it begins so.
    Strip(Box<str>),
    /// With this at the beginning.
    Add(Box<str>),
}

/// A number after a trunk's steps.
#[must_use]
pub fn written<'a>(number: &'a E164, steps: &[Step]) -> Cow<'a, str> {
    steps.iter().fold(Cow::Borrowed(number.as_str()), |number, step| match step {
        Step::National => national(number),
        Step::Digits => without(number, "+"),
        Step::Strip(prefix) => without(number, prefix),
        Step::Add(prefix) => Cow::Owned(format!("{prefix}{number}")),
    })
}

fn without<'a>(number: Cow<'a, str>, prefix: &str) -> Cow<'a, str> {
    match number {
        Cow::Borrowed(number) => Cow::Borrowed(number.strip_prefix(prefix).unwrap_or(number)),
        Cow::Owned(number) => Cow::Owned(number.strip_prefix(prefix).unwrap_or(&number).to_owned()),
    }
}

fn national(number: Cow<'_, str>) -> Cow<'_, str> {
    match number.strip_prefix(CHINA) {
        Some(rest) if has_area_code(rest) => Cow::Owned(format!("0{rest}")),
        Some(_) => without(number, CHINA),
        None => match number.strip_prefix('+') {
            Some(rest) => Cow::Owned(format!("00{rest}")),
            None => number,
        },
    }
}

/// Whether digits after +86 begin with an area code: they are neither a mobile, which has eleven of them, nor a service
/// number (1xx, 10xxx, 12xxx, 95xxx, 96xxx, 400, 800).
fn has_area_code(digits: &str) -> bool {
    match digits.as_bytes() {
        // Beijing is the only area whose code begins with 1.
        [b'1', b'0', rest @ ..] => (7..=8).contains(&rest.len()),
        [b'1', ..] => false,
        [b'9', b'5' | b'6', rest @ ..] => rest.len() > SERVICE_DIGITS,
        [b'4' | b'8', b'0', b'0', rest @ ..] => rest.len() != FREEPHONE_DIGITS,
        _ => true,
    }
}

const CHINA: &str = "+86";

/// Digits after the 95 or 96 of a service number, at most.
const SERVICE_DIGITS: usize = 6;

/// Digits after 400 or 800.
const FREEPHONE_DIGITS: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    fn told(number: &str, steps: &[Step]) -> String {
        written(&E164::parse(number).unwrap(), steps).into_owned()
    }

    #[test]
    fn a_number_goes_out_as_the_trunk_wants_it() {
        let (strip, add) = (|text: &str| Step::Strip(text.into()), |text: &str| Step::Add(text.into()));
        for (steps, wanted) in [
            (vec![], "+8613800000001"),
            (vec![Step::Digits], "8613800000001"),
            (vec![Step::National], "13800000001"),
            (vec![Step::National, add("9")], "913800000001"),
            (vec![strip("+86")], "13800000001"),
            (vec![strip("+86"), add("0")], "013800000001"),
            (vec![strip("+1"), Step::Digits, add("00")], "008613800000001"),
            (vec![Step::National, Step::National, Step::Digits], "13800000001"),
        ] {
            assert_eq!(told("+8613800000001", &steps), wanted, "{steps:?}");
        }
    }

    #[test]
    fn within_china_an_area_code_has_a_zero_and_nothing_else_has() {
        for (number, wanted) in [
            ("+8675500000001", "075500000001"),
            ("+861088888888", "01088888888"),
            ("+862188888888", "02188888888"),
            ("+8613800000001", "13800000001"),
            ("+8610086", "10086"),
            ("+8612345", "12345"),
            ("+8695588", "95588"),
            ("+8695500000001", "095500000001"),
            ("+864001234567", "4001234567"),
            ("+864780000001", "04780000001"),
            ("+85212345678", "0085212345678"),
        ] {
            assert_eq!(told(number, &[Step::National]), wanted, "{number}");
        }
    }
}
