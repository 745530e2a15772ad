//! The call detail record: one a call, concluded from its facts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::answerer::Answerer;
use crate::call::Call;
use crate::id::Leg;
use crate::private::Private;
use crate::quality::MediaReport;
use crate::release::{Ending, Release};
use crate::time::Timestamp;

/// What happened in a call, summed up when it was over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// What was promised.
    pub call: Call,
    /// Leg A, then leg B.
    pub legs: [LegRecord; 2],
    /// The trunks that legs A and B took last, by their names; `None` for a leg that was never dialled.
    #[serde(default)]
    pub trunks: [Option<Box<str>>; 2],
    /// When both parties began to hear each other.
    pub bridged_at: Option<Timestamp>,
    /// When the last leg was gone.
    pub ended_at: Timestamp,
    /// How the call ended.
    pub ending: Ending,
    /// The recording of it, when there is one.
    #[serde(default)]
    pub recording: Option<Recording>,
    /// What speaking for it took.
    #[serde(default)]
    pub speech: SpeechUse,
    /// Of a menu the keys that led on, of a code or a notice all keys of its party; at most 32. Empty for a callback.
    #[serde(default)]
    pub pressed: Private<Box<str>>,
}

/// A recording of a conversation. Shorter ones than [`RECORDING_SHORTEST`](crate::limits::RECORDING_SHORTEST) are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// When it begins.
    pub started_at: Timestamp,
    /// How long it is.
    pub length: Duration,
}

/// How much was spoken for a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpeechUse {
    /// Times that spoken words were played.
    pub plays: u32,
    /// How long speaking them took.
    pub took: Duration,
}

impl CallRecord {
    /// The record of one leg.
    #[must_use]
    pub const fn leg(&self, leg: Leg) -> &LegRecord {
        &self.legs[leg.index()]
    }
}

/// The times and the end of one leg; all empty for a leg that was never dialled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegRecord {
    /// When its INVITE left.
    pub dialled_at: Option<Timestamp>,
    /// When it began to ring.
    pub ringing_at: Option<Timestamp>,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
    /// When it was gone.
    pub released_at: Option<Timestamp>,
    /// How it ended.
    pub release: Option<Release>,
    /// What its media came to.
    #[serde(default)]
    pub media: Option<MediaReport>,
    /// Who picked up, where that was listened for; the last that was told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answerer: Option<Answerer>,
}
