//! The values that headers carry, each as a view of its bytes.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;

use memchr::{memchr, memchr2, memchr3};

use super::charset::{is_space, is_token, is_token_byte, leading_number, number, trim, trim_end, trim_start};
use super::{Method, Uri};

/// Parameters after a value: `;tag=a;lr`.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Params<'a>(&'a [u8]);

impl<'a> Params<'a> {
    /// Reads what follows a value: nothing, or parameters that each begin with `;`.
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// The value of the first parameter of this name in any case, with its quotes if it has any; empty when it has
    /// no value.
    #[must_use]
    pub fn get(self, name: &str) -> Option<&'a [u8]> {
        self.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// Whether there is a parameter of this name.
    #[must_use]
    pub fn has(self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The parameters as they stand.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Whether they follow the grammar: no empty ones, names are tokens, values are tokens, hosts or quoted.
    pub(super) fn are_well_formed(self) -> bool {
        let text = trim(self.0);
        let Some(text) = text.strip_prefix(b";") else { return text.is_empty() };
        let mut rest = Some(text);
        while let Some(text) = rest {
            let (one, more) = split_param(text);
            let (name, value) = name_and_value(one);
            let bare = memchr(b'=', one).is_none();
            if !is_token(name) || !(bare || is_param_value(value)) {
                return false;
            }
            rest = more;
        }
        true
    }
}

impl<'a> IntoIterator for Params<'a> {
    type Item = (&'a [u8], &'a [u8]);
    type IntoIter = ParamsIter<'a>;

    fn into_iter(self) -> ParamsIter<'a> {
        ParamsIter { rest: Some(self.0) }
    }
}

/// Name and value of each parameter; empty ones are passed over.
#[derive(Clone)]
pub struct ParamsIter<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for ParamsIter<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (one, rest) = split_param(self.rest?);
            self.rest = rest;
            let pair = name_and_value(one);
            if !pair.0.is_empty() {
                return Some(pair);
            }
        }
    }
}

/// A party: `"Name" <sip:…>;tag=…`, or `sip:…;tag=…`. From, To, Contact, Route and their like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NameAddr<'a> {
    display: &'a [u8],
    uri: &'a [u8],
    params: Params<'a>,
    bracketed: bool,
}

impl<'a> NameAddr<'a> {
    /// Reads one value. `None` when a quote or a bracket stays open, or there is no URI.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let value = trim(value);
        if value.first() == Some(&b'"') {
            let end = quoted_len(value)?;
            let rest = trim_start(&value[end..]);
            return Self::bracketed(&value[..end], rest.strip_prefix(b"<")?);
        }
        match memchr3(b'<', b';', b'"', value) {
            Some(at) if value[at] == b'<' => Self::bracketed(trim_end(&value[..at]), &value[at + 1..]),
            Some(at) if value[at] == b'"' => None,
            at => Self::bare(value, at.unwrap_or(value.len())),
        }
    }

    fn bracketed(display: &'a [u8], rest: &'a [u8]) -> Option<Self> {
        let close = memchr(b'>', rest)?;
        let uri = trim(&rest[..close]);
        let params = trim_start(&rest[close + 1..]);
        let sound = !uri.is_empty() && (params.is_empty() || params.starts_with(b";"));
        sound.then_some(Self { display, uri, params: Params(params), bracketed: true })
    }

    /// Without brackets all parameters belong to the header (RFC 3261 20.10).
    fn bare(value: &'a [u8], end: usize) -> Option<Self> {
        let uri = trim_end(&value[..end]);
        let sound = !uri.is_empty() && !uri.iter().copied().any(is_space);
        sound.then_some(Self { display: &[], uri, params: Params(&value[end..]), bracketed: false })
    }

    /// The display name as it came, quotes included; empty when there is none.
    #[must_use]
    pub const fn display(&self) -> &'a [u8] {
        self.display
    }

    /// The URI as it came, without brackets.
    #[must_use]
    pub const fn uri(&self) -> &'a [u8] {
        self.uri
    }

    /// The URI taken apart; `None` when it is malformed.
    #[must_use]
    pub fn address(&self) -> Option<Uri<'a>> {
        Uri::parse(self.uri)
    }

    /// The header's parameters (not the URI's).
    #[must_use]
    pub const fn params(&self) -> Params<'a> {
        self.params
    }

    /// The `tag` parameter of From and To; `None` also when it is empty.
    #[must_use]
    pub fn tag(&self) -> Option<&'a [u8]> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }

    /// Whether it follows the grammar where lists are concerned: outside brackets a URI may carry neither comma nor
    /// question mark (RFC 3261 20.10).
    pub(super) fn is_well_formed(&self) -> bool {
        let ambiguous = !self.bracketed && memchr2(b',', b'?', self.uri).is_some();
        !ambiguous && self.params.are_well_formed() && (self.uri == b"*" || self.address().is_some())
    }
}

/// One hop of the way back: `SIP/2.0/UDP host:port;branch=…;rport`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Via<'a> {
    transport: &'a [u8],
    sent_by: &'a [u8],
    host: &'a [u8],
    port: Option<u16>,
    params: Params<'a>,
}

impl<'a> Via<'a> {
    /// Reads one value, with spaces wherever the grammar has them. `None` when a part is missing.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (protocol, rest) = split_at_byte(value, b'/')?;
        let (version, rest) = split_at_byte(rest, b'/')?;
        let rest = trim_start(rest);
        let transport_len = rest.iter().take_while(|&&byte| !is_space(byte)).count();
        let (transport, rest) = rest.split_at(transport_len);
        let end = memchr(b';', rest).unwrap_or(rest.len());
        let sent_by = trim(&rest[..end]);
        let (host, port) = host_and_port(sent_by)?;
        let sound =
            trim(protocol).eq_ignore_ascii_case(b"SIP") && trim(version) == b"2.0" && is_token(transport);
        sound.then_some(Self { transport, sent_by, host, port, params: Params(&rest[end..]) })
    }

    /// `UDP`, `TCP`, `TLS` or another token.
    #[must_use]
    pub const fn transport(&self) -> &'a [u8] {
        self.transport
    }

    /// Host and port as they came.
    #[must_use]
    pub const fn sent_by(&self) -> &'a [u8] {
        self.sent_by
    }

    /// The host of sent-by; an IPv6 address with its brackets.
    #[must_use]
    pub const fn host(&self) -> &'a [u8] {
        self.host
    }

    /// The port of sent-by.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The transaction's id (RFC 3261 8.1.1.7); `None` also when it is empty.
    #[must_use]
    pub fn branch(&self) -> Option<&'a [u8]> {
        self.params.get("branch").filter(|branch| !branch.is_empty())
    }

    /// Whether the branch is one that RFC 3261 calls unique: the magic cookie and something after it.
    #[must_use]
    pub fn is_unique(&self) -> bool {
        self.branch().is_some_and(|branch| branch.len() > MAGIC.len() && branch.starts_with(MAGIC))
    }

    /// The address that the next hop saw.
    #[must_use]
    pub fn received(&self) -> Option<&'a [u8]> {
        self.params.get("received").filter(|address| !address.is_empty())
    }

    /// The port that the next hop saw (RFC 3581).
    #[must_use]
    pub fn rport(&self) -> Option<u16> {
        number(self.params.get("rport")?).and_then(|port| u16::try_from(port).ok())
    }

    /// Address and port that the next hop saw, where it told both (RFC 3581).
    #[must_use]
    pub fn seen_as(&self) -> Option<SocketAddr> {
        let ip = str::from_utf8(self.received()?).ok()?.parse().ok()?;
        Some(SocketAddr::new(ip, self.rport()?))
    }

    /// Whether the sender wants its response where the request came from (RFC 3581): `rport` without a value.
    #[must_use]
    pub fn wants_rport(&self) -> bool {
        self.params.get("rport").is_some_and(<[u8]>::is_empty)
    }

    /// All parameters.
    #[must_use]
    pub const fn params(&self) -> Params<'a> {
        self.params
    }
}

/// `4711 INVITE`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CSeq<'a> {
    /// Below 2^31 (RFC 3261 8.1.1.5).
    pub number: u32,
    /// The method, as far as we know it.
    pub method: Method,
    /// The method's token as it came.
    pub token: &'a [u8],
}

impl<'a> CSeq<'a> {
    pub(super) fn parse(value: &'a [u8]) -> Option<Self> {
        let (number, token) = sequence_number(value)?;
        let token = is_token(token).then_some(token)?;
        Some(Self { number, method: Method::of(token), token })
    }
}

/// The provisional response that a PRACK acknowledges: `1 4711 INVITE` (RFC 3262 7.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RAck<'a> {
    /// Its RSeq.
    pub rseq: u32,
    /// CSeq of the request that it answered.
    pub cseq: CSeq<'a>,
}

impl<'a> RAck<'a> {
    pub(super) fn parse(value: &'a [u8]) -> Option<Self> {
        let (rseq, rest) = leading_number(value)?;
        Some(Self {
            rseq: u32::try_from(rseq).ok()?,
            cseq: CSeq::parse(rest.first().filter(|&&byte| is_space(byte)).map(|_| trim_start(rest))?)?,
        })
    }
}

/// Why a call ended, in the words of another protocol: `Q.850;cause=16;text="Terminated"` (RFC 3326).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Reason<'a> {
    /// `SIP`, `Q.850` or another token.
    pub protocol: &'a [u8],
    /// The protocol's own number: a Q.850 cause, a SIP status.
    pub cause: Option<u16>,
    /// Words for people, without the quotes.
    pub text: Option<&'a [u8]>,
}

impl<'a> Reason<'a> {
    pub(super) fn parse(value: &'a [u8]) -> Option<Self> {
        let end = memchr(b';', value).unwrap_or(value.len());
        let protocol = trim(&value[..end]);
        let params = Params(&value[end..]);
        let cause = params.get("cause").and_then(number).and_then(|cause| u16::try_from(cause).ok());
        is_token(protocol).then(|| Self { protocol, cause, text: params.get("text").map(unquote) })
    }

    /// The cause, if this is ISDN's: 0 to 127 (Q.850).
    #[must_use]
    pub fn q850(&self) -> Option<u8> {
        const CAUSES: u16 = 128;
        let cause = self.cause.filter(|&cause| cause < CAUSES)?;
        self.protocol.eq_ignore_ascii_case(b"Q.850").then_some(cause as u8)
    }
}

/// Who refreshes a session (RFC 4028).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    /// Who sent the request.
    Uac,
    /// Who answers it.
    Uas,
}

/// How long a session lives without a refresh (RFC 4028 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpires {
    /// In seconds.
    pub secs: u32,
    /// Who refreshes, if that is settled.
    pub refresher: Option<Refresher>,
}

impl SessionExpires {
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let (secs, rest) = leading_number(value)?;
        let refresher = match Params(rest).get("refresher") {
            Some(who) if who.eq_ignore_ascii_case(b"uac") => Some(Refresher::Uac),
            Some(who) if who.eq_ignore_ascii_case(b"uas") => Some(Refresher::Uas),
            _ => None,
        };
        Some(Self { secs: u32::try_from(secs).ok()?, refresher })
    }
}

/// A value on one line: each fold becomes one space, as RFC 3261 7.3.1 reads it.
#[must_use]
pub fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr2(b'\r', b'\n', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut line = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = memchr2(b'\r', b'\n', rest) {
        line.extend_from_slice(trim_end(&rest[..at]));
        line.push(b' ');
        rest = trim_start(&rest[at..]);
    }
    line.extend_from_slice(rest);
    Cow::Owned(line)
}

/// A value as text on one line, with replacement characters for what is not UTF-8.
#[must_use]
pub fn text(value: &[u8]) -> Cow<'_, str> {
    match unfold(value) {
        Cow::Borrowed(line) => String::from_utf8_lossy(line),
        Cow::Owned(line) => Cow::Owned(String::from_utf8_lossy(&line).into_owned()),
    }
}

/// The URI in a `name-addr` or `addr-spec`; the whole text when it is neither.
#[must_use]
pub fn uri_of(name_addr: &str) -> &str {
    // Quotes, brackets, semicolons and spaces are ASCII, so the parts begin and end between characters.
    let parsed = NameAddr::parse(name_addr.as_bytes());
    parsed.and_then(|party| str::from_utf8(party.uri).ok()).unwrap_or(name_addr)
}

/// The number and the rest of `4711 INVITE`.
fn sequence_number(value: &[u8]) -> Option<(u32, &[u8])> {
    const BOUND: u64 = 1 << 31;
    let (number, rest) = leading_number(value)?;
    let spaced = rest.first().copied().is_some_and(is_space);
    (spaced && number < BOUND).then(|| (number as u32, trim(rest)))
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`, with spaces around the colon.
pub(super) fn host_and_port(text: &[u8]) -> Option<(&[u8], Option<u16>)> {
    let host_len = match text.first()? {
        b'[' => memchr(b']', text)? + 1,
        _ => memchr(b':', text).unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at(host_len);
    let host = trim_end(host);
    let port = match trim_start(rest) {
        [] => None,
        [b':', port @ ..] => Some(number(trim_start(port)).and_then(|port| u16::try_from(port).ok())?),
        _ => return None,
    };
    is_host(host).then_some((host, port))
}

/// A name or an address. Underscores are no part of the grammar and of many networks.
fn is_host(host: &[u8]) -> bool {
    match host {
        [b'[', address @ .., b']'] => {
            !address.is_empty()
                && address.iter().all(|&byte| byte.is_ascii_hexdigit() || b":.".contains(&byte))
        }
        name => {
            !name.is_empty()
                && name.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        }
    }
}

/// One value of a list and what follows its comma. Commas in quotes and in angle brackets do not count.
pub(super) fn split_list(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut at = 0;
    while let Some(stop) = memchr3(b',', b'"', b'<', &text[at..]).map(|found| at + found) {
        match text[stop] {
            b',' => return (trim(&text[..stop]), Some(&text[stop + 1..])),
            b'"' => at = stop + quoted_len(&text[stop..]).unwrap_or(text.len() - stop),
            _ => at = stop + memchr(b'>', &text[stop..]).map_or(text.len() - stop, |close| close + 1),
        }
    }
    (trim(text), None)
}

/// One part of a list of text and what follows its comma.
pub(crate) fn list_part(text: &str) -> (&str, Option<&str>) {
    let (_, rest) = split_list(text.as_bytes());
    let Some(rest) = rest else { return (text.trim(), None) };
    let comma = text.len() - rest.len() - 1;
    (text[..comma].trim(), Some(&text[comma + 1..]))
}

/// One parameter and what follows its semicolon. Semicolons in quotes do not count.
fn split_param(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut at = 0;
    while let Some(stop) = memchr2(b';', b'"', &text[at..]).map(|found| at + found) {
        if text[stop] == b';' {
            return (&text[..stop], Some(&text[stop + 1..]));
        }
        at = stop + quoted_len(&text[stop..]).unwrap_or(text.len() - stop);
    }
    (text, None)
}

fn name_and_value(param: &[u8]) -> (&[u8], &[u8]) {
    match memchr(b'=', param) {
        Some(at) => (trim(&param[..at]), trim(&param[at + 1..])),
        None => (trim(param), &[]),
    }
}

fn is_param_value(value: &[u8]) -> bool {
    match value.first() {
        Some(b'"') => quoted_len(value) == Some(value.len()),
        Some(b'[') => is_host(value),
        // Colons for an IPv6 address without brackets (RFC 5118 4.5).
        _ => !value.is_empty() && value.iter().all(|&byte| is_token_byte(byte) || byte == b':'),
    }
}

/// How long the quoted string is that `text` begins with, quotes included; `None` when it stays open.
pub(super) fn quoted_len(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Without the quotes around it, if there are any. Escapes inside stay.
fn unquote(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inside @ .., b'"'] => inside,
        _ => value,
    }
}

fn split_at_byte(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    memchr(byte, text).map(|at| (&text[..at], &text[at + 1..]))
}

/// What branches begin with since RFC 3261 (8.1.1.7).
const MAGIC: &[u8] = b"z9hG4bK";

// Parties are people: their names and numbers are not shown.
impl fmt::Debug for NameAddr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NameAddr(tag: {:?})", self.tag().map(text))
    }
}

impl fmt::Debug for Via<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Via({} {}, branch: {:?})",
            text(self.transport),
            text(self.sent_by),
            self.branch().map(text)
        )
    }
}

impl fmt::Debug for Params<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Params({})", self.into_iter().count())
    }
}

impl fmt::Debug for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reason({};cause={:?})", text(self.protocol), self.cause)
    }
}
