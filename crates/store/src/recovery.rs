//! What a process finds that its predecessor left behind: open calls, which it closes before anybody can call.
//!
//! ```text
//! open calls of earlier epochs ─▶ their entries ─▶ the missing entries ─▶ record and pushes, as for any call
//!                                      └─▶ to the engine, which releases the legs that may still be up
//! ```

use std::collections::HashMap;

use base::fact::{Dialog, Entry, Fact};
use base::id::{CallId, Leg};
use base::limits::JOURNAL_BATCH;
use base::time::Timestamp;
use rusqlite::{Connection, params};

use crate::batch::Batch;
use crate::fault::StoreFault;
use crate::ledger::Ledger;
use crate::store::Term;
use crate::unreleased::{self, UnreleasedRow};

/// A call that an earlier process left open, and that was closed in the journal just now, or so lately that its legs may
/// not be released yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Interrupted {
    /// The call.
    pub call: CallId,
    /// Everything that was known of it, without the entries that close it.
    pub entries: Vec<Entry>,
}

impl Interrupted {
    /// The last dialog of each leg that was not released, so that the engine can send its BYE or CANCEL.
    pub fn dialogs(&self) -> impl Iterator<Item = (Leg, &Dialog)> {
        [Leg::A, Leg::B].into_iter().filter_map(|leg| Some((leg, self.dialog(leg)?)))
    }

    fn dialog(&self, of: Leg) -> Option<&Dialog> {
        let mut last = None;
        for entry in &self.entries {
            match &entry.fact {
                Fact::Ringing { leg, dialog: Some(dialog) }
                | Fact::Answered { leg, dialog: Some(dialog) }
                    if *leg == of =>
                {
                    last = Some(dialog);
                }
                Fact::Released { leg, .. } if *leg == of => return None,
                _ => {}
            }
        }
        last
    }
}

/// An open call with its entries and their numbers, as they were found.
#[derive(Default)]
struct Found {
    listed: Vec<i64>,
    entries: Vec<(i64, Entry)>,
}

/// Closes every open call of this node's earlier epochs, a batch of calls in one commit.
///
/// A crash in the middle does no harm: what is closed stays closed, and the next start goes on with the rest, and with
/// the legs of what was closed.
pub(crate) fn close_all(
    term: &Term,
    now: Timestamp,
    ledger: &mut Ledger,
    connection: &mut Connection,
) -> Result<Vec<Interrupted>, StoreFault> {
    // The dead process saw the calls alive until its last heartbeat. A clock that went back must not date it later.
    let ended_at = term.last_seen.unwrap_or(now).min(now);
    let found = find(term, connection).map_err(StoreFault::of_journal("read"))?;
    let mut left: Vec<(CallId, Found)> = found.into_iter().collect();
    left.sort_unstable_by_key(|(call, _)| *call);
    let before = unreleased::find(term, now, connection).map_err(StoreFault::of_journal("read"))?;
    let mut closed = Vec::with_capacity(left.len());
    let mut left = left.into_iter().peekable();
    while left.peek().is_some() {
        let mut batch = Batch::default();
        for (call, found) in left.by_ref().take(JOURNAL_BATCH) {
            closed.push(close(call, found, ended_at, ledger, &mut batch)?);
        }
        batch.commit(term, now, connection)?;
    }
    if !closed.is_empty() {
        tracing::warn!(calls = closed.len(), "closed the calls that the process before this one left open");
    }
    closed.extend(before);
    Ok(closed)
}

fn close(
    call: CallId,
    found: Found,
    ended_at: Timestamp,
    ledger: &mut Ledger,
    batch: &mut Batch,
) -> Result<Interrupted, StoreFault> {
    let misfit = |_| StoreFault::damaged(format!("the entries of call {call}"));
    let numbers = found.entries.iter().map(|(id, _)| *id).collect();
    batch.unreleased.push(UnreleasedRow { call, entries: numbers });
    for (id, entry) in &found.entries {
        ledger.remember(*id, entry).map_err(misfit)?;
    }
    let entries: Vec<Entry> = found.entries.into_iter().map(|(_, entry)| entry).collect();
    let last = entries.last().map_or(ended_at, |last| last.at);
    for entry in projections::close_interrupted(&entries, ended_at.max(last)) {
        ledger.enter(entry, batch).map_err(misfit)?;
    }
    Ok(Interrupted { call, entries })
}

/// Finds the open calls, and their entries: those that are listed one by one, the others in one look through the end
/// of the journal.
fn find(term: &Term, connection: &Connection) -> rusqlite::Result<HashMap<CallId, Found>> {
    let mut open = HashMap::new();
    let mut from = i64::MAX;
    let mut calls =
        connection.prepare("SELECT call, entries, after FROM open_call WHERE node = ? AND epoch < ?")?;
    let mut rows = calls.query(params![&*term.node, term.epoch])?;
    while let Some(row) = rows.next()? {
        let listed: String = row.get(1)?;
        let listed = serde_json::from_str(&listed).map_err(unreadable(1))?;
        open.insert(CallId::from_bytes(row.get(0)?), Found { listed, entries: Vec::new() });
        from = from.min(row.get(2)?);
    }
    let mut one = connection.prepare("SELECT id, call, seq, at, fact FROM entry WHERE id = ?")?;
    for found in open.values_mut() {
        for id in std::mem::take(&mut found.listed) {
            found.entries.push((id, one.query_row([id], read)?));
        }
    }
    let mut rest =
        connection.prepare("SELECT id, call, seq, at, fact FROM entry WHERE id > ? ORDER BY id")?;
    let mut rows = rest.query([from])?;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        let Some(found) = open.get_mut(&CallId::from_bytes(row.get(1)?)) else { continue };
        if found.entries.last().is_none_or(|(last, _)| *last < id) {
            found.entries.push((id, read(row)?));
        }
    }
    Ok(open)
}

pub(crate) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Entry> {
    let fact: String = row.get(4)?;
    Ok(Entry {
        call: CallId::from_bytes(row.get(1)?),
        seq: row.get(2)?,
        at: Timestamp::from_micros(row.get(3)?),
        fact: serde_json::from_str(&fact).map_err(unreadable(4))?,
    })
}

pub(crate) fn unreadable(column: usize) -> impl FnOnce(serde_json::Error) -> rusqlite::Error {
    move |cause| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(cause))
    }
}

#[cfg(test)]
mod tests {
    use base::release::{Party, Release};

    use super::*;
    use crate::support::{BEGIN, call};

    fn dialog(text: &str) -> Option<Dialog> {
        Some(Dialog(text.into()))
    }

    /// The legs that are still to be released after these facts, each with its dialog.
    fn up(facts: Vec<Fact>) -> Vec<(Leg, String)> {
        let call = call(1, "receiver.example").id;
        let entries = facts.into_iter().map(|fact| Entry { call, seq: 0, at: BEGIN, fact }).collect();
        let interrupted = Interrupted { call, entries };
        interrupted.dialogs().map(|(leg, Dialog(text))| (leg, text.to_string())).collect()
    }

    #[test]
    fn each_leg_that_is_up_is_released_by_its_own_last_dialog() {
        let ringing = |leg, text| Fact::Ringing { leg, dialog: dialog(text) };
        let answered = |leg, text| Fact::Answered { leg, dialog: dialog(text) };
        let released = |leg| Fact::released(leg, Release::normal(Party::Caller));
        let both = || {
            vec![
                ringing(Leg::A, "early a"),
                answered(Leg::A, "a"),
                Fact::dialled(Leg::B),
                ringing(Leg::B, "early b"),
                // A telephone that says that it rings without saying where.
                Fact::Ringing { leg: Leg::B, dialog: None },
            ]
        };
        let of = |leg, text: &str| (leg, text.to_owned());
        assert_eq!(up(both()), [of(Leg::A, "a"), of(Leg::B, "early b")]);
        assert_eq!(up([both(), vec![released(Leg::A)]].concat()), [of(Leg::B, "early b")]);
        assert_eq!(up([both(), vec![released(Leg::B)]].concat()), [of(Leg::A, "a")]);
        assert_eq!(up([both(), vec![released(Leg::A), released(Leg::B)]].concat()), []);
        assert_eq!(up(vec![Fact::dialled(Leg::A)]), []);
    }
}
