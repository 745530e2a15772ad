//! Calls that a start has closed stay known until their legs are surely gone.

use sea_orm_migration::prelude::*;

/// Makes the table.
#[derive(DeriveMigrationName)]
pub(crate) struct Unreleased;

#[async_trait::async_trait]
impl MigrationTrait for Unreleased {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(TABLE).await?;
        Ok(())
    }
}

/// `entries` has the numbers of what was known of the call before it was closed. No index: it has rows after a crash only.
const TABLE: &str = "CREATE TABLE unreleased (call BLOB NOT NULL PRIMARY KEY, node TEXT NOT NULL, \
                     closed_at BIGINT NOT NULL, entries TEXT NOT NULL)";
