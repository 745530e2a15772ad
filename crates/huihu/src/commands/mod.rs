//! What each command does; one file a command.

pub(crate) mod app;
pub(crate) mod call;
pub(crate) mod clip;
pub(crate) mod demo;
pub(crate) mod dev;
pub(crate) mod key;
pub(crate) mod number;
pub(crate) mod record;
pub(crate) mod serve;
pub(crate) mod sign;

use anyhow::{Context, Result, bail};
use base::account::App;
use base::number::E164;
use base::url::PushUrl;
use store::{Admin, Store};

use crate::cli::Place;
use crate::config::Config;

/// The configuration that a command is about.
pub(crate) fn config(place: &Place) -> Result<Config> {
    let mut config = Config::load(place.config.as_deref())?;
    if let Some(dir) = &place.data_dir {
        config.data_dir.clone_from(dir);
    }
    Ok(config)
}

/// The operator's hand in the store that a command is about.
async fn admin(place: &Place) -> Result<Admin> {
    Ok(Admin::new(&Store::open(&config(place)?.data_dir).await?))
}

/// The app of that name.
async fn app_named(admin: &Admin, name: &str) -> Result<App> {
    let found = admin.apps().await?.into_iter().find(|line| *line.app.name == *name);
    match found {
        Some(line) => Ok(line.app),
        None => bail!("there is no app {name}: `huihu app list` shows them all"),
    }
}

fn number(text: &str) -> Result<E164> {
    E164::parse(text).with_context(|| format!("{text:?} is no telephone number"))
}

fn receiver(text: Option<&str>) -> Result<Option<PushUrl>> {
    let parse = |text: &str| PushUrl::parse(text).with_context(|| format!("{text:?} cannot take pushes"));
    text.map(parse).transpose()
}
