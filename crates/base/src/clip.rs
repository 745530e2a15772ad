//! What a leg can be made to hear.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::ClipId;
use crate::private::Private;

/// A voice or tone that ships with the project. Debug hides which digit a digit is: it may be part of a code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SystemClip {
    /// A spoken Mandarin digit, 0 to 9.
    Digit(u8),
    /// "Your call is being transferred, please wait."
    Transferring,
    /// "One minute is left of this call."
    LastMinute,
    /// Ring-back tone; one period, made to be looped.
    RingBack,
    /// The short tone that says a call is being recorded.
    HintTone,
    /// Half a second of silence, between the repetitions of a code.
    Pause,
}

impl SystemClip {
    /// Every system clip, each once.
    pub const ALL: [Self; 15] = [
        Self::Digit(0),
        Self::Digit(1),
        Self::Digit(2),
        Self::Digit(3),
        Self::Digit(4),
        Self::Digit(5),
        Self::Digit(6),
        Self::Digit(7),
        Self::Digit(8),
        Self::Digit(9),
        Self::Transferring,
        Self::LastMinute,
        Self::RingBack,
        Self::HintTone,
        Self::Pause,
    ];
}

impl fmt::Debug for SystemClip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Digit(_) => "Digit(*)",
            Self::Transferring => "Transferring",
            Self::LastMinute => "LastMinute",
            Self::RingBack => "RingBack",
            Self::HintTone => "HintTone",
            Self::Pause => "Pause",
        })
    }
}

/// A clip as an order names it, before anybody has looked it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClipWish {
    /// One of ours.
    System(SystemClip),
    /// A voice file of the customer, by the name given at upload.
    Named(Box<str>),
    /// A template of the customer, spoken with these values in its places.
    Spoken {
        /// The template's id.
        template: Box<str>,
        /// What stands in its places, in order; `None` when the order named no values at all.
        values: Option<Vec<Private<Box<str>>>>,
    },
}

/// A clip that is known to exist and to be approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ClipKey {
    /// One of ours.
    System(SystemClip),
    /// A customer's clip, by its content.
    Uploaded(ClipId),
    /// Words that are spoken for this call, by what is said and how.
    Spoken(ClipId),
}
