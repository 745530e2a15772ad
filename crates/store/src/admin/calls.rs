//! Calls as an operator looks them up.

use std::ops::RangeInclusive;

use base::call::Call;
use base::fact::{Entry, Fact};
use base::id::CallId;
use base::number::E164;
use base::record::CallRecord;
use base::time::Timestamp;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Admin, AdminFault, CallPick, reading};
use crate::entities::{entry, open_call, record};
use crate::fault::StoreFault;
use crate::outbox::call_id;

/// All that is known of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct CallView {
    /// Its record; `None` while it runs.
    pub record: Option<CallRecord>,
    /// Its entries, in order; at least the acceptance.
    pub entries: Vec<Entry>,
}

impl Admin {
    /// All that is known of a call.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] for a call that never was, or that is forgotten by now.
    pub async fn call(&self, id: CallId) -> Result<CallView, AdminFault> {
        let (record, entries) = (self.record(id).await?, self.entries(id).await?);
        if entries.is_empty() {
            let hint = "calls are kept for some weeks; search them by number or time";
            return Err(AdminFault::Unknown { what: "call", name: id.to_string().into(), hint });
        }
        Ok(CallView { record, entries })
    }

    /// The call of which only a part of its id is known: the first in that range, running or over; `None` when there is
    /// none.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn find_call(&self, ids: &RangeInclusive<CallId>) -> Result<Option<CallId>, AdminFault> {
        let (first, last) = (ids.start().to_bytes().to_vec(), ids.end().to_bytes().to_vec());
        let over = record::Entity::find()
            .select_only()
            .column(record::Column::Call)
            .filter(record::Column::Call.between(first.clone(), last.clone()))
            .order_by_asc(record::Column::Call)
            .limit(1)
            .into_tuple::<Vec<u8>>();
        let open = open_call::Entity::find()
            .select_only()
            .column(open_call::Column::Call)
            .filter(open_call::Column::Call.between(first, last))
            .order_by_asc(open_call::Column::Call)
            .limit(1)
            .into_tuple::<Vec<u8>>();
        // A call that ends in between is found among those that are over.
        let open = open.one(self.store.read()).await.map_err(reading())?;
        let over = over.one(self.store.read()).await.map_err(reading())?;
        let damaged = || StoreFault::damaged("the id of a call");
        Ok(open.into_iter().chain(over).min().map(|call| call_id(&call).ok_or_else(damaged)).transpose()?)
    }

    /// Calls that are open, by age, from after one on; at most `limit`.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn open_calls_page(&self, after: Option<CallId>, limit: u64) -> Result<Vec<Call>, AdminFault> {
        let mut query = open_call::Entity::find();
        if let Some(after) = after {
            query = query.filter(open_call::Column::Call.gt(after.to_bytes().to_vec()));
        }
        let query = query.order_by_asc(open_call::Column::Call).limit(limit);
        let open = query.all(self.store.read()).await.map_err(reading())?;
        // The acceptance is the first entry, listed or not.
        let first =
            |row: &open_call::Model| Ok(numbers(&row.entries)?.first().copied().unwrap_or(row.after + 1));
        let acceptances = open.iter().map(first).collect::<Result<Vec<_>, AdminFault>>()?;
        let rows = entry::Entity::find().filter(entry::Column::Id.is_in(acceptances));
        let rows = rows.all(self.store.read()).await.map_err(reading())?;
        let entries = rows.iter().map(read_entry).collect::<Result<Vec<_>, _>>()?;
        let accepted = |entry: Entry| match entry.fact {
            Fact::Accepted(call) => Some(*call),
            _ => None,
        };
        let mut calls: Vec<Call> = entries.into_iter().filter_map(accepted).collect();
        calls.sort_unstable_by_key(|call| call.id);
        Ok(calls)
    }

    /// The record of a call that is over; `None` while it runs, and for a call that never was.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn record(&self, call: CallId) -> Result<Option<CallRecord>, AdminFault> {
        self.record_row(call).await?.map(|row| read_record(&row.record)).transpose()
    }

    /// The records of calls in which the number was dialled or shown, latest first.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn records_of(&self, number: &E164, limit: u64) -> Result<Vec<CallRecord>, AdminFault> {
        let pick = CallPick { number: Some(number.clone()), ..CallPick::default() };
        self.records_page(&pick, None, limit).await
    }

    /// The latest records.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn latest_records(&self, limit: u64) -> Result<Vec<CallRecord>, AdminFault> {
        self.records_page(&CallPick::default(), None, limit).await
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
        let open = open_call::Entity::find_by_id(call.to_bytes().to_vec());
        let open = open.one(self.store.read()).await.map_err(reading())?;
        // Asked for after the open call: one that ends in between is found in both, and never in neither.
        let places = match (self.record_row(call).await?, open) {
            (Some(row), _) => of_call.add(entry::Column::Id.is_in(numbers(&row.entries)?)),
            (None, Some(open)) => {
                let listed = entry::Column::Id.is_in(numbers(&open.entries)?);
                of_call.add(Condition::any().add(listed).add(entry::Column::Id.gt(open.after)))
            }
            (None, None) => return Ok(Vec::new()),
        };
        let rows = entry::Entity::find().filter(places).order_by_asc(entry::Column::Id);
        Ok(rows.all(self.store.read()).await.map_err(reading())?)
    }

    async fn record_row(&self, call: CallId) -> Result<Option<record::Model>, AdminFault> {
        let query = record::Entity::find_by_id(call.to_bytes().to_vec());
        Ok(query.one(self.store.read()).await.map_err(reading())?)
    }
}

pub(super) fn numbers(list: &str) -> Result<Vec<i64>, AdminFault> {
    Ok(serde_json::from_str(list).map_err(StoreFault::unreadable("the list of a call's entries"))?)
}

pub(super) fn read_record(record: &str) -> Result<CallRecord, AdminFault> {
    Ok(serde_json::from_str(record).map_err(StoreFault::unreadable("the record of a call"))?)
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
