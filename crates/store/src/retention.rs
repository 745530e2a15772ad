//! What is forgotten after a while: calls that nobody is owed anything for, temporary keys, and what operators did.
//!
//! A call goes as a whole, with its record, its entries and its pushes, and the attempts of a message with the last of
//! its pushes. One with a push that is still to be sent stays,
//! and so does one whose recording is kept. Parked pushes are owed no more and go with their call. A temporary key signs the pushes
//! of its calls, so it stays for longer than they do.

use std::time::Duration;

use base::id::CallId;
use base::time::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::admin::KEPT;
use crate::entities::{api_key, attempt, audit, entry, idempotency, push, record};
use crate::fault::StoreFault;
use crate::outbox::PushState;
use crate::snapshot;
use crate::store::Store;

/// For how long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Calls, from their end on.
    pub calls: Duration,
    /// Lines of the audit log.
    pub audits: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self { calls: 60 * DAY, audits: 365 * DAY }
    }
}

/// Where forgetting goes on. It starts with the oldest call.
#[derive(Clone, Debug, Default)]
pub struct Pruned {
    /// Rows that were forgotten so far.
    pub rows: u64,
    /// Pushes among them that were parked, and that nobody had sent again.
    pub parked: u64,
    /// The last call that was looked at.
    reached: Vec<u8>,
    /// Whether everything was looked at.
    pub finished: bool,
}

impl Store {
    /// Forgets some of what was kept for long enough: a small batch, so that the journal waits for a moment only. Give it
    /// back what it gave until that is finished, with a pause in between; then begin anew some time later.
    ///
    /// # Errors
    /// [`StoreFault`] when the database cannot be written.
    pub async fn prune(
        &self,
        retention: &Retention,
        now: Timestamp,
        before: Pruned,
    ) -> Result<Pruned, StoreFault> {
        let old = old_calls(self.read(), now - retention.calls, before.reached.clone()).await?;
        let (old, is_last) = first_of(old);
        let (_baton, transaction) = self.begin().await.map_err(fault())?;
        let (calls, parked) = forget_calls(&transaction, &old).await?;
        let audits = forget_audits(&transaction, now - retention.audits).await?;
        let answers = forget_answers(&transaction, now - KEPT).await?;
        let keys = forget_keys(&transaction, now - retention.calls - OWED_FOR).await?;
        transaction.commit().await.map_err(fault())?;
        Ok(Pruned {
            rows: before.rows + calls + audits + answers + keys,
            parked: before.parked + parked,
            finished: is_last && audits < LINES && answers < LINES && keys < LINES,
            reached: old.into_iter().next_back().map_or(before.reached, |last| last.call),
        })
    }
}

/// A call that was kept for long enough, and its entries.
struct Old {
    call: Vec<u8>,
    entries: Vec<i64>,
}

async fn old_calls(
    connection: &impl ConnectionTrait,
    before: Timestamp,
    after: Vec<u8>,
) -> Result<Vec<Old>, StoreFault> {
    let rows: Vec<(Vec<u8>, String)> = record::Entity::find()
        .select_only()
        .column(record::Column::Call)
        .column(record::Column::Entries)
        .filter(record::Column::Call.gt(after))
        .filter(record::Column::Call.lt(CallId::new(before, 0).to_bytes().to_vec()))
        .filter(record::Column::EndedAt.lt(before.micros()))
        .filter(Expr::cust("recording <> 1"))
        .order_by_asc(record::Column::Call)
        .limit(u64::try_from(CALLS).unwrap_or(u64::MAX))
        .into_tuple()
        .all(connection)
        .await
        .map_err(fault())?;
    let old = |(call, entries): (Vec<u8>, String)| {
        let entries = serde_json::from_str(&entries);
        let entries = entries.map_err(StoreFault::unreadable("the list of a call's entries"))?;
        Ok(Old { call, entries })
    };
    rows.into_iter().map(old).collect()
}

/// As many of the first calls as may be forgotten at once, at least one, and whether these are the last.
fn first_of(mut old: Vec<Old>) -> (Vec<Old>, bool) {
    let found = old.len();
    let mut entries = 0;
    let fits = |old: &&Old| {
        entries += old.entries.len();
        entries <= ENTRIES
    };
    old.truncate(old.iter().take_while(fits).count().max(1));
    let is_last = found < CALLS && old.len() == found;
    (old, is_last)
}

/// Forgets calls to which nothing is owed. Gives the rows, and how many of them were parked pushes.
async fn forget_calls(transaction: &DatabaseTransaction, old: &[Old]) -> Result<(u64, u64), StoreFault> {
    let entries = old.iter().flat_map(|old| old.entries.iter().copied());
    let ranges: Vec<(Vec<u8>, i64, i64)> = entry::Entity::find()
        .select_only()
        .columns([entry::Column::Call, entry::Column::Push, entry::Column::Pushes])
        .filter(entry::Column::Id.is_in(entries))
        .filter(entry::Column::Pushes.gt(0))
        .into_tuple()
        .all(transaction)
        .await
        .map_err(fault())?;
    let numbers = |ranges: &[(Vec<u8>, i64, i64)]| -> Vec<i64> {
        ranges.iter().flat_map(|(_, first, count)| *first..first + count).collect()
    };
    let owed: Vec<Vec<u8>> = push::Entity::find()
        .select_only()
        .column(push::Column::Call)
        .filter(push::Column::Id.is_in(numbers(&ranges)))
        .filter(push::Column::State.is_in([PushState::Fresh.number(), PushState::Deferred.number()]))
        .distinct()
        .into_tuple()
        .all(transaction)
        .await
        .map_err(fault())?;
    let gone: Vec<&Old> = old.iter().filter(|old| !owed.contains(&old.call)).collect();
    let ranges: Vec<_> = ranges.into_iter().filter(|(call, ..)| !owed.contains(call)).collect();
    let pushes = numbers(&ranges);
    let entries = gone.iter().flat_map(|old| old.entries.iter().copied());
    let calls = gone.iter().map(|old| old.call.clone());
    let parked = push::Entity::find()
        .filter(push::Column::Id.is_in(pushes.iter().copied()))
        .filter(push::Column::State.eq(PushState::Parked.number()))
        .count(transaction)
        .await
        .map_err(fault())?;
    let mut rows = forget_pushes(transaction, &pushes).await?;
    let entries = entry::Entity::delete_many().filter(entry::Column::Id.is_in(entries));
    rows += entries.exec(transaction).await.map_err(fault())?.rows_affected;
    let records = record::Entity::delete_many().filter(record::Column::Call.is_in(calls));
    Ok((rows + records.exec(transaction).await.map_err(fault())?.rows_affected, parked))
}

/// Forgets pushes, and the attempts of messages of which no push is left.
async fn forget_pushes(transaction: &DatabaseTransaction, pushes: &[i64]) -> Result<u64, StoreFault> {
    let these = || push::Column::Id.is_in(pushes.iter().copied());
    let messages: Vec<i64> = push::Entity::find()
        .select_only()
        .column(push::Column::Message)
        .filter(these())
        .filter(push::Column::Message.is_not_null())
        .distinct()
        .into_tuple()
        .all(transaction)
        .await
        .map_err(fault())?;
    let gone = push::Entity::delete_many().filter(these());
    let rows = gone.exec(transaction).await.map_err(fault())?.rows_affected;
    let left = "NOT EXISTS (SELECT 1 FROM push WHERE push.message = attempt.message)";
    let attempts = attempt::Entity::delete_many()
        .filter(attempt::Column::Message.is_in(messages))
        .filter(Expr::cust(left));
    Ok(rows + attempts.exec(transaction).await.map_err(fault())?.rows_affected)
}

async fn forget_audits(transaction: &DatabaseTransaction, before: Timestamp) -> Result<u64, StoreFault> {
    let oldest = audit::Entity::find().select_only().column(audit::Column::Id).column(audit::Column::At);
    let oldest = oldest.order_by_asc(audit::Column::Id).limit(LINES).into_tuple::<(i64, i64)>();
    let oldest = oldest.all(transaction).await.map_err(fault())?;
    let over = oldest.into_iter().filter(|(_, at)| *at < before.micros()).map(|(id, _)| id);
    let gone = audit::Entity::delete_many().filter(audit::Column::Id.is_in(over));
    Ok(gone.exec(transaction).await.map_err(fault())?.rows_affected)
}

async fn forget_answers(transaction: &DatabaseTransaction, before: Timestamp) -> Result<u64, StoreFault> {
    let over = idempotency::Entity::find().select_only().column(idempotency::Column::Key);
    let over = over.filter(idempotency::Column::At.lt(before.micros())).limit(LINES);
    let over: Vec<String> = over.into_tuple().all(transaction).await.map_err(fault())?;
    let gone = idempotency::Entity::delete_many().filter(idempotency::Column::Key.is_in(over));
    Ok(gone.exec(transaction).await.map_err(fault())?.rows_affected)
}

async fn forget_keys(transaction: &DatabaseTransaction, before: Timestamp) -> Result<u64, StoreFault> {
    let over = api_key::Entity::find()
        .select_only()
        .column(api_key::Column::Id)
        .filter(api_key::Column::SealedToken.is_not_null())
        .filter(api_key::Column::ValidUntil.lt(before.micros()))
        .limit(LINES);
    let over: Vec<String> = over.into_tuple().all(transaction).await.map_err(fault())?;
    if over.is_empty() {
        return Ok(0);
    }
    let gone = api_key::Entity::delete_many().filter(api_key::Column::Id.is_in(over));
    let gone = gone.exec(transaction).await.map_err(fault())?.rows_affected;
    snapshot::count_change(transaction).await?;
    Ok(gone)
}

fn fault() -> impl FnOnce(sea_orm::DbErr) -> StoreFault {
    StoreFault::of_database("forget old rows of")
}

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Calls that are forgotten at once: about a thousand rows, some milliseconds of the one who writes.
const CALLS: usize = 50;

/// Entries that are forgotten at once, unless one call alone has more. The database takes 32,766 values in a question, and
/// a party that presses keys all day leaves thousands of entries.
const ENTRIES: usize = 8_192;

/// How long after its key was over a call may end, and its pushes be owed.
const OWED_FOR: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Lines of the audit log, kept answers and keys that are forgotten at once.
const LINES: u64 = 200;
