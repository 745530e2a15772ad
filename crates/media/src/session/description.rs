//! What signalling tells a session.

use std::net::SocketAddr;

use crate::codec::Codec;

/// What offer and answer agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description {
    /// Where the far end wants its RTP; `None` before we know, or while it wants none.
    pub remote: Option<SocketAddr>,
    /// Where it wants its RTCP; `None` sends none.
    pub remote_rtcp: Option<SocketAddr>,
    /// The codec that we send.
    pub codec: Codec,
    /// Whether the far end may also send the other law, where G.711 was agreed to.
    pub hears: Hears,
    /// Payload types of telephone events, if agreed.
    pub events: Option<EventTypes>,
}

/// Which codecs the far end may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hears {
    /// Only the one that we send.
    Same,
    /// A-law and mu-law.
    Both,
}

/// Dynamic payload types of telephone events; the two sides may have chosen different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventTypes {
    /// What the far end sends us: the number in our own description.
    pub receive: u8,
    /// What we send: the number in the far end's description.
    pub send: u8,
}
