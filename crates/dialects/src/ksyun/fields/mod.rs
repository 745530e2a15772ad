//! The parameters of the actions as customers really send them: [`form`] reads them off the wire, [`json`] the values of
//! templates, [`number`] telephone numbers; here is what each of them must be.

pub(super) mod form;
pub(super) mod json;
pub(super) mod number;

use std::num::NonZeroU8;
use std::sync::Arc;

use base::clip::Values;
use base::number::E164;
use base::private::Private;
use base::refusal::Refusal;
use form::Parameters;
use json::Member;

/// The value of a parameter that must be there.
pub(super) fn required<'a>(parameters: &'a Parameters, name: &'static str) -> Result<&'a str, Refusal> {
    parameters.value(name).ok_or(Refusal::BadField { name })
}

/// `Mobile`: who is called, a mobile number of mainland China in 11 digits.
pub(super) fn mobile(parameters: &Parameters) -> Result<E164, Refusal> {
    const NAME: &str = "Mobile";

    let text = required(parameters, NAME)?;
    number::mobile(text).ok_or(Refusal::BadField { name: NAME })
}

/// `TplId`: a whole number in its shortest form.
pub(super) fn template(parameters: &Parameters) -> Result<&str, Refusal> {
    const NAME: &str = "TplId";
    /// Digits of the biggest id that a signed number of 64 bits holds.
    const DIGITS_MAX: usize = 19;

    let text = required(parameters, NAME)?;
    let is_id = text.len() <= DIGITS_MAX && is_digits(text) && !text.starts_with('0');
    if is_id { Ok(text) } else { Err(Refusal::BadField { name: NAME }) }
}

/// `Code`: 4 to 8 digits.
pub(super) fn code(parameters: &Parameters) -> Result<Private<Vec<u8>>, Refusal> {
    const NAME: &str = "Code";

    let text = required(parameters, NAME)?;
    if !(4..=8).contains(&text.len()) || !is_digits(text) {
        return Err(Refusal::BadField { name: NAME });
    }
    Ok(Private::new(text.bytes().map(|byte| byte - b'0').collect()))
}

/// `PlayTimes`: 1 or 2, and 2 when it is not said.
pub(super) fn play_times(parameters: &Parameters) -> Result<NonZeroU8, Refusal> {
    match parameters.value("PlayTimes") {
        None | Some("2") => Ok(TWICE),
        Some("1") => Ok(NonZeroU8::MIN),
        Some(_) => Err(Refusal::BadField { name: "PlayTimes" }),
    }
}

const TWICE: NonZeroU8 = NonZeroU8::new(2).expect("2 is not 0");

/// `ExtId`: the customer's own number, at most 50 letters and digits.
pub(super) fn ext_id(parameters: &Parameters) -> Result<Option<&str>, Refusal> {
    const NAME: &str = "ExtId";
    const LENGTH_MAX: usize = 50;

    let Some(text) = parameters.value(NAME) else { return Ok(None) };
    let fits = text.len() <= LENGTH_MAX && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if fits { Ok(Some(text)) } else { Err(Refusal::BadField { name: NAME }) }
}

/// `TplParams`: what stands in a template's places, an object of texts, numbers and truth values. What the places allow
/// is for others to say.
pub(super) fn values(parameters: &Parameters) -> Result<Values, Refusal> {
    const NAME: &str = "TplParams";
    const BAD: Refusal = Refusal::BadField { name: NAME };

    let members = json::members(required(parameters, NAME)?.as_bytes()).ok_or(BAD)?;
    let value = |(name, member): (String, Member)| match member {
        Member::Text(text) | Member::Number(text) | Member::Flag(text) => {
            Ok((name.into(), Private::new(text.into())))
        }
        Member::Null | Member::Nested(_) => Err(BAD),
    };
    members.into_iter().map(value).collect::<Result<_, _>>().map(|values| Values::ByName(Arc::new(values)))
}

/// `DryRun`: whether nothing is to be done. What is no truth value is refused: whoever wrote it wants no call.
pub(super) fn dry_run(parameters: &Parameters) -> Result<bool, Refusal> {
    const NAME: &str = "DryRun";

    match parameters.value(NAME).map(str::to_ascii_lowercase).as_deref() {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(_) => Err(Refusal::BadField { name: NAME }),
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(name: &str, value: &str) -> Parameters {
        Parameters::of_form(form::print([(name, value)]).as_bytes()).unwrap()
    }

    #[test]
    fn a_template_is_a_whole_number() {
        for (text, good) in [
            ("1", true),
            ("100001", true),
            ("9223372036854775807", true),
            ("0", false),
            ("01", false),
            ("-1", false),
            ("abc", false),
            ("1.0", false),
            ("１", false),
            ("92233720368547758070", false),
        ] {
            assert_eq!(template(&given("TplId", text)).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn a_code_is_four_to_eight_digits() {
        for (text, good) in [
            ("1234", true),
            ("12345678", true),
            ("123", false),
            ("123456789", false),
            ("12a4", false),
            ("１２３４", false),
        ] {
            assert_eq!(code(&given("Code", text)).is_ok(), good, "{text}");
        }
        assert_eq!(*code(&given("Code", "0918")).unwrap().expose(), [0, 9, 1, 8]);
    }

    #[test]
    fn a_code_is_played_once_or_twice() {
        let times = |text| play_times(&given("PlayTimes", text)).map(NonZeroU8::get);
        assert_eq!((times("1"), times("2"), times("")), (Ok(1), Ok(2), Ok(2)));
        for bad in ["0", "3", "x", "01", "1.0"] {
            assert_eq!(times(bad), Err(Refusal::BadField { name: "PlayTimes" }), "{bad}");
        }
    }

    #[test]
    fn an_ext_id_is_fifty_letters_and_digits() {
        let longest = "x".repeat(50);
        assert_eq!(ext_id(&given("ExtId", "abc123")), Ok(Some("abc123")));
        assert_eq!(ext_id(&given("ExtId", "")), Ok(None));
        assert!(ext_id(&given("ExtId", &longest)).is_ok());
        for bad in ["a-b", "号", "a b", &format!("{longest}x")] {
            assert_eq!(ext_id(&given("ExtId", bad)), Err(Refusal::BadField { name: "ExtId" }), "{bad}");
        }
    }

    #[test]
    fn values_are_texts_numbers_and_truth_values() {
        let read = |text: &str| match values(&given("TplParams", text))? {
            Values::ByName(values) => Ok(values
                .iter()
                .map(|(name, value)| format!("{name}={}", value.expose()))
                .collect::<Vec<_>>()),
            Values::None | Values::InOrder(_) => panic!("values have names"),
        };
        assert_eq!(read("{}"), Ok(Vec::new()));
        assert_eq!(
            read(r#"{"name":"张三","code":123456,"big":100000000000000000000,"ok":true}"#),
            Ok(["big=100000000000000000000", "code=123456", "name=张三", "ok=true"]
                .map(str::to_owned)
                .to_vec())
        );
        for bad in
            ["", "[]", r#""x""#, "{", r#"{"a":null}"#, r#"{"a":[]}"#, r#"{"a":{}}"#, r#"{"a":1,"a":2}"#]
        {
            assert_eq!(read(bad), Err(Refusal::BadField { name: "TplParams" }), "{bad}");
        }
    }

    #[test]
    fn a_dry_run_is_a_truth_value() {
        for (text, dry) in
            [("true", true), ("True", true), ("1", true), ("false", false), ("0", false), ("", false)]
        {
            assert_eq!(dry_run(&given("DryRun", text)), Ok(dry), "{text}");
        }
        assert_eq!(dry_run(&given("DryRun", "yes")), Err(Refusal::BadField { name: "DryRun" }));
    }
}
