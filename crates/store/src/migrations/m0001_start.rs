//! The first schema: accounts, the journal, what is concluded from it, and the outbox.
//!
//! Times are microseconds since 1970 and call ids are 16 bytes that sort by age, on every engine. States are
//! words, except in the hot tables, where they are small numbers that partial indexes name.

use sea_orm_migration::prelude::*;

use super::columns::{column, id, number, owned_by, table, text, time};

/// Makes all tables.
#[derive(DeriveMigrationName)]
pub(crate) struct Start;

#[async_trait::async_trait]
impl MigrationTrait for Start {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in accounts().into_iter().chain(calls()) {
            manager.create_table(table).await?;
        }
        let connection = manager.get_connection();
        for index in INDEXES {
            connection.execute_unprepared(index).await?;
        }
        connection
            .execute_unprepared("INSERT INTO setting (name, value) VALUES ('config_version', '1')")
            .await?;
        Ok(())
    }
}

/// Customers and what belongs to them. Small tables, read whole at each change.
fn accounts() -> Vec<TableCreateStatement> {
    vec![
        table("enterprise", vec![id(), text("name").unique_key().take(), time("created_at")]),
        table(
            "app",
            vec![
                id(),
                number("enterprise_id"),
                text("name"),
                text("state"),
                text("products"),
                number("ports"),
                column("recording").boolean().not_null().take(),
                column("status_url").text().take(),
                column("fee_url").text().take(),
                text("push_signature"),
                time("created_at"),
            ],
        )
        .foreign_key(&mut owned_by("app", "enterprise_id", "enterprise"))
        .index(Index::create().unique().col("enterprise_id").col("name"))
        .take(),
        table(
            "api_key",
            vec![
                text("id").primary_key().take(),
                number("app_id"),
                column("sealed_secret").binary().not_null().take(),
                text("state"),
                time("created_at"),
            ],
        )
        .foreign_key(&mut owned_by("api_key", "app_id", "app"))
        .take(),
        table(
            "number",
            vec![
                id(),
                number("app_id"),
                // A number belongs to one app of the whole platform.
                text("number").unique_key().take(),
                text("state"),
                time("added_at"),
            ],
        )
        .foreign_key(&mut owned_by("number", "app_id", "app"))
        .take(),
        table(
            "voice_file",
            vec![id(), number("app_id"), text("name"), text("clip"), text("review"), time("added_at")],
        )
        .foreign_key(&mut owned_by("voice_file", "app_id", "app"))
        .index(Index::create().unique().col("app_id").col("name"))
        .take(),
        table("setting", vec![text("name").primary_key().take(), text("value")]),
        table("node", vec![text("name").primary_key().take(), number("epoch"), time("heartbeat_at")]),
    ]
}

/// Calls and what is owed for them. They outlive the app they belonged to, so nothing refers to it by force.
///
/// Every commit writes each page that it touched, so the hot tables only grow at their end: the journal has no index
/// by call. The record of a call lists its entries instead, and an open call says where to begin to look.
fn calls() -> Vec<TableCreateStatement> {
    vec![
        table(
            "open_call",
            vec![
                call_id("call").primary_key().take(),
                text("node"),
                number("epoch"),
                // The numbers of its entries, as far as they were gathered; the others come after `after`.
                text("entries"),
                number("after"),
            ],
        ),
        table(
            "entry",
            vec![
                written_id(),
                call_id("call"),
                number("seq"),
                time("at"),
                text("fact"),
                // The pushes that follow from it: the number of the first, and how many.
                number("push"),
                number("pushes"),
            ],
        ),
        table(
            "record",
            vec![
                call_id("call").primary_key().take(),
                number("app_id"),
                time("ended_at"),
                text("dialled_a"),
                column("dialled_b").text().take(),
                text("record"),
                // The numbers of its entries.
                text("entries"),
            ],
        ),
        table(
            "push",
            vec![
                written_id(),
                call_id("call"),
                column("channel").small_integer().not_null().take(),
                text("dialect"),
                text("key"),
                text("host"),
                // The message it travelled in at its first attempt: later attempts carry the same rows.
                column("message").big_integer().take(),
                // What it tells; for a fee record that is the record of the call, which is not stored twice.
                column("row").text().take(),
                column("state").small_integer().not_null().take(),
                column("attempts").integer().not_null().take(),
                // When it fell due or will; once it is settled, when that was.
                time("at"),
                column("outcome").text().take(),
            ],
        ),
        table("attempt", vec![id(), number("push_id"), time("at"), number("took_millis"), text("outcome")])
            .foreign_key(&mut owned_by("attempt", "push_id", "push"))
            .take(),
    ]
}

/// Both engines know partial indexes: each holds only the rows that somebody waits for.
const INDEXES: &[&str] = &[
    "CREATE INDEX record_dialled_a ON record (dialled_a)",
    "CREATE INDEX record_dialled_b ON record (dialled_b) WHERE dialled_b IS NOT NULL",
    "CREATE INDEX push_fresh ON push (host, id) WHERE state = 0",
    "CREATE INDEX push_deferred ON push (at, id) WHERE state = 1",
    "CREATE INDEX push_message ON push (message) WHERE message IS NOT NULL",
    "CREATE INDEX push_parked ON push (id) WHERE state = 3",
    "CREATE INDEX attempt_push ON attempt (push_id)",
];

/// A number that the journal's writer counts itself.
fn written_id() -> ColumnDef {
    column("id").big_integer().not_null().primary_key().take()
}

fn call_id(name: &'static str) -> ColumnDef {
    column(name).binary_len(16).not_null().take()
}
