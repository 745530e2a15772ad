//! What a process finds that its predecessor left behind: open calls, which it closes before anybody can call.
//!
//! ```text
//! open calls of earlier epochs ─▶ their entries ─▶ the missing entries ─▶ record and pushes, as for any call
//!                                      └─▶ to the engine, which releases the legs that may still be up
//! ```

use std::collections::BTreeMap;

use base::fact::{Entry, Fact};
use base::id::{CallId, Leg};
use base::time::Timestamp;
use sea_orm::sqlx::SqliteConnection;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::batch::{Batch, Owner};
use crate::entities::{call, entry};
use crate::fault::StoreFault;
use crate::ledger::Ledger;
use crate::outbox::call_id;
use crate::store::{Store, Term};

/// A call that an earlier process left open, and that was closed in the journal just now.
#[derive(Clone, Debug, PartialEq)]
pub struct Interrupted {
    /// The call.
    pub call: CallId,
    /// Everything that was known of it, without the entries that close it.
    pub entries: Vec<Entry>,
}

impl Interrupted {
    /// The last dialog of each leg that was not released, so that the engine can send its BYE or CANCEL.
    pub fn dialogs(&self) -> impl Iterator<Item = (Leg, &base::fact::Dialog)> {
        [Leg::A, Leg::B].into_iter().filter_map(|leg| Some((leg, self.dialog(leg)?)))
    }

    fn dialog(&self, of: Leg) -> Option<&base::fact::Dialog> {
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

/// Closes every open call of this node's earlier epochs, a batch of calls in one commit.
///
/// A crash in the middle does no harm: what is closed stays closed, and the next start goes on with the rest.
pub(crate) async fn close_all(
    store: &Store,
    term: &Term,
    owner: &Owner,
    ledger: &mut Ledger,
    connection: &mut SqliteConnection,
    now: Timestamp,
) -> Result<Vec<Interrupted>, StoreFault> {
    // The dead process saw the calls alive until its last heartbeat. A clock that went back must not date it later.
    let ended_at = term.last_seen.unwrap_or(now).min(now);
    let mut closed = Vec::new();
    loop {
        let calls = read_open(store, term).await?;
        if calls.is_empty() {
            break;
        }
        let mut batch = Batch::default();
        for interrupted in &calls {
            close(interrupted, ended_at, ledger, &mut batch)?;
        }
        batch.commit(owner, None, connection).await?;
        closed.extend(calls);
    }
    if !closed.is_empty() {
        tracing::warn!(calls = closed.len(), "closed the calls that the process before this one left open");
    }
    Ok(closed)
}

fn close(
    interrupted: &Interrupted,
    ended_at: Timestamp,
    ledger: &mut Ledger,
    batch: &mut Batch,
) -> Result<(), StoreFault> {
    let misfit = |_| StoreFault::damaged(format!("the entries of call {}", interrupted.call));
    for entry in &interrupted.entries {
        ledger.remember(entry).map_err(misfit)?;
    }
    let last = interrupted.entries.last().map_or(ended_at, |last| last.at);
    for entry in projections::close_interrupted(&interrupted.entries, ended_at.max(last)) {
        ledger.enter(&entry, batch).map_err(misfit)?;
    }
    Ok(())
}

/// Reads the next few open calls with all their entries.
async fn read_open(store: &Store, term: &Term) -> Result<Vec<Interrupted>, StoreFault> {
    let fault = || StoreFault::of_database("read the open calls of");
    let ids: Vec<Vec<u8>> = call::Entity::find()
        .select_only()
        .column(call::Column::Id)
        .filter(sea_orm::sea_query::Expr::cust("open"))
        .filter(call::Column::Node.eq(&*term.node))
        .filter(call::Column::Epoch.lt(term.epoch))
        .limit(CALLS_PER_COMMIT)
        .into_tuple()
        .all(store.read())
        .await
        .map_err(fault())?;
    let rows = entry::Entity::find()
        .filter(entry::Column::Call.is_in(ids.iter().cloned()))
        .order_by_asc(entry::Column::Call)
        .order_by_asc(entry::Column::Seq)
        .all(store.read())
        .await
        .map_err(fault())?;
    let mut calls: BTreeMap<CallId, Vec<Entry>> = BTreeMap::new();
    for row in rows {
        let entry = read_entry(row)?;
        calls.entry(entry.call).or_default().push(entry);
    }
    if calls.len() != ids.len() {
        return Err(StoreFault::damaged("an open call without entries"));
    }
    Ok(calls.into_iter().map(|(call, entries)| Interrupted { call, entries }).collect())
}

/// Reads one line of the journal back.
pub(crate) fn read_entry(row: entry::Model) -> Result<Entry, StoreFault> {
    let damaged = || StoreFault::damaged("an entry of the journal");
    let call = call_id(&row.call).ok_or_else(damaged)?;
    let seq = u32::try_from(row.seq).map_err(|_| damaged())?;
    let what = || format!("entry {seq} of call {call}");
    let fact = serde_json::from_str(&row.fact).map_err(|cause| StoreFault::unreadable(what())(cause))?;
    Ok(Entry { call, seq, at: Timestamp::from_micros(row.at), fact })
}

/// Calls that are closed in one commit: as many as a batch of the writer holds.
const CALLS_PER_COMMIT: u64 = 256;
