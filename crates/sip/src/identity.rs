//! Who calls whom, right by construction: URIs, parties, privacy, and headers of the owner's own.
//!
//! ```text
//! Party      "Support" <sip:+8675500000000@198.51.100.1;user=phone>      From, To, Contact, P-Asserted-Identity
//! Address               sip:+8675500000000@198.51.100.1;user=phone       request URI
//! ```
//!
//! Text from outside, such as a display name of a customer, cannot leave its place: it is escaped where the grammar
//! has an escape, and refused where it has none.

use std::fmt;
use std::str::FromStr;

use crate::message::{Name, NameAddr, Scheme, Uri, is_token};

/// A URI of ours to make: `sip:`, `sips:` or `tel:`, ASCII, without headers.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address(Box<str>);

impl Address {
    /// `sip:user@host`; without a user `sip:host`. The host may have a port, and an IPv6 address has brackets. What may
    /// not stand in a user is escaped.
    ///
    /// # Errors
    /// The host is none.
    pub fn new(user: &str, host: &str) -> Result<Self, IdentityFault> {
        let at = if user.is_empty() { "" } else { "@" };
        let text = format!("sip:{}{at}{host}", escaped(user));
        let whole = Uri::parse(text.as_bytes());
        let bare = whole.is_some_and(|uri| {
            uri.params().as_bytes().is_empty() && uri.headers().is_empty() && !host.contains('@')
        });
        if bare && host.is_ascii() { Ok(Self(text.into())) } else { Err(IdentityFault::Host) }
    }

    /// Says that the user is a telephone number: `;user=phone` (RFC 3261 19.1.1).
    #[must_use]
    pub fn phone(self) -> Self {
        Self(format!("{};user=phone", self.0).into())
    }

    /// Adds a parameter to the URI: `;transport=tcp`.
    ///
    /// # Errors
    /// Name or value is no token.
    pub fn with(self, name: &str, value: &str) -> Result<Self, IdentityFault> {
        if !is_token(name.as_bytes()) || !is_token(value.as_bytes()) {
            return Err(IdentityFault::Parameter);
        }
        Ok(Self(format!("{};{name}={value}", self.0).into()))
    }

    /// Whether it is a `sips:` URI, which asks for TLS all the way (RFC 3261 26.2.2).
    #[must_use]
    pub fn is_secure(&self) -> bool {
        Uri::parse(self.0.as_bytes()).is_some_and(|uri| uri.scheme() == Scheme::Sips)
    }

    /// The URI as it stands on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Address> for Box<str> {
    fn from(address: Address) -> Self {
        address.0
    }
}

impl FromStr for Address {
    type Err = IdentityFault;

    fn from_str(text: &str) -> Result<Self, IdentityFault> {
        let uri = Uri::parse(text.as_bytes()).ok_or(IdentityFault::Uri)?;
        let usable = uri.scheme() != Scheme::Other && uri.headers().is_empty() && text.is_ascii();
        if usable { Ok(Self(text.into())) } else { Err(IdentityFault::Uri) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// A URI holds a telephone number.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", Uri::parse(self.0.as_bytes()))
    }
}

/// A party as From, To, Contact and P-Asserted-Identity name it: a `name-addr` without parameters of the header.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Party {
    /// As it stands on the wire, so that writing it costs nothing: `"Name" <sip:…>`.
    text: Box<str>,
    /// Where the URI begins; it ends before the last byte.
    uri: usize,
}

impl Party {
    /// A party without a display name.
    #[must_use]
    pub fn new(address: &Address) -> Self {
        Self { text: format!("<{}>", address.as_str()).into(), uri: 1 }
    }

    /// Nobody, for calls whose caller is not shown (RFC 3323 4.1.1.3): `"Anonymous" <sip:anonymous@anonymous.invalid>`.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::quoted("Anonymous", "sip:anonymous@anonymous.invalid")
    }

    /// Gives it a display name, in any script. Quotes are escaped, and control characters refused. An empty name takes
    /// the display name away.
    ///
    /// # Errors
    /// The name has control characters or more than [`DISPLAY_CHARS_MAX`] characters.
    pub fn named(&self, display: &str) -> Result<Self, IdentityFault> {
        if display.chars().any(char::is_control) || display.chars().count() > DISPLAY_CHARS_MAX {
            return Err(IdentityFault::Display);
        }
        if display.is_empty() {
            return Ok(Self { text: format!("<{}>", self.uri()).into(), uri: 1 });
        }
        Ok(Self::quoted(&display.replace('\\', "\\\\").replace('"', "\\\""), self.uri()))
    }

    /// The same party with one more parameter in its URI. Both are tokens.
    pub(crate) fn with_param(&self, name: &'static str, value: &'static str) -> Self {
        let open = &self.text[..self.text.len() - 1];
        Self { text: format!("{open};{name}={value}>").into(), uri: self.uri }
    }

    /// The URI.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.text[self.uri..self.text.len() - 1]
    }

    /// As it stands on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn quoted(display: &str, uri: &str) -> Self {
        let text = format!("\"{display}\" <{uri}>");
        Self { uri: text.len() - 1 - uri.len(), text: text.into() }
    }
}

impl From<Address> for Party {
    fn from(address: Address) -> Self {
        Self::new(&address)
    }
}

impl From<Party> for Box<str> {
    fn from(party: Party) -> Self {
        party.text
    }
}

impl FromStr for Party {
    type Err = IdentityFault;

    /// Reads `"Name" <sip:…>`, `<sip:…>` or `sip:…`.
    fn from_str(text: &str) -> Result<Self, IdentityFault> {
        let party = NameAddr::parse(text.as_bytes()).ok_or(IdentityFault::Uri)?;
        if !party.params().as_bytes().trim_ascii().is_empty() {
            return Err(IdentityFault::Parameter);
        }
        let part = |bytes| str::from_utf8(bytes).map_err(|_| IdentityFault::Uri);
        let display = part(party.display())?;
        let plain = match display.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(quoted) => unescaped(quoted),
            None => display.to_owned(),
        };
        let address: Address = part(party.uri())?.parse()?;
        Self::new(&address).named(&plain)
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

// A party is a person.
impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Party({:?})", Uri::parse(self.uri().as_bytes()))
    }
}

/// What the network is asked to hide of the caller (RFC 3323 4.2, RFC 3325 9.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Privacy {
    /// Nothing is said; the network does what it does for us always.
    #[default]
    Unsaid,
    /// `none`: nothing is hidden, whatever the network does usually.
    None,
    /// `id`: P-Asserted-Identity stays within the network. What a hidden caller needs, with
    /// [`Party::anonymous`] in From.
    Id,
    /// `user;id`: the network also takes the caller out of From and its like.
    UserAndId,
    /// `header;session;user;id;critical`: everything that a network can hide, or the call fails.
    Everything,
}

impl Privacy {
    /// The value of the header, if there is to be one.
    pub(crate) const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Unsaid => None,
            Self::None => Some("none"),
            Self::Id => Some("id"),
            Self::UserAndId => Some("user;id"),
            Self::Everything => Some("header;session;user;id;critical"),
        }
    }
}

/// A header that the owner adds to its INVITE.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    name: Box<str>,
    value: Box<str>,
}

impl Header {
    /// A header that says nothing about how the call is made: `X-Trunk`, `Diversion`, `User-to-User`, ….
    ///
    /// # Errors
    /// The name is no token, or one of those that we write ourselves or that change how the call is made; the value has
    /// control characters or is too long.
    pub fn new(name: &str, value: &str) -> Result<Self, IdentityFault> {
        if !is_token(name.as_bytes()) || name.len() > HEADER_NAME_BYTES_MAX {
            return Err(IdentityFault::HeaderName);
        }
        if !is_free(Name::of(name.as_bytes())) {
            return Err(IdentityFault::HeaderReserved);
        }
        if value.chars().any(char::is_control) || value.len() > HEADER_VALUE_BYTES_MAX {
            return Err(IdentityFault::HeaderValue);
        }
        Ok(Self { name: name.into(), value: value.into() })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its value.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

// A value may be a telephone number.
impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Header({})", self.name)
    }
}

/// Why something may not stand in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityFault {
    /// See [`Address::new`].
    #[error("the host is neither a name nor an address")]
    Host,
    /// See [`Address`].
    #[error("this is no URI that a call can be made with")]
    Uri,
    /// See [`Address::with`].
    #[error("a parameter is no token, or stands where none may")]
    Parameter,
    /// See [`Party::named`].
    #[error("the display name has control characters or is too long")]
    Display,
    /// See [`Header::new`].
    #[error("the header's name is no token")]
    HeaderName,
    /// See [`Header::new`].
    #[error("the header is written by the engine itself")]
    HeaderReserved,
    /// See [`Header::new`].
    #[error("the header's value has control characters or is too long")]
    HeaderValue,
}

/// Whether the owner may write this header.
const fn is_free(name: Name) -> bool {
    matches!(
        name,
        Name::Other
            | Name::AcceptContact
            | Name::AcceptLanguage
            | Name::AlertInfo
            | Name::CallInfo
            | Name::Date
            | Name::Diversion
            | Name::HistoryInfo
            | Name::InReplyTo
            | Name::Organization
            | Name::PAccessNetworkInfo
            | Name::PChargingVector
            | Name::PEarlyMedia
            | Name::PPreferredIdentity
            | Name::Priority
            | Name::Reason
            | Name::ReferredBy
            | Name::RemotePartyId
            | Name::ReplyTo
            | Name::Subject
            | Name::UserToUser
    )
}

/// A user with everything escaped that the grammar does not let stand there (RFC 3261 25.1).
fn escaped(user: &str) -> String {
    let mut text = String::with_capacity(user.len());
    for byte in user.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()+&=$,".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// What stands between quotes, without its escapes.
fn unescaped(quoted: &str) -> String {
    let mut plain = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        plain.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    plain
}

/// Characters of a display name; telephones show about 20.
pub const DISPLAY_CHARS_MAX: usize = 128;

/// Bytes of a header's name; the longest registered one has 31.
const HEADER_NAME_BYTES_MAX: usize = 64;

/// Bytes of a header's value: a User-to-User of ISDN's 128 bytes in hexadecimal digits fits twice.
const HEADER_VALUE_BYTES_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::{Message, Method, Writer};

    #[test]
    fn what_may_not_stand_in_a_user_is_escaped() {
        let uri = |user, host| Address::new(user, host).map(|address| address.to_string());
        assert_eq!(uri("+86755", "203.0.113.1:5070").unwrap(), "sip:+86755@203.0.113.1:5070");
        assert_eq!(uri("", "trunk.example").unwrap(), "sip:trunk.example");
        assert_eq!(uri("1#2", "[2001:db8::1]").unwrap(), "sip:1%232@[2001:db8::1]");
        assert_eq!(uri("a>;tag=b\r\n@x:é", "h").unwrap(), "sip:a%3E%3Btag=b%0D%0A%40x%3A%C3%A9@h");
        for host in ["", "h;lr", "h?x=y", "a@h", "h>", "h\r\nVia: x", "h x", "h:99999", "é"] {
            assert_eq!(uri("1", host), Err(IdentityFault::Host), "{host}");
        }
    }

    #[test]
    fn parameters_are_tokens() {
        let address = Address::new("1", "h").unwrap().phone().with("transport", "tcp").unwrap();
        assert_eq!(address.as_str(), "sip:1@h;user=phone;transport=tcp");
        assert_eq!(address.clone().with("x", "a;b"), Err(IdentityFault::Parameter));
        assert_eq!(address.with("x y", "a"), Err(IdentityFault::Parameter));
    }

    #[test]
    fn a_party_reads_what_it_writes() {
        for text in [
            "<sip:a@h>",
            "\"Anonymous\" <sip:anonymous@anonymous.invalid>",
            "\"a \\\"b\\\" \\\\ <c>\" <sips:a@h:5061;user=phone>",
            "\"客服\" <tel:+8675500000000>",
        ] {
            assert_eq!(text.parse::<Party>().unwrap().to_string(), text);
        }
        assert_eq!("sip:a@h".parse::<Party>().unwrap().to_string(), "<sip:a@h>");
        assert_eq!("Bob <sip:a@h>".parse::<Party>().unwrap().to_string(), "\"Bob\" <sip:a@h>");
        for bad in
            ["", "<>", "<sip:a@h", "<sip:a@h>;tag=1", "<http://h>", "<sip:a@h?x=y>", "\"a\r\nb\" <sip:a@h>"]
        {
            assert!(bad.parse::<Party>().is_err(), "{bad:?}");
        }
        assert_eq!(format!("{:?}", Party::anonymous()), "Party(Some(Uri(Sip)))");
    }

    #[test]
    fn headers_that_make_the_call_are_ours() {
        assert!(Header::new("X-Trunk", "7").is_ok());
        assert!(Header::new("diversion", "<sip:a@h>;reason=unconditional").is_ok());
        for ours in [
            "Via",
            "v",
            "FROM",
            "t",
            "Call-ID",
            "Content-Length",
            "l",
            "Route",
            "Require",
            "x",
            "Authorization",
            "P-Asserted-Identity",
            "Privacy",
            "Contact",
            "Max-Forwards",
            "Supported",
            "CSeq",
        ] {
            assert_eq!(Header::new(ours, "x"), Err(IdentityFault::HeaderReserved), "{ours}");
        }
        assert_eq!(Header::new("X Trunk", "7"), Err(IdentityFault::HeaderName));
        assert_eq!(Header::new("", "7"), Err(IdentityFault::HeaderName));
        assert_eq!(Header::new("X-Trunk", "7\r\nEvil: 1"), Err(IdentityFault::HeaderValue));
        assert_eq!(Header::new("X-Trunk", &"7".repeat(513)), Err(IdentityFault::HeaderValue));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_leaves_its_place(user in "\\PC{0,20}|.{0,20}", display in ".{0,30}", value in ".{0,30}") {
            let mut writer = Writer::request(Method::Options, "sip:h");
            writer.header(Name::Via, "SIP/2.0/UDP h;branch=z9hG4bK1");
            let address = Address::new(&user, "h").unwrap();
            let party = Party::new(&address);
            let party = party.named(&display).unwrap_or(party);
            writer.header(Name::From, format!("{party};tag=mine")).header(Name::To, "<sip:h>");
            writer.header(Name::CallId, "c").header(Name::CSeq, "1 OPTIONS");
            if let Ok(header) = Header::new("X-Mine", &value) {
                writer.header_named(header.name(), header.value());
            }
            let bytes = writer.finish();
            let message = Message::parse(&bytes).unwrap();
            prop_assert!(message.check().is_ok());
            prop_assert_eq!(message.from().uri(), address.as_str().as_bytes());
            prop_assert_eq!(message.from().tag(), Some(&b"mine"[..]));
            prop_assert!(message.lines().count() <= 7);
            prop_assert_eq!(party.to_string().parse::<Party>(), Ok(party));
        }
    }
}
