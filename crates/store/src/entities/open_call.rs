//! A call that was promised and is not over.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "open_call")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub call: Vec<u8>,
    pub node: String,
    pub epoch: i64,
    pub entries: String,
    pub after: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
