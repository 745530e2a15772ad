//! Status rows: dialled, ringing and answered of each leg, the keys that were asked for each time they have come, and
//! one over, told of leg A, when the call has ended.
//!
//! A call without a receiver for them owes nobody anything and has no rows.

use base::call::Call;
use base::fact::{Entry, Fact};
use base::id::Leg;
use base::record::CallRecord;
use base::row::{Row, StatusKind, StatusRow};
use base::time::Timestamp;

use crate::record;

/// Adds the row of a fact that is news, if it is one that customers are told.
pub(crate) fn tell(call: &Call, entry: &Entry, rows: &mut Vec<Row>) {
    let (leg, kind) = match &entry.fact {
        Fact::Dialled { leg, .. } => (*leg, StatusKind::Dialled),
        Fact::Ringing { leg, .. } => (*leg, StatusKind::Ringing),
        Fact::Answered { leg, .. } => (*leg, StatusKind::Answered),
        Fact::Collected { leg, digits } => (*leg, StatusKind::Collected { digits: digits.clone() }),
        Fact::Accepted(_)
        | Fact::ClipStarted { .. }
        | Fact::CodeStarted { .. }
        | Fact::EarlyMedia { .. }
        | Fact::Announced { .. }
        | Fact::Redirected { .. }
        | Fact::PickedUp { .. }
        | Fact::Bridged
        | Fact::Digit { .. }
        | Fact::Spoken { .. }
        | Fact::RecordingStarted
        | Fact::RecordingEnded { .. }
        | Fact::StopAsked
        | Fact::Released { .. }
        | Fact::Over(_) => return,
    };
    rows.extend(row(call, leg, kind, entry.at));
}

/// Adds the last row of a call.
pub(crate) fn over(record: &CallRecord, at: Timestamp, rows: &mut Vec<Row>) {
    let ending = record.ending;
    let kind = StatusKind::Over {
        ending,
        connected: record::was_connected(record),
        rang: ending.leg.is_some_and(|leg| record::had_rung(record.leg(leg))),
        tell_who_hung_up: record.call.tell_who_hung_up,
    };
    rows.extend(row(&record.call, Leg::A, kind, at));
}

/// `None` when nobody wants to know, or the call has no such leg.
fn row(call: &Call, leg: Leg, kind: StatusKind, at: Timestamp) -> Option<Row> {
    let url = call.status_url.clone()?;
    let numbers = call.numbers(leg)?;
    Some(Row::Status(StatusRow {
        call: call.id,
        node: call.node.clone(),
        product: call.product.kind(),
        at,
        kind,
        leg,
        shown: numbers.shown.clone(),
        dialled: numbers.dialled.clone(),
        user_data: call.user_data.clone(),
        url: Some(url),
    }))
}

#[cfg(test)]
mod tests {
    use crate::story;

    fn statuses(entries: &[base::fact::Entry]) -> String {
        let mut told = story::told(entries);
        told.retain(|row| !row.starts_with("fee"));
        told.join("; ")
    }

    #[test]
    fn a_connected_callback_tells_seven_events() {
        assert_eq!(
            statuses(&story::callback(story::CONNECTED)),
            "dialled A 100; ringing A 1000; answered A 4000; dialled B 4100; ringing B 5000; answered B 9000; \
             over A 30201 Caller Normal connected rang"
        );
    }

    #[test]
    fn a_code_is_connected_when_its_only_party_has_answered() {
        let told = statuses(&story::code(
            "0 accepted; 1 dialled A; 2 ringing A; 3 answered A; 9 released A Platform Normal; \
             9 over Platform Normal",
        ));
        assert_eq!(told, "dialled A 1; ringing A 2; answered A 3; over A 9 Platform Normal connected");
    }

    #[test]
    fn each_answer_to_a_notice_is_told() {
        let told = statuses(&story::notice(
            "0 accepted; 1 spoken 250; 2 dialled A; 3 answered A; 4 speech A; 5 digit A; 5 collected A 1; \
             6 speech A; 7 digit A; 7 collected A 1; 8 released A Platform Normal; 8 collected A 1; \
             8 over Platform Normal",
        ));
        assert_eq!(
            told,
            "dialled A 2; answered A 3; collected A 5 1; collected A 7 1; over A 8 Platform Normal connected"
        );
    }

    #[test]
    fn a_leg_that_rings_twice_is_told_once() {
        let told =
            statuses(&story::callback("0 accepted; 1 dialled A; 2 ringing A; 3 ringing A; 3 dialled A"));
        assert_eq!(told, "dialled A 1; ringing A 2");
    }

    #[test]
    fn a_party_that_is_busy_at_once_has_not_rung() {
        assert_eq!(statuses(&story::callback(story::A_BUSY)), "dialled A 5; over A 90 Caller Busy");
    }

    #[test]
    fn a_callback_without_b_was_not_connected() {
        let told = statuses(&story::callback(
            "0 accepted; 1 dialled A; 2 answered A; 3 dialled B; 4 ringing B; 5 released B Callee NoAnswer; \
             6 released A Callee OtherPartyGone; 6 over Callee NoAnswer B",
        ));
        assert!(told.ends_with("over A 6 Callee NoAnswer rang"), "{told}");
    }

    #[test]
    fn what_happens_in_between_is_not_told() {
        let told = statuses(&story::callback(
            "0 accepted; 1 clip A; 2 early A; 3 bridged; 4 digit A; 5 stop; 6 released A Caller Normal",
        ));
        assert_eq!(told, "");
    }

    #[test]
    fn a_leg_that_the_call_does_not_have_is_not_told() {
        assert_eq!(statuses(&story::code("0 accepted; 1 dialled B")), "");
    }

    #[test]
    fn without_a_receiver_there_are_no_rows() {
        let entries = story::without_receivers(story::callback(story::CONNECTED));
        assert_eq!(story::told(&entries), Vec::<String>::new());
        assert!(story::record(&entries).is_some());
    }
}
