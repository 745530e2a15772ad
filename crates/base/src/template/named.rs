//! Texts whose places have names: `尊敬的{name}，订单{no}已发货`. A name is 1 to 32 letters, digits and underscores.

use std::collections::{BTreeMap, BTreeSet};

use super::BadTemplate;
use crate::private::Private;
use crate::screen;

/// A text with its places, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Words(Box<str>),
    Place(Box<str>),
}

/// The values of an order, by the names of their places.
pub type Values = BTreeMap<Box<str>, Private<Box<str>>>;

/// How many characters (Unicode scalars) may be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lengths {
    /// In one value.
    pub value: u16,
    /// In the whole text, its own words included.
    pub text: u16,
}

impl Lengths {
    /// What is said where the lengths are documented for each order.
    pub const WIDE: Self = Self { value: 100, text: 180 };

    /// What is said where the lengths are documented for each error.
    pub const STRICT: Self = Self { value: 50, text: 100 };
}

impl Default for Lengths {
    fn default() -> Self {
        Self::WIDE
    }
}

/// Why values do not fill a text. Of several reasons the first in this list is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unfit {
    /// There is no value for that place.
    Missing(Box<str>),
    /// A value holds characters that cannot be said.
    Characters,
    /// A value holds an address of the web.
    Address,
    /// A value is too long.
    ValueLength,
    /// The whole text is too long.
    TextLength,
}

impl Named {
    /// Reads a text.
    ///
    /// # Errors
    /// [`BadTemplate::Characters`] and [`BadTemplate::Name`].
    pub fn parse(text: &str) -> Result<Self, BadTemplate> {
        if text.trim().is_empty() || text.chars().count() > CHARS_MAX {
            return Err(BadTemplate::Characters);
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((words, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or(BadTemplate::Name)?;
            if words.contains('}') || !is_name(name) {
                return Err(BadTemplate::Name);
            }
            if !words.is_empty() {
                pieces.push(Piece::Words(words.into()));
            }
            pieces.push(Piece::Place(name.into()));
            rest = after;
        }
        if rest.contains('}') {
            return Err(BadTemplate::Name);
        }
        if !rest.is_empty() {
            pieces.push(Piece::Words(rest.into()));
        }
        Ok(Self { pieces })
    }

    /// The names of its places, in order; one that stands twice comes twice.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Place(name) => Some(&**name),
            Piece::Words(_) => None,
        })
    }

    /// What stands between its places.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Words(words) => Some(&**words),
            Piece::Place(_) => None,
        })
    }

    /// The text with the values in its places. Values that it has no place for are not looked at.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn fill(&self, values: &Values, lengths: Lengths) -> Result<String, Unfit> {
        let value = |name: &str| values.get(name).map(|value| &**value.expose());
        if let Some(missing) = self.names().find(|name| value(name).is_none()) {
            return Err(Unfit::Missing(missing.into()));
        }
        // A value may stand in many places, and is looked at once.
        let names: BTreeSet<&str> = self.names().collect();
        let faults = names.into_iter().filter_map(value).filter_map(|value| fault(value, lengths));
        if let Some(first) = faults.min() {
            return Err(first);
        }
        let mut text = String::new();
        for piece in &self.pieces {
            text += match piece {
                Piece::Words(words) => words,
                Piece::Place(name) => value(name).unwrap_or_default(),
            };
        }
        if text.chars().count() > lengths.text.into() { Err(Unfit::TextLength) } else { Ok(text) }
    }
}

/// The first thing that is wrong with a value by itself, as far as anybody would hear it.
fn fault(value: &str, lengths: Lengths) -> Option<Unfit> {
    let end = value.char_indices().nth(CHARS_MAX).map_or(value.len(), |(end, _)| end);
    let heard = &value[..end];
    if !screen::is_plain(heard) {
        Some(Unfit::Characters)
    } else if screen::contains_address(heard) {
        Some(Unfit::Address)
    } else if value.chars().count() > lengths.value.into() {
        Some(Unfit::ValueLength)
    } else {
        None
    }
}

fn is_name(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Characters of a text with its places: more than an order may say, so that names may be longer than their values.
pub const CHARS_MAX: usize = 500;

/// Characters of a place's name.
const NAME_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str, values: &[(&str, &str)]) -> Result<String, Unfit> {
        let value = |(name, value): &(&str, &str)| ((*name).into(), Private::new((*value).into()));
        Named::parse(text).unwrap().fill(&values.iter().map(value).collect(), Lengths::WIDE)
    }

    #[test]
    fn values_stand_in_the_places_of_their_names() {
        let text = "尊敬的{name},订单{no}已发货,{name}";
        let said = fill(text, &[("no", "8 9~*+"), ("name", "张三"), ("extra", "http://a.cn")]);
        assert_eq!(said.as_deref(), Ok("尊敬的张三,订单8 9~*+已发货,张三"));
        assert_eq!(fill("您好", &[]).as_deref(), Ok("您好"));
        assert_eq!(fill("{a}{b}", &[("a", ""), ("b", "1")]).as_deref(), Ok("1"), "a value may be empty");
    }

    #[test]
    fn of_several_faults_the_first_of_the_list_is_told() {
        let long = "长".repeat(101);
        for (values, fault) in [
            ([("a", &*long), ("c", "1")], Unfit::Missing("b".into())),
            ([("a", &*long), ("b", "x\ny")], Unfit::Characters),
            ([("a", &*long), ("b", "www.a.com")], Unfit::Address),
            ([("a", &*long), ("b", "1")], Unfit::ValueLength),
        ] {
            assert_eq!(fill("{a}{b}", &values), Err(fault));
        }
    }

    #[test]
    fn what_is_far_too_long_is_not_looked_at_to_its_end() {
        let long = "长".repeat(20_000) + "\n";
        let text = "{a}".repeat(160);
        assert_eq!(fill(&text, &[("a", &long)]), Err(Unfit::ValueLength));
        assert_eq!(fill(&text, &[("a", &("\n".to_owned() + &long))]), Err(Unfit::Characters));
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        let (most, rest) = ("长".repeat(100), "长".repeat(80));
        assert!(fill("{a}{b}", &[("a", &most), ("b", &rest)]).is_ok());
        assert_eq!(fill("好{a}{b}", &[("a", &most), ("b", &rest)]), Err(Unfit::TextLength));
        let strict = |value: &str| {
            let values = [("a".into(), Private::new(value.into()))].into();
            Named::parse("{a}").unwrap().fill(&values, Lengths::STRICT)
        };
        assert!(strict(&"长".repeat(50)).is_ok());
        assert_eq!(strict(&"长".repeat(51)), Err(Unfit::ValueLength));
    }

    #[test]
    fn what_is_no_text_is_said() {
        for (text, fault) in [
            ("", BadTemplate::Characters),
            ("  ", BadTemplate::Characters),
            ("{}", BadTemplate::Name),
            ("{a b}", BadTemplate::Name),
            ("{名}", BadTemplate::Name),
            ("{a", BadTemplate::Name),
            ("a}", BadTemplate::Name),
            ("}{a}", BadTemplate::Name),
            (&"好".repeat(501), BadTemplate::Characters),
        ] {
            assert_eq!(Named::parse(text), Err(fault), "{text}");
        }
    }
}
