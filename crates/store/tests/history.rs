//! Calls and pushes of the past: searched, sent again, and forgotten.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base::fact::{Entry, Fact, KeySource};
use base::id::{AppId, CallId, Leg};
use base::number::E164;
use base::private::Private;
use base::row::Channel;
use base::template::TemplateKind;
use base::time::Timestamp;
use huihu_store::admin::{
    AppChange, AppDraft, AuditDraft, AuditPick, CallPick, HostCount, PushFilter, PushPage, TemplateDraft,
};
use huihu_store::{Admin, Journal, Opened, Outcome, Pruned, PushNo, PushState, Retention, Store, Verdict};
use tempfile::TempDir;

mod support;
use support::{BEGIN, at, call, talk};

const HOST: &str = "receiver.example";

struct Server {
    store: Store,
    admin: Admin,
    opened: Opened,
    _dir: TempDir,
}

impl Server {
    /// With the app and the key of the calls.
    async fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open(dir.path()).await.expect("a store");
        let admin = Admin::new(&store);
        let app = admin.create_app(&AppDraft::new("acme", "shop"), at(0)).await.expect("a change");
        admin.import_key(app, "key-1", &Private::new("secret".into()), at(0)).await.expect("a change");
        let term = store.serve("node-1", BEGIN).await.expect("the office");
        let opened = Journal::open(&store, term, || at(60_000)).await.expect("a journal");
        Self { store, admin, opened, _dir: dir }
    }

    /// Calls of these numbers, one second apart, all over.
    async fn run(&self, numbers: std::ops::Range<u32>) -> Vec<CallId> {
        let mut calls = Vec::new();
        for number in numbers {
            calls.push(self.run_one(&one_second_apart(number)).await);
        }
        self.still().await;
        calls
    }

    async fn run_one(&self, entries: &[Entry]) -> CallId {
        self.opened.journal.accept(entries[0].clone(), Vec::new()).await.expect("an accepted call");
        self.opened.journal.append(entries[1..].to_vec()).expect("room");
        entries[0].call
    }

    async fn still(&self) {
        while !self.opened.journal.is_still() {
            tokio::task::yield_now().await;
        }
    }

    async fn settle(&self, outcomes: impl IntoIterator<Item = (i64, Outcome)>) {
        let verdict = |(id, outcome)| Verdict {
            id: PushNo(id),
            at: at(30_000),
            took: Duration::ZERO,
            outcome,
            exchange: None,
        };
        self.opened.journal.settle(outcomes.into_iter().map(verdict).collect()).expect("room");
        self.still().await;
    }

    async fn records(&self, pick: CallPick) -> Vec<CallId> {
        let records = self.admin.records_page(&pick, None, 100).await.expect("records");
        records.iter().map(|record| record.call.id).collect()
    }
}

fn one_second_apart(number: u32) -> Vec<Entry> {
    let later = Duration::from_secs(number.into());
    let mut call = call(number, HOST);
    call.id = CallId::new(BEGIN + later, u128::from(number));
    call.accepted_at = BEGIN + later;
    call.user_data = Some(format!("order {number}").into());
    talk(call).into_iter().map(|entry| Entry { at: entry.at + later, ..entry }).collect()
}

fn number(text: &str) -> Option<E164> {
    E164::parse(text).ok()
}

fn parked(message: i64) -> Outcome {
    Outcome::Parked { message: PushNo(message), why: "HTTP 500".into() }
}

fn found(page: &PushPage) -> Vec<i64> {
    page.lines.iter().map(|line| line.push.id.0).collect()
}

#[tokio::test]
async fn records_are_found_by_number_app_words_and_time() {
    let server = Server::start().await;
    let calls = server.run(0..5).await;
    let all: Vec<_> = calls.iter().rev().copied().collect();
    let base = CallPick::default;
    let shown = number("+8675500000002");
    let time = |secs| Some(BEGIN + Duration::from_secs(secs));
    for (pick, wanted) in [
        (base(), &all[..]),
        (CallPick { number: number("+8613810000003"), ..base() }, &[calls[3]]),
        (CallPick { number: number("+8613800000002"), ..base() }, &[calls[2]]),
        (CallPick { number: shown.clone(), ..base() }, &all[..]),
        (CallPick { number: shown.clone(), app: Some(AppId(2)), ..base() }, &[]),
        (CallPick { app: Some(AppId(1)), ..base() }, &all[..]),
        (CallPick { user_data: Some("order 4".into()), ..base() }, &[calls[4]]),
        (CallPick { from: time(1), until: time(3), ..base() }, &all[2..4]),
        (CallPick { number: shown.clone(), from: time(4), ..base() }, &all[..1]),
    ] {
        assert_eq!(server.records(pick.clone()).await, wanted, "{pick:?}");
    }
    let pick = CallPick { number: shown, ..base() };
    let mut before = None;
    for wanted in all.chunks(2) {
        let page = server.admin.records_page(&pick, before, 2).await.unwrap();
        assert_eq!(page.iter().map(|record| record.call.id).collect::<Vec<_>>(), wanted);
        before = page.last().map(|last| last.call.id);
    }
}

#[tokio::test]
async fn a_call_is_seen_while_it_is_open_and_afterwards() {
    let server = Server::start().await;
    let entries = one_second_apart(1);
    let id = server.run_one(&entries[..3]).await;
    server.run(2..3).await;
    let open = server.admin.open_calls_page(None, 10).await.unwrap();
    assert_eq!(open.iter().map(|call| call.id).collect::<Vec<_>>(), [id]);
    let view = server.admin.call(id).await.unwrap();
    assert!(view.record.is_none() && view.entries == entries[..3]);
    server.opened.journal.append(entries[3..].to_vec()).unwrap();
    server.still().await;
    assert!(server.admin.open_calls_page(None, 10).await.unwrap().is_empty());
    let view = server.admin.call(id).await.unwrap();
    assert!(view.record.is_some() && view.entries == entries);
    assert!(server.admin.call(CallId::new(BEGIN, 99)).await.is_err());
}

#[tokio::test]
async fn pushes_are_found_by_state_app_channel_call_and_time() {
    let server = Server::start().await;
    let calls = server.run(0..3).await;
    // Eight pushes a call; the last one is its fee record.
    server.settle([(1, Outcome::Delivered), (2, parked(2)), (8, parked(8)), (10, parked(10))]).await;
    let base = PushFilter::default;
    let time = |secs| Some(BEGIN + Duration::from_secs(secs));
    for (filter, wanted) in [
        (base(), (1..=24).rev().collect::<Vec<_>>()),
        (PushFilter { state: Some(PushState::Parked), ..base() }, vec![10, 8, 2]),
        (PushFilter { state: Some(PushState::Delivered), ..base() }, vec![1]),
        (PushFilter { channel: Some(Channel::Fee), ..base() }, vec![24, 16, 8]),
        (PushFilter { call: Some(calls[1]), ..base() }, (9..=16).rev().collect()),
        (PushFilter { call: Some(calls[1]), state: Some(PushState::Parked), ..base() }, vec![10]),
        (PushFilter { app: Some(AppId(1)), state: Some(PushState::Parked), ..base() }, vec![10, 8, 2]),
        (PushFilter { app: Some(AppId(9)), ..base() }, vec![]),
        (PushFilter { host: Some(HOST.into()), state: Some(PushState::Parked), ..base() }, vec![10, 8, 2]),
        (PushFilter { host: Some("other.example".into()), ..base() }, vec![]),
        (PushFilter { first: Some(PushNo(4)), last: Some(PushNo(6)), ..base() }, vec![6, 5, 4]),
        (PushFilter { from: time(2), until: time(30), ..base() }, (15..=24).rev().collect()),
        (PushFilter { until: time(1), ..base() }, vec![6, 5, 4, 3]),
    ] {
        let page = server.admin.pushes_page(&filter, None, 100).await.unwrap();
        assert_eq!((found(&page), page.next), (wanted, None), "{filter:?}");
    }
    let parked = PushFilter { state: Some(PushState::Parked), ..base() };
    let page = server.admin.pushes_page(&parked, None, 2).await.unwrap();
    assert_eq!((found(&page), page.next), (vec![10, 8], Some(PushNo(8))));
    let page = server.admin.pushes_page(&parked, page.next, 2).await.unwrap();
    assert_eq!((found(&page), page.next), (vec![2], None));
}

#[tokio::test]
async fn what_a_host_does_not_have_is_counted() {
    let server = Server::start().await;
    server.run(0..3).await;
    let again = Outcome::Again { due: at(60_000), message: PushNo(3), why: "HTTP 500".into() };
    let why = "given up while the host is away: no answer within 10 s";
    let given_up = Outcome::GivenUp { why: why.into() };
    server.settle([(1, Outcome::Delivered), (2, parked(2)), (3, again), (4, given_up)]).await;
    let count = HostCount { host: HOST.into(), fresh: 20, deferred: 1, parked: 2 };
    assert_eq!(server.admin.push_hosts(None, 10).await.unwrap(), [count]);
    assert_eq!(server.admin.push_hosts(Some(HOST), 10).await.unwrap(), []);
    assert_eq!(server.admin.push_hosts(None, 0).await.unwrap(), []);
    assert_eq!(server.admin.parked_pushes().await.unwrap(), 2);
    let line = server.admin.push(PushNo(4)).await.unwrap();
    assert_eq!((line.state, line.push.attempts), (PushState::Parked, 0), "it was not tried");
    assert_eq!(line.outcome.as_deref(), Some(why));
    assert_eq!(server.admin.redeliver(PushNo(4), at(60_000)).await.unwrap(), 1);
}

#[tokio::test]
async fn many_pushes_are_sent_again_a_piece_at_a_time() {
    let server = Server::start().await;
    server.run(0..3).await;
    // The fee records travelled together, in the message of the first.
    server.settle([(8, parked(8)), (16, parked(8)), (24, parked(8)), (1, Outcome::Delivered)]).await;
    server.settle([(2, parked(2))]).await;
    let filter = PushFilter { state: Some(PushState::Parked), ..PushFilter::default() };
    let sent = server.admin.redeliver_where(&filter, None, at(60_000), 1).await.unwrap();
    assert_eq!((sent.pushes, sent.next), (3, Some(PushNo(24))), "with those that share its message");
    let sent = server.admin.redeliver_where(&filter, sent.next, at(60_000), 1).await.unwrap();
    assert_eq!((sent.pushes, sent.next), (1, None));
    let deferred = PushFilter { state: Some(PushState::Deferred), ..PushFilter::default() };
    let page = server.admin.pushes_page(&deferred, None, 10).await.unwrap();
    assert_eq!(found(&page), [24, 16, 8, 2]);
    assert!(page.lines.iter().all(|line| line.push.attempts == 0));
}

#[tokio::test]
async fn a_later_event_of_a_call_waits_for_one_that_is_told_again() {
    let server = Server::start().await;
    server.run(0..2).await;
    let again =
        |secs: i64| Outcome::Again { due: at(secs * 1_000), message: PushNo(2), why: "HTTP 500".into() };
    server
        .settle([(1, Outcome::Delivered), (2, again(200)), (3, Outcome::Postponed { due: at(100_000) })])
        .await;
    let closed = async |secs: i64| {
        let all = (1..=16).map(PushNo);
        let mut closed: Vec<_> =
            server.opened.outbox.closed(all, at(secs * 1_000)).await.unwrap().into_iter().collect();
        closed.sort_unstable();
        closed
    };
    // The status events of the first call after the second push; no fee record, no other call.
    let waiting: Vec<_> = (3..=7).map(|id| (PushNo(id), at(200_000))).collect();
    assert_eq!(closed(150).await, waiting);
    // The third fell due before the second did: it still waits, for whoever reads both at once.
    assert_eq!(closed(300).await, waiting);
    server.settle([(2, Outcome::Delivered)]).await;
    assert_eq!(closed(50).await.len(), 4, "those behind the third");
    server.settle([(3, Outcome::Delivered)]).await;
    assert_eq!(closed(50).await, []);
}

#[tokio::test]
async fn recordings_are_over_when_their_app_says_so_and_their_calls_stay_until_then() {
    let server = Server::start().await;
    let mut entries = one_second_apart(1);
    let started = entries[9].at;
    let mut extra = |place: usize, fact| {
        let before = entries[place - 1].clone();
        entries.insert(place, Entry { fact, ..before });
    };
    extra(9, Fact::RecordingStarted);
    extra(10, Fact::RecordingEnded { length: Duration::from_secs(5) });
    entries.iter_mut().zip(0..).for_each(|(entry, seq)| entry.seq = seq);
    let id = server.run_one(&entries).await;
    let other = server.run(2..3).await[0];
    assert_eq!(server.admin.recording(other, WEEK).await.unwrap(), None);
    let recording = server.admin.recording(id, WEEK).await.unwrap().unwrap();
    assert!(
        recording.until.is_some() && recording.app == AppId(1) && recording.recording.started_at <= started
    );

    let days = |days: u32| BEGIN + days * Duration::from_secs(24 * 3_600) + Duration::from_secs(60);
    let over = async |now| server.admin.recordings_over(WEEK, now, 10).await.unwrap();
    assert_eq!(over(days(6)).await, []);
    assert_eq!(over(days(7)).await, [id]);
    let longer = AppChange { recording_days: Some(Some(90)), ..AppChange::default() };
    server.admin.change_app(AppId(1), &longer).await.unwrap();
    assert_eq!(over(days(89)).await, []);
    let retention = Retention::default();
    let settled = (1..=16).map(|id| (id, Outcome::Delivered));
    server.settle(settled).await;
    server.store.prune(&retention, days(80), Pruned::default()).await.unwrap();
    assert_eq!(server.records(CallPick::default()).await, [id], "its recording is kept");
    assert_eq!(over(days(90)).await, [id]);
    server.admin.recordings_removed(&[id]).await.unwrap();
    assert!(server.admin.recording(id, WEEK).await.unwrap().unwrap().until.is_none());
    assert_eq!(over(days(90)).await, []);
    server.store.prune(&retention, days(90), Pruned::default()).await.unwrap();
    assert!(server.records(CallPick::default()).await.is_empty());
}

#[tokio::test]
async fn a_call_is_forgotten_as_a_whole_unless_something_of_it_is_owed() {
    let server = Server::start().await;
    let calls = server.run(0..120).await;
    // Everything of the calls is settled, but the second call's fee record.
    let settled = (1..=120 * 8).filter(|id| *id != 16);
    let outcome = |id| if id % 8 == 2 { parked(id) } else { Outcome::Delivered };
    for some in settled.collect::<Vec<_>>().chunks(200) {
        server.settle(some.iter().map(|id| (*id, outcome(*id)))).await;
    }
    let draft = |at| AuditDraft { at, who: "anna".into(), action: "POST".into(), what: "/".into() };
    server.admin.begin_audit(&draft(BEGIN)).await.unwrap();
    let days = |days: u32| days * Duration::from_secs(24 * 3_600);
    let retention = Retention { calls: days(60), audits: days(90) };
    let sweep = async |now: Timestamp| {
        let mut pruned = Pruned::default();
        while !pruned.finished {
            let before = pruned.rows;
            pruned = server.store.prune(&retention, now, pruned).await.unwrap();
            assert!(pruned.rows - before <= 50 * (1 + 12 + 8 + 1) + 1, "a batch is small");
        }
        // One push of each call was parked, and has one attempt.
        assert_eq!(pruned.parked, pruned.rows / (1 + 12 + 8 + 1));
        pruned.rows
    };
    assert_eq!(sweep(BEGIN + days(60)).await, 0);
    // The last call stays: it ended a moment later.
    let rows = sweep(BEGIN + days(60) + Duration::from_secs(120)).await;
    assert_eq!(rows, 118 * (1 + 12 + 8 + 1));
    let left = server.records(CallPick::default()).await;
    assert_eq!(left, [calls[119], calls[1]]);
    assert_eq!(server.admin.call(calls[1]).await.unwrap().entries.len(), 12);
    assert_eq!(server.admin.pushes_page(&PushFilter::default(), None, 100).await.unwrap().lines.len(), 16);
    server.settle([(16, Outcome::Delivered)]).await;
    sweep(BEGIN + days(91)).await;
    assert!(server.records(CallPick::default()).await.is_empty());
    assert!(server.admin.audit_page(&AuditPick::default(), None, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn calls_with_thousands_of_entries_are_forgotten_too() {
    let server = Server::start().await;
    for number in 0..10 {
        let mut entries = one_second_apart(number);
        let over = entries.pop().expect("an end");
        let pressed = Entry {
            fact: Fact::Digit { leg: Leg::A, digit: Private::new('5'), source: KeySource::Event },
            ..over.clone()
        };
        entries.extend(std::iter::repeat_n(pressed, 4_000));
        entries.push(over);
        entries.iter_mut().zip(0..).for_each(|(entry, seq)| entry.seq = seq);
        server.run_one(&entries).await;
        server.still().await;
    }
    server.settle((1..=80).map(|id| (id, Outcome::Delivered))).await;
    let mut pruned = Pruned::default();
    while !pruned.finished {
        let now = BEGIN + Duration::from_secs(61 * 24 * 3_600);
        pruned = server.store.prune(&Retention::default(), now, pruned).await.unwrap();
    }
    assert!(server.records(CallPick::default()).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_changes_things_while_calls_come_and_go() {
    let server = Server::start().await;
    let journal = server.opened.journal.clone();
    let done = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&done);
    let calls = tokio::spawn(async move {
        let mut number = 0;
        while !stop.load(Ordering::Relaxed) {
            let entries = one_second_apart(number);
            journal.accept(entries[0].clone(), Vec::new()).await.unwrap();
            journal.append(entries[1..].to_vec()).unwrap();
            number += 1;
        }
        number
    });
    for number in 0..200 {
        let kind = TemplateKind::Placed;
        let template = TemplateDraft { name: "parcel".into(), kind, text: "您好".into(), speed: 100 };
        let id = server.admin.create_template("acme", &template, at(number)).await.unwrap();
        server.admin.remove_template(&id).await.unwrap();
        server.store.prune(&Retention::default(), at(number), Pruned::default()).await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    let accepted = calls.await.unwrap();
    server.still().await;
    assert!(accepted > 0, "the operator leaves no time for calls");
    for number in 0..accepted {
        let id = one_second_apart(number)[0].call;
        assert!(server.admin.record(id).await.unwrap().is_some(), "call {number} of {accepted}");
    }
}

/// How long recordings are kept when nobody says otherwise.
const WEEK: Duration = Duration::from_secs(7 * 24 * 3_600);
