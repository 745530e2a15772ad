//! What follows from the journal: one record, each row once, and the same rows when they are made again.

use std::collections::BTreeSet;

use base::fact::{Entry, Fact};
use base::record::{CallRecord, LegRecord};
use base::row::{Row, StatusKind};
use projections::Fold;

use super::Complaints;
use crate::history::History;

pub(super) fn check(history: &History) -> Complaints {
    let mut complaints = Vec::new();
    let entries = history.entries();
    for (_, call) in &history.accepted {
        let fact = Fact::Accepted(Box::new(call.clone()));
        let first = Entry { call: call.id, seq: 0, at: call.accepted_at, fact };
        let own = entries.get(&call.id).cloned().unwrap_or_default();
        let (mut rows, mut records) = (Vec::new(), Vec::new());
        let Some(mut fold) = Fold::begin(&first) else { continue };
        for entry in std::iter::once(&first).chain(own) {
            records.extend(fold.apply(entry, &mut rows));
        }
        if records.len() != 1 {
            complaints.push(format!("{}: {} records", call.id, records.len()));
        }
        let found = records.iter().flat_map(of_record).chain(of_rows(&rows));
        complaints.extend(found.map(|complaint| format!("{}: {complaint}", call.id)));
    }
    complaints
}

fn of_rows(rows: &[Row]) -> Complaints {
    let mut told = BTreeSet::new();
    let name = |row: &Row| match row {
        Row::Fee(_) => "fee".to_owned(),
        Row::Report(_) => "report".to_owned(),
        Row::Status(row) => match row.kind {
            StatusKind::Dialled => format!("dialled {}", row.leg),
            StatusKind::Ringing => format!("ringing {}", row.leg),
            StatusKind::Answered => format!("answered {}", row.leg),
            StatusKind::Collected { .. } => String::new(),
            StatusKind::Over { .. } => "over".to_owned(),
        },
    };
    let twice = rows.iter().map(name).filter(|name| !name.is_empty() && !told.insert(name.clone()));
    let mut complaints: Complaints = twice.map(|name| format!("the row {name} came twice")).collect();
    let closing = rows.iter().filter(|row| matches!(row, Row::Fee(_) | Row::Report(_))).count();
    if closing != 1 {
        complaints.push(format!("{closing} rows close the call for its customer"));
    }
    complaints
}

fn of_record(record: &CallRecord) -> Complaints {
    let mut complaints = Vec::new();
    for leg in &record.legs {
        let LegRecord { dialled_at, ringing_at, answered_at, released_at, release, .. } = leg;
        let times = [*dialled_at, *ringing_at, *answered_at, *released_at, Some(record.ended_at)];
        if !times.iter().flatten().is_sorted() {
            complaints.push(format!("the times of a leg are in disorder: {leg:?}"));
        }
        if dialled_at.is_some() && (released_at.is_none() || release.is_none()) {
            complaints.push("a leg that was dialled has no end in the record".to_owned());
        }
    }
    if record.bridged_at.is_some() && record.legs.iter().any(|leg| leg.answered_at.is_none()) {
        complaints.push("two parties talked, and one of them never answered".to_owned());
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tale::tale;

    #[test]
    fn a_call_without_an_end_has_no_record_and_nothing_closes_it() {
        let fine = tale().facts("dialled A, answered A, released A, over").history;
        assert_eq!(check(&fine), Complaints::new());
        let open = check(&tale().facts("dialled A, answered A").history).join("; ");
        assert!(open.contains("0 records") && open.contains("0 rows close the call"), "{open}");
    }

    #[test]
    fn disorder_in_a_record_and_rows_that_come_twice_are_complained_of() {
        let bridged = tale().facts("dialled A, answered A, bridged, released A, over").history;
        let found = check(&bridged).join("; ");
        assert!(found.contains("one of them never answered"), "{found}");
        let mut late = tale().facts("dialled A, answered A, released A, over").history;
        late.journal[0].at = late.journal[3].at + std::time::Duration::from_secs(1);
        let found = check(&late).join("; ");
        assert!(found.contains("in disorder"), "{found}");
        let endless = check(&tale().facts("dialled A, over").history).join("; ");
        assert!(endless.contains("has no end in the record"), "{endless}");
        let told = {
            let (_, call) = tale().history.accepted.swap_remove(0);
            let first =
                Entry { call: call.id, seq: 0, at: call.accepted_at, fact: Fact::Accepted(Box::new(call)) };
            let mut rows = Vec::new();
            let over = tale().facts("over").history.journal.swap_remove(0);
            Fold::begin(&first).and_then(|mut fold| fold.apply(&over, &mut rows));
            rows
        };
        let twice = [told.clone(), told].concat();
        assert!(of_rows(&twice).join("; ").contains("came twice"));
    }
}
