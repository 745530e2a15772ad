//! The tables as SeaORM sees them: one file each, nothing but columns.
//!
//! The journal's writer does not go through here (see [`crate::batch`]); everything else does.

pub(crate) mod api_key;
pub(crate) mod app;
pub(crate) mod attempt;
pub(crate) mod audit;
pub(crate) mod enterprise;
pub(crate) mod entry;
pub(crate) mod forbidden_hours;
pub(crate) mod idempotency;
pub(crate) mod limit_rule;
pub(crate) mod listed;
pub(crate) mod node;
pub(crate) mod number;
pub(crate) mod open_call;
pub(crate) mod push;
pub(crate) mod record;
pub(crate) mod setting;
pub(crate) mod sub_enterprise;
pub(crate) mod template;
pub(crate) mod voice_file;
