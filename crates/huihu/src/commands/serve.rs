//! `huihu serve`: the platform itself.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use super::config;
use crate::cli::Serve;
use crate::house::House;
use crate::say;

pub(crate) async fn run(command: Serve) -> Result<()> {
    let mut config = config(&command.place)?;
    config.http = command.http.unwrap_or(config.http);
    if let Some(address) = command.sip {
        config.sip.listen = address.into();
    }
    let house = House::open(&config).await?;
    let ready = json!({"http": format!("http://{}", house.http), "sip": house.sip.to_string()});
    if let Some(file) = &command.ready_file {
        write_ready(file, &ready)?;
    }
    let listening: Vec<String> = house.listening.iter().map(ToString::to_string).collect();
    say(&format!("Huihu listens: HTTP on http://{}, SIP on {}", house.http, listening.join(", ")));
    asked_to_end().await?;
    end(house).await
}

/// Lets calls finish, and ends. Asked once more, it leaves them to the next start; once more, it just ends.
pub(crate) async fn end(house: House) -> Result<()> {
    if house.live() > 0 {
        say(&format!(
            "Ending: {} calls still run and may finish. Ask once more to end at once.",
            house.live()
        ));
    }
    tokio::select! {
        () = house.drain() => {}
        asked = asked_to_end() => asked?,
    }
    tokio::select! {
        () = house.close() => Ok(()),
        asked = asked_to_end() => asked,
    }
}

/// Waits until an operator or the system wants the process to end.
pub(crate) async fn asked_to_end() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot listen for Ctrl-C"),
    }
}

/// Writes the addresses for scripts, whole or not at all.
pub(crate) fn write_ready(file: &Path, ready: &Value) -> Result<()> {
    let half = file.with_extension("half");
    std::fs::write(&half, format!("{ready:#}\n"))
        .and_then(|()| std::fs::rename(&half, file))
        .with_context(|| format!("cannot write {}: choose another --ready-file", file.display()))
}
