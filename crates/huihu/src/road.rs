//! The road of a request, from left to right: dialect, admission, journal, engine, and the answer back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use admission::{Desk, Policy};
use base::account::Account;
use base::address::Guard;
use base::call::Call;
use base::fact::{Entry, Fact};
use base::id::{AppId, CallId};
use base::order::{Order, Placing};
use base::permit::Ports;
use base::refusal::Refusal;
use base::time::Timestamp;
use dialects::{Claim, Dialect, Done, Headers, WireReply, WireRequest};
use engine::{Engine, Launch};
use rand::Rng;
use store::{AcceptFault, Accounts, Journal};
use tokio::sync::oneshot;

use crate::clips::Clips;

/// How long an accepted call waits before it is offered to a full shard again.
const FULL_SHARD: Duration = Duration::from_millis(5);

/// What the road leads through.
pub(crate) struct Road {
    pub(crate) node: Box<str>,
    pub(crate) accounts: Accounts,
    pub(crate) journal: Journal,
    pub(crate) engine: Arc<Engine>,
    pub(crate) clips: Arc<Clips>,
    pub(crate) policy: Policy,
    pub(crate) guard: Arc<Guard>,
    pub(crate) settings: dialects::Settings,
    pub(crate) ports: AllPorts,
}

/// The ports of the platform and of each app that has asked for one since the start.
#[derive(Debug, Default)]
pub(crate) struct AllPorts {
    platform: Arc<Ports>,
    apps: Mutex<HashMap<AppId, Arc<Ports>>>,
}

impl AllPorts {
    fn of(&self, app: AppId) -> Arc<Ports> {
        let mut apps = self.apps.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(apps.entry(app).or_default())
    }
}

impl Road {
    /// Takes a request and gives the reply. Never fails: what goes wrong is a refusal in the dialect's words.
    pub(crate) async fn take(&self, request: WireRequest) -> WireReply {
        let Some(dialect) = dialects::owner(&request.path) else { return nobodys() };
        let claim = match dialect.claim(&request) {
            Ok(claim) => claim,
            Err(reply) => return reply,
        };
        let outcome = self.follow(dialect, &claim, &request).await;
        if let Err(refusal) = &outcome {
            tracing::debug!(path = %request.path, "refused: {refusal}");
        }
        dialect.write(&request, outcome.as_ref())
    }

    async fn follow(
        &self,
        dialect: &dyn Dialect,
        claim: &Claim,
        request: &WireRequest,
    ) -> Result<Done, Refusal> {
        let account = self.accounts.find(&claim.key);
        dialect.prove(claim, account.as_ref().map(|account| &account.key), wall(), &self.settings)?;
        let account = account.ok_or(Refusal::UnknownKey)?;
        admission::enter(&account, dialect.product(request))?;
        match dialect.read(request, &account)? {
            Order::Place(placing) => self.place(*placing, dialect.name(), &account).await,
            Order::Stop(call) => self.stop(call, &account).await,
        }
    }

    /// Accepts a call: durable first, then dialled, then told.
    async fn place(&self, placing: Placing, dialect: &str, account: &Account) -> Result<Done, Refusal> {
        let app_ports = self.ports.of(account.app.id);
        let desk = Desk {
            node: &self.node,
            app_ports: &app_ports,
            platform_ports: &self.ports.platform,
            policy: &self.policy,
            guard: &self.guard,
        };
        let tell_idle_ports = placing.tell_idle_ports;
        let admission = admission::admit(placing, account, &desk, dialect, wall(), rand::rng().random())?;
        let call = &admission.admitted.call;
        let id = call.id;
        let clips = self.clips.of(call).await?;
        self.journal.accept(acceptance(call)).await.map_err(refusal)?;
        tracing::info!(call.id = %id, "accepted");
        self.launch(Launch::new(admission.admitted, clips)).await;
        let idle_ports = tell_idle_ports.then_some(u32::from(admission.idle_ports));
        Ok(Done::Placed { call: id, node: self.node.clone(), idle_ports })
    }

    /// Hands an accepted call to its shard. The call is promised by now, so a full shard is waited for.
    async fn launch(&self, launch: Launch) {
        let mut waiting = Box::new(launch);
        while let Err(refused) = self.engine.launch(*waiting) {
            waiting = refused;
            tokio::time::sleep(FULL_SHARD).await;
        }
    }

    async fn stop(&self, call: CallId, account: &Account) -> Result<Done, Refusal> {
        let (tell, told) = oneshot::channel();
        self.engine.stop(call, account.app.id, move |stopped| {
            // Nobody listens any more when the client broke off; the call is stopped all the same.
            tell.send(stopped).ok();
        });
        if told.await.unwrap_or(false) { Ok(Done::Stopped) } else { Err(Refusal::UnknownCall) }
    }
}

fn acceptance(call: &Call) -> Entry {
    Entry { call: call.id, seq: 0, at: call.accepted_at, fact: Fact::Accepted(Box::new(call.clone())) }
}

const fn refusal(fault: AcceptFault) -> Refusal {
    match fault {
        AcceptFault::Busy => Refusal::PlatformBusy,
        AcceptFault::Misfit | AcceptFault::Unwritten | AcceptFault::Stopped => Refusal::OurFault,
    }
}

/// The reply to a path that belongs to no dialect.
fn nobodys() -> WireReply {
    let headers = Headers::from_iter([("Content-Type", "text/plain; charset=utf-8")]);
    WireReply { status: 404, headers, body: b"Huihu has nothing at this path.\n".to_vec() }
}

/// What the wall clock says.
pub(crate) fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
