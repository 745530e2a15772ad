//! `huihu clip`: the customers' voice files.

use std::path::Path;

use anyhow::{Context, Result};
use base::account::Review;
use speech::name::VoiceName;
use speech::shelf::Shelf;
use speech::wav;

use super::{admin, app_named, config};
use crate::cli::{Clip, OneClip, Place};
use crate::road::wall;
use crate::say;

pub(crate) async fn run(command: Clip) -> Result<()> {
    match command {
        Clip::Add { place, app, name, file, approve } => add(&place, &app, &name, &file, approve).await,
        Clip::Approve(one) => review(&one, Review::Approved).await,
        Clip::Reject(one) => review(&one, Review::Rejected).await,
        Clip::List { place, app } => {
            let admin = admin(&place).await?;
            let app = app_named(&admin, &app).await?;
            for line in admin.voice_files(app.id).await? {
                say(&format!("{:<32} {:?}", line.name, line.file.review));
            }
            Ok(())
        }
    }
}

async fn add(place: &Place, app: &str, name: &str, file: &Path, approve: bool) -> Result<()> {
    let name =
        VoiceName::parse(name).with_context(|| format!("{name:?} cannot be the name of a voice file"))?;
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let imported = wav::import(&bytes).with_context(|| format!("{} cannot be used", file.display()))?;
    let admin = admin(place).await?;
    let app = app_named(&admin, app).await?;
    let shelf = Shelf::open(config(place)?.data_dir.join("clips"))?;
    let clip = shelf.put(&imported.alaw)?;
    admin.add_voice_file(app.id, name.as_str(), clip, wall()).await?;
    if approve {
        admin.review_voice_file(app.id, name.as_str(), Review::Approved).await?;
    }
    for warning in imported.warnings() {
        say(&format!("note: {warning}"));
    }
    let state = if approve { "approved" } else { "waiting: huihu clip approve lets requests use it" };
    say(&format!("{} has {:.1} s of sound and is {state}", name.as_str(), imported.duration.as_secs_f32()));
    Ok(())
}

async fn review(one: &OneClip, review: Review) -> Result<()> {
    let admin = admin(&one.place).await?;
    let app = app_named(&admin, &one.app).await?;
    Ok(admin.review_voice_file(app.id, &one.name, review).await?)
}
