//! How a message travels, as far as the core needs to know: which words stand in Via and Contact, and whether it has to
//! be sent again.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// A transport of RFC 3261.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Transport {
    /// Datagrams, which get lost.
    #[default]
    Udp,
    /// A connection.
    Tcp,
    /// An encrypted connection.
    Tls,
}

impl Transport {
    /// Whether what is sent arrives or the connection breaks, so that nothing is sent again (RFC 3261 17).
    #[must_use]
    pub const fn is_reliable(self) -> bool {
        matches!(self, Self::Tcp | Self::Tls)
    }

    /// As it stands in Via: `UDP`, `TCP`, `TLS`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }

    /// As the `transport` parameter of a URI says it: `udp`, `tcp`, `tls`. The last one is older than `sips:` and what
    /// trunks use.
    #[must_use]
    pub const fn as_param(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }

    /// What a `transport` parameter names, in any case.
    pub(crate) fn of_param(value: &[u8]) -> Option<Self> {
        [Self::Udp, Self::Tcp, Self::Tls]
            .into_iter()
            .find(|transport| value.eq_ignore_ascii_case(transport.as_param().as_bytes()))
    }

    /// The port where nothing is said.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
        }
    }
}

/// One end of a way: how, and where. For a connection, its remote address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hop {
    /// How.
    pub transport: Transport,
    /// Where.
    pub address: SocketAddr,
}

impl Hop {
    /// This address by this transport.
    #[must_use]
    pub const fn new(transport: Transport, address: SocketAddr) -> Self {
        Self { transport, address }
    }

    /// Whether a message from `other` comes from here. A peer may answer by another connection than it was asked by, so
    /// for connections the port does not count.
    pub(crate) fn is_same_way(&self, other: Self) -> bool {
        let same_place = if self.transport.is_reliable() {
            self.address.ip() == other.address.ip()
        } else {
            self.address == other.address
        };
        self.transport == other.transport && same_place
    }
}

impl From<SocketAddr> for Hop {
    /// Datagrams to and from this address.
    fn from(address: SocketAddr) -> Self {
        Self::new(Transport::Udp, address)
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}", self.address, self.transport.as_str())
    }
}
