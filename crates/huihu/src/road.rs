//! The road of a request, from left to right: dialect, admission, journal, speech, engine, and the answer back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use admission::{Desk, Gate, Policy, RequestName, Sluice, Tally, Visit};
use base::account::Account;
use base::address::Guard;
use base::experience::Conducted;
use base::id::{AppId, CallId};
use base::order::{Order, Placing};
use base::permit::Ports;
use base::refusal::Refusal;
use base::time::Timestamp;
use delivery::Hosts;
use dialects::{Claim, Credentials, Dialect, Done, Headers, WireReply, WireRequest};
use engine::Engine;
use rand::Rng;
use store::{Accounts, Admin, SeenRequest};
use tokio::sync::oneshot;

use crate::config::ReadTrunk;
use crate::logins::Logins;
use crate::promise::Promises;
use crate::recordings::Recordings;

/// What the road leads through.
pub(crate) struct Road {
    pub(crate) node: Box<str>,
    pub(crate) accounts: Accounts,
    pub(crate) admin: Admin,
    pub(crate) engine: Arc<Engine>,
    pub(crate) promises: Promises,
    pub(crate) recordings: Recordings,
    pub(crate) logins: Logins,
    pub(crate) gate: Arc<Gate>,
    pub(crate) sluice: Arc<Sluice>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) policy: Policy,
    pub(crate) guard: Arc<Guard>,
    pub(crate) settings: dialects::Settings,
    /// Whether a signature that came before is refused.
    pub(crate) refuse_replays: bool,
    pub(crate) capacity: Capacity,
    /// The ways to carriers, for those who ask.
    pub(crate) trunks: Vec<ReadTrunk>,
    /// The hosts that pushes go to, for those who ask.
    pub(crate) hosts: Hosts,
}

/// What calls take and teach: the ports and the conduct of each app that has asked since the start, and the platform's
/// ports.
#[derive(Debug, Default)]
pub(crate) struct Capacity {
    platform: Arc<Ports>,
    apps: Mutex<HashMap<AppId, AppCapacity>>,
}

/// The same of one app.
#[derive(Clone, Debug, Default)]
pub(crate) struct AppCapacity {
    ports: Arc<Ports>,
    conducted: Arc<Conducted>,
}

impl Capacity {
    pub(crate) fn of(&self, app: AppId) -> AppCapacity {
        let mut apps = self.apps.lock().unwrap_or_else(PoisonError::into_inner);
        apps.entry(app).or_default().clone()
    }
}

impl Road {
    /// Takes a request and gives the reply. Never fails: what goes wrong is a refusal in the dialect's words.
    pub(crate) async fn take(&self, request: WireRequest) -> WireReply {
        let Some(dialect) = dialects::owner(&request.path) else { return nobodys() };
        let outcome = if self.gate.banned(request.peer, wall()) {
            Err(Refusal::AddressBanned)
        } else if let Err(refusal) = self.turn_away(dialect, &request) {
            Err(refusal)
        } else {
            match dialect.claim(&request, &self.settings) {
                Ok(claim) => self.follow(dialect, &claim, &request).await,
                Err(reply) => return reply,
            }
        };
        if let Err(refusal) = &outcome {
            tracing::debug!(path = %request.path, "refused: {refusal}");
        }
        dialect.write(&request, outcome.as_ref(), &self.settings)
    }

    /// Refuses an order for a call at once when there is no time for it, whoever asks. Nobody learns from it whether they
    /// would be known.
    fn turn_away(&self, dialect: &dyn Dialect, request: &WireRequest) -> Result<(), Refusal> {
        if !self.sluice.is_pressed() || dialect.product(request).is_none() {
            return Ok(());
        }
        self.sluice.look(wall())
    }

    async fn follow(
        &self,
        dialect: &dyn Dialect,
        claim: &Claim,
        request: &WireRequest,
    ) -> Result<Done, Refusal> {
        let account = self.prove(dialect, claim, request)?;
        let visit = Visit {
            peer: request.peer,
            phase: dialect.phase(request),
            product: dialect.product(request),
            now: wall(),
            gate: &self.gate,
        };
        admission::enter(&account, &visit)?;
        match dialect.read(request, &account)? {
            Order::Place(placing) => self.place(*placing, dialect.name(), &account).await,
            Order::Stop(call) => self.stop(call, &account).await,
            Order::Fetch(call) => self.fetch(call, &account, request).await,
            Order::Check => Ok(Done::Allowed),
            Order::LogIn => Ok(self.log_in(&account)),
            Order::LogOut => {
                self.logins.end(&account.key.id);
                Ok(Done::LoggedOut)
            }
        }
    }

    /// Who asks. What fails here counts towards a ban of the address.
    fn prove(
        &self,
        dialect: &dyn Dialect,
        claim: &Claim,
        request: &WireRequest,
    ) -> Result<Arc<Account>, Refusal> {
        let now = wall();
        let account = self.accounts.find(&claim.key, now);
        let session = account.as_deref().and_then(|account| self.logins.of(&account.key));
        let credentials = account.as_deref().map(|account| Credentials {
            key: &account.key,
            account: &account.name,
            password: account.password.as_ref(),
            session: session.as_deref(),
        });
        let proven = dialect.prove(claim, credentials.as_ref(), now, &self.settings);
        let account = proven.and_then(|()| account.ok_or(Refusal::UnknownKey)).inspect_err(|refusal| {
            // A clock that is wrong or a token that is old is a customer's mishap, not somebody's guess.
            if matches!(refusal, Refusal::UnknownKey | Refusal::BadSignature) {
                self.gate.failed(request.peer, now);
            }
        })?;
        if self.refuse_replays
            && let Some((nonce, created)) = claim.proof.once()
        {
            self.use_up(&claim.key, RequestName::of(nonce, created), now)?;
        }
        Ok(account)
    }

    /// A signature is good for one request, over a restart too.
    fn use_up(&self, key: &str, request: RequestName, now: Timestamp) -> Result<(), Refusal> {
        if !self.gate.first_time(key, request, now) {
            return Err(Refusal::Replayed);
        }
        let seen = SeenRequest { key: key.into(), name: request.0, until: now + self.gate.memory() };
        self.promises.journal.note(seen).map_err(|_| Refusal::PlatformBusy)
    }

    /// Admits an order and has it promised.
    async fn place(&self, placing: Placing, dialect: &str, account: &Account) -> Result<Done, Refusal> {
        // Before it passes: whoever closes the sluice sees those that have passed.
        let _under_way = self.promises.tasks.token();
        self.sluice.pass(wall())?;
        let of_app = self.capacity.of(account.app.id);
        let desk = self.desk(&of_app, wall());
        let tell_idle_ports = placing.tell_idle_ports;
        let admission = admission::admit(placing, account, &desk, dialect, rand::rng().random())?;
        let idle_ports = tell_idle_ports.then_some(u32::from(admission.idle_ports));
        let call = admission.admitted.call.id;
        self.promises.make(admission).await?;
        Ok(Done::Placed { call, node: self.node.clone(), idle_ports })
    }

    /// The desk at which orders of an app are taken.
    pub(crate) fn desk<'a>(&'a self, of_app: &'a AppCapacity, now: Timestamp) -> Desk<'a> {
        Desk {
            node: &self.node,
            app_ports: &of_app.ports,
            platform_ports: &self.capacity.platform,
            conducted: &of_app.conducted,
            trunks: self.engine.trunks(),
            tally: &self.tally,
            policy: &self.policy,
            guard: &self.guard,
            now,
        }
    }

    async fn stop(&self, call: CallId, account: &Account) -> Result<Done, Refusal> {
        if self.promises.stop(call, account.app.id) {
            return Ok(Done::Stopped);
        }
        let (tell, told) = oneshot::channel();
        self.engine.stop(call, account.app.id, move |stopped| {
            // Nobody listens any more when the client broke off; the call is stopped all the same.
            tell.send(stopped).ok();
        });
        if told.await.unwrap_or(false) { Ok(Done::Stopped) } else { Err(Refusal::UnknownCall) }
    }

    /// An address of a recording, for the app whose call it was.
    async fn fetch(&self, call: CallId, account: &Account, request: &WireRequest) -> Result<Done, Refusal> {
        if !account.app.recording {
            return Err(Refusal::RecordingNotOpen);
        }
        let known = self.admin.recording(call, self.recordings.kept).await.map_err(|fault| {
            tracing::error!("{fault}");
            Refusal::OurFault
        })?;
        let now = wall();
        let is_theirs = known
            .is_some_and(|known| known.app == account.app.id && known.until.is_some_and(|until| now < until));
        if !is_theirs || !self.recordings.has(call).await {
            return Err(Refusal::UnknownRecording);
        }
        Ok(Done::Recording { url: self.recordings.address(call, request.headers.first("Host"), now) })
    }

    fn log_in(&self, account: &Account) -> Done {
        let session = self.logins.begin(&account.key, &self.node, wall());
        Done::LoggedIn {
            access: session.access.clone(),
            renewal: session.renewal.clone(),
            lives: self.logins.life(),
        }
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
