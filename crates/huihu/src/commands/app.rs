//! `huihu app`: the applications that may place calls.

use anyhow::Result;
use base::account::{AppState, PushSignature};
use base::order::ProductKind;
use serde_json::json;
use store::AppDraft;

use super::{admin, app_named, receiver};
use crate::cli::{App, Place, ProductName, Signature};
use crate::road::wall;
use crate::say;

pub(crate) async fn run(command: App) -> Result<()> {
    match command {
        App::Create { place, name, account, products, ports, status_url, fee_url, push_signature, json } => {
            let mut draft = AppDraft::new(&account, &name);
            draft.products = products.into_iter().map(kind).collect();
            draft.ports = ports.unwrap_or(draft.ports);
            draft.status_url = receiver(status_url.as_deref())?;
            draft.fee_url = receiver(fee_url.as_deref())?;
            draft.push_signature = signature(push_signature);
            let id = admin(&place).await?.create_app(&draft, wall()).await?;
            if json {
                say(&json!({"id": id, "name": name}).to_string());
            } else {
                say(&format!("App {name} was created. Now give it a key: huihu key create --app {name}"));
            }
            Ok(())
        }
        App::List { place, json } => list(&place, json).await,
        App::Pause { place, name } => set(&place, &name, AppState::Paused).await,
        App::Resume { place, name } => set(&place, &name, AppState::Active).await,
        App::Freeze { place, name } => set(&place, &name, AppState::Unavailable).await,
    }
}

async fn list(place: &Place, json: bool) -> Result<()> {
    for line in admin(place).await?.apps().await? {
        let app = &line.app;
        if json {
            let state = format!("{:?}", app.state).to_lowercase();
            say(&json!({"id": app.id, "name": app.name, "account": line.account, "state": state, "ports": app.ports})
                .to_string());
        } else {
            say(&format!("{:<24} {:<16} {:?}, {} ports", app.name, line.account, app.state, app.ports));
        }
    }
    Ok(())
}

async fn set(place: &Place, name: &str, state: AppState) -> Result<()> {
    let admin = admin(place).await?;
    let app = app_named(&admin, name).await?;
    Ok(admin.set_app_state(app.id, state).await?)
}

const fn kind(name: ProductName) -> ProductKind {
    match name {
        ProductName::Callback => ProductKind::Callback,
        ProductName::Code => ProductKind::Code,
    }
}

const fn signature(name: Signature) -> PushSignature {
    match name {
        Signature::Off => PushSignature::Off,
        Signature::Joined => PushSignature::Joined,
        Signature::Lines => PushSignature::Lines,
    }
}
