//! The record of a call that is over, and where its entries are.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "record")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub call: Vec<u8>,
    pub app_id: i64,
    pub ended_at: i64,
    pub dialled_a: String,
    pub dialled_b: Option<String>,
    pub record: String,
    pub entries: String,
    pub shown_a: Option<String>,
    pub shown_b: Option<String>,
    pub user_data: Option<String>,
    pub recording: i16,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
