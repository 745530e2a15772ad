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
    /// A machine picked up, and nobody wants to talk to machines.
    Machine,
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
/// The Q.850 cause of a Reason header speaks first, since gateways put the telephone network's own word there; then the
/// announcement that the network played, which is its word too, for people; then the SIP status. A network that reads
/// out "switched off" often sends the same 480 for everything.
#[must_use]
pub const fn cause_of(status: u16, q850: Option<u8>, announced: Option<Cause>, rang: bool) -> Cause {
    if let Some(q850) = q850
        && let Some(cause) = cause_of_q850(q850)
    {
        return cause;
    }
    if let Some(cause) = announced {
        return cause;
    }
    cause_of_status(status, rang)
}

/// By RFC 3398 8.2.6.1, which gives each status the Q.850 cause that gateways make of it, and what that cause means
/// here. It differs in three places, because we are the customer of a trunk and no switch:
///
/// - 401, 402 and 407 (cause 21) are the trunk's word about us and not a party's refusal;
/// - 480 (cause 18) and 408 (cause 102) mean "no answer" only where a telephone rang;
/// - a party that answers 487 by itself, which the RFC leaves open, has ended its ringing.
///
/// Statuses that it does not list are new kinds of 4xx, 5xx and 6xx: a trunk's failure, but for 607 (RFC 8197).
const fn cause_of_status(status: u16, rang: bool) -> Cause {
    match status {
        486 | 600 => Cause::Busy,
        404 | 410 | 484 | 485 | 604 => Cause::NoSuchNumber,
        408 | 480 | 487 if rang => Cause::NoAnswer,
        408 | 480 => Cause::Unreachable,
        403 | 603 | 607 => Cause::Rejected,
        _ => Cause::TrunkFault,
    }
}

/// What the telephone network's causes mean (Q.850 table 1). `None` for those that say nothing about a call that was not
/// answered, or less than its status does: normal clearing (16, 31), timers (102), interworking (127).
const fn cause_of_q850(q850: u8) -> Option<Cause> {
    match q850 {
        17 => Some(Cause::Busy),
        18 | 19 => Some(Cause::NoAnswer),
        20 => Some(Cause::PoweredOff),
        21 | 29 | 55 => Some(Cause::Rejected),
        1 | 22 | 28 => Some(Cause::NoSuchNumber),
        3 | 27 => Some(Cause::Unreachable),
        // No route to the transit network, routing, circuits, congestion, equipment, resources, services.
        2 | 25 | 34 | 38 | 39..=44 | 46 | 47 | 49 | 50 | 57 | 58 | 63 | 65 | 66 | 69 | 70 | 79 | 88 => {
            Some(Cause::TrunkFault)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_networks_own_word_wins_over_the_status() {
        assert_eq!(cause_of(480, Some(17), None, false), Cause::Busy);
        assert_eq!(cause_of(480, Some(20), None, false), Cause::PoweredOff);
        assert_eq!(cause_of(486, Some(16), None, false), Cause::Busy);
    }

    #[test]
    fn an_announcement_stands_between_the_networks_number_and_the_status() {
        let said = Some(Cause::PoweredOff);
        assert_eq!(cause_of(480, None, said, true), Cause::PoweredOff);
        assert_eq!(cause_of(480, Some(31), said, true), Cause::PoweredOff, "31 says nothing");
        assert_eq!(cause_of(480, Some(17), said, true), Cause::Busy);
    }

    #[test]
    fn the_same_status_means_another_thing_after_ringing() {
        assert_eq!(cause_of(480, None, None, true), Cause::NoAnswer);
        assert_eq!(cause_of(480, None, None, false), Cause::Unreachable);
        assert_eq!(cause_of(503, None, None, false), Cause::TrunkFault);
    }

    /// Status, and the cause that RFC 3398 8.2.6.1 maps it to; of 488 and 606, where a Warning decides, without one.
    const OF_THE_RFC: [(u16, u8); 36] = [
        (400, 41),
        (401, 21),
        (402, 21),
        (403, 21),
        (404, 1),
        (405, 63),
        (406, 79),
        (407, 21),
        (408, 102),
        (410, 22),
        (413, 127),
        (414, 127),
        (415, 79),
        (416, 127),
        (420, 127),
        (421, 127),
        (423, 127),
        (480, 18),
        (481, 41),
        (482, 25),
        (483, 25),
        (484, 28),
        (485, 1),
        (486, 17),
        (488, 127),
        (500, 41),
        (501, 79),
        (502, 38),
        (503, 41),
        (504, 102),
        (505, 127),
        (513, 127),
        (600, 17),
        (603, 21),
        (604, 1),
        (606, 127),
    ];

    #[test]
    fn statuses_mean_what_the_causes_mean_that_gateways_make_of_them() {
        for (status, q850) in OF_THE_RFC {
            // What says nothing of the party is a trunk's failure.
            let meant = cause_of_q850(q850).unwrap_or(Cause::TrunkFault);
            let ours = cause_of(status, None, None, true);
            match status {
                401 | 402 | 407 => assert_eq!(ours, Cause::TrunkFault, "{status}"),
                408 => assert_eq!(ours, Cause::NoAnswer),
                _ => assert_eq!(ours, meant, "{status}"),
            }
        }
    }
}
