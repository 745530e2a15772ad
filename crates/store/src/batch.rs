//! What one transaction of the journal writes, and how.
//!
//! This is the one place that speaks SQL instead of SeaORM, because it runs for every fact of every call: see
//! [`Chunked`]. A batch can be written again after a failure: rows that are there already are left alone.

use std::sync::LazyLock;

use base::id::{AppId, CallId};
use base::record::CallRecord;
use base::time::Timestamp;
use sea_orm::sqlx::{self, SqliteConnection};

use crate::fault::StoreFault;
use crate::outbox::{self, PushState, Verdict, Waiting, channel_number};
use crate::sql::{Chunked, Values};

/// Rows of one transaction, gathered before the database is touched.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) calls: Vec<CallRow>,
    pub(crate) entries: Vec<EntryRow>,
    pub(crate) records: Vec<CallRecord>,
    pub(crate) pushes: Vec<Waiting>,
    pub(crate) verdicts: Vec<Verdict>,
}

/// A call that is being accepted.
pub(crate) struct CallRow {
    pub(crate) id: CallId,
    pub(crate) app: AppId,
    pub(crate) accepted_at: Timestamp,
}

/// An entry with its fact in the form that is stored.
pub(crate) struct EntryRow {
    pub(crate) call: CallId,
    pub(crate) seq: u32,
    pub(crate) at: Timestamp,
    pub(crate) fact: String,
}

/// In whose name calls are accepted and closed.
pub(crate) struct Owner {
    pub(crate) node: Box<str>,
    pub(crate) epoch: i64,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
            && self.entries.is_empty()
            && self.records.is_empty()
            && self.pushes.is_empty()
            && self.verdicts.is_empty()
    }

    /// Writes everything in one transaction, with one flush to the disk, or nothing.
    ///
    /// # Errors
    /// [`StoreFault::ClosedBefore`] when a call that shall be closed is not open, and whatever the database says.
    pub(crate) async fn commit(
        &self,
        owner: &Owner,
        heartbeat: Option<Timestamp>,
        connection: &mut SqliteConnection,
    ) -> Result<(), StoreFault> {
        let fault = || StoreFault::of_driver("write a batch of the journal to");
        // IMMEDIATE takes the write lock first, so that no statement of ours can fail for want of it half way.
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await.map_err(fault())?;
        let written = match self.write(owner, heartbeat, connection).await {
            Ok(()) => sqlx::query("COMMIT").execute(&mut *connection).await.map(drop).map_err(fault()),
            Err(fault) => Err(fault),
        };
        if written.is_err() {
            // After a failed COMMIT the transaction may be over already; then this says so and changes nothing.
            let rolled_back = sqlx::query("ROLLBACK").execute(&mut *connection).await;
            tracing::debug!(ok = rolled_back.is_ok(), "rolled a batch of the journal back");
        }
        written
    }

    async fn write(
        &self,
        owner: &Owner,
        heartbeat: Option<Timestamp>,
        connection: &mut SqliteConnection,
    ) -> Result<(), StoreFault> {
        self.close(connection).await?;
        self.write_rows(owner, connection)
            .await
            .map_err(StoreFault::of_driver("write a batch of the journal to"))?;
        if let Some(at) = heartbeat {
            sqlx::query("UPDATE node SET heartbeat_at = ? WHERE name = ? AND epoch = ?")
                .bind(at.micros())
                .bind(&*owner.node)
                .bind(owner.epoch)
                .execute(&mut *connection)
                .await
                .map_err(StoreFault::of_driver("write a heartbeat to"))?;
        }
        Ok(())
    }

    /// Closes the calls whose records are here. Exactly those must have been open, or nothing is written: this
    /// and the record's primary key are the two guards of "exactly one record a call".
    async fn close(&self, connection: &mut SqliteConnection) -> Result<(), StoreFault> {
        let fault = || StoreFault::of_driver("close calls in");
        let bind = |record: &CallRecord, values: &mut Values| {
            values.add(record.call.id.to_bytes().to_vec());
        };
        let closed = CLOSE.run(connection, &[], &self.records, bind).await.map_err(fault())?;
        if usize::try_from(closed) == Ok(self.records.len()) {
            return Ok(());
        }
        // Which one was it? The update of this transaction is not seen in the records yet.
        for record in &self.records {
            let call = record.call.id;
            let query = sqlx::query("SELECT 1 FROM record WHERE call = ?").bind(call.to_bytes().to_vec());
            if query.fetch_optional(&mut *connection).await.map_err(fault())?.is_some() {
                return Err(StoreFault::ClosedBefore { call });
            }
        }
        Err(StoreFault::damaged("a call that is to be closed"))
    }

    async fn write_rows(&self, owner: &Owner, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        CALL.run(connection, &[], &self.calls, |call, values| {
            values.add(call.id.to_bytes().to_vec());
            values.add(owner.node.to_string());
            values.add(owner.epoch);
            values.add(call.app.0);
            values.add(call.accepted_at.micros());
        })
        .await?;
        ENTRY
            .run(connection, &[], &self.entries, |entry, values| {
                values.add(entry.call.to_bytes().to_vec());
                values.add(i64::from(entry.seq));
                values.add(entry.at.micros());
                values.add(entry.fact.clone());
            })
            .await?;
        RECORD
            .run(connection, &[], &self.records, |record, values| {
                let dialled =
                    |leg| record.call.numbers(leg).map(|numbers| numbers.dialled.as_str().to_owned());
                values.add(record.call.id.to_bytes().to_vec());
                values.add(record.call.app.0);
                values.add(record.ended_at.micros());
                values.add(dialled(base::id::Leg::A).unwrap_or_default());
                values.add(dialled(base::id::Leg::B));
                values.add(json(record));
            })
            .await?;
        PUSH.run(connection, &[], &self.pushes, |push, values| {
            values.add(push.id.0);
            values.add(push.call.to_bytes().to_vec());
            values.add(channel_number(push.channel));
            values.add(push.dialect.to_string());
            values.add(push.key.to_string());
            values.add(push.host.to_string());
            values.add(json(&push.row));
            values.add(PushState::Fresh.number());
            values.add(push.due_at.micros());
        })
        .await?;
        outbox::settle(&self.verdicts, connection).await
    }

    /// Takes everything of a call out again.
    pub(crate) fn drop_call(&mut self, id: CallId) {
        self.calls.retain(|call| call.id != id);
        self.entries.retain(|entry| entry.call != id);
        self.records.retain(|record| record.call.id != id);
        self.pushes.retain(|push| push.call != id);
    }
}

/// Our own types always print as JSON: they have no maps with odd keys and no numbers that are not finite.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("our own types print as JSON")
}

static CALL: LazyLock<Chunked> = LazyLock::new(|| {
    Chunked::new(
        "INSERT INTO call (id, node, epoch, app_id, accepted_at, open) VALUES",
        "(?,?,?,?,?,TRUE)",
        "ON CONFLICT DO NOTHING",
    )
});

static ENTRY: LazyLock<Chunked> = LazyLock::new(|| {
    Chunked::new("INSERT INTO entry (call, seq, at, fact) VALUES", "(?,?,?,?)", "ON CONFLICT DO NOTHING")
});

static RECORD: LazyLock<Chunked> = LazyLock::new(|| {
    Chunked::new(
        "INSERT INTO record (call, app_id, ended_at, dialled_a, dialled_b, record) VALUES",
        "(?,?,?,?,?,?)",
        "",
    )
});

static PUSH: LazyLock<Chunked> = LazyLock::new(|| {
    Chunked::new(
        "INSERT INTO push (id, call, channel, dialect, key, host, row, state, attempts, at) VALUES",
        "(?,?,?,?,?,?,?,?,0,?)",
        "ON CONFLICT DO NOTHING",
    )
});

static CLOSE: LazyLock<Chunked> =
    LazyLock::new(|| Chunked::new("UPDATE call SET open = FALSE WHERE open AND id IN (", "?", ")"));
