//! The message layer: one datagram as a view that borrows everything, and the writer that makes new ones.
//!
//! ```text
//! bytes ─ parse.rs: one pass ─▶ index of header lines ─ headers.rs ─▶ typed values
//!                                                        values.rs: Via, NameAddr, CSeq, …    uri.rs
//! Writer (print.rs) ─▶ bytes
//! ```
//!
//! *Lenient in*: bytes, not UTF-8; folded lines, compact names, LF alone, odd spaces. [`Message::parse`] asks only for
//! what a transaction needs; [`Message::check`] asks for the rest, before a stranger's request is acted upon.
//! *Strict out*: [`Writer`] cannot be talked into a second line.

mod charset;
mod fault;
mod headers;
mod method;
mod name;
mod parse;
mod print;
mod stream;
mod uri;
mod values;

use std::fmt;

pub(crate) use self::charset::is_token;
pub use self::fault::Fault;
pub use self::headers::Values;
pub use self::method::Method;
pub use self::name::Name;
use self::parse::Index;
pub use self::print::{Writer, refuse};
pub use self::stream::{Arrived, Frame, Inbox, PING, PONG, frame};
pub use self::uri::{Scheme, Uri};
pub(crate) use self::values::list_part;
pub use self::values::{
    CSeq, NameAddr, Params, ParamsIter, RAck, Reason, Refresher, SessionExpires, Via, text, unfold, uri_of,
};

/// Bytes of a message: what one UDP datagram can carry. Streams keep to it too.
pub const MESSAGE_BYTES: usize = 65_535;

/// Header lines of a message. The longest from a real trunk had under 40, the longest torture message 25.
pub const HEADERS: usize = 128;

/// The first line of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum StartLine<'a> {
    /// `INVITE sip:… SIP/2.0`
    Request {
        /// The method, as far as we know it.
        method: Method,
        /// The method's token as it came.
        token: &'a [u8],
        /// The request URI as it came; see [`Message::request_uri`].
        uri: &'a [u8],
    },
    /// `SIP/2.0 180 Ringing`
    Response {
        /// 100 to 699.
        status: u16,
        /// The reason phrase as it came, possibly empty, in any encoding.
        reason: &'a [u8],
    },
}

/// A view of one message. It borrows the datagram, allocates nothing for a usual one, and has been found to carry
/// what a transaction needs: Via, From, To, Call-ID, CSeq, and a body of the length that it states.
#[derive(Clone)]
pub struct Message<'a> {
    index: Index<'a>,
    start: StartLine<'a>,
    via: Via<'a>,
    from: NameAddr<'a>,
    to: NameAddr<'a>,
    cseq: CSeq<'a>,
    body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads a datagram, or one whole message of a stream.
    ///
    /// # Errors
    /// The first rule that it breaks. [`refuse`] makes the answer that is due, if any.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut index = Index::new(bytes);
        let rest = index.read()?;
        let start = index.start()?;
        let cseq = CSeq::parse(index.single(Name::CSeq)?).ok_or(Fault::Malformed(Name::CSeq))?;
        if let StartLine::Request { token, .. } = start
            && token != cseq.token
        {
            return Err(Fault::MethodMismatch);
        }
        let call_id = index.single(Name::CallId)?;
        if call_id.is_empty() {
            return Err(Fault::Malformed(Name::CallId));
        }
        let from = NameAddr::parse(index.single(Name::From)?).ok_or(Fault::Malformed(Name::From))?;
        let to = NameAddr::parse(index.single(Name::To)?).ok_or(Fault::Malformed(Name::To))?;
        let top = Values::of(&index, Name::Via).next().ok_or(Fault::Missing(Name::Via))?;
        let via = Via::parse(top).ok_or(Fault::Malformed(Name::Via))?;
        let body = index.body(rest)?;
        Ok(Self { index, start, via, from, to, cseq, body })
    }

    /// The first line.
    #[must_use]
    pub const fn start(&self) -> StartLine<'a> {
        self.start
    }

    /// The message body; empty when there is none. What follows it in the datagram is not shown.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }
}

// Names and numbers of people stand in messages, so none of it is shown.
impl fmt::Debug for StartLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request { method: Method::Other, .. } => f.write_str("other request"),
            Self::Request { method, .. } => f.write_str(method.as_str()),
            Self::Response { status, .. } => write!(f, "{status}"),
        }
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Message({:?}, {} headers, {} bytes of body)",
            self.start,
            self.index.len(),
            self.body.len()
        )
    }
}

#[cfg(test)]
mod tests;
