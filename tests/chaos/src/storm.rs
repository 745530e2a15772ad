//! A run: calls at a steady rate, and a process that is killed, stopped and started all the while.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use carrier::{Carrier, EndedBy, LegReport, Settings, Times};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tests::huihu::{Installation, Server};
use tests::operator::Operator;
use tests::sipp::free_port;

use crate::history::{Answer, History, Leg, Order, Party, Record};
use crate::orders::{self, Desk, WISHES_MAX, Wish};
use crate::receiver::{self, Receiver};

/// What to do.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How often the process is ended.
    pub kills: usize,
    /// Calls a second that customers ask for.
    pub rate: u32,
    /// What orders, faults and pauses are drawn from.
    pub seed: u64,
    /// How many calls the platform may run at once.
    pub ports: usize,
}

/// What was done and seen.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What everybody saw.
    pub history: History,
    /// How often the process was ended, by how.
    pub ends: BTreeMap<&'static str, usize>,
    /// The longest time from a start until the process was ready.
    pub slowest_start: Duration,
    /// Pushes that were neither delivered nor given up when the waiting ended.
    pub still_owed: usize,
    /// How long it took.
    pub took: Duration,
}

/// How a process ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// At once, as by a crash.
    Killed,
    /// It is asked to end, and killed while it does.
    KilledWhileEnding,
    /// It is asked twice, and ends by itself.
    Stopped,
    /// At once, and the next one while it starts.
    KilledTwice,
}

/// Runs it.
///
/// # Errors
/// When the machine lacks something.
///
/// # Panics
/// When the binary cannot be started, does not become ready or does not end when it is asked to.
pub fn run(plan: Plan) -> Result<Outcome> {
    let began = Instant::now();
    let mut dice = SmallRng::seed_from_u64(plan.seed);
    let receiver = Receiver::start(plan.seed)?;
    let carrier = Carrier::start(telephones(plan.seed)).context("the carrier does not start")?;
    let installation = installation(&carrier, plan.ports)?;
    let mut server = installation.serve();
    let desk = open(&installation, &server, &receiver);
    receiver.trusts(&desk.customer.key, &desk.customer.secret);
    let crowd = Crowd::new(plan, desk);
    let (mut ends, mut slowest_start) = (BTreeMap::new(), Duration::ZERO);
    let server = thread::scope(|scope| {
        let _over = Over(&crowd.over);
        for _ in 0..CLIENTS {
            scope.spawn(|| crowd.order());
        }
        for _ in 0..plan.kills {
            thread::sleep(Duration::from_millis(dice.random_range(200..1_800)));
            let end = End::draw(&mut dice);
            *ends.entry(end.name()).or_default() += 1;
            end.of(server, &installation, &mut dice);
            let start = Instant::now();
            server = installation.serve();
            slowest_start = slowest_start.max(start.elapsed());
            crowd.now_at(&server.http);
        }
        server
    });
    receiver.recovers();
    let still_owed = settle(server, &installation, &carrier);
    let orders = crowd.orders.into_inner().unwrap_or_else(PoisonError::into_inner);
    let history = history(plan.ports, orders, &installation, &carrier, &receiver);
    Ok(Outcome { history, ends, slowest_start, still_owed, took: began.elapsed() })
}

/// Collects the four logs.
pub(crate) fn history(
    ports: usize,
    orders: Vec<Order>,
    installation: &Installation,
    carrier: &Carrier,
    receiver: &Receiver,
) -> History {
    History {
        ports,
        orders,
        legs: carrier.heard().iter().map(leg).collect(),
        posts: receiver.posts(),
        records: installation.records(2 * WISHES_MAX).iter().map(record).collect(),
    }
}

impl Outcome {
    /// How many orders were answered how.
    #[must_use]
    pub fn answers(&self) -> BTreeMap<String, usize> {
        let mut answers = BTreeMap::new();
        for order in &self.history.orders {
            let answer = match &order.answer {
                Answer::Accepted(_) => "accepted".to_owned(),
                Answer::Refused(code) => format!("refused {code}"),
                Answer::InDoubt => "in doubt".to_owned(),
                Answer::NobodyThere => "nobody there".to_owned(),
            };
            *answers.entry(answer).or_default() += 1;
        }
        answers
    }

    /// How many pushes were taken, and how many failed.
    #[must_use]
    pub fn posts(&self) -> BTreeMap<&'static str, usize> {
        receiver::tally(&self.history.posts)
    }
}

impl End {
    fn draw(dice: &mut SmallRng) -> Self {
        match dice.random_range(0..20) {
            0..13 => Self::Killed,
            13..16 => Self::KilledWhileEnding,
            16 => Self::Stopped,
            _ => Self::KilledTwice,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::KilledWhileEnding => "killed while ending",
            Self::Stopped => "stopped",
            Self::KilledTwice => "killed, and again while starting",
        }
    }

    fn of(self, server: Server, installation: &Installation, dice: &mut SmallRng) {
        match self {
            Self::Killed => server.kill(),
            Self::KilledWhileEnding => {
                server.ask_to_end();
                thread::sleep(Duration::from_millis(dice.random_range(0..300)));
                server.kill();
            }
            Self::Stopped => {
                server.ask_to_end();
                thread::sleep(Duration::from_millis(100));
                server.ask_to_end();
                let _status = server.ended();
            }
            Self::KilledTwice => {
                server.kill();
                installation.serve_for(Duration::from_millis(dice.random_range(0..400)));
            }
        }
    }
}

/// The customers.
struct Crowd {
    plan: Plan,
    began: Instant,
    desk: Mutex<Desk>,
    next: AtomicUsize,
    over: AtomicBool,
    orders: Mutex<Vec<Order>>,
}

/// Sends the customers home when it is dropped, also by a panic: the scope waits for them.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Crowd {
    fn new(plan: Plan, desk: Desk) -> Self {
        Self {
            plan,
            began: Instant::now(),
            desk: Mutex::new(desk),
            next: AtomicUsize::new(0),
            over: AtomicBool::new(false),
            orders: Mutex::default(),
        }
    }

    /// Where to ask from now on.
    fn now_at(&self, http: &str) {
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        http.clone_into(&mut desk.customer.address);
    }

    /// One customer: asks whenever it is time for the next order, whatever became of the one before.
    fn order(&self) {
        loop {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            let due = Duration::from_secs_f64(n as f64 / f64::from(self.plan.rate.max(1)));
            thread::sleep(due.saturating_sub(self.began.elapsed()));
            if self.over.load(Ordering::Acquire) || n >= WISHES_MAX {
                return;
            }
            let mut dice =
                SmallRng::seed_from_u64(self.plan.seed.wrapping_mul(1_000_003).wrapping_add(n as u64));
            let desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let order = Wish::draw(n, &mut dice).place(&desk);
            orders::stop(&desk, &order, &mut dice);
            self.orders.lock().unwrap_or_else(PoisonError::into_inner).push(order);
        }
    }
}

/// Telephones that are quick, and never hang up because they hear nothing: a leg that nobody releases stays up.
pub(crate) fn telephones(seed: u64) -> Settings {
    let mut settings = Settings::new(([127, 0, 0, 1], 0).into());
    settings.quiet_max = None;
    settings.seed = seed;
    settings.times = Times {
        ring: Duration::from_millis(100),
        give_up: Duration::from_millis(400),
        announcement: Duration::from_millis(200),
        talk: Duration::from_millis(300),
        ..Times::default()
    };
    settings
}

pub(crate) fn installation(carrier: &Carrier, ports: usize) -> Result<Installation> {
    let installation = Installation::new(carrier.address());
    let file = installation.path("huihu.toml");
    let config = fs::read_to_string(&file)?;
    // The next process is known to the carrier by the same address, as in real life.
    let fixed = config.replace("listen = \"127.0.0.1:0\"", &format!("listen = \"{}\"", free_port()));
    ensure!(fixed != config, "the configuration has another shape now");
    fs::write(&file, format!("{fixed}[limits]\nports = {ports}\n"))?;
    Ok(installation)
}

/// Opens the app for everything, with a receiver that is tried again.
pub(crate) fn open(installation: &Installation, server: &Server, receiver: &Receiver) -> Desk {
    let operator = Operator::of(installation, server);
    let app = operator.app_named("demo");
    operator.open_all(&app);
    let url = receiver.url("report");
    operator.change_app(&app, &json!({"report_url": url, "push_profile": "reliable", "recording": true}));
    let menu = json!({"nodes": {"root": {"prompt": "请按一", "keys": {"1": "end"}, "waitSecs": 1}}});
    Desk {
        customer: installation.customer(server),
        status: receiver.url("status"),
        fee: receiver.url("fee"),
        notice: operator.template_of("named", &app, "您的订单已发货", true),
        menu: operator.template_of("menu", &app, &menu.to_string(), true),
    }
}

/// Lets everything come to its end: the calls that still run are left to one more start, and what is owed is tried at
/// once instead of in an hour. Gives how much is still owed when patience ends.
pub(crate) fn settle(server: Server, installation: &Installation, carrier: &Carrier) -> usize {
    let until = Instant::now() + PATIENCE;
    let mut running = server;
    loop {
        running.kill();
        let database = installation.open_database();
        let nudged = database.execute("UPDATE push SET at = 0 WHERE state = 1", []);
        nudged.expect("a database that nobody has can be written");
        drop(database);
        running = installation.serve();
        let (mut before, mut since) = (owed(installation), Instant::now());
        while since.elapsed() < LULL {
            let owed = owed(installation);
            if (owed == 0 && carrier.open_legs() == 0) || Instant::now() >= until {
                return owed;
            }
            if owed != before {
                (before, since) = (owed, Instant::now());
            }
            thread::sleep(GLANCE);
        }
    }
}

/// Pushes that are fresh or deferred.
fn owed(installation: &Installation) -> usize {
    let database = installation.open_database();
    let count =
        database.query_row("SELECT count(*) FROM push WHERE state < 2", [], |row| row.get::<_, i64>(0));
    usize::try_from(count.expect("pushes can be counted")).unwrap_or(usize::MAX)
}

fn leg(report: &LegReport) -> Leg {
    Leg {
        call_id: report.call_id.clone(),
        dialled: orders::last_ten(&report.dialled),
        answered: report.answered,
        ended: matches!(report.ended_by, Some(EndedBy::Caller | EndedBy::Callee)),
        from: report.started.micros(),
        until: report.ended.map(|at| at.micros()),
    }
}

fn record(record: &Value) -> Record {
    let parties = ["a", "b"].into_iter().filter_map(|leg| {
        let leg = &record["legs"][leg];
        let happened = |what: &str| leg[what].is_string();
        Some(Party {
            number: orders::last_ten(leg["dialled"].as_str()?),
            dialled: happened("dialled_at"),
            rang: happened("ringing_at"),
            answered: happened("answered_at"),
        })
    });
    Record { call: record["session"].as_str().unwrap_or_default().to_owned(), parties: parties.collect() }
}

/// Customers that ask at the same time at most.
const CLIENTS: usize = 16;

/// How long everything may take to come to rest on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long nothing may be taken of what is owed before it is tried again at once.
const LULL: Duration = Duration::from_millis(1_500);

/// How often it is looked at.
const GLANCE: Duration = Duration::from_millis(200);
