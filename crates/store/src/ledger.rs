//! The open calls in memory, and what each entry means for the database. Pure: no IO, no clock.

use std::collections::HashMap;

use base::fact::{Entry, Fact};
use base::id::CallId;
use base::row::Row;
use base::time::Timestamp;
use projections::Fold;

use crate::batch::{Batch, CallRow, EntryRow, json};
use crate::outbox::{PushNo, Waiting};

/// One fold for each open call. Bounded by the platform's ports, since only accepted calls are in it.
pub(crate) struct Ledger {
    open: HashMap<CallId, Open>,
    next_push: PushNo,
    /// Emptied after each entry; kept for its capacity.
    rows: Vec<Row>,
}

/// What an open call needs for its next entry.
struct Open {
    fold: Fold,
    next_seq: u32,
    dialect: Box<str>,
    key: Box<str>,
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
    /// No open calls; the next push gets that number.
    pub(crate) fn new(next_push: PushNo) -> Self {
        Self { open: HashMap::new(), next_push, rows: Vec::new() }
    }

    /// Enters the next entry of a call, and adds to the batch whatever follows from it.
    pub(crate) fn enter(&mut self, entry: &Entry, batch: &mut Batch) -> Result<(), Misfit> {
        if let Fact::Accepted(call) = &entry.fact {
            if self.open.contains_key(&entry.call) {
                return Err(Misfit::AcceptedBefore);
            }
            batch.calls.push(CallRow { id: entry.call, app: call.app, accepted_at: call.accepted_at });
        }
        self.follow(entry, batch)?;
        batch.entries.push(EntryRow {
            call: entry.call,
            seq: entry.seq,
            at: entry.at,
            fact: json(&entry.fact),
        });
        Ok(())
    }

    /// Folds an entry that the database has already: only what must be remembered changes.
    pub(crate) fn remember(&mut self, entry: &Entry) -> Result<(), Misfit> {
        let next_push = self.next_push;
        let told = self.follow(entry, &mut Batch::default());
        self.next_push = next_push;
        told
    }

    /// Forgets a call that was not accepted after all.
    pub(crate) fn forget(&mut self, call: CallId) {
        self.open.remove(&call);
    }

    /// How many calls are open.
    pub(crate) fn open_calls(&self) -> usize {
        self.open.len()
    }

    fn follow(&mut self, entry: &Entry, batch: &mut Batch) -> Result<(), Misfit> {
        if let Some(open) = begin(entry) {
            if entry.seq != 0 {
                return Err(Misfit::OutOfOrder { expected: 0 });
            }
            self.open.insert(entry.call, open);
        }
        let open = self.open.get_mut(&entry.call).ok_or(Misfit::NotOpen)?;
        if entry.seq != open.next_seq {
            return Err(Misfit::OutOfOrder { expected: open.next_seq });
        }
        open.next_seq += 1;
        let record = open.fold.apply(entry, &mut self.rows);
        for row in self.rows.drain(..) {
            let Some(url) = row.url() else { continue };
            let host = url.host().to_ascii_lowercase().into();
            let (dialect, key) = (open.dialect.clone(), open.key.clone());
            batch.pushes.push(waiting(self.next_push, entry, (dialect, key, host), row));
            self.next_push.0 += 1;
        }
        if let Some(record) = record {
            self.open.remove(&entry.call);
            batch.records.push(record);
        }
        Ok(())
    }
}

fn begin(entry: &Entry) -> Option<Open> {
    let Fact::Accepted(call) = &entry.fact else { return None };
    let fold = Fold::begin(entry)?;
    Some(Open { fold, next_seq: 0, dialect: call.dialect.clone(), key: call.key.clone() })
}

fn waiting(
    id: PushNo,
    entry: &Entry,
    (dialect, key, host): (Box<str>, Box<str>, Box<str>),
    row: Row,
) -> Waiting {
    let channel = row.channel();
    let due_at: Timestamp = entry.at;
    Waiting { id, call: entry.call, channel, dialect, key, host, message: None, row, attempts: 0, due_at }
}
