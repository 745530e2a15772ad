//! How a call ended, in the vendor's receipt codes.
//!
//! The document lists the codes and says of none which end gets it; its one sample of a failure carries a SIP status
//! and the text of the particular cause. So the text is always that of the cause, and the app's setting decides which
//! family of codes stands before it.
//!
//! | end | by status | in detail |
//! | --- | --- | --- |
//! | heard to its end | SUCCESS | DH:0000 |
//! | hung up before | SUCCESS | DH:0007 |
//! | no key came | SUCCESS | DH:0006 |
//! | busy | 486 | DH:0001 |
//! | no such number | 404; 484 of a malformed one | DH:0002; DH:0027, DH:0023 |
//! | out of service: 410, Q.850 22 and 27 | 480 | DH:0019 |
//! | rang, no answer | 480, 408; our own timer 408 | DH:0004 |
//! | did not ring in time | 408 | DH:0003 |
//! | cannot be reached | 480 | DH:0020 |
//! | switched off: Q.850 20 | 480 | DH:0018 |
//! | refused | 603; 403 | DH:0017; DH:0014 |
//! | a failure announcement, a machine that was hung up on | 480 | DH:9999 |
//! | a trunk's failure | its status, or the nearest of the table | DH:9999; of 402 DH:0016 |
//! | given up by us, stopped | 487 | DH:0008; after the answer DH:9999 |
//! | could not be played or spoken | 500 | DH:0005 |
//! | forbidden words | 403 | DH:0009 |
//! | a blocked callee | 404 | DH:0010 |
//! | interrupted, our fault | 500 | DH:9999 |

pub(super) mod receipts;

use base::account::ReportCodes;
use base::id::Leg;
use base::record::CallRecord;
use base::release::{Cause, Party};

/// What a report says of a call's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// Whether the call did what it was for.
    pub(super) succeeded: bool,
    /// `ErrCode`
    pub(super) code: &'static str,
    /// `ErrDesc`
    pub(super) text: &'static str,
}

/// What a success is called where codes are SIP statuses, and its text.
const SUCCESS: &str = "SUCCESS";
const SENT: &str = "发送成功";

/// An end in both families of codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct End {
    /// The SIP status; `None` of a success.
    status: Option<&'static str>,
    detail: &'static str,
    /// The code whose meaning tells the end best.
    meaning: &'static str,
}

const fn success(detail: &'static str) -> End {
    End { status: None, detail, meaning: detail }
}

const fn failure(status: &'static str, detail: &'static str) -> End {
    End { status: Some(status), detail, meaning: detail }
}

/// A failure for which the family of detailed codes has no word.
const fn other(status: &'static str, meaning: &'static str) -> End {
    End { status: Some(status), detail: "DH:9999", meaning }
}

// Codes of the other families, which lend their meanings only.
const ENDED_BY_REQUEST: &str = "103";
const NOT_CONNECTED: &str = "106";
const OUR_FAULT: &str = "5300";
const CARRIER: &str = "100000006";

/// What the report of a call says.
pub(super) fn told(record: &CallRecord, codes: ReportCodes) -> Told {
    let end = end(record);
    let succeeded = end.status.is_none();
    let text = meaning(end.meaning);
    match (codes, end.status) {
        (ReportCodes::Status, None) => Told { succeeded, code: SUCCESS, text: SENT },
        (ReportCodes::Status, Some(code)) => Told { succeeded, code, text },
        (ReportCodes::Detailed, _) => Told { succeeded, code: end.detail, text },
    }
}

fn meaning(code: &str) -> &'static str {
    receipts::of(code).expect("every code that is told is one of the table").meaning.chinese
}

fn end(record: &CallRecord) -> End {
    let leg = record.leg(Leg::A);
    let (status, q850, rang) = match leg.release {
        Some(release) => (release.status, release.q850, release.rang),
        None => (None, None, leg.ringing_at.is_some()),
    };
    match record.ending.cause {
        Cause::Normal if leg.answered_at.is_none() => failure("487", "DH:0008"),
        Cause::Normal => match record.ending.by {
            Party::Platform => success("DH:0000"),
            Party::Caller | Party::Callee => success("DH:0007"),
            Party::Customer => other("487", ENDED_BY_REQUEST),
        },
        Cause::NoDigits => success("DH:0006"),
        // Whoever heard it until the longest allowed time was over has heard it.
        Cause::TimeOver if leg.answered_at.is_some() => success("DH:0000"),
        Cause::Busy => failure("486", "DH:0001"),
        Cause::NoSuchNumber => no_such_number(status, q850),
        Cause::NoAnswer => match status {
            Some(408) => failure("408", "DH:0004"),
            _ => failure("480", "DH:0004"),
        },
        Cause::RingTimeout if rang => failure("408", "DH:0004"),
        Cause::RingTimeout | Cause::TrunkSilent | Cause::TimeOver => failure("408", "DH:0003"),
        Cause::Unreachable => match (status, q850) {
            (_, Some(27)) => failure("480", "DH:0019"),
            (Some(408), _) => failure("408", "DH:0003"),
            _ => failure("480", "DH:0020"),
        },
        Cause::PoweredOff => failure("480", "DH:0018"),
        Cause::Rejected => match status {
            Some(403) => failure("403", "DH:0014"),
            _ => failure("603", "DH:0017"),
        },
        // A machine was hung up on: nobody was reached.
        Cause::Announcement | Cause::Machine => other("480", NOT_CONNECTED),
        Cause::TrunkFault => of_trunk(status),
        Cause::Stopped if leg.answered_at.is_some() => other("487", ENDED_BY_REQUEST),
        Cause::OtherPartyGone | Cause::Stopped => failure("487", "DH:0008"),
        Cause::ClipFault | Cause::ClipMissing | Cause::SpeechFault => failure("500", "DH:0005"),
        Cause::ForbiddenWords => failure("403", "DH:0009"),
        Cause::CalleeBlocked => failure("404", "DH:0010"),
        Cause::RecordingFault | Cause::Interrupted | Cause::OurFault => other("500", OUR_FAULT),
    }
}

const fn no_such_number(status: Option<u16>, q850: Option<u8>) -> End {
    match (status, q850) {
        // The network's own word is the more particular one.
        (_, Some(22)) | (Some(410), None) => failure("480", "DH:0019"),
        (_, Some(28)) | (Some(484), None) => failure("484", "DH:0027"),
        _ => failure("404", "DH:0002"),
    }
}

/// A trunk, or a gateway behind it, failed: the status itself where the table has it, and else the nearest.
const fn of_trunk(status: Option<u16>) -> End {
    match status {
        Some(402) => failure("402", "DH:0016"),
        Some(416) => failure("484", "DH:0023"),
        Some(488 | 606) => failure("500", "DH:0005"),
        Some(502) => other("502", "502"),
        Some(503) => other("503", "503"),
        Some(504) => other("504", "504"),
        Some(400..=499) => other("480", CARRIER),
        Some(600..=699) => other("603", CARRIER),
        Some(_) | None => other("500", CARRIER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_has_codes_of_the_two_families_that_we_write() {
        let of_trunk = (0..=u16::MAX).map(|status| of_trunk(Some(status)));
        let of_number = (0..=u8::MAX).flat_map(|q850| {
            [None, Some(404), Some(410), Some(484)].map(|status| no_such_number(status, Some(q850)))
        });
        for end in of_trunk.chain(of_number) {
            assert!(end.detail.starts_with("DH:") && receipts::of(end.detail).is_some(), "{end:?}");
            let status = end.status.expect("it is a failure");
            assert!(status.len() == 3 && receipts::of(status).is_some(), "{end:?}");
            assert!(!meaning(end.meaning).is_empty(), "{end:?}");
        }
    }
}
