//! How a call ended, in the vendor's numbers: `stateCode` of the last status event, `ulFailReason`, `sipStatusCode`
//! and the Q.850 fields of the fee record.
//!
//! The documents list the numbers and what each means, and say of one text only how it reads on the wire; which end
//! gets which number is ours. `stateCode` 8100 to 8105 speak of the callee. A callback whose first party fails has no
//! callee yet and gets 8001, the documents' number for everything else that did not connect.
//!
//! | end | first party | second or only party | release point |
//! | --- | --- | --- | --- |
//! | busy, no answer, no such number, … | 8001 | 8102, 8101, 8100, … | 518 second, 519 first or only, 520 if that rang |
//! | our ring timer | 8003 | 8003 | 514 |
//! | the first party left | 8009 | | 552 if the second rang, 553 if it was dialled, 530 before |
//! | the customer's stop | 8017 | 8017 | 8017, or 0 when connected |
//! | no key came | | 8008 | 100 |
//! | a voice file was gone, words could not be spoken | 8006, 8005 | 8006, 8005 | 524, 8005 |
//! | the recording could not begin | 8015 | 8015 | 507 |

pub(super) mod reasons;

use base::id::Leg;
use base::order::ProductKind;
use base::record::{CallRecord, LegRecord};
use base::release::{Cause, Ending, Party};

/// A `stateCode` and its text.
pub(super) type State = (u16, &'static str);

// The one text that a document shows, and its twin for the platform's own end.
const USER_RELEASED: State = (0, "The user releases the call.");
const PLATFORM_RELEASED: State = (0, "The platform releases the call.");
const INTERNAL: State = (8000, "Internal error.");
const NOT_CONNECTED: State = (8001, "The call is not connected.");
const ANNOUNCEMENT: State = (8002, "The peer plays a failure announcement.");
const RING_TIMEOUT: State = (8003, "Ringing timed out.");
const HUNG_UP_WHILE_RINGING: State = (8004, "The user hangs up while ringing.");
const SPEECH_FAILED: State = (8005, "The text cannot be converted into speech.");
const NO_VOICE_FILE: State = (8006, "The voice file does not exist.");
const PLAY_FAILED: State = (8007, "Playing the voice failed.");
const NO_DIGITS: State = (8008, "No digits are collected.");
const CALLER_GONE: State = (8009, "The caller hangs up before the call is connected.");
const TIME_OVER: State = (8010, "The maximum call duration is reached.");
const RECORDING_FAILED: State = (8015, "Recording failed.");
const RELEASED_ON_REQUEST: State = (8017, "The call is released on request.");
const ABNORMAL: State = (8020, "The service is abnormal.");
const NO_SUCH_NUMBER: State = (8100, "The callee number does not exist.");
const NO_ANSWER: State = (8101, "The callee does not answer.");
const BUSY: State = (8102, "The callee is busy.");
const UNREACHABLE: State = (8103, "The callee is temporarily unreachable.");
const POWERED_OFF: State = (8104, "The callee is powered off.");
const OUT_OF_SERVICE: State = (8105, "The callee hangs up or is out of service.");

/// The state of a call that is over. `rang`: whether the party whose release decided it had rung.
pub(super) const fn state(product: ProductKind, ending: Ending, connected: bool, rang: bool) -> State {
    if connected {
        return after_the_answer(ending);
    }
    match (product, ending.leg) {
        (ProductKind::Callback, Some(Leg::A)) => before_the_answer(ending.cause, rang, Failed::FirstParty),
        (ProductKind::Callback, Some(Leg::B) | None)
        | (ProductKind::Code | ProductKind::Notice | ProductKind::Menu, _) => {
            before_the_answer(ending.cause, rang, Failed::Callee)
        }
    }
}

/// Whose failure to answer decided.
enum Failed {
    FirstParty,
    Callee,
}

const fn after_the_answer(ending: Ending) -> State {
    match ending.cause {
        Cause::Normal => match ending.by {
            Party::Caller | Party::Callee => USER_RELEASED,
            Party::Platform | Party::Customer => PLATFORM_RELEASED,
        },
        Cause::Machine => PLATFORM_RELEASED,
        Cause::Stopped => RELEASED_ON_REQUEST,
        Cause::TimeOver => TIME_OVER,
        Cause::ClipFault => PLAY_FAILED,
        Cause::ClipMissing => NO_VOICE_FILE,
        Cause::SpeechFault | Cause::ForbiddenWords => SPEECH_FAILED,
        Cause::NoDigits => NO_DIGITS,
        Cause::RecordingFault => RECORDING_FAILED,
        Cause::OurFault => INTERNAL,
        // A conversation that broke, whatever broke it.
        Cause::Interrupted
        | Cause::Busy
        | Cause::NoAnswer
        | Cause::RingTimeout
        | Cause::Rejected
        | Cause::NoSuchNumber
        | Cause::Unreachable
        | Cause::PoweredOff
        | Cause::Announcement
        | Cause::TrunkFault
        | Cause::TrunkSilent
        | Cause::CalleeBlocked
        | Cause::OtherPartyGone => ABNORMAL,
    }
}

const fn before_the_answer(cause: Cause, rang: bool, failed: Failed) -> State {
    match (cause, failed) {
        (Cause::Stopped, _) => RELEASED_ON_REQUEST,
        (Cause::TimeOver, _) => TIME_OVER,
        (Cause::ClipFault, _) => PLAY_FAILED,
        (Cause::ClipMissing, _) => NO_VOICE_FILE,
        (Cause::SpeechFault | Cause::ForbiddenWords, _) => SPEECH_FAILED,
        (Cause::CalleeBlocked, _) => NOT_CONNECTED,
        (Cause::NoDigits, _) => NO_DIGITS,
        (Cause::RecordingFault, _) => RECORDING_FAILED,
        (Cause::Interrupted, _) => ABNORMAL,
        (Cause::OurFault, _) => INTERNAL,
        // Whoever picked up was there.
        (Cause::Machine, _) => PLATFORM_RELEASED,
        // The first party answered and left while the second was being reached.
        (Cause::Normal | Cause::OtherPartyGone, _) => CALLER_GONE,
        (Cause::TrunkFault | Cause::TrunkSilent, _) => NOT_CONNECTED,
        (Cause::RingTimeout, _) => RING_TIMEOUT,
        (Cause::Announcement, _) => ANNOUNCEMENT,
        (Cause::Rejected, _) if rang => HUNG_UP_WHILE_RINGING,
        (
            Cause::Busy
            | Cause::NoAnswer
            | Cause::Rejected
            | Cause::NoSuchNumber
            | Cause::Unreachable
            | Cause::PoweredOff,
            Failed::FirstParty,
        ) => NOT_CONNECTED,
        (Cause::Busy, Failed::Callee) => BUSY,
        (Cause::NoAnswer, Failed::Callee) => NO_ANSWER,
        (Cause::Rejected, Failed::Callee) => OUT_OF_SERVICE,
        (Cause::NoSuchNumber, Failed::Callee) => NO_SUCH_NUMBER,
        (Cause::Unreachable, Failed::Callee) => UNREACHABLE,
        (Cause::PoweredOff, Failed::Callee) => POWERED_OFF,
    }
}

/// `partyType`: who hung up.
pub(super) const fn party(by: Party) -> &'static str {
    match by {
        Party::Caller => "calling",
        Party::Callee => "called",
        Party::Platform | Party::Customer => "platform",
    }
}

/// Why a call failed, for its fee record. All zero when it did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Failure {
    /// `ulFailReason`: the release point; 0 when the call did not fail.
    pub(super) release_point: u16,
    /// `sipStatusCode`: the status that the deciding leg failed with.
    pub(super) sip_status: u16,
}

impl Failure {
    /// What the record says.
    pub(super) fn of(record: &CallRecord) -> Self {
        let deciding = record.ending.leg.map(|leg| record.leg(leg));
        let status = deciding.and_then(|leg| leg.release).and_then(|release| release.status);
        match release_point(record) {
            0 => Self::default(),
            release_point => Self { release_point, sip_status: status.unwrap_or(0) },
        }
    }

    /// Whether the call failed, and so has a `failTime`.
    pub(super) const fn is_one(self) -> bool {
        self.release_point != 0
    }
}

/// Whether everybody the call was for had answered.
fn connected(record: &CallRecord) -> bool {
    let last = match record.call.product.kind() {
        ProductKind::Callback => Leg::B,
        ProductKind::Code | ProductKind::Notice | ProductKind::Menu => Leg::A,
    };
    record.leg(last).answered_at.is_some()
}

fn release_point(record: &CallRecord) -> u16 {
    match record.ending.cause {
        // The number of the failure itself where there is no other: the vendor's list of release points ends with
        // the states.
        Cause::ClipFault => PLAY_FAILED.0,
        Cause::SpeechFault | Cause::ForbiddenWords => SPEECH_FAILED.0,
        Cause::CalleeBlocked => NOT_CONNECTED.0,
        Cause::Interrupted => ABNORMAL.0,
        Cause::OurFault => INTERNAL.0,
        Cause::ClipMissing => 524,
        Cause::NoDigits => 100,
        Cause::RecordingFault => 507,
        Cause::Machine => 0,
        Cause::Normal | Cause::Stopped | Cause::TimeOver if connected(record) => 0,
        Cause::Stopped => RELEASED_ON_REQUEST.0,
        Cause::TimeOver => 513,
        Cause::Busy
        | Cause::NoAnswer
        | Cause::RingTimeout
        | Cause::Rejected
        | Cause::NoSuchNumber
        | Cause::Unreachable
        | Cause::PoweredOff
        | Cause::Announcement
        | Cause::TrunkFault
        | Cause::TrunkSilent
        | Cause::OtherPartyGone
            if connected(record) =>
        {
            after_the_answer(record.ending).0
        }
        Cause::RingTimeout => 514,
        Cause::Normal | Cause::OtherPartyGone => of_the_first_party_gone(record.leg(Leg::B)),
        Cause::Busy
        | Cause::NoAnswer
        | Cause::Rejected
        | Cause::NoSuchNumber
        | Cause::Unreachable
        | Cause::PoweredOff
        | Cause::Announcement
        | Cause::TrunkFault
        | Cause::TrunkSilent => match record.ending.leg {
            Some(Leg::B) => 518,
            Some(Leg::A) | None if record.leg(Leg::A).ringing_at.is_some() => 520,
            Some(Leg::A) | None => 519,
        },
    }
}

/// The first party left: how far the second had been reached.
const fn of_the_first_party_gone(second: &LegRecord) -> u16 {
    match (second.dialled_at, second.ringing_at) {
        (_, Some(_)) => 552,
        (Some(_), None) => 553,
        (None, None) => 530,
    }
}

/// The Q.850 cause for which a leg was not answered: the one its network sent, and 0 when it sent none, when the leg
/// was answered, never dialled, or given up by us.
pub(super) fn unanswered(leg: &LegRecord) -> u8 {
    let Some(release) = leg.release.filter(|_| leg.answered_at.is_none()) else { return 0 };
    match release.cause {
        Cause::OtherPartyGone | Cause::Stopped => 0,
        Cause::Normal
        | Cause::Busy
        | Cause::NoAnswer
        | Cause::RingTimeout
        | Cause::Rejected
        | Cause::NoSuchNumber
        | Cause::Unreachable
        | Cause::PoweredOff
        | Cause::Announcement
        | Cause::TrunkFault
        | Cause::TrunkSilent
        | Cause::TimeOver
        | Cause::ClipFault
        | Cause::ClipMissing
        | Cause::SpeechFault
        | Cause::ForbiddenWords
        | Cause::CalleeBlocked
        | Cause::NoDigits
        | Cause::Machine
        | Cause::RecordingFault
        | Cause::Interrupted
        | Cause::OurFault => release.q850.map_or(0, documented),
    }
}

/// The cause as the vendor's list has it; 127 (interworking, unspecified) for one that is not in it.
const fn documented(q850: u8) -> u8 {
    match q850 {
        1..=9
        | 16..=23
        | 25..=31
        | 34
        | 38..=44
        | 46
        | 47
        | 49
        | 50
        | 53
        | 55
        | 57
        | 58
        | 62
        | 63
        | 65
        | 66
        | 69
        | 70
        | 79
        | 81..=88
        | 90
        | 91
        | 95..=103
        | 110
        | 111 => q850,
        _ => 127,
    }
}

#[cfg(test)]
mod tests {
    use base::release::Release;

    use super::*;

    const CALLBACK: ProductKind = ProductKind::Callback;
    const CODE: ProductKind = ProductKind::Code;
    const NOTICE: ProductKind = ProductKind::Notice;

    fn told(product: ProductKind, cause: Cause, by: Party, leg: Option<Leg>, connected: bool) -> [u16; 2] {
        [false, true].map(|rang| state(product, Ending { by, cause, leg }, connected, rang).0)
    }

    #[test]
    fn a_callee_that_fails_is_told_in_full() {
        for (cause, quiet, rang) in [
            (Cause::Busy, 8102, 8102),
            (Cause::NoAnswer, 8101, 8101),
            (Cause::RingTimeout, 8003, 8003),
            (Cause::Rejected, 8105, 8004),
            (Cause::NoSuchNumber, 8100, 8100),
            (Cause::Unreachable, 8103, 8103),
            (Cause::PoweredOff, 8104, 8104),
            (Cause::Announcement, 8002, 8002),
            (Cause::TrunkFault, 8001, 8001),
            (Cause::TrunkSilent, 8001, 8001),
        ] {
            let b = told(CALLBACK, cause, Party::Callee, Some(Leg::B), false);
            assert_eq!(b, [quiet, rang], "{cause:?}");
            for product in [CODE, NOTICE] {
                let only = told(product, cause, Party::Caller, Some(Leg::A), false);
                assert_eq!(only, [quiet, rang], "{cause:?}");
            }
        }
    }

    #[test]
    fn a_first_party_that_fails_is_not_called_a_callee() {
        for (cause, quiet, rang) in [
            (Cause::Busy, 8001, 8001),
            (Cause::PoweredOff, 8001, 8001),
            (Cause::RingTimeout, 8003, 8003),
            (Cause::Rejected, 8001, 8004),
            (Cause::OtherPartyGone, 8009, 8009),
            (Cause::Normal, 8009, 8009),
        ] {
            let a = told(CALLBACK, cause, Party::Caller, Some(Leg::A), false);
            assert_eq!(a, [quiet, rang], "{cause:?}");
        }
    }

    #[test]
    fn an_end_after_the_answer_is_no_failure_to_connect() {
        for (cause, by, code) in [
            (Cause::Normal, Party::Callee, 0),
            (Cause::Normal, Party::Platform, 0),
            (Cause::Stopped, Party::Customer, 8017),
            (Cause::TimeOver, Party::Platform, 8010),
            (Cause::ClipFault, Party::Platform, 8007),
            (Cause::ClipMissing, Party::Platform, 8006),
            (Cause::SpeechFault, Party::Platform, 8005),
            (Cause::NoDigits, Party::Platform, 8008),
            (Cause::RecordingFault, Party::Platform, 8015),
            (Cause::Interrupted, Party::Platform, 8020),
            (Cause::OurFault, Party::Platform, 8000),
            (Cause::TrunkFault, Party::Callee, 8020),
            (Cause::OtherPartyGone, Party::Callee, 8020),
        ] {
            assert_eq!(told(CALLBACK, cause, by, None, true), [code, code], "{cause:?}");
        }
    }

    #[test]
    fn what_keeps_us_from_dialling_is_told() {
        for (cause, code) in [(Cause::SpeechFault, 8005), (Cause::ClipMissing, 8006), (Cause::OurFault, 8000)]
        {
            assert_eq!(told(NOTICE, cause, Party::Platform, None, false), [code, code], "{cause:?}");
        }
    }

    #[test]
    fn a_leg_tells_the_cause_that_its_network_sent() {
        let leg = |cause, q850| LegRecord {
            release: Some(Release { by: Party::Callee, cause, status: Some(480), q850, rang: true }),
            ..LegRecord::default()
        };
        assert_eq!(unanswered(&leg(Cause::Busy, Some(17))), 17);
        assert_eq!(unanswered(&leg(Cause::NoAnswer, None)), 0);
        assert_eq!(unanswered(&leg(Cause::TrunkFault, Some(48))), 127);
        assert_eq!(unanswered(&leg(Cause::OtherPartyGone, Some(16))), 0);
        assert_eq!(unanswered(&LegRecord::default()), 0);
    }
}
