//! Trunks: the ways to carriers. They are set in the configuration file; the API shows how they are.

use std::sync::Arc;

use axum::extract::{Json, State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::Query;
use crate::page::{Ask, Page, PageQuery};
use crate::parts::{self, Parts};
use crate::problem::Problem;

/// A trunk.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Trunk {
    /// Address and port of the gateway.
    #[schema(example = "192.0.2.1:5060")]
    peer: String,
    /// The domain in its URIs; null when it is the address.
    #[schema(required)]
    domain: Option<String>,
    /// The user that the platform logs in as; null when it does not. The password is not shown.
    #[schema(required)]
    username: Option<String>,
    /// Whether calls are sent to it.
    health: TrunkHealth,
    /// The SIP status that the last calls failed with; null while it works.
    #[schema(required, minimum = 300, maximum = 699)]
    sip_status: Option<u16>,
}

/// Whether a trunk works, as the last calls found it.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TrunkHealth {
    /// It does.
    Working,
    /// It failed several calls in a row; nobody is sent to it for a moment.
    Failing,
}

impl From<parts::Trunk> for Trunk {
    fn from(trunk: parts::Trunk) -> Self {
        Self {
            peer: trunk.peer.to_string(),
            domain: trunk.domain.map(Into::into),
            username: trunk.username.map(Into::into),
            health: if trunk.failing.is_some() { TrunkHealth::Failing } else { TrunkHealth::Working },
            sip_status: trunk.failing,
        }
    }
}

/// Lists the trunks and whether they work.
#[utoipa::path(
    get, path = "/trunks", tag = "trunks", operation_id = "list_trunks", params(PageQuery),
    responses((status = 200, description = "A page of trunks.", body = Page<Trunk>))
)]
pub(crate) async fn list(
    State(parts): State<Arc<Parts>>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Trunk>>, Problem> {
    let ask: Ask<usize> = query.read()?;
    let first = ask.after.map_or(0, |after| after.saturating_add(1));
    let trunks = parts.house()?.trunks().into_iter().enumerate().skip(first).collect();
    Ok(Json(ask.page(trunks, |(place, _)| *place, |(_, trunk)| trunk.into())))
}

pub(super) fn routes() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(list))
}
