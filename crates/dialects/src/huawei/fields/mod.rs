//! Values of request bodies as customers really send them.
//!
//! The documents give each field one JSON type; customers send `true`, `"true"` and `0` for the same flag, and whole
//! numbers as text. So every field is read as [`Loose`] first and asked for what it should be afterwards, by the name
//! that the refusal then carries. `null` and an empty text are as good as nothing.

pub(super) mod query;

use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

use base::clip::ClipWish;
use base::number::{BadNumber, E164};
use base::refusal::Refusal;
use base::url::PushUrl;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny};

/// A field's value before anybody has said what it should be: `I` are the items of a list, `O` is what an object is
/// read as. No Debug: it may hold a number or a code.
#[derive(Default)]
pub(super) enum Loose<I = IgnoredAny, O = IgnoredAny> {
    #[default]
    Absent,
    Text(String),
    Whole(i64),
    Flag(bool),
    List(Vec<I>),
    Object(O),
    /// A fraction, or a number that is too big: no field is one.
    Odd,
}

impl<I, O> Loose<I, O> {
    /// Whether there is nothing.
    pub(super) fn is_absent(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Text(text) => text.is_empty(),
            Self::Whole(_) | Self::Flag(_) | Self::List(_) | Self::Object(_) | Self::Odd => false,
        }
    }

    /// The text, of 1 to `longest` characters without control characters.
    pub(super) fn text(self, name: &'static str, longest: usize) -> Result<Option<String>, Refusal> {
        let text = match self {
            Self::Absent => return Ok(None),
            Self::Text(text) => text,
            Self::Whole(number) => number.to_string(),
            Self::Flag(_) | Self::List(_) | Self::Object(_) | Self::Odd => {
                return Err(Refusal::BadField { name });
            }
        };
        if text.is_empty() {
            return Ok(None);
        }
        if text.chars().count() > longest || text.chars().any(char::is_control) {
            return Err(Refusal::BadField { name });
        }
        Ok(Some(text))
    }

    /// The flag, false when absent.
    pub(super) fn flag(self, name: &'static str) -> Result<bool, Refusal> {
        match self {
            Self::Absent => Ok(false),
            Self::Flag(flag) => Ok(flag),
            Self::Whole(0) => Ok(false),
            Self::Whole(1) => Ok(true),
            Self::Text(text) => match &*text.to_ascii_lowercase() {
                "" | "false" | "0" => Ok(false),
                "true" | "1" => Ok(true),
                _ => Err(Refusal::BadField { name }),
            },
            Self::Whole(_) | Self::List(_) | Self::Object(_) | Self::Odd => Err(Refusal::BadField { name }),
        }
    }

    /// The whole number, if it lies in the range.
    pub(super) fn whole(
        self,
        name: &'static str,
        range: RangeInclusive<u16>,
    ) -> Result<Option<u16>, Refusal> {
        let number = match self {
            Self::Absent => return Ok(None),
            Self::Text(text) if text.is_empty() => return Ok(None),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Whole(number) => u16::try_from(number).ok(),
            Self::Flag(_) | Self::List(_) | Self::Object(_) | Self::Odd => None,
        };
        number.filter(|number| range.contains(number)).map(Some).ok_or(Refusal::BadField { name })
    }

    /// One of a few words, in any case.
    pub(super) fn choice<T: Copy>(
        self,
        name: &'static str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, Refusal> {
        let text = match self {
            Self::Absent => return Ok(None),
            Self::Text(text) if text.is_empty() => return Ok(None),
            Self::Text(text) => text,
            Self::Whole(_) | Self::Flag(_) | Self::List(_) | Self::Object(_) | Self::Odd => {
                return Err(Refusal::BadField { name });
            }
        };
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(&text));
        found.map(|(_, meaning)| Some(*meaning)).ok_or(Refusal::BadField { name })
    }

    /// A voice file's name.
    pub(super) fn clip(self, name: &'static str) -> Result<Option<ClipWish>, Refusal> {
        /// Characters, as documented.
        const NAME_MAX: usize = 128;

        Ok(self.text(name, NAME_MAX)?.map(|file| ClipWish::Named(file.into())))
    }

    /// A receiver's address in base64.
    pub(super) fn receiver(self, name: &'static str) -> Result<Option<PushUrl>, Refusal> {
        let encoded = match self {
            Self::Absent => return Ok(None),
            Self::Text(text) => text,
            Self::Whole(_) | Self::Flag(_) | Self::List(_) | Self::Object(_) | Self::Odd => {
                return Err(Refusal::BadReceiver { name });
            }
        };
        // Old Java encoders break lines after 76 characters.
        let encoded: String = encoded.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
        if encoded.is_empty() {
            return Ok(None);
        }
        let url = receiver_in(&encoded).ok_or(Refusal::BadReceiver { name })?;
        Ok(Some(url))
    }

    /// The customer's own words.
    pub(super) fn user_data(self) -> Result<Option<Box<str>>, Refusal> {
        /// Characters, as documented.
        const USER_DATA_MAX: usize = 256;

        let name = "userData";
        let Some(text) = self.text(name, USER_DATA_MAX)? else { return Ok(None) };
        if text.chars().any(|letter| matches!(letter, '{' | '}') || is_chinese(letter)) {
            return Err(Refusal::BadField { name });
        }
        Ok(Some(text.into()))
    }

    /// A text that has to be there and is judged as a number later.
    pub(super) fn number(self, name: &'static str) -> Result<Unread, Refusal> {
        let text = match self {
            Self::Text(text) if !text.is_empty() => text,
            Self::Whole(number) => number.to_string(),
            Self::Absent | Self::Text(_) | Self::Flag(_) | Self::List(_) | Self::Object(_) | Self::Odd => {
                return Err(Refusal::BadField { name });
            }
        };
        Ok(Unread(text))
    }

    /// The number that the call is to be bound to besides those it shows.
    pub(super) fn bound_number(self) -> Result<Option<E164>, Refusal> {
        match self {
            Self::Absent => Ok(None),
            Self::Text(text) if text.is_empty() => Ok(None),
            Self::Text(text) => E164::parse(&text).map(Some).map_err(|_| Refusal::BadBoundNumber),
            Self::Whole(_) | Self::Flag(_) | Self::List(_) | Self::Object(_) | Self::Odd => {
                Err(Refusal::BadBoundNumber)
            }
        }
    }
}

/// A telephone number that nobody has looked at: the documents judge the body's other fields first.
pub(super) struct Unread(String);

impl Unread {
    pub(super) fn read(&self) -> Result<E164, BadNumber> {
        E164::parse(&self.0)
    }
}

/// What a required field is when it is there.
pub(super) fn required<T>(name: &'static str, value: Option<T>) -> Result<T, Refusal> {
    value.ok_or(Refusal::BadField { name })
}

fn receiver_in(encoded: &str) -> Option<PushUrl> {
    /// Bytes of the decoded address, as documented.
    const ADDRESS_MAX: usize = 128;
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );

    let decoded = String::from_utf8(LENIENT.decode(encoded).ok()?).ok()?;
    let fits = decoded.len() <= ADDRESS_MAX && decoded.bytes().all(is_of_address);
    PushUrl::parse(&decoded).ok().filter(|_| fits)
}

/// The documented alphabet, and what customers use besides: `_`, and the characters of queries.
const fn is_of_address(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b':' | b'.' | b'/' | b'_' | b'~' | b'?' | b'&' | b'=' | b'%')
}

/// Han characters and the punctuation and full-width forms that are written with them.
const fn is_chinese(letter: char) -> bool {
    matches!(letter,
        '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE4F}' | '\u{FF00}'..='\u{FFEF}'
        | '\u{20000}'..='\u{3FFFF}')
}

impl<'de, I: Deserialize<'de>, O: Deserialize<'de>> Deserialize<'de> for Loose<I, O> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Visitor(PhantomData))
    }
}

struct Visitor<I, O>(PhantomData<(I, O)>);

impl<'de, I: Deserialize<'de>, O: Deserialize<'de>> de::Visitor<'de> for Visitor<I, O> {
    type Value = Loose<I, O>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Loose::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Loose::Text(text))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Loose::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Loose::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).map_or(Loose::Odd, Loose::Whole))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Loose::Odd)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Loose::Absent)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Loose::List(items))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        O::deserialize(MapAccessDeserializer::new(map)).map(Loose::Object)
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn loose(json: &str) -> Loose {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_flag_has_many_spellings() {
        for (json, flag) in [
            ("true", Some(true)),
            (r#""true""#, Some(true)),
            (r#""TRUE""#, Some(true)),
            ("1", Some(true)),
            (r#""1""#, Some(true)),
            ("false", Some(false)),
            (r#""False""#, Some(false)),
            ("0", Some(false)),
            ("null", Some(false)),
            (r#""""#, Some(false)),
            (r#""yes""#, None),
            ("2", None),
            ("1.0", None),
            ("[true]", None),
            (r#"{"a":[1,{}]}"#, None),
        ] {
            assert_eq!(loose(json).flag("f").ok(), flag, "{json}");
        }
    }

    #[test]
    fn a_whole_number_may_be_text() {
        for (json, number) in [
            ("60", Some(Some(60))),
            (r#""60""#, Some(Some(60))),
            ("null", Some(None)),
            (r#""""#, Some(None)),
            ("1441", None),
            ("-1", None),
            (r#""x""#, None),
            ("1e3", None),
            ("18446744073709551615", None),
            ("true", None),
        ] {
            assert_eq!(loose(json).whole("n", 0..=1440).ok(), number, "{json}");
        }
    }

    #[test]
    fn a_text_has_a_length_and_no_control_characters() {
        assert_eq!(loose(r#""声音""#).text("t", 2), Ok(Some("声音".to_owned())));
        assert_eq!(loose("12").text("t", 2), Ok(Some("12".to_owned())));
        for json in [r#""abc""#, r#""a\u0000""#, r#""\n""#, "true", "[]"] {
            assert_eq!(loose(json).text("t", 2), Err(Refusal::BadField { name: "t" }), "{json}");
        }
    }

    #[test]
    fn a_receiver_comes_in_base64() {
        let read = |encoded: &str| <Loose>::Text(encoded.to_owned()).receiver("r");
        let url = |plain: &str| read(&STANDARD.encode(plain)).ok().flatten();
        let longest = format!("http://h/{}", "x".repeat(119));
        for good in ["http://127.0.0.1:9000/status", "https://a.example/x_y~z?a=1&b=%20", &longest] {
            assert_eq!(url(good).map(|url| url.as_str().to_owned()).as_deref(), Some(good));
        }
        for bad in [
            "ftp://h/",
            "http://h/#x",
            "http://h/ x",
            "http://h/状态",
            "http://[::1]/",
            &format!("{longest}x"),
        ] {
            assert_eq!(url(bad), None, "{bad}");
        }
        assert!(read("aHR0cDovL2gv\r\nYQ==\n").is_ok_and(|url| url.is_some()), "broken lines");
        assert!(read("aHR0cDovL2gvYQ").is_ok_and(|url| url.is_some()), "no padding");
        assert_eq!(read(""), Ok(None));
        for bad in ["http://127.0.0.1/status", "====", "a", "//79"] {
            assert_eq!(read(bad), Err(Refusal::BadReceiver { name: "r" }), "{bad}");
        }
    }

    #[test]
    fn user_data_is_given_back_unless_it_has_braces_or_chinese() {
        let read = |text: &str| <Loose>::Text(text.to_owned()).user_data();
        let longest = "x".repeat(256);
        for good in ["customerId123", "é ñ \"<>&", &longest] {
            assert_eq!(read(good), Ok(Some(good.into())));
        }
        for bad in ["{", "a}", "客户", "，", "ａ", &format!("{longest}x")] {
            assert_eq!(read(bad), Err(Refusal::BadField { name: "userData" }), "{bad}");
        }
    }
}
