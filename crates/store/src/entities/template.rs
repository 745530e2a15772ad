//! A text or a menu of an enterprise that may be spoken.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "template")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub enterprise_id: i64,
    pub name: String,
    pub text: String,
    pub speed: i16,
    pub review: String,
    pub note: Option<String>,
    pub created_at: i64,
    pub changed_at: i64,
    pub kind: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
