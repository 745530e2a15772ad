//! What keeps an installation sound.

use std::path::PathBuf;

use clap::Args;

use super::Place;

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The new file
    pub(crate) file: PathBuf,
    /// Put the recordings in too
    #[arg(long)]
    pub(crate) recordings: bool,
    /// Put the key in that opens the secrets: whoever has the file has them then
    #[arg(long)]
    pub(crate) with_key: bool,
}

#[derive(Debug, Args)]
#[group(id = "RestoreHow", required = true, multiple = false)]
pub(crate) struct RestoreHow {
    /// Check everything and change nothing
    #[arg(long)]
    pub(crate) verify: bool,
    /// Make this folder, which must be empty, a data directory of it
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) how: RestoreHow,
}
