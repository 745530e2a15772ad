//! `huihu template`: the texts that notices and menus speak.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::api::Api;
use super::{ALL, print, text, words};
use crate::cli::{OneTemplate, Template};
use crate::say;

pub(crate) async fn run(command: Template) -> Result<()> {
    match command {
        Template::Create { place, account, name, text: words, file, kind, speed, approve, json } => {
            let words = match file {
                None => words.unwrap_or_default(),
                Some(file) => std::fs::read_to_string(&file)
                    .with_context(|| format!("cannot read {}", file.display()))?,
            };
            let api = Api::of(&place).await?;
            let new = json!({"name": name, "kind": kind, "text": words.trim_end(), "speed": speed});
            let mut made = api.post(&["enterprises", &account, "templates"], &new).await?;
            if approve {
                let path = ["templates", text(&made, "id"), "review"];
                made = api.post(&path, &json!({"review": "approved"})).await?;
            }
            say(&if json { made.to_string() } else { line(&made) });
            Ok(())
        }
        Template::List { place, account, json } => {
            let api = Api::of(&place).await?;
            print(&api.list(&["enterprises", &account, "templates"], &[], ALL).await?, json, line);
            Ok(())
        }
        Template::Approve(one) => review(&one, "approved").await,
        Template::Reject(one) => review(&one, "rejected").await,
        Template::Remove(one) => Api::of(&one.place).await?.delete(&["templates", &one.id]).await.map(drop),
    }
}

async fn review(one: &OneTemplate, verdict: &str) -> Result<()> {
    let judgement = json!({"review": verdict, "note": one.note});
    Api::of(&one.place).await?.post(&["templates", &one.id, "review"], &judgement).await.map(drop)
}

fn line(template: &Value) -> String {
    let [id, kind, name, words_of] = ["id", "kind", "name", "text"].map(|field| text(template, field));
    format!("{id:<32}  {kind:<6}  {name:<16} {:<8}  {words_of}", words(template, "review"))
}
