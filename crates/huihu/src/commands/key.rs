//! `huihu key`: what requests are signed with.

use anyhow::Result;
use serde_json::json;

use super::{admin, app_named};
use crate::cli::Key;
use crate::road::wall;
use crate::say;

pub(crate) async fn run(command: Key) -> Result<()> {
    match command {
        Key::Create { place, app, json } => {
            let admin = admin(&place).await?;
            let app = app_named(&admin, &app).await?;
            let key = admin.create_key(app.id, wall()).await?;
            if json {
                say(&json!({"appKey": key.id, "appSecret": key.secret.expose()}).to_string());
            } else {
                say(&format!("app key     {}\napp secret  {}", key.id, key.secret.expose()));
                say("The secret is not shown again.");
            }
        }
        Key::List { place, app } => {
            let admin = admin(&place).await?;
            let app = app_named(&admin, &app).await?;
            for key in admin.keys(app.id).await? {
                say(&format!(
                    "{} {:?} since {}",
                    key.id,
                    key.state,
                    key.created_at.print("%Y-%m-%d %H:%M:%SZ")
                ));
            }
        }
        Key::Revoke { place, key } => admin(&place).await?.revoke_key(&key).await?,
    }
    Ok(())
}
