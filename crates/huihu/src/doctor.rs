//! What calls need, looked at: each check gathers facts, and its grade is a function of them.
//!
//! ```text
//! look (asks the system, the network, the database) ─▶ facts ─▶ judge (pure) ─▶ Diagnosis: ok │ warning │ fault, and the fix
//! ```
//!
//! It works beside a platform that serves, which it asks for what only that knows, and without one. It changes nothing:
//! not even the schema of an older database is brought up to date. Every look has a deadline of its own.

mod clock;
mod database;
mod disk;
mod limits;
mod names;
mod nat;
mod ports;
mod receivers;
mod speech;
mod trunks;

use std::future::Future;
use std::pin::Pin;

use anyhow::Result;
use tokio::task::JoinSet;

use crate::cli::Place;
use crate::commands::api::Api;
use crate::config::Config;
use crate::neighbour::{self, Table};

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    /// What was looked at, in one word.
    pub(crate) check: &'static str,
    pub(crate) grade: Grade,
    /// A sentence without its full stop.
    pub(crate) says: String,
    /// What to do; never empty where something is to be done.
    pub(crate) fix: String,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grade {
    Ok,
    /// Calls go on, and somebody should look.
    Warning,
    /// Calls fail, or will.
    Fault,
}

impl Grade {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Fault => "fault",
        }
    }
}

impl Diagnosis {
    fn ok(check: &'static str, says: impl Into<String>) -> Self {
        Self { check, grade: Grade::Ok, says: says.into(), fix: String::new() }
    }

    fn warning(check: &'static str, says: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, grade: Grade::Warning, says: says.into(), fix: fix.into() }
    }

    fn fault(check: &'static str, says: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, grade: Grade::Fault, says: says.into(), fix: fix.into() }
    }
}

/// Whether somebody serves from the data directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Platform {
    #[default]
    Off,
    On {
        /// The program that has its HTTP port, where the system tells.
        holder: Option<String>,
    },
}

/// Looks at everything, all at once; the diagnoses come in the order of the checks.
pub(crate) async fn examine(place: &Place, config: &Config) -> Result<Vec<Diagnosis>> {
    let platform = platform(place, config).await?;
    let trunks = trunks::look(place, config, platform != Platform::Off).await?;
    let (receivers, told) = receivers::look(config).await?;
    let clocks = clock::others(&trunks, told);
    let mut diagnoses = vec![serving(&platform)];
    diagnoses.extend(ports::check(config, &platform)?);
    diagnoses.extend(nat::check(config, &trunks)?);
    diagnoses.extend(clock::check(config, &clocks));
    diagnoses.extend(disk::check(&config.data_dir).await?);
    diagnoses.extend(names::check(config).await?);
    diagnoses.extend(database::check(&config.data_dir).await?);
    diagnoses.extend(trunks.iter().flat_map(trunks::judge));
    if trunks.is_empty() {
        diagnoses.push(trunks::none());
    }
    diagnoses.extend(receivers.iter().map(receivers::judge));
    diagnoses.extend(limits::check(config)?);
    diagnoses.extend(speech::check(config).await?);
    Ok(diagnoses)
}

/// Whether somebody serves, and who.
async fn platform(place: &Place, config: &Config) -> Result<Platform> {
    Ok(match Api::serving(place).await? {
        None => Platform::Off,
        Some(_) => {
            let there = console::announced(&config.data_dir);
            Platform::On { holder: there.and_then(|address| neighbour::holder(Table::Tcp, address)) }
        }
    })
}

fn serving(platform: &Platform) -> Diagnosis {
    Diagnosis::ok(
        "platform",
        match platform {
            Platform::Off => "nobody serves from the data directory".to_owned(),
            Platform::On { holder: None } => "the platform serves and answers".to_owned(),
            Platform::On { holder: Some(holder) } => format!("the platform serves and answers: {holder}"),
        },
    )
}

/// Does things at once, so many at most, and gives what came of them in their order.
async fn at_once<T: Send + 'static>(tasks: Vec<Pin<Box<dyn Future<Output = T> + Send>>>) -> Result<Vec<T>> {
    let mut waiting = tasks.into_iter().enumerate();
    let (mut running, mut done) = (JoinSet::new(), Vec::new());
    loop {
        while running.len() < AT_ONCE {
            let Some((place, task)) = waiting.next() else { break };
            running.spawn(async move { (place, task.await) });
        }
        let Some(ended) = running.join_next().await else { break };
        done.push(ended?);
    }
    done.sort_by_key(|(place, _)| *place);
    Ok(done.into_iter().map(|(_, came)| came).collect())
}

/// Looks of a kind at the same time.
const AT_ONCE: usize = 8;

/// The grade and the words of a diagnosis, for stories.
#[cfg(test)]
fn told(diagnosis: &Diagnosis) -> String {
    let Diagnosis { grade, says, fix, .. } = diagnosis;
    assert_eq!(*grade == Grade::Ok, fix.is_empty(), "who finds something says what to do: {says}");
    if fix.is_empty() { format!("ok: {says}") } else { format!("{}: {says}; {fix}", grade.word()) }
}
