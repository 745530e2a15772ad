//! The writer: messages that are right by construction.

use std::fmt::Display;
use std::io::Write as _;
use std::net::SocketAddr;

use super::charset::is_token_byte;
use super::parse::Index;
use super::{Fault, Message, Method, Name, NameAddr, Via, unfold};

/// Builds one message. Headers stand in the order of the calls; Content-Length is always there, always right and
/// always last.
///
/// No value can break out of its line: a fold becomes one space, and every other CR, LF or NUL becomes a space too.
/// So building never fails, and a value from outside cannot smuggle in a header.
///
/// ```
/// use huihu_sip::message::{Method, Name, Writer};
///
/// let mut ok = Writer::response(200, "OK");
/// ok.header(Name::CallId, "c1\r\nEvil: yes").text(Name::CSeq, format_args!("{} {}", 7, Method::Bye.as_str()));
/// assert_eq!(ok.finish(), b"SIP/2.0 200 OK\r\nCall-ID: c1 Evil: yes\r\nCSeq: 7 BYE\r\nContent-Length: 0\r\n\r\n");
/// ```
#[derive(Clone)]
pub struct Writer {
    bytes: Vec<u8>,
    body: Vec<u8>,
}

impl Writer {
    /// Begins a request with a known method. [`Method::Other`] has no spelling: see
    /// [`request_with`](Self::request_with).
    #[must_use]
    pub fn request(method: Method, uri: impl AsRef<[u8]>) -> Self {
        Self::request_with(method.as_str(), uri)
    }

    /// Begins a request with any method.
    #[must_use]
    pub fn request_with(method: impl AsRef<[u8]>, uri: impl AsRef<[u8]>) -> Self {
        let mut writer = Self::empty();
        writer.token(method.as_ref());
        writer.bytes.push(b' ');
        writer.uri(uri.as_ref());
        writer.bytes.extend_from_slice(b" SIP/2.0\r\n");
        writer
    }

    /// Begins a response.
    #[must_use]
    pub fn response(status: u16, reason: impl AsRef<[u8]>) -> Self {
        let mut writer = Self::empty();
        write!(writer.bytes, "SIP/2.0 {status} ").expect(NEVER_FAILS);
        writer.value(reason.as_ref());
        writer.bytes.extend_from_slice(b"\r\n");
        writer
    }

    /// Begins the response to a request: its Vias, From, To, Call-ID and CSeq (RFC 3261 8.2.6), its Timestamp when
    /// the response is a 100.
    ///
    /// `tag` is put on a To that has none. `source` is where the request came from; it goes into the topmost Via as
    /// `received` and `rport` where RFC 3261 18.2.1 and RFC 3581 ask for it.
    #[must_use]
    pub fn reply(
        request: &Message<'_>,
        status: u16,
        reason: &str,
        tag: Option<&str>,
        source: SocketAddr,
    ) -> Self {
        const TRYING: u16 = 100;
        let mut writer = Self::response(status, reason);
        let (below, lines) = request.vias().below_top();
        writer.begin(Name::Via.as_str().as_bytes());
        writer.top_via(&request.via(), source);
        writer.end();
        // Line by line and not value by value, so that a line of commas does not grow into a book.
        for vias in below.into_iter().chain(lines) {
            writer.header(Name::Via, vias);
        }
        writer.copy(request, Name::From);
        writer.to(request.header(Name::To).unwrap_or_default(), tag.filter(|_| request.to().tag().is_none()));
        writer.copy(request, Name::CallId).copy(request, Name::CSeq);
        if status == TRYING {
            writer.copy(request, Name::Timestamp);
        }
        writer
    }

    /// Adds a header.
    pub fn header(&mut self, name: Name, value: impl AsRef<[u8]>) -> &mut Self {
        self.header_named(name.as_str(), value)
    }

    /// Adds a header whose value is written out: `text(Name::MaxForwards, 70)`.
    pub fn text(&mut self, name: Name, value: impl Display) -> &mut Self {
        self.begin(name.as_str().as_bytes());
        let start = self.bytes.len();
        write!(self.bytes, "{value}").expect(NEVER_FAILS);
        if self.bytes[start..].iter().any(|byte| BREAKS.contains(byte)) {
            let value = self.bytes.split_off(start);
            self.value(&value);
        }
        self.end()
    }

    /// Adds a header of any name.
    pub fn header_named(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> &mut Self {
        self.begin(name.as_ref());
        self.value(value.as_ref());
        self.end()
    }

    /// Adds all headers of this name that another message has, line by line.
    pub fn copy(&mut self, source: &Message<'_>, name: Name) -> &mut Self {
        for value in source.index.rows(name) {
            self.header(name, value);
        }
        self
    }

    /// Sets the body and its Content-Type.
    pub fn body(&mut self, content_type: impl AsRef<[u8]>, body: impl Into<Vec<u8>>) -> &mut Self {
        self.header(Name::ContentType, content_type);
        self.body = body.into();
        self
    }

    /// The message. The writer is empty afterwards.
    #[must_use]
    pub fn finish(&mut self) -> Vec<u8> {
        let body = std::mem::take(&mut self.body);
        let mut bytes = std::mem::take(&mut self.bytes);
        write!(bytes, "Content-Length: {}\r\n\r\n", body.len()).expect(NEVER_FAILS);
        bytes.extend_from_slice(&body);
        bytes
    }

    fn empty() -> Self {
        Self { bytes: Vec::with_capacity(USUAL_BYTES), body: Vec::new() }
    }

    fn begin(&mut self, name: &[u8]) {
        self.token(name);
        self.bytes.extend_from_slice(b": ");
    }

    fn end(&mut self) -> &mut Self {
        self.bytes.extend_from_slice(b"\r\n");
        self
    }

    fn token(&mut self, token: &[u8]) {
        if token.is_empty() {
            self.bytes.push(b'-');
        }
        self.bytes.extend(token.iter().map(|&byte| if is_token_byte(byte) { byte } else { b'-' }));
    }

    fn uri(&mut self, uri: &[u8]) {
        for &byte in uri {
            if byte <= b' ' || byte == DELETE {
                write!(self.bytes, "%{byte:02X}").expect(NEVER_FAILS);
            } else {
                self.bytes.push(byte);
            }
        }
    }

    fn value(&mut self, value: &[u8]) {
        let line = unfold(value);
        self.bytes.extend(line.iter().map(|byte| if BREAKS.contains(byte) { b' ' } else { *byte }));
    }

    fn to(&mut self, value: &[u8], tag: Option<&str>) {
        self.begin(b"To");
        self.value(value);
        if let Some(tag) = tag {
            self.bytes.extend_from_slice(b";tag=");
            self.token(tag.as_bytes());
        }
        self.end();
    }

    /// The topmost Via with what we saw of its sender.
    fn top_via(&mut self, via: &Via<'_>, source: SocketAddr) {
        self.bytes.extend_from_slice(b"SIP/2.0/");
        self.value(via.transport());
        self.bytes.push(b' ');
        self.value(via.sent_by());
        let address = source.ip().to_canonical().to_string();
        let rport = via.params().has("rport");
        for (name, value) in via.params() {
            if name.eq_ignore_ascii_case(b"received") || name.eq_ignore_ascii_case(b"rport") {
                continue;
            }
            self.bytes.push(b';');
            self.value(name);
            if !value.is_empty() {
                self.bytes.push(b'=');
                self.value(value);
            }
        }
        if rport {
            write!(self.bytes, ";rport={}", source.port()).expect(NEVER_FAILS);
        }
        if rport || via.host() != address.as_bytes() {
            write!(self.bytes, ";received={address}").expect(NEVER_FAILS);
        }
    }
}

/// The answer to a datagram that [`Message::parse`] or [`Message::check`] refused; `None` where silence is right: a
/// response, an ACK, a keep-alive, or a request without a Via.
///
/// It copies what can be read of Via, From, To, Call-ID and CSeq, and goes to where the datagram came from.
#[must_use]
pub fn refuse(datagram: &[u8], fault: Fault, tag: &str) -> Option<Vec<u8>> {
    let status = fault.status()?;
    let mut index = Index::new(datagram);
    // What was read before the fault is enough, or there is no answer.
    let _ = index.read();
    index.method_token().filter(|&method| method != b"ACK")?;
    index.value(Name::Via)?;
    // The sender may as well learn which rule it broke: the sentence holds nothing of the message.
    let mut answer = Writer::response(status, fault.to_string());
    for name in [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq] {
        for value in index.rows(name) {
            let untagged = NameAddr::parse(value).is_some_and(|party| party.tag().is_none());
            if name == Name::To && untagged {
                answer.to(value, Some(tag));
            } else {
                answer.header(name, value);
            }
        }
    }
    Some(answer.finish())
}

/// What would end a line, or a string of somebody else's.
const BREAKS: [u8; 3] = [b'\r', b'\n', 0];

/// Room for a usual message, so that building one allocates once.
const USUAL_BYTES: usize = 1024;
const DELETE: u8 = 0x7f;
const NEVER_FAILS: &str = "writing into a Vec does not fail";
