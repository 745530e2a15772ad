//! `huihu ban`: addresses that failed too often to prove who they are.

use anyhow::Result;
use serde_json::Value;

use super::api::Api;
use super::{ALL, print, text};
use crate::cli::Ban;

pub(crate) async fn run(command: Ban) -> Result<()> {
    match command {
        Ban::List { place, json } => {
            let line = |ban: &Value| format!("{:<40} until {}", text(ban, "address"), text(ban, "until"));
            print(&Api::of(&place).await?.list(&["bans"], &[], ALL).await?, json, line);
            Ok(())
        }
        Ban::Lift { place, address } => Api::of(&place).await?.delete(&["bans", &address]).await.map(drop),
    }
}
