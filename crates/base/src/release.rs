//! Why a leg or a call ended. One truth; each dialect has its own vocabulary for it.

use serde::{Deserialize, Serialize};

use crate::id::Leg;

/// How one leg ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Who ended it.
    pub by: Party,
    /// Why, in our words.
    pub cause: Cause,
    /// The final SIP status of the leg's INVITE when it was not a success; 408 also when our own timer made it.
    pub status: Option<u16>,
    /// The Q.850 cause (1 to 127) from a Reason header (RFC 3326), when the far end sent one.
    pub q850: Option<u8>,
    /// Whether the leg rang before it ended.
    pub rang: bool,
}

impl Release {
    /// A leg that was released after it had been answered.
    #[must_use]
    pub const fn normal(by: Party) -> Self {
        Self { by, cause: Cause::Normal, status: None, q850: None, rang: true }
    }
}

/// Who ended something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Party {
    /// Leg A.
    Caller,
    /// Leg B.
    Callee,
    /// We: a timer, a limit, the end of a prompt, a fault.
    Platform,
    /// The customer, by asking us to stop.
    Customer,
}

impl Party {
    /// The party at the end of a leg.
    #[must_use]
    pub const fn of(leg: Leg) -> Self {
        match leg {
            Leg::A => Self::Caller,
            Leg::B => Self::Callee,
        }
    }
}

/// Why a leg or a call ended. Closed: every dialect maps every variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Cause {
    /// It had been answered and was hung up.
    Normal,
    /// The number is in use.
    Busy,
    /// It rang and the network gave up (480 or 408 after ringing).
    NoAnswer,
    /// It rang and our own ring timer ran out.
    RingTimeout,
    /// The party refused the call.
    Rejected,
    /// There is no such number.
    NoSuchNumber,
    /// The party cannot be reached now.
    Unreachable,
    /// The telephone is switched off (Q.850 cause 20, subscriber absent).
    PoweredOff,
    /// The network played an announcement of failure and gave no better cause.
    Announcement,
    /// The trunk or a gateway behind it failed (5xx, or an unusable answer).
    TrunkFault,
    /// The trunk never answered our INVITE.
    TrunkSilent,
    /// We gave the attempt up because the other party was gone.
    OtherPartyGone,
    /// The customer asked us to stop.
    Stopped,
    /// The longest allowed time was over.
    TimeOver,
    /// A clip could not be played.
    ClipFault,
    /// A clip that was there when the order was read is gone.
    ClipMissing,
    /// The words of the call could not be spoken.
    SpeechFault,
    /// A word that must not be spoken stands in what was to be said. Nobody was dialled.
    ForbiddenWords,
    /// The callee may not be called. Nobody was dialled.
    CalleeBlocked,
    /// No key was pressed where one was asked for.
    NoDigits,
    /// The recording could not begin.
    RecordingFault,
    /// The process ended while the call ran; recovery closed it.
    Interrupted,
    /// A fault of our own.
    OurFault,
}

/// How a whole call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Who ended it.
    pub by: Party,
    /// Why.
    pub cause: Cause,
    /// The leg whose release decided it; `None` when no single leg did.
    pub leg: Option<Leg>,
}

/// The cause of a leg that was never answered, by what the far end said.
///
/// The Q.850 cause of a Reason header speaks first, since gateways put the telephone network's own word there;
/// then the SIP status (RFC 3261 section 21, RFC 3398 section 8.2.6.1).
#[must_use]
pub const fn cause_of(status: u16, q850: Option<u8>, rang: bool) -> Cause {
    if let Some(q850) = q850
        && let Some(cause) = cause_of_q850(q850)
    {
        return cause;
    }
    match status {
        486 | 600 => Cause::Busy,
        404 | 604 | 484 | 410 => Cause::NoSuchNumber,
        480 | 408 | 487 if rang => Cause::NoAnswer,
        480 | 408 => Cause::Unreachable,
        603 | 403 | 607 => Cause::Rejected,
        _ => Cause::TrunkFault,
    }
}

const fn cause_of_q850(q850: u8) -> Option<Cause> {
    match q850 {
        17 => Some(Cause::Busy),
        18 | 19 => Some(Cause::NoAnswer),
        20 => Some(Cause::PoweredOff),
        21 => Some(Cause::Rejected),
        1 | 22 | 28 => Some(Cause::NoSuchNumber),
        3 | 27 => Some(Cause::Unreachable),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_networks_own_word_wins_over_the_status() {
        assert_eq!(cause_of(480, Some(17), false), Cause::Busy);
        assert_eq!(cause_of(480, Some(20), false), Cause::PoweredOff);
        assert_eq!(cause_of(486, Some(16), false), Cause::Busy);
    }

    #[test]
    fn the_same_status_means_another_thing_after_ringing() {
        assert_eq!(cause_of(480, None, true), Cause::NoAnswer);
        assert_eq!(cause_of(480, None, false), Cause::Unreachable);
        assert_eq!(cause_of(503, None, false), Cause::TrunkFault);
    }
}
