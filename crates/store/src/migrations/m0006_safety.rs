//! Where an app may call, and which requests were taken, so that none is taken again after a restart.

use sea_orm_migration::prelude::*;

use super::columns::defaults;

/// Adds the column and makes the table.
#[derive(DeriveMigrationName)]
pub(crate) struct Safety;

#[async_trait::async_trait]
impl MigrationTrait for Safety {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut destinations = defaults("destinations", "");
        manager.alter_table(Table::alter().table("app").add_column(&mut destinations).take()).await?;
        for text in [TABLE, BY_TIME] {
            manager.get_connection().execute_unprepared(text).await?;
        }
        Ok(())
    }
}

/// `name` is a short hash of nonce and time; `until` is in microseconds since 1970.
const TABLE: &str = "CREATE TABLE seen_request (key TEXT NOT NULL, name BLOB NOT NULL, until BIGINT NOT NULL, \
                     PRIMARY KEY (key, name)) WITHOUT ROWID";

/// By which they are forgotten.
const BY_TIME: &str = "CREATE INDEX seen_request_by_time ON seen_request (until)";
