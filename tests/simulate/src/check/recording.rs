//! Recordings: one for each conversation that the journal says was recorded for long enough, as long as it says.

use std::time::Duration;

use base::fact::Fact;
use base::limits;

use super::Complaints;
use crate::history::History;

pub(super) fn check(history: &History) -> Complaints {
    let mut complaints = Vec::new();
    for (_, call) in &history.accepted {
        let own = history.journal.iter().filter(|entry| entry.call == call.id);
        let (mut begun, mut lengths) = (0, Vec::new());
        for entry in own {
            match entry.fact {
                Fact::RecordingStarted => begun += 1,
                Fact::RecordingEnded { length } => lengths.push(length),
                _ => {}
            }
        }
        if begun > 1 || begun != lengths.len() {
            complaints.push(format!("{}: {begun} recordings begun, {} ended", call.id, lengths.len()));
        }
        let wanted = lengths.first().filter(|length| **length >= limits::RECORDING_SHORTEST);
        let file = history.recordings.iter().find(|(id, _)| *id == call.id).map(|(_, bytes)| *bytes);
        match (wanted, file) {
            (None, None) => {}
            (Some(wanted), Some(bytes)) if lasts(bytes).abs_diff(*wanted) <= NEAR => {}
            _ => complaints
                .push(format!("{}: a recording of {wanted:?}, and a file of {file:?} bytes", call.id)),
        }
    }
    complaints
}

/// How long two channels of A-law last in a file of so many bytes.
fn lasts(bytes: u64) -> Duration {
    Duration::from_micros(bytes.saturating_sub(HEADER) * 1_000_000 / 16_000)
}

/// Bytes before the first sample, about.
const HEADER: u64 = 58;

/// How far apart file and journal may be: a frame, and what is done between them.
const NEAR: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tale::tale;

    #[test]
    fn a_recording_that_is_not_what_the_journal_says_is_complained_of() {
        let recorded = |facts: &str, bytes: Option<u64>| {
            let mut history = tale().facts(facts).history;
            let call = history.accepted[0].1.id;
            history.recordings.extend(bytes.map(|bytes| (call, bytes)));
            check(&history).join("; ")
        };
        let ten_seconds = Some(160_058);
        assert_eq!(recorded("recording, recorded 10, over", ten_seconds), "");
        assert_eq!(recorded("recording, recorded 2, over", None), "");
        assert!(recorded("recording, over", None).contains("1 recordings begun, 0 ended"));
        assert!(recorded("recorded 1, over", None).contains("0 recordings begun, 1 ended"));
        for (facts, bytes) in [
            ("recording, recorded 10, over", None),
            ("recording, recorded 9, over", ten_seconds),
            ("recording, recorded 2, over", Some(32_058)),
            ("over", ten_seconds),
        ] {
            assert!(recorded(facts, bytes).contains("and a file of"), "{facts}");
        }
    }
}
