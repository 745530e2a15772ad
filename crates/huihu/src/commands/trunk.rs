//! `huihu trunk`: the ways to carriers.

use anyhow::Result;
use serde_json::Value;

use super::api::Api;
use super::{ALL, print, text, words};
use crate::cli::Trunk;

pub(crate) async fn run(command: Trunk) -> Result<()> {
    let Trunk::List { place, json } = command;
    print(&Api::of(&place).await?.list(&["trunks"], &[], ALL).await?, json, line);
    Ok(())
}

fn line(trunk: &Value) -> String {
    let status = trunk["sip_status"].as_u64().map(|status| format!(" with SIP {status}")).unwrap_or_default();
    format!("{:<24} {}{status}", text(trunk, "peer"), words(trunk, "health"))
}
