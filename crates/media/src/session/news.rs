//! What a session says of packets and ticks.

use base::release::Cause;

use crate::answerer::Told;
use crate::codec::Codec;
use crate::dtmf::{Event, Pressed};
use crate::reception::Order;
use crate::rtp::Packet;

/// Names one call of [`super::Session::play`] or [`super::Session::announce`], so that an end is never taken for another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Play(pub u32);

/// What became of a received packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// Counted and not heard.
    Dropped(Unheard),
    /// Audio of the far end, and the key whose tone is certain now, if tones are listened for.
    Audio(Heard, Option<Pressed>),
    /// A packet of a key press, and the key if one is over now.
    Event(Heard, Option<Pressed>),
    /// The noise of a pause (RFC 3389), to be handed on like audio, so that nobody takes its packets for losses. It is
    /// counted as heard; the pause is silent.
    Noise(Heard),
}

/// Why a packet is not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unheard {
    /// It is no RTP packet.
    Malformed,
    /// It comes from somebody else than the far end.
    Foreign,
    /// Its payload type was not agreed to, or it is empty.
    Unknown,
    /// Its number is far from the others'.
    Wild,
}

/// A packet of the far end, read and judged; the bytes stay in the driver's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Header and bounds. The timestamp is in 1/8,000 s, whatever clock the codec has.
    pub packet: Packet,
    /// The codec of an audio packet; `None` for an event and for the noise of a pause.
    pub codec: Option<Codec>,
    /// Whether the far end's address has changed with this packet; see [`super::Session::target`].
    pub moved: bool,
    pub(super) order: Order,
    pub(super) event: Option<Event>,
}

impl Heard {
    /// Whether it came after a newer packet.
    pub(crate) fn is_late(&self) -> bool {
        self.order == Order::Late
    }
}

/// What a tick brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// So many bytes of RTP for [`super::Session::target`]; nobody gets them when there is none.
    Rtp(usize),
    /// So many bytes of RTCP for [`super::Session::rtcp_target`].
    Rtcp(usize),
    /// The last frame of a playlist has been sent and played out.
    ClipEnded(Play),
    /// All keys have been sent.
    KeysSent,
    /// The far end's key press is over although its end was lost.
    Pressed(Pressed),
    /// The far end's network says, before the answer, why the call will fail.
    Announced(Cause),
    /// Something was heard of whoever has picked up.
    PickedUp(Told),
}
