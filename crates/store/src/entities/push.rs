//! A push that is owed or was made: the outbox and its own log.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "push")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub call: Vec<u8>,
    pub channel: i16,
    pub dialect: String,
    pub key: String,
    pub host: String,
    pub message: Option<i64>,
    pub row: Option<String>,
    pub state: i16,
    pub attempts: i32,
    pub at: i64,
    pub outcome: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
