//! `huihu number`: what telephones may show.

use anyhow::{Result, bail};
use base::account::NumberState;
use store::Admin;

use super::{admin, app_named};
use crate::cli::{Number, OneNumber};
use crate::road::wall;
use crate::say;

pub(crate) async fn run(command: Number) -> Result<()> {
    match command {
        Number::Add(one) => {
            let admin = admin(&one.place).await?;
            let app = app_named(&admin, &one.app).await?;
            admin.add_number(app.id, &super::number(&one.number)?, wall()).await?;
        }
        Number::Pause(one) => set(&one, NumberState::Paused).await?,
        Number::Resume(one) => set(&one, NumberState::Active).await?,
        Number::Remove(one) => {
            let admin = owner(&one).await?;
            admin.remove_number(&super::number(&one.number)?).await?;
        }
        Number::List { place, app } => {
            let admin = admin(&place).await?;
            let app = app_named(&admin, &app).await?;
            for line in admin.numbers(app.id).await? {
                say(&format!("{} {:?}", line.number.number.as_str(), line.number.state));
            }
        }
    }
    Ok(())
}

async fn set(one: &OneNumber, state: NumberState) -> Result<()> {
    Ok(owner(one).await?.set_number_state(&super::number(&one.number)?, state).await?)
}

/// The operator's hand, once it is sure that the number is the named app's.
async fn owner(one: &OneNumber) -> Result<Admin> {
    let admin = admin(&one.place).await?;
    let app = app_named(&admin, &one.app).await?;
    let number = super::number(&one.number)?;
    if !admin.numbers(app.id).await?.iter().any(|line| line.number.number == number) {
        bail!(
            "{} is not a number of {}: `huihu number list --app {}` shows them",
            one.number,
            one.app,
            one.app
        );
    }
    Ok(admin)
}
