//! What happened to a call. The journal holds nothing else, and everything else is concluded from it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::answerer::Answerer;
use crate::call::Call;
use crate::clip::ClipKey;
use crate::id::{CallId, Leg};
use crate::private::Private;
use crate::quality::MediaReport;
use crate::release::{Cause, Ending, Release};
use crate::time::Timestamp;

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The call it happened to.
    pub call: CallId,
    /// 0 for the acceptance, then counting up without a gap.
    pub seq: u32,
    /// When it happened. Never before the entry before it.
    pub at: Timestamp,
    /// What happened.
    pub fact: Fact,
}

/// Something that happened to a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fact {
    /// We promised the call. The first entry of every call.
    Accepted(Box<Call>),
    /// An INVITE left for the leg. Again, when the trunk before could not bring it on its way.
    Dialled {
        /// The leg.
        leg: Leg,
        /// The trunk that it took; `None` in journals of when there was only one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trunk: Option<Box<str>>,
        /// The SIP status with which the trunk before had failed; 408 when it said nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<u16>,
    },
    /// The leg's telephone rings: 180, or 183 with early media.
    Ringing {
        /// The leg.
        leg: Leg,
        /// The early dialog, so that a restarted process can release it.
        dialog: Option<Dialog>,
    },
    /// The leg was answered: a 2xx and nothing else.
    Answered {
        /// The leg.
        leg: Leg,
        /// The dialog, so that a restarted process can release it.
        dialog: Option<Dialog>,
    },
    /// A party began to hear a clip.
    ClipStarted {
        /// The leg that hears it.
        leg: Leg,
        /// The clip.
        clip: ClipKey,
    },
    /// A party began to hear a verification code. Which digits are spoken is nobody's business.
    CodeStarted {
        /// The leg that hears it.
        leg: Leg,
    },
    /// A party began to hear the other side's early media.
    EarlyMedia {
        /// The leg that hears it.
        leg: Leg,
    },
    /// What the network of a leg said before the answer is an announcement that we know.
    Announced {
        /// The leg whose network said it.
        leg: Leg,
        /// Why the leg will fail, by what was said.
        cause: Cause,
    },
    /// The network sent the call of a leg to another target, and our INVITE followed.
    Redirected {
        /// The leg.
        leg: Leg,
        /// The SIP status that sent it there, or with which the target before refused.
        status: u16,
    },
    /// Who has picked up, as far as it can be heard. Again, when a machine wants its message.
    PickedUp {
        /// The leg.
        leg: Leg,
        /// Who or what it is.
        answerer: Answerer,
    },
    /// The two parties hear each other from now on.
    Bridged,
    /// A party pressed a key.
    Digit {
        /// The leg that pressed it.
        leg: Leg,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        digit: Private<char>,
        /// How it came.
        #[serde(default)]
        source: KeySource,
    },
    /// The keys that an item of a notice asked for have come, or a key that leads on in a menu.
    Collected {
        /// The leg that pressed them.
        leg: Leg,
        /// All of them, in order; at least one.
        digits: Private<Box<str>>,
    },
    /// The words of the call were spoken, before anybody was dialled.
    Spoken {
        /// How long that took.
        took: Duration,
    },
    /// The conversation is recorded from now on.
    RecordingStarted,
    /// The recording has ended.
    RecordingEnded {
        /// How long it is.
        length: Duration,
    },
    /// The customer asked us to stop.
    StopAsked,
    /// The leg is gone.
    Released {
        /// The leg.
        leg: Leg,
        /// How.
        release: Release,
        /// What its media came to, if it was answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        media: Option<Box<MediaReport>>,
    },
    /// The call is over: the last entry of every call.
    Over(Ending),
}

impl Fact {
    /// The leg is gone, and nothing is known of its media.
    #[must_use]
    pub const fn released(leg: Leg, release: Release) -> Self {
        Self::Released { leg, release, media: None }
    }

    /// An INVITE left for the leg, by a trunk whose name does not matter.
    #[must_use]
    pub const fn dialled(leg: Leg) -> Self {
        Self::Dialled { leg, trunk: None, after: None }
    }
}

/// How a pressed key comes to us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeySource {
    /// As an event in the media stream (RFC 4733).
    #[default]
    Event,
    /// In a SIP INFO request.
    Info,
    /// As a tone in what the party says.
    Tone,
}

/// What SIP needs to release a leg in a new process: opaque to everybody but the sip room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dialog(pub Box<str>);
