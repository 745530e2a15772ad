//! The vendor's `CallId`: 12 hexadecimal digits, then the second in which the call was accepted, 10 digits.
//!
//! ```text
//! 655e08e182c1 1590662652        10 bits of millisecond and 38 random bits, then 2020-05-28 18:44:12 in Beijing
//! ```
//!
//! A call's own id has 80 random bits and the text has room for 38 of them, so a text means a range of ids. Nobody finds
//! a second call in it: there would have to be two with equal bits in one millisecond.

use std::ops::RangeInclusive;

use base::id::CallId;
use base::time::Timestamp;

/// Digits of the first part.
const HEAD: usize = 12;

/// Digits of a second, from 2001 to 2286.
const SECONDS: usize = 10;

/// Random bits that the text holds, of those that an id has.
const SHOWN_BITS: u32 = 38;
const RANDOM_BITS: u32 = 80;
const HIDDEN_BITS: u32 = RANDOM_BITS - SHOWN_BITS;

/// Writes the name of a call.
#[must_use]
pub fn print(call: CallId) -> String {
    let millis = u128::try_from(call.at().millis().rem_euclid(1_000)).unwrap_or(0);
    let head = (millis << SHOWN_BITS) | (call.random() >> HIDDEN_BITS);
    format!("{head:0HEAD$x}{:0SECONDS$}", call.at().secs())
}

/// The calls that a name means. `None` for every text that [`print`] would not have written.
#[must_use]
pub fn find(text: &str) -> Option<RangeInclusive<CallId>> {
    let is_name = text.len() == HEAD + SECONDS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (head, seconds) = text.split_at_checked(HEAD).filter(|_| is_name)?;
    let head = u64::from_str_radix(head, 16).ok()?;
    let millis = i64::try_from(head >> SHOWN_BITS).ok().filter(|millis| *millis < 1_000)?;
    let at = Timestamp::from_millis(seconds.parse::<i64>().ok()? * 1_000 + millis);
    let shown = u128::from(head & ((1 << SHOWN_BITS) - 1)) << HIDDEN_BITS;
    let first = CallId::new(at, shown);
    (print(first) == text).then(|| first..=CallId::new(at, shown | ((1 << HIDDEN_BITS) - 1)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_looks_like_the_samples() {
        let call = CallId::new(Timestamp::from_millis(1_590_662_652_405), u128::MAX);
        let text = print(call);
        assert_eq!(text, "657fffffffff1590662652");
        for sample in ["655e08e182c11590662652", "58983af181721590663223"] {
            assert_eq!(find(sample).map(|found| print(*found.start())).as_deref(), Some(sample));
        }
    }

    #[test]
    fn what_we_did_not_write_is_no_call() {
        for text in [
            "",
            "655e08e182c1159066265",
            "655e08e182c115906626520",
            "655E08E182C11590662652",
            "655e08e182c1159066265a",
            "655e08e182c1+590662652",
            // More than 999 milliseconds.
            "fbdad845962b1586960833",
            "张张张张1590662652",
            "1202_566_0_20161228102743@n",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }

    /// The first second whose digits are too many.
    const YEAR_2286: i64 = 10_000_000_000_000;

    proptest! {
        #[test]
        fn every_call_is_among_those_that_its_name_means(millis in 1_000_000_000_000..YEAR_2286, random: u128) {
            let call = CallId::new(Timestamp::from_millis(millis), random);
            let found = find(&print(call)).unwrap();
            prop_assert!(found.contains(&call));
            prop_assert_eq!(print(*found.end()), print(call));
        }

        #[test]
        fn any_text_is_read_without_a_panic(text: String, form in "[0-9a-f]{20,24}") {
            let _ = find(&text);
            if let Some(found) = find(&form) {
                prop_assert_eq!(print(*found.start()), form);
            }
        }
    }
}
