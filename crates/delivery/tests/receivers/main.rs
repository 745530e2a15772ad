//! Receivers that fail every second message lose nothing: the real delivery with a real store over real sockets.
//!
//! ```text
//! calls ─▶ journal ─▶ outbox ─▶ delivery ─▶ receivers: 500 · reset · silence · nonsense, by a seed ─▶ what they saw
//!   └─────────────────────────── what is owed ──────────────────────────────────────────────────────▶ judge
//! ```
//!
//! The wall clock is turned on when nothing moves, so that hours of waiting take seconds; an attempt may take a fraction
//! of a second. What is parked in the end is sent again as an operator would do it.
//! `HUIHU_RECEIVERS=50000 cargo test --release -p huihu-delivery --test receivers -- --nocapture` is the long run;
//! `HUIHU_RECEIVERS_SEED` fails otherwise.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

mod history;
mod receiver;
#[path = "../../../store/tests/support/mod.rs"]
mod support;

use std::env;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use base::address::Guard;
use base::call::Call;
use base::clip::{ClipKey, SystemClip};
use base::fact::{Entry, Fact};
use base::id::{AppId, Leg};
use base::order::{Notice, NoticeItem, Product};
use base::private::Private;
use base::release::{Cause, Ending, Party, Release};
use base::time::Timestamp;
use base::url::PushUrl;
use huihu_delivery::{Delivery, HostCondition, Pace, Parts, Profile};
use rand::rngs::{SmallRng, StdRng};
use rand::{Rng, SeedableRng};
use store::admin::{AppChange, AppDraft, HostCount, PushFilter};
use store::{Accounts, Admin, Journal, JournalTask, PushState, Store};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use history::{News, Outcome, Owed, Wish, judge};
use receiver::Book;

/// The wall clock.
static CLOCK: AtomicI64 = AtomicI64::new(support::BEGIN.millis());

fn now() -> Timestamp {
    Timestamp::from_millis(CLOCK.load(Ordering::SeqCst))
}

fn turn(secs: i64) {
    CLOCK.fetch_add(secs * 1_000, Ordering::SeqCst);
}

/// A node with an app that wants events once and one that wants all of them, and its customers' receivers.
struct Town {
    admin: Admin,
    journal: Journal,
    writer: JournalTask,
    delivery: Delivery,
    book: Arc<Book>,
    receivers: Vec<SocketAddr>,
}

/// What came of a run, besides its outcome.
#[derive(Default)]
struct Figures {
    /// Hosts that rested at some time.
    rested: usize,
    /// Pushes that were parked and sent again.
    sent_again: u64,
}

const WISHES: [(Wish, Profile, &str); 2] =
    [(Wish::Once, Profile::Compat, "key-1"), (Wish::InOrder, Profile::Reliable, "key-2")];

impl Town {
    async fn open(dir: &Path, seed: u64) -> Self {
        let store = Store::open(dir).await.unwrap();
        let admin = Admin::new(&store);
        for (_, profile, key) in WISHES {
            let app = admin.create_app(&AppDraft::new("acme", key), now()).await.unwrap();
            admin.import_key(app, key, &Private::new(receiver::secret(key).into()), now()).await.unwrap();
            let change = AppChange { push_profile: Some(profile), ..AppChange::default() };
            admin.change_app(app, &change).await.unwrap();
        }
        let term = store.serve("node-1", now()).await.unwrap();
        let opened = Journal::open(&store, term, now).await.unwrap();
        let parts = Parts {
            outbox: opened.outbox,
            journal: opened.journal.clone(),
            accounts: Accounts::load(&store).await.unwrap(),
            guard: Guard::new(vec!["127.0.0.0/8".parse().unwrap()]),
            pace: Pace::default(),
            attempt: ATTEMPT,
            clock: now,
            rng: StdRng::seed_from_u64(seed),
        };
        let book = Book::new();
        // The first two are away at the beginning, for longer than a host may be before it rests.
        let start = |number: u8| receiver::start(number, seed, if number <= 2 { 16 } else { 0 }, &book);
        let receivers = (1..=RECEIVERS).map(start).collect();
        let delivery = Delivery::start(parts).unwrap();
        Self { admin, journal: opened.journal, writer: opened.task, delivery, book, receivers }
    }

    /// Has calls take place until so many events are owed.
    async fn owe(&self, events: usize, seed: u64) -> Vec<Owed> {
        let mut dice = SmallRng::seed_from_u64(seed);
        let (mut owed, mut owing, mut calls) = (Vec::new(), 0, JoinSet::new());
        let at_once = Arc::new(Semaphore::new(CALLS_AT_ONCE));
        for number in 0.. {
            if owing >= events {
                break;
            }
            let host = self.receivers[dice.random_range(0..self.receivers.len())];
            let (entries, owes) = call(number, host, events - owing, &mut dice);
            owing += owes.news.len();
            owed.push(owes);
            let (journal, place) =
                (self.journal.clone(), Arc::clone(&at_once).acquire_owned().await.unwrap());
            calls.spawn(async move {
                let mut entries = entries;
                journal.accept(entries.remove(0), Vec::new()).await.unwrap();
                let mut left = entries;
                while let Err(refused) = journal.append(left) {
                    left = refused;
                    tokio::time::sleep(GLANCE).await;
                }
                drop(place);
            });
        }
        while let Some(done) = calls.join_next().await {
            done.unwrap();
        }
        owed
    }

    /// Lets time pass until every push is delivered, and has sent again what was parked.
    async fn deliver(&self, figures: &mut Figures) {
        let (mut looked, mut seen, mut still, mut rested) = (Instant::now(), 0, 0, Vec::new());
        loop {
            tokio::time::sleep(GLANCE).await;
            let hosts = self.delivery.hosts().all();
            let (messages, _) = self.book.messages();
            let moves = messages != seen || hosts.iter().any(|host| host.in_flight > 0);
            // While something moves, a second of theirs is about a moment of ours.
            still = if moves || !self.journal.is_still() { 0 } else { still + 1 };
            turn(if still > STILL { 600 } else { 1 });
            self.delivery.wake();
            seen = messages;
            rested.extend(
                hosts
                    .into_iter()
                    .filter(|host| host.condition != HostCondition::Working)
                    .map(|host| host.host),
            );
            rested.sort();
            rested.dedup();
            figures.rested = rested.len();
            if looked.elapsed() < LOOK {
                continue;
            }
            looked = Instant::now();
            let hosts = self.admin.push_hosts(None, 100).await.unwrap();
            let sum = |count: fn(&HostCount) -> u64| hosts.iter().map(count).sum::<u64>();
            let (owed, parked) = (sum(|host| host.fresh + host.deferred), sum(|host| host.parked));
            if owed > 0 {
                continue;
            }
            if parked == 0 {
                return;
            }
            figures.sent_again += self.send_again().await;
        }
    }

    /// Has everything sent again that is parked.
    async fn send_again(&self) -> u64 {
        self.book.sent_again.store(true, Ordering::SeqCst);
        let filter = PushFilter { state: Some(PushState::Parked), ..PushFilter::default() };
        let (mut from, mut pushes) = (None, 0);
        loop {
            let done = self.admin.redeliver_where(&filter, from, now(), 500).await.unwrap();
            pushes += done.pushes;
            match done.next {
                Some(next) => from = Some(next),
                None => return pushes,
            }
        }
    }

    async fn close(self) {
        self.delivery.stop().await;
        self.journal.close();
        self.writer.ended().await;
    }
}

/// A call that owes no more than that: seven status events and a fee record, or a report.
fn call(number: u32, host: SocketAddr, most: usize, dice: &mut SmallRng) -> (Vec<Entry>, Owed) {
    let app = dice.random_range(0..WISHES.len());
    let (wish, _, key) = WISHES[app];
    let call = support::call(number, &host.to_string());
    let app = AppId(i64::try_from(app).unwrap() + 1);
    let call = Call { app, key: key.into(), user_data: Some(number.to_string().into()), ..call };
    if most < 8 || dice.random_range(0..4) == 0 {
        return (report(&call, host), Owed { call: number, wish, news: vec![News::Report] });
    }
    let news = (0..7).map(News::Status).chain([News::Fee]).collect();
    (support::talk(call), Owed { call: number, wish, news })
}

/// A notice of the other vendor, of which one report is owed.
fn report(call: &Call, host: SocketAddr) -> Vec<Entry> {
    let (Some(a), id) = (call.numbers(Leg::A), call.id) else { unreachable!("a callback has two parties") };
    let items = vec![NoticeItem { voice: ClipKey::System(SystemClip::HintTone), collect: None }];
    let product = Product::Notice(Notice { callee: a.dialled.clone(), shown: a.shown.clone(), items });
    let report_url = PushUrl::parse(&format!("http://{host}/report")).ok();
    let call = Call {
        dialect: "ksyun".into(),
        product,
        status_url: None,
        fee_url: None,
        report_url,
        ..call.clone()
    };
    let facts = [
        Fact::Accepted(Box::new(call)),
        Fact::dialled(Leg::A),
        Fact::Answered { leg: Leg::A, dialog: None },
        Fact::released(Leg::A, Release::normal(Party::Caller)),
        Fact::Over(Ending { by: Party::Caller, cause: Cause::Normal, leg: Some(Leg::A) }),
    ];
    let entry = |(fact, seq): (Fact, u32)| Entry { call: id, seq, at: support::at(seq.into()), fact };
    facts.into_iter().zip(0..).map(entry).collect()
}

/// How long an attempt may take here.
const ATTEMPT: Duration = Duration::from_millis(300);

/// Hosts.
const RECEIVERS: u8 = 12;

/// Calls that are written at once.
const CALLS_AT_ONCE: usize = 64;

/// How often the clock is turned.
const GLANCE: Duration = Duration::from_millis(20);

/// Glances in which nothing moves before much time passes.
const STILL: u32 = 5;

/// How often it is looked whether anything is owed.
const LOOK: Duration = Duration::from_millis(500);

/// Events of a run that takes some seconds.
const EVENTS: usize = 320;

fn asked(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receivers_that_fail_every_second_time_get_everything() {
    let events = asked("HUIHU_RECEIVERS").map_or(EVENTS, |events| usize::try_from(events).unwrap());
    let seed = asked("HUIHU_RECEIVERS_SEED").unwrap_or(1);
    let (dir, began, mut figures) = (tempfile::tempdir().unwrap(), Instant::now(), Figures::default());
    let town = Town::open(dir.path(), seed).await;
    let owed = town.owe(events, seed).await;
    town.deliver(&mut figures).await;
    let ((messages, failed), sights) = (town.book.messages(), town.book.sights());
    town.close().await;
    let outcome = judge(&owed, &sights);
    let Outcome { delivered, lost, order, unsigned, strange, again, .. } = &outcome;
    let Figures { rested, sent_again } = figures;
    println!(
        "took {:.0?}; hours that passed: {}",
        began.elapsed(),
        now().since(support::BEGIN).as_secs() / 3_600
    );
    println!(
        "messages={messages} failed={failed} hosts_rested={rested} sent_again={sent_again} taken_again={again}"
    );
    println!(
        "events={} delivered={delivered} lost={lost} order={} unsigned={unsigned} strange={strange}",
        outcome.events,
        order.len()
    );
    for event in order.iter().take(5) {
        let of_call = sights.iter().filter(|sight| sight.event.call == event.call);
        println!("{event:?}: {:?}", of_call.collect::<Vec<_>>());
    }
    assert!(outcome.is_good(), "a rule is broken");
    assert!(failed * 3 > messages, "the receivers hardly fail");
    assert!(rested >= 2, "those that were away never rested");
}
