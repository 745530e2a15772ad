//! Menus and reports: kinds of templates, temporary keys, and how an app is told of calls that are over.

use sea_orm_migration::prelude::*;

use super::columns::{column, defaults};

/// Adds the columns, and the number from which templates are counted.
#[derive(DeriveMigrationName)]
pub(crate) struct Voices;

#[async_trait::async_trait]
impl MigrationTrait for Voices {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, columns) in columns() {
            for mut column in columns {
                manager.alter_table(Table::alter().table(table).add_column(&mut column).take()).await?;
            }
        }
        manager.get_connection().execute_unprepared(COUNTER).await?;
        Ok(())
    }
}

fn columns() -> Vec<(&'static str, Vec<ColumnDef>)> {
    vec![
        ("template", vec![defaults("kind", "placed")]),
        // What requests must show besides; only a temporary key has it.
        ("api_key", vec![column("sealed_token").binary().take()]),
        (
            "app",
            vec![
                column("report_url").text().take(),
                defaults("report_codes", "status"),
                defaults("report_numbers", "number"),
                // What reports call a menu.
                column("menus_are").small_integer().not_null().default(2).take(),
                defaults("lengths", "wide"),
            ],
        ),
    ]
}

/// The number that was given last to a template. It only counts up, so that no number is given twice.
const COUNTER: &str = "INSERT INTO setting (name, value) VALUES ('template_number', '200000')";
