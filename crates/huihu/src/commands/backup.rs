//! `huihu backup`: the data directory in one file.

use anyhow::Result;
use tokio::task::spawn_blocking;

use super::config;
use crate::backup::manifest::Part;
use crate::backup::pack::{Extras, pack};
use crate::cli::Backup;
use crate::road::wall;
use crate::say;

pub(crate) async fn run(command: Backup) -> Result<()> {
    let Backup { place, file, recordings, with_key } = command;
    let dir = config(&place)?.data_dir;
    let extras = Extras { recordings, key: with_key };
    let (from, to) = (dir.clone(), file.clone());
    let packed = spawn_blocking(move || pack(&from, extras, wall(), &to)).await??;
    say(&format!("{} has {}, in {} bytes.", file.display(), packed.manifest.words(), packed.bytes));
    if packed.absent > 0 {
        say(&format!("{} recordings are known, and their files are not there any more.", packed.absent));
    }
    let key = Part::Key.path(&dir);
    say(&if with_key {
        "The key is inside: whoever has the file can read every secret. Keep it like a password.".to_owned()
    } else {
        format!(
            "The key is not inside: keep a copy of {} elsewhere, a restored directory needs it.",
            key.display()
        )
    });
    Ok(())
}
