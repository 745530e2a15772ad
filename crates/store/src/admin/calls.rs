//! Calls as an operator looks them up.

use base::fact::Entry;
use base::id::CallId;
use base::number::E164;
use base::record::CallRecord;
use base::time::Timestamp;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Admin, AdminFault, reading};
use crate::entities::{entry, open_call, record};
use crate::fault::StoreFault;
use crate::outbox::call_id;

impl Admin {
    /// The record of a call that is over; `None` while it runs, and for a call that never was.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn record(&self, call: CallId) -> Result<Option<CallRecord>, AdminFault> {
        self.record_row(call).await?.map(|row| read_record(&row)).transpose()
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
        self.entry_rows(call).await?.iter().map(read_entry).collect()
    }

    /// The entries of a call by the list in its record; those of an open call are searched from its acceptance on.
    pub(super) async fn entry_rows(&self, call: CallId) -> Result<Vec<entry::Model>, AdminFault> {
        let of_call = Condition::all().add(entry::Column::Call.eq(call.to_bytes().to_vec()));
        let places = match self.record_row(call).await? {
            Some(row) => of_call.add(entry::Column::Id.is_in(numbers(&row.entries)?)),
            None => {
                let open = open_call::Entity::find_by_id(call.to_bytes().to_vec());
                let open = open.one(self.store.read()).await.map_err(reading())?;
                let Some(open) = open else { return Ok(Vec::new()) };
                let listed = entry::Column::Id.is_in(numbers(&open.entries)?);
                of_call.add(Condition::any().add(listed).add(entry::Column::Id.gt(open.after)))
            }
        };
        let rows = entry::Entity::find().filter(places).order_by_asc(entry::Column::Id);
        Ok(rows.all(self.store.read()).await.map_err(reading())?)
    }

    async fn record_row(&self, call: CallId) -> Result<Option<record::Model>, AdminFault> {
        let query = record::Entity::find_by_id(call.to_bytes().to_vec());
        Ok(query.one(self.store.read()).await.map_err(reading())?)
    }

    /// Ids begin with the time of the call, so their order is the order of calls.
    async fn latest(&self, of: Option<Condition>, limit: u64) -> Result<Vec<CallRecord>, AdminFault> {
        let query = record::Entity::find().filter(of.unwrap_or_else(Condition::all));
        let query = query.order_by_desc(record::Column::Call).limit(limit);
        let rows = query.all(self.store.read()).await.map_err(reading())?;
        rows.iter().map(read_record).collect()
    }
}

fn numbers(list: &str) -> Result<Vec<i64>, AdminFault> {
    Ok(serde_json::from_str(list).map_err(StoreFault::unreadable("the list of a call's entries"))?)
}

fn read_record(row: &record::Model) -> Result<CallRecord, AdminFault> {
    Ok(serde_json::from_str(&row.record).map_err(StoreFault::unreadable("the record of a call"))?)
}

fn read_entry(row: &entry::Model) -> Result<Entry, AdminFault> {
    let damaged = || StoreFault::damaged(format!("entry {}", row.id));
    Ok(Entry {
        call: call_id(&row.call).ok_or_else(damaged)?,
        seq: u32::try_from(row.seq).map_err(|_| damaged())?,
        at: Timestamp::from_micros(row.at),
        fact: serde_json::from_str(&row.fact).map_err(StoreFault::unreadable(format!("entry {}", row.id)))?,
    })
}
