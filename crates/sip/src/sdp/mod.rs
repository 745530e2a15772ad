//! What the media will be: offer and answer for one audio stream (RFC 3264 over RFC 8866).
//!
//! ```text
//! OurSide ─ offer(direction) ─▶ body of the INVITE      body of the answer ─▶ accept ─▶ Agreed
//!         ◀─ answer(offer, direction) ── body of their offer; gives our body and Agreed
//! ```
//!
//! G.711, G.722, Opus and telephone-events over plain RTP, or over SRTP with keys in the description ([`Crypto`]) where
//! our side is told so, nothing else. Telephone-events count with the clock of the
//! voice beside them (RFC 4733 2.2). Other media that somebody offers are declined with port 0, as RFC 3264 6 wants it. Reading is lenient: LF alone, Latin-1, unknown lines, missing rtpmaps of static types.

mod crypto;
mod ours;
mod read;

use std::net::SocketAddr;

use smallvec::SmallVec;

pub use self::crypto::{Crypto, KEYING_BYTES, SUITE};
pub use self::ours::OurSide;

/// The media type of a session description.
pub const MEDIA_TYPE: &str = "application/sdp";

/// The packet length that we send and ask for, in milliseconds.
pub const PTIME_MILLIS: u16 = 20;

/// A voice codec that we speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// G.711 A-law, payload type 8.
    Pcma,
    /// G.711 mu-law, payload type 0.
    Pcmu,
    /// G.722 at 64 kbit/s, payload type 9. Its clock is said to be 8,000 (RFC 3551 4.5.2).
    G722,
    /// Opus (RFC 7587). Its payload type is dynamic and its clock 48,000.
    Opus,
}

/// What an RTP payload type carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Voice that we understand.
    Voice(Codec),
    /// Pressed keys at the clock of G.711 and G.722 (RFC 4733).
    TelephoneEvent,
    /// Pressed keys at the clock of Opus.
    OpusEvent,
    /// Anything else.
    Other,
}

/// One entry of an audio line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    /// RTP payload type, 0 to 127.
    pub number: u8,
    /// What it carries.
    pub kind: Kind,
}

/// Which way media flow, as the side sees it that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// Only from the speaker of this word.
    SendOnly,
    /// Only to the speaker of this word.
    RecvOnly,
    /// Neither way.
    Inactive,
}

/// The audio stream that the other side described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioDescription {
    /// Where it wants RTP. The unspecified address (`0.0.0.0`) means: nowhere, you are on hold.
    pub address: SocketAddr,
    /// Where it wants RTCP: the next port, unless it says otherwise (RFC 3605).
    pub rtcp: SocketAddr,
    /// What it can receive, best first.
    pub payloads: SmallVec<[Payload; 8]>,
    /// As it sees it.
    pub direction: Direction,
    /// The packet length that it would like, in milliseconds.
    pub ptime_millis: Option<u16>,
    /// What it protects its packets by, over SRTP.
    pub crypto: Option<Crypto>,
}

/// What both sides have settled on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The voice codec.
    pub codec: Codec,
    /// Payload type of the voice in the packets that we send.
    pub payload: u8,
    /// Payload type of the voice in the packets that we hear.
    pub payload_heard: u8,
    /// Payload type of telephone-events in the packets that we send; `None` where keys only travel as tones.
    pub events: Option<u8>,
    /// Payload type of telephone-events in the packets that we hear; `None` where we described none.
    pub events_heard: Option<u8>,
    /// Where our RTP goes.
    pub address: SocketAddr,
    /// Where our RTCP goes.
    pub rtcp: SocketAddr,
    /// Which way media flow, as we see it. It does not include sending while the other side holds us.
    pub direction: Direction,
    /// The packet length that the other side would like, in milliseconds.
    pub ptime_millis: Option<u16>,
    /// What the other side protects its packets by; always there where our side is protected, and never elsewhere.
    pub crypto: Option<Crypto>,
}

/// Why a session description is of no use. As answer to an offer all of them are 488 (RFC 3261 13.3.1.3), but
/// [`Malformed`](Self::Malformed), which is 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It cannot be read.
    #[error("malformed session description")]
    Malformed,
    /// It has more media than [`MEDIA`].
    #[error("too many media")]
    TooManyMedia,
    /// There is no audio over plain RTP in it, or none over SRTP where our side is protected.
    #[error("no audio over the transport that was agreed to")]
    NoAudio,
    /// Audio over SRTP without keys that we understand.
    #[error("no keys for SRTP")]
    NoKeys,
    /// The audio was declined with port 0.
    #[error("the audio was declined")]
    Declined,
    /// No voice codec that both sides speak.
    #[error("no codec in common")]
    NoCodec,
    /// The address of the media is a name, a group, or missing.
    #[error("no usable media address")]
    Address,
}

impl Fault {
    /// The SIP status for an offer with this fault.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::TooManyMedia
            | Self::NoAudio
            | Self::NoKeys
            | Self::Declined
            | Self::NoCodec
            | Self::Address => 488,
        }
    }
}

/// Media lines of a description that we look at: a video call with slides and text has five.
pub const MEDIA: usize = 16;

impl Codec {
    /// Every codec.
    pub const ALL: [Self; 4] = [Self::Pcma, Self::Pcmu, Self::G722, Self::Opus];

    /// The payload type in our offers: the static one (RFC 3551), or the one that we chose.
    #[must_use]
    pub const fn payload(self) -> u8 {
        match self {
            Self::Pcma => 8,
            Self::Pcmu => 0,
            Self::G722 => 9,
            Self::Opus => OPUS,
        }
    }

    /// The name in an rtpmap.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pcma => "PCMA",
            Self::Pcmu => "PCMU",
            Self::G722 => "G722",
            Self::Opus => "opus",
        }
    }

    /// The codec of this name, in letters of any size.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| name.eq_ignore_ascii_case(codec.as_str()))
    }

    /// What an rtpmap says after the name (RFC 3551, RFC 7587 7).
    const fn clock(self) -> &'static str {
        match self {
            Self::Pcma | Self::Pcmu | Self::G722 => "8000",
            Self::Opus => "48000/2",
        }
    }

    /// Its format parameters, where it has any: we speak and hear Opus with 16,000 samples a second (RFC 7587 6.1).
    const fn parameters(self) -> Option<&'static str> {
        match self {
            Self::Pcma | Self::Pcmu | Self::G722 => None,
            Self::Opus => Some("maxplaybackrate=16000;sprop-maxcapturerate=16000"),
        }
    }

    /// The telephone-events that have its clock.
    const fn events(self) -> Events {
        match self {
            Self::Pcma | Self::Pcmu | Self::G722 => {
                Events { kind: Kind::TelephoneEvent, number: EVENTS, clock: 8_000 }
            }
            Self::Opus => Events { kind: Kind::OpusEvent, number: OPUS_EVENTS, clock: 48_000 },
        }
    }
}

/// Telephone-events of one clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Events {
    kind: Kind,
    /// The payload type.
    number: u8,
    /// Ticks a second.
    clock: u32,
}

impl Direction {
    /// From what each side is willing to do.
    #[must_use]
    pub const fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether its speaker sends.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether its speaker receives.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The attribute on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    fn of(attribute: &str) -> Option<Self> {
        let all = [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive];
        all.into_iter().find(|direction| attribute.eq_ignore_ascii_case(direction.as_str()))
    }

    /// What is left of this wish of ours when the other side says `theirs` (RFC 3264 6.1).
    const fn meets(self, theirs: Self) -> Self {
        Self::new(self.sends() && theirs.receives(), self.receives() && theirs.sends())
    }
}

impl AudioDescription {
    /// Whether it asks us not to send: hold by direction (RFC 3264 8.4) or by the older `0.0.0.0`.
    #[must_use]
    pub fn is_held(&self) -> bool {
        !self.direction.receives() || self.address.ip().is_unspecified()
    }

    /// The first voice codec that `ours` has too, with its payload type.
    fn voice(&self, ours: &[Codec]) -> Option<(Codec, u8)> {
        self.payloads.iter().find_map(|payload| match payload.kind {
            Kind::Voice(codec) if ours.contains(&codec) => Some((codec, payload.number)),
            Kind::Voice(_) | Kind::TelephoneEvent | Kind::OpusEvent | Kind::Other => None,
        })
    }

    /// The payload type of the telephone-events that have the clock of this codec.
    fn events(&self, beside: Codec) -> Option<u8> {
        let events = self.payloads.iter().find(|payload| payload.kind == beside.events().kind);
        events.map(|payload| payload.number)
    }

    /// What comes of their description when our answer repeats its payload types.
    fn agree(&self, ours: &[Codec], wish: Direction) -> Result<Agreed, Fault> {
        let (codec, payload) = self.voice(ours).ok_or(Fault::NoCodec)?;
        let direction = wish.meets(self.direction);
        let direction = Direction::new(direction.sends() && !self.is_held(), direction.receives());
        let events = self.events(codec);
        Ok(Agreed {
            codec,
            payload,
            payload_heard: payload,
            events,
            events_heard: events,
            address: self.address,
            rtcp: self.rtcp,
            direction,
            ptime_millis: self.ptime_millis,
            crypto: self.crypto,
        })
    }
}

/// The payload type under which we offer telephone-events: what nearly everybody uses.
pub const EVENTS: u8 = 101;
/// The payload type under which we offer those with the clock of Opus.
const OPUS_EVENTS: u8 = 110;
/// The payload type under which we offer Opus.
const OPUS: u8 = 111;

#[cfg(test)]
mod tests;
