//! Report rows: one a call, owed when it is over, whatever came of it.

use base::record::CallRecord;
use base::row::Row;

/// Adds the report row, if the customer is told of the call by one.
pub(crate) fn owe(record: &CallRecord, rows: &mut Vec<Row>) {
    if record.call.report_url.is_some() {
        rows.push(Row::Report(Box::new(record.clone())));
    }
}

#[cfg(test)]
mod tests {
    use base::fact::Entry;
    use base::row::Row;

    use crate::recovery::close_interrupted;
    use crate::story;

    fn reported(entries: &[Entry]) {
        let rows = story::rows(entries);
        let [Row::Report(report)] = &rows[..] else { panic!("one report and nothing else: {rows:?}") };
        assert_eq!(Some(&**report), story::record(entries).as_ref());
    }

    #[test]
    fn one_report_is_all_that_is_told_of_a_call() {
        let chosen = "0 accepted; 1 spoken 250; 2 dialled A; 3 ringing A; 4 answered A; 5 speech A; 6 digit A 1; \
                      6 collected A 1; 9 released A Platform Normal; 9 over Platform Normal";
        for text in [chosen, story::A_BUSY, "0 accepted; 70 over Customer Stopped"] {
            reported(&story::told_by_report(story::menu(text)));
        }
    }

    #[test]
    fn what_nobody_may_hear_is_reported_though_nobody_was_dialled() {
        for objection in ["ForbiddenWords", "CalleeBlocked"] {
            let text = format!("0 accepted; 0 over Platform {objection}");
            reported(&story::told_by_report(story::notice(&text)));
        }
    }

    #[test]
    fn a_call_that_died_with_its_process_is_reported() {
        let mut entries = story::told_by_report(story::menu("0 accepted; 1 dialled A; 2 answered A"));
        assert_eq!(story::rows(&entries), []);
        entries.extend(close_interrupted(&entries, story::at(100_000)));
        reported(&entries);
    }

    #[test]
    fn who_is_told_by_events_gets_no_report() {
        let rows = story::rows(&story::callback(story::CONNECTED));
        assert!(!rows.iter().any(|row| matches!(row, Row::Report(_))));
    }
}
