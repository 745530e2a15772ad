//! The attribute lists of the authentication headers: `AKSK realm="SDP",profile="UsernameToken",type="Appkey"`.
//!
//! Customers write them with `,` or `, `, in any order and any case of names, and the vendor's own SDK sends its
//! signature as a second `Authorization`. A comma also separates two whole header values (RFC 9110 section 5.3), so
//! all values of a header are read as one list whose attributes belong to the scheme word before them.

use std::iter;

/// Values read of one header; a request has one, and a second where the vendor's SDK signs too.
const VALUES_MAX: usize = 8;

/// Attributes read of one value; the longest of ours has four, that of the vendor's SDK three.
const ATTRIBUTES_MAX: usize = 32;

/// The attributes of all values of a header, with the scheme that each belongs to.
pub(super) struct Attributes<'a> {
    schemes: Vec<&'a str>,
    list: Vec<Attribute<'a>>,
}

struct Attribute<'a> {
    scheme: &'a str,
    name: &'a str,
    value: &'a str,
}

impl<'a> Attributes<'a> {
    /// Reads whatever is there; what has no form of an attribute is passed over. Never fails.
    pub(super) fn parse(values: impl Iterator<Item = &'a str>) -> Self {
        let mut all = Self { schemes: Vec::new(), list: Vec::new() };
        for value in values.take(VALUES_MAX) {
            let mut scheme = "";
            for segment in segments(value).take(ATTRIBUTES_MAX) {
                let (head, value) = match segment.split_once('=') {
                    Some((head, value)) => (head.trim(), Some(unquoted(value.trim()))),
                    None => (segment, None),
                };
                let name = match (head.split_once(char::is_whitespace), value) {
                    (Some((word, name)), _) => {
                        scheme = word;
                        name.trim_start()
                    }
                    (None, Some(_)) => head,
                    // A word alone, such as `UsernameToken` with nothing behind it.
                    (None, None) => {
                        scheme = head;
                        ""
                    }
                };
                if !scheme.is_empty() && !all.schemes.contains(&scheme) {
                    all.schemes.push(scheme);
                }
                all.list.extend(value.map(|value| Attribute { scheme, name, value }));
            }
        }
        all
    }

    /// Whether the scheme's word is there.
    pub(super) fn has(&self, scheme: &str) -> bool {
        self.schemes.iter().any(|own| own.eq_ignore_ascii_case(scheme))
    }

    /// The first attribute of that name that belongs to the scheme; of any scheme when that one is not there.
    pub(super) fn value(&self, scheme: &str, name: &str) -> Option<&'a str> {
        let any = !self.has(scheme);
        self.list
            .iter()
            .filter(|attribute| any || attribute.scheme.eq_ignore_ascii_case(scheme))
            .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
            .map(|attribute| attribute.value)
    }
}

/// The parts between commas that stand outside quotes, trimmed, without the empty ones.
fn segments(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(value);
    iter::from_fn(move || {
        let text = rest?;
        let mut quoted = false;
        let comma = text.bytes().position(|byte| {
            quoted ^= byte == b'"';
            byte == b',' && !quoted
        });
        let (segment, after) = match comma {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        rest = after;
        Some(segment.trim())
    })
    .filter(|segment| !segment.is_empty())
}

fn unquoted(value: &str) -> &str {
    let inner = value.strip_prefix('"').unwrap_or(value);
    inner.strip_suffix('"').unwrap_or(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(values: &[&'a str], scheme: &str, name: &str) -> Option<&'a str> {
        Attributes::parse(values.iter().copied()).value(scheme, name)
    }

    #[test]
    fn order_case_and_blanks_do_not_matter() {
        for text in [
            r#"AKSK realm="SDP",profile="P",type="T""#,
            r#"aksk  TYPE = "T" , Realm="SDP",, profile="P","#,
            "AKSK type=T,realm=SDP,profile=P",
        ] {
            assert_eq!(read(&[text], "AKSK", "realm"), Some("SDP"), "{text}");
            assert_eq!(read(&[text], "AKSK", "type"), Some("T"), "{text}");
        }
    }

    #[test]
    fn another_scheme_hides_nothing() {
        let sdk = r#"SDK-HMAC-SHA256 Access=a, SignedHeaders=b;c, realm="theirs""#;
        let ours = r#"AKSK realm="SDP""#;
        assert_eq!(read(&[sdk, ours], "AKSK", "realm"), Some("SDP"));
        assert_eq!(read(&[ours, sdk], "AKSK", "realm"), Some("SDP"));
        assert_eq!(read(&[&format!("{sdk}, {ours}")], "AKSK", "realm").map(str::len), Some(3));
        assert_eq!(read(&[sdk], "AKSK", "realm"), Some("theirs"));
    }

    #[test]
    fn values_may_hold_commas_equal_signs_and_nothing() {
        assert_eq!(read(&[r#"U a="x,y=",b="""#], "U", "a"), Some("x,y="));
        assert_eq!(read(&[r#"U a="x,y=",b="""#], "U", "b"), Some(""));
        assert_eq!(read(&["U", "Bearer x", "=", "\"", ",", ""], "U", "a"), None);
    }
}
