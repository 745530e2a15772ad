//! Objects of JSON whose numbers keep the text they were written with, so that no code of digits becomes a fraction or
//! loses its zeros. A name that comes twice makes the object unreadable.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A member's value. No Debug: it may be anybody's name or number.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::ksyun) enum Member {
    /// `null`
    Null,
    /// A text, without its quotes and escapes.
    Text(String),
    /// A number, as it was written.
    Number(String),
    /// `true` or `false`.
    Flag(String),
    /// A list or an object, as it was written.
    Nested(String),
}

/// The members of an object, in their order; `None` when the text is no object.
pub(in crate::ksyun) fn members(json: &[u8]) -> Option<Vec<(String, Member)>> {
    let Members(raw) = serde_json::from_slice(json).ok()?;
    raw.into_iter().map(|(name, value)| Some((name, member(value)?))).collect()
}

fn member(raw: &RawValue) -> Option<Member> {
    let text = raw.get();
    Some(match text.as_bytes().first()? {
        b'"' => Member::Text(serde_json::from_str(text).ok()?),
        b'n' => Member::Null,
        b't' | b'f' => Member::Flag(text.to_owned()),
        b'[' | b'{' => Member::Nested(text.to_owned()),
        _ => Member::Number(text.to_owned()),
    })
}

struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Visitor)
    }
}

struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        /// Members of one object: more than any template has places.
        const MEMBERS_MAX: usize = 128;

        let mut members: Vec<(String, &'de RawValue)> = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
            if members.len() == MEMBERS_MAX || members.iter().any(|(own, _)| *own == name) {
                return Err(de::Error::custom("a name comes twice, or there are too many"));
            }
            members.push((name, value));
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(value: &str) -> Option<Member> {
        let mut all = members(format!(r#" {{"a": {value} }}"#).as_bytes())?;
        assert_eq!(all.len(), 1);
        all.pop().map(|(_, member)| member)
    }

    #[test]
    fn a_number_keeps_its_text() {
        for number in ["123456", "0", "-1", "1e5", "100000000000000000000000000", "1.50"] {
            assert!(one(number) == Some(Member::Number(number.to_owned())), "{number}");
        }
        for bad in ["00123", "+1", "1.", ".5", "0x1", "NaN", ""] {
            assert!(one(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_text_loses_its_escapes() {
        assert!(one(r#""\u5f20\n\"""#) == Some(Member::Text("张\n\"".to_owned())));
        assert!(one(r#""\ud800""#).is_none(), "half a character");
        assert!(one("\"a\nb\"").is_none());
    }

    #[test]
    fn whatever_else_there_is_is_told_apart() {
        assert!(one("null") == Some(Member::Null));
        assert!(one("true") == Some(Member::Flag("true".to_owned())));
        assert!(one("[1, 2]") == Some(Member::Nested("[1, 2]".to_owned())));
        assert!(one(r#"{"a":{}}"#) == Some(Member::Nested(r#"{"a":{}}"#.to_owned())));
        for bad in [
            "",
            "[]",
            "null",
            "1",
            r#""x""#,
            "{",
            r#"{"a":1}x"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a":tru}"#,
            "\u{FEFF}{}",
        ] {
            assert!(members(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(30_000), "]".repeat(30_000));
        assert!(members(deep.as_bytes()).is_some_and(|all| all.len() == 1));
    }
}
