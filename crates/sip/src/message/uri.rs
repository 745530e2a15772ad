//! URIs: `sip:`, `sips:`, `tel:` taken apart, any other scheme kept whole (RFC 3261 19.1, RFC 3966).

use std::borrow::Cow;
use std::fmt;

use memchr::memchr;

use super::charset::is_uri_text;
use super::values::{Params, host_and_port};

/// What kind of URI it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:`
    Tel,
    /// Anything else. A request to such a URI is answered 416.
    Other,
}

/// A URI, taken apart as far as its scheme is known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Uri<'a> {
    raw: &'a [u8],
    scheme: Scheme,
    user: &'a [u8],
    host: &'a [u8],
    port: Option<u16>,
    params: Params<'a>,
    headers: &'a [u8],
}

impl<'a> Uri<'a> {
    /// Reads a URI without brackets. `None` when it has no scheme, bytes that no URI has, a broken escape, or as
    /// `sip:` a malformed host or port.
    #[must_use]
    pub fn parse(raw: &'a [u8]) -> Option<Self> {
        let colon = memchr(b':', raw)?;
        let (name, rest) = (&raw[..colon], &raw[colon + 1..]);
        let scheme = Self::scheme_of(name)?;
        if rest.is_empty() || !is_uri_text(rest) {
            return None;
        }
        let whole =
            Self { raw, scheme, user: &[], host: &[], port: None, params: Params::default(), headers: &[] };
        match scheme {
            Scheme::Sip | Scheme::Sips => whole.with_sip(rest),
            Scheme::Tel => {
                let (user, params) = split_before(rest, b';');
                Some(Self { user, params: Params::new(params), ..whole })
            }
            Scheme::Other => Some(whole),
        }
    }

    fn scheme_of(name: &[u8]) -> Option<Scheme> {
        let sound = name.first().is_some_and(u8::is_ascii_alphabetic)
            && name.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        let known = [(&b"sip"[..], Scheme::Sip), (b"sips", Scheme::Sips), (b"tel", Scheme::Tel)];
        let scheme = known.into_iter().find(|(text, _)| name.eq_ignore_ascii_case(text));
        sound.then(|| scheme.map_or(Scheme::Other, |(_, scheme)| scheme))
    }

    /// `user:password@host:port;params?headers`. An `@` stands nowhere but after the user, who may well contain
    /// semicolons and question marks.
    fn with_sip(self, rest: &'a [u8]) -> Option<Self> {
        let (user, rest) = match memchr(b'@', rest) {
            Some(0) => return None,
            Some(at) => (split_before(&rest[..at], b':').0, &rest[at + 1..]),
            None => (&rest[..0], rest),
        };
        let (rest, headers) = split_before(rest, b'?');
        let (host, params) = split_before(rest, b';');
        let (host, port) = host_and_port(host)?;
        Some(Self { user, host, port, params: Params::new(params), headers, ..self })
    }

    /// The URI as it came.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.raw
    }

    /// What kind it is.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The user of a `sip:` URI or the number of a `tel:` URI as it came, escapes included; empty when there is none.
    #[must_use]
    pub const fn user(&self) -> &'a [u8] {
        self.user
    }

    /// The user with its escapes resolved.
    #[must_use]
    pub fn user_decoded(&self) -> Cow<'a, [u8]> {
        decode(self.user)
    }

    /// The host of a `sip:` URI, an IPv6 address with its brackets; empty for other schemes.
    #[must_use]
    pub const fn host(&self) -> &'a [u8] {
        self.host
    }

    /// The port, if one stands there.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The URI's parameters: `lr`, `transport`, `user`, `maddr`, …
    #[must_use]
    pub const fn params(&self) -> Params<'a> {
        self.params
    }

    /// The headers that a request to it should carry, with the `?` before them; empty when there are none.
    #[must_use]
    pub const fn headers(&self) -> &'a [u8] {
        self.headers
    }

    /// Whether a proxy with this URI is a loose router (RFC 3261 19.1.1).
    #[must_use]
    pub fn is_loose(&self) -> bool {
        self.params.has("lr")
    }
}

/// Resolves `%41` and its like.
fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'%', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, more @ ..] = rest {
        rest = more;
        match (byte, more) {
            (b'%', [high, low, more @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                plain.push(nibble(*high) << 4 | nibble(*low));
                rest = more;
            }
            _ => plain.push(*byte),
        }
    }
    Cow::Owned(plain)
}

const fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).wrapping_sub(b'a' - 10),
    }
}

/// What stands before the first such byte, and the rest from it on.
fn split_before(text: &[u8], byte: u8) -> (&[u8], &[u8]) {
    text.split_at(memchr(byte, text).unwrap_or(text.len()))
}

// A URI holds a phone number, so only its scheme is shown.
impl fmt::Debug for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uri({:?})", self.scheme)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(String, String, Option<u16>)> {
        let uri = Uri::parse(text.as_bytes())?;
        let string = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Some((string(uri.user()), string(uri.host()), uri.port()))
    }

    #[test]
    fn a_sip_uri_has_a_user_a_host_and_a_port() {
        let is = |text, user: &str, host: &str, port| {
            assert_eq!(parts(text), Some((user.to_owned(), host.to_owned(), port)), "{text}");
        };
        is("sip:+8675528780808@192.0.2.1:5070;user=phone", "+8675528780808", "192.0.2.1", Some(5070));
        is("SIPS:host.example", "", "host.example", None);
        is("sip:alice:secret@[2001:db8::1]:5061?subject=x", "alice", "[2001:db8::1]", Some(5061));
        is("sip:user;par=u%40x?y@example.com", "user;par=u%40x?y", "example.com", None);
        is("tel:+86755;phone-context=x", "+86755", "", None);
        is("urn:service:sos", "", "", None);
    }

    #[test]
    fn what_is_no_uri_is_refused() {
        for text in [
            "",
            "sip:",
            "sip",
            ":x",
            "1sip:a@b",
            "sip:@b",
            "sip:a@",
            "sip:a@b c",
            "<sip:a@b>",
            "sip:a@b:99999",
            "sip:a@b:",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
        assert_eq!(parts("sip:a%4@b"), None, "a broken escape");
        assert_eq!(parts("sip:a@[::1"), None, "an open bracket");
        assert_eq!(parts("sip:a@b@c"), None, "two users");
    }

    #[test]
    fn parameters_and_headers_are_apart() {
        let uri = Uri::parse(b"sip:a;b@h;lr;transport=tcp?to=x%40y").unwrap();
        assert!(uri.is_loose());
        assert_eq!(uri.params().get("TRANSPORT"), Some(&b"tcp"[..]));
        assert_eq!(uri.headers(), b"?to=x%40y");
    }

    #[test]
    fn escapes_are_resolved_for_the_user_only() {
        let uri = Uri::parse(b"sip:%61l%69ce%00%zz@h");
        assert!(uri.is_none(), "%zz is no escape");
        let uri = Uri::parse(b"sip:%61l%69ce%2a%2A%00@h").unwrap();
        assert_eq!(&*uri.user_decoded(), b"alice**\0");
    }
}
