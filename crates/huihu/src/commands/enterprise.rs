//! `huihu enterprise`: customers, and the parts of them that numbers are issued for.

use std::io::{BufRead, stdin};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::api::Api;
use super::{ALL, print, text, words};
use crate::cli::{Enterprise, Sub};
use crate::say;

pub(crate) async fn run(command: Enterprise) -> Result<()> {
    match command {
        Enterprise::Create { place, account, json } => {
            let made = Api::of(&place).await?.post(&["enterprises"], &json!({"account": account})).await?;
            if json {
                say(&made.to_string());
            }
            Ok(())
        }
        Enterprise::List { place, json } => {
            let line = |one: &Value| format!("{:<32} {}", text(one, "account"), words(one, "state"));
            print(&Api::of(&place).await?.list(&["enterprises"], &[], ALL).await?, json, line);
            Ok(())
        }
        Enterprise::Set { place, account, state } => {
            Api::of(&place).await?.patch(&["enterprises", &account], &json!({"state": state})).await.map(drop)
        }
        Enterprise::Password { place, account, none } => {
            let password = if none { Value::Null } else { typed()?.into() };
            let patch = json!({"password": password});
            Api::of(&place).await?.patch(&["enterprises", &account], &patch).await.map(drop)
        }
        Enterprise::Sub(command) => sub(command).await,
    }
}

async fn sub(command: Sub) -> Result<()> {
    const SUBS: &str = "sub_enterprises";
    match command {
        Sub::Create { place, account, name } => {
            let path = ["enterprises", &account, SUBS];
            Api::of(&place).await?.post(&path, &json!({"name": name})).await.map(drop)
        }
        Sub::List { place, account, json } => {
            let line = |one: &Value| format!("{:<32} {}", text(one, "name"), words(one, "state"));
            print(
                &Api::of(&place).await?.list(&["enterprises", &account, SUBS], &[], ALL).await?,
                json,
                line,
            );
            Ok(())
        }
        Sub::Set { place, account, name, state } => {
            let path = ["enterprises", &account, SUBS, &name];
            Api::of(&place).await?.patch(&path, &json!({"state": state})).await.map(drop)
        }
    }
}

/// A password is typed or piped in, so that it stands in no list of processes.
fn typed() -> Result<String> {
    let mut line = String::new();
    stdin().lock().read_line(&mut line).context("cannot read the password from standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
