//! Huihu, the binary: the only room that knows all the others.
//!
//! `cli` says what can be typed, `commands/` what it does, `house` how the rooms are put together, `road` how a request
//! travels through them. Read `road` first.

mod backup;
mod cli;
mod client;
mod clips;
mod commands;
mod config;
mod doctor;
mod house;
mod http;
mod inbox;
mod logins;
mod names;
mod neighbour;
mod operator;
mod pressure;
mod promise;
mod recordings;
mod road;
mod room;
mod seats;
mod traces;
mod upkeep;
mod words;

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use cli::Cli;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            let whole = fault.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ");
            complain(&whole);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    log()?;
    keep_memory_private();
    // A second provider of TLS would have to be chosen each time; there is one.
    rustls::crypto::ring::default_provider().install_default().ok();
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(commands::run(cli.command))
}

/// Nothing of our memory, where secrets are in the clear, is written to a disk when we die, and no other process of our user
/// may look into it.
fn keep_memory_private() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let (core, others) =
        (setrlimit(Resource::Core, none), set_dumpable_behavior(DumpableBehavior::NotDumpable));
    if core.is_err() || others.is_err() {
        tracing::warn!("a crash may leave a core dump, which has secrets in it: `ulimit -c 0` forbids it");
    }
}

/// Logs go to standard error; `HUIHU_LOG=debug` says more of them.
fn log() -> Result<()> {
    let filter = match std::env::var("HUIHU_LOG") {
        Ok(filter) => {
            EnvFilter::try_new(&filter).with_context(|| format!("HUIHU_LOG={filter:?} is no log filter"))?
        }
        Err(_) => EnvFilter::new("warn"),
    };
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    Ok(())
}

/// Prints a line for the one who typed the command. A closed pipe is no fault: nobody reads any more.
fn say(line: &str) {
    writeln!(std::io::stdout().lock(), "{line}").ok();
}

/// Prints why the command failed.
fn complain(line: &str) {
    writeln!(std::io::stderr().lock(), "huihu: {line}").ok();
}
