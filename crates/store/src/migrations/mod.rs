//! The schema's history: one file a step, in order, never changed once released.

mod m0001_start;
mod m0002_rules;

use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait};

/// Brings a database from whatever step it is at to the last one.
pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_start::Start), Box::new(m0002_rules::Rules)]
    }
}
