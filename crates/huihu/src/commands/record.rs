//! `huihu record`: what happened in a call.

mod audit;

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use axum::body::Bytes;
use base::id::CallId;
use serde_json::Value;
use store::Admin;

use super::api::{Api, Refused};
use super::{ALL, print, text, words};
use crate::cli::Record;
use crate::say;

pub(crate) async fn run(command: Record) -> Result<()> {
    match command {
        Record::List { place, latest, number, app, user_data, from, until, json } => {
            let api = Api::of(&place).await?;
            let app = match app {
                Some(app) => Some(api.app_id(&app).await?),
                None => None,
            };
            let number = number.map(|number| super::number(&number)).transpose()?;
            let wanted = [
                ("number", number.as_ref().map(base::number::E164::as_str)),
                ("app", app.as_deref()),
                ("user_data", user_data.as_deref()),
                ("from", from.as_deref()),
                ("until", until.as_deref()),
            ];
            let query: Vec<_> = wanted.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
            let latest = usize::try_from(latest).unwrap_or(usize::MAX);
            print(&api.list(&["records"], &query, latest).await?, json, line);
            Ok(())
        }
        Record::Show { place, id, ladder, json, svg, pcap } => {
            let api = Api::of(&place).await?;
            for (form, file) in [("svg", &svg), ("pcap", &pcap)] {
                if let Some(file) = file {
                    save(&fetch(&api, &id, form).await?, file)?;
                }
            }
            match (ladder, json) {
                (true, _) => {
                    let drawn = fetch(&api, &id, if json { "json" } else { "text" }).await?;
                    say(String::from_utf8_lossy(&drawn).trim_end());
                    Ok(())
                }
                (false, false) if svg.is_some() || pcap.is_some() => Ok(()),
                (false, _) => show(&api, &id, json).await,
            }
        }
        Record::Audit { place, from, to, json } => {
            audit::run(&place, from.as_deref(), to.as_deref(), json).await
        }
        Record::Live { place, json } => {
            print(&Api::of(&place).await?.list(&["calls"], &[], ALL).await?, json, running);
            Ok(())
        }
    }
}

async fn show(api: &Api, id: &str, json: bool) -> Result<()> {
    let story = api.get(&["records", id], &[]).await.map_err(|fault| missing(fault, id))?;
    match &story["record"] {
        Value::Null => say("The call still runs; --ladder shows what has happened so far."),
        record if json => say(&record.to_string()),
        record => say(&line(record)),
    }
    Ok(())
}

/// The ladder of a call in one of its forms.
async fn fetch(api: &Api, id: &str, form: &str) -> Result<Bytes> {
    api.download(&["records", id, "ladder"], &[("as", form)]).await.map_err(|fault| missing(fault, id))
}

/// Says what to do when there is no such call.
fn missing(fault: anyhow::Error, id: &str) -> anyhow::Error {
    match fault.downcast_ref::<Refused>() {
        Some(refused) if refused.concerns(&format!("no call {id}")) => {
            anyhow!("there is no call {id}: `huihu record list` shows the latest calls")
        }
        _ => fault,
    }
}

fn save(bytes: &[u8], file: &Path) -> Result<()> {
    std::fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
}

/// The ladder of a call, for the demo.
pub(crate) async fn draw(admin: &Admin, call: CallId) -> Result<String> {
    let entries = admin.entries(call).await?;
    if entries.is_empty() {
        bail!("there is no call {call}");
    }
    Ok(projections::ladder(&entries))
}

fn line(record: &Value) -> String {
    format!(
        "{}  {:<8}  {:<48}  {} by {}  {}",
        text(record, "accepted_at"),
        text(record, "product"),
        dialled(&record["legs"]),
        words(record, "cause"),
        text(record, "by"),
        text(record, "session"),
    )
}

fn running(call: &Value) -> String {
    format!(
        "{}  {:<8}  {:<32}  {}",
        text(call, "accepted_at"),
        text(call, "product"),
        dialled(&call["parties"]),
        text(call, "session"),
    )
}

/// Who was dialled, in order, and by which trunk, where that is known.
fn dialled(legs: &Value) -> String {
    let way = |leg: &Value| {
        let number = leg["dialled"].as_str()?;
        Some(leg["trunk"].as_str().map_or_else(|| number.to_owned(), |trunk| format!("{number} by {trunk}")))
    };
    let ways = ["a", "b"].into_iter().filter_map(|leg| way(&legs[leg]));
    ways.collect::<Vec<_>>().join(" → ")
}
