//! `huihu key`: what requests are signed with.

use std::io::{BufRead, stdin};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::api::Api;
use super::{ALL, print, text, words};
use crate::cli::Key;
use crate::say;

pub(crate) async fn run(command: Key) -> Result<()> {
    match command {
        Key::Create { place, app, existing, temporary_secs, json } => {
            let api = Api::of(&place).await?;
            let app = api.app_id(&app).await?;
            let new = match (existing, temporary_secs) {
                (Some(id), _) => json!({"existing": {"id": id, "secret": typed_secret()?}}),
                (None, Some(secs)) => json!({"temporary": {"lives_secs": secs}}),
                (None, None) => json!({}),
            };
            tell(api.post(&["apps", &app, "keys"], &new).await?, json);
        }
        Key::List { place, app, json } => {
            let api = Api::of(&place).await?;
            let app = api.app_id(&app).await?;
            print(&api.list(&["apps", &app, "keys"], &[], ALL).await?, json, line);
        }
        Key::Rotate { place, key, overlap_secs, json } => {
            let api = Api::of(&place).await?;
            tell(api.post(&["keys", &key, "rotate"], &json!({"overlap_secs": overlap_secs})).await?, json);
        }
        Key::Revoke { place, key } => {
            Api::of(&place).await?.post(&["keys", &key, "revoke"], &json!({})).await?;
        }
    }
    Ok(())
}

/// Shows a new key with its secret, this once.
fn tell(mut key: Value, json: bool) {
    if json {
        // Customers' clients call them so.
        key["appKey"] = key["id"].clone();
        key["appSecret"] = key["secret"].clone();
        say(&key.to_string());
    } else {
        say(&format!("app key     {}\napp secret  {}", text(&key, "id"), text(&key, "secret")));
        if let Some(token) = key["token"].as_str() {
            say(&format!("token       {token}"));
        }
        say("The secret is not shown again.");
    }
}

fn line(key: &Value) -> String {
    let until = key["valid_until"].as_str().map(|until| format!(", until {until}")).unwrap_or_default();
    format!("{} {} since {}{until}", text(key, "id"), words(key, "state"), text(key, "created_at"))
}

/// A secret is typed or piped in, so that it stands in no list of processes.
fn typed_secret() -> Result<String> {
    let mut line = String::new();
    stdin().lock().read_line(&mut line).context("cannot read the secret from standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
