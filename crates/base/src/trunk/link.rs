//! Why a trunk cannot be reached by a connection.

/// What is wrong with the connection to a trunk, or with its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkFault {
    /// Its machine says that nobody listens there.
    #[error("nobody listens there")]
    Refused,
    /// The network knows no way there.
    #[error("the network knows no way there")]
    Unreachable,
    /// Nothing came back in time: not a word of TCP, or of TLS.
    #[error("nothing came back")]
    Silent,
    /// It was there, and the other side or the network ended it.
    #[error("the connection broke")]
    Broken,
    /// The other side reads nothing any more.
    #[error("the other side reads nothing")]
    Stuck,
    /// What came over it is no SIP.
    #[error("the other side does not speak SIP")]
    NotSip,
    /// Whoever listens there does not speak TLS, or none that we speak.
    #[error("the other side does not speak TLS as we do")]
    NotTls,
    /// Its certificate is for another name.
    #[error("its certificate is for another name")]
    NameMismatch,
    /// Nobody whom we trust has signed its certificate.
    #[error("its certificate is signed by nobody whom we trust")]
    UnknownAuthority,
    /// Its certificate is no longer valid.
    #[error("its certificate has expired")]
    Expired,
    /// Its certificate is not valid yet.
    #[error("its certificate is not valid yet")]
    NotYetValid,
    /// Its certificate cannot be used for another reason.
    #[error("its certificate cannot be used")]
    BadCertificate,
    /// It does not take our certificate, or wants one and we have none.
    #[error("it does not take our certificate, or wants one")]
    OursRefused,
    /// It is no trunk's address, so nobody knows what its certificate should say.
    #[error("nobody knows what its certificate should say")]
    Unnamed,
    /// There are as many connections, or as much waits to be sent, as there may be.
    #[error("there are too many connections, or too much waits to be sent")]
    Crowded,
}
