//! The open calls in memory, and what each entry means for the database. Pure: no IO, no clock.

use std::collections::HashMap;

use base::fact::{Entry, Fact};
use base::id::CallId;
use base::row::Row;
use projections::Fold;

use crate::batch::{Batch, EntryRow, OpenRow, RecordRow};
use crate::outbox::{PushNo, Waiting};

/// One fold for each open call. Bounded by the platform's ports, since only accepted calls are in it.
pub(crate) struct Ledger {
    open: HashMap<CallId, Open>,
    next: Next,
    /// Emptied after each entry; kept for its capacity.
    rows: Vec<Row>,
}

/// The numbers of the next rows. They count up without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) entry: i64,
    pub(crate) push: i64,
}

/// What an open call needs for its next entry, and for its record.
struct Open {
    fold: Fold,
    next_seq: u32,
    dialect: Box<str>,
    key: Box<str>,
    /// The numbers of its entries; at most [`base::limits::FACTS_PER_CALL`].
    entries: Vec<i64>,
    /// Where the database says that one must look for entries that it does not list.
    after: i64,
}

/// Why an entry has no place in the journal. Each is a mistake of ours, and costs that entry only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misfit {
    #[error("the call is not open")]
    NotOpen,
    #[error("the call was accepted before")]
    AcceptedBefore,
    #[error("entry {expected} must come first")]
    OutOfOrder { expected: u32 },
}

impl Ledger {
    /// No open calls; the next rows get those numbers.
    pub(crate) fn new(next: Next) -> Self {
        Self { open: HashMap::new(), next, rows: Vec::new() }
    }

    /// Enters the next entry of a call, and adds to the batch whatever follows from it.
    pub(crate) fn enter(&mut self, entry: Entry, batch: &mut Batch) -> Result<(), Misfit> {
        let after = self.next.entry - 1;
        if self.begin(&entry, after)? {
            batch.opened.push(OpenRow { call: entry.call, entries: Vec::new(), after });
        }
        let Next { entry: id, push: first_push } = self.next;
        let open = next_of(&mut self.open, &entry)?;
        open.entries.push(id);
        self.next.entry += 1;
        let record = open.fold.apply(&entry, &mut self.rows);
        for row in self.rows.drain(..) {
            if let Some(push) = open.owe(self.next.push, &entry, row) {
                batch.pushes.push(push);
                self.next.push += 1;
            }
        }
        if let Some(record) = record {
            let open = self.open.remove(&entry.call).expect("it was open a moment ago");
            batch.records.push(RecordRow { record, entries: open.entries });
        }
        let pushes = (first_push, self.next.push - first_push);
        batch.entries.push(EntryRow { id, entry, pushes });
        Ok(())
    }

    /// Takes an entry in that the database has already under that number. What follows from it was written with it.
    pub(crate) fn remember(&mut self, id: i64, entry: &Entry) -> Result<(), Misfit> {
        self.begin(entry, id - 1)?;
        let open = next_of(&mut self.open, entry)?;
        open.entries.push(id);
        open.fold.apply(entry, &mut self.rows);
        self.rows.clear();
        Ok(())
    }

    /// Forgets a call that was not accepted after all.
    pub(crate) fn forget(&mut self, call: CallId) {
        self.open.remove(&call);
    }

    /// Lists the entries of calls that are open for long, so that a start need not look for them in the whole journal.
    pub(crate) fn gather(&mut self, batch: &mut Batch) {
        let head = self.next.entry - 1;
        for (call, open) in self.open.iter_mut().filter(|(_, open)| head - open.after > LOOK_BACK) {
            open.after = head;
            batch.gathered.push(OpenRow { call: *call, entries: open.entries.clone(), after: head });
        }
    }

    /// How many calls are open.
    pub(crate) fn open_calls(&self) -> usize {
        self.open.len()
    }

    /// Opens the call if this is its acceptance. Gives whether it is.
    fn begin(&mut self, entry: &Entry, after: i64) -> Result<bool, Misfit> {
        let Fact::Accepted(call) = &entry.fact else { return Ok(false) };
        if self.open.contains_key(&entry.call) {
            return Err(Misfit::AcceptedBefore);
        }
        if entry.seq != 0 {
            return Err(Misfit::OutOfOrder { expected: 0 });
        }
        let fold = Fold::begin(entry).ok_or(Misfit::NotOpen)?;
        let (dialect, key) = (call.dialect.clone(), call.key.clone());
        let open = Open { fold, next_seq: 0, dialect, key, entries: Vec::new(), after };
        self.open.insert(entry.call, open);
        Ok(true)
    }
}

impl Open {
    /// What the customer is owed a push for, if they named a receiver.
    fn owe(&self, id: i64, entry: &Entry, row: Row) -> Option<Waiting> {
        let host = row.url()?.host().to_ascii_lowercase().into();
        Some(Waiting {
            id: PushNo(id),
            call: entry.call,
            channel: row.channel(),
            dialect: self.dialect.clone(),
            key: self.key.clone(),
            host,
            message: None,
            row,
            attempts: 0,
            due_at: entry.at,
        })
    }
}

/// The open call of an entry, when the entry is the next one of it.
fn next_of<'a>(open: &'a mut HashMap<CallId, Open>, entry: &Entry) -> Result<&'a mut Open, Misfit> {
    let open = open.get_mut(&entry.call).ok_or(Misfit::NotOpen)?;
    if entry.seq != open.next_seq {
        return Err(Misfit::OutOfOrder { expected: open.next_seq });
    }
    open.next_seq += 1;
    Ok(open)
}

/// Entries that a start reads at most to find those of open calls: about a second of work.
const LOOK_BACK: i64 = 300_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::{call, talk};

    fn ledger() -> Ledger {
        Ledger::new(Next { entry: 1, push: 1 })
    }

    fn enter(ledger: &mut Ledger, entries: &[Entry]) -> Batch {
        let mut batch = Batch::default();
        for entry in entries {
            ledger.enter(entry.clone(), &mut batch).unwrap();
        }
        batch
    }

    #[test]
    fn an_entry_knows_the_pushes_that_follow_from_it() {
        let batch = enter(&mut ledger(), &talk(call(1, "receiver.example")));
        let follow: Vec<_> = batch.entries.iter().map(|row| row.pushes.1).collect();
        // Dialled, ringing, answered for each leg; then the end and the fee record.
        assert_eq!(follow, [0, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 2]);
        let first: Vec<_> =
            batch.entries.iter().filter(|row| row.pushes.1 > 0).map(|row| row.pushes.0).collect();
        assert_eq!(first, [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(batch.pushes.last().unwrap().id, PushNo(8));
        assert_eq!(batch.opened[0].after, 0, "all of them are found after that one");
    }

    #[test]
    fn a_closed_call_is_forgotten_and_lists_its_entries() {
        let mut ledger = ledger();
        let entries = talk(call(1, "receiver.example"));
        enter(&mut ledger, &entries[..11]);
        assert_eq!(ledger.open_calls(), 1);
        let batch = enter(&mut ledger, &entries[11..]);
        assert_eq!(batch.records[0].entries, (1..=12).collect::<Vec<_>>());
        assert_eq!(ledger.open_calls(), 0);
    }

    #[test]
    fn a_call_that_is_open_for_long_has_its_entries_listed() {
        let mut ledger = ledger();
        enter(&mut ledger, &talk(call(1, "receiver.example"))[..3]);
        let mut batch = Batch::default();
        ledger.gather(&mut batch);
        assert!(batch.gathered.is_empty());
        ledger.next.entry += LOOK_BACK;
        ledger.gather(&mut batch);
        assert_eq!(
            (&batch.gathered[0].entries[..], batch.gathered[0].after),
            (&[1, 2, 3][..], 3 + LOOK_BACK)
        );
        ledger.gather(&mut batch);
        assert_eq!(batch.gathered.len(), 1, "once for a long while");
    }
}
