//! `huihu trunk`: the ways to carriers.

pub(crate) mod registration;
pub(crate) mod test;

use anyhow::Result;
use serde_json::Value;

use self::test::Numbers;
use super::api::Api;
use super::{ALL, print, text, words};
use crate::cli::Trunk;

pub(crate) async fn run(command: Trunk) -> Result<()> {
    match command {
        Trunk::List { place, json } => {
            print(&Api::of(&place).await?.list(&["trunks"], &[], ALL).await?, json, line);
            Ok(())
        }
        Trunk::Test { place, name, call, shown } => {
            let call = call.map(|dialled| Numbers::read(&dialled, shown.as_deref())).transpose()?;
            test::run(&place, &name, call).await
        }
    }
}

fn line(trunk: &Value) -> String {
    let number = |field: &str| trunk[field].as_u64();
    let status =
        number("sip_status").map(|status| format!(", last failed with SIP {status}")).unwrap_or_default();
    let fault = trunk["connection_fault"].as_str().map(|fault| format!(", not reached: {fault}"));
    let calls = match (number("calls").unwrap_or(0), number("calls_max")) {
        (calls, Some(max)) => format!("{calls} of {max} calls"),
        (calls, None) => format!("{calls} calls"),
    };
    let seen_as =
        trunk["seen_as"].as_str().map(|address| format!(", sees us as {address}")).unwrap_or_default();
    let peers: Vec<&str> =
        trunk["peers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    format!(
        "{:<16} {:<12} since {}  {calls:<16} {}{seen_as}{status}{}",
        text(trunk, "name"),
        words(trunk, "health"),
        text(trunk, "since"),
        peers.join(", "),
        fault.unwrap_or_default(),
    )
}
