//! What crosses the wire, without the words of any HTTP library.
//!
//! All four types carry personal data and secrets, so their Debug says how much there is and never what.

use std::fmt;
use std::net::IpAddr;

use base::url::PushUrl;

/// One HTTP request, read to its end.
#[derive(Clone)]
pub struct WireRequest {
    /// Random for every request; replies that name their request name it by this.
    pub id: u128,
    /// `GET`, `POST`, …, as written.
    pub method: Box<str>,
    /// The path, not decoded.
    pub path: Box<str>,
    /// What follows the `?`, not decoded; empty when there is none.
    pub query: Box<str>,
    /// The header fields.
    pub headers: Headers,
    /// The body; at most [`REQUEST_BODY_BYTES`](base::limits::REQUEST_BODY_BYTES), which a dialect checks again.
    pub body: Vec<u8>,
    /// Who sent it.
    pub peer: IpAddr,
}

/// One HTTP reply. The listener adds `Content-Length`, `Date` and `Connection`.
#[derive(Clone, PartialEq, Eq)]
pub struct WireReply {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

/// One push: a POST to a customer's receiver.
#[derive(Clone, PartialEq, Eq)]
pub struct Push {
    /// The same for every attempt.
    pub id: PushId,
    /// Where it goes.
    pub url: PushUrl,
    /// The header fields; signatures differ from attempt to attempt.
    pub headers: Headers,
    /// The body, the same for every attempt.
    pub body: Vec<u8>,
}

/// The stable number of a push; a repeated push keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PushId(pub i64);

impl fmt::Display for PushId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Header fields in their order. Names are compared without regard to case.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(Box<str>, Box<str>)>);

impl Headers {
    /// No fields yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a field after the others; a name may come more than once.
    pub fn add(&mut self, name: impl Into<Box<str>>, value: impl Into<Box<str>>) {
        self.0.push((name.into(), value.into()));
    }

    /// The value of the first field of that name.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The values of all fields of that name, in order.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Every name with its value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }
}

impl<N: Into<Box<str>>, V: Into<Box<str>>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// The value of a hexadecimal digit of either case, as escapes in addresses and forms have them.
pub(crate) const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

impl fmt::Debug for WireRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} with {} bytes from {}", self.method, self.path, self.body.len(), self.peer)
    }
}

impl fmt::Debug for WireReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} bytes", self.status, self.body.len())
    }
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "push {} of {} bytes to {}", self.id, self.body.len(), self.url.host())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_names_have_no_case_and_values_keep_their_order() {
        let headers = Headers::from_iter([("Authorization", "a"), ("x-y", "b"), ("AUTHORIZATION", "c")]);
        assert_eq!(headers.first("authorization"), Some("a"));
        assert_eq!(headers.all("Authorization").collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(headers.first("absent"), None);
    }

    #[test]
    fn debug_shows_no_secret() {
        let mut headers = Headers::new();
        headers.add("authorization", "geheim");
        let request = WireRequest {
            id: 0,
            method: "POST".into(),
            path: "/x".into(),
            query: "token=geheim".into(),
            headers,
            body: b"geheim".to_vec(),
            peer: [127, 0, 0, 1].into(),
        };
        assert_eq!(format!("{request:?}"), "POST /x with 6 bytes from 127.0.0.1");
        assert!(!format!("{:?}", request.headers).contains("geheim"));
    }
}
