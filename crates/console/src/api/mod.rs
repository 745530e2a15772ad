//! One file a noun: its shapes in JSON, its routes, and nothing that another noun needs.

pub(crate) mod apps;
pub(crate) mod audit;
pub(crate) mod bans;
pub(crate) mod calls;
pub(crate) mod clips;
pub(crate) mod enterprises;
pub(crate) mod explain;
pub(crate) mod extract;
pub(crate) mod hosts;
pub(crate) mod keys;
pub(crate) mod ladder;
pub(crate) mod lists;
pub(crate) mod numbers;
pub(crate) mod platform;
pub(crate) mod pushes;
pub(crate) mod rules;
pub(crate) mod templates;
pub(crate) mod trunks;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::parts::Parts;

/// All routes, below `/api/v1`.
pub(crate) fn routes() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new()
        .merge(platform::routes())
        .merge(enterprises::routes())
        .merge(apps::routes())
        .merge(keys::routes())
        .merge(numbers::routes())
        .merge(clips::routes())
        .merge(templates::routes())
        .merge(lists::routes())
        .merge(rules::routes())
        .merge(calls::routes())
        .merge(ladder::routes())
        .merge(pushes::routes())
        .merge(hosts::routes())
        .merge(trunks::routes())
        .merge(explain::routes())
        .merge(bans::routes())
        .merge(audit::routes())
}
