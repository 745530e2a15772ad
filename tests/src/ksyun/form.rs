//! Parameters in their order, and the ways in which clients write them.

/// Parameters, in the order in which they are written. A name may come twice: that is one of the things to try.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

/// Which characters a client escapes, and how. All of them mean the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escapes {
    /// RFC 3986, as signatures are computed: ` ` is `%20`, `*` is `%2A`, `~` stays.
    Strict,
    /// ` ` is `+`, `~` stays, `*` is `%2A`.
    Python,
    /// ` ` is `+`, `~` is `%7E`, `*` is `%2A`.
    Php,
    /// ` ` is `+`, `~` is `%7E`, `*` stays.
    Java,
    /// As strict, with hex in lower case.
    LowerCase,
}

impl Form {
    /// Reads what was written.
    ///
    /// # Panics
    /// When an escape is none, or the text is no UTF-8.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescaped(name), unescaped(value))
        };
        Self(text.split('&').map(pair).collect())
    }

    /// With a value in place of the one of that name, or at the end.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => value.clone_into(known),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    /// With a value at the end, whether or not there is one of that name.
    #[must_use]
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without a name.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|(known, _)| known != name).cloned().collect())
    }

    /// Only these names, in the order in which they are here.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(known, _)| names.contains(&known.as_str())).cloned().collect())
    }

    /// By their names.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.0.sort();
        self
    }

    /// The value of a name; empty when there is none.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Names and values, in their order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Joined as a query or a body.
    #[must_use]
    pub fn written(&self, escapes: Escapes) -> String {
        let pair =
            |(name, value): (&str, &str)| format!("{}={}", escapes.escape(name), escapes.escape(value));
        self.pairs().map(pair).collect::<Vec<_>>().join("&")
    }
}

impl Escapes {
    /// A text as this client writes it.
    #[must_use]
    pub fn escape(self, text: &str) -> String {
        let mut written = String::new();
        for byte in text.bytes() {
            match (byte, self) {
                (b' ', Self::Python | Self::Php | Self::Java) => written.push('+'),
                (b'*', Self::Java) => written.push('*'),
                (b'~', Self::Php | Self::Java) => written.push_str("%7E"),
                (b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~', _) => {
                    written.push(char::from(byte));
                }
                (_, Self::LowerCase) => written.push_str(&format!("%{byte:02x}")),
                _ => written.push_str(&format!("%{byte:02X}")),
            }
        }
        written
    }
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next(), rest.next()].map(|digit| digit.expect("an escape has two digits"));
                let digits = std::str::from_utf8(&digits).expect("an escape has two digits");
                u8::from_str_radix(digits, 16).expect("an escape has two digits")
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).expect("what is escaped is UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_in_any_way_reads_the_same() {
        let form = Form::default().with("a", " ~*+").with("b", "张");
        let written = |escapes| form.written(escapes);
        assert_eq!(written(Escapes::Python), "a=+~%2A%2B&b=%E5%BC%A0");
        assert_eq!(written(Escapes::Java), "a=+%7E*%2B&b=%E5%BC%A0");
        assert_eq!(written(Escapes::LowerCase), "a=%20~%2a%2b&b=%e5%bc%a0");
        let all =
            [Escapes::Strict, Escapes::Python, Escapes::Php, Escapes::Java, Escapes::LowerCase].map(written);
        assert!(all.iter().all(|text| Form::read(text) == form));
    }
}
