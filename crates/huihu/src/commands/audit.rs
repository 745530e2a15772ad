//! `huihu audit`: who changed what.

use anyhow::Result;
use serde_json::Value;

use super::api::Api;
use super::{print, text};
use crate::cli::Audit;

pub(crate) async fn run(command: Audit) -> Result<()> {
    let Audit::List { place, latest, json } = command;
    let latest = usize::try_from(latest).unwrap_or(usize::MAX);
    print(&Api::of(&place).await?.list(&["audit"], &[], latest).await?, json, line);
    Ok(())
}

fn line(entry: &Value) -> String {
    let status = entry["status"].as_u64().map_or_else(|| "...".to_owned(), |status| status.to_string());
    let [at, actor, method, path] = ["at", "actor", "method", "path"].map(|field| text(entry, field));
    format!("{at}  {status}  {method:<6} {path}  by {actor}")
}
