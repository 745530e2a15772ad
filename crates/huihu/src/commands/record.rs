//! `huihu record`: what happened in a call.

use anyhow::{Result, bail};
use base::id::{CallId, Leg};
use base::record::CallRecord;
use dialects::huawei::session;
use serde_json::{Value, json};
use store::Admin;

use super::{admin, number};
use crate::cli::{Place, Record};
use crate::say;

pub(crate) async fn run(command: Record) -> Result<()> {
    match command {
        Record::List { place, latest, number: wanted, json } => {
            let admin = admin(&place).await?;
            let records = match wanted {
                Some(wanted) => admin.records_of(&number(&wanted)?, u64::from(latest)).await?,
                None => admin.latest_records(u64::from(latest)).await?,
            };
            for record in records {
                say(&if json { as_json(&record).to_string() } else { line(&record) });
            }
            Ok(())
        }
        Record::Show { place, id, ladder, json } => show(&place, &id, ladder, json).await,
    }
}

async fn show(place: &Place, id: &str, ladder: bool, json: bool) -> Result<()> {
    let admin = admin(place).await?;
    let call = parse_id(id)?;
    if ladder {
        say(draw(&admin, call).await?.trim_end());
        return Ok(());
    }
    match admin.record(call).await? {
        Some(record) if json => say(&as_json(&record).to_string()),
        Some(record) => say(&line(&record)),
        None if admin.entries(call).await?.is_empty() => bail!("there is no call {id}"),
        None => say("The call still runs; --ladder shows what has happened so far."),
    }
    Ok(())
}

/// The ladder of a call.
pub(crate) async fn draw(admin: &Admin, call: CallId) -> Result<String> {
    let entries = admin.entries(call).await?;
    if entries.is_empty() {
        bail!("there is no call {call}");
    }
    Ok(projections::ladder(&entries))
}

/// A session id, or our own call id.
fn parse_id(text: &str) -> Result<CallId> {
    let session = session::parse(text).map(|(call, _)| call);
    match session.or_else(|| text.parse().ok()) {
        Some(call) => Ok(call),
        None => bail!(
            "{text:?} is neither a session id nor a call id: `huihu record list` shows the latest calls"
        ),
    }
}

/// The session id that the call's customer knows.
pub(crate) fn session_of(record: &CallRecord) -> String {
    session::print(record.call.id, &record.call.node)
}

fn line(record: &CallRecord) -> String {
    let call = &record.call;
    let dialled =
        [Leg::A, Leg::B].into_iter().filter_map(|leg| Some(call.numbers(leg)?.dialled.as_str().to_owned()));
    format!(
        "{}  {:<8}  {:<32}  {:?} by {:?}  {}",
        call.accepted_at.print("%Y-%m-%d %H:%M:%SZ"),
        format!("{:?}", call.product.kind()).to_lowercase(),
        dialled.collect::<Vec<_>>().join(" → "),
        record.ending.cause,
        record.ending.by,
        session_of(record),
    )
}

fn as_json(record: &CallRecord) -> Value {
    let call = &record.call;
    let leg = |leg: Leg| {
        let (numbers, times) = (call.numbers(leg)?, record.leg(leg));
        let at = |at: Option<base::time::Timestamp>| at.map(|at| at.print("%Y-%m-%dT%H:%M:%S%.3fZ"));
        Some(json!({
            "shown": numbers.shown,
            "dialled": numbers.dialled,
            "dialledAt": at(times.dialled_at),
            "ringingAt": at(times.ringing_at),
            "answeredAt": at(times.answered_at),
            "releasedAt": at(times.released_at),
            "cause": times.release.map(|release| release.cause),
            "by": times.release.map(|release| release.by),
            "sipStatus": times.release.and_then(|release| release.status),
            "q850": times.release.and_then(|release| release.q850),
        }))
    };
    json!({
        "call": call.id,
        "session": session_of(record),
        "product": call.product.kind(),
        "acceptedAt": call.accepted_at.print("%Y-%m-%dT%H:%M:%S%.3fZ"),
        "endedAt": record.ended_at.print("%Y-%m-%dT%H:%M:%S%.3fZ"),
        "cause": record.ending.cause,
        "by": record.ending.by,
        "legs": {"a": leg(Leg::A), "b": leg(Leg::B)},
        "userData": call.user_data,
    })
}
