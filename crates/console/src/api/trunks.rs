//! Trunks: the ways to carriers. They are set in the configuration file; the API shows how they are.

use std::sync::Arc;

use axum::extract::{Json, State};
use base::trunk::{Condition, TrunkState};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::Query;
use crate::page::{Ask, Page, PageQuery};
use crate::parts::{self, Parts};
use crate::problem::Problem;
use crate::time::Time;

/// A trunk.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Trunk {
    /// What the configuration, the journal and records call it.
    #[schema(example = "mobile")]
    name: String,
    /// Its first gateway: address or name, and port.
    #[schema(example = "192.0.2.1:5060")]
    peer: String,
    /// All its gateways, in the order in which they are tried.
    peers: Vec<String>,
    /// The domain in its URIs; null when it is the address.
    #[schema(required)]
    domain: Option<String>,
    /// The user that the platform logs in as; null when it does not. The password is not shown.
    #[schema(required)]
    username: Option<String>,
    /// Whether calls are sent to it.
    health: TrunkHealth,
    /// Since when.
    since: Time,
    /// The SIP status that the last calls failed with, or the last try to register while the trunk is unregistered; 408
    /// when nothing came back. Null when none failed since one worked.
    #[schema(required, minimum = 300, maximum = 699)]
    sip_status: Option<u16>,
    /// What was wrong with the last connection to it, in words; null when nothing was, and always by UDP.
    #[schema(required, example = "its certificate is for another name")]
    connection_fault: Option<String>,
    /// Calls that it carries now; each leg is one.
    calls: u32,
    /// How many it may carry; null when nobody limited it.
    #[schema(required)]
    calls_max: Option<u32>,
    /// The address that its registrar saw the platform register from at last: the platform's own, or that of a translator
    /// before it. Null where there is no registration, or nothing was said of it.
    #[schema(required, example = "203.0.113.5:5060")]
    seen_as: Option<String>,
}

/// Whether a trunk works, as the last calls found it, and as it answers when it is asked.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TrunkHealth {
    /// It does.
    Working,
    /// It asked to be left alone for a while: it gets only the calls that no other trunk takes.
    Paused,
    /// It failed several calls in a row; nobody is sent to it for a moment.
    Failing,
    /// None of its gateways answers when it is asked.
    Down,
    /// It wants the platform to be registered, which it is not.
    Unregistered,
    /// Its name has no address.
    Unresolved,
}

impl From<parts::Trunk> for Trunk {
    fn from(trunk: parts::Trunk) -> Self {
        let Condition { state, since, status } = trunk.condition;
        let peers: Vec<String> = trunk.peers.into_iter().map(Into::into).collect();
        Self {
            name: trunk.name.into(),
            peer: peers.first().cloned().unwrap_or_default(),
            peers,
            domain: trunk.domain.map(Into::into),
            username: trunk.username.map(Into::into),
            health: match state {
                TrunkState::Working => TrunkHealth::Working,
                TrunkState::Paused => TrunkHealth::Paused,
                TrunkState::Failing => TrunkHealth::Failing,
                TrunkState::Down => TrunkHealth::Down,
                TrunkState::Unregistered => TrunkHealth::Unregistered,
                TrunkState::Unresolved => TrunkHealth::Unresolved,
            },
            since: since.into(),
            sip_status: status,
            connection_fault: trunk.link.map(|fault| fault.to_string()),
            calls: trunk.calls,
            calls_max: trunk.calls_max,
            seen_as: trunk.seen_as.map(|address| address.to_string()),
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
