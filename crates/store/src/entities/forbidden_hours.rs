//! When nobody may be called: by an app, or by anybody.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "forbidden_hours")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub app_id: Option<i64>,
    pub from_minute: i16,
    pub to_minute: i16,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
