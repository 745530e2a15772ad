//! Words that every migration writes its tables with. What one of them means never changes: databases were made of it.

use sea_orm_migration::prelude::*;

pub(super) fn table(name: &'static str, columns: Vec<ColumnDef>) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    for mut column in columns {
        table.col(&mut column);
    }
    table
}

pub(super) fn column(name: &'static str) -> ColumnDef {
    ColumnDef::new(name)
}

pub(super) fn id() -> ColumnDef {
    column("id").big_integer().not_null().auto_increment().primary_key().take()
}

pub(super) fn number(name: &'static str) -> ColumnDef {
    column(name).big_integer().not_null().take()
}

/// Microseconds since 1970.
pub(super) fn time(name: &'static str) -> ColumnDef {
    number(name)
}

pub(super) fn text(name: &'static str) -> ColumnDef {
    column(name).text().not_null().take()
}

/// A text that rows from before have too.
pub(super) fn defaults(name: &'static str, value: &'static str) -> ColumnDef {
    text(name).default(value).take()
}

/// A foreign key to the `id` of the owner's table.
pub(super) fn owned_by(
    table: &'static str,
    own_column: &'static str,
    owner: &'static str,
) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(table, own_column).to(owner, "id").take()
}
