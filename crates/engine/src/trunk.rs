//! A trunk as the engine is told of it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base::address::Block;
use base::trunk::{Route, Terms};
use sip::Hop;
use sip::digest::Credentials;
use sip::sdp::Codec;

use crate::numbering::Step;
use crate::tls::TlsClient;

/// A SIP trunk: the gateways of a carrier, and what it wants of us.
#[derive(Clone, Debug)]
pub struct Trunk {
    /// What operators, journal and records call it.
    pub name: Box<str>,
    /// Where INVITEs go: the first address, and the next one when it fails; at most
    /// [`TRUNK_ADDRESSES`](base::trunk::TRUNK_ADDRESSES). None: it cannot be used until it is given some
    /// ([`Engine::set_peers`](crate::Engine::set_peers)).
    pub peers: Vec<Peer>,
    /// How connections to those of its peers are protected that are reached by TLS.
    pub tls: Option<TlsClient>,
    /// Whether peers that are reached by UDP take TCP at the same address, for requests that are too large for a datagram
    /// (RFC 3261 18.1.1).
    pub large_by_tcp: bool,
    /// The address that it is told we are at, in SIP and SDP, when it is not the one that everybody is told. It counts for
    /// peers of its family.
    pub external: Option<IpAddr>,
    /// Who else of the carrier may speak to us, from any port.
    pub sources: Vec<Block>,
    /// The host of its SIP URIs, when it is not the peer's address.
    pub domain: Option<String>,
    /// What a 401 or 407 is answered with.
    pub credentials: Option<Credentials>,
    /// Whether it wants us to register, and as whom.
    pub registration: Option<Registration>,
    /// Whether media may come from another address than the SDP says, learned in the first seconds of a leg.
    pub behind_nat: bool,
    /// The codecs that it is offered, best first. Legs that settle on different ones are transcoded.
    pub codecs: Vec<Codec>,
    /// Whether what is said is protected on the way.
    pub srtp: Srtp,
    /// How it wants the numbers of those who are called.
    pub dialled: Vec<Step>,
    /// How it wants the numbers that are shown.
    pub shown: Vec<Step>,
    /// What it is told of who calls.
    pub identity: Identity,
    /// How it is asked whether it is there; `None`: it is not.
    pub probe: Option<Probe>,
    /// How long it may say nothing to an INVITE before another trunk is tried, where there is one.
    pub silence: Duration,
    /// How many targets a redirection may lead to, one after the other, all of them at its own addresses or its domain;
    /// 0 to [`REDIRECTS_MAX`]. With 0 a redirection is a failure, and another trunk is tried.
    pub redirects: u8,
    /// Which numbers it takes.
    pub routes: Vec<Route>,
    /// How many calls it carries at once; `None`: any number.
    pub calls_max: Option<u32>,
    /// How many new calls it takes in any second; `None`: any number.
    pub calls_per_second: Option<u32>,
}

/// One of a trunk's gateways: how it is reached, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// How, and where.
    pub hop: Hop,
    /// What its TLS certificate must be for; `None`: its address.
    pub name: Option<Arc<str>>,
    /// When it is tried.
    pub turn: Turn,
}

/// When a gateway is tried among others of its trunk (RFC 2782). Those that have the same one are tried in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// Those of a smaller rank are tried first.
    pub rank: u16,
    /// Among those of one rank: how often it is the first, in proportion to the others.
    pub weight: u16,
}

impl From<Hop> for Peer {
    /// A gateway that has no name.
    fn from(hop: Hop) -> Self {
        Self { hop, name: None, turn: Turn::default() }
    }
}

impl From<SocketAddr> for Peer {
    /// A gateway that is reached by UDP.
    fn from(address: SocketAddr) -> Self {
        Hop::from(address).into()
    }
}

/// How we register with a trunk (RFC 3261 10.2): with the first of its peers, or the next one when that fails, as `sip:user@domain`, by its credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Registration {
    /// The user part of the account, which is often a telephone number.
    pub user: String,
    /// How long each registration is to last. The trunk may grant another time; it is renewed after half to three
    /// quarters of that.
    pub lasts: Duration,
}

// The user may be a telephone number.
impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registration({:?})", self.lasts)
    }
}

/// What a trunk is told of who calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The host of our side in From.
    pub host: FromHost,
    /// Whether the number is told in P-Asserted-Identity too (RFC 3325).
    pub asserted: bool,
    /// Whether the telephone may show it.
    pub privacy: Privacy,
}

/// Whether RTP is protected, by keys in the session descriptions (RFC 4568).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Srtp {
    /// It is not.
    #[default]
    Off,
    /// It is; a leg whose far end describes no keys fails with 488.
    Required,
}

/// The host part of From.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FromHost {
    /// The address that we are reached at.
    #[default]
    Ours,
    /// The trunk's domain, as carriers want it whose customers register.
    Trunk,
}

/// Whether the telephone that is called may show the number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Privacy {
    /// It may.
    #[default]
    Open,
    /// It may not (RFC 3323): From is anonymous, and `Privacy: id` asks the carrier to keep what it knows to itself.
    Withheld,
}

/// How a trunk is asked whether it is there: by OPTIONS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// How often; also how long an answer is waited for.
    pub every: Duration,
    /// How many answers in a row must be missing for an address to be down.
    pub misses: u8,
}

impl Trunk {
    /// A trunk that takes every number in international form, at one address, by UDP.
    #[must_use]
    pub fn new(name: &str, peer: SocketAddr) -> Self {
        let Terms { name, routes, calls_max, calls_per_second } = Terms::new(name);
        Self {
            name,
            peers: vec![peer.into()],
            tls: None,
            large_by_tcp: false,
            external: None,
            sources: Vec::new(),
            domain: None,
            credentials: None,
            registration: None,
            behind_nat: false,
            codecs: CODECS.to_vec(),
            srtp: Srtp::default(),
            dialled: Vec::new(),
            shown: Vec::new(),
            identity: Identity::default(),
            probe: None,
            silence: SILENCE,
            redirects: 0,
            routes,
            calls_max,
            calls_per_second,
        }
    }

    /// Whether it is reached by connections.
    pub(crate) fn wants_connections(&self) -> bool {
        let is_connected = |peer: &Peer| peer.hop.transport.is_reliable();
        self.tls.is_some() || self.large_by_tcp || self.peers.iter().any(is_connected)
    }

    /// What it takes.
    pub(crate) fn terms(&self) -> Terms {
        Terms {
            name: self.name.clone(),
            routes: self.routes.clone(),
            calls_max: self.calls_max,
            calls_per_second: self.calls_per_second,
        }
    }
}

/// The codecs that a trunk is offered when nobody says otherwise: A-law is what Chinese carriers carry.
pub const CODECS: [Codec; 2] = [Codec::Pcma, Codec::Pcmu];

/// How long a trunk may say nothing when nobody says otherwise: an INVITE that is lost is sent four times until then.
pub const SILENCE: Duration = Duration::from_secs(5);

/// The most that a trunk may say of redirections: each one is another INVITE for one call.
pub const REDIRECTS_MAX: u8 = 5;
