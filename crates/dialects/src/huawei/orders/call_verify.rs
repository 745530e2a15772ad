//! `POST /rest/httpsessions/callVerify/v1.0`: ring one party and say a verification code.

use base::order::{Code, Order, Product, Repeats};
use base::private::Private;
use base::refusal::Refusal;
use serde::Deserialize;

use super::placing;
use crate::huawei::fields::{Loose, required};

/// The body as the vendor documents it.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Body {
    display_nbr: Loose,
    callee_nbr: Loose,
    language_type: Loose,
    pre_tone: Loose,
    verify_code: Loose,
    pos_tone: Loose,
    times: Loose,
    #[serde(flatten)]
    placing: placing::Fields,
}

/// The only language: Mandarin.
const MANDARIN: u16 = 2;

/// How often the code is said when the body does not say.
const TIMES: u16 = 3;

/// The most often it is said; 0 stands for until the party hangs up.
const TIMES_MAX: u16 = 9;

/// Reads the order.
pub(in crate::huawei) fn read(json: &[u8]) -> Result<Order, Refusal> {
    let body: Body = super::body(json)?;
    let display = body.display_nbr.number("displayNbr")?;
    let callee = body.callee_nbr.number("calleeNbr")?;
    required("languageType", body.language_type.whole("languageType", MANDARIN..=MANDARIN)?)?;
    let before = required("preTone", body.pre_tone.clip("preTone")?)?;
    let digits = digits(body.verify_code)?;
    let after = body.pos_tone.clip("posTone")?;
    let times = body.times.whole("times", 0..=TIMES_MAX)?.unwrap_or(TIMES);
    let times = u8::try_from(times).ok().filter(|times| *times != 0);
    let wishes = body.placing.read()?;

    let shown = display.read().map_err(|_| Refusal::NumberNotOwned)?;
    let callee = callee.read().map_err(|_| Refusal::BadNumber { name: "calleeNbr" })?;
    let product =
        Product::Code(Code { callee, shown, before, digits, after, times, repeats: Repeats::Digits });
    Ok(Order::Place(Box::new(wishes.place(product)?)))
}

fn digits(code: Loose) -> Result<Private<Vec<u8>>, Refusal> {
    const NAME: &str = "verifyCode";
    const DIGITS_MAX: usize = 8;
    const DIGITS_MIN: usize = 2;

    let text = required(NAME, code.text(NAME, DIGITS_MAX)?)?;
    if text.len() < DIGITS_MIN || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::BadField { name: NAME });
    }
    Ok(Private::new(text.bytes().map(|byte| byte - b'0').collect()))
}

#[cfg(test)]
mod tests {
    use base::clip::ClipWish;

    use super::*;

    const LEAST: &str = r#""displayNbr":"+8675500008888","calleeNbr":"+8618900000007","languageType":2,
        "preTone":"welcome.wav","verifyCode":"12345678""#;

    fn code(json: &str) -> Result<Code<ClipWish>, Refusal> {
        match read(json.as_bytes())? {
            Order::Place(placing) => match placing.product {
                Product::Code(code) => Ok(code),
                _ => panic!("callVerify says codes"),
            },
            _ => panic!("callVerify places calls"),
        }
    }

    fn with(fields: &str) -> Result<Code<ClipWish>, Refusal> {
        code(&format!("{{{LEAST},{fields}}}"))
    }

    #[test]
    fn the_least_body_says_the_code_three_times() {
        let code = code(&format!("{{{LEAST}}}")).unwrap();
        assert_eq!(code.shown.as_str(), "+8675500008888");
        assert_eq!(code.callee.as_str(), "+8618900000007");
        assert_eq!(code.before, ClipWish::Named("welcome.wav".into()));
        assert_eq!(*code.digits.expose(), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!((code.after, code.times), (None, Some(3)));
    }

    #[test]
    fn times_zero_is_until_the_party_hangs_up() {
        assert_eq!(with(r#""times":0"#).unwrap().times, None);
        assert_eq!(with(r#""times":"9""#).unwrap().times, Some(9));
        assert_eq!(with(r#""times":10"#), Err(Refusal::BadField { name: "times" }));
    }

    #[test]
    fn a_tone_may_follow_the_code() {
        assert_eq!(with(r#""posTone":"bye.wav""#).unwrap().after, Some(ClipWish::Named("bye.wav".into())));
    }

    #[test]
    fn a_code_is_two_to_eight_digits() {
        for (code_json, good) in [
            (r#""12""#, true),
            ("123456", true),
            (r#""1""#, false),
            (r#""123456789""#, false),
            (r#""12a4""#, false),
            (r#""１２""#, false),
            ("-123", false),
            ("null", false),
        ] {
            let json = format!(r#"{{{},"verifyCode":{code_json}}}"#, LEAST.rsplit_once(',').unwrap().0);
            let expected = if good { None } else { Some(Refusal::BadField { name: "verifyCode" }) };
            assert_eq!(code(&json).err(), expected, "{code_json}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let whole: serde_json::Value = serde_json::from_str(&format!("{{{LEAST}}}")).unwrap();
        for name in ["displayNbr", "calleeNbr", "languageType", "preTone", "verifyCode"] {
            let mut body = whole.clone();
            body.as_object_mut().unwrap().remove(name);
            assert_eq!(code(&body.to_string()), Err(Refusal::BadField { name }), "{name}");
        }
    }
}
