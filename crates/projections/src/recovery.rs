//! The facts that a process could not write any more, because it died while the call ran.

use base::fact::{Entry, Fact};
use base::id::Leg;
use base::release::{Cause, Ending, Party, Release};
use base::time::Timestamp;

use crate::record::{self, Progress};

/// The entries that close a call which a dead process left open: the end of its recording, the release of every leg
/// that is still up, then the end. Empty for a call that is over, and when `entries` does not begin with an acceptance.
///
/// `entries` are all entries of the call; `at` is when the process was last known to live. The new ones are not dated
/// before the old ones.
#[must_use]
pub fn close_interrupted(entries: &[Entry], at: Timestamp) -> Vec<Entry> {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Vec::new() };
    let Fact::Accepted(call) = &first.fact else { return Vec::new() };
    if entries.iter().any(|entry| matches!(entry.fact, Fact::Over(_))) {
        return Vec::new();
    }
    let mut progress = Progress::new(call);
    for entry in entries {
        progress.apply(entry);
    }
    let up = [Leg::A, Leg::B].into_iter().filter(|leg| record::is_up(progress.leg(*leg)));
    let released = up.map(|leg| Fact::released(leg, interrupted(record::had_rung(progress.leg(leg)))));
    let at = at.max(last.at);
    // What the process recorded after it was last seen alive is in the file too, and counts for nothing.
    let recorded = progress.records_since().map(|began| Fact::RecordingEnded { length: at.since(began) });
    let facts = recorded.into_iter().chain(released).chain([Fact::Over(ENDING)]);
    facts.zip(last.seq + 1..).map(|(fact, seq)| Entry { call: first.call, seq, at, fact }).collect()
}

const fn interrupted(rang: bool) -> Release {
    Release { by: Party::Platform, cause: Cause::Interrupted, status: None, q850: None, rang }
}

const ENDING: Ending = Ending { by: Party::Platform, cause: Cause::Interrupted, leg: None };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story;

    fn closed(text: &str) -> String {
        let entries = story::callback(text);
        let closing = close_interrupted(&entries, story::at(100_000));
        let tell = |entry: &Entry| match entry.fact {
            Fact::Released { leg, release, .. } => {
                format!("{} released {leg} {:?} rang={}", entry.seq, release.cause, release.rang)
            }
            Fact::RecordingEnded { length } => format!("{} recorded {}", entry.seq, length.as_millis()),
            Fact::Over(ending) => format!("{} over {:?}", entry.seq, ending.cause),
            _ => panic!("recovery only closes"),
        };
        closing.iter().map(tell).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn every_leg_that_is_up_is_released_before_the_end() {
        assert_eq!(closed("0 accepted"), "1 over Interrupted");
        assert_eq!(
            closed("0 accepted; 1 dialled A; 2 answered A; 3 dialled B"),
            "4 released A Interrupted rang=true; 5 released B Interrupted rang=false; 6 over Interrupted"
        );
        assert_eq!(
            closed(
                "0 accepted; 1 dialled A; 2 answered A; 3 dialled B; 4 ringing B; 5 released A Caller Normal"
            ),
            "6 released B Interrupted rang=true; 7 over Interrupted"
        );
    }

    #[test]
    fn a_recording_is_as_long_as_the_process_is_known_to_have_lived() {
        let talking =
            "0 accepted; 1 dialled A; 2 answered A; 3 dialled B; 4 answered B; 5 bridged; 40000 recording";
        assert_eq!(
            closed(talking),
            "7 recorded 60000; 8 released A Interrupted rang=true; 9 released B Interrupted rang=true; \
             10 over Interrupted"
        );
        let mut entries = story::callback(talking);
        entries.extend(close_interrupted(&entries, story::at(100_000)));
        let recording = story::record(&entries).unwrap().recording.unwrap();
        assert_eq!((story::millis(recording.started_at), recording.length.as_secs()), (40_000, 60));
        assert!(closed("0 accepted; 40000 recording; 45000 recorded 5000").starts_with("3 over"));
    }

    #[test]
    fn a_call_that_is_over_needs_nothing() {
        assert_eq!(closed(story::CONNECTED), "");
        assert_eq!(close_interrupted(&[], story::at(0)), []);
    }

    #[test]
    fn a_closed_call_has_its_record_and_needs_no_second_recovery() {
        let mut entries = story::callback("0 accepted; 1 dialled A; 2 answered A; 3 dialled B");
        entries.extend(close_interrupted(&entries, story::at(100_000)));
        assert_eq!(story::record(&entries).unwrap().ended_at, story::at(100_000));
        assert_eq!(close_interrupted(&entries, story::at(200_000)), []);
    }

    #[test]
    fn a_wall_clock_that_went_back_does_not_disorder_the_journal() {
        let entries = story::callback("0 accepted; 5000 dialled A");
        let closing = close_interrupted(&entries, story::at(10));
        assert!(closing.iter().all(|entry| entry.at == story::at(5_000)));
    }
}
