//! Why a message cannot be used, and whether its sender is owed an answer.

use super::Name;

/// Why a datagram is not a message that we can use. It names the rule, never the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing but line ends: a keep-alive (RFC 5626 3.5.1, RFC 3261 7.5), not a mistake.
    #[error("nothing but line ends")]
    Empty,
    /// More bytes than [`MESSAGE_BYTES`](super::MESSAGE_BYTES).
    #[error("longer than a datagram can be")]
    TooLong,
    /// More header lines than [`HEADERS`](super::HEADERS).
    #[error("too many header lines")]
    TooManyHeaders,
    /// The first line is neither a request line nor a status line.
    #[error("malformed start line")]
    StartLine,
    /// The first line speaks of another version than SIP/2.0.
    #[error("SIP version is not 2.0")]
    Version,
    /// The request URI is malformed.
    #[error("malformed request URI")]
    RequestUri,
    /// A header line without a name or a colon.
    #[error("malformed header line")]
    HeaderLine,
    /// A CR among the headers that no LF follows: some read it as a line end and some do not.
    #[error("a lone CR in a header")]
    LoneCr,
    /// The blank line after the headers is missing.
    #[error("no end of the headers")]
    Unfinished,
    /// A header that every message has is missing.
    #[error("{} is missing", .0.as_str())]
    Missing(Name),
    /// A header that may stand once stands twice.
    #[error("{} is repeated", .0.as_str())]
    Repeated(Name),
    /// A header cannot be read.
    #[error("{} is malformed", .0.as_str())]
    Malformed(Name),
    /// The method in CSeq is not the method of the request (RFC 3261 8.1.1.5).
    #[error("CSeq names another method")]
    MethodMismatch,
    /// Content-Length promises more than arrived (RFC 3261 18.3).
    #[error("the body is cut off")]
    BodyCut,
    /// Two Content-Lengths that differ.
    #[error("two lengths for one body")]
    TwoLengths,
}

impl Fault {
    /// The status that a request with this fault deserves; `None` where silence is right whatever it was.
    #[must_use]
    pub const fn status(self) -> Option<u16> {
        match self {
            Self::Empty => None,
            Self::Version => Some(505),
            Self::TooLong => Some(513),
            Self::TooManyHeaders
            | Self::StartLine
            | Self::RequestUri
            | Self::HeaderLine
            | Self::LoneCr
            | Self::Unfinished
            | Self::Missing(_)
            | Self::Repeated(_)
            | Self::Malformed(_)
            | Self::MethodMismatch
            | Self::BodyCut
            | Self::TwoLengths => Some(400),
        }
    }
}
