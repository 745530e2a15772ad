//! Reports of calls that are over: owed once, made again from the record, repeated in the same message.

use std::time::Duration;

use base::call::Call;
use base::fact::Fact;
use base::id::CallId;
use base::release::{Cause, Ending, Party};
use base::row::{Channel, Row};
use base::url::PushUrl;
use huihu_store::admin::{PushFilter, PushPick};
use huihu_store::{
    Admin, DueCursor, Exchange, Journal, Opened, Outcome, Pruned, PushNo, PushState, Retention, Store,
    Verdict,
};
use tempfile::TempDir;

mod support;
use support::{BEGIN, at, call, talk};

const HOST: &str = "receiver.example";

struct Server {
    admin: Admin,
    opened: Opened,
    store: Store,
}

impl Server {
    async fn start(dir: &TempDir) -> Self {
        let store = Store::open(dir.path()).await.expect("a store");
        let term = store.serve("node-1", BEGIN).await.expect("the office");
        let opened = Journal::open(&store, term, || at(60_000)).await.expect("a journal");
        Self { admin: Admin::new(&store), opened, store }
    }

    /// Calls of these numbers that are told of by reports, all over.
    async fn run(&self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            let mut entries = talk(reported(number));
            self.opened.journal.accept(entries.remove(0), Vec::new()).await.expect("an accepted call");
            self.opened.journal.append(entries).expect("room");
        }
        self.still().await;
    }

    async fn still(&self) {
        while !self.opened.journal.is_still() {
            tokio::task::yield_now().await;
        }
    }

    async fn settle(&self, pushes: impl IntoIterator<Item = i64>, outcome: &Outcome) {
        let verdict = |id| Verdict {
            id: PushNo(id),
            at: at(30_000),
            took: Duration::ZERO,
            outcome: outcome.clone(),
            exchange: None,
        };
        self.opened.journal.settle(pushes.into_iter().map(verdict).collect()).expect("room");
        self.still().await;
    }

    /// A message of these pushes failed then.
    async fn fail(&self, pushes: std::ops::RangeInclusive<i64>, millis: i64) {
        let request = base::private::Private::new(format!("POST at {millis}").into());
        let mut exchange = Some(Exchange { request, answer: None });
        let outcome = again(*pushes.start(), 900_000);
        let verdict = |id| Verdict {
            id: PushNo(id),
            at: at(millis),
            took: Duration::ZERO,
            outcome: outcome.clone(),
            exchange: exchange.take(),
        };
        self.opened.journal.settle(pushes.map(verdict).collect()).expect("room");
        self.still().await;
    }

    async fn end(self) {
        self.opened.journal.close();
        self.opened.task.ended().await;
    }
}

/// A call whose customer is told of it by a report.
fn reported(number: u32) -> Call {
    let report_url = PushUrl::parse(&format!("http://{HOST}/report")).ok();
    Call { status_url: None, fee_url: None, report_url, ..call(number, HOST) }
}

fn again(message: i64, due: i64) -> Outcome {
    Outcome::Again { due: at(due), message: PushNo(message), why: "code 1".into() }
}

fn numbers<'a>(pushes: impl IntoIterator<Item = &'a huihu_store::Waiting>) -> Vec<i64> {
    pushes.into_iter().map(|push| push.id.0).collect()
}

#[tokio::test]
async fn a_call_that_is_over_owes_one_report_of_all_that_its_record_says() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir).await;
    server.run(1..2).await;
    let id = reported(1).id;
    let record = server.admin.record(id).await.unwrap().unwrap();
    let fresh = server.opened.outbox.take_fresh().pushes;
    assert_eq!(fresh.len(), 1);
    assert_eq!((fresh[0].channel, &fresh[0].row), (Channel::Report, &Row::Report(Box::new(record))));
    // What was not taken in time is read from the database, and says the same.
    let page = server.opened.outbox.page(HOST, PushNo(0), 10).await.unwrap();
    assert_eq!(page.pushes, Vec::from(fresh));
    server.end().await;
}

#[tokio::test]
async fn a_call_that_nobody_dialled_or_that_died_with_its_process_is_reported_too() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir).await;
    let (objected, died) = (talk(reported(1)), talk(reported(2)));
    server.opened.journal.accept(objected[0].clone(), Vec::new()).await.unwrap();
    let ending = Ending { by: Party::Platform, cause: Cause::ForbiddenWords, leg: None };
    let over = base::fact::Entry { fact: Fact::Over(ending), ..objected[1].clone() };
    server.opened.journal.append(vec![over]).unwrap();
    server.opened.journal.accept(died[0].clone(), Vec::new()).await.unwrap();
    server.end().await;

    let server = Server::start(&dir).await;
    for (entries, cause) in [(objected, Cause::ForbiddenWords), (died, Cause::Interrupted)] {
        let pushes = server.admin.pushes(PushPick::Of(entries[0].call), 9).await.unwrap();
        let [line] = &pushes[..] else { panic!("{} pushes", pushes.len()) };
        let Row::Report(record) = &line.push.row else { panic!("{:?}", line.push.channel) };
        assert_eq!(record.ending.cause, cause);
    }
    server.end().await;
}

#[tokio::test]
async fn the_reports_of_a_message_are_read_together_whenever_they_fall_due() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir).await;
    server.run(1..8).await;
    // The verdicts of a message may be written one by one, and fall due one by one.
    server.settle([1, 2], &again(1, 70_000)).await;
    server.settle([3, 4], &again(1, 75_000)).await;
    server.settle([5], &again(5, 70_000)).await;
    server.settle([6], &Outcome::Parked { message: PushNo(5), why: "code 1".into() }).await;
    let outbox = &server.opened.outbox;
    let (mut due, mut cursor) = (Vec::new(), DueCursor::default());
    for _ in 0..4 {
        let (page, reached) = outbox.due(at(70_000), cursor, 1).await.unwrap();
        due.extend(numbers(&page));
        cursor = reached;
    }
    assert_eq!(due, [1, 2, 5], "each once, wherever a page ends in a message");
    assert_eq!(numbers(&outbox.of_messages([PushNo(1)]).await.unwrap()), [1, 2, 3, 4]);
    assert_eq!(numbers(&outbox.of_messages([PushNo(1), PushNo(5)]).await.unwrap()), [1, 2, 3, 4, 5]);
    server.settle(1..=4, &Outcome::Delivered).await;
    assert_eq!(outbox.of_messages([PushNo(1), PushNo(9)]).await.unwrap(), []);
    assert_eq!(outbox.of_messages([]).await.unwrap(), []);
    server.end().await;
}

#[tokio::test]
async fn an_attempt_is_kept_once_and_told_of_each_push_of_its_message_until_the_last_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir).await;
    server.run(1..5).await;
    server.fail(1..=3, 70_000).await;
    server.fail(4..=4, 70_000).await;
    server.fail(1..=3, 80_000).await;
    let told = async |push| -> Vec<String> {
        let attempts = server.admin.attempts(PushNo(push)).await.unwrap();
        assert!(attempts.iter().all(|attempt| &*attempt.outcome == "code 1"));
        attempts.into_iter().map(|attempt| attempt.request.unwrap().into()).collect()
    };
    for (push, sent) in
        [(1, &["POST at 70000", "POST at 80000"][..]), (3, &["POST at 70000", "POST at 80000"])]
    {
        assert_eq!(told(push).await, sent, "push {push}");
    }
    assert_eq!(told(4).await, ["POST at 70000"]);

    let sweep = async || {
        let now = BEGIN + Duration::from_secs(61 * 24 * 3_600);
        let pruned = server.store.prune(&Retention::default(), now, Pruned::default()).await.unwrap();
        assert!(pruned.finished);
        pruned.rows
    };
    // A call has its record, its entries and its push. The message stays with its third push, which is owed.
    let call = 1 + i64::try_from(talk(reported(1)).len()).unwrap() + 1;
    server.settle([1, 2, 4], &Outcome::Delivered).await;
    assert_eq!(i64::try_from(sweep().await).unwrap(), 3 * call + 1, "with the attempt of the fourth");
    assert_eq!(told(3).await.len(), 2);
    server.settle([3], &Outcome::Parked { message: PushNo(1), why: "code 1".into() }).await;
    assert_eq!(server.admin.attempts(PushNo(3)).await.unwrap().len(), 3);
    assert_eq!(i64::try_from(sweep().await).unwrap(), call + 3);
    server.end().await;
}

#[tokio::test]
async fn parked_reports_are_found_and_sent_again_in_their_message() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir).await;
    server.run(1..4).await;
    server.settle([1, 2], &Outcome::Parked { message: PushNo(1), why: "code 1".into() }).await;
    let parked = |channel| PushFilter {
        state: Some(PushState::Parked),
        channel: Some(channel),
        ..PushFilter::default()
    };
    let page = async |filter| server.admin.pushes_page(&filter, None, 9).await.unwrap().lines;
    assert_eq!(numbers(page(parked(Channel::Report)).await.iter().map(|line| &line.push)), [2, 1]);
    assert_eq!(page(parked(Channel::Fee)).await.len(), 0);
    assert_eq!(server.admin.redeliver(PushNo(2), at(60_000)).await.unwrap(), 2);
    let again = server.opened.outbox.of_messages([PushNo(1)]).await.unwrap();
    assert_eq!((numbers(&again), again[0].attempts), (vec![1, 2], 0));
    server.end().await;
}

#[tokio::test]
async fn a_call_is_found_by_a_part_of_its_id() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir).await;
    server.run(0x10_0001..0x10_0002).await;
    let (over, open) = (reported(0x10_0001).id, reported(0x20_0001));
    server.opened.journal.accept(talk(open.clone()).remove(0), Vec::new()).await.unwrap();
    let around = |first: u128, last: u128| CallId::new(BEGIN, first)..=CallId::new(BEGIN, last);
    for (ids, found) in [
        (around(0x10_0000, 0x1f_ffff), Some(over)),
        (around(0x20_0000, 0x2f_ffff), Some(open.id)),
        (around(0x30_0000, 0x3f_ffff), None),
        (around(0x10_0001, 0x10_0001), Some(over)),
        (around(0x10_0002, 0x2f_ffff), Some(open.id)),
        (around(0, u128::MAX), Some(over)),
    ] {
        assert_eq!(server.admin.find_call(&ids).await.unwrap(), found, "{ids:?}");
    }
    server.end().await;
}
