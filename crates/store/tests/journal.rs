//! The journal on a real database: what is durable when, and what a restart finds.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use base::fact::{Entry, Fact};
use base::id::{CallId, Leg};
use base::row::Channel;
use base::time::Timestamp;
use huihu_store::admin::PushPick;
use huihu_store::{
    AcceptFault, Admin, DueCursor, Journal, Opened, Outcome, PushNo, PushState, SeenRequest, Store,
    StoreFault, Verdict,
};
use tempfile::TempDir;
use tokio::time::timeout;

mod support;
use support::{at, call, talk};

const HOST: &str = "receiver.example";

/// How long a story waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server on a data directory, from one start to its end or its death.
struct Server {
    store: Store,
    opened: Opened,
}

impl Server {
    async fn start(dir: &TempDir) -> Self {
        let store = Store::open(dir.path()).await.expect("a store");
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        let term = loop {
            match store.serve("node-1", support::BEGIN).await {
                // The process before this one is still dying.
                Err(StoreFault::Taken { .. }) => {
                    assert!(std::time::Instant::now() < deadline, "the process before this one does not die");
                    tokio::task::yield_now().await;
                }
                served => break served.expect("the office"),
            }
        };
        let opened = Journal::open(&store, term, || at(60_000)).await.expect("a journal");
        Self { store, opened }
    }

    /// Accepts a call and appends the facts that follow, all at once.
    async fn run(&self, entries: &[Entry]) -> CallId {
        let (first, rest) = entries.split_first().expect("an acceptance");
        self.opened.journal.accept(first.clone(), Vec::new()).await.expect("an accepted call");
        self.opened.journal.append(rest.to_vec()).expect("room");
        first.call
    }

    /// Waits until everything is written.
    async fn still(&self) {
        let begin = std::time::Instant::now();
        while !self.opened.journal.is_still() {
            assert!(begin.elapsed() < PATIENCE, "the journal never comes to rest");
            tokio::task::yield_now().await;
        }
    }

    async fn stop(self) {
        self.opened.journal.close();
        self.opened.task.ended().await;
    }

    fn admin(&self) -> Admin {
        Admin::new(&self.store)
    }
}

/// Lives through a story that nobody ends: everything is dropped wherever it stands.
fn until_death(story: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(story);
}

/// What an operator can see of a directory whose server is gone.
async fn admin(dir: &TempDir) -> Admin {
    Admin::new(&Store::open(dir.path()).await.expect("a store"))
}

fn delivered(push: i64) -> Verdict {
    Verdict {
        id: PushNo(push),
        at: at(30_000),
        took: Duration::ZERO,
        outcome: Outcome::Delivered,
        exchange: None,
    }
}

fn count(admin: &[huihu_store::admin::PushLine], channel: Channel) -> usize {
    admin.iter().filter(|line| line.push.channel == channel).count()
}

#[tokio::test]
async fn a_request_that_was_taken_is_there_no_later_than_the_call_that_it_orders() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir).await;
    let request = SeenRequest { key: "key-1".into(), name: [7; 16], until: at(600_000) };
    server.opened.journal.note(request.clone()).unwrap();
    server.opened.journal.accept(talk(call(1, HOST))[0].clone(), Vec::new()).await.unwrap();
    // Another process sees it, until its signature is too old.
    let other = Store::open(dir.path()).await.unwrap();
    assert_eq!(other.seen_requests(at(599_999)).await.unwrap(), [request]);
    assert_eq!(other.seen_requests(at(600_001)).await.unwrap(), []);
    server.stop().await;
}

#[tokio::test]
async fn an_accepted_call_is_there_after_the_process_died() {
    let dir = tempfile::tempdir().unwrap();
    let entries = talk(call(1, HOST));
    let server = Server::start(&dir).await;
    server.opened.journal.accept(entries[0].clone(), Vec::new()).await.unwrap();
    // Another process sees it at once: it was committed before the answer.
    assert_eq!(admin(&dir).await.entries(entries[0].call).await.unwrap(), entries[..1]);
}

#[tokio::test]
async fn a_call_that_is_over_has_its_record_and_its_pushes_once() {
    let dir = tempfile::tempdir().unwrap();
    let entries = talk(call(1, HOST));
    let server = Server::start(&dir).await;
    let id = server.run(&entries).await;
    server.stop().await;
    let admin = admin(&dir).await;
    assert_eq!(admin.entries(id).await.unwrap(), entries);
    let record = admin.record(id).await.unwrap().unwrap();
    // Its last leg was gone a moment before the end was written.
    assert_eq!(record.ended_at, entries[10].at);
    let pushes = admin.pushes(PushPick::Of(id), 100).await.unwrap();
    assert_eq!((count(&pushes, Channel::Status), count(&pushes, Channel::Fee)), (7, 1));
    assert!(pushes.iter().all(|line| line.state == PushState::Fresh));
}

#[tokio::test]
async fn a_call_whose_customer_named_no_receiver_owes_no_push() {
    let dir = tempfile::tempdir().unwrap();
    let mut quiet = call(1, HOST);
    (quiet.status_url, quiet.fee_url) = (None, None);
    let server = Server::start(&dir).await;
    let id = server.run(&talk(quiet)).await;
    server.stop().await;
    let admin = admin(&dir).await;
    assert!(admin.pushes(PushPick::Of(id), 100).await.unwrap().is_empty());
    assert!(admin.record(id).await.unwrap().is_some());
}

#[tokio::test]
async fn many_acceptances_share_few_commits() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir).await;
    let begin = std::time::Instant::now();
    let waits: Vec<_> = (0..2_000)
        .map(|number| {
            let (journal, entry) = (server.opened.journal.clone(), talk(call(number, HOST)).remove(0));
            tokio::spawn(async move { journal.accept(entry, Vec::new()).await })
        })
        .collect();
    for wait in waits {
        wait.await.unwrap().unwrap();
    }
    // One flush for each of 2,000 acceptances would take this disk several times as long.
    let commits = server.opened.journal.commits();
    assert!((8..=40).contains(&commits), "{commits} commits");
    assert!(begin.elapsed().as_secs() < 30);
    server.stop().await;
}

#[tokio::test]
async fn an_entry_out_of_place_costs_itself_only() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (talk(call(1, HOST)), talk(call(2, HOST)));
    let server = Server::start(&dir).await;
    server.opened.journal.accept(one[0].clone(), Vec::new()).await.unwrap();
    assert_eq!(server.opened.journal.accept(one[0].clone(), Vec::new()).await, Err(AcceptFault::Misfit));
    assert_eq!(server.opened.journal.accept(two[1].clone(), Vec::new()).await, Err(AcceptFault::Misfit));
    // A call that nobody accepted, a gap, the same entry twice, and an acceptance that nobody waits for.
    let wrong = vec![two[1].clone(), one[2].clone(), one[1].clone(), one[1].clone(), two[0].clone()];
    server.opened.journal.append(wrong).unwrap();
    server.stop().await;
    let admin = admin(&dir).await;
    assert_eq!(admin.entries(one[0].call).await.unwrap(), one[..2]);
    assert!(admin.entries(two[0].call).await.unwrap().is_empty());
}

#[tokio::test]
async fn after_the_end_everything_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let entries = talk(call(1, HOST));
    let server = Server::start(&dir).await;
    let journal = server.opened.journal.clone();
    server.stop().await;
    assert_eq!(journal.accept(entries[0].clone(), Vec::new()).await, Err(AcceptFault::Stopped));
    assert_eq!(journal.append(entries.clone()), Err(entries));
    assert_eq!(journal.settle(vec![delivered(1)]), Err(vec![delivered(1)]));
}

#[tokio::test]
async fn the_writer_ends_when_nobody_can_ask_it_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let entries = talk(call(1, HOST));
    let server = Server::start(&dir).await;
    let id = server.run(&entries).await;
    let Opened { journal, task, .. } = server.opened;
    drop(journal);
    timeout(PATIENCE, task.ended()).await.expect("the writer goes on for nobody");
    assert_eq!(admin(&dir).await.entries(id).await.unwrap(), entries, "what was taken is written first");
}

#[tokio::test]
async fn nobody_waits_for_a_writer_that_died() {
    static BROKEN: AtomicBool = AtomicBool::new(false);
    let clock = || {
        assert!(!BROKEN.load(Ordering::Relaxed), "the clock is broken");
        at(60_000)
    };
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let term = store.serve("node-1", support::BEGIN).await.unwrap();
    let opened = Journal::open(&store, term, clock).await.unwrap();
    let (one, two) = (talk(call(1, HOST)), talk(call(2, HOST)));
    opened.journal.accept(one[0].clone(), Vec::new()).await.unwrap();
    BROKEN.store(true, Ordering::Relaxed);
    let told = timeout(PATIENCE, opened.journal.accept(two[0].clone(), Vec::new())).await;
    assert_eq!(told.expect("an answer"), Err(AcceptFault::Stopped));
    timeout(PATIENCE, opened.task.ended()).await.expect("the end of the writer");
    let told = timeout(PATIENCE, opened.journal.accept(two[0].clone(), Vec::new())).await;
    assert_eq!(told.expect("an answer"), Err(AcceptFault::Stopped));
    assert_eq!(opened.journal.append(vec![one[1].clone()]), Err(vec![one[1].clone()]));
}

/// A commit costs the same whatever is in it, so what comes one by one is written together.
#[tokio::test]
async fn commits_keep_their_distance() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir).await;
    let journal = &server.opened.journal;
    let begin = std::time::Instant::now();
    // At most one in 20 ms while somebody waits, and a heartbeat.
    for number in 0..20 {
        journal.accept(talk(call(number, HOST))[0].clone(), Vec::new()).await.unwrap();
    }
    let (commits, millis) = (journal.commits(), begin.elapsed().as_millis() as u64);
    assert!(commits <= millis / 20 + 3, "{commits} commits in {millis} ms");
    // One in 40 ms while nobody does.
    let begin = std::time::Instant::now();
    for fact in 1..8 {
        for number in 0..20 {
            journal.append(vec![talk(call(number, HOST))[fact].clone()]).unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let (commits, millis) = (journal.commits() - commits, begin.elapsed().as_millis() as u64);
    assert!(commits <= millis / 40 + 3, "{commits} commits in {millis} ms");
    server.stop().await;
}

#[tokio::test]
async fn a_journal_without_work_writes_nothing_but_that_it_lives() {
    let dir = tempfile::tempdir().unwrap();
    let begin = std::time::Instant::now();
    let server = Server::start(&dir).await;
    server.run(&talk(call(1, HOST))).await;
    while begin.elapsed() < Duration::from_millis(500) || server.opened.journal.commits() == 0 {
        assert!(begin.elapsed() < PATIENCE, "nothing is ever committed");
        tokio::task::yield_now().await;
    }
    let commits = server.opened.journal.commits();
    // A heartbeat every two seconds and one at the start, the acceptance, and the facts.
    assert!(commits <= begin.elapsed().as_secs() / 2 + 4, "{commits} commits");
    server.stop().await;
}

#[tokio::test]
async fn a_journal_is_still_when_all_is_written_and_not_before() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir).await;
    let entries = talk(call(1, HOST));
    let id = server.run(&entries[..3]).await;
    server.still().await;
    let disk = rusqlite::Connection::open(dir.path().join("huihu.db")).unwrap();
    disk.busy_timeout(Duration::from_secs(5)).unwrap();
    disk.execute_batch("BEGIN IMMEDIATE").unwrap();
    server.opened.journal.append(entries[3..].to_vec()).unwrap();
    let begin = std::time::Instant::now();
    while begin.elapsed() < Duration::from_millis(200) {
        assert!(!server.opened.journal.is_still());
        tokio::task::yield_now().await;
    }
    disk.execute_batch("COMMIT").unwrap();
    server.still().await;
    assert_eq!(server.admin().entries(id).await.unwrap(), entries);
    server.stop().await;
}

#[test]
fn a_restart_closes_what_the_dead_process_left_open() {
    let dir = tempfile::tempdir().unwrap();
    let entries = talk(call(1, HOST));
    let id = entries[0].call;
    // A talks, B rings; then the process dies without a word.
    until_death(async {
        let server = Server::start(&dir).await;
        server.run(&entries[..7]).await;
        server.opened.outbox.committed().await;
    });
    until_death(async {
        let server = Server::start(&dir).await;
        let [interrupted] = &server.opened.interrupted[..] else { panic!("one call was open") };
        assert_eq!((interrupted.call, &interrupted.entries[..]), (id, &entries[..7]));
        let legs: Vec<_> = interrupted.dialogs().map(|(leg, _)| leg).collect();
        assert_eq!(legs, [Leg::A, Leg::B]);
        let closed = server.admin().entries(id).await.unwrap();
        assert_eq!(closed.len(), 10);
        assert!(matches!(closed[9].fact, Fact::Over(_)));
        assert!(server.admin().record(id).await.unwrap().is_some());
        let pushes = server.admin().pushes(PushPick::Of(id), 100).await.unwrap();
        assert_eq!((count(&pushes, Channel::Status), count(&pushes, Channel::Fee)), (6, 1));
    });
    until_death(async {
        let server = Server::start(&dir).await;
        let [unreleased] = &server.opened.interrupted[..] else { panic!("its legs may still be up") };
        assert_eq!((unreleased.call, &unreleased.entries[..]), (id, &entries[..7]));
        assert_eq!(server.admin().entries(id).await.unwrap().len(), 10, "it stays closed");
    });
}

#[tokio::test]
async fn legs_are_released_by_every_start_until_one_had_the_time() {
    type Life = (fn() -> Timestamp, &'static [u32]);

    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    // Each process closes what is open, accepts one more call, which is a sign of life, and dies.
    let lives: [Life; 10] = [
        (|| at(0), &[]),
        (|| at(3_600_000), &[0]),
        (|| at(3_601_000), &[0, 1]),
        (|| at(3_639_000), &[0, 1, 2]),
        (|| at(3_641_000), &[0, 1, 2, 3]),
        // The first call was closed for 40 s when the process before this one gave a sign of life.
        (|| at(3_642_000), &[1, 2, 3, 4]),
        // Nobody was there for an hour and a half: what was not released then has its 40 s once more.
        (|| at(9_000_000), &[2, 3, 4, 5]),
        (|| at(9_001_000), &[2, 3, 4, 5, 6]),
        // 40 s are no long time.
        (|| at(9_041_000), &[2, 3, 4, 5, 6, 7]),
        (|| at(9_042_000), &[6, 7, 8]),
    ];
    for (number, (clock, released)) in (0..).zip(lives) {
        let term = store.serve("node-1", clock()).await.unwrap();
        let opened = Journal::open(&store, term, clock).await.unwrap();
        let mut calls: Vec<_> = opened.interrupted.iter().map(|interrupted| interrupted.call).collect();
        calls.sort_unstable();
        let expected: Vec<_> = released.iter().map(|number| talk(call(*number, HOST))[0].call).collect();
        assert_eq!(calls, expected, "life {number}");
        opened.journal.accept(talk(call(number, HOST))[0].clone(), Vec::new()).await.unwrap();
        opened.journal.close();
        opened.task.ended().await;
    }
}

#[tokio::test]
async fn an_interrupted_call_ended_at_the_last_sign_of_life() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let entries = talk(call(1, HOST));
    let term = store.serve("node-1", at(0)).await.unwrap();
    // The first commit is a heartbeat too: this process was last seen 5 s after the beginning.
    let opened = Journal::open(&store, term, || at(5_000)).await.unwrap();
    opened.journal.accept(entries[0].clone(), Vec::new()).await.unwrap();
    opened.journal.close();
    opened.task.ended().await;

    let term = store.serve("node-1", at(900_000)).await.unwrap();
    Journal::open(&store, term, || at(900_000)).await.unwrap();
    let record = Admin::new(&store).record(entries[0].call).await.unwrap().unwrap();
    assert_eq!(record.ended_at, at(5_000));
}

#[tokio::test]
async fn entries_that_are_listed_and_entries_that_are_not_are_each_found_once() {
    let dir = tempfile::tempdir().unwrap();
    let (early, late) = (talk(call(1, HOST)), talk(call(2, HOST)));
    let server = Server::start(&dir).await;
    server.run(&early[..3]).await;
    server.run(&late[..3]).await;
    server.still().await;
    // The second call was open for so long that its entries so far were listed; the first one's were not.
    let disk = rusqlite::Connection::open(dir.path().join("huihu.db")).unwrap();
    disk.busy_timeout(Duration::from_secs(5)).unwrap();
    let listed = "UPDATE open_call SET entries = (SELECT json_group_array(id) FROM entry WHERE call = ?1), \
                  after = (SELECT max(id) FROM entry) WHERE call = ?1";
    assert_eq!(disk.execute(listed, [late[0].call.to_bytes()]).unwrap(), 1);
    server.opened.journal.append([&early[3..5], &late[3..6]].concat()).unwrap();
    server.stop().await;

    let server = Server::start(&dir).await;
    let found: Vec<_> = server.opened.interrupted.iter().map(|found| &found.entries[..]).collect();
    assert_eq!(found, [&early[..5], &late[..6]]);
    for (entries, known) in [(&early, 5), (&late, 6)] {
        let closed = server.admin().entries(entries[0].call).await.unwrap();
        assert_eq!(closed[..known], entries[..known]);
        assert!(matches!(closed.last().unwrap().fact, Fact::Over(_)));
    }
    server.stop().await;
}

#[tokio::test]
async fn thousands_of_open_calls_are_closed_at_a_start() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir).await;
    for numbers in [0..500, 500..1_000] {
        let waits: Vec<_> = numbers
            .map(|number| {
                let (journal, mut entries) = (server.opened.journal.clone(), talk(call(number, HOST)));
                tokio::spawn(async move {
                    journal.accept(entries.remove(0), Vec::new()).await.unwrap();
                    journal.append(entries.drain(..5).collect()).unwrap();
                })
            })
            .collect();
        for wait in waits {
            wait.await.unwrap();
        }
    }
    server.stop().await;
    let server = Server::start(&dir).await;
    assert_eq!(server.opened.interrupted.len(), 1_000);
    assert_eq!(server.admin().latest_records(2_000).await.unwrap().len(), 1_000);
}

#[tokio::test]
async fn only_one_process_serves_from_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir).await;
    let other = Store::open(dir.path()).await.unwrap();
    assert!(matches!(other.serve("node-1", at(0)).await, Err(StoreFault::Taken { .. })));
    server.stop().await;
    assert_eq!(other.serve("node-1", at(0)).await.unwrap().epoch, 2);
}

#[tokio::test]
async fn the_outbox_hands_over_in_memory_what_was_committed_and_knows_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir).await;
    let id = server.run(&talk(call(1, HOST))).await;
    let outbox = server.opened.outbox.clone();
    let mut pushes = Vec::new();
    while pushes.len() < 8 {
        outbox.committed().await;
        pushes.extend(outbox.take_fresh().pushes);
    }
    assert!(pushes.iter().all(|push| push.call == id && &*push.host == HOST && &*push.key == "key-1"));
    assert_eq!(outbox.hosts().await.unwrap(), [HOST]);
    let page = outbox.page(HOST, PushNo(0), 3).await.unwrap();
    assert_eq!((&page.pushes[..], page.full), (&pushes[..3], true));
    let page = outbox.page(HOST, page.reached, 100).await.unwrap();
    assert_eq!((&page.pushes[..], page.full), (&pushes[3..], false));
    server.stop().await;
}

#[tokio::test]
async fn a_verdict_moves_a_push_and_a_parked_one_can_be_sent_again() {
    static CLOCK: AtomicI64 = AtomicI64::new(0);
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir).await;
    let id = server.run(&talk(call(1, HOST))).await;
    let again = Outcome::Again { due: at(65_000), message: PushNo(2), why: "HTTP 500".into() };
    let parked = Outcome::Parked { message: PushNo(3), why: "timed out".into() };
    let outcomes = [Outcome::Delivered, again, parked];
    let verdicts = outcomes.into_iter().zip(1..).map(|(outcome, id)| Verdict {
        id: PushNo(id),
        at: at(CLOCK.fetch_add(1, Ordering::Relaxed)),
        took: Duration::from_millis(7),
        outcome,
        exchange: None,
    });
    server.opened.outbox.committed().await;
    server.opened.journal.settle(verdicts.collect()).unwrap();
    let outbox = server.opened.outbox.clone();
    let admin = server.admin();
    server.stop().await;

    let states: Vec<_> = admin.pushes(PushPick::Of(id), 3).await.unwrap();
    let states: Vec<_> = states.iter().map(|line| (line.state, line.push.attempts)).collect();
    assert_eq!(states, [(PushState::Delivered, 1), (PushState::Deferred, 1), (PushState::Parked, 1)]);
    assert_eq!(&*admin.attempts(PushNo(3)).await.unwrap()[0].outcome, "timed out");

    let due = |now, cursor| {
        let outbox = outbox.clone();
        async move { outbox.due(now, cursor, 10).await.unwrap() }
    };
    let (pushes, cursor) = due(at(64_999), DueCursor::default()).await;
    assert!(pushes.is_empty());
    let (pushes, cursor) = due(at(65_000), cursor).await;
    assert_eq!(pushes.iter().map(|push| push.id).collect::<Vec<_>>(), [PushNo(2)]);
    assert_eq!(admin.redeliver(PushNo(3), at(66_000)).await.unwrap(), 1);
    assert!(admin.redeliver(PushNo(3), at(66_000)).await.is_err());
    let (pushes, _) = due(at(69_000), cursor).await;
    assert_eq!(pushes.iter().map(|push| push.id).collect::<Vec<_>>(), [PushNo(3)]);
}

#[tokio::test]
async fn a_push_that_is_due_while_it_is_written_falls_due_a_little_later() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir).await;
    server.run(&talk(call(1, HOST))).await;
    server.still().await;
    // It is 60 s after the beginning when they are written.
    let again = Outcome::Again { due: at(1), message: PushNo(1), why: "HTTP 500".into() };
    let outcomes = [again, Outcome::Postponed { due: at(2) }];
    let verdicts = outcomes.into_iter().zip(1..).map(|(outcome, id)| Verdict { outcome, ..delivered(id) });
    server.opened.journal.settle(verdicts.collect()).unwrap();
    server.still().await;
    let due = async |now| {
        let (pushes, _) = server.opened.outbox.due(now, DueCursor::default(), 10).await.unwrap();
        pushes.iter().map(|push| push.id).collect::<Vec<_>>()
    };
    assert_eq!(due(at(62_999)).await, []);
    assert_eq!(due(at(63_000)).await, [PushNo(1), PushNo(2)]);
    server.stop().await;
}

/// The process that `a_killed_process_keeps_what_it_promised` kills. On its own it does nothing.
#[tokio::test]
async fn the_victim() {
    let Some(dir) = std::env::var_os(VICTIM) else { return };
    let store = Store::open(dir.as_ref()).await.unwrap();
    let term = store.serve("node-1", support::BEGIN).await.unwrap();
    let opened = Journal::open(&store, term, || at(60_000)).await.unwrap();
    for number in 0.. {
        let mut entries = talk(call(number, HOST));
        opened.journal.accept(entries.remove(0), Vec::new()).await.unwrap();
        writeln!(std::io::stdout(), "accepted {number}").unwrap();
        // Some are over, some ring, some were only accepted.
        let facts = [entries.len(), 3, 0][number as usize % 3];
        opened.journal.append(entries.drain(..facts).collect()).unwrap();
    }
}

const VICTIM: &str = "HUIHU_STORY_OF_A_VICTIM";

#[tokio::test]
async fn a_killed_process_keeps_what_it_promised() {
    let dir = tempfile::tempdir().unwrap();
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_victim", "--nocapture"])
        .env(VICTIM, dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines().map(Result::unwrap);
    let told = |line: String| line.rsplit_once("accepted ").map(|(_, number)| number.parse::<u32>().unwrap());
    let accepted: Vec<u32> = lines.filter_map(told).take(30).collect();
    victim.kill().unwrap();
    victim.wait().unwrap();

    let server = Server::start(&dir).await;
    for number in accepted {
        let id = call(number, HOST).id;
        let entries = server.admin().entries(id).await.unwrap();
        assert!(matches!(entries.last().unwrap().fact, Fact::Over(_)), "call {number} is over");
        let in_order = entries.iter().zip(0..).all(|(entry, seq)| entry.seq == seq);
        assert!(in_order, "call {number} has no gap");
        assert!(server.admin().record(id).await.unwrap().is_some(), "call {number} has its record");
        let pushes = server.admin().pushes(PushPick::Of(id), 100).await.unwrap();
        assert_eq!(count(&pushes, Channel::Fee), 1, "call {number} owes its fee record once");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_database_that_refuses_costs_orders_but_no_facts() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (talk(call(1, HOST)), talk(call(2, HOST)));
    let server = Server::start(&dir).await;
    server.opened.journal.accept(one[0].clone(), Vec::new()).await.unwrap();
    let disk = rusqlite::Connection::open(dir.path().join("huihu.db")).unwrap();
    disk.busy_timeout(Duration::from_secs(5)).unwrap();
    disk.execute_batch("CREATE TRIGGER full BEFORE INSERT ON entry BEGIN SELECT RAISE(ABORT, 'full'); END")
        .unwrap();
    assert_eq!(server.opened.journal.accept(two[0].clone(), Vec::new()).await, Err(AcceptFault::Misfit));
    server.opened.journal.append(one[1..].to_vec()).unwrap();
    disk.execute_batch("DROP TRIGGER full").unwrap();
    // The refused call can be ordered again, and the facts of the other arrive.
    server.opened.journal.accept(two[0].clone(), Vec::new()).await.unwrap();
    server.stop().await;
    let admin = admin(&dir).await;
    assert_eq!(admin.entries(one[0].call).await.unwrap(), one);
    assert_eq!(admin.entries(two[0].call).await.unwrap(), two[..1]);
    assert_eq!(admin.pushes(PushPick::Of(one[0].call), 100).await.unwrap().len(), 8);
}

/// Breaks the disk in some way under one call that runs, sees orders refused and facts wait, mends it, and finds everything
/// as if nothing had been.
async fn weathers(refused: AcceptFault, break_it: impl FnOnce(&TempDir) -> Box<dyn FnOnce()>) {
    let dir = tempfile::tempdir().expect("a folder");
    let (one, two) = (talk(call(1, HOST)), talk(call(2, HOST)));
    let server = Server::start(&dir).await;
    let journal = &server.opened.journal;
    journal.accept(one[0].clone(), Vec::new()).await.expect("an accepted call");
    let mend = break_it(&dir);
    assert_eq!(journal.accept(two[0].clone(), Vec::new()).await, Err(refused));
    assert!(journal.backlog().failing);
    let commits = journal.commits();
    journal.append(one[1..].to_vec()).expect("room");
    // From now on nobody waits to be refused.
    assert_eq!(journal.accept(two[0].clone(), Vec::new()).await, Err(refused));
    assert_eq!(journal.commits(), commits, "nothing was written meanwhile");
    mend();
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while journal.backlog().failing {
        assert!(std::time::Instant::now() < deadline, "it does not recover");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    journal.accept(two[0].clone(), Vec::new()).await.expect("an accepted call");
    server.stop().await;
    let admin = admin(&dir).await;
    assert_eq!(admin.entries(one[0].call).await.expect("entries"), one, "no fact is lost");
    assert_eq!(admin.entries(two[0].call).await.expect("entries"), two[..1]);
}

#[tokio::test]
async fn while_somebody_else_holds_the_database_orders_are_refused_and_facts_wait() {
    weathers(AcceptFault::Slow, |dir| {
        let other = rusqlite::Connection::open(dir.path().join("huihu.db")).unwrap();
        other.busy_timeout(Duration::from_secs(5)).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        Box::new(move || drop(other))
    })
    .await;
}

#[tokio::test]
async fn while_the_database_is_elsewhere_orders_are_refused_and_facts_wait() {
    weathers(AcceptFault::Unwritten, |dir| {
        let (path, aside) = (dir.path().join("huihu.db"), dir.path().join("aside"));
        std::fs::rename(&path, &aside).unwrap();
        Box::new(move || std::fs::rename(aside, path).unwrap())
    })
    .await;
}

#[tokio::test]
async fn a_call_that_somebody_else_closed_is_not_closed_twice() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (talk(call(1, HOST)), talk(call(2, HOST)));
    let server = Server::start(&dir).await;
    for entries in [&one, &two] {
        server.opened.journal.accept(entries[0].clone(), Vec::new()).await.unwrap();
    }
    let other = rusqlite::Connection::open(dir.path().join("huihu.db")).unwrap();
    other.busy_timeout(Duration::from_secs(5)).unwrap();
    other.execute("DELETE FROM open_call WHERE call = ?", [one[0].call.to_bytes()]).unwrap();
    server.opened.journal.append([&one[1..], &two[1..]].concat()).unwrap();
    server.stop().await;
    let admin = admin(&dir).await;
    assert!(admin.record(one[0].call).await.unwrap().is_none());
    assert_eq!(admin.entries(two[0].call).await.unwrap(), two);
}
