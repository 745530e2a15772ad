//! Counts against limits: durable with the acceptance that they belong to, and forgotten when their window is over.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use base::private::Private;
use base::quota::{Charge, Counted, Window};
use base::time::Timestamp;
use huihu_store::{AcceptFault, Journal, Opened, Store};
use tempfile::TempDir;

mod support;
use support::{BEGIN, call, talk};

const HOST: &str = "receiver.example";

fn charge(of: Counted, subject: &str, per: Window, now: Timestamp) -> Charge {
    Charge { of, owner: 7, subject: Private::new(subject.into()), per, began: per.began(now) }
}

/// What a call to that callee counts against.
fn charges(callee: &str, now: Timestamp) -> Vec<Charge> {
    vec![
        charge(Counted::App, "7", Window::Minute, now),
        charge(Counted::Callee, callee, Window::Day, now),
        charge(Counted::Callee, callee, Window::Month, now),
    ]
}

async fn open(dir: &TempDir, clock: fn() -> Timestamp) -> (Store, Opened) {
    let store = Store::open(dir.path()).await.expect("a store");
    let term = store.serve("node-1", clock()).await.expect("the office");
    let opened = Journal::open(&store, term, clock).await.expect("a journal");
    (store, opened)
}

#[tokio::test]
async fn what_was_counted_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (_, opened) = open(&dir, || BEGIN).await;
    for (number, callee) in [(1, "+8613810000001"), (2, "+8613810000001"), (3, "+8613810000002")] {
        let acceptance = talk(call(number, HOST)).remove(0);
        opened.journal.accept(acceptance, charges(callee, BEGIN)).await.unwrap();
    }
    // A refused order counts against nothing.
    let twice = talk(call(1, HOST)).remove(0);
    let refused = opened.journal.accept(twice, charges("+8613810000001", BEGIN)).await;
    assert_eq!(refused, Err(AcceptFault::Misfit));
    opened.journal.close();
    opened.task.ended().await;

    let store = Store::open(dir.path()).await.unwrap();
    let counts: HashMap<Charge, u32> = store.charges(BEGIN).await.unwrap().into_iter().collect();
    assert_eq!(counts.len(), 5);
    assert_eq!(counts[&charge(Counted::App, "7", Window::Minute, BEGIN)], 3);
    assert_eq!(counts[&charge(Counted::Callee, "+8613810000001", Window::Day, BEGIN)], 2);
    assert_eq!(counts[&charge(Counted::Callee, "+8613810000002", Window::Month, BEGIN)], 1);
    let later = BEGIN + Duration::from_secs(60);
    assert_eq!(store.charges(later).await.unwrap().len(), 4, "the minute is over");
}

#[tokio::test]
async fn a_trial_is_used_up_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let later = || BEGIN + Duration::from_secs(10 * 365 * 86_400);
    let (_, opened) = open(&dir, later).await;
    let used = charge(Counted::App, "7", Window::Ever, BEGIN);
    for number in [1, 2] {
        let acceptance = talk(call(number, HOST)).remove(0);
        opened.journal.accept(acceptance, vec![used.clone()]).await.unwrap();
    }
    opened.journal.close();
    opened.task.ended().await;
    // A heartbeat after ten years forgets whatever is over.
    let (store, opened) = open(&dir, later).await;
    let acceptance = talk(call(3, HOST)).remove(0);
    opened.journal.accept(acceptance, vec![charge(Counted::App, "7", Window::Minute, BEGIN)]).await.unwrap();
    opened.journal.close();
    opened.task.ended().await;
    assert_eq!(store.charges(later()).await.unwrap(), [(used, 2)]);
}

#[tokio::test]
async fn windows_that_are_over_are_forgotten_bit_by_bit() {
    static CLOCK: AtomicI64 = AtomicI64::new(BEGIN.micros());
    let dir = tempfile::tempdir().unwrap();
    let (_, opened) = open(&dir, || Timestamp::from_micros(CLOCK.load(Ordering::Relaxed))).await;
    let many = (0..1_500).map(|number| charge(Counted::Callee, &number.to_string(), Window::Minute, BEGIN));
    let lasting = charge(Counted::Callee, "0", Window::Month, BEGIN);
    let acceptance = talk(call(1, HOST)).remove(0);
    opened.journal.accept(acceptance, many.chain([lasting]).collect()).await.unwrap();
    CLOCK.fetch_add(60_000_000, Ordering::Relaxed);
    let disk = rusqlite::Connection::open(dir.path().join("huihu.db")).unwrap();
    let left =
        || disk.query_row("SELECT count(*) FROM charge_count", [], |row| row.get::<_, i64>(0)).unwrap();
    // Each heartbeat forgets some: the journal goes on meanwhile.
    let (mut last, deadline) = (left(), std::time::Instant::now() + Duration::from_secs(60));
    while last > 1 {
        assert!(std::time::Instant::now() < deadline, "{last} counts are left");
        tokio::task::yield_now().await;
        let now = left();
        assert!(last - now <= 1_024, "{} forgotten at once", last - now);
        last = now;
    }
    opened.journal.close();
    opened.task.ended().await;
}

#[tokio::test]
async fn an_order_that_waited_too_long_is_no_call() {
    static STUCK: AtomicBool = AtomicBool::new(false);
    static SEEN: AtomicBool = AtomicBool::new(false);
    let dir = tempfile::tempdir().unwrap();
    // The writer asks for the time in the middle of a commit: there it hangs.
    let clock = || {
        while STUCK.load(Ordering::Acquire) {
            SEEN.store(true, Ordering::Release);
            std::thread::sleep(Duration::from_millis(1));
        }
        BEGIN
    };
    let (_, opened) = open(&dir, clock).await;
    let first = talk(call(1, HOST)).remove(0);
    opened.journal.accept(first, Vec::new()).await.unwrap();
    let accept = |number| {
        let (journal, entry) = (opened.journal.clone(), talk(call(number, HOST)).remove(0));
        tokio::spawn(async move { journal.accept(entry, Vec::new()).await })
    };
    STUCK.store(true, Ordering::Release);
    let second = accept(2);
    while !SEEN.load(Ordering::Acquire) {
        tokio::task::yield_now().await;
    }
    // The writer is stuck with the second order when the third comes.
    let third = accept(3);
    pass(Duration::from_millis(2_200)).await;
    STUCK.store(false, Ordering::Release);
    assert_eq!(second.await.unwrap(), Ok(()));
    assert_eq!(third.await.unwrap(), Err(AcceptFault::Slow));
    opened.journal.close();
    opened.task.ended().await;
}

/// A disk that hangs does so in real time.
async fn pass(span: Duration) {
    let begin = std::time::Instant::now();
    while begin.elapsed() < span {
        tokio::task::yield_now().await;
    }
}
