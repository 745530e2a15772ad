//! Recordings of calls. Their files lie elsewhere; what is known of them is in the records.

use std::time::Duration;

use base::id::{AppId, CallId};
use base::record::Recording;
use base::time::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::calls::read_record;
use super::{Admin, AdminFault, changing, reading};
use crate::entities::{app, record};
use crate::fault::StoreFault;
use crate::outbox::call_id;

/// What is known of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptRecording {
    /// The app whose call it is of.
    pub app: AppId,
    /// When it begins, and how long it is.
    pub recording: Recording,
    /// Until when it is given out: as many days after the call as its app says, or else as long as the platform keeps
    /// recordings. `None` when its file was removed.
    pub until: Option<Timestamp>,
}

impl Admin {
    /// The recording of a call; `None` when there is none, or never was such a call. `kept` is how long the platform keeps
    /// those of apps that say nothing.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn recording(&self, call: CallId, kept: Duration) -> Result<Option<KeptRecording>, AdminFault> {
        let row = record::Entity::find_by_id(call.to_bytes().to_vec());
        let Some(row) = row.one(self.store.read()).await.map_err(reading())? else { return Ok(None) };
        let owner = app::Entity::find_by_id(row.app_id).one(self.store.read()).await.map_err(reading())?;
        let kept = own_time(owner.and_then(|owner| owner.recording_days)).unwrap_or(kept);
        let until = (row.recording == KEPT).then(|| Timestamp::from_micros(row.ended_at) + kept);
        let known = |recording| KeptRecording { app: AppId(row.app_id), recording, until };
        Ok(read_record(&row.record)?.recording.map(known))
    }

    /// Calls whose recordings have been kept for long enough: as many days as their app says, or else `kept`; at most
    /// `limit`. Remove the files, then say so with [`Self::recordings_removed`].
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn recordings_over(
        &self,
        kept: Duration,
        now: Timestamp,
        limit: u64,
    ) -> Result<Vec<CallId>, AdminFault> {
        let apps =
            app::Entity::find().select_only().column(app::Column::Id).column(app::Column::RecordingDays);
        let apps: Vec<(i64, Option<i64>)> =
            apps.into_tuple().all(self.store.read()).await.map_err(reading())?;
        let mut over = Vec::new();
        for (app, own) in apps {
            let left = limit.saturating_sub(u64::try_from(over.len()).unwrap_or(u64::MAX));
            if left == 0 {
                break;
            }
            let kept = own_time(own).unwrap_or(kept);
            over.extend(self.recordings_before(app, now - kept, left).await?);
        }
        Ok(over)
    }

    /// Notes that the files of recordings are removed.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn recordings_removed(&self, calls: &[CallId]) -> Result<(), AdminFault> {
        let (_baton, connection) = self.store.write().await;
        record::Entity::update_many()
            .col_expr(record::Column::Recording, Expr::value(REMOVED))
            .filter(record::Column::Call.is_in(calls.iter().map(|call| call.to_bytes().to_vec())))
            .exec(connection)
            .await
            .map_err(changing())?;
        Ok(())
    }

    async fn recordings_before(
        &self,
        app: i64,
        before: Timestamp,
        limit: u64,
    ) -> Result<Vec<CallId>, AdminFault> {
        let calls: Vec<Vec<u8>> = record::Entity::find()
            .select_only()
            .column(record::Column::Call)
            .filter(record::Column::AppId.eq(app))
            // As a literal, because only then the database sees that the partial index answers the question.
            .filter(Expr::cust("recording = 1"))
            .filter(record::Column::Call.lt(CallId::new(before, 0).to_bytes().to_vec()))
            .filter(record::Column::EndedAt.lt(before.micros()))
            .order_by_asc(record::Column::Call)
            .limit(limit)
            .into_tuple()
            .all(self.store.read())
            .await
            .map_err(reading())?;
        let damaged = || StoreFault::damaged("the id of a call");
        Ok(calls.iter().map(|call| call_id(call).ok_or_else(damaged)).collect::<Result<_, _>>()?)
    }
}

/// How long an app wants its recordings to be kept.
fn own_time(days: Option<i64>) -> Option<Duration> {
    days.and_then(|days| u32::try_from(days).ok()).map(|days| days * DAY)
}

/// A record whose recording is in its file.
const KEPT: i16 = 1;

/// A record whose recording was removed.
const REMOVED: i16 = 2;

const DAY: Duration = Duration::from_secs(24 * 3_600);
