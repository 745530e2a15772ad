//! `huihu limit`: how many calls there may be, and when.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::api::Api;
use super::{ALL, path, print, rules, text, words};
use crate::cli::Limit;
use crate::say;

pub(crate) async fn run(command: Limit) -> Result<()> {
    match command {
        Limit::Set { one, calls } => {
            let api = Api::of(&one.place).await?;
            let root = rules(&api, one.app.as_deref()).await?;
            api.put(&path(&root, &["limits", &one.by, &one.per]), &json!({"calls": calls})).await.map(drop)
        }
        Limit::Lift(one) => {
            let api = Api::of(&one.place).await?;
            let root = rules(&api, one.app.as_deref()).await?;
            api.delete(&path(&root, &["limits", &one.by, &one.per])).await.map(drop)
        }
        Limit::List { place, app, json } => {
            let api = Api::of(&place).await?;
            let root = rules(&api, app.as_deref()).await?;
            let line = |limit: &Value| {
                format!("{} calls a {} by {}", limit["calls"], text(limit, "per"), words(limit, "counted_by"))
            };
            print(&api.list(&path(&root, &["limits"]), &[], ALL).await?, json, line);
            Ok(())
        }
        Limit::Hours { place, app, spans, none } => {
            let api = Api::of(&place).await?;
            let root = rules(&api, app.as_deref()).await?;
            let place = path(&root, &["forbidden_hours"]);
            let hours = if spans.is_empty() && !none {
                api.get(&place, &[]).await?
            } else {
                let spans = spans.iter().map(|text| span(text)).collect::<Result<Vec<_>>>()?;
                api.put(&place, &json!({"spans": spans})).await?
            };
            for span in hours["spans"].as_array().into_iter().flatten() {
                say(&format!("{}-{}", text(span, "from"), text(span, "to")));
            }
            Ok(())
        }
    }
}

fn span(text: &str) -> Result<Value> {
    let (from, to) =
        text.split_once('-').with_context(|| format!("{text:?} is no span of hours: write 22:00-08:00"))?;
    Ok(json!({"from": from.trim(), "to": to.trim()}))
}
