//! What one transaction of the journal writes, and how.
//!
//! The journal's own connection, used here, in `recovery.rs` and by `outbox::settle`, does not go through SeaORM,
//! because it runs for every fact of every call: sqlx hands each statement to another thread and back, which cost ten
//! times the statement itself. The texts are plain SQL. A batch can be written again after a failure: rows that are
//! there already are left alone.

use base::fact::Entry;
use base::id::{AppId, CallId, Leg};
use base::record::CallRecord;
use base::time::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::counts::{self, ChargeRow};
use crate::fault::StoreFault;
use crate::outbox::{self, PushState, Verdict, Waiting, channel_number};
use crate::seen::{self, SeenRequest};
use crate::store::Term;
use crate::unreleased::{self, UnreleasedRow};

/// Rows of one transaction, gathered before the database is touched.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) opened: Vec<OpenRow>,
    pub(crate) charges: Vec<ChargeRow>,
    pub(crate) seen: Vec<SeenRequest>,
    pub(crate) entries: Vec<EntryRow>,
    pub(crate) gathered: Vec<OpenRow>,
    pub(crate) records: Vec<RecordRow>,
    pub(crate) unreleased: Vec<UnreleasedRow>,
    pub(crate) pushes: Vec<Waiting>,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) heartbeat: Option<Timestamp>,
}

/// A call that is open, and where its entries are: those that are listed, and those of its own after `after`.
pub(crate) struct OpenRow {
    pub(crate) call: CallId,
    pub(crate) entries: Vec<i64>,
    pub(crate) after: i64,
}

/// An entry with its number.
pub(crate) struct EntryRow {
    pub(crate) id: i64,
    pub(crate) entry: Entry,
    /// The pushes that follow from it: the number of the first, and how many.
    pub(crate) pushes: (i64, i64),
}

/// A call that is over, with the numbers of its entries.
pub(crate) struct RecordRow {
    pub(crate) record: CallRecord,
    pub(crate) entries: Vec<i64>,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.opened.is_empty()
            && self.charges.is_empty()
            && self.seen.is_empty()
            && self.entries.is_empty()
            && self.gathered.is_empty()
            && self.records.is_empty()
            && self.unreleased.is_empty()
            && self.pushes.is_empty()
            && self.verdicts.is_empty()
            && self.heartbeat.is_none()
    }

    /// Writes everything in one transaction, with one flush to the disk, or nothing.
    ///
    /// # Errors
    /// [`StoreFault::ClosedBefore`] when a call that shall be closed is not open, and whatever the database says.
    pub(crate) fn commit(
        &self,
        term: &Term,
        now: Timestamp,
        connection: &mut Connection,
    ) -> Result<(), StoreFault> {
        let fault = || StoreFault::of_journal("write");
        // IMMEDIATE takes the write lock first, so that no statement of ours can fail for want of it half way.
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault())?;
        self.close(&transaction)?;
        self.write(term, now, &transaction).map_err(fault())?;
        transaction.commit().map_err(fault())
    }

    /// Closes the calls whose records are here. Each must have been open, or nothing is written: this and the
    /// record's primary key are the two guards of "exactly one record a call".
    fn close(&self, transaction: &Transaction<'_>) -> Result<(), StoreFault> {
        let fault = || StoreFault::of_journal("close a call in");
        let mut close = transaction.prepare_cached(CLOSE).map_err(fault())?;
        for RecordRow { record, .. } in &self.records {
            let call = record.call.id;
            if close.execute([call.to_bytes()]).map_err(fault())? != 1 {
                return Err(StoreFault::ClosedBefore { call });
            }
        }
        Ok(())
    }

    fn write(&self, term: &Term, now: Timestamp, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut text = Text::default();
        let mut open = transaction.prepare_cached(OPEN)?;
        for row in &self.opened {
            open.execute(params![
                row.call.to_bytes(),
                &*term.node,
                term.epoch,
                text.of(&row.entries),
                row.after
            ])?;
        }
        counts::add(&self.charges, transaction)?;
        seen::add(&self.seen, transaction)?;
        let mut enter = transaction.prepare_cached(ENTER)?;
        for row in &self.entries {
            let EntryRow { id, entry, pushes: (push, pushes) } = row;
            let (call, at) = (entry.call.to_bytes(), entry.at.micros());
            enter.execute(params![id, call, entry.seq, at, text.of(&entry.fact), push, pushes])?;
        }
        let mut gather = transaction.prepare_cached(GATHER)?;
        for row in &self.gathered {
            gather.execute(params![text.of(&row.entries), row.after, row.call.to_bytes()])?;
        }
        let mut lists = Text::default();
        let mut record = transaction.prepare_cached(RECORD)?;
        for RecordRow { record: row, entries } in &self.records {
            let dialled = |leg| row.call.numbers(leg).map(|numbers| numbers.dialled.as_str());
            let shown = |leg| row.call.numbers(leg).map(|numbers| numbers.shown.as_str());
            let AppId(app) = row.call.app;
            record.execute(params![
                row.call.id.to_bytes(),
                app,
                row.ended_at.micros(),
                dialled(Leg::A).unwrap_or_default(),
                dialled(Leg::B),
                text.of(row),
                lists.of(entries),
                shown(Leg::A),
                shown(Leg::B),
                row.call.user_data.as_deref(),
                i16::from(row.recording.is_some()),
            ])?;
        }
        let mut owe = transaction.prepare_cached(OWE)?;
        for push in &self.pushes {
            owe.execute(params![
                push.id.0,
                push.call.to_bytes(),
                channel_number(push.channel),
                &*push.dialect,
                &*push.key,
                &*push.host,
                outbox::stored(&push.row).map(|status| text.of(status)),
                PushState::Fresh.number(),
                push.due_at.micros(),
            ])?;
        }
        if !self.unreleased.is_empty() {
            unreleased::remember(&self.unreleased, term, now, transaction)?;
        }
        outbox::settle(&self.verdicts, now, transaction)?;
        if let Some(at) = self.heartbeat {
            transaction.prepare_cached(BEAT)?.execute(params![at.micros(), &*term.node, term.epoch])?;
            counts::prune(at, transaction)?;
            seen::prune(at, transaction)?;
            unreleased::forget(term, at, transaction)?;
        }
        Ok(())
    }

    /// Takes everything of a call out again.
    pub(crate) fn drop_call(&mut self, id: CallId) {
        self.opened.retain(|row| row.call != id);
        self.charges.retain(|row| row.call != id);
        self.entries.retain(|row| row.entry.call != id);
        self.gathered.retain(|row| row.call != id);
        self.records.retain(|row| row.record.call.id != id);
        self.unreleased.retain(|row| row.call != id);
        self.pushes.retain(|push| push.call != id);
    }
}

/// A text that is written over and over, so that a batch allocates it once.
#[derive(Default)]
struct Text(Vec<u8>);

impl Text {
    /// The value as JSON, until the next one is asked for.
    fn of<T: serde::Serialize>(&mut self, value: &T) -> &str {
        self.0.clear();
        serde_json::to_writer(&mut self.0, value).expect("our own types print as JSON");
        std::str::from_utf8(&self.0).expect("JSON is UTF-8")
    }
}

const OPEN: &str = "INSERT INTO open_call (call, node, epoch, entries, after) VALUES (?, ?, ?, ?, ?) \
                    ON CONFLICT DO NOTHING";

const ENTER: &str = "INSERT INTO entry (id, call, seq, at, fact, push, pushes) VALUES (?, ?, ?, ?, ?, ?, ?) \
                     ON CONFLICT DO NOTHING";

const GATHER: &str = "UPDATE open_call SET entries = ?, after = ? WHERE call = ?";

const CLOSE: &str = "DELETE FROM open_call WHERE call = ?";

const RECORD: &str = "INSERT INTO record (call, app_id, ended_at, dialled_a, dialled_b, record, entries, \
                      shown_a, shown_b, user_data, recording) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

const OWE: &str = "INSERT INTO push (id, call, channel, dialect, key, host, row, state, attempts, at) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?) ON CONFLICT DO NOTHING";

const BEAT: &str = "UPDATE node SET heartbeat_at = ? WHERE name = ? AND epoch = ?";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base::private::Private;
    use base::quota::{Charge, Counted, Window};

    use super::*;
    use crate::ledger::{Ledger, Next};
    use crate::outbox::{Outcome, PushNo};
    use crate::support::{BEGIN, call, talk};

    /// A batch with rows of every kind, of each of these calls.
    fn batch(numbers: &[u32]) -> Batch {
        let verdict = Verdict {
            id: PushNo(1),
            at: BEGIN,
            took: Duration::ZERO,
            outcome: Outcome::Delivered,
            exchange: None,
        };
        let mut batch = Batch { verdicts: vec![verdict], heartbeat: Some(BEGIN), ..Batch::default() };
        let mut ledger = Ledger::new(Next { entry: 1, push: 1 });
        for number in numbers {
            for entry in talk(call(*number, "receiver.example")) {
                ledger.enter(entry, &mut batch).unwrap();
            }
            let (call, subject) = (call(*number, "receiver.example").id, Private::new("7".into()));
            let charge = Charge { of: Counted::App, owner: 7, subject, per: Window::Ever, began: 0 };
            batch.charges.push(ChargeRow { call, charge });
            batch.gathered.push(OpenRow { call, entries: Vec::new(), after: 0 });
            batch.unreleased.push(UnreleasedRow { call, entries: Vec::new() });
        }
        batch
    }

    #[test]
    fn a_batch_with_anything_in_it_is_to_be_written() {
        let only: [fn(&mut Batch, Batch); 9] = [
            |one, all| one.opened = all.opened,
            |one, all| one.charges = all.charges,
            |one, all| one.entries = all.entries,
            |one, all| one.gathered = all.gathered,
            |one, all| one.records = all.records,
            |one, all| one.unreleased = all.unreleased,
            |one, all| one.pushes = all.pushes,
            |one, all| one.verdicts = all.verdicts,
            |one, all| one.heartbeat = all.heartbeat,
        ];
        for (kind, fill) in only.into_iter().enumerate() {
            let mut one = Batch::default();
            assert!(one.is_empty());
            fill(&mut one, batch(&[1]));
            assert!(!one.is_empty(), "kind {kind}");
        }
    }

    #[test]
    fn a_call_is_taken_out_with_all_that_is_its_own_and_nothing_else() {
        let (mut batch, other) = (batch(&[1, 2]), call(2, "receiver.example").id);
        batch.drop_call(call(1, "receiver.example").id);
        let left: [Vec<CallId>; 7] = [
            batch.opened.iter().map(|row| row.call).collect(),
            batch.charges.iter().map(|row| row.call).collect(),
            batch.entries.iter().map(|row| row.entry.call).collect(),
            batch.gathered.iter().map(|row| row.call).collect(),
            batch.records.iter().map(|row| row.record.call.id).collect(),
            batch.unreleased.iter().map(|row| row.call).collect(),
            batch.pushes.iter().map(|push| push.call).collect(),
        ];
        assert_eq!(left.each_ref().map(Vec::len), [1, 1, 12, 1, 1, 1, 8]);
        assert!(left.iter().flatten().all(|call| *call == other));
        assert_eq!(batch.verdicts.len(), 1, "what came of attempts is of no call that is being written");
    }
}
