//! What an endpoint is told once: its name on the wire, its peers, its pace.

use std::net::{IpAddr, SocketAddr};

use crate::timer::Pace;

/// How an endpoint behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Host and port as peers reach us; goes into Via (`sent-by`) and into the Contact of answered calls.
    pub sent_by: String,
    /// User-Agent and Server header; empty for none.
    pub product: String,
    /// Who may talk to us. Anybody else hears nothing at all.
    pub peers: Vec<PeerRule>,
    /// Whether calls may come in. When not, an INVITE from a peer gets 403.
    pub accept_calls: bool,
    /// Where requests inside a dialog go.
    pub next_hop: NextHop,
    /// How fast the protocol runs.
    pub pace: Pace,
}

impl Settings {
    /// An endpoint that places calls, refuses incoming ones, and has no peers yet.
    #[must_use]
    pub fn new(sent_by: impl Into<String>) -> Self {
        Self {
            sent_by: sent_by.into(),
            product: String::new(),
            peers: Vec::new(),
            accept_calls: false,
            next_hop: NextHop::Dialog,
            pace: Pace::default(),
        }
    }

    /// Whether `from` is one of the peers.
    #[must_use]
    pub fn knows(&self, from: SocketAddr) -> bool {
        self.peers.iter().any(|rule| rule.covers(from))
    }
}

/// An address that a peer may send from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerRule {
    /// This address and port.
    Socket(SocketAddr),
    /// This address, any port.
    Host(IpAddr),
}

impl PeerRule {
    /// Whether the rule covers `from`. An IPv4 address in IPv6 clothes is the IPv4 address.
    #[must_use]
    pub fn covers(&self, from: SocketAddr) -> bool {
        let ip = from.ip().to_canonical();
        match self {
            Self::Socket(socket) => socket.ip().to_canonical() == ip && socket.port() == from.port(),
            Self::Host(host) => host.to_canonical() == ip,
        }
    }
}

impl From<SocketAddr> for PeerRule {
    fn from(socket: SocketAddr) -> Self {
        Self::Socket(socket)
    }
}

impl From<IpAddr> for PeerRule {
    fn from(host: IpAddr) -> Self {
        Self::Host(host)
    }
}

/// Where requests inside a dialog are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextHop {
    /// To the first Route, else to the Contact (RFC 3261 8.1.2), where that is an address; a name goes to the peer.
    Dialog,
    /// Always to the peer that the call was placed to or came from: for carriers whose Contact is unreachable.
    Peer,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_rule_covers_every_port_and_a_socket_rule_one() {
        let from: SocketAddr = "192.0.2.1:5070".parse().unwrap();
        assert!(PeerRule::Host(from.ip()).covers("[::ffff:192.0.2.1]:9".parse().unwrap()));
        assert!(PeerRule::Socket(from).covers(from));
        assert!(!PeerRule::Socket(from).covers("192.0.2.1:5060".parse().unwrap()));
    }
}
