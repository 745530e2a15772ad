//! What each command does; one file a command.

pub(crate) mod api;
mod app;
mod audit;
mod backup;
mod ban;
pub(crate) mod call;
mod clip;
pub(crate) mod demo;
pub(crate) mod dev;
mod doctor;
mod enterprise;
mod explain;
mod key;
mod limit;
mod list;
mod number;
mod push;
pub(crate) mod record;
mod restore;
pub(crate) mod serve;
mod sign;
mod template;
pub(crate) mod trunk;
mod voice;

use anyhow::{Context, Result};
use base::number::E164;
use serde_json::Value;

use self::api::Api;
use crate::cli::{Command, Place};
use crate::config::Config;
use crate::say;

/// Does what was typed.
pub(crate) async fn run(command: Command) -> Result<()> {
    match command {
        Command::Dev(command) => dev::run(command).await,
        Command::Serve(command) => serve::run(command).await,
        Command::Call(command) => call::run(command).await,
        Command::Sign(command) => sign::run(&command),
        Command::Explain(command) => explain::run(&command).await,
        Command::Enterprise(command) => enterprise::run(command).await,
        Command::App(command) => app::run(command).await,
        Command::Key(command) => key::run(command).await,
        Command::Number(command) => number::run(command).await,
        Command::Clip(command) => clip::run(command).await,
        Command::Template(command) => template::run(command).await,
        Command::List(command) => list::run(command).await,
        Command::Limit(command) => limit::run(command).await,
        Command::Trunk(command) => trunk::run(command).await,
        Command::Voice(command) => voice::run(command).await,
        Command::Ban(command) => ban::run(command).await,
        Command::Record(command) => record::run(command).await,
        Command::Push(command) => push::run(command).await,
        Command::Audit(command) => audit::run(command).await,
        Command::Doctor(command) => doctor::run(&command).await,
        Command::Backup(command) => backup::run(command).await,
        Command::Restore(command) => restore::run(command).await,
        Command::Openapi => openapi(),
    }
}

/// The configuration that a command is about.
pub(crate) fn config(place: &Place) -> Result<Config> {
    let mut config = Config::load(place.config.as_deref())?;
    if let Some(dir) = &place.data_dir {
        config.data_dir.clone_from(dir);
    }
    Ok(config)
}

fn openapi() -> Result<()> {
    say(&console::document().to_pretty_json().context("the document is no JSON")?);
    Ok(())
}

fn number(text: &str) -> Result<E164> {
    E164::parse(text).with_context(|| format!("{text:?} is no telephone number"))
}

/// Prints items: JSON as it came, one a line, or a line for people.
fn print(items: &[Value], json: bool, line: impl Fn(&Value) -> String) {
    for item in items {
        say(&if json { item.to_string() } else { line(item) });
    }
}

/// A text of an item; empty when there is none.
fn text<'a>(item: &'a Value, field: &str) -> &'a str {
    item[field].as_str().unwrap_or("")
}

/// A word of the API as people read it: `in_arrears` is `in arrears`.
fn words(item: &Value, field: &str) -> String {
    text(item, field).replace('_', " ")
}

/// Where the rules of an app lie, or those of the platform.
async fn rules(api: &Api, app: Option<&str>) -> Result<Vec<String>> {
    Ok(match app {
        Some(app) => vec!["apps".to_owned(), api.app_id(app).await?],
        None => Vec::new(),
    })
}

/// A path made of owned and borrowed segments.
fn path<'a>(root: &'a [String], rest: &[&'a str]) -> Vec<&'a str> {
    root.iter().map(String::as_str).chain(rest.iter().copied()).collect()
}

/// As many items as there are.
const ALL: usize = usize::MAX;
