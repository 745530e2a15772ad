//! Calls that run, and the records of those that are over.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Json, State};
use base::call;
use base::id::{AppId, CallId, Leg};
use base::quality::{self, MediaReport};
use base::record::CallRecord;
use serde::{Deserialize, Serialize};
use store::admin::CallPick;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Path, Query};
use super::numbers::parse;
use crate::page::{Ask, Page, PageQuery};
use crate::parts::{Parts, Sessions};
use crate::problem::Problem;
use crate::time::Time;
use crate::words::{Cause, EndedBy, MediaTrouble, PickedUp, Product};

/// A call that was accepted.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Call {
    /// Its id: 32 hexadecimal digits.
    call: String,
    /// The id that its customer knows.
    session: String,
    /// What it does.
    product: Product,
    /// The app that ordered it.
    app: i64,
    /// The account name of the app's enterprise.
    account: String,
    /// When it was accepted.
    accepted_at: Time,
    /// Its parties.
    parties: Parties,
    /// The customer's own words; null when there were none.
    #[schema(required)]
    user_data: Option<String>,
}

/// The parties of a call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Parties {
    /// Who is dialled first.
    #[schema(required)]
    a: Option<Party>,
    /// Who is dialled then; null for a call of one party.
    #[schema(required)]
    b: Option<Party>,
}

/// One party of a call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Party {
    /// What the telephone shows.
    shown: String,
    /// Who is dialled.
    dialled: String,
}

impl Call {
    fn of(call: &call::Call, sessions: Sessions) -> Self {
        let party = |leg| {
            let numbers = call.numbers(leg)?;
            let text = |number: &base::number::E164| number.as_str().to_owned();
            Some(Party { shown: text(numbers.shown), dialled: text(numbers.dialled) })
        };
        Self {
            call: call.id.to_string(),
            session: (sessions.print)(&call.dialect, call.id, &call.node),
            product: call.product.kind().into(),
            app: call.app.0,
            account: call.account.to_string(),
            accepted_at: call.accepted_at.into(),
            parties: Parties { a: party(Leg::A), b: party(Leg::B) },
            user_data: call.user_data.as_deref().map(str::to_owned),
        }
    }
}

/// A call that is over, summed up.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Record {
    /// Its id: 32 hexadecimal digits.
    call: String,
    /// The id that its customer knows.
    session: String,
    /// What it did.
    product: Product,
    /// The app that ordered it.
    app: i64,
    /// The account name of the app's enterprise.
    account: String,
    /// When it was accepted.
    accepted_at: Time,
    /// When both parties began to hear each other; null when they never did.
    #[schema(required)]
    bridged_at: Option<Time>,
    /// When the last leg was gone.
    ended_at: Time,
    /// Why it ended.
    cause: Cause,
    /// Who ended it.
    by: EndedBy,
    /// Its legs.
    legs: Legs,
    /// Its recording; null when there is none.
    #[schema(required)]
    recording: Option<Recording>,
    /// The keys that its party pressed: of a menu those that led on, of a code or a notice all; at most 32.
    pressed: String,
    /// The customer's own words; null when there were none.
    #[schema(required)]
    user_data: Option<String>,
}

/// The legs of a call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Legs {
    /// Who was dialled first.
    #[schema(required)]
    a: Option<LegSummary>,
    /// Who was dialled then; null for a call of one party.
    #[schema(required)]
    b: Option<LegSummary>,
}

/// One leg of a call, summed up.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LegSummary {
    /// What the telephone showed.
    shown: String,
    /// Who was dialled.
    dialled: String,
    /// The trunk that it took last; null when it was never dialled.
    #[schema(required, example = "mobile")]
    trunk: Option<String>,
    /// When it was dialled; null when it never was.
    #[schema(required)]
    dialled_at: Option<Time>,
    /// When it began to ring; null when it never did.
    #[schema(required)]
    ringing_at: Option<Time>,
    /// When it was answered; null when it never was.
    #[schema(required)]
    answered_at: Option<Time>,
    /// Who picked up; null where that was not listened for.
    #[schema(required)]
    picked_up: Option<PickedUp>,
    /// When it was gone; null when it was never there.
    #[schema(required)]
    released_at: Option<Time>,
    /// Why it ended; null when it was never there.
    #[schema(required)]
    cause: Option<Cause>,
    /// Who ended it; null when it was never there.
    #[schema(required)]
    by: Option<EndedBy>,
    /// The final SIP status when it was not a success.
    #[schema(required)]
    sip_status: Option<u16>,
    /// The telephone network's own cause (Q.850), when it sent one.
    #[schema(required)]
    q850: Option<u8>,
    /// What its media came to; null when it was never answered.
    #[schema(required)]
    media: Option<LegMedia>,
}

/// What the media of a leg came to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LegMedia {
    /// All of it in one sentence.
    #[schema(example = "both ways, first heard after 20 ms, MOS 4.4")]
    verdict: String,
    /// What came from the party.
    heard: MediaDirection,
    /// What went to the party; what became of it is known if the far end told.
    said: MediaDirection,
    /// Milliseconds from the answer to the party's first packet; null when none came.
    #[schema(required)]
    first_after_millis: Option<u64>,
    /// Milliseconds there and back; null when the far end did not tell.
    #[schema(required)]
    round_trip_millis: Option<f64>,
    /// Why the party was hard to hear; null when nothing shows it.
    #[schema(required)]
    trouble: Option<MediaTrouble>,
}

/// One direction of a leg's media.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct MediaDirection {
    /// Packets.
    packets: u32,
    /// Those that were lost on the way.
    lost: u32,
    /// How unevenly they came, in milliseconds.
    jitter_millis: f64,
    /// The mean opinion score that it is worth by the E-model, 1 to 4.5; null when nothing is known.
    #[schema(required)]
    mos: Option<f64>,
}

impl From<MediaReport> for LegMedia {
    fn from(media: MediaReport) -> Self {
        Self {
            verdict: media.to_string(),
            heard: media.heard.into(),
            said: media.said.into(),
            first_after_millis: media.first_after.map(whole_millis),
            round_trip_millis: media.round_trip.map(millis),
            trouble: media.trouble.map(Into::into),
        }
    }
}

impl From<quality::Direction> for MediaDirection {
    fn from(direction: quality::Direction) -> Self {
        Self {
            packets: direction.packets,
            lost: direction.lost,
            jitter_millis: millis(direction.jitter),
            mos: direction.mos.map(quality::Mos::value),
        }
    }
}

/// To a tenth of a millisecond.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

fn whole_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A recording of a conversation.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Recording {
    /// When it begins.
    started_at: Time,
    /// How long it is, in seconds.
    secs: f64,
}

impl Record {
    fn of(record: &CallRecord, sessions: Sessions) -> Self {
        let Call { call, session, product, app, account, accepted_at, parties, user_data } =
            Call::of(&record.call, sessions);
        let leg = |party: Option<Party>, leg| party.map(|party| LegSummary::of(party, record, leg));
        Self {
            call,
            session,
            product,
            app,
            account,
            accepted_at,
            bridged_at: record.bridged_at.map(Into::into),
            ended_at: record.ended_at.into(),
            cause: record.ending.cause.into(),
            by: record.ending.by.into(),
            legs: Legs { a: leg(parties.a, Leg::A), b: leg(parties.b, Leg::B) },
            recording: record.recording.map(|ours| Recording {
                started_at: ours.started_at.into(),
                secs: ours.length.as_secs_f64(),
            }),
            pressed: record.pressed.expose().to_string(),
            user_data,
        }
    }
}

impl LegSummary {
    fn of(party: Party, record: &CallRecord, which: Leg) -> Self {
        let leg = record.leg(which);
        let release = leg.release;
        Self {
            shown: party.shown,
            dialled: party.dialled,
            trunk: record.trunks[which.index()].as_deref().map(str::to_owned),
            dialled_at: leg.dialled_at.map(Into::into),
            ringing_at: leg.ringing_at.map(Into::into),
            answered_at: leg.answered_at.map(Into::into),
            picked_up: leg.answerer.map(Into::into),
            released_at: leg.released_at.map(Into::into),
            cause: release.map(|release| release.cause.into()),
            by: release.map(|release| release.by.into()),
            sip_status: release.and_then(|release| release.status),
            q850: release.and_then(|release| release.q850),
            media: leg.media.map(Into::into),
        }
    }
}

/// All that is known of a call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CallStory {
    /// Whether it is over.
    over: bool,
    /// Its record; null while it runs.
    #[schema(required)]
    record: Option<Record>,
    /// What happened, drawn on a time axis for people to read. Numbers are masked, pressed keys are not shown.
    ladder: String,
}

/// Which records to list; every condition must hold.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordsQuery {
    /// Only the call with this id: our own, or the one that its customer knows.
    id: Option<String>,
    /// Only calls in which this number was dialled or shown.
    number: Option<String>,
    /// Only calls of this app.
    app: Option<i64>,
    /// Only calls with these words of the customer, whole.
    user_data: Option<String>,
    /// Only calls that were accepted at this moment or later.
    from: Option<Time>,
    /// Only calls that were accepted before this moment.
    until: Option<Time>,
    /// Items on the page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Lists the calls that run, by age.
#[utoipa::path(
    get, path = "/calls", tag = "calls", operation_id = "list_calls", params(PageQuery),
    responses((status = 200, description = "A page of calls.", body = Page<Call>))
)]
pub(crate) async fn live(
    State(parts): State<Arc<Parts>>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Call>>, Problem> {
    let ask = query.read::<CallId>()?;
    let calls = parts.admin.open_calls_page(ask.after, ask.reach()).await?;
    Ok(Json(ask.page(calls, |call| call.id, |call| Call::of(&call, parts.sessions))))
}

/// Lists the records of calls that are over, latest first.
#[utoipa::path(
    get, path = "/records", tag = "calls", operation_id = "list_records", params(RecordsQuery),
    responses((status = 200, description = "A page of records.", body = Page<Record>))
)]
pub(crate) async fn records(
    State(parts): State<Arc<Parts>>,
    Query(query): Query<RecordsQuery>,
) -> Result<Json<Page<Record>>, Problem> {
    let ask = Ask::<CallId>::new(query.limit, query.cursor.as_deref())?;
    let pick = CallPick {
        number: query.number.map(|number| parse("number", &number)).transpose()?,
        app: query.app.map(AppId),
        user_data: query.user_data.map(Into::into),
        from: query.from.map(|time| time.0),
        until: query.until.map(|time| time.0),
    };
    let found = match query.id {
        Some(id) => one(&parts, &id, &pick).await?,
        None => parts.admin.records_page(&pick, ask.after, ask.reach()).await?,
    };
    Ok(Json(ask.page(found, |record| record.call.id, |record| Record::of(&record, parts.sessions))))
}

/// All that is known of a call, running or over, with its ladder.
#[utoipa::path(
    get, path = "/records/{call}", tag = "calls", operation_id = "get_record",
    params(("call" = String, Path, description = "The call's id, or the one that its customer knows.")),
    responses((status = 200, description = "The call.", body = CallStory))
)]
pub(crate) async fn story(
    State(parts): State<Arc<Parts>>,
    Path(id): Path<String>,
) -> Result<Json<CallStory>, Problem> {
    let call = named(&parts, &id).await?.ok_or_else(|| unknown(&id))?;
    let view = parts.admin.call(call).await?;
    let record = view.record.as_ref().map(|record| Record::of(record, parts.sessions));
    Ok(Json(CallStory { over: record.is_some(), record, ladder: projections::ladder(&view.entries) }))
}

/// The record of a call by its id, if the other conditions let it through.
async fn one(parts: &Parts, id: &str, pick: &CallPick) -> Result<Vec<CallRecord>, Problem> {
    let Some(call) = named(parts, id).await? else { return Ok(Vec::new()) };
    let Some(record) = parts.admin.record(call).await? else { return Ok(Vec::new()) };
    let of_call = &record.call;
    let has = |number: &base::number::E164| {
        let numbers = [Leg::A, Leg::B].into_iter().filter_map(|leg| of_call.numbers(leg));
        numbers.into_iter().any(|numbers| numbers.shown == number || numbers.dialled == number)
    };
    let fits = pick.number.as_ref().is_none_or(has)
        && pick.app.is_none_or(|app| app == of_call.app)
        && (pick.user_data.is_none() || pick.user_data == of_call.user_data)
        && pick.from.is_none_or(|from| of_call.accepted_at >= from)
        && pick.until.is_none_or(|until| of_call.accepted_at < until);
    Ok(if fits { vec![record] } else { Vec::new() })
}

/// The call of an id: our own, or its customer's name for it. `None` when nothing can have that name.
pub(super) async fn named(parts: &Parts, id: &str) -> Result<Option<CallId>, Problem> {
    if let Ok(call) = id.parse() {
        return Ok(Some(call));
    }
    let Some(calls) = (parts.sessions.parse)(id) else { return Ok(None) };
    if calls.start() == calls.end() {
        return Ok(Some(*calls.start()));
    }
    Ok(parts.admin.find_call(&calls).await?)
}

/// The call that a condition names.
pub(super) async fn condition(parts: &Parts, id: Option<&str>) -> Result<Option<CallId>, Problem> {
    let Some(id) = id else { return Ok(None) };
    named(parts, id).await?.map(Some).ok_or_else(|| unknown(id))
}

pub(super) fn unknown(id: &str) -> Problem {
    Problem::unknown("call", id)
        .fix("list the latest records, or search them by number", "列出最近的话单，或按号码查询")
}

pub(super) fn routes() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(records)).routes(routes!(story))
}
