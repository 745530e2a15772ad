//! What operators lay down: states, lists, limits, hours, templates; counts against the limits; who changed what.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use super::columns::{column, defaults, id, number, owned_by, table, text, time};

/// Adds the tables and columns.
#[derive(DeriveMigrationName)]
pub(crate) struct Rules;

#[async_trait::async_trait]
impl MigrationTrait for Rules {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        for (table, columns) in columns() {
            for mut column in columns {
                manager.alter_table(Table::alter().table(table).add_column(&mut column).take()).await?;
            }
        }
        let connection = manager.get_connection();
        // SQLite would keep such a table twice: once by a number that nobody asks for.
        let sqlite = connection.get_database_backend() == DbBackend::Sqlite;
        let sorted = if sqlite { " WITHOUT ROWID" } else { "" };
        connection.execute_unprepared(&format!("{COUNTS}{sorted}")).await?;
        if sqlite {
            // No other engine has records from before.
            connection.execute_unprepared(FILL).await?;
        }
        for statement in STATEMENTS {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table(
            "sub_enterprise",
            vec![id(), number("enterprise_id"), text("name"), text("state"), time("created_at")],
        )
        .foreign_key(&mut owned_by("sub_enterprise", "enterprise_id", "enterprise"))
        .index(Index::create().unique().col("enterprise_id").col("name"))
        .take(),
        table(
            "template",
            vec![
                text("id").primary_key().take(),
                number("enterprise_id"),
                text("name"),
                text("text"),
                column("speed").small_integer().not_null().take(),
                text("review"),
                column("note").text().take(),
                time("created_at"),
                time("changed_at"),
            ],
        )
        .foreign_key(&mut owned_by("template", "enterprise_id", "enterprise"))
        .take(),
        table(
            "listed",
            vec![id(), text("kind"), of_app(), text("value"), column("note").text().take(), time("added_at")],
        )
        .foreign_key(&mut owned_by("listed", "app_id", "app"))
        .take(),
        table("limit_rule", vec![id(), of_app(), text("counted"), text("per"), number("calls")])
            .foreign_key(&mut owned_by("limit_rule", "app_id", "app"))
            .take(),
        table(
            "forbidden_hours",
            vec![
                id(),
                of_app(),
                column("from_minute").small_integer().not_null().take(),
                column("to_minute").small_integer().not_null().take(),
            ],
        )
        .foreign_key(&mut owned_by("forbidden_hours", "app_id", "app"))
        .take(),
        table(
            "audit",
            vec![
                id(),
                time("at"),
                text("who"),
                text("action"),
                text("what"),
                // What came of it; empty for ever when the process died on the way.
                column("status").small_integer().take(),
                column("before").text().take(),
                column("after").text().take(),
            ],
        ),
        table(
            "idempotency",
            vec![
                text("key").primary_key().take(),
                column("digest").binary_len(32).not_null().take(),
                // Empty while the first request is at work.
                column("status").small_integer().take(),
                column("content_type").text().take(),
                column("answer").binary().take(),
                time("at"),
            ],
        ),
    ]
}

fn columns() -> Vec<(&'static str, Vec<ColumnDef>)> {
    vec![
        ("enterprise", vec![defaults("state", "active"), column("sealed_password").binary().take()]),
        ("number", vec![column("sub_enterprise_id").big_integer().take()]),
        // Until when requests may name it; empty: for ever.
        ("api_key", vec![column("valid_until").big_integer().take()]),
        (
            "app",
            vec![
                defaults("phase", "commercial"),
                column("hold").text().take(),
                // Blocks, joined by commas.
                defaults("addresses", ""),
                defaults("origin", "any"),
                column("requests_per_minute").big_integer().take(),
                // Whether only listed people may be called.
                column("callees_allowed").boolean().not_null().default(false).take(),
                column("answered_calls").big_integer().take(),
                column("answered_percent").small_integer().take(),
                column("short_calls").big_integer().take(),
                column("short_millis").big_integer().take(),
                column("short_percent").small_integer().take(),
                defaults("push_profile", "compat"),
                column("recording_days").big_integer().take(),
            ],
        ),
        (
            "record",
            vec![
                column("shown_a").text().take(),
                column("shown_b").text().take(),
                column("user_data").text().take(),
                // 0: none, 1: its file is kept, 2: its file is removed.
                column("recording").small_integer().not_null().default(0).take(),
            ],
        ),
        // What was sent and what came back, for those that failed.
        ("attempt", vec![column("request").text().take(), column("answer").text().take()]),
    ]
}

/// The app that a rule is for; empty: everybody.
fn of_app() -> ColumnDef {
    column("app_id").big_integer().take()
}

/// Found by window first, so that the counts of windows that are over lie together.
const COUNTS: &str = "CREATE TABLE charge_count (per SMALLINT NOT NULL, began BIGINT NOT NULL, \
                      counted SMALLINT NOT NULL, owner BIGINT NOT NULL, subject TEXT NOT NULL, \
                      calls BIGINT NOT NULL, PRIMARY KEY (per, began, counted, owner, subject))";

/// Records from before are found as the later ones are.
const FILL: &str = "UPDATE record SET user_data = json_extract(record, '$.call.user_data'), \
                    shown_a = COALESCE(json_extract(record, '$.call.product.Callback.shown_to_caller'), \
                    json_extract(record, '$.call.product.Code.shown')), \
                    shown_b = json_extract(record, '$.call.product.Callback.shown_to_callee')";

/// Records are looked up by number, app and user data, always in the order of calls: each index ends with the call, so
/// that a page is read from its place on. A record is written once, when its call is over.
const STATEMENTS: &[&str] = &[
    "CREATE UNIQUE INDEX listed_once ON listed (kind, COALESCE(app_id, 0), value)",
    "CREATE UNIQUE INDEX limit_once ON limit_rule (COALESCE(app_id, 0), counted, per)",
    "CREATE UNIQUE INDEX hours_once ON forbidden_hours (COALESCE(app_id, 0), from_minute, to_minute)",
    "CREATE INDEX idempotency_at ON idempotency (at)",
    "CREATE INDEX template_of ON template (enterprise_id, id)",
    "DROP INDEX record_dialled_a",
    "DROP INDEX record_dialled_b",
    "CREATE INDEX record_dialled_a ON record (dialled_a, call)",
    "CREATE INDEX record_dialled_b ON record (dialled_b, call) WHERE dialled_b IS NOT NULL",
    "CREATE INDEX record_shown_a ON record (shown_a, call) WHERE shown_a IS NOT NULL",
    "CREATE INDEX record_shown_b ON record (shown_b, call) WHERE shown_b IS NOT NULL",
    "CREATE INDEX record_user_data ON record (user_data, call) WHERE user_data IS NOT NULL",
    "CREATE INDEX record_app ON record (app_id, call)",
    "CREATE INDEX record_recording ON record (app_id, call) WHERE recording = 1",
    "CREATE INDEX push_deferred_call ON push (call, id) WHERE state = 1",
];
