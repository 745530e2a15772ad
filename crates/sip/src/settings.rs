//! What an endpoint is told once: its name on the wire, its peers, its pace.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base::address::Block;

use crate::timer::Pace;
use crate::transport::{Hop, Transport};

/// How an endpoint behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Host and port as peers reach us.
    pub sent_by: SentBy,
    /// The same for those who reach us elsewhere than the others do: the first that fits counts.
    pub elsewhere: Vec<(Viewer, SentBy)>,
    /// The transports that our surroundings carry. A dialog that is asked to move to another one stays where it is.
    pub transports: Vec<Transport>,
    /// Peers of ours by UDP that also take TCP at the same address: a request that is too large for a datagram goes to
    /// them by TCP (RFC 3261 18.1.1).
    pub large_by_tcp: Vec<PeerRule>,
    /// What `sips:` means to us.
    pub sips: Sips,
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
    /// How long an answered call may go without a sign of life.
    pub session: SessionTimer,
}

impl Settings {
    /// An endpoint that places calls, refuses incoming ones, and has no peers yet.
    #[must_use]
    pub fn new(sent_by: impl Into<String>) -> Self {
        Self {
            sent_by: SentBy { udp: sent_by.into(), ..SentBy::default() },
            elsewhere: Vec::new(),
            transports: vec![Transport::Udp],
            large_by_tcp: Vec::new(),
            sips: Sips::TlsOnly,
            product: String::new(),
            peers: Vec::new(),
            accept_calls: false,
            next_hop: NextHop::Dialog,
            pace: Pace::default(),
            session: SessionTimer::default(),
        }
    }

    /// Whether `from` is one of the peers.
    #[must_use]
    pub fn knows(&self, from: impl Into<Hop>) -> bool {
        let from = from.into();
        self.peers.iter().any(|rule| rule.covers(from))
    }

    /// Our `sent-by` for whom this way leads to.
    pub(crate) fn sent_by(&self, way: Hop) -> &str {
        let own = self.elsewhere.iter().find(|(viewer, _)| viewer.covers(way));
        own.map_or(&self.sent_by, |(_, own)| own).by(way.transport)
    }

    /// Whether a request of this many bytes to this hop goes by TCP instead.
    pub(crate) fn is_for_tcp(&self, bytes: usize, to: Hop) -> bool {
        to.transport == Transport::Udp
            && bytes > DATAGRAM_BYTES_MAX
            && self.large_by_tcp.iter().any(|rule| rule.covers(to))
    }
}

/// Host and port as peers reach us, by each transport; they go into Via (`sent-by`) and into Contact where the owner gave
/// none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SentBy {
    /// By UDP.
    pub udp: String,
    /// By TCP, where it differs.
    pub tcp: Option<String>,
    /// By TLS, which usually has a port of its own.
    pub tls: Option<String>,
}

impl SentBy {
    fn by(&self, transport: Transport) -> &str {
        let own = match transport {
            Transport::Udp => None,
            Transport::Tcp => self.tcp.as_deref(),
            Transport::Tls => self.tls.as_deref(),
        };
        own.unwrap_or(&self.udp)
    }
}

/// Peers who see us elsewhere than others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// The one at this address.
    Host(IpAddr),
    /// Everybody who has an IPv6 address.
    Ipv6,
}

impl Viewer {
    fn covers(self, way: Hop) -> bool {
        let ip = way.address.ip().to_canonical();
        match self {
            Self::Host(host) => host.to_canonical() == ip,
            Self::Ipv6 => ip.is_ipv6(),
        }
    }
}

/// Session timers (RFC 4028): both sides agree on an interval, one of them refreshes within it, and a call that nobody
/// refreshes is over. Whole seconds count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimer {
    /// What we ask for in calls that we place, and in those that come in from peers who know session timers. `None`
    /// asks for nothing; what a peer asks for is honoured all the same.
    pub interval: Option<Duration>,
    /// The shortest interval that we accept: a shorter one is refused with 422. Never below 90 s (RFC 4028 5).
    pub least: Duration,
}

impl SessionTimer {
    /// The shortest interval, in seconds.
    pub(crate) fn least_secs(&self) -> u32 {
        whole_secs(self.least).max(LEAST_SESSION_SECS)
    }

    /// What we ask for, in seconds.
    pub(crate) fn wanted_secs(&self) -> Option<u32> {
        self.interval.map(|interval| whole_secs(interval).max(self.least_secs()))
    }
}

impl Default for SessionTimer {
    /// 1800 s, as RFC 4028 4 recommends and carriers set it. On, because a BYE that is lost with its trunk would
    /// otherwise leave a call that is billed for hours; and a peer that knows no session timers is not asked twice.
    fn default() -> Self {
        Self { interval: Some(Duration::from_secs(1_800)), least: Duration::from_secs(90) }
    }
}

fn whole_secs(span: Duration) -> u32 {
    u32::try_from(span.as_secs()).unwrap_or(u32::MAX)
}

/// The least that a Min-SE may say (RFC 4028 5).
pub(crate) const LEAST_SESSION_SECS: u32 = 90;

/// An address that a peer may send from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerRule {
    /// This address and port.
    Socket(SocketAddr),
    /// This address, any port.
    Host(IpAddr),
    /// Any address of this block, any port.
    Block(Block),
}

impl PeerRule {
    /// Whether the rule covers `from`. An IPv4 address in IPv6 clothes is the IPv4 address, and the port of a
    /// connection is any: the peer's system chose it.
    #[must_use]
    pub fn covers(&self, from: impl Into<Hop>) -> bool {
        let Hop { transport, address } = from.into();
        let ip = address.ip().to_canonical();
        match self {
            Self::Socket(socket) => {
                let same_port = transport.is_reliable() || socket.port() == address.port();
                socket.ip().to_canonical() == ip && same_port
            }
            Self::Host(host) => host.to_canonical() == ip,
            Self::Block(block) => block.contains(ip),
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

/// What is asked of a call to a `sips:` URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sips {
    /// TLS on our hop: other requests to `sips:` URIs are refused with 416, and ours fail before they are sent.
    TlsOnly,
    /// Nothing: it is taken for another spelling of `sip:`, as some trunks use it.
    Anyhow,
}

/// Where requests inside a dialog are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextHop {
    /// To the first Route, else to the Contact (RFC 3261 8.1.2), where that is an address; a name goes to the peer.
    Dialog,
    /// Always to the peer that the call was placed to or came from: for carriers whose Contact is unreachable.
    Peer,
}

/// The largest request that goes as a datagram where there is a choice (RFC 3261 18.1.1).
const DATAGRAM_BYTES_MAX: usize = 1_300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_rule_covers_every_port_and_a_socket_rule_one() {
        let from: SocketAddr = "192.0.2.1:5070".parse().unwrap();
        assert!(PeerRule::Host(from.ip()).covers("[::ffff:192.0.2.1]:9".parse::<SocketAddr>().unwrap()));
        assert!(PeerRule::Socket(from).covers(from));
        assert!(!PeerRule::Socket(from).covers("192.0.2.1:5060".parse::<SocketAddr>().unwrap()));
    }

    #[test]
    fn a_block_rule_covers_every_address_of_its_block_and_family() {
        let covers = |block: &str, from: &str| {
            PeerRule::Block(block.parse().unwrap()).covers(from.parse::<SocketAddr>().unwrap())
        };
        assert!(covers("203.0.113.0/24", "203.0.113.255:5062"));
        assert!(covers("203.0.113.0/24", "[::ffff:203.0.113.7]:9"));
        assert!(!covers("203.0.113.0/25", "203.0.113.128:5060"));
        assert!(covers("2001:db8::/32", "[2001:db8:9::1]:5060"));
        assert!(!covers("2001:db8::/32", "[2001:db9::1]:5060"));
        assert!(!covers("203.0.113.7", "203.0.113.8:5060"), "an address alone is a block of one");
    }
}
