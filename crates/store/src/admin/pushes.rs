//! Pushes as an operator looks them up, and sends them again.

use std::time::Duration;

use base::id::CallId;
use base::time::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::{Admin, AdminFault, changing, reading};
use crate::entities::{attempt, entry, push};
use crate::fault::StoreFault;
use crate::outbox::{self, PushNo, PushState, Waiting};

/// Which pushes to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushPick {
    /// Those of one call, whatever their state.
    Of(CallId),
    /// Those in one state.
    In(PushState),
}

/// A push in a list.
#[derive(Clone, Debug)]
pub struct PushLine {
    /// The push. Its `due_at` is when it was settled, once it is.
    pub push: Waiting,
    /// Where it stands.
    pub state: PushState,
    /// What went wrong at the last attempt that failed; `None` when none did, or when it was delivered after all.
    pub outcome: Option<Box<str>>,
}

/// An attempt of a push that failed. Of the one that succeeds, the push itself tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptLine {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What went wrong.
    pub outcome: Box<str>,
    /// The request as it was sent, without its signature; cut when it is long.
    pub request: Option<Box<str>>,
    /// What the receiver answered, if anything; cut when it is long.
    pub answer: Option<Box<str>>,
}

impl Admin {
    /// Lists pushes, in order; at most `limit`.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn pushes(&self, pick: PushPick, limit: u64) -> Result<Vec<PushLine>, AdminFault> {
        let picked = match pick {
            PushPick::Of(call) => {
                let follow = |row: entry::Model| row.push..row.push + row.pushes;
                let numbers = self.entry_rows(call).await?.into_iter().flat_map(follow);
                push::Column::Id.is_in(numbers)
            }
            PushPick::In(state) => outbox::is(state),
        };
        let rows = push::Entity::find().filter(picked).order_by_asc(push::Column::Id).limit(limit);
        let rows = rows.all(self.store.read()).await.map_err(reading())?;
        self.push_lines(rows).await
    }

    /// One push.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`].
    pub async fn push(&self, push: PushNo) -> Result<PushLine, AdminFault> {
        let row = push::Entity::find_by_id(push.0).one(self.store.read()).await.map_err(reading())?;
        let hint = "list the pushes of its call";
        let unknown = || AdminFault::Unknown { what: "push", name: push.0.to_string().into(), hint };
        let lines = self.push_lines(vec![row.ok_or_else(unknown)?]).await?;
        lines.into_iter().next().ok_or_else(unknown)
    }

    pub(super) async fn push_lines(&self, rows: Vec<push::Model>) -> Result<Vec<PushLine>, AdminFault> {
        let states: Vec<_> = rows.iter().map(|row| (row.state, row.outcome.clone())).collect();
        let pushes = outbox::read(rows, self.store.read()).await?;
        let line = |(push, (state, outcome)): (Result<Waiting, StoreFault>, (i16, Option<String>))| {
            let push = push?;
            let damaged = || StoreFault::damaged(format!("push {}", push.id.0));
            let state = PushState::from_number(state).ok_or_else(damaged)?;
            Ok(PushLine { push, state, outcome: outcome.map(Into::into) })
        };
        pushes.into_iter().zip(states).map(line).collect()
    }

    /// The attempts of a push that failed, in order: those of the message that it travels in.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn attempts(&self, push: PushNo) -> Result<Vec<AttemptLine>, AdminFault> {
        let row = push::Entity::find_by_id(push.0).one(self.store.read()).await.map_err(reading())?;
        let Some(message) = row.and_then(|row| row.message) else { return Ok(Vec::new()) };
        let rows = attempt::Entity::find()
            .filter(attempt::Column::Message.eq(message))
            .order_by_asc(attempt::Column::At)
            .all(self.store.read())
            .await
            .map_err(reading())?;
        let line = |row: attempt::Model| AttemptLine {
            at: Timestamp::from_micros(row.at),
            took: Duration::from_millis(u64::try_from(row.took_millis).unwrap_or(0)),
            outcome: row.outcome.into(),
            request: row.request.map(Into::into),
            answer: row.answer.map(Into::into),
        };
        Ok(rows.into_iter().map(line).collect())
    }

    /// Has a push sent again, with all its attempts before it and with those that share its message. It keeps its
    /// number; a running server sends it within a few seconds. Gives how many pushes that concerns.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such push, or when it is on its way anyway.
    pub async fn redeliver(&self, push: PushNo, now: Timestamp) -> Result<u64, AdminFault> {
        let unknown = || AdminFault::Unknown {
            what: "parked or delivered push",
            name: push.0.to_string().into(),
            hint: "list the parked pushes, or those of the call; one that still waits is sent by itself",
        };
        let (_baton, transaction) = self.begin().await?;
        let row = push::Entity::find_by_id(push.0).one(&transaction).await.map_err(reading())?;
        let row = row.ok_or_else(unknown)?;
        let messages: Vec<i64> = row.message.into_iter().collect();
        let sent = send_again(&transaction, &[push.0], &messages, now).await?;
        transaction.commit().await.map_err(changing())?;
        if sent == 0 { Err(unknown()) } else { Ok(sent) }
    }
}

/// Sends pushes again that are settled, and those that share their messages. Gives how many that concerns.
pub(super) async fn send_again(
    transaction: &DatabaseTransaction,
    pushes: &[i64],
    messages: &[i64],
    now: Timestamp,
) -> Result<u64, AdminFault> {
    let settled = [PushState::Parked.number(), PushState::Delivered.number()];
    let together = Condition::any()
        .add(push::Column::Id.is_in(pushes.iter().copied()))
        .add(push::Column::Message.is_in(messages.iter().copied()));
    let sent = push::Entity::update_many()
        .col_expr(push::Column::State, Expr::value(PushState::Deferred.number()))
        .col_expr(push::Column::At, Expr::value((now + NOTICE).micros()))
        .col_expr(push::Column::Attempts, Expr::value(0))
        .filter(together)
        .filter(push::Column::State.is_in(settled))
        .exec(transaction)
        .await
        .map_err(changing())?;
    Ok(sent.rows_affected)
}

/// A server reads due pushes in the order of their times: a push that falls due a moment ahead is never behind it.
const NOTICE: Duration = Duration::from_secs(2);
