//! One open call, folded entry by entry into rows and, in the end, its record.

use base::fact::{Entry, Fact};
use base::record::CallRecord;
use base::row::Row;

use crate::record::Progress;
use crate::{fee, report, status};

/// What must be remembered of a call while it is open: its order and some times.
#[derive(Debug)]
pub struct Fold {
    /// `None` once the call is over.
    progress: Option<Progress>,
}

impl Fold {
    /// Begins with the first entry of a call. `None` when that is not its acceptance.
    #[must_use]
    pub fn begin(first: &Entry) -> Option<Self> {
        let Fact::Accepted(call) = &first.fact else { return None };
        Some(Self { progress: Some(Progress::new(call)) })
    }

    /// Takes the next entry in and adds the rows that follow from it. Gives the record when the call is over.
    ///
    /// A fact that says nothing new, such as a second ringing or anything after the end, adds nothing.
    pub fn apply(&mut self, entry: &Entry, rows: &mut Vec<Row>) -> Option<CallRecord> {
        let progress = self.progress.as_mut()?;
        if let Fact::Over(ending) = entry.fact {
            let record = self.progress.take()?.close(entry.at, ending);
            status::over(&record, entry.at, rows);
            fee::owe(&record, rows);
            report::owe(&record, rows);
            return Some(record);
        }
        if progress.apply(entry) {
            status::tell(progress.call(), entry, rows);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use base::fact::Entry;
    use proptest::prelude::*;

    use super::*;
    use crate::story;

    #[test]
    fn a_call_begins_with_its_acceptance() {
        let entries = story::callback("0 accepted; 10 dialled A");
        assert!(Fold::begin(&entries[0]).is_some());
        assert!(Fold::begin(&entries[1]).is_none());
    }

    #[test]
    fn replaying_what_the_journal_keeps_gives_the_same_rows() {
        let text = "0 accepted; 1 dialled A; 2 ringing A; 3 answered A; 9 released A Platform Normal; \
                    9 over Platform Normal";
        let answered = "0 accepted; 1 spoken 250; 2 dialled A; 3 answered A; 4 speech A; 5 collected A 12; \
                        9 released A Platform Normal; 9 over Platform Normal";
        let recorded = "0 accepted; 1 dialled A; 9 recording; 4000 recorded 3991; 4001 over Caller Normal A";
        let chosen = "0 accepted; 1 dialled A; 3 answered A; 4 speech A; 5 digit A 1 Tone; 5 collected A 1; \
                      9 released A Platform Normal; 9 over Platform Normal";
        for live in [
            story::callback(text),
            story::code(text),
            story::notice(answered),
            story::callback(recorded),
            story::told_by_report(story::menu(chosen)),
        ] {
            let kept = serde_json::to_string(&live).unwrap();
            let replayed: Vec<Entry> = serde_json::from_str(&kept).unwrap();
            assert_eq!(story::rows(&live), story::rows(&replayed));
            assert_eq!(story::record(&live), story::record(&replayed));
        }
    }

    #[test]
    fn a_fold_that_was_dropped_half_way_is_made_again_by_replay() {
        let entries = story::callback(story::CONNECTED);
        let (before, after) = entries.split_at(6);
        let mut rows = Vec::new();
        let mut fold = story::fold(before, &mut rows);
        drop(rows);
        let mut tail = Vec::new();
        let record = after.iter().filter_map(|entry| fold.apply(entry, &mut tail)).next();
        assert!(story::rows(&entries).ends_with(&tail));
        assert_eq!(record, story::record(&entries));
    }

    #[test]
    fn nothing_follows_from_what_comes_after_the_end() {
        let mut entries = story::callback(story::CONNECTED);
        let rows = story::rows(&entries).len();
        let again: Vec<_> = entries[1..].to_vec();
        entries.extend(again);
        assert_eq!(story::rows(&entries).len(), rows);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

        #[test]
        fn facts_in_any_order_give_each_row_at_most_once(picks in prop::collection::vec(1..13_usize, 0..40)) {
            let tale = story::callback(story::CONNECTED);
            let mut entries = vec![tale[0].clone()];
            entries.extend(picks.into_iter().map(|pick| tale[pick].clone()));
            let rows = story::told(&entries);
            let mut kinds: Vec<_> = rows.iter().map(|row| row.split(' ').take(2).collect::<Vec<_>>()).collect();
            kinds.sort();
            kinds.dedup();
            prop_assert_eq!(kinds.len(), rows.len());
        }
    }
}
