//! The query of a request: `fileName=a.wav&recordDomain=h`.
//!
//! Values are percent-decoded. A `+` stays a `+`: customers put tokens and secrets there as they are, and no value
//! that we know of holds a blank.

use crate::wire::hex;

/// The parameters of a query.
pub(in crate::huawei) struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    pub(in crate::huawei) const fn new(query: &'a str) -> Self {
        Self(query)
    }

    /// The first value of that name which is not empty. `None` also when its bytes are no text.
    pub(in crate::huawei) fn value(&self, name: &str) -> Option<String> {
        let values = self.0.split('&').filter_map(|pair| pair.split_once('='));
        let (_, value) = values.into_iter().find(|(own, value)| *own == name && !value.is_empty())?;
        decoded(value)
    }
}

/// The text with its escapes resolved; what only looks like an escape stays as it is.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'%').then(|| after.split_first_chunk::<2>()).flatten();
        let value = escaped.and_then(|(&[high, low], after)| Some((16 * hex(high)? + hex(low)?, after)));
        let (byte, after) = value.unwrap_or((first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_is_found_by_its_name() {
        for (query, value) in [
            ("a=1", Some("1")),
            ("b=2&a=1&a=3", Some("1")),
            ("a=&a=1", Some("1")),
            ("a=x%40y%2F", Some("x@y/")),
            ("a=x+y==", Some("x+y==")),
            ("a=%E5%BD%95", Some("录")),
            ("a=100%&b=%4", Some("100%")),
            ("a=%4x%", Some("%4x%")),
            ("a=%FF", None),
            ("a", None),
            ("aa=1", None),
            ("A=1", None),
            ("", None),
        ] {
            assert_eq!(Query::new(query).value("a").as_deref(), value, "{query}");
        }
    }

    proptest! {
        #[test]
        fn any_query_is_read_without_a_panic(query: String) {
            let _ = Query::new(&query).value("a");
            let _ = Query::new(&format!("a={query}")).value("a");
        }
    }
}
