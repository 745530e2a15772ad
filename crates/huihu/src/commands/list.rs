//! `huihu list`: numbers and addresses that may or may not.

use anyhow::Result;
use serde_json::{Value, json};

use super::api::Api;
use super::{ALL, path, print, rules, text};
use crate::cli::List;
use crate::say;

pub(crate) async fn run(command: List) -> Result<()> {
    match command {
        List::Add { place, app, kind, values, note } => {
            let api = Api::of(&place).await?;
            let root = rules(&api, app.as_deref()).await?;
            let new = json!({"values": values, "note": note});
            let done = api.post(&path(&root, &["lists", &kind]), &new).await?;
            say(&format!("{} of {} are new", done["changed"], values.len()));
        }
        List::Remove { place, app, kind, values } => {
            let api = Api::of(&place).await?;
            let root = rules(&api, app.as_deref()).await?;
            let done =
                api.post(&path(&root, &["lists", &kind, "remove"]), &json!({"values": values})).await?;
            say(&format!("{} of {} were on the list", done["changed"], values.len()));
        }
        List::Show { place, app, kind, json } => {
            let api = Api::of(&place).await?;
            let root = rules(&api, app.as_deref()).await?;
            print(&api.list(&path(&root, &["lists", &kind]), &[], ALL).await?, json, line);
        }
        List::Only { place, app, listed_only } => {
            let api = Api::of(&place).await?;
            let root = rules(&api, app.as_deref()).await?;
            let place = if root.is_empty() { vec!["settings"] } else { path(&root, &[]) };
            api.patch(&place, &json!({"listed_only": listed_only})).await?;
        }
    }
    Ok(())
}

fn line(listed: &Value) -> String {
    let [value, note, added] = ["value", "note", "added_at"].map(|field| text(listed, field));
    format!("{value:<32} since {added}  {note}").trim_end().to_owned()
}
