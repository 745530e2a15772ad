//! Pushes: what customers are told of their calls, whether they have it, and sending it again.

use std::sync::Arc;

use axum::extract::{Json, State};
use base::id::AppId;
use base::row::{Row, StatusKind};
use serde::{Deserialize, Serialize};
use store::PushNo;
use store::admin::{AttemptLine, PushFilter, PushLine};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::calls::condition;
use super::extract::{Body, Path, Query};
use crate::audit::Changed;
use crate::page::{Ask, Page, cursor};
use crate::parts::{Parts, Sessions};
use crate::problem::{Kind, Problem};
use crate::time::Time;
use crate::words::{Channel, PushState};

/// A push.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Push {
    /// Its number, which never changes.
    #[schema(minimum = 1)]
    id: i64,
    /// The call that it tells of.
    call: String,
    /// The id that the call's customer knows.
    session: String,
    /// Its kind.
    channel: Channel,
    /// What it tells.
    event: Event,
    /// Where it goes.
    #[schema(required)]
    url: Option<String>,
    /// The key that signs it.
    key: String,
    /// Where it stands.
    state: PushState,
    /// Attempts that failed so far.
    failed_attempts: u32,
    /// When it fell due or will; once it is settled, when that was.
    at: Time,
    /// What went wrong at the last attempt that failed; null when none did, or when it was delivered after all.
    #[schema(required)]
    outcome: Option<String>,
}

/// What a push tells.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// A party was dialled.
    Dialled,
    /// A party's telephone rings.
    Ringing,
    /// A party answered.
    Answered,
    /// Keys that were asked for have come.
    Collected,
    /// The call is over.
    Over,
    /// The fee record.
    Fee,
    /// The report of a call that is over.
    Report,
}

impl Push {
    fn of(line: PushLine, sessions: Sessions) -> Self {
        let PushLine { push, state, outcome } = line;
        let (event, node) = match &push.row {
            Row::Fee(record) => (Event::Fee, &record.call.node),
            Row::Report(record) => (Event::Report, &record.call.node),
            Row::Status(row) => (event(&row.kind), &row.node),
        };
        Self {
            id: push.id.0,
            call: push.call.to_string(),
            session: (sessions.print)(&push.dialect, push.call, node),
            channel: push.channel.into(),
            event,
            url: push.row.url().map(|url| url.as_str().to_owned()),
            key: push.key.into(),
            state: state.into(),
            failed_attempts: push.attempts,
            at: push.due_at.into(),
            outcome: outcome.map(Into::into),
        }
    }
}

const fn event(kind: &StatusKind) -> Event {
    match kind {
        StatusKind::Dialled => Event::Dialled,
        StatusKind::Ringing => Event::Ringing,
        StatusKind::Answered => Event::Answered,
        StatusKind::Collected { .. } => Event::Collected,
        StatusKind::Over { .. } => Event::Over,
    }
}

/// A push and its attempts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PushStory {
    /// The push.
    push: Push,
    /// The attempts that failed, in order. Of the one that succeeds, the push itself tells.
    attempts: Vec<Attempt>,
}

/// An attempt of a push that failed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Attempt {
    /// When it began.
    at: Time,
    /// How long it took, in milliseconds.
    took_millis: u64,
    /// What went wrong.
    outcome: String,
    /// The request as it was sent, without its signature; cut when it is long.
    #[schema(required)]
    request: Option<String>,
    /// What the receiver answered, if anything; cut when it is long.
    #[schema(required)]
    answer: Option<String>,
}

impl From<AttemptLine> for Attempt {
    fn from(line: AttemptLine) -> Self {
        Self {
            at: line.at.into(),
            took_millis: u64::try_from(line.took.as_millis()).unwrap_or(u64::MAX),
            outcome: line.outcome.into(),
            request: line.request.map(Into::into),
            answer: line.answer.map(Into::into),
        }
    }
}

/// Which pushes; every condition must hold.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PushesQuery {
    /// Only those that stand there.
    state: Option<PushState>,
    /// Only those of this app.
    app: Option<i64>,
    /// Only those of this kind.
    channel: Option<Channel>,
    /// Only those of this call: its id, or the one that its customer knows.
    call: Option<String>,
    /// Only those that go to this host: a name or an address, without a port.
    host: Option<String>,
    /// Only those that fell due, or were settled, at this moment or later.
    from: Option<Time>,
    /// Only those that fell due, or were settled, before this moment.
    until: Option<Time>,
    /// Items on the page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Which pushes to send again; every condition must hold. Only delivered and parked ones are sent.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redelivery {
    /// Only those that stand there.
    state: Option<PushState>,
    /// Only those of this app.
    app: Option<i64>,
    /// Only those of this kind.
    channel: Option<Channel>,
    /// Only those of this call: its id, or the one that its customer knows.
    call: Option<String>,
    /// Only those that go to this host: a name or an address, without a port.
    host: Option<String>,
    /// Only those that fell due, or were settled, at this moment or later.
    from: Option<Time>,
    /// Only those that fell due, or were settled, before this moment.
    until: Option<Time>,
    /// Only those of this number and later ones.
    #[schema(minimum = 1)]
    first: Option<i64>,
    /// Only those of this number and earlier ones.
    #[schema(minimum = 1)]
    last: Option<i64>,
    /// The `next` of the answer before, to go on.
    cursor: Option<String>,
}

/// What came of sending pushes again.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Redelivered {
    /// How many will be sent within a few seconds, with those that share a message with them.
    pushes: u64,
    /// Where to go on with the same conditions; null at the end.
    #[schema(required)]
    next: Option<String>,
}

/// What the audit log knows of sending many pushes again.
#[derive(Debug, Serialize)]
struct Noted<'a> {
    chosen: &'a Redelivery,
    #[serde(flatten)]
    redelivered: &'a Redelivered,
}

/// Lists pushes, latest first. A page may hold few items, or none, and still have a next one.
#[utoipa::path(
    get, path = "/pushes", tag = "pushes", operation_id = "list_pushes", params(PushesQuery),
    responses((status = 200, description = "A page of pushes.", body = Page<Push>))
)]
pub(crate) async fn list(
    State(parts): State<Arc<Parts>>,
    Query(query): Query<PushesQuery>,
) -> Result<Json<Page<Push>>, Problem> {
    let ask = Ask::<i64>::new(query.limit, query.cursor.as_deref())?;
    let filter = PushFilter {
        state: query.state.map(Into::into),
        app: query.app.map(AppId),
        channel: query.channel.map(Into::into),
        call: condition(&parts, query.call.as_deref()).await?,
        host: query.host.map(Into::into),
        from: query.from.map(|time| time.0),
        until: query.until.map(|time| time.0),
        first: None,
        last: None,
    };
    let page = parts.admin.pushes_page(&filter, ask.after.map(PushNo), ask.limit()).await?;
    let items = page.lines.into_iter().map(|line| Push::of(line, parts.sessions)).collect();
    Ok(Json(Page { items, next: page.next.and_then(|next| cursor(&next.0)) }))
}

/// One push and its attempts.
#[utoipa::path(
    get, path = "/pushes/{push}", tag = "pushes", operation_id = "get_push",
    params(("push" = i64, Path, description = "The push's number.")),
    responses((status = 200, description = "The push.", body = PushStory))
)]
pub(crate) async fn get(
    State(parts): State<Arc<Parts>>,
    Path(push): Path<i64>,
) -> Result<Json<PushStory>, Problem> {
    let line = parts.admin.push(PushNo(push)).await?;
    let attempts = parts.admin.attempts(PushNo(push)).await?;
    let push = Push::of(line, parts.sessions);
    Ok(Json(PushStory { push, attempts: attempts.into_iter().map(Into::into).collect() }))
}

/// Sends a push again that was delivered or parked, with all its attempts before it. It keeps its number.
#[utoipa::path(
    post, path = "/pushes/{push}/redeliver", tag = "pushes", operation_id = "redeliver_push",
    params(("push" = i64, Path, description = "The push's number.")),
    responses((status = 200, description = "It will be sent within a few seconds.", body = Redelivered))
)]
pub(crate) async fn redeliver(
    State(parts): State<Arc<Parts>>,
    Path(push): Path<i64>,
) -> Result<Changed<Redelivered>, Problem> {
    let pushes = parts.admin.redeliver(PushNo(push), (parts.clock)()).await?;
    let redelivered = Redelivered { pushes, next: None };
    Ok(Changed::done(redelivered.clone()).known_as(&redelivered))
}

/// Sends many pushes again, latest first, a piece at a time: repeat the request with `next` as `cursor` until it is null.
#[utoipa::path(
    post, path = "/pushes/redeliver", tag = "pushes", operation_id = "redeliver_pushes", request_body = Redelivery,
    responses((status = 200, description = "They will be sent within a few seconds.", body = Redelivered))
)]
pub(crate) async fn redeliver_many(
    State(parts): State<Arc<Parts>>,
    Body(wish): Body<Redelivery>,
) -> Result<Changed<Redelivered>, Problem> {
    let ask = Ask::<i64>::new(None, wish.cursor.as_deref())?;
    let filter = PushFilter {
        state: wish.state.map(Into::into),
        app: wish.app.map(AppId),
        channel: wish.channel.map(Into::into),
        call: condition(&parts, wish.call.as_deref()).await?,
        host: wish.host.as_deref().map(Into::into),
        from: wish.from.map(|time| time.0),
        until: wish.until.map(|time| time.0),
        first: numbered("first", wish.first)?,
        last: numbered("last", wish.last)?,
    };
    let now = (parts.clock)();
    let done = parts.admin.redeliver_where(&filter, ask.after.map(PushNo), now, PIECE).await?;
    let redelivered = Redelivered { pushes: done.pushes, next: done.next.and_then(|next| cursor(&next.0)) };
    let noted = Noted { chosen: &wish, redelivered: &redelivered };
    Ok(Changed::done(redelivered.clone()).known_as(&noted))
}

/// The number of a push in a body; pushes count up from 1.
fn numbered(field: &'static str, number: Option<i64>) -> Result<Option<PushNo>, Problem> {
    match number {
        Some(number) if number < 1 => Err(Problem::new(
            Kind::UnusableValue,
            format!("{field} is {number}, and pushes count up from 1"),
            format!("{field} 为 {number}，推送编号从 1 开始"),
        )),
        _ => Ok(number.map(PushNo)),
    }
}

/// Pushes that one request sends again: one transaction, a fraction of a second.
const PIECE: u64 = 500;

pub(super) fn routes() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(redeliver))
        .routes(routes!(redeliver_many))
}
