//! Telephone numbers in international form.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

/// A number as both clouds write it: `+`, then 3 to 30 digits of which the first is not 0.
///
/// E.164 ends at 15 digits; the documents allow 31 characters, and service numbers use the room. Debug shows
/// `+86138****0001`: numbers are personal data.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct E164(Box<str>);

/// The text is not a number in international form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a number is written as + and 3 to 30 digits, such as +8675500000001")]
pub struct BadNumber;

impl E164 {
    /// Reads a number such as `+8613800000001`.
    ///
    /// # Errors
    /// [`BadNumber`] when the text has another form.
    pub fn parse(text: &str) -> Result<Self, BadNumber> {
        let digits = text.strip_prefix('+').ok_or(BadNumber)?;
        let form = (3..=30).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        if form { Ok(Self(text.into())) } else { Err(BadNumber) }
    }

    /// The whole number with its `+`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits without the `+`.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0[1..]
    }

    /// Whether the number belongs to mainland China (+86).
    #[must_use]
    pub fn is_chinese(&self) -> bool {
        self.0.starts_with("+86")
    }

    /// The number as people may see it in lists and logs: `+86138****0001`.
    #[must_use]
    pub fn masked(&self) -> String {
        let all = self.as_str();
        let tail = &all[all.len() - 4.min(all.len() - 1)..];
        let head = all.len().saturating_sub(8).min(6);
        format!("{}****{tail}", &all[..head])
    }
}

/// How the numbers of a place or of a service begin: `+86`, `+1900`. `+` alone begins every number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(Box<str>);

/// The text is not the beginning of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the beginning of a number is written as + and up to 15 digits, such as +86 or +1900")]
pub struct BadPrefix;

impl Prefix {
    /// Whether the number begins so.
    #[must_use]
    pub fn leads(&self, number: &E164) -> bool {
        number.as_str().starts_with(&*self.0)
    }
}

impl FromStr for Prefix {
    type Err = BadPrefix;

    fn from_str(text: &str) -> Result<Self, BadPrefix> {
        let digits = text.strip_prefix('+').ok_or(BadPrefix)?;
        let form = digits.len() <= 15
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        if form { Ok(Self(text.into())) } else { Err(BadPrefix) }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl<'de> Deserialize<'de> for E164 {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&<std::borrow::Cow<'de, str>>::deserialize(from)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_international_form_is_a_number() {
        for good in ["+8613800000001", "+867550000", "+123", &format!("+{}", "1".repeat(30))] {
            assert!(E164::parse(good).is_ok(), "{good}");
        }
        for bad in
            ["", "+", "+12", "13800000001", "+0755", "+86 138", "+861380000000x", "＋86138", "+86\r\n138"]
        {
            assert_eq!(E164::parse(bad), Err(BadNumber), "{bad}");
        }
        assert!(E164::parse(&format!("+{}", "1".repeat(31))).is_err());
    }

    #[test]
    fn a_prefix_leads_the_numbers_that_begin_so() {
        let leads = |prefix: &str, number: &str| {
            prefix.parse::<Prefix>().unwrap().leads(&E164::parse(number).unwrap())
        };
        assert!(leads("+86", "+8613800000001") && leads("+1900", "+19005550100") && leads("+", "+123"));
        assert!(!leads("+86", "+85291234567") && !leads("+1900", "+19015550100"));
        for bad in ["", "86", "+0", "+86 1", "+1234567890123456", "＋86", "+x"] {
            assert_eq!(bad.parse::<Prefix>(), Err(BadPrefix), "{bad}");
        }
    }

    #[test]
    fn debug_hides_the_middle() {
        assert_eq!(format!("{:?}", E164::parse("+8613812340001").unwrap()), "+86138****0001");
        assert_eq!(format!("{:?}", E164::parse("+123").unwrap()), "****+123"[..4].to_owned() + "123");
    }
}
