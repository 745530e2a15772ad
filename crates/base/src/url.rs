//! Where pushes go.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize, de};

/// A customer's receiver: `http` or `https`, a host, maybe a port, no user, no fragment; at most 512 bytes.
///
/// The text is kept exactly as the customer wrote it, because signatures cover it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PushUrl(Box<str>);

/// The text is not an address that a push can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a receiver is an http or https URL with a host, such as https://example.com:9000/status")]
pub struct BadUrl;

const BYTES_MAX: usize = 512;

impl PushUrl {
    /// Reads a receiver's address.
    ///
    /// # Errors
    /// [`BadUrl`] when the scheme is another one, the host is missing or malformed, or the text is too long.
    pub fn parse(text: &str) -> Result<Self, BadUrl> {
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).ok_or(BadUrl)?;
        let visible = text.len() <= BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
        let (host, port) = split_authority(rest).ok_or(BadUrl)?;
        let port_fits = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0));
        if visible && host_is_sound(host) && port_fits && !rest.contains('#') {
            Ok(Self(text.into()))
        } else {
            Err(BadUrl)
        }
    }

    /// The address exactly as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host's name, or its address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        split_authority(rest).map_or("", |(host, _)| host.trim_matches(['[', ']']))
    }

    /// The host's address, when it is written as one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.host().parse().ok()
    }
}

/// Splits `host:port/path?query` into host and port; `None` for a user part or an open bracket.
fn split_authority(rest: &str) -> Option<(&str, Option<&str>)> {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    if authority.contains('@') {
        return None;
    }
    if authority.starts_with('[') {
        let end = authority.find(']')? + 1;
        let (host, tail) = authority.split_at(end);
        return match tail.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None if tail.is_empty() => Some((host, None)),
            None => None,
        };
    }
    match authority.split_once(':') {
        Some((host, port)) => Some((host, Some(port))),
        None => Some((authority, None)),
    }
}

fn host_is_sound(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inner.parse::<std::net::Ipv6Addr>().is_ok();
    }
    !host.is_empty()
        && host.len() <= 253
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}

impl fmt::Display for PushUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PushUrl {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&<std::borrow::Cow<'de, str>>::deserialize(from)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_has_a_scheme_a_host_and_nothing_odd() {
        for good in [
            "http://a",
            "https://a.b:443/x_y?z=1",
            "http://10.0.0.1:9000/status",
            "http://[::1]:80/",
            "http://[::1]",
            "http://a-b_c.d:65535",
            "http://a/x@y",
            "http://a?x@y",
        ] {
            assert_eq!(PushUrl::parse(good).map(|url| url.to_string()).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "ftp://a",
            "http://",
            "http:///x",
            "http://u@h/",
            "http://a:0",
            "http://a:x",
            "http://a:",
            "http://:80",
            "http://a:65536",
            "http://a b",
            "http://a%2eb/",
            "http://a/\u{e9}",
            "http://a/x#y",
            "http://a#",
            "http://[::1",
            "http://[::1]x",
            "http://[::1]:x",
            "http://[127.0.0.1]",
            "http://[]",
            "http://[::1%25eth0]",
            "http://::1",
            "http://a]",
        ] {
            assert_eq!(PushUrl::parse(bad), Err(BadUrl), "{bad}");
        }
    }

    #[test]
    fn a_receiver_is_as_long_as_it_may_be_and_its_host_too() {
        let path = |length: usize| format!("http://a/{}", "x".repeat(length - "http://a/".len()));
        assert!(PushUrl::parse(&path(BYTES_MAX)).is_ok());
        assert_eq!(PushUrl::parse(&path(BYTES_MAX + 1)), Err(BadUrl));
        let host = |length: usize| format!("http://{}/", "h".repeat(length));
        assert!(PushUrl::parse(&host(253)).is_ok());
        assert_eq!(PushUrl::parse(&host(254)), Err(BadUrl));
    }

    #[test]
    fn a_written_address_is_known_before_any_resolver_is_asked() {
        for (url, host, address) in [
            ("http://[::1]:80/", "::1", Some("::1")),
            ("http://10.0.0.1:9000?x=http://b/", "10.0.0.1", Some("10.0.0.1")),
            ("http://example.com/@10.0.0.1", "example.com", None),
        ] {
            let read = PushUrl::parse(url).unwrap();
            assert_eq!((read.as_str(), read.host()), (url, host));
            assert_eq!(read.address(), address.map(|address| address.parse().unwrap()));
        }
    }
}
