//! Which requests were taken lately, so that a start takes none of them again.
//!
//! A request is written no later than the call that it orders: whoever was told of a call has used up the signature. Like
//! [`counts`](crate::counts), the table is only the memory of what is looked at elsewhere.

use base::time::Timestamp;
use rusqlite::{Transaction, params};
use sea_orm::{ConnectionTrait, Statement};

use crate::fault::StoreFault;
use crate::store::Store;

/// A request that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRequest {
    /// The key that signed it.
    pub key: Box<str>,
    /// What tells it from the others of the key.
    pub name: [u8; 16],
    /// When its signature is too old anyhow.
    pub until: Timestamp,
}

impl Store {
    /// The requests whose signatures are not too old yet, oldest first.
    ///
    /// # Errors
    /// [`StoreFault`] when the database cannot be read.
    pub async fn seen_requests(&self, now: Timestamp) -> Result<Vec<SeenRequest>, StoreFault> {
        let fault = || StoreFault::of_database("read the requests of");
        let backend = self.read().get_database_backend();
        let query = Statement::from_sql_and_values(backend, FIND, [now.micros().into()]);
        let read = |row: &sea_orm::QueryResult| {
            let name: Vec<u8> = row.try_get_by_index(1).map_err(fault())?;
            Ok(SeenRequest {
                key: row.try_get_by_index::<String>(0).map_err(fault())?.into(),
                name: name.try_into().map_err(|_| StoreFault::damaged("a request"))?,
                until: Timestamp::from_micros(row.try_get_by_index(2).map_err(fault())?),
            })
        };
        self.read().query_all_raw(query).await.map_err(fault())?.iter().map(read).collect()
    }
}

/// Remembers requests.
pub(crate) fn add(rows: &[SeenRequest], transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut add = transaction.prepare_cached(ADD)?;
    for SeenRequest { key, name, until } in rows {
        add.execute(params![&**key, &name[..], until.micros()])?;
    }
    Ok(())
}

/// Forgets some of those whose signatures were too old at that time.
pub(crate) fn prune(now: Timestamp, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.prepare_cached(PRUNE)?.execute(params![now.micros(), PRUNED])?;
    Ok(())
}

const FIND: &str = "SELECT key, name, until FROM seen_request WHERE until > ? ORDER BY until";

const ADD: &str = "INSERT INTO seen_request (key, name, until) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";

const PRUNE: &str = "DELETE FROM seen_request WHERE (key, name) IN \
                     (SELECT key, name FROM seen_request WHERE until <= ? LIMIT ?)";

/// Requests that are forgotten at once: with each heartbeat, some thousand a second.
const PRUNED: i64 = 8_192;
