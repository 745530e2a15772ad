//! How many calls there may be: of an app, or of each on the platform.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "limit_rule")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub app_id: Option<i64>,
    pub counted: String,
    pub per: String,
    pub calls: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
