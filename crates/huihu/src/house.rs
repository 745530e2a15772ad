//! The rooms put together: opened in the order of the road, closed in the opposite one.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use admission::{Abroad, Gate, GateSettings, Policy, RequestName, Sluice, Tally};
use anyhow::{Context, Result, anyhow, bail};
use base::fact::Fact;
use base::id::Leg;
use console::{Announcement, OperatorKey};
use delivery::{Delivery, Pace, Parts};
use dialects::Clock;
use engine::{Engine, Homer, Orphan, SocketFault, StartFault, TraceSettings, Traced};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sip::Hop;
use speech::shelf::Shelf;
use store::admin::PushPick;
use store::{Accounts, Admin, Interrupted, Journal, JournalTask, Opened, PushState, Retention, Store};
use tokio::net::{TcpListener, lookup_host};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use crate::clips::Clips;
use crate::config::{self, Config, ReadTrunk, with_tcp};
use crate::http::{self, Site, Stage};
use crate::logins::Logins;
use crate::names::Names;
use crate::neighbour::{self, Table};
use crate::pressure::Watch;
use crate::promise::{Promises, Waiting};
use crate::recordings::{self, Recordings};
use crate::road::{Capacity, Road, wall};
use crate::room;
use crate::traces::Keeping;
use crate::upkeep::Upkeep;
use crate::words::Words;

/// How long the last promises may take: a voice that speaks slowly, a journal without room.
const LAST_PROMISES: Duration = Duration::from_secs(60);

/// How long the pushes of the last calls may take. Receivers that are slower get them after the next start.
const LAST_PUSHES: Duration = Duration::from_secs(5);

/// How long calls that we end may take to be over: it is a turn of their shard.
const LAST_CALLS: Duration = Duration::from_secs(5);

/// How often the end looks whether calls still run or pushes are owed.
const GLANCE: Duration = Duration::from_millis(20);

/// A running platform.
pub(crate) struct House {
    pub(crate) http: SocketAddr,
    pub(crate) sip: SocketAddr,
    /// All addresses for SIP.
    pub(crate) listening: Vec<Hop>,
    engine: Arc<Engine>,
    journal: Journal,
    writer: JournalTask,
    delivery: Delivery,
    stage: watch::Sender<Stage>,
    sluice: Arc<Sluice>,
    /// How long running calls may go on after we were asked to end.
    drain: Duration,
    listener: JoinHandle<()>,
    promised: TaskTracker,
    _announced: Announcement,
    /// They have the engine too, which must be nobody else's when it ends.
    with_engine: [JoinHandle<()>; 2],
    upkeep: [JoinHandle<()>; 2],
    admin: Admin,
}

/// The engine's pen in the store's journal. The engine starts first, and keeps its facts until the journal is there.
struct Pen(Arc<OnceLock<Journal>>);

impl engine::Journal for Pen {
    fn append(&mut self, entries: &mut Vec<base::fact::Entry>) {
        let Some(journal) = self.0.get() else { return };
        if let Err(refused) = journal.append(std::mem::take(entries)) {
            *entries = refused;
        }
    }
}

impl House {
    /// Opens every room. What an earlier process left open is closed before the first request is read.
    ///
    /// The journal opens last of what may fail: it closes the interrupted calls once and for ever, so somebody must be
    /// there to hang their telephones up.
    pub(crate) async fn open(config: &Config) -> Result<Self> {
        raise_open_files();
        let guard = Arc::new(config.guard()?);
        let trusted = config.trusted_proxies()?;
        let trunks = config.trunks()?;
        let names = Names::look(&trunks, config.sip.listen.as_slice()).await;
        let mut settings = engine_settings(config, &trunks, resolved(&trunks, &names)?)?;
        settings.trace = trace_settings(config).await;
        let store = Store::open(&config.data_dir).await?;
        let words = Words::open(config).await?;
        let term = store.serve(&config.node, wall()).await?;
        let accounts = Accounts::load(&store).await?;
        let shelf = Shelf::open(config.data_dir.join("clips"))?;
        let key = OperatorKey::open(&config.data_dir)?;
        let tally = Arc::new(Tally::new());
        tally.load(store.charges(wall()).await?);
        let gate = gate(config, &store).await?;
        let listener = listen(config.http).await?;
        let http = listener.local_addr().context("the HTTP listener has no address")?;
        let announced = Announcement::new(&config.data_dir, http)
            .context("cannot tell the command line where we listen")?;
        let ink = Arc::default();
        let pen = || Box::new(Pen(Arc::clone(&ink))) as Box<dyn engine::Journal>;
        let engine = Arc::new(start_engine(&settings, pen)?);
        let Opened { journal, outbox, task, interrupted } = Journal::open(&store, term, wall).await?;
        let journal = ink.get_or_init(|| journal).clone();
        release(&engine, interrupted);
        let delivery = Delivery::start(Parts {
            outbox,
            journal: journal.clone(),
            accounts: accounts.clone(),
            guard: (*guard).clone(),
            pace: Pace {
                fees_apart: Duration::from_secs(config.push.retry_secs),
                reports_gather: Duration::from_secs(config.push.report_gather_secs),
            },
            attempt: Duration::from_secs(config.push.attempt_secs),
            clock: wall,
            rng: StdRng::from_os_rng(),
        })
        .context("cannot start the delivery of pushes")?;
        let (admin, promised, sluice) = (Admin::new(&store), TaskTracker::new(), Arc::new(Sluice::new()));
        let watch =
            Watch::new(Arc::clone(&engine), journal.clone(), Arc::clone(&sluice), config.overload.settings());
        let road = Arc::new(Road {
            node: config.node.as_str().into(),
            accounts: accounts.clone(),
            admin: admin.clone(),
            engine: Arc::clone(&engine),
            promises: Promises {
                journal: journal.clone(),
                engine: Arc::clone(&engine),
                clips: Arc::new(Clips::new(shelf.clone())),
                words,
                tally: Arc::clone(&tally),
                patience: Duration::from_secs(config.limits.accept_secs),
                ring: config.answering.ring(),
                waiting: Waiting::default(),
                tasks: promised.clone(),
            },
            recordings: recordings(config, &store, http),
            logins: Logins::new(Duration::from_secs(config.requests.token_secs)),
            gate: Arc::new(gate),
            sluice: Arc::clone(&sluice),
            tally,
            policy: policy(config)?,
            guard,
            settings: request_settings(config),
            refuse_replays: config.requests.refuse_replays,
            capacity: Capacity::default(),
            trunks: trunks.clone(),
            hosts: delivery.hosts(),
        });
        let upkeep = Upkeep {
            store: store.clone(),
            recordings: recordings_dir(config),
            recordings_kept: Duration::from_secs(config.recordings.keep_secs),
            retention: Retention::default(),
            traces: traces_dir(config),
            traces_kept: Keeping { time: config.trace.kept(), bytes: config.trace.bytes_max() },
        };
        let parts = console::Parts::new(&store, shelf, key, SESSIONS, wall).with_traces(traces_dir(config));
        let console =
            console::router(parts.serving(accounts.clone(), Arc::clone(&road) as Arc<dyn console::House>));
        let site = Arc::new(Site { road, console, trusted });
        let (stage, follows) = watch::channel(Stage::Open);
        Ok(Self {
            http,
            sip: engine.address(),
            listening: engine.listening().to_vec(),
            journal,
            writer: task,
            delivery,
            stage,
            sluice,
            drain: Duration::from_secs(config.limits.drain_secs),
            listener: tokio::spawn(http::serve(listener, site, follows)),
            promised,
            _announced: announced,
            with_engine: [tokio::spawn(names.follow(Arc::clone(&engine))), tokio::spawn(watch.keep())],
            upkeep: [tokio::spawn(accounts.follow()), tokio::spawn(upkeep.keep())],
            engine,
            admin,
        })
    }

    /// How many calls run now.
    pub(crate) fn live(&self) -> usize {
        self.engine.live()
    }

    /// Takes no new calls and waits for the running ones to finish. Requests are answered all the while, and each answer
    /// is the last one of its connection, so that customers go elsewhere. May be given up at any time.
    pub(crate) async fn drain(&self) {
        self.stage.send_replace(Stage::Leaving);
        self.sluice.close();
        let drained = tokio::time::timeout(self.drain, async {
            // First every promise is with the engine, then every call is over.
            while !self.promised.is_empty() || self.engine.live() > 0 {
                tokio::time::sleep(GLANCE).await;
            }
        });
        if drained.await.is_err() {
            tracing::warn!(calls = self.engine.live(), "calls still run after {:?}", self.drain);
        }
    }

    /// Ends in good order: hangs up what still talks, sends what is owed and writes what is known.
    pub(crate) async fn close(self) {
        self.stage.send_replace(Stage::Over);
        self.sluice.close();
        self.engine.end_calls();
        self.listener.await.ok();
        self.promised.close();
        if tokio::time::timeout(LAST_PROMISES, self.promised.wait()).await.is_err() {
            tracing::warn!("some accepted calls were never dialled; the next start closes them");
        }
        for task in self.with_engine {
            task.abort();
            task.await.ok();
        }
        // Promises that were made in the meantime.
        self.engine.end_calls();
        if tokio::time::timeout(LAST_CALLS, over(&self.engine)).await.is_err() {
            tracing::warn!(calls = self.engine.live(), "calls do not end; the next start closes them");
        }
        // The engine's threads end before the journal does, so that no fact is left behind.
        let engine = self.engine;
        tokio::task::spawn_blocking(move || drop(engine)).await.ok();
        if tokio::time::timeout(LAST_PUSHES, told_everything(&self.journal, &self.admin)).await.is_err() {
            tracing::warn!("some pushes are still owed; the next start sends them");
        }
        self.delivery.stop().await;
        for task in self.upkeep {
            task.abort();
        }
        self.journal.close();
        self.writer.ended().await;
    }
}

/// Waits until no call runs.
async fn over(engine: &Engine) {
    while engine.live() > 0 {
        tokio::time::sleep(GLANCE).await;
    }
}

/// Waits until every fact is written and every push that follows from one was tried.
async fn told_everything(journal: &Journal, admin: &Admin) {
    while !(journal.is_still() && nothing_is_fresh(admin).await) {
        tokio::time::sleep(GLANCE).await;
    }
}

async fn nothing_is_fresh(admin: &Admin) -> bool {
    match admin.pushes(PushPick::In(PushState::Fresh), 1).await {
        Ok(fresh) => fresh.is_empty(),
        Err(fault) => {
            tracing::error!("cannot see whether pushes are owed: {fault:#}");
            true
        }
    }
}

/// Takes all the open files that the system lets us have: a bridged call needs four.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    if setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).is_err() {
        tracing::warn!("the limit of open files stays at {:?}: `ulimit -n` raises it", limit.current);
    }
}

/// Hands the legs of interrupted calls to the engine, which hangs them up.
fn release(engine: &Engine, interrupted: Vec<Interrupted>) {
    for call in interrupted {
        for orphan in orphans(&call) {
            let mut waiting = Box::new(orphan);
            while let Err(refused) = engine.release(*waiting) {
                waiting = refused;
                thread::yield_now();
            }
        }
    }
}

/// The legs of an interrupted call that may still ring or be up: every leg that was never seen released. The INVITE
/// leaves before its fact is durable, so a leg without facts may ring as well.
fn orphans(call: &Interrupted) -> Vec<Orphan> {
    let accepted = call.entries.iter().find_map(|entry| match &entry.fact {
        Fact::Accepted(call) => Some(&**call),
        _ => None,
    });
    let Some(accepted) = accepted else { return Vec::new() };
    let is_released = |of: Leg| {
        call.entries.iter().any(|entry| matches!(entry.fact, Fact::Released { leg, .. } if leg == of))
    };
    let legs =
        [Leg::A, Leg::B].into_iter().filter(|leg| accepted.numbers(*leg).is_some() && !is_released(*leg));
    legs.map(|leg| {
        let dialog = call.dialogs().find(|(of, _)| *of == leg).map(|(_, dialog)| dialog.clone());
        let dialled = call.entries.iter().filter_map(|entry| match &entry.fact {
            Fact::Dialled { leg: of, trunk, .. } if *of == leg => Some(trunk.clone()),
            _ => None,
        });
        Orphan { call: accepted.clone(), leg, dialog, dialled: dialled.collect() }
    })
    .collect()
}

/// Starts the engine, or says who has its port.
fn start_engine(
    settings: &engine::Settings,
    pen: impl FnMut() -> Box<dyn engine::Journal>,
) -> Result<Engine> {
    Engine::start(settings, pen).map_err(|fault| match fault {
        StartFault::Socket(SocketFault::Signalling { address, cause }) => {
            anyhow!("{}", taken(Table::Udp, address, &cause, "--sip"))
        }
        StartFault::Socket(SocketFault::Listener { address, cause }) => {
            anyhow!("{}", taken(Table::Tcp, address, &cause, "sip.listen"))
        }
        other => other.into(),
    })
}

/// Why an address cannot be opened, and what to do about it.
fn taken(table: Table, address: SocketAddr, cause: &std::io::Error, flag: &str) -> String {
    let protocol = match table {
        Table::Udp => "udp",
        Table::Tcp => "tcp",
    };
    match (cause.kind(), neighbour::holder(table, address)) {
        (std::io::ErrorKind::AddrInUse, Some(holder)) => {
            format!("{address}/{protocol} is taken by {holder}: use {flag}, or stop it")
        }
        (std::io::ErrorKind::AddrInUse, None) => {
            format!("{address}/{protocol} is taken by another program: use {flag}, or stop it")
        }
        _ => format!(
            "{address}/{protocol} cannot be opened ({cause}): use {flag} with an address of this machine"
        ),
    }
}

fn engine_settings(
    config: &Config,
    trunks: &[ReadTrunk],
    resolved: Vec<engine::Trunk>,
) -> Result<engine::Settings> {
    let cores = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
    Ok(engine::Settings {
        sip: with_tcp(&config.sip.listen, trunks.iter().any(ReadTrunk::takes_tcp)),
        advertised: config.sip.advertised,
        tls: config.tls_server()?,
        rtp_ports: config.rtp_ports()?,
        shards: if config.sip.shards == 0 { cores() } else { config.sip.shards },
        recordings: Some(recordings_dir(config)),
        trunks: resolved,
        trace: None,
        answering: config.answering.read()?,
        backend: config.sip.backend.into(),
    })
}

/// The trunks with the addresses that they have now.
fn resolved(trunks: &[ReadTrunk], names: &Names) -> Result<Vec<engine::Trunk>> {
    if trunks.is_empty() {
        bail!(
            "no trunk is configured: set peer = \"ADDRESS:PORT\" under [trunk], or HUIHU_TRUNK__PEER, or write [[trunks]]"
        );
    }
    for trunk in trunks.iter().filter(|trunk| trunk.tells_its_keys()) {
        tracing::warn!(
            trunk = %trunk.settings.name,
            "the keys of SRTP travel in SIP that is not encrypted: transport = \"tls\" makes them safe, or a VPN"
        );
    }
    let with_peers = |(place, trunk): (usize, &ReadTrunk)| engine::Trunk {
        peers: names.gateways(place),
        ..trunk.settings.clone()
    };
    Ok(trunks.iter().enumerate().map(with_peers).collect())
}

fn policy(config: &Config) -> Result<Policy> {
    let abroad = if config.requests.calls_abroad { Abroad::Open } else { Abroad::Closed };
    Ok(Policy { platform_ports: room::calls(config)?, abroad, never: config.never_dialled()? })
}

fn request_settings(config: &Config) -> dialects::Settings {
    let clock = if config.requests.strict_clock { Clock::Utc } else { Clock::Lenient };
    dialects::Settings {
        clock,
        window: Duration::from_secs(config.requests.window_secs),
        legacy_signature: config.requests.legacy_signature,
        legacy_login: config.requests.legacy_login,
        allow_get: config.requests.allow_get,
        one_error_family: config.requests.one_error_family,
    }
}

/// The gate, with the requests that were taken before this start.
async fn gate(config: &Config, store: &Store) -> Result<Gate> {
    let gate = Gate::new(&gate_settings(config));
    if config.requests.refuse_replays {
        for seen in store.seen_requests(wall()).await? {
            // Those of one name are one; what matters is that it is remembered.
            let _first = gate.first_time(&seen.key, RequestName(seen.name), wall());
        }
    }
    Ok(gate)
}

fn gate_settings(config: &Config) -> GateSettings {
    let requests = &config.requests;
    GateSettings {
        failures: requests.ban_after,
        within: Duration::from_secs(requests.ban_window_secs),
        ban: Duration::from_secs(requests.ban_secs),
        nonce_memory: passes_for(requests),
        requests_per_second: Some(config.limits.requests_per_second),
    }
}

/// For how long one request passes the clock: from a window before its time to a window after it, and where Beijing's time
/// passes for UTC, from eight hours earlier on.
fn passes_for(requests: &config::Requests) -> Duration {
    let earlier = if requests.strict_clock { 0 } else { 8 * 3_600 };
    // Some dialects have a window of their own.
    let window_secs = requests.window_secs.max(dialects::ksyun::WINDOW.as_secs());
    // A minute more, for clocks that are set while it passes.
    Duration::from_secs(window_secs.saturating_mul(2).saturating_add(earlier + 60))
}

fn recordings_dir(config: &Config) -> PathBuf {
    config.data_dir.join("recordings")
}

/// Where the traces of calls are.
pub(crate) fn traces_dir(config: &Config) -> PathBuf {
    config.data_dir.join("traces")
}

/// What is kept of what goes over the wire; `None` when nothing is. A Homer server whose name is not resolved is not told.
async fn trace_settings(config: &Config) -> Option<TraceSettings> {
    let trace = &config.trace;
    let address = match &trace.homer {
        Some(homer) => match lookup_host(homer).await {
            Ok(mut found) => found.next(),
            Err(why) => {
                tracing::warn!(homer, "Homer is told nothing, because its name is not resolved: {why}");
                None
            }
        },
        None => None,
    };
    let homer =
        address.map(|address| Homer { address, id: trace.homer_id, password: trace.homer_password.clone() });
    let calls = Traced::from(trace.calls);
    (calls != Traced::Nothing || homer.is_some()).then(|| TraceSettings {
        calls,
        folder: traces_dir(config),
        rtp_headers: trace.rtp_headers,
        numbers: trace.numbers(),
        homer,
    })
}

fn recordings(config: &Config, store: &Store, listening: SocketAddr) -> Recordings {
    let settings = &config.recordings;
    Recordings {
        dir: recordings_dir(config),
        key: store.derived_key(recordings::PURPOSE),
        kept: Duration::from_secs(settings.keep_secs),
        address_life: Duration::from_secs(settings.address_secs),
        public_url: settings.public_url.as_deref().map(|url| url.trim_end_matches('/').into()),
        listening,
    }
}

/// How the operator's API knows calls by the names that customers have for them.
pub(crate) const SESSIONS: console::Sessions = console::Sessions {
    parse: |text| dialects::ALL.iter().find_map(|dialect| dialect.find_call(text)),
    print: |dialect, call, node| match dialects::named(dialect) {
        Some(dialect) => dialect.print_call(call, node),
        // Another version took it; our own id is a name too.
        None => call.to_string(),
    },
};

/// Opens the HTTP listener, or says what to do about it.
async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|cause| anyhow!("{}", taken(Table::Tcp, address, &cause, "--http")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_remembered_for_as_long_as_its_request_passes() {
        let mut config = Config::defaults();
        for (window_secs, strict_clock, passes_secs) in [
            (600, false, 8 * 3_600 + 1_200),
            (3_600, false, 10 * 3_600),
            (3_600, true, 7_200),
            (1, true, 1_800),
        ] {
            (config.requests.window_secs, config.requests.strict_clock) = (window_secs, strict_clock);
            let remembered = gate_settings(&config).nonce_memory;
            assert!(remembered >= Duration::from_secs(passes_secs), "{window_secs}, {strict_clock}");
        }
    }
}
