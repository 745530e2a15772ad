//! What an endpoint says: datagrams to send, and news about legs.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base::private::Private;
use base::time::Timestamp;

use crate::early::EarlyMedia;
use crate::reason::Reason;
use crate::registration::{RegistrationKey, RegistrationState};
use crate::transport::{Hop, Transport};

/// Bytes to send as one datagram, or one after the other by a connection. Cheap to clone; a retransmission is the same bytes again.
pub type Datagram = Arc<[u8]>;

/// The caller's list of things to do, in order.
pub type Outputs = Vec<Output>;

/// The name of a leg, within one endpoint. For calls that we place the owner chooses it, below [`LegKey::INCOMING`] and
/// never twice; for calls that come in the endpoint does, from there on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LegKey(pub u64);

impl LegKey {
    /// The first key of a call that came in.
    pub const INCOMING: u64 = 1 << 63;
}

/// One branch of a forked call, in the order in which the branches made themselves heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fork(pub u8);

/// One thing for the owner of the endpoint to do.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send these bytes.
    Send {
        /// Where to: for a reliable transport the remote address of a connection, to be opened if there is none.
        to: SocketAddr,
        /// How.
        transport: Transport,
        /// What: one whole message.
        datagram: Datagram,
    },
    /// Something happened to a leg.
    Event {
        /// Which leg.
        leg: LegKey,
        /// What happened.
        event: Event,
    },
    /// A ping that [`Endpoint::options`](crate::Endpoint::options) sent has come to its end.
    Pong {
        /// Whom we asked.
        peer: Hop,
        /// What it answered; `None` when it did not, within 64*T1.
        status: Option<u16>,
        /// How long it took, our own repetitions included. With a status only.
        round_trip: Option<Duration>,
        /// Seconds for which the peer wants to be left alone, from a 503 and its like.
        retry_after: Option<u32>,
        /// The address that it saw us ask from, where it says so (RFC 3581).
        seen_as: Option<SocketAddr>,
        /// What its clock says, where it says so (RFC 3261 20.17).
        date: Option<Timestamp>,
    },
    /// A registration has come to another state.
    Registration {
        /// Which registration.
        key: RegistrationKey,
        /// Its state now.
        state: RegistrationState,
    },
}

impl Output {
    pub(crate) fn send(to: Hop, datagram: Datagram) -> Self {
        Self::Send { to: to.address, transport: to.transport, datagram }
    }
}

/// News about a leg. [`Failed`](Self::Failed) and [`Ended`](Self::Ended) are final: each leg gets exactly one of
/// them, as its last event.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// Our INVITE has arrived at the next hop (100, or the first provisional of any kind). Once at most.
    Trying,
    /// A provisional from 101 to 199. Each new fork has its own dialog and perhaps its own early media.
    Early {
        /// Which branch of the call.
        fork: Fork,
        /// 180, 183, …
        status: u16,
        /// Its session description.
        sdp: Option<Vec<u8>>,
        /// Why it already knows that it will fail (RFC 3326 in a 183), as Chinese carriers do.
        reason: Option<Reason>,
        /// What the network allows of early media, if it says so.
        allowed: Option<EarlyMedia>,
    },
    /// The network allows more or less early media of a branch than before, without a provisional: by UPDATE.
    EarlyMedia {
        /// Which branch of the call.
        fork: Fork,
        /// What it allows now.
        allowed: EarlyMedia,
    },
    /// The call was redirected, and follows: another INVITE is on its way to another target. What early branches
    /// there were are gone.
    Redirected {
        /// Status of the response that redirected it, or that the last target refused with.
        status: u16,
    },
    /// The call was answered (any 2xx), and our ACK is on its way.
    Answered {
        /// The branch that answered. All others are being released.
        fork: Fork,
        /// The answer to our offer. `None`: it came before, in the last [`Early`](Self::Early) of this fork.
        sdp: Option<Vec<u8>>,
    },
    /// The call will not be: it was refused, nobody answered in time, or it was cancelled. Final.
    Failed {
        /// Status of the response; 408 when a timer of ours made it, 487 for a cancelled call.
        status: u16,
        /// The peer's reason, from its response or its CANCEL.
        reason: Option<Reason>,
        /// Seconds after which to try again, from a 503 and its like.
        retry_after: Option<u32>,
        /// Whether we decided it, and not a response of the peer.
        local: bool,
    },
    /// The peer offers a change of the session. Answer with [`answer_offer`](crate::Endpoint::answer_offer) or
    /// refuse with [`refuse_offer`](crate::Endpoint::refuse_offer).
    Offer {
        /// The branch that offers; before the answer several may.
        fork: Fork,
        /// The offer.
        sdp: Vec<u8>,
    },
    /// The peer asks us to offer: a re-INVITE without a session description. Give all that we can do with
    /// [`answer_offer`](crate::Endpoint::answer_offer), or refuse with
    /// [`refuse_offer`](crate::Endpoint::refuse_offer). [`OfferAnswered`](Self::OfferAnswered) tells the peer's answer.
    OfferWanted {
        /// The branch that asks.
        fork: Fork,
    },
    /// Our [`offer`](crate::Endpoint::offer) was accepted, the peer answered the description that it had
    /// [wanted](Self::OfferWanted), or it answered a refresh by re-INVITE, perhaps from another address.
    OfferAnswered {
        /// The branch that answers.
        fork: Fork,
        /// The answer.
        sdp: Vec<u8>,
    },
    /// Our [`offer`](crate::Endpoint::offer) was refused; the session goes on as it was.
    OfferRefused {
        /// 491 means that both sides offered at once and the peer came first, or that they met again and again; the
        /// RFC's back-off (RFC 3261 14.1) was kept before.
        status: u16,
    },
    /// A key was pressed, and an INFO request told it: `0` to `9`, `*`, `#`, `A` to `D`.
    Digit(Private<char>),
    /// The final answer to an INFO of ours; 408 when none came.
    InfoDone {
        /// Status of the response.
        status: u16,
    },
    /// Something is wrong with the leg. What follows from it comes as its own events.
    Fault(Fault),
    /// A call has come in: [`ring`](crate::Endpoint::ring), [`answer`](crate::Endpoint::answer) or
    /// [`reject`](crate::Endpoint::reject) it.
    Invited(Box<Invited>),
    /// The caller has given up; [`Failed`](Self::Failed) with 487 follows.
    Cancelled {
        /// Why, if it said so.
        reason: Option<Reason>,
    },
    /// Our answer was acknowledged.
    Acked,
    /// Our answer was never acknowledged; the leg is being released.
    AckMissing,
    /// The call is over: it had been answered, and a BYE was sent or received. Without an
    /// [`Answered`](Self::Answered) before it, the answer crossed our CANCEL. Final.
    Ended {
        /// Who ended it.
        by: EndedBy,
        /// The peer's reason, from its BYE.
        reason: Option<Reason>,
    },
}

/// Who ended an answered call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// We hung up, or the peer knew the call no more.
    Us,
    /// The peer hung up.
    Peer,
    /// Nobody: the session was not refreshed in time (RFC 4028 10), so the peer is taken for dead. Our BYE is on its
    /// way, and its answer is not waited for.
    Expiry,
}

/// A call that has come in.
#[derive(Clone, PartialEq, Eq)]
pub struct Invited {
    /// Who sent it, and how.
    pub peer: Hop,
    /// Request URI: whom the caller wants.
    pub request_uri: String,
    /// The URI of its From header.
    pub from: String,
    /// The URI of its To header.
    pub to: String,
    /// Its Call-ID.
    pub call_id: String,
    /// Its session description, if any.
    pub offer: Option<Vec<u8>>,
    /// Whether a reliable provisional may be sent (it supports or requires 100rel).
    pub reliable: bool,
    /// The whole request, for what else its receiver wants to know.
    pub request: Vec<u8>,
}

/// What can be wrong with a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The 2xx brought no answer to our offer and none had come before. The leg is acknowledged and released.
    #[error("the call was answered without a session description")]
    AnswerWithoutSdp,
    /// Our reliable provisional was never acknowledged (RFC 3262 3). The call is refused with 504.
    #[error("a reliable provisional response was never acknowledged")]
    PrackMissing,
}

// Session descriptions, keys and numbers are nobody's business in a log.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sdp = |sdp: &Option<Vec<u8>>| if sdp.is_some() { " sdp" } else { "" };
        match self {
            Self::Trying => write!(f, "Trying"),
            Self::Early { fork, status, sdp: body, reason, allowed } => {
                write!(f, "Early {status} fork {}{}{}", fork.0, sdp(body), Cause(reason.as_ref()))?;
                allowed.map_or(Ok(()), |allowed| write!(f, " {allowed:?}"))
            }
            Self::EarlyMedia { fork, allowed } => write!(f, "EarlyMedia fork {} {allowed:?}", fork.0),
            Self::Redirected { status } => write!(f, "Redirected {status}"),
            Self::Answered { fork, sdp: body } => write!(f, "Answered fork {}{}", fork.0, sdp(body)),
            Self::Failed { status, reason, retry_after, local } => {
                write!(f, "Failed {status}{}", Cause(reason.as_ref()))?;
                if let Some(secs) = retry_after {
                    write!(f, " retry after {secs}")?;
                }
                f.write_str(if *local { " local" } else { "" })
            }
            Self::Offer { fork, .. } => write!(f, "Offer fork {}", fork.0),
            Self::OfferWanted { fork } => write!(f, "OfferWanted fork {}", fork.0),
            Self::OfferAnswered { .. } => write!(f, "OfferAnswered"),
            Self::OfferRefused { status } => write!(f, "OfferRefused {status}"),
            Self::Digit(_) => write!(f, "Digit"),
            Self::InfoDone { status } => write!(f, "InfoDone {status}"),
            Self::Fault(fault) => write!(f, "Fault {fault:?}"),
            Self::Invited(invited) => write!(f, "Invited{}", sdp(&invited.offer)),
            Self::Cancelled { reason } => write!(f, "Cancelled{}", Cause(reason.as_ref())),
            Self::Acked => write!(f, "Acked"),
            Self::AckMissing => write!(f, "AckMissing"),
            Self::Ended { by, reason } => {
                let by = match by {
                    EndedBy::Us => "us",
                    EndedBy::Peer => "peer",
                    EndedBy::Expiry => "expiry",
                };
                write!(f, "Ended by {by}{}", Cause(reason.as_ref()))
            }
        }
    }
}

/// A reason in an event's debug line.
struct Cause<'a>(Option<&'a Reason>);

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |reason| write!(f, " {}={}", reason.protocol, reason.cause))
    }
}
