//! Fee rows: one a call, owed when it is over, answered or not.

use base::record::CallRecord;
use base::row::Row;

/// Adds the fee row, if the customer named a receiver for it.
pub(crate) fn owe(record: &CallRecord, rows: &mut Vec<Row>) {
    if record.call.fee_url.is_some() {
        rows.push(Row::Fee(Box::new(record.clone())));
    }
}

#[cfg(test)]
mod tests {
    use base::row::Row;

    use crate::story;

    #[test]
    fn one_fee_row_closes_every_call() {
        for text in [story::CONNECTED, story::A_BUSY, "0 accepted; 70 over Customer Stopped"] {
            let entries = story::callback(text);
            let rows = story::rows(&entries);
            let Some(Row::Fee(fee)) = rows.last() else { panic!("the fee comes last") };
            assert_eq!(Some(&**fee), story::record(&entries).as_ref());
            assert_eq!(rows.iter().filter(|row| matches!(row, Row::Fee(_))).count(), 1);
        }
    }

    #[test]
    fn a_call_that_is_not_over_owes_no_fee() {
        let rows = story::rows(&story::callback("0 accepted; 1 dialled A; 2 released A Caller Busy"));
        assert!(!rows.iter().any(|row| matches!(row, Row::Fee(_))));
    }
}
