//! Attempts belong to messages: one row for all pushes that travelled together.

use sea_orm_migration::prelude::*;

/// Makes the table anew, with one of the rows that the pushes of a message had each.
#[derive(DeriveMigrationName)]
pub(crate) struct Attempts;

#[async_trait::async_trait]
impl MigrationTrait for Attempts {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(STATEMENTS).await?;
        Ok(())
    }
}

/// Of what was sent and answered, one row of a message has it, and the others have nothing. No foreign key: a message
/// outlives its first push, whose number it has.
const STATEMENTS: &str = "
    CREATE TABLE message_attempt (message BIGINT NOT NULL, at BIGINT NOT NULL, took_millis BIGINT NOT NULL, \
        outcome TEXT NOT NULL, request TEXT, answer TEXT, PRIMARY KEY (message, at));
    INSERT INTO message_attempt SELECT push.message, attempt.at, MAX(attempt.took_millis), MAX(attempt.outcome), \
        MAX(attempt.request), MAX(attempt.answer) FROM attempt JOIN push ON push.id = attempt.push_id \
        WHERE push.message IS NOT NULL GROUP BY push.message, attempt.at;
    DROP TABLE attempt;
    ALTER TABLE message_attempt RENAME TO attempt;";
