//! Pushes that are owed, from the commit that made them to the verdict that settles them.
//!
//! ```text
//! (commit) ─▶ Fresh ─▶ Delivered
//!               │ ▲──────── redeliver ────────┐
//!               ├────▶ Deferred (until due) ──┤
//!               └────▶ Parked ────────────────┘
//! ```
//!
//! What was committed a moment ago is handed over in memory; everything else is read from the database by pages, so
//! that memory is bounded however long a receiver is away. Nothing that is still to be sent is ever deleted.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::id::CallId;
use base::private::Private;
use base::record::CallRecord;
use base::row::{Channel, Row};
use base::time::Timestamp;
use rusqlite::{Transaction, params};
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder,
    QueryResult, QuerySelect, Statement,
};
use tokio::sync::Notify;

use crate::entities::push::{Column, Entity, Model};
use crate::entities::record;
use crate::fault::StoreFault;
use crate::store::Store;

/// The number of a push; it never changes, and the pushes of a lane count up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PushNo(pub i64);

/// A push that is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its number.
    pub id: PushNo,
    /// The call it tells of.
    pub call: CallId,
    /// With the call: the lane whose order it keeps.
    pub channel: Channel,
    /// The dialect that words it.
    pub dialect: Box<str>,
    /// The key that signs it.
    pub key: Box<str>,
    /// The host that it goes to.
    pub host: Box<str>,
    /// The message that its earlier attempts travelled in, once there was one that failed.
    pub message: Option<PushNo>,
    /// What it tells.
    pub row: Row,
    /// How many attempts have failed so far.
    pub attempts: u32,
    /// When it fell due, or will.
    pub due_at: Timestamp,
}

/// Where a push stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushState {
    /// Not tried yet.
    Fresh,
    /// To be tried again at a known time.
    Deferred,
    /// The receiver has it.
    Delivered,
    /// Given up, kept, and sent again when somebody asks for it.
    Parked,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The push.
    pub id: PushNo,
    /// When the attempt began.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What came of it.
    pub outcome: Outcome,
    /// What was sent and answered, when it failed: told with the first push of a message, and kept once for all of them.
    pub exchange: Option<Exchange>,
}

/// An attempt as an operator sees it: texts like those on the wire, without signatures, cut when they are long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Address, headers and body of the request.
    pub request: Private<Box<str>>,
    /// Status and body of the answer, if there was one.
    pub answer: Option<Private<Box<str>>>,
}

/// How a push goes on after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Delivered,
    /// It failed, and will be tried again in the same message.
    Again {
        /// When.
        due: Timestamp,
        /// The message that it travelled in.
        message: PushNo,
        /// What went wrong, without anything that the receiver wrote.
        why: Box<str>,
    },
    /// It failed for the last time.
    Parked {
        /// The message that it travelled in.
        message: PushNo,
        /// What went wrong, without anything that the receiver wrote.
        why: Box<str>,
    },
    /// Its receiver was away for as long as it is tried, so it is parked; this is no attempt.
    GivenUp {
        /// What went wrong, without anything that the receiver wrote.
        why: Box<str>,
    },
    /// There was no room to try it, its host rests, or one before it must be tried first; this is no attempt.
    Postponed {
        /// When to try it instead.
        due: Timestamp,
    },
}

/// The way from the journal to delivery. Clones share everything.
#[derive(Clone)]
pub struct Outbox {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    tail: Mutex<Tail>,
    committed: Notify,
}

/// What was committed since it was last taken.
#[derive(Default)]
struct Tail {
    pushes: VecDeque<Waiting>,
    overflowed: bool,
}

/// Pushes that were committed since the last time, in order.
#[derive(Debug)]
pub struct Fresh {
    /// The pushes.
    pub pushes: VecDeque<Waiting>,
    /// Whether some are missing, from before the start or because nobody took them in time: they must be read from
    /// the database.
    pub overflowed: bool,
}

/// Pushes of one host as the database knows them, in order.
#[derive(Debug)]
pub struct Page {
    /// The pushes.
    pub pushes: Vec<Waiting>,
    /// The last push that was read; the next page begins after it.
    pub reached: PushNo,
    /// Whether there may be more. When not, everything that was committed before the reading began was read.
    pub full: bool,
}

/// The place after which due pushes are still to be read. It starts at the beginning of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueCursor(Timestamp, PushNo);

impl Outbox {
    pub(crate) fn new(store: &Store) -> Self {
        // Nobody has read yet what is owed from before.
        let tail = Mutex::new(Tail { overflowed: true, ..Tail::default() });
        Self { shared: Arc::new(Shared { store: store.clone(), tail, committed: Notify::new() }) }
    }

    /// Waits until something was committed since the last call of [`Self::take_fresh`].
    pub async fn committed(&self) {
        self.shared.committed.notified().await;
    }

    /// Takes what was committed since the last time.
    pub fn take_fresh(&self) -> Fresh {
        let mut tail = self.tail();
        let overflowed = std::mem::take(&mut tail.overflowed);
        Fresh { pushes: std::mem::take(&mut tail.pushes), overflowed }
    }

    /// The hosts that fresh pushes go to.
    ///
    /// # Errors
    /// [`StoreFault`] when the database cannot be read.
    pub async fn hosts(&self) -> Result<Vec<String>, StoreFault> {
        Entity::find()
            .select_only()
            .column(Column::Host)
            .filter(is(PushState::Fresh))
            .distinct()
            .into_tuple()
            .all(self.shared.store.read())
            .await
            .map_err(StoreFault::of_database("read the outbox of"))
    }

    /// Reads the next fresh pushes of a host, at most `limit`.
    ///
    /// # Errors
    /// [`StoreFault`] when the database cannot be read.
    pub async fn page(&self, host: &str, after: PushNo, limit: usize) -> Result<Page, StoreFault> {
        let rows = Entity::find()
            .filter(is(PushState::Fresh))
            .filter(Column::Host.eq(host))
            .filter(Column::Id.gt(after.0))
            .order_by_asc(Column::Id)
            .limit(rows(limit))
            .all(self.shared.store.read())
            .await
            .map_err(StoreFault::of_database("read the outbox of"))?;
        let full = rows.len() >= limit;
        let reached = rows.last().map_or(after, |row| PushNo(row.id));
        let pushes = readable(read(rows, self.shared.store.read()).await?);
        Ok(Page { pushes, reached, full })
    }

    /// Reads deferred pushes that are due, at most `limit`. A page may end in the middle of a message: read what is
    /// repeated with [`Self::of_messages`].
    ///
    /// # Errors
    /// [`StoreFault`] when the database cannot be read.
    pub async fn due(
        &self,
        now: Timestamp,
        after: DueCursor,
        limit: usize,
    ) -> Result<(Vec<Waiting>, DueCursor), StoreFault> {
        let DueCursor(at, id) = after;
        let later_at_once = Condition::all().add(Column::At.eq(at.micros())).add(Column::Id.gt(id.0));
        let rows = Entity::find()
            .filter(is(PushState::Deferred))
            .filter(Condition::any().add(Column::At.gt(at.micros())).add(later_at_once))
            .filter(Column::At.lte(now.micros()))
            .order_by_asc(Column::At)
            .order_by_asc(Column::Id)
            .limit(rows(limit))
            .all(self.shared.store.read())
            .await
            .map_err(StoreFault::of_database("read the outbox of"))?;
        let cursor =
            rows.last().map_or(after, |row| DueCursor(Timestamp::from_micros(row.at), PushNo(row.id)));
        Ok((readable(read(rows, self.shared.store.read()).await?), cursor))
    }

    /// All pushes of these messages that are still to be sent, in order, whether they are due or not. A message that is
    /// repeated holds what it held before, so read them together.
    ///
    /// # Errors
    /// [`StoreFault`] when the database cannot be read.
    pub async fn of_messages(
        &self,
        messages: impl IntoIterator<Item = PushNo>,
    ) -> Result<Vec<Waiting>, StoreFault> {
        let rows = Entity::find()
            .filter(is(PushState::Deferred))
            .filter(Column::Message.is_in(messages.into_iter().map(|message| message.0)))
            .order_by_asc(Column::Id)
            .all(self.shared.store.read())
            .await
            .map_err(StoreFault::of_database("read the outbox of"))?;
        Ok(readable(read(rows, self.shared.store.read()).await?))
    }

    /// Which of these status pushes must wait for an earlier one of their call that is deferred, and until when.
    ///
    /// # Errors
    /// [`StoreFault`] when the database cannot be read.
    pub async fn closed(
        &self,
        pushes: impl Iterator<Item = PushNo>,
        now: Timestamp,
    ) -> Result<HashMap<PushNo, Timestamp>, StoreFault> {
        let fault = || StoreFault::of_database("read the outbox of");
        let numbers: Vec<String> = pushes.map(|push| push.0.to_string()).collect();
        if numbers.is_empty() {
            return Ok(HashMap::new());
        }
        let connection = self.shared.store.read();
        let text = format!(
            "SELECT later.id, MAX(earlier.at) FROM push AS later JOIN push AS earlier ON earlier.state = {} \
             AND earlier.call = later.call AND earlier.channel = later.channel AND earlier.id < later.id \
             AND (earlier.at > later.at OR earlier.at > {}) WHERE later.id IN ({}) AND later.channel = {} GROUP BY later.id",
            PushState::Deferred.number(),
            now.micros(),
            numbers.join(", "),
            channel_number(Channel::Status),
        );
        let query = Statement::from_string(connection.get_database_backend(), text);
        let rows = connection.query_all_raw(query).await.map_err(fault())?;
        let until = |row: &QueryResult| {
            let (id, at) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            Ok((PushNo(id), Timestamp::from_micros(at)))
        };
        rows.iter().map(until).collect::<Result<_, _>>().map_err(fault())
    }

    /// Hands committed pushes over. When nobody takes them, the oldest ones must be read from the database later.
    pub(crate) fn publish(&self, pushes: Vec<Waiting>) {
        if pushes.is_empty() {
            return;
        }
        let mut tail = self.tail();
        tail.pushes.extend(pushes);
        if tail.pushes.len() > TAIL {
            tail.pushes.clear();
            tail.overflowed = true;
        }
        drop(tail);
        self.shared.committed.notify_one();
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        // Nothing in here can be half changed by a panic.
        self.shared.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PushState {
    /// The number that is stored; partial indexes name it.
    pub(crate) const fn number(self) -> i16 {
        match self {
            Self::Fresh => 0,
            Self::Deferred => 1,
            Self::Delivered => 2,
            Self::Parked => 3,
        }
    }

    pub(crate) fn from_number(number: i16) -> Option<Self> {
        [Self::Fresh, Self::Deferred, Self::Delivered, Self::Parked]
            .into_iter()
            .find(|state| state.number() == number)
    }
}

/// The number of a channel that is stored.
pub(crate) const fn channel_number(channel: Channel) -> i16 {
    match channel {
        Channel::Status => 0,
        Channel::Fee => 1,
        Channel::Report => 2,
    }
}

pub(crate) fn channel_of(number: i16) -> Option<Channel> {
    let channels = [Channel::Status, Channel::Fee, Channel::Report];
    channels.into_iter().find(|channel| channel_number(*channel) == number)
}

/// What is stored of a row. Fee records and reports are the record of their call, which is not stored twice.
pub(crate) const fn stored(row: &Row) -> Option<&Row> {
    match row {
        Row::Status(_) => Some(row),
        Row::Fee(_) | Row::Report(_) => None,
    }
}

/// Reads pushes back, and the records that they tell of. One that cannot be read is told with its reason.
pub(crate) async fn read(
    rows: Vec<Model>,
    connection: &DatabaseConnection,
) -> Result<Vec<Result<Waiting, StoreFault>>, StoreFault> {
    let of_calls = rows.iter().filter(|row| row.row.is_none()).map(|row| row.call.clone());
    let records = record::Entity::find()
        .filter(record::Column::Call.is_in(of_calls))
        .all(connection)
        .await
        .map_err(StoreFault::of_database("read the records of"))?;
    let records: HashMap<Vec<u8>, String> = records.into_iter().map(|row| (row.call, row.record)).collect();
    Ok(rows.into_iter().map(|row| read_one(row, &records)).collect())
}

fn read_one(row: Model, records: &HashMap<Vec<u8>, String>) -> Result<Waiting, StoreFault> {
    let what = || format!("push {}", row.id);
    let damaged = || StoreFault::damaged(what());
    let channel = channel_of(row.channel).ok_or_else(damaged)?;
    let of_call = || {
        let record = records.get(&row.call).ok_or_else(damaged)?;
        let record: CallRecord = serde_json::from_str(record).map_err(StoreFault::unreadable(what()))?;
        Ok::<_, StoreFault>(Box::new(record))
    };
    let told = match (channel, &row.row) {
        (Channel::Status, Some(status)) => {
            serde_json::from_str(status).map_err(StoreFault::unreadable(what()))?
        }
        (Channel::Fee, _) => Row::Fee(of_call()?),
        (Channel::Report, _) => Row::Report(of_call()?),
        (Channel::Status, None) => return Err(damaged()),
    };
    Ok(Waiting {
        id: PushNo(row.id),
        call: call_id(&row.call).ok_or_else(damaged)?,
        channel,
        row: told,
        dialect: row.dialect.into(),
        key: row.key.into(),
        host: row.host.into(),
        message: row.message.map(PushNo),
        attempts: u32::try_from(row.attempts).unwrap_or(0),
        due_at: Timestamp::from_micros(row.at),
    })
}

/// The id in the 16 bytes of a row.
pub(crate) fn call_id(bytes: &[u8]) -> Option<CallId> {
    Some(CallId::from_bytes(bytes.try_into().ok()?))
}

/// Writes verdicts in the transaction of the journal's batch. Of attempts, only those that failed get a row of their
/// own, one for all pushes of the message: the pushes themselves tell of the one that succeeds.
///
/// Due pushes are read in the order of their times, on from the last that was read. One that would fall due while it is
/// being written would never be found again, so it falls due a little later.
pub(crate) fn settle(
    verdicts: &[Verdict],
    now: Timestamp,
    transaction: &Transaction<'_>,
) -> rusqlite::Result<()> {
    let soonest = now + AHEAD;
    let mut delivered = transaction.prepare_cached(DELIVERED)?;
    let mut failed = transaction.prepare_cached(FAILED)?;
    let mut attempt = transaction.prepare_cached(ATTEMPT)?;
    for Verdict { id, at, took, outcome, exchange } in verdicts {
        let (state, moved_at, message, why) = match outcome {
            Outcome::Delivered => {
                delivered.execute(params![at.micros(), id.0])?;
                continue;
            }
            Outcome::Postponed { due } => {
                let due = (*due).max(soonest);
                transaction.prepare_cached(POSTPONED)?.execute(params![due.micros(), id.0])?;
                continue;
            }
            Outcome::GivenUp { why } => {
                transaction.prepare_cached(GIVEN_UP)?.execute(params![at.micros(), &**why, id.0])?;
                continue;
            }
            Outcome::Again { due, message, why } => (PushState::Deferred, (*due).max(soonest), message, why),
            Outcome::Parked { message, why } => (PushState::Parked, *at, message, why),
        };
        failed.execute(params![state.number(), moved_at.micros(), message.0, &**why, id.0])?;
        let took_millis = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        let request = exchange.as_ref().map(|exchange| &**exchange.request.expose());
        let answer = exchange.as_ref().and_then(|exchange| exchange.answer.as_ref());
        let answer = answer.map(|answer| &**answer.expose());
        attempt.execute(params![message.0, at.micros(), took_millis, &**why, request, answer])?;
    }
    Ok(())
}

/// A row that cannot be read must not hold up those behind it; it stays where it is for somebody to look at.
fn readable(rows: Vec<Result<Waiting, StoreFault>>) -> Vec<Waiting> {
    let tell = |fault: &StoreFault| tracing::error!(%fault, "a push cannot be sent");
    rows.into_iter().filter_map(|row| row.inspect_err(tell).ok()).collect()
}

/// As a literal, because only then the database sees that the partial index answers the question.
pub(crate) fn is(state: PushState) -> SimpleExpr {
    Expr::cust(format!("state = {}", state.number()))
}

fn rows(limit: usize) -> u64 {
    u64::try_from(limit).unwrap_or(u64::MAX)
}

const DELIVERED: &str =
    "UPDATE push SET state = 2, attempts = attempts + 1, outcome = NULL, at = ? WHERE id = ?";

const FAILED: &str =
    "UPDATE push SET state = ?, attempts = attempts + 1, at = ?, message = ?, outcome = ? WHERE id = ?";

const GIVEN_UP: &str = "UPDATE push SET state = 3, at = ?, outcome = ? WHERE id = ?";

const POSTPONED: &str = "UPDATE push SET state = 1, at = ? WHERE id = ?";

const ATTEMPT: &str = "INSERT INTO attempt (message, at, took_millis, outcome, request, answer) \
                       VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";

/// How far ahead of its writing a push falls due at the earliest: longer than a disk takes, even on a bad day.
const AHEAD: Duration = Duration::from_secs(3);

/// Pushes that are kept in memory for a delivery that is behind; about 8 MB.
const TAIL: usize = 8_192;
