//! Pushes of any number, searched and sent again a piece at a time.
//!
//! There is no index by app or channel: it would cost each push of each call something, for a search that is rare.
//! Instead a search looks at a bounded number of pushes, and says how far it came.

use std::ops::Range;
use std::time::Duration;

use base::id::{AppId, CallId};
use base::row::Channel;
use base::time::Timestamp;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QueryResult, QuerySelect,
    Statement,
};

use super::{Admin, AdminFault, PushLine, changing, reading};
use crate::entities::{api_key, entry, push};
use crate::outbox::{PushNo, PushState, channel_number};

/// Which pushes; every condition must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushFilter {
    /// Where they stand.
    pub state: Option<PushState>,
    /// Whose they are.
    pub app: Option<AppId>,
    /// What they tell.
    pub channel: Option<Channel>,
    /// Which call they tell of.
    pub call: Option<CallId>,
    /// The host that they go to: a name or an address, without a port.
    pub host: Option<Box<str>>,
    /// Only those that fell due, or were settled, at this moment or later.
    pub from: Option<Timestamp>,
    /// Only those that fell due, or were settled, before this moment.
    pub until: Option<Timestamp>,
    /// Only those of this number and later ones.
    pub first: Option<PushNo>,
    /// Only those of this number and earlier ones.
    pub last: Option<PushNo>,
}

/// A piece of a search.
#[derive(Clone, Debug)]
pub struct PushPage {
    /// What was found, latest first. It may be nothing although there is more.
    pub lines: Vec<PushLine>,
    /// Where the search goes on; `None` at its end.
    pub next: Option<PushNo>,
}

/// What came of sending pushes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redelivered {
    /// How many will be sent, with those that share a message with them.
    pub pushes: u64,
    /// Where to go on; `None` at the end.
    pub next: Option<PushNo>,
}

/// A push as far as it must be known to be picked.
struct Light {
    id: i64,
    key: String,
    channel: i16,
    host: String,
    state: i16,
    at: i64,
}

/// What a filter says of a push, besides its number.
struct Sieve {
    keys: Option<Vec<String>>,
    channel: Option<i16>,
    host: Option<Box<str>>,
    state: Option<i16>,
    times: Range<i64>,
}

impl Sieve {
    fn lets_through(&self, push: &Light) -> bool {
        self.keys.as_ref().is_none_or(|keys| keys.contains(&push.key))
            && self.channel.is_none_or(|channel| channel == push.channel)
            && self.host.as_deref().is_none_or(|host| host == push.host)
            && self.state.is_none_or(|state| state == push.state)
            && self.times.contains(&push.at)
    }
}

impl Admin {
    /// Searches pushes, latest first, from before one on; at most `limit`.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn pushes_page(
        &self,
        filter: &PushFilter,
        before: Option<PushNo>,
        limit: u64,
    ) -> Result<PushPage, AdminFault> {
        let (found, next) = self.find_pushes(filter, before, limit).await?;
        let rows = push::Entity::find().filter(push::Column::Id.is_in(found)).order_by_desc(push::Column::Id);
        let rows = rows.all(self.store.read()).await.map_err(reading())?;
        Ok(PushPage { lines: self.push_lines(rows).await?, next })
    }

    /// Has pushes sent again that were delivered or parked, latest first, from before one on; at most `limit` and those
    /// that share a message with them. Go on from where it says until it says nothing.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn redeliver_where(
        &self,
        filter: &PushFilter,
        before: Option<PushNo>,
        now: Timestamp,
        limit: u64,
    ) -> Result<Redelivered, AdminFault> {
        let (found, next) = self.find_pushes(filter, before, limit).await?;
        let mut messages: Vec<i64> = push::Entity::find()
            .select_only()
            .column(push::Column::Message)
            .filter(push::Column::Id.is_in(found.iter().copied()))
            .filter(push::Column::Message.is_not_null())
            .into_tuple()
            .all(self.store.read())
            .await
            .map_err(reading())?;
        messages.sort_unstable();
        messages.dedup();
        let (_baton, transaction) = self.begin().await?;
        let pushes = super::pushes::send_again(&transaction, &found, &messages, now).await?;
        transaction.commit().await.map_err(changing())?;
        Ok(Redelivered { pushes, next })
    }

    /// The numbers of pushes that are searched for, and where the search goes on.
    async fn find_pushes(
        &self,
        filter: &PushFilter,
        before: Option<PushNo>,
        limit: u64,
    ) -> Result<(Vec<i64>, Option<PushNo>), AdminFault> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let sieve = self.sieve(filter).await?;
        let mut range = self.range(filter, before).await?;
        let mut found = Vec::new();
        for _ in 0..WINDOWS {
            if range.is_empty() {
                return Ok((found, None));
            }
            let (window, reached) = self.window(filter, &range).await?;
            for push in window.iter().filter(|push| sieve.lets_through(push)) {
                if let Some(last) = found.last().filter(|_| found.len() >= limit) {
                    let next = Some(PushNo(*last));
                    return Ok((found, next));
                }
                found.push(push.id);
            }
            range.end = reached;
        }
        Ok((found, (!range.is_empty()).then_some(PushNo(range.end))))
    }

    async fn sieve(&self, filter: &PushFilter) -> Result<Sieve, AdminFault> {
        let keys = match filter.app {
            None => None,
            Some(app) => {
                let keys = api_key::Entity::find().select_only().column(api_key::Column::Id);
                let keys = keys.filter(api_key::Column::AppId.eq(app.0)).into_tuple();
                Some(keys.all(self.store.read()).await.map_err(reading())?)
            }
        };
        Ok(Sieve {
            keys,
            channel: filter.channel.map(channel_number),
            host: filter.host.clone(),
            state: filter.state.map(PushState::number),
            times: filter.from.map_or(i64::MIN, Timestamp::micros)
                ..filter.until.map_or(i64::MAX, Timestamp::micros),
        })
    }

    /// The numbers that a search can find at all.
    async fn range(&self, filter: &PushFilter, before: Option<PushNo>) -> Result<Range<i64>, AdminFault> {
        let last: Option<i64> = push::Entity::find()
            .select_only()
            .column(push::Column::Id)
            .order_by_desc(push::Column::Id)
            .limit(1)
            .into_tuple()
            .one(self.store.read())
            .await
            .map_err(reading())?;
        let mut range = filter.first.map_or(1, |first| first.0)..last.map_or(1, |last| last + 1);
        if let Some(last) = filter.last {
            range.end = range.end.min(last.0.saturating_add(1));
        }
        if let Some(from) = filter.from {
            range.start = range.start.max(self.first_push_since(from - OWED_FOR).await?);
        }
        if let Some(until) = filter.until {
            range.end = range.end.min(self.first_push_since(until + SLACK).await?);
        }
        if let Some(before) = before {
            range.end = range.end.min(before.0);
        }
        Ok(range)
    }

    /// The first push of the entries that were made about then: entries count up with time, so it is found by halving.
    async fn first_push_since(&self, at: Timestamp) -> Result<i64, AdminFault> {
        let from = |id: i64| {
            let query = entry::Entity::find().filter(entry::Column::Id.gte(id));
            let query = query.order_by_asc(entry::Column::Id).limit(1);
            async move { query.one(self.store.read()).await.map_err(reading()) }
        };
        let last = entry::Entity::find().order_by_desc(entry::Column::Id).limit(1);
        let last = last.one(self.store.read()).await.map_err(reading())?;
        let mut range = 1..last.map_or(1, |last| last.id + 1);
        while !range.is_empty() {
            let middle = range.start + (range.end - range.start) / 2;
            match from(middle).await? {
                Some(entry) if entry.at < at.micros() => range.start = entry.id + 1,
                Some(_) | None => range.end = middle,
            }
        }
        Ok(from(range.start).await?.map_or(i64::MAX, |entry| entry.push))
    }

    /// Some pushes of a range, from its end on, and how far that came.
    async fn window(&self, filter: &PushFilter, range: &Range<i64>) -> Result<(Vec<Light>, i64), AdminFault> {
        if let Some(call) = filter.call {
            let follow = |row: entry::Model| row.push..row.push + row.pushes;
            let of_call = self.entry_rows(call).await?.into_iter().flat_map(follow);
            let of_call: Vec<_> = of_call.filter(|id| range.contains(id)).map(|id| id.to_string()).collect();
            let window = self.light(&format!("id IN ({}) ORDER BY id DESC", of_call.join(", "))).await?;
            return Ok((window, range.start));
        }
        let Range { start, end } = *range;
        match filter.state {
            Some(state @ (PushState::Fresh | PushState::Deferred | PushState::Parked)) => {
                // The plus signs keep the database from walking through all pushes in search of these few.
                let id = if state == PushState::Parked { "id" } else { "+id" };
                let state = state.number();
                let places = format!("{id} >= {start} AND {id} < {end} ORDER BY {id} DESC LIMIT {WINDOW}");
                let window = self.light(&format!("state = {state} AND {places}")).await?;
                let full = i64::try_from(window.len()).unwrap_or(i64::MAX) >= WINDOW;
                let reached = window.last().filter(|_| full).map_or(start, |last| last.id);
                Ok((window, reached))
            }
            Some(PushState::Delivered) | None => {
                let reached = start.max(end - WINDOW);
                let window = self.light(&format!("id >= {reached} AND id < {end} ORDER BY id DESC")).await?;
                Ok((window, reached))
            }
        }
    }

    async fn light(&self, condition: &str) -> Result<Vec<Light>, AdminFault> {
        let connection = self.store.read();
        let text = format!("SELECT id, key, channel, host, state, at FROM push WHERE {condition}");
        let query = Statement::from_string(connection.get_database_backend(), text);
        let rows = connection.query_all_raw(query).await.map_err(reading())?;
        let light = |row: &QueryResult| {
            Ok(Light {
                id: row.try_get_by_index(0)?,
                key: row.try_get_by_index(1)?,
                channel: row.try_get_by_index(2)?,
                host: row.try_get_by_index(3)?,
                state: row.try_get_by_index(4)?,
                at: row.try_get_by_index(5)?,
            })
        };
        Ok(rows.iter().map(light).collect::<Result<_, DbErr>>().map_err(reading())?)
    }
}

/// Pushes that are looked at in one question.
const WINDOW: i64 = 2_000;

/// Questions of one search: it looks at some ten thousand pushes at most.
const WINDOWS: usize = 10;

/// How long after its entry a push is settled at the latest, if nobody has it sent again.
const OWED_FOR: Duration = Duration::from_secs(4 * 24 * 3_600);

/// How far from the order of time entries may be written.
const SLACK: Duration = Duration::from_secs(60);
