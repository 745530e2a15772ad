//! Telephone numbers as customers in China write them, without the `+86` of the international form.
//!
//! ```text
//! 13800000000                       a mobile telephone
//! 075500000001  75500000001         a fixed one, with and without the 0 before its area
//! 4008000000  95500                 a number of a service
//! ```

use base::account::{Account, NumberState};
use base::number::E164;
use base::refusal::Refusal;

const CHINA: &str = "86";

/// The mobile number of mainland China that the 11 digits are.
pub(super) fn mobile(text: &str) -> Option<E164> {
    let [b'1', b'3'..=b'9', rest @ ..] = text.as_bytes() else { return None };
    let form = rest.len() == 9 && rest.iter().all(u8::is_ascii_digit);
    form.then(|| E164::parse(&format!("+{CHINA}{text}")).ok()).flatten()
}

/// The app's number that `Caller` means; when it says nothing, the first that may be shown.
pub(in crate::ksyun) fn shown(account: &Account, caller: Option<&str>) -> Result<E164, Refusal> {
    let found = match caller {
        Some(text) => {
            account.numbers.iter().find(|own| means(text, &own.number)).ok_or(Refusal::NumberNotOwned)?
        }
        None => {
            let active = account.numbers.iter().find(|own| own.state == NumberState::Active);
            // Where all are paused, that is what is told.
            active.or_else(|| account.numbers.first()).ok_or(Refusal::NoNumbers)?
        }
    };
    Ok(found.number.clone())
}

/// Whether the text is a way to write the number.
fn means(text: &str, number: &E164) -> bool {
    let whole = number.digits();
    match whole.strip_prefix(CHINA) {
        Some(national) => [whole, national].contains(&text) || text.strip_prefix('0') == Some(national),
        None => text == whole,
    }
}

/// The number that a telephone showed: as the customer wrote it, if that is the one they asked for.
pub(in crate::ksyun) fn displayed(number: &E164, asked: &str) -> String {
    if means(asked, number) { asked.to_owned() } else { print(number) }
}

/// The number as telephones in China show it.
pub(in crate::ksyun) fn print(number: &E164) -> String {
    let whole = number.digits();
    match whole.strip_prefix(CHINA) {
        Some(national) if is_of_an_area(national) => format!("0{national}"),
        Some(national) => national.to_owned(),
        None => whole.to_owned(),
    }
}

/// Whether a number begins with an area, which takes a 0 before it. Mobile numbers and those of services do not: they
/// begin with 1, 400, 800 and 95 or 96.
fn is_of_an_area(national: &str) -> bool {
    let services = ["1", "400", "800", "95", "96"];
    // Beijing's area is 10: its fixed numbers have ten digits, mobile ones eleven.
    let beijing = national.starts_with("10") && national.len() == 10;
    beijing || !services.iter().any(|start| national.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> E164 {
        E164::parse(text).unwrap()
    }

    #[test]
    fn a_mobile_number_has_eleven_digits() {
        assert_eq!(mobile("13800000000"), Some(number("+8613800000000")));
        assert_eq!(mobile("19900000000"), Some(number("+8619900000000")));
        for bad in [
            "",
            "1380000000",
            "138000000000",
            "+8613800000000",
            "8613800000000",
            "12800000000",
            "23800000000",
            "1380000000a",
            "13800000000,13800000001",
            "１３８０００００００",
            " 13800000000",
        ] {
            assert_eq!(mobile(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_number_is_known_in_each_of_its_spellings() {
        for (own, text) in [
            ("+8613800000000", "13800000000"),
            ("+8675500000001", "075500000001"),
            ("+8675500000001", "75500000001"),
            ("+8675500000001", "8675500000001"),
            ("+8695500", "95500"),
            ("+864008000000", "4008000000"),
            ("+85212345678", "85212345678"),
        ] {
            assert!(means(text, &number(own)), "{text}");
        }
        for (own, text) in [
            ("+8675500000001", ""),
            ("+8675500000001", "00000001"),
            ("+8675500000001", "0075500000001"),
            ("+8675500000001", "+8675500000001"),
            ("+85212345678", "12345678"),
        ] {
            assert!(!means(text, &number(own)), "{text}");
        }
    }

    #[test]
    fn a_number_is_shown_as_telephones_show_it() {
        for (own, text) in [
            ("+8613800000000", "13800000000"),
            ("+8675500000001", "075500000001"),
            ("+861000000001", "01000000001"),
            ("+8695500", "95500"),
            ("+864008000000", "4008000000"),
            ("+8610086", "10086"),
            ("+85212345678", "85212345678"),
        ] {
            assert_eq!(print(&number(own)), text, "{own}");
        }
    }
}
