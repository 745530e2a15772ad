//! `huihu clip`: the customers' voice files.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use speech::name::VoiceName;

use super::api::Api;
use super::{ALL, print, text, words};
use crate::cli::{Clip, OneClip, Place};
use crate::say;

pub(crate) async fn run(command: Clip) -> Result<()> {
    match command {
        Clip::Add { place, app, name, file, approve } => add(&place, &app, &name, &file, approve).await,
        Clip::Approve(one) => review(&one, "approved").await,
        Clip::Reject(one) => review(&one, "rejected").await,
        Clip::Remove(one) => {
            let (api, app) = app_of(&one).await?;
            api.delete(&["apps", &app, "clips", &one.name]).await.map(drop)
        }
        Clip::Download { one, file } => {
            let (api, app) = app_of(&one).await?;
            let wav = api.download(&["apps", &app, "clips", &one.name, "sound"], &[]).await?;
            std::fs::write(&file, wav).with_context(|| format!("cannot write {}", file.display()))
        }
        Clip::List { place, app, json } => {
            let api = Api::of(&place).await?;
            let app = api.app_id(&app).await?;
            let line = |clip: &Value| format!("{:<32} {}", text(clip, "name"), words(clip, "review"));
            print(&api.list(&["apps", &app, "clips"], &[], ALL).await?, json, line);
            Ok(())
        }
    }
}

async fn add(place: &Place, app: &str, name: &str, file: &Path, approve: bool) -> Result<()> {
    let name =
        VoiceName::parse(name).with_context(|| format!("{name:?} cannot be the name of a voice file"))?;
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let api = Api::of(place).await?;
    let app = api.app_id(app).await?;
    let path = ["apps", &app, "clips", name.as_str()];
    let uploaded =
        api.upload(&path, bytes).await.with_context(|| format!("{} cannot be used", file.display()))?;
    if approve {
        api.post(&["apps", &app, "clips", name.as_str(), "review"], &json!({"review": "approved"})).await?;
    }
    for warning in uploaded["warnings"].as_array().into_iter().flatten() {
        say(&format!("note: {}", warning.as_str().unwrap_or("")));
    }
    let state = if approve { "approved" } else { "waiting: huihu clip approve lets requests use it" };
    let secs = uploaded["secs"].as_f64().unwrap_or(0.0);
    say(&format!("{} has {secs:.1} s of sound and is {state}", name.as_str()));
    Ok(())
}

async fn review(one: &OneClip, verdict: &str) -> Result<()> {
    let (api, app) = app_of(one).await?;
    api.post(&["apps", &app, "clips", &one.name, "review"], &json!({"review": verdict})).await.map(drop)
}

async fn app_of(one: &OneClip) -> Result<(Api, String)> {
    let api = Api::of(&one.place).await?;
    let app = api.app_id(&one.app).await?;
    Ok((api, app))
}
