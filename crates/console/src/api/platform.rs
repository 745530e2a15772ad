//! The platform itself: its version, whether it is well, and this API's document.

use std::sync::Arc;

use axum::extract::{Json, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::parts::Parts;
use crate::problem::Problem;
use crate::router::document;
use crate::time::Time;

/// Which program answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Version {
    /// The name of the program.
    #[schema(example = "huihu")]
    name: &'static str,
    /// Its version.
    version: &'static str,
    /// The version of this API; it grows when a client must change.
    api: u32,
}

/// Whether the platform is well.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// What the platform's clock says.
    now: Time,
    /// Whether it takes calls; false when the command line answers for a platform that does not run.
    serving: bool,
    /// Calls that run now; null when it is not serving.
    #[schema(required)]
    live_calls: Option<usize>,
    /// Pushes that were given up and wait for somebody to send them again.
    parked_pushes: u64,
}

/// The version of the program and of this API.
#[utoipa::path(
    get, path = "/version", tag = "platform", operation_id = "get_version",
    responses((status = 200, description = "The version.", body = Version))
)]
pub(crate) async fn version() -> Json<Version> {
    Json(Version { name: "huihu", version: env!("CARGO_PKG_VERSION"), api: 1 })
}

/// Whether the platform is well: it answers, and its database can be read.
#[utoipa::path(
    get, path = "/health", tag = "platform", operation_id = "get_health",
    responses((status = 200, description = "The platform is well.", body = Health))
)]
pub(crate) async fn health(State(parts): State<Arc<Parts>>) -> Result<Json<Health>, Problem> {
    parts.admin.apps_page(&store::admin::AppPick::default(), None, 1).await?;
    let parked_pushes = parts.admin.parked_pushes().await?;
    let live_calls = parts.house.as_ref().map(|house| house.live());
    Ok(Json(Health { now: (parts.clock)().into(), serving: live_calls.is_some(), live_calls, parked_pushes }))
}

/// This API's OpenAPI 3.1 document.
#[utoipa::path(
    get, path = "/openapi.json", tag = "platform", operation_id = "get_openapi",
    responses((status = 200, description = "The document.", body = serde_json::Value, content_type = "application/json"))
)]
pub(crate) async fn openapi() -> Response {
    match document().to_json() {
        Ok(document) => ([(CONTENT_TYPE, "application/json")], document).into_response(),
        Err(fault) => Problem::fault(&fault).into_response(),
    }
}

pub(super) fn routes() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(version)).routes(routes!(health)).routes(routes!(openapi))
}
