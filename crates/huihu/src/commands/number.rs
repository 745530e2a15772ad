//! `huihu number`: what telephones may show.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::api::{Api, Refused};
use super::{ALL, print, text, words};
use crate::cli::{Number, OneNumber};

pub(crate) async fn run(command: Number) -> Result<()> {
    match command {
        Number::Add(one) => {
            let number = super::number(&one.number)?;
            let api = Api::of(&one.place).await?;
            let app = api.app_id(&one.app).await?;
            api.post(&["apps", &app, "numbers"], &json!({"number": number})).await.map(drop)
        }
        Number::Pause(one) => change(&one, &json!({"state": "paused"})).await,
        Number::Resume(one) => change(&one, &json!({"state": "active"})).await,
        Number::Assign { one, sub } => change(&one, &json!({"sub_enterprise": sub})).await,
        Number::Remove(one) => {
            let number = super::number(&one.number)?;
            let api = Api::of(&one.place).await?;
            let app = api.app_id(&one.app).await?;
            own(&one, api.delete(&["apps", &app, "numbers", number.digits()]).await)
        }
        Number::List { place, app, json } => {
            let api = Api::of(&place).await?;
            let app = api.app_id(&app).await?;
            print(&api.list(&["apps", &app, "numbers"], &[], ALL).await?, json, line);
            Ok(())
        }
    }
}

async fn change(one: &OneNumber, patch: &Value) -> Result<()> {
    let number = super::number(&one.number)?;
    let api = Api::of(&one.place).await?;
    let app = api.app_id(&one.app).await?;
    own(one, api.patch(&["apps", &app, "numbers", number.digits()], patch).await)
}

/// Says where to look when the number is not the app's.
fn own(one: &OneNumber, outcome: Result<Value>) -> Result<()> {
    let Err(fault) = outcome else { return Ok(()) };
    let missing = fault.downcast_ref::<Refused>().is_some_and(|refused| refused.concerns(&one.number));
    if missing {
        let OneNumber { app, number, .. } = one;
        bail!("{number} is not a number of {app}: `huihu number list --app {app}` shows them");
    }
    Err(fault)
}

fn line(number: &Value) -> String {
    let sub = number["sub_enterprise"].as_str().map(|sub| format!(", issued for {sub}")).unwrap_or_default();
    format!("{} {}{sub}", text(number, "number"), words(number, "state"))
}
