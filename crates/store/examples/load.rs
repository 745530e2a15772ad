//! What a call costs the store: real time, real disk, processor time of each thread. The store's own is `journal`;
//! the others play the engine and delivery.
//!
//! `cargo run --release -p huihu-store --example load -- 200 10` runs 200 calls a second for 10 seconds. Each call is
//! accepted, has eleven facts, eight pushes that are delivered, and its record. A third number says how many limits each
//! call counts against.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write;
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime};

use base::fact::Entry;
use base::private::Private;
use base::quota::{Charge, Counted, Window};
use base::time::Timestamp;
use huihu_store::{Journal, Outbox, Outcome, Store, Verdict};

#[path = "../tests/support/mod.rs"]
mod support;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u32>().expect("a number"));
    let (rate, secs) = (arguments.next().unwrap_or(200), arguments.next().unwrap_or(10));
    let limits = arguments.next().unwrap_or(0);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(load(rate, secs, limits));
}

async fn load(rate: u32, secs: u32, limits: u32) {
    let dir = tempfile::tempdir_in(".").expect("a directory on a real disk");
    let store = Store::open(dir.path()).await.expect("a store");
    let term = store.serve("node-1", clock()).await.expect("the office");
    let opened = Journal::open(&store, term, clock).await.expect("a journal");
    let settled = tokio::spawn(deliver(opened.outbox, opened.journal.clone(), rate * secs * 8));
    let (accepted, engine) = mpsc::channel();
    let journal = opened.journal.clone();
    let play = move || run_engine(&journal, &engine, rate * secs);
    let engine = std::thread::Builder::new().name("engine".to_owned()).spawn(play).expect("a thread");

    let calls: Vec<_> =
        (0..rate * secs).map(|number| support::talk(support::call(number, "127.0.0.1"))).collect();
    let (begin, cpu) = (Instant::now(), cpu());
    let mut waits = Vec::new();
    let orders = calls.into_iter().enumerate().map(|(number, entries)| {
        let (journal, accepted) = (opened.journal.clone(), accepted.clone());
        let starts = begin + Duration::from_secs(1) / rate * u32::try_from(number).expect("few calls");
        (starts, order(journal, accepted, entries, limits))
    });
    for (starts, order) in orders {
        tokio::time::sleep_until(starts.into()).await;
        waits.push(tokio::spawn(order));
    }
    let mut took = Vec::new();
    for wait in waits {
        took.push(wait.await.expect("an order"));
    }
    drop(accepted);
    engine.join().expect("the engine");
    settled.await.expect("delivery");
    let spent = self::cpu();
    opened.journal.close();
    let commits = opened.journal.commits();
    opened.task.ended().await;
    took.sort_unstable();
    let calls = took.len();
    let mut out = std::io::stdout().lock();
    let times = format!("{:?} (median), {:?} (p99)", took[calls / 2], took[calls * 99 / 100]);
    writeln!(out, "{calls} calls at {rate}/s in {commits} commits; accepted in {times}")
        .expect("somebody reads");
    for (thread, spent) in spent {
        let before = cpu.get(&thread).copied().unwrap_or_default();
        let micros = spent.saturating_sub(before).as_secs_f64() * 1e6 / calls as f64;
        writeln!(out, "{micros:8.0} us a call in {thread}").expect("somebody reads");
    }
}

async fn order(
    journal: Journal,
    accepted: mpsc::Sender<Vec<Entry>>,
    mut entries: Vec<Entry>,
    limits: u32,
) -> Duration {
    let begin = Instant::now();
    let facts = entries.split_off(1);
    let charges = charges(&entries[0], limits);
    journal.accept(entries.remove(0), charges).await.expect("an accepted call");
    accepted.send(facts).expect("the engine runs");
    begin.elapsed()
}

/// A call counts against its app in each window, and against its parties, of whom each is called once.
fn charges(acceptance: &Entry, limits: u32) -> Vec<Charge> {
    let windows = [Window::Minute, Window::Hour, Window::Day, Window::Month];
    let kinds = [Counted::App, Counted::Callee, Counted::Caller].into_iter();
    let all = kinds.flat_map(|of| windows.into_iter().map(move |per| (of, per)));
    let charge = |(of, per): (Counted, Window)| {
        let subject = if of == Counted::App { "1".to_owned() } else { acceptance.call.to_string() };
        Charge { of, owner: 1, subject: Private::new(subject.into()), per, began: per.began(acceptance.at) }
    };
    all.take(limits as usize).map(charge).collect()
}

/// Appends the facts of each call one by one, some time apart, as a shard does.
fn run_engine(journal: &Journal, accepted: &mpsc::Receiver<Vec<Entry>>, calls: u32) {
    const APART: Duration = Duration::from_millis(70);
    let mut live: VecDeque<(Instant, VecDeque<Entry>)> = VecDeque::new();
    let mut begun = 0;
    while begun < calls || !live.is_empty() {
        for facts in accepted.try_iter() {
            begun += 1;
            live.push_back((Instant::now() + APART, facts.into()));
        }
        while let Some((due, _)) = live.front() {
            if *due > Instant::now() {
                break;
            }
            let (due, mut facts) = live.pop_front().expect("it was there");
            journal.append(facts.pop_front().into_iter().collect()).expect("room");
            if !facts.is_empty() {
                live.push_back((due + APART, facts));
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Says of every push, some milliseconds later, that it was delivered.
async fn deliver(outbox: Outbox, journal: Journal, mut owed: u32) {
    while owed > 0 {
        outbox.committed().await;
        let pushes = outbox.take_fresh().pushes;
        owed -= u32::try_from(pushes.len()).expect("few pushes");
        tokio::time::sleep(Duration::from_millis(5)).await;
        let verdict = |id| Verdict {
            id,
            at: clock(),
            took: Duration::ZERO,
            outcome: Outcome::Delivered,
            exchange: None,
        };
        journal.settle(pushes.iter().map(|push| verdict(push.id)).collect()).expect("room");
    }
}

fn clock() -> Timestamp {
    let since = SystemTime::UNIX_EPOCH.elapsed().expect("a clock after 1970");
    Timestamp::from_micros(i64::try_from(since.as_micros()).expect("a clock before the year 294000"))
}

/// Processor time of each kind of thread so far, by the scheduler's own accounting.
fn cpu() -> BTreeMap<String, Duration> {
    let mut spent = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").expect("a Linux kernel").flatten() {
        let read = |file| std::fs::read_to_string(task.path().join(file)).unwrap_or_default();
        let nanos = read("schedstat").split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0);
        *spent.entry(read("comm").trim().to_owned()).or_default() += Duration::from_nanos(nanos);
    }
    spent
}
