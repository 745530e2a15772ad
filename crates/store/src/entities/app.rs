//! An application of an enterprise.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "app")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub enterprise_id: i64,
    pub name: String,
    pub state: String,
    pub products: String,
    pub ports: i64,
    pub recording: bool,
    pub status_url: Option<String>,
    pub fee_url: Option<String>,
    pub push_signature: String,
    pub created_at: i64,
    pub phase: String,
    pub hold: Option<String>,
    pub addresses: String,
    pub origin: String,
    pub requests_per_minute: Option<i64>,
    pub callees_allowed: bool,
    pub answered_calls: Option<i64>,
    pub answered_percent: Option<i16>,
    pub short_calls: Option<i64>,
    pub short_millis: Option<i64>,
    pub short_percent: Option<i16>,
    pub push_profile: String,
    pub recording_days: Option<i64>,
    pub report_url: Option<String>,
    pub report_codes: String,
    pub report_numbers: String,
    pub menus_are: i16,
    pub lengths: String,
    pub destinations: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
