//! Bans: addresses whose requests failed too often to prove who they are.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Json, State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Path, Query};
use crate::audit::Changed;
use crate::page::{Page, PageQuery};
use crate::parts::{House, Parts};
use crate::problem::Problem;
use crate::time::Time;

/// An address whose requests are refused for a while.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Ban {
    /// An IPv4 address, or the first address of a /64 of IPv6.
    #[schema(value_type = String, example = "203.0.113.7")]
    address: IpAddr,
    /// When the ban ends by itself.
    until: Time,
}

/// Lists the bans of this node, by address. They end by themselves, and with the process.
#[utoipa::path(
    get, path = "/bans", tag = "bans", operation_id = "list_bans", params(PageQuery),
    responses((status = 200, description = "A page of bans.", body = Page<Ban>))
)]
pub(crate) async fn list(
    State(parts): State<Arc<Parts>>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Ban>>, Problem> {
    let ask = query.read::<IpAddr>()?;
    let mut bans = all(parts.house()?);
    bans.retain(|ban| ask.after.is_none_or(|after| ban.address > after));
    bans.truncate(usize::try_from(ask.reach()).unwrap_or(usize::MAX));
    Ok(Json(ask.page(bans, |ban| ban.address, |ban| ban)))
}

/// Lifts the ban of an address.
#[utoipa::path(
    delete, path = "/bans/{address}", tag = "bans", operation_id = "lift_ban",
    params(("address" = String, Path, description = "The address, as the list shows it.")),
    responses((status = 204, description = "The address is banned no more."))
)]
pub(crate) async fn lift(
    State(parts): State<Arc<Parts>>,
    Path(address): Path<String>,
) -> Result<Changed<Ban>, Problem> {
    let house = parts.house()?;
    let unknown = || Problem::unknown("ban", &address);
    let wanted: IpAddr = address.parse().map_err(|_| unknown())?;
    let ban = all(house).into_iter().find(|ban| ban.address == wanted).ok_or_else(unknown)?;
    house.lift(wanted);
    Ok(Changed::gone(&ban))
}

/// All bans, of which a node keeps a bounded number.
fn all(house: &dyn House) -> Vec<Ban> {
    let mut bans: Vec<Ban> =
        house.bans().into_iter().map(|(address, until)| Ban { address, until: until.into() }).collect();
    bans.sort_by_key(|ban| ban.address);
    bans
}

pub(super) fn routes() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(lift))
}
