//! Calls that a start has closed, and whose legs may still be up: until a while later, each further start releases them
//! again.
//!
//! A start closes in the journal first and hangs up then. When it dies in between, or before a telephone whose answer was
//! under way has repeated it, nobody else would know that there is somebody to hang up. Releasing a leg twice does no harm:
//! the other side knows no such call any more.

use std::time::Duration;

use base::id::CallId;
use base::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::recovery::{self, Interrupted};
use crate::store::Term;

/// A call that is being closed, with the numbers of its entries before that.
pub(crate) struct UnreleasedRow {
    pub(crate) call: CallId,
    pub(crate) entries: Vec<i64>,
}

/// Remembers calls that are closed at that time.
pub(crate) fn remember(
    rows: &[UnreleasedRow],
    term: &Term,
    now: Timestamp,
    transaction: &Transaction<'_>,
) -> rusqlite::Result<()> {
    let mut remember = transaction.prepare_cached(REMEMBER)?;
    for UnreleasedRow { call, entries } in rows {
        let entries = serde_json::to_string(entries).expect("numbers print as JSON");
        remember.execute(params![call.to_bytes(), &*term.node, now.micros(), entries])?;
    }
    Ok(())
}

/// What earlier starts closed and may not have released.
pub(crate) fn find(
    term: &Term,
    now: Timestamp,
    connection: &Connection,
) -> rusqlite::Result<Vec<Interrupted>> {
    // Where nobody was there for long, nobody had the time either.
    if term.last_seen.is_none_or(|last| now.since(last) > RELEASED_WITHIN) {
        connection.execute(AGAIN, params![now.micros(), &*term.node])?;
    }
    let mut left = connection.prepare(FIND)?;
    let mut one = connection.prepare(ENTRY)?;
    let mut rows = left.query([&*term.node])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let numbers: String = row.get(1)?;
        let numbers: Vec<i64> = serde_json::from_str(&numbers).map_err(recovery::unreadable(1))?;
        let entries = numbers.into_iter().map(|id| one.query_row([id], recovery::read).optional());
        let entries = entries.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        found.push(Interrupted { call: CallId::from_bytes(row.get(0)?), entries });
    }
    Ok(found)
}

/// Forgets the calls that were closed long enough before a sign of life: whoever gave it has released them.
pub(crate) fn forget(
    term: &Term,
    alive_at: Timestamp,
    transaction: &Transaction<'_>,
) -> rusqlite::Result<()> {
    let within = i64::try_from(RELEASED_WITHIN.as_micros()).unwrap_or(i64::MAX);
    let before = alive_at.micros().saturating_sub(within);
    transaction.prepare_cached(FORGET)?.execute(params![&*term.node, before])?;
    Ok(())
}

const REMEMBER: &str = "INSERT INTO unreleased (call, node, closed_at, entries) VALUES (?, ?, ?, ?) \
                        ON CONFLICT DO NOTHING";

const AGAIN: &str = "UPDATE unreleased SET closed_at = ? WHERE node = ?";

const FIND: &str = "SELECT call, entries FROM unreleased WHERE node = ? ORDER BY call";

const ENTRY: &str = "SELECT id, call, seq, at, fact FROM entry WHERE id = ?";

const FORGET: &str = "DELETE FROM unreleased WHERE node = ? AND closed_at < ?";

/// How long releasing may take: a telephone repeats its answer for 32 s (RFC 3261, 64 T1), and so do we our BYE.
const RELEASED_WITHIN: Duration = Duration::from_secs(40);
