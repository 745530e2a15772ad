//! Hosts that pushes go to: how each fares, and what it does not have.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Json, State};
use serde::Serialize;
use store::admin::HostCount;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::Query;
use crate::page::{Page, PageQuery};
use crate::parts::{self, Parts};
use crate::problem::Problem;
use crate::time::Time;

/// A host that pushes go to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PushHost {
    /// Its name or address, without a port.
    #[schema(example = "shop.example")]
    host: String,
    /// Pushes that were not tried yet.
    fresh: u64,
    /// Pushes that will be tried again, or wait for the host.
    deferred: u64,
    /// Pushes that were given up. They can be sent again.
    parked: u64,
    /// How it fares; null when nobody serves, or when it was sent nothing for a day or since the start.
    #[schema(required)]
    health: Option<HostHealth>,
}

/// How a host fares, as of a second ago.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct HostHealth {
    /// Whether it is sent anything.
    condition: HostCondition,
    /// When a host that rests is tried again; null when it does not rest.
    #[schema(required)]
    rests_until: Option<Time>,
    /// Messages in a row that it gave no answer to.
    failures: u32,
    /// When the first of them failed; null when there are none.
    #[schema(required)]
    failing_since: Option<Time>,
    /// What went wrong at the last message that came to nothing; null when none did.
    #[schema(required)]
    last_fault: Option<String>,
    /// When that was.
    #[schema(required)]
    last_fault_at: Option<Time>,
    /// Messages that it took.
    taken: u64,
    /// Messages that came to nothing.
    failed: u64,
    /// Messages that are on their way to it.
    in_flight: usize,
}

/// Whether a host is sent anything.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HostCondition {
    /// It is.
    Working,
    /// Nothing for a while, because it failed again and again. No attempt is used up meanwhile.
    Resting,
    /// One push, to see whether it works again.
    Probing,
}

impl PushHost {
    fn of(count: HostCount) -> Self {
        let HostCount { host, fresh, deferred, parked } = count;
        Self { host: host.into(), fresh, deferred, parked, health: None }
    }
}

impl From<parts::Host> for HostHealth {
    fn from(host: parts::Host) -> Self {
        let (condition, rests_until) = match host.condition {
            parts::HostCondition::Working => (HostCondition::Working, None),
            parts::HostCondition::Resting { until } => (HostCondition::Resting, Some(until.into())),
            parts::HostCondition::Probing => (HostCondition::Probing, None),
        };
        let (last_fault_at, last_fault) = host.last_fault.unzip();
        Self {
            condition,
            rests_until,
            failures: host.failures,
            failing_since: host.failing_since.map(Time::from),
            last_fault: last_fault.map(Into::into),
            last_fault_at: last_fault_at.map(Time::from),
            taken: host.taken,
            failed: host.failed,
            in_flight: host.in_flight,
        }
    }
}

/// Lists the hosts that pushes go to, by name: those that do not have all their pushes, and those that were sent some
/// lately.
#[utoipa::path(
    get, path = "/pushes/hosts", tag = "pushes", operation_id = "list_push_hosts", params(PageQuery),
    responses((status = 200, description = "A page of hosts.", body = Page<PushHost>))
)]
pub(crate) async fn list(
    State(parts): State<Arc<Parts>>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<PushHost>>, Problem> {
    let ask = query.read::<Box<str>>()?;
    let counts = parts.admin.push_hosts(ask.after.as_deref(), ask.reach()).await?;
    let mut hosts: BTreeMap<Box<str>, PushHost> =
        counts.into_iter().map(|count| (count.host.clone(), PushHost::of(count))).collect();
    let known = parts.house.as_ref().map(|house| house.hosts()).unwrap_or_default();
    for host in known.into_iter().filter(|host| ask.after.as_ref().is_none_or(|after| host.name > *after)) {
        let name = host.name.clone();
        let count = HostCount { host: name.clone(), ..HostCount::default() };
        hosts.entry(name).or_insert_with(|| PushHost::of(count)).health = Some(host.into());
    }
    Ok(Json(ask.page(hosts.into_iter().collect(), |(name, _)| name.clone(), |(_, host)| host)))
}

pub(super) fn routes() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(list))
}
