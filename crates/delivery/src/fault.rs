//! Why a receiver gave no whole answer, in a sentence that tells the causes apart. Nothing in it was written by the receiver.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;

use rustls::CertificateError;

use crate::health::Sign;
use crate::resolver::{Nameless, NotAllowed};

/// Why a receiver gave no whole answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PostFault {
    #[error("the receiver's address is not allowed")]
    NotAllowed,
    #[error("the receiver's name has no address")]
    Nameless,
    #[error("nobody listens at the receiver's address and port")]
    NobodyListens,
    #[error("the receiver cannot be reached: there is no way to its network")]
    Unreachable,
    #[error("no connection within {} s", within.as_secs_f32())]
    NoConnection { within: Duration },
    #[error("the receiver broke off before there was a connection")]
    NotConnected,
    #[error("the receiver does not speak TLS there as we do")]
    NoTls,
    #[error("the receiver's certificate is refused: {0}")]
    Certificate(CertificateFault),
    #[error("no answer within {} s", within.as_secs_f32())]
    NoAnswer { within: Duration },
    #[error("the receiver closed the connection without an answer")]
    Closed,
    #[error("the receiver reset the connection before it answered")]
    Reset,
    #[error("what the receiver answers is not HTTP/1.1")]
    NotHttp,
    #[error("the head of the answer is too long")]
    LongHead,
    #[error("the answer did not end within {} s", within.as_secs_f32())]
    NoEnd { within: Duration },
    #[error("the receiver broke off in the middle of its answer")]
    BrokenOff,
    #[error("the push cannot be put into HTTP")]
    Unsendable,
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CertificateFault {
    #[error("it has expired")]
    Expired,
    #[error("it is not valid yet")]
    NotYetValid,
    #[error("it is for another name")]
    OtherName,
    #[error("no authority that we trust has signed it")]
    Stranger,
    #[error("it was revoked")]
    Revoked,
    #[error("it is damaged, or not meant for a server")]
    Unusable,
}

impl PostFault {
    /// Why a request came to nothing before its answer began.
    pub(crate) fn of_request(fault: &hyper_util::client::legacy::Error) -> Self {
        // The innermost cause that says something was the first one.
        match causes(fault).filter_map(Self::of_cause).last() {
            Some(Self::Reset | Self::Closed) | None if fault.is_connect() => Self::NotConnected,
            Some(told) => told,
            None => Self::Closed,
        }
    }

    /// Why an answer that had begun did not end.
    pub(crate) fn of_answer(fault: &hyper::Error) -> Self {
        let is_nonsense = |cause: &(dyn Error + 'static)| {
            let kind = cause.downcast_ref().map(io::Error::kind);
            matches!(kind, Some(ErrorKind::InvalidInput | ErrorKind::InvalidData))
        };
        if causes(fault).any(is_nonsense) { Self::NotHttp } else { Self::BrokenOff }
    }

    /// What it says of the host.
    pub(crate) const fn sign(self) -> Sign {
        match self {
            Self::NotAllowed | Self::Unsendable => Sign::Nothing,
            Self::Nameless
            | Self::NobodyListens
            | Self::Unreachable
            | Self::NoConnection { .. }
            | Self::NotConnected
            | Self::NoTls
            | Self::Certificate(_)
            | Self::NoAnswer { .. }
            | Self::Closed
            | Self::Reset
            | Self::NotHttp
            | Self::LongHead
            | Self::NoEnd { .. }
            | Self::BrokenOff => Sign::Ill,
        }
    }

    fn of_cause(cause: &(dyn Error + 'static)) -> Option<Self> {
        if cause.is::<NotAllowed>() {
            return Some(Self::NotAllowed);
        }
        if cause.is::<Nameless>() {
            return Some(Self::Nameless);
        }
        if let Some(fault) = cause.downcast_ref::<hyper::Error>() {
            return Self::of_hyper(fault);
        }
        if let Some(fault) = cause.downcast_ref::<rustls::Error>() {
            return Some(match fault {
                rustls::Error::InvalidCertificate(fault) => Self::Certificate(CertificateFault::of(fault)),
                _ => Self::NoTls,
            });
        }
        Self::of_system(cause.downcast_ref::<io::Error>()?)
    }

    fn of_hyper(fault: &hyper::Error) -> Option<Self> {
        if fault.is_parse_too_large() {
            Some(Self::LongHead)
        } else if fault.is_parse() {
            Some(Self::NotHttp)
        } else if fault.is_incomplete_message() {
            Some(Self::Closed)
        } else {
            None
        }
    }

    fn of_system(fault: &io::Error) -> Option<Self> {
        match fault.kind() {
            ErrorKind::ConnectionRefused => Some(Self::NobodyListens),
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Some(Self::Reset),
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
                Some(Self::Unreachable)
            }
            _ => None,
        }
    }
}

impl CertificateFault {
    fn of(fault: &CertificateError) -> Self {
        match fault {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::OtherName
            }
            // Whoever calls himself like an authority that we trust cannot sign like it.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::Stranger,
            CertificateError::Revoked => Self::Revoked,
            _ => Self::Unusable,
        }
    }
}

/// A fault and its causes, from the outside in. An [`io::Error`] names its own cause as the source of that cause, so both
/// are looked at.
fn causes<'a>(fault: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let next = |cause: &&'a (dyn Error + 'static)| {
        let cause: &'a (dyn Error + 'static) = *cause;
        match cause.downcast_ref::<io::Error>() {
            Some(fault) => fault.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            None => cause.source(),
        }
    };
    std::iter::successors(Some(fault), next)
}
