//! `huihu push`: what customers were told, and telling it again.

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::api::Api;
use super::{ALL, print, text, words};
use crate::cli::{Place, Push, PushChoice};
use crate::say;

pub(crate) async fn run(command: Push) -> Result<()> {
    match command {
        Push::List { place, choice, latest, json } => {
            let api = Api::of(&place).await?;
            let chosen = chosen(&api, &choice).await?;
            let query: Vec<_> = chosen.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let latest = usize::try_from(latest).unwrap_or(usize::MAX);
            print(&api.list(&["pushes"], &query, latest).await?, json, line);
            Ok(())
        }
        Push::Show { place, id, json } => show(&place, id, json).await,
        Push::Hosts { place, json } => {
            print(&Api::of(&place).await?.list(&["pushes", "hosts"], &[], ALL).await?, json, host);
            Ok(())
        }
        Push::Replay { place, id: Some(id), .. } => {
            let done =
                Api::of(&place).await?.post(&["pushes", &id.to_string(), "redeliver"], &json!({})).await?;
            say(&sent(done["pushes"].as_u64().unwrap_or(0)));
            Ok(())
        }
        Push::Replay { place, id: None, choice, first, last } => replay(&place, &choice, first, last).await,
    }
}

async fn show(place: &Place, id: i64, json: bool) -> Result<()> {
    let story = Api::of(place).await?.get(&["pushes", &id.to_string()], &[]).await?;
    if json {
        say(&story.to_string());
        return Ok(());
    }
    say(&line(&story["push"]));
    for attempt in story["attempts"].as_array().into_iter().flatten() {
        say(&format!(
            "\n{} after {} ms: {}",
            text(attempt, "at"),
            attempt["took_millis"],
            text(attempt, "outcome")
        ));
        for side in ["request", "answer"] {
            if let Some(told) = attempt[side].as_str() {
                say(&format!("{side}:\n{told}"));
            }
        }
    }
    Ok(())
}

async fn replay(place: &Place, choice: &PushChoice, first: Option<i64>, last: Option<i64>) -> Result<()> {
    let api = Api::of(place).await?;
    let mut wish: Map<String, Value> = Map::new();
    for (name, value) in chosen(&api, choice).await? {
        let value = if name == "app" { serde_json::from_str(&value)? } else { Value::String(value) };
        wish.insert(name.to_owned(), value);
    }
    wish.extend(first.map(|first| ("first".to_owned(), first.into())));
    wish.extend(last.map(|last| ("last".to_owned(), last.into())));
    if wish.is_empty() {
        bail!(
            "which pushes? Name one by its number, or choose with --state, --app, --host, --call, --from, --first …"
        );
    }
    let mut pushes = 0;
    loop {
        let mut done = api.post(&["pushes", "redeliver"], &Value::Object(wish.clone())).await?;
        pushes += done["pushes"].as_u64().unwrap_or(0);
        match done["next"].take() {
            Value::Null => break,
            next => wish.insert("cursor".to_owned(), next),
        };
    }
    say(&sent(pushes));
    Ok(())
}

fn sent(pushes: u64) -> String {
    format!("{pushes} will be sent within a few seconds")
}

/// The conditions that were named.
async fn chosen(api: &Api, choice: &PushChoice) -> Result<Vec<(&'static str, String)>> {
    let app = match &choice.app {
        Some(app) => Some(api.app_id(app).await?),
        None => None,
    };
    let wanted = [
        ("state", choice.state.clone()),
        ("app", app),
        ("channel", choice.channel.clone()),
        ("call", choice.call.clone()),
        ("host", choice.host.clone()),
        ("from", choice.from.clone()),
        ("until", choice.until.clone()),
    ];
    Ok(wanted.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
}

fn host(host: &Value) -> String {
    let health = &host["health"];
    let condition = match health["rests_until"].as_str() {
        Some(until) => format!("resting until {until}"),
        None if health.is_null() => "not sent anything".to_owned(),
        None => words(health, "condition"),
    };
    let owed = format!("fresh {}, deferred {}, parked {}", host["fresh"], host["deferred"], host["parked"]);
    format!("{:<32}  {condition:<38}  {owed}  {}", text(host, "host"), text(health, "last_fault"))
        .trim_end()
        .to_owned()
}

fn line(push: &Value) -> String {
    let [at, event, session, url, outcome] =
        ["at", "event", "session", "url", "outcome"].map(|field| text(push, field));
    format!("{:>8}  {at}  {:<9}  {event:<9}  {session}  {url}  {outcome}", push["id"], words(push, "state"))
        .trim_end()
        .to_owned()
}
