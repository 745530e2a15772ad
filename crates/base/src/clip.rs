//! What a leg can be made to hear.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::ClipId;
use crate::private::Private;
use crate::template::{TextNo, named};

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
    /// What is said before a verification code.
    BeforeCode(CodeWording),
    /// What is said after it.
    AfterCode(CodeWording),
}

/// What a verification code is for, and so what is said before and after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CodeWording {
    /// Nothing special.
    Plain,
    /// To register.
    Registration,
    /// To log in.
    LogIn,
    /// To set a forgotten password anew.
    PasswordReset,
    /// To confirm a payment.
    Payment,
}

impl SystemClip {
    /// Every system clip, each once.
    pub const ALL: [Self; 25] = [
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
        Self::BeforeCode(CodeWording::Plain),
        Self::AfterCode(CodeWording::Plain),
        Self::BeforeCode(CodeWording::Registration),
        Self::AfterCode(CodeWording::Registration),
        Self::BeforeCode(CodeWording::LogIn),
        Self::AfterCode(CodeWording::LogIn),
        Self::BeforeCode(CodeWording::PasswordReset),
        Self::AfterCode(CodeWording::PasswordReset),
        Self::BeforeCode(CodeWording::Payment),
        Self::AfterCode(CodeWording::Payment),
    ];
}

impl fmt::Debug for SystemClip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeforeCode(_) => "BeforeCode",
            Self::AfterCode(_) => "AfterCode",
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
        /// Which of its texts; 0 unless it is a menu.
        part: TextNo,
        /// What stands in its places.
        values: Values,
    },
}

/// The values that an order has for a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// None at all.
    None,
    /// One for each place, in their order.
    InOrder(Vec<Private<Box<str>>>),
    /// By the names of the places; shared by all texts of a menu.
    ByName(Arc<named::Values>),
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
