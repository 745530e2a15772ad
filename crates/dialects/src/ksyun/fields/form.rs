//! The parameters of a request: those of its query and those of its body together.
//!
//! ```text
//! Action=CallVerify&Mobile=13800000000&Remark=a+b%20c%2A        application/x-www-form-urlencoded, or no type at all
//! {"Mobile":"13800000000","TplParams":{"name":"张三"}}          application/json
//! ```
//!
//! Every public client writes one value in its own way, so a value is decoded here and written anew wherever it is
//! signed. A body of another type holds no parameters. A name has one value: whoever signs a request, and whoever
//! reads it, must not be able to mean different ones.

use std::collections::BTreeMap;

use base::limits::REQUEST_BODY_BYTES;

use super::json::{self, Member};
use crate::wire::{WireRequest, hex};

/// Parameters of one request: four times as many as the fullest documented one has, flattened values included.
const PARAMETERS_MAX: usize = 128;

/// The parameters of a request, in the byte order of their names. No Debug: they hold numbers, codes and secrets.
pub(in crate::ksyun) struct Parameters(BTreeMap<Box<str>, Box<str>>);

/// Why a request's parameters cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ksyun) enum Unreadable {
    /// The name comes more than once, or with another value in the query than in the body.
    Twice(Box<str>),
    /// Something is neither UTF-8 nor escaped as it should be.
    Encoding,
    /// The body says that it is JSON and is no object.
    Json,
    /// There are too many of them, or the body is too long.
    TooMuch,
}

impl Parameters {
    /// Reads those of the query and of the body.
    pub(in crate::ksyun) fn of(request: &WireRequest) -> Result<Self, Unreadable> {
        if request.body.len() > REQUEST_BODY_BYTES {
            return Err(Unreadable::TooMuch);
        }
        let mut all = Self::of_form(request.query.as_bytes())?;
        let of_body = match Content::of(request) {
            Content::Form => Self::of_form(&request.body)?,
            Content::Json => Self::of_json(&request.body)?,
            Content::Other => return Ok(all),
        };
        for (name, value) in of_body.0 {
            if all.0.get(&name).is_some_and(|other| *other != value) {
                return Err(Unreadable::Twice(name));
            }
            all.0.insert(name, value);
        }
        Ok(all)
    }

    /// Reads `name=value&name=value`. A name alone has an empty value.
    pub(in crate::ksyun) fn of_form(form: &[u8]) -> Result<Self, Unreadable> {
        let mut all = Self(BTreeMap::new());
        for pair in form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let middle = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = middle.map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
            all.add(decoded(name)?, decoded(value)?)?;
        }
        Ok(all)
    }

    /// Reads the members of an object: texts, numbers and truth values as their text, nested ones as their JSON.
    fn of_json(body: &[u8]) -> Result<Self, Unreadable> {
        let mut all = Self(BTreeMap::new());
        if body.is_empty() {
            return Ok(all);
        }
        for (name, member) in json::members(body).ok_or(Unreadable::Json)? {
            match member {
                Member::Null => {}
                Member::Text(text) | Member::Number(text) | Member::Flag(text) | Member::Nested(text) => {
                    all.add(name, text)?;
                }
            }
        }
        Ok(all)
    }

    fn add(&mut self, name: String, value: String) -> Result<(), Unreadable> {
        if self.0.len() == PARAMETERS_MAX {
            return Err(Unreadable::TooMuch);
        }
        if self.0.contains_key(&*name) {
            return Err(Unreadable::Twice(name.into()));
        }
        self.0.insert(name.into(), value.into());
        Ok(())
    }

    /// The value of that name, unless it is empty: an empty value is as good as none.
    pub(in crate::ksyun) fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| &**value).filter(|value| !value.is_empty())
    }

    /// Every name with its value, in the byte order of the names.
    pub(in crate::ksyun) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }
}

/// What a body holds.
enum Content {
    Form,
    Json,
    /// No parameters.
    Other,
}

/// Whether a request's body holds parameters in the usual form.
pub(in crate::ksyun) fn is_form(request: &WireRequest) -> bool {
    matches!(Content::of(request), Content::Form)
}

impl Content {
    /// What a request's body holds; nobody needs to say that it is the usual.
    fn of(request: &WireRequest) -> Self {
        let whole = request.headers.first("Content-Type").unwrap_or("");
        match &*whole.split(';').next().unwrap_or("").trim().to_ascii_lowercase() {
            "" | "application/x-www-form-urlencoded" => Self::Form,
            "application/json" => Self::Json,
            _ => Self::Other,
        }
    }
}

/// The text with `+` and `%xx` resolved.
fn decoded(text: &[u8]) -> Result<String, Unreadable> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let (&[high, low], after) = after.split_first_chunk::<2>().ok_or(Unreadable::Encoding)?;
                rest = after;
                16 * hex(high).ok_or(Unreadable::Encoding)? + hex(low).ok_or(Unreadable::Encoding)?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| Unreadable::Encoding)
}

/// Writes `name=value&name=value` as signatures want it: everything but `A-Za-z0-9-_.~` as `%XX` (RFC 3986).
pub(in crate::ksyun) fn print<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in parameters {
        if !text.is_empty() {
            text.push('&');
        }
        encode(name, &mut text);
        text.push('=');
        encode(value, &mut text);
    }
    text
}

/// The same sorted by escaped names, which is another order only where a name holds more than those letters; `None` where
/// it is not.
pub(in crate::ksyun) fn sorted_by_escaped_names(printed: &str) -> Option<String> {
    let name = |pair: &str| pair.split_once('=').map_or(pair, |(name, _)| name).to_owned();
    if !printed.split('&').any(|pair| name(pair).contains('%')) {
        return None;
    }
    let mut pairs: Vec<&str> = printed.split('&').collect();
    pairs.sort_by_cached_key(|pair| name(pair));
    Some(pairs.join("&"))
}

fn encode(text: &str, to: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

    for byte in text.bytes() {
        if is_unreserved(byte) {
            to.push(char::from(byte));
        } else {
            let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
            to.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::Headers;

    fn request(content_type: Option<&str>, query: &str, body: &str) -> WireRequest {
        WireRequest {
            id: 0,
            method: "POST".into(),
            path: "/".into(),
            query: query.into(),
            headers: content_type.map(|value| ("content-type", value)).into_iter().collect::<Headers>(),
            body: body.into(),
            peer: [127, 0, 0, 1].into(),
        }
    }

    const FORM: Option<&str> = Some("application/x-www-form-urlencoded; charset=utf-8");

    fn read(
        content_type: Option<&str>,
        query: &str,
        body: &str,
    ) -> Result<Vec<(String, String)>, Unreadable> {
        let parameters = Parameters::of(&request(content_type, query, body))?;
        Ok(parameters.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn value(body: &str) -> Result<String, Unreadable> {
        read(FORM, "", body).map(|mut all| all.remove(0).1)
    }

    #[test]
    fn four_clients_write_one_value_in_four_ways() {
        for wire in ["+~%2A%E5%BC%A0", "%20~%2A%e5%bc%a0", "+%7E%2A张", "+%7e*%E5%bc%A0"] {
            assert_eq!(value(&format!("Remark={wire}")).as_deref(), Ok(" ~*张"), "{wire}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for wire in ["a=%", "a=%4", "a=%4x", "a=%x4", "a=%FF", "%FF=a", "a=%+1", "a=%E5%BC"] {
            assert_eq!(value(wire), Err(Unreadable::Encoding), "{wire}");
        }
    }

    #[test]
    fn a_name_alone_has_an_empty_value() {
        let all = read(FORM, "DryRun", "&ExtId=&a==b&&").unwrap();
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(all, [own("DryRun", ""), own("ExtId", ""), own("a", "=b")]);
        let parameters = Parameters::of(&request(FORM, "a=&b=1", "")).unwrap();
        assert_eq!(
            (parameters.value("a"), parameters.value("b"), parameters.value("c")),
            (None, Some("1"), None)
        );
    }

    #[test]
    fn a_name_has_one_value() {
        let twice = |name: &str| Err(Unreadable::Twice(name.into()));
        assert_eq!(read(FORM, "", "a=1&a=1"), twice("a"));
        assert_eq!(read(FORM, "a=1&%61=2", ""), twice("a"));
        assert_eq!(read(FORM, "a=1", "a=2"), twice("a"));
        assert_eq!(read(FORM, "a=%31", "a=1").map(|all| all.len()), Ok(1));
        assert_eq!(read(Some("application/json"), "", r#"{"a":"1","a":"1"}"#), Err(Unreadable::Json));
        assert_eq!(read(Some("application/json"), "a=1", r#"{"a":1}"#).map(|all| all.len()), Ok(1));
        assert_eq!(read(Some("application/json"), "a=1", r#"{"a":2}"#), twice("a"));
    }

    #[test]
    fn a_body_of_json_holds_parameters_too() {
        let body = r#"{"Mobile":13800000000,"Flag":true,"No":null,"TplParams":{"a": "b"},"Text":"\u5f20"}"#;
        let all = read(Some("Application/JSON"), "Action=CallNotify", body).unwrap();
        let names: Vec<_> = all.iter().map(|(name, value)| format!("{name} {value}")).collect();
        assert_eq!(
            names,
            ["Action CallNotify", "Flag true", "Mobile 13800000000", "Text 张", r#"TplParams {"a": "b"}"#]
        );
        for bad in ["[]", "x", "{", r#""a""#] {
            assert_eq!(read(Some("application/json"), "", bad), Err(Unreadable::Json), "{bad}");
        }
        assert_eq!(read(Some("application/json"), "a=1", "").map(|all| all.len()), Ok(1));
    }

    #[test]
    fn other_bodies_hold_none() {
        for other in ["multipart/form-data; boundary=x", "text/plain", "application/xml"] {
            assert_eq!(read(Some(other), "", "Action=CallVerify&%"), Ok(Vec::new()), "{other}");
        }
        assert_eq!(read(None, "", "a=1").map(|all| all.len()), Ok(1), "no type is the usual one");
    }

    #[test]
    fn there_is_an_end_to_all_of_it() {
        let many = |count: usize| (0..count).map(|number| format!("{number}&")).collect::<String>();
        assert!(read(FORM, "", &many(PARAMETERS_MAX)).is_ok());
        assert_eq!(read(FORM, "", &many(PARAMETERS_MAX + 1)), Err(Unreadable::TooMuch));
        assert!(read(None, "", &"a".repeat(REQUEST_BODY_BYTES)).is_ok());
        assert_eq!(read(None, "", &"a".repeat(REQUEST_BODY_BYTES + 1)), Err(Unreadable::TooMuch));
    }

    #[test]
    fn only_names_with_more_than_letters_have_a_second_order() {
        assert_eq!(sorted_by_escaped_names("Aa=1&A%5B=2").as_deref(), Some("A%5B=2&Aa=1"));
        assert_eq!(sorted_by_escaped_names("A%5B=1&B=2").as_deref(), Some("A%5B=1&B=2"));
        assert_eq!(sorted_by_escaped_names("A.b=%5B&B-c=2"), None);
        assert_eq!(sorted_by_escaped_names(""), None);
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(name: String, value: String) {
            let form = print([(&*name, &*value)]);
            prop_assert!(form.is_ascii());
            let read = Parameters::of_form(form.as_bytes()).unwrap();
            prop_assert_eq!(read.iter().collect::<Vec<_>>(), [(&*name, &*value)]);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, query: String) {
            let _ = Parameters::of_form(&bytes).map(|_| ());
            let body = WireRequest { body: bytes, ..request(Some("application/json"), &query, "") };
            let _ = Parameters::of(&body).map(|_| ());
        }
    }
}
