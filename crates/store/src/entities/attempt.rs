//! An attempt that failed, of a message and so of all its pushes. The one that succeeds is told by the pushes themselves.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attempt")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub message: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub at: i64,
    pub took_millis: i64,
    pub outcome: String,
    pub request: Option<String>,
    pub answer: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
