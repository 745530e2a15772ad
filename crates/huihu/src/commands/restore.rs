//! `huihu restore`: a backup, checked, or made a data directory again.

use std::path::Path;

use anyhow::{Context, Result, bail};
use base::time::Timestamp;
use store::Inspection;
use tokio::task::spawn_blocking;

use crate::backup::manifest::{Manifest, Part};
use crate::backup::unpack::{Take, empty, is_empty, make, unpack};
use crate::backup::{Scratch, passing_name};
use crate::cli::Restore;
use crate::say;

pub(crate) async fn run(command: Restore) -> Result<()> {
    let Restore { file, how } = command;
    let lines = spawn_blocking(move || match how.to {
        Some(dir) => restore(&file, &dir),
        None => verify(&file),
    });
    for line in lines.await?? {
        say(&line);
    }
    Ok(())
}

/// Checks everything, in a folder of its own that goes away again.
fn verify(file: &Path) -> Result<Vec<String>> {
    let scratch = Scratch::new(std::env::temp_dir().join(passing_name("huihu-restore")))?;
    let manifest = unpack(file, Take::Database, scratch.path())?;
    let mut lines = vec![made(file, &manifest)];
    lines.extend(judge(scratch.path(), &manifest)?);
    lines.push("The backup is sound; `--to DIR` makes a data directory of it.".to_owned());
    Ok(lines)
}

/// Makes a data directory of a backup, all of it or nothing.
fn restore(file: &Path, dir: &Path) -> Result<Vec<String>> {
    if !is_empty(dir)? {
        bail!("{} is not empty: name a folder that is, or is not there yet", dir.display());
    }
    let dir = make(dir)?;
    let restored = unpack(file, Take::Everything, &dir)
        .and_then(|manifest| judge(&dir, &manifest).map(|lines| (manifest, lines)));
    let (manifest, judged) = restored.inspect_err(|_| empty(&dir))?;
    let mut lines = vec![made(file, &manifest)];
    lines.extend(judged);
    lines.push(format!(
        "{} is a data directory again. Start with it: huihu serve --data-dir {0}",
        dir.display()
    ));
    if !manifest.has(Part::Key) {
        let key = Part::Key.path(&dir).display().to_string();
        lines.push(format!(
            "Before that, put the key of the old data directory there as {key} and `chmod 600` it: without it nobody can \
             open the secrets of apps."
        ));
    }
    Ok(lines)
}

fn made(file: &Path, manifest: &Manifest) -> String {
    let at = manifest.made_at.print("%Y-%m-%d %H:%M:%S UTC");
    format!("{} was made at {at} by huihu {}: {}.", file.display(), manifest.program, manifest.words())
}

/// What can be said of a restored database; the error is that it cannot be used.
fn judge(dir: &Path, manifest: &Manifest) -> Result<Vec<String>> {
    let mut database = Inspection::open(dir)?;
    if let Some(first) = database.broken()?.into_iter().next() {
        bail!("the database in it is broken ({first}): take another backup");
    }
    if let Some(step) = database.schema()?.unknown.into_iter().next() {
        bail!("a newer huihu made its database ({step} is unknown here): install that version, then restore");
    }
    if manifest.has(Part::Key) {
        database.check_key().context("the key in it does not fit its database")?;
    }
    let books = database.books(Timestamp::default(), Timestamp::from_micros(i64::MAX))?;
    let calls: u64 = books.days.iter().map(|day| day.accepted).sum();
    let mut lines = vec![if books.add_up() {
        format!("The database is whole, and its {calls} calls add up.")
    } else {
        format!(
            "The database is whole, and {} of its {calls} calls do not add up: `huihu record audit` lists them.",
            books.flawed.len()
        )
    }];
    lines.extend(database.open_calls()?.into_iter().map(|open| {
        format!(
            "{} calls were under way on {}: the first start with node = {:?} closes them, as after a crash.",
            open.calls, open.node, open.node
        )
    }));
    Ok(lines)
}
