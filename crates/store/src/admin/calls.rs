//! Calls as an operator looks them up.

use base::fact::Entry;
use base::id::CallId;
use base::number::E164;
use base::record::CallRecord;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Admin, AdminFault, reading};
use crate::entities::{entry, record};
use crate::fault::StoreFault;
use crate::recovery::read_entry;

impl Admin {
    /// The record of a call that is over; `None` while it runs, and for a call that never was.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn record(&self, call: CallId) -> Result<Option<CallRecord>, AdminFault> {
        let query = record::Entity::find_by_id(call.to_bytes().to_vec());
        let row = query.one(self.store.read()).await.map_err(reading())?;
        row.map(read).transpose()
    }

    /// The records of calls in which the number was dialled, latest first.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn records_of(&self, number: &E164, limit: u64) -> Result<Vec<CallRecord>, AdminFault> {
        let dialled = Condition::any()
            .add(record::Column::DialledA.eq(number.as_str()))
            .add(record::Column::DialledB.eq(number.as_str()));
        self.latest(Some(dialled), limit).await
    }

    /// The latest records.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn latest_records(&self, limit: u64) -> Result<Vec<CallRecord>, AdminFault> {
        self.latest(None, limit).await
    }

    /// All entries of a call, in order; empty for a call that never was.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn entries(&self, call: CallId) -> Result<Vec<Entry>, AdminFault> {
        let rows = entry::Entity::find()
            .filter(entry::Column::Call.eq(call.to_bytes().to_vec()))
            .order_by_asc(entry::Column::Seq)
            .all(self.store.read())
            .await
            .map_err(reading())?;
        Ok(rows.into_iter().map(read_entry).collect::<Result<_, _>>()?)
    }

    /// Ids begin with the time of the call, so their order is the order of calls.
    async fn latest(&self, of: Option<Condition>, limit: u64) -> Result<Vec<CallRecord>, AdminFault> {
        let query = record::Entity::find().filter(of.unwrap_or_else(Condition::all));
        let query = query.order_by_desc(record::Column::Call).limit(limit);
        let rows = query.all(self.store.read()).await.map_err(reading())?;
        rows.into_iter().map(read).collect()
    }
}

fn read(row: record::Model) -> Result<CallRecord, AdminFault> {
    Ok(serde_json::from_str(&row.record).map_err(StoreFault::unreadable("the record of a call"))?)
}
