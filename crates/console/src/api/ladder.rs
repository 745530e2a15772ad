//! Ladders: everything that is known of a call on one time axis.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path as FilePath;
use std::sync::Arc;

use axum::extract::{Json, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use base::fact::Entry;
use base::id::{CallId, Leg};
use base::trace::{self, Trace};
use projections::Timeline;
use projections::ladder::{self, Came, Known, Pushed, RowKind};
use serde::{Deserialize, Serialize};
use store::PushState;
use store::admin::{AttemptLine, PushLine, PushPick};
use tokio::task::spawn_blocking;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::calls::{named, unknown};
use super::extract::{Path, Query};
use crate::parts::Parts;
use crate::problem::Problem;
use crate::time::Time;

/// A call on one time axis. Numbers are masked unless the trace was told to show them, pressed keys are not shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Ladder {
    /// The call.
    call: String,
    /// When it was accepted: the zero of the axis.
    began_at: Time,
    /// What happened, in the order of time.
    rows: Vec<LadderRow>,
    /// What the media of each leg came to, in a sentence each, and what is missing.
    notes: Vec<String>,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LadderRow {
    /// When.
    at: Time,
    /// Microseconds after the acceptance.
    after_micros: u64,
    /// Who knows of it.
    kind: LadderKind,
    /// What stands between the lines of the parties; null when nothing does.
    #[schema(required)]
    arrow: Option<LadderArrow>,
    /// What it is told as.
    words: String,
    /// The SIP message, without what is private; null for everything else.
    #[schema(required)]
    message: Option<String>,
}

/// Who knows of a row of a ladder.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LadderKind {
    /// The journal: a fact.
    Fact,
    /// The trace: a SIP message.
    Message,
    /// The trace: a stream of RTP, where it begins.
    Stream,
    /// The outbox: one time that the customer was told, or will be.
    Push,
}

/// An arrow of a ladder.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LadderArrow {
    /// Where it begins.
    from: LadderLine,
    /// Where it ends.
    to: LadderLine,
    /// Whether it has a head at both ends.
    both_ways: bool,
    /// What stands on it.
    label: String,
}

/// A line of a ladder.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LadderLine {
    /// The party that is dialled first.
    A,
    /// The platform.
    Us,
    /// The party that is dialled then.
    B,
}

impl From<Leg> for LadderLine {
    fn from(leg: Leg) -> Self {
        match leg {
            Leg::A => Self::A,
            Leg::B => Self::B,
        }
    }
}

impl Ladder {
    fn of(call: CallId, timeline: &Timeline) -> Self {
        let row = |row: &ladder::Row| LadderRow {
            at: row.at.into(),
            after_micros: u64::try_from(timeline.after(row).as_micros()).unwrap_or(u64::MAX),
            kind: match row.kind {
                RowKind::Fact => LadderKind::Fact,
                RowKind::Message => LadderKind::Message,
                RowKind::Stream => LadderKind::Stream,
                RowKind::Push => LadderKind::Push,
            },
            arrow: LadderArrow::of(&row.arrow),
            words: row.words.clone(),
            message: row.message.clone(),
        };
        Self {
            call: call.to_string(),
            began_at: timeline.began.into(),
            rows: timeline.rows.iter().map(row).collect(),
            notes: timeline.notes().collect(),
        }
    }
}

impl LadderArrow {
    fn of(arrow: &ladder::Arrow) -> Option<Self> {
        let (from, to, both_ways) = match arrow {
            ladder::Arrow::Plain => return None,
            ladder::Arrow::To(leg, _) => (LadderLine::Us, (*leg).into(), false),
            ladder::Arrow::From(leg, _) => ((*leg).into(), LadderLine::Us, false),
            ladder::Arrow::Through(leg, _) => (leg.other().into(), (*leg).into(), false),
            ladder::Arrow::Both(_) => (LadderLine::A, LadderLine::B, true),
        };
        Some(Self { from, to, both_ways, label: arrow.label().to_owned() })
    }
}

/// How a ladder is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct LadderQuery {
    /// As which kind of document; JSON if nothing is said.
    #[serde(rename = "as")]
    #[param(inline)]
    form: Option<LadderForm>,
}

/// The kinds of documents.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LadderForm {
    /// For programs.
    #[default]
    Json,
    /// For a terminal of 100 columns.
    Text,
    /// A picture for browsers, by day and by night.
    Svg,
    /// The call's trace, for Wireshark: SIP messages, and the headers of RTP packets if they were kept. The frames are
    /// made up, and so is UDP where it was a connection; the addresses are the real ones.
    Pcap,
}

/// Everything that is known of a call on one time axis: facts, SIP messages and streams of RTP if its trace was kept, and
/// pushes.
#[utoipa::path(
    get, path = "/records/{call}/ladder", tag = "calls", operation_id = "get_ladder",
    params(
        ("call" = String, Path, description = "The call's id, or the one that its customer knows."),
        LadderQuery,
    ),
    responses((status = 200, description = "The ladder.", content(
        (Ladder = "application/json"),
        (String = "text/plain"),
        (String = "image/svg+xml"),
        (String = "application/vnd.tcpdump.pcap"),
    )))
)]
pub(crate) async fn draw(
    State(parts): State<Arc<Parts>>,
    Path(id): Path<String>,
    Query(query): Query<LadderQuery>,
) -> Result<Response, Problem> {
    let call = named(&parts, &id).await?.ok_or_else(|| unknown(&id))?;
    let entries = parts.admin.call(call).await?.entries;
    let pushes = pushes(&parts, call).await?;
    let folder = parts.traces.clone();
    // A trace may be long: it is read and drawn beside the requests of others.
    let form = query.form.unwrap_or_default();
    let drawn = spawn_blocking(move || {
        let file = folder.map(|folder| read(&trace::path(&folder, call))).transpose()?.flatten();
        Ok(print(call, form, &entries, &pushes, file.as_deref()))
    });
    let drawn: io::Result<_> = drawn.await.map_err(|fault| Problem::fault(&fault))?;
    drawn.map_err(|fault| Problem::fault(&fault))?.ok_or_else(|| {
        Problem::unknown("trace of the call", &id).fix(
            "have traces kept: set calls = \"all\" under [trace]",
            "请在 [trace] 中设置 calls = \"all\" 以保留抓包",
        )
    })
}

/// The document; `None` when there is no trace where one is wanted.
fn print(
    call: CallId,
    form: LadderForm,
    entries: &[Entry],
    pushes: &[(PushLine, Vec<AttemptLine>)],
    file: Option<&[u8]>,
) -> Option<Response> {
    let trace = file.map(Trace::read);
    if let LadderForm::Pcap = form {
        let pcap = trace?.to_pcap();
        return Some(([(CONTENT_TYPE, "application/vnd.tcpdump.pcap")], pcap).into_response());
    }
    let pushes = pushes.iter().flat_map(|(push, attempts)| times(push, attempts)).collect();
    let timeline = Timeline::new(&Known { entries, trace: trace.unwrap_or_default(), pushes });
    Some(match form {
        LadderForm::Text => timeline.text().into_response(),
        LadderForm::Svg => ([(CONTENT_TYPE, "image/svg+xml")], timeline.svg()).into_response(),
        LadderForm::Json | LadderForm::Pcap => Json(Ladder::of(call, &timeline)).into_response(),
    })
}

/// What the customer was told of a call, with the attempts that failed.
async fn pushes(parts: &Parts, call: CallId) -> Result<Vec<(PushLine, Vec<AttemptLine>)>, Problem> {
    let mut told = Vec::new();
    for push in parts.admin.pushes(PushPick::Of(call), PUSHES).await? {
        let failed = push.push.attempts > 0 || push.state == PushState::Parked;
        let attempts = if failed { parts.admin.attempts(push.push.id).await? } else { Vec::new() };
        told.push((push, attempts));
    }
    Ok(told)
}

/// The times that a push was sent, and when it will be.
fn times<'a>(line: &'a PushLine, attempts: &'a [AttemptLine]) -> Vec<Pushed<'a>> {
    let row = &line.push.row;
    let failed =
        attempts.iter().map(|attempt| Pushed { at: attempt.at, row, came: Came::Failed(&attempt.outcome) });
    let at = line.push.due_at;
    let last = match line.state {
        PushState::Fresh | PushState::Deferred => Some(Came::Owed),
        PushState::Delivered => Some(Came::Delivered),
        // Its attempts say so, as long as they are kept.
        PushState::Parked if !attempts.is_empty() => None,
        PushState::Parked => Some(Came::Failed(line.outcome.as_deref().unwrap_or("given up"))),
    };
    failed.chain(last.map(|came| Pushed { at, row, came })).collect()
}

/// A trace, if there is one.
fn read(path: &FilePath) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut bytes = Vec::new();
    file.take(TRACE_BYTES).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

pub(super) fn routes() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(draw))
}

/// Bytes of a trace that are read: a call of two parties whose RTP headers were kept for a quarter of an hour.
const TRACE_BYTES: u64 = 32 << 20;

/// Pushes of a call that are drawn. Usually there are eight.
const PUSHES: u64 = 128;
