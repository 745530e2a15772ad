//! Pushes from the journal to real receivers on this machine, on a wall clock that the story turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use base::address::Guard;
use base::call::Call;
use base::clip::{ClipKey, SystemClip};
use base::fact::{Entry, Fact};
use base::id::{AppId, CallId, Leg};
use base::number::E164;
use base::order::{Callback, CalleeMedia, Product};
use base::private::Private;
use base::release::{Cause, Ending, Party, Release};
use base::time::Timestamp;
use base::url::PushUrl;
use rand::SeedableRng;
use rand::rngs::StdRng;
use store::admin::{AppChange, AppDraft, PushLine, PushPick};
use store::{Accounts, Admin, Journal, JournalTask, PushState, Store, StoreFault};
use tempfile::TempDir;

use crate::receiver::{Receiver, Reply, Request};
use crate::{Delivery, Pace, Parts, Profile};

/// Defines a clock of a story's own, that only the story turns.
macro_rules! clock {
    ($name:ident) => {
        static $name: AtomicI64 = AtomicI64::new(1_767_323_045_000);
    };
}

mod reports;

/// A node that accepts calls and delivers what they owe.
struct House {
    admin: Admin,
    journal: Journal,
    writer: JournalTask,
    delivery: Delivery,
    clock: fn() -> Timestamp,
    app: AppId,
}

const KEY: &str = "key-1";

impl House {
    async fn open(dir: &TempDir, clock: fn() -> Timestamp) -> Self {
        Self::open_as(Profile::Compat, dir, clock).await
    }

    async fn open_as(profile: Profile, dir: &TempDir, clock: fn() -> Timestamp) -> Self {
        let store = Store::open(dir.path()).await.unwrap();
        let admin = Admin::new(&store);
        let app = match admin.apps().await.unwrap().first() {
            Some(line) => line.app.id,
            None => {
                let app = admin.create_app(&AppDraft::new("acme", "shop"), clock()).await.unwrap();
                admin.import_key(app, KEY, &Private::new("secret".into()), clock()).await.unwrap();
                app
            }
        };
        let change = AppChange { push_profile: Some(profile), ..AppChange::default() };
        admin.change_app(app, &change).await.unwrap();
        let term = loop {
            match store.serve("node-1", clock()).await {
                // The process before this one is still dying.
                Err(StoreFault::Taken { .. }) => tokio::time::sleep(Duration::from_millis(5)).await,
                served => break served.unwrap(),
            }
        };
        let opened = Journal::open(&store, term, clock).await.unwrap();
        let parts = Parts {
            outbox: opened.outbox,
            journal: opened.journal.clone(),
            accounts: Accounts::load(&store).await.unwrap(),
            guard: Guard::new(vec!["127.0.0.0/8".parse().unwrap()]),
            pace: Pace::default(),
            attempt: base::limits::PUSH_ATTEMPT,
            clock,
            rng: StdRng::seed_from_u64(7),
        };
        let delivery = Delivery::start(parts).unwrap();
        Self { admin, journal: opened.journal, writer: opened.task, delivery, clock, app }
    }

    async fn close(self) -> Admin {
        self.delivery.stop().await;
        self.journal.close();
        self.writer.ended().await;
        self.admin
    }

    /// A whole call, with a talk of some seconds, that ends now.
    async fn call(&self, number: u32, status: Option<&Receiver>, fee: Option<&Receiver>) -> CallId {
        let status_url = status.map(|receiver| url(receiver, &format!("status/{number}")));
        // One address for all, so that records may share a message.
        let fee_url = fee.map(|receiver| url(receiver, "fee"));
        place(self.journal.clone(), Call { status_url, fee_url, ..self.talk(number) }).await
    }

    /// A call with a talk, of which nobody is told yet.
    fn talk(&self, number: u32) -> Call {
        let party = |digit: u32| E164::parse(&format!("+86138{digit}{number:07}")).unwrap();
        let now = (self.clock)();
        Call {
            id: CallId::new(now, u128::from(number)),
            dialect: "huawei".into(),
            node: "node-1".into(),
            account: "acme".into(),
            app: self.app,
            key: KEY.into(),
            accepted_at: now,
            product: Product::Callback(Callback {
                caller: party(0),
                callee: party(1),
                shown_to_caller: E164::parse("+8675500000001").unwrap(),
                shown_to_callee: E164::parse("+8675500000002").unwrap(),
                longest: None,
                pre_voice: None,
                wait_voice: ClipKey::System(SystemClip::RingBack),
                callee_media: CalleeMedia::All,
                recorded: None,
            }),
            status_url: None,
            fee_url: None,
            report_url: None,
            asked_shown: None,
            user_data: None,
            tell_who_hung_up: false,
        }
    }

    /// Waits until so many pushes are in a state.
    async fn until_in(&self, state: PushState, count: usize) {
        while self.admin.pushes(PushPick::In(state), 1_000).await.unwrap().len() != count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until the pushes of a call stand as the story wants.
    async fn until(&self, call: CallId, wanted: impl Fn(&[PushLine]) -> bool) -> Vec<PushLine> {
        loop {
            let pushes = self.admin.pushes(PushPick::Of(call), 100).await.unwrap();
            if wanted(&pushes) {
                return pushes;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Has a call take place.
async fn place(journal: Journal, call: Call) -> CallId {
    let (id, now) = (call.id, call.accepted_at);
    let released = |leg| Fact::released(leg, Release::normal(Party::Caller));
    let facts = [
        Fact::Accepted(Box::new(call)),
        Fact::dialled(Leg::A),
        Fact::Ringing { leg: Leg::A, dialog: None },
        Fact::Answered { leg: Leg::A, dialog: None },
        Fact::dialled(Leg::B),
        Fact::Ringing { leg: Leg::B, dialog: None },
        Fact::Answered { leg: Leg::B, dialog: None },
        Fact::Bridged,
        released(Leg::A),
        released(Leg::B),
        Fact::Over(Ending { by: Party::Caller, cause: Cause::Normal, leg: Some(Leg::A) }),
    ];
    let entry = |(fact, seq): (Fact, u32)| Entry { call: id, seq, at: now, fact };
    let mut entries: Vec<_> = facts.into_iter().zip(0..).map(entry).collect();
    journal.accept(entries.remove(0), Vec::new()).await.unwrap();
    journal.append(entries).unwrap();
    id
}

fn url(receiver: &Receiver, path: &str) -> PushUrl {
    PushUrl::parse(&format!("http://{}/{path}", receiver.address)).unwrap()
}

fn all(pushes: &[PushLine], state: PushState) -> bool {
    !pushes.is_empty() && pushes.iter().all(|line| line.state == state)
}

fn at(clock: &AtomicI64) -> Timestamp {
    Timestamp::from_millis(clock.load(Ordering::SeqCst))
}

fn turn(clock: &AtomicI64, secs: i64) {
    clock.fetch_add(secs * 1_000, Ordering::SeqCst);
}

fn event(request: &Request) -> String {
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    body["eventType"].as_str().unwrap().to_owned()
}

fn records(request: &Request) -> usize {
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    body["feeLst"].as_array().unwrap().len()
}

const TOLD: [&str; 7] = ["callout", "alerting", "answer", "callout", "alerting", "answer", "disconnect"];

#[tokio::test]
async fn the_events_of_a_call_come_in_order_whatever_the_receiver_takes() {
    clock!(CLOCK);
    let dir = tempfile::tempdir().unwrap();
    let house = House::open(&dir, || at(&CLOCK)).await;
    // Answers get slower from event to event, on threads of their own.
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    let calls: Vec<_> = {
        let mut calls = Vec::new();
        for number in 0..20 {
            calls.push(house.call(number, Some(&receiver), None).await);
        }
        calls
    };
    let requests = receiver.has(20 * 7).await;
    for number in 0..20 {
        let path = format!("/status/{number}");
        let of_call = requests.iter().filter(|request| request.path == path);
        assert_eq!(of_call.map(event).collect::<Vec<_>>(), TOLD);
    }
    for call in calls {
        house.until(call, |pushes| all(pushes, PushState::Delivered)).await;
    }
    house.close().await;
}

#[tokio::test]
async fn a_status_event_that_failed_is_not_told_again_and_the_next_one_is() {
    clock!(CLOCK);
    let dir = tempfile::tempdir().unwrap();
    let house = House::open(&dir, || at(&CLOCK)).await;
    let answers = AtomicUsize::new(0);
    let receiver = Receiver::start(move |_| {
        // 204 and 302 are no 200.
        let status = [500, 204, 302, 200, 200, 200, 200][answers.fetch_add(1, Ordering::SeqCst) % 7];
        Reply::status(status)
    })
    .await;
    let call = house.call(1, Some(&receiver), None).await;
    assert_eq!(receiver.has(7).await.iter().map(event).collect::<Vec<_>>(), TOLD);
    let pushes = house.until(call, |pushes| pushes.iter().all(|line| line.state != PushState::Fresh)).await;
    let states: Vec<_> = pushes.iter().map(|line| line.state).collect();
    assert_eq!(states[..3], [PushState::Parked; 3]);
    assert_eq!(states[3..], [PushState::Delivered; 4]);
    let why: Vec<_> = pushes.iter().filter_map(|line| line.outcome.as_deref()).collect();
    assert_eq!(why, ["HTTP 500", "HTTP 204", "HTTP 302: no redirect is followed"]);
    assert_eq!(receiver.requests().len(), 7);
    house.close().await;
}

#[tokio::test]
async fn a_fee_record_is_tried_seven_times_an_hour_apart_and_then_parked() {
    clock!(CLOCK);
    let dir = tempfile::tempdir().unwrap();
    let house = House::open(&dir, || at(&CLOCK)).await;
    let receiver = Receiver::start(|_| Reply::status(500)).await;
    let call = house.call(1, None, Some(&receiver)).await;
    for attempt in 1..=7 {
        // The first waits for the end of its second.
        turn(&CLOCK, if attempt == 1 { 2 } else { 3_599 });
        house.delivery.wake();
        if attempt > 1 {
            assert_eq!(receiver.requests().len(), attempt - 1, "not a second early");
            turn(&CLOCK, 2);
            house.delivery.wake();
        }
        receiver.has(attempt).await;
        let attempts = u32::try_from(attempt).unwrap();
        house.until(call, |pushes| pushes[..].iter().any(|line| line.push.attempts == attempts)).await;
    }
    let pushes = house.until(call, |pushes| all(pushes, PushState::Parked)).await;
    let bodies: Vec<_> = receiver.requests().into_iter().map(|request| request.body).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]), "a repetition says the same");
    assert_eq!(house.admin.attempts(pushes[0].push.id).await.unwrap().len(), 7);
    turn(&CLOCK, 100_000);
    house.delivery.wake();
    assert_eq!(receiver.requests().len(), 7);
    house.close().await;
}

#[tokio::test]
async fn records_of_one_second_share_a_message_of_fifty() {
    clock!(CLOCK);
    let dir = tempfile::tempdir().unwrap();
    let house = House::open(&dir, || at(&CLOCK)).await;
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    let mut calls = Vec::new();
    for number in 0..51 {
        calls.push(house.call(number, None, Some(&receiver)).await);
    }
    turn(&CLOCK, 2);
    calls.push(house.call(51, None, Some(&receiver)).await);
    turn(&CLOCK, 2);
    house.delivery.wake();
    for call in calls {
        house.until(call, |pushes| all(pushes, PushState::Delivered)).await;
    }
    let mut counts: Vec<_> = receiver.requests().iter().map(records).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 1, 50]);
    house.close().await;
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_nobody_else() {
    clock!(CLOCK);
    let dir = tempfile::tempdir().unwrap();
    let house = House::open(&dir, || at(&CLOCK)).await;
    let hanging = Receiver::start(|_| Reply::Silence).await;
    let good = Receiver::start(|_| Reply::status(200)).await;
    // They are two hosts: all of 127.0.0.0/8 is this machine.
    let hanging = hanging.named("127.0.0.2");
    for number in 0..50 {
        house.call(number, Some(&hanging), None).await;
    }
    let call = house.call(99, Some(&good), None).await;
    house.until(call, |pushes| all(pushes, PushState::Delivered)).await;
    let in_flight = hanging.requests().len();
    assert!(in_flight <= base::limits::PUSHES_PER_HOST, "{in_flight} in flight");
}

#[test]
fn what_was_not_sent_before_a_death_is_sent_after_it() {
    clock!(CLOCK);
    let dir = tempfile::tempdir().unwrap();
    let life = |story: &dyn Fn() -> std::pin::Pin<Box<dyn Future<Output = ()>>>| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.unwrap().block_on(story());
    };
    let dir = Arc::new(dir);
    let before = Arc::clone(&dir);
    let port = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&port);
    life(&move || {
        let (dir, port) = (Arc::clone(&before), Arc::clone(&seen));
        Box::pin(async move {
            let silent = Receiver::start(|_| Reply::Silence).await;
            port.store(silent.address.port().into(), Ordering::SeqCst);
            let house = House::open(&dir, || at(&CLOCK)).await;
            house.call(1, Some(&silent), None).await;
            silent.has(1).await;
        })
    });
    life(&move || {
        let (dir, port) = (Arc::clone(&dir), u16::try_from(port.load(Ordering::SeqCst)).unwrap());
        Box::pin(async move {
            let receiver = Receiver::start_on(port, |_| Reply::status(200)).await;
            let house = House::open(&dir, || at(&CLOCK)).await;
            assert_eq!(receiver.has(7).await.iter().map(event).collect::<Vec<_>>(), TOLD);
            house.close().await;
        })
    });
}

#[tokio::test]
async fn a_parked_push_is_sent_again_when_somebody_asks() {
    clock!(CLOCK);
    let dir = tempfile::tempdir().unwrap();
    let house = House::open(&dir, || at(&CLOCK)).await;
    let answers = AtomicUsize::new(0);
    let receiver = Receiver::start(move |_| {
        Reply::status(if answers.fetch_add(1, Ordering::SeqCst) == 0 { 500 } else { 200 })
    })
    .await;
    let call = house.call(1, Some(&receiver), None).await;
    receiver.has(7).await;
    let settled = |pushes: &[PushLine]| pushes.iter().all(|line| line.state != PushState::Fresh);
    let pushes = house.until(call, settled).await;
    assert_eq!(pushes[0].state, PushState::Parked);
    house.admin.redeliver(pushes[0].push.id, (house.clock)()).await.unwrap();
    turn(&CLOCK, 3);
    house.delivery.wake();
    let requests = receiver.has(8).await;
    assert_eq!(event(&requests[7]), "callout");
    house.until(call, |pushes| all(pushes, PushState::Delivered)).await;
    house.close().await;
}

#[tokio::test]
async fn a_push_is_signed_anew_at_each_attempt() {
    clock!(CLOCK);
    let dir = tempfile::tempdir().unwrap();
    let house = House::open(&dir, || at(&CLOCK)).await;
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    house.call(1, Some(&receiver), None).await;
    let requests = receiver.has(7).await;
    let mut signatures: Vec<_> = requests.iter().map(|request| &request.headers["x-aksk"]).collect();
    assert!(signatures.iter().all(|signature| signature.contains(r#"Username="key-1""#)));
    signatures.sort();
    signatures.dedup();
    assert_eq!(signatures.len(), 7);
    house.close().await;
}

/// Looks again and again, and lets time pass in between, until so many requests have come.
async fn pass_until(house: &House, clock: &AtomicI64, receiver: &Receiver, count: usize) -> Vec<Request> {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while receiver.requests().len() < count {
        assert!(std::time::Instant::now() < deadline, "{:?}", receiver.requests().len());
        turn(clock, 1);
        house.delivery.wake();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    receiver.requests()
}

#[tokio::test]
async fn whoever_wants_everything_gets_it_in_order_in_the_end() {
    clock!(CLOCK);
    let dir = tempfile::tempdir().unwrap();
    let house = House::open_as(Profile::Reliable, &dir, || at(&CLOCK)).await;
    let answers = AtomicUsize::new(0);
    let receiver = Receiver::start(move |_| {
        // The first event fails twice, and the third for ever.
        Reply::status([500, 204, 200, 200, 503][answers.fetch_add(1, Ordering::SeqCst).min(4)])
    });
    let receiver = receiver.await;
    let call = house.call(1, Some(&receiver), None).await;
    let told = pass_until(&house, &CLOCK, &receiver, 5).await;
    assert_eq!(
        told.iter().map(event).collect::<Vec<_>>(),
        ["callout", "callout", "callout", "alerting", "answer"]
    );
    let pushes = house.until(call, |pushes| pushes.iter().any(|line| line.push.attempts == 3)).await;
    let attempts = house.admin.attempts(pushes[0].push.id).await.unwrap();
    assert_eq!(
        attempts.iter().map(|attempt| &*attempt.outcome).collect::<Vec<_>>(),
        ["HTTP 500", "HTTP 204"]
    );
    let request = attempts[0].request.as_deref().unwrap();
    assert!(request.starts_with("POST http://127.0.0.1:") && request.contains("callout"), "{request}");
    assert!(request.contains("x-aksk: ***") && attempts[0].answer.as_deref() == Some("HTTP 500\n\n"));
    house.close().await;
}

#[tokio::test]
async fn events_wait_for_the_one_before_them_over_a_restart() {
    clock!(CLOCK);
    let dir = tempfile::tempdir().unwrap();
    let house = House::open_as(Profile::Reliable, &dir, || at(&CLOCK)).await;
    let broken = Arc::new(AtomicUsize::new(500));
    let status = Arc::clone(&broken);
    let answer = move |_: &Request| Reply::status(u16::try_from(status.load(Ordering::SeqCst)).unwrap());
    let receiver = Receiver::start(answer).await;
    let call = house.call(1, Some(&receiver), None).await;
    receiver.has(1).await;
    house.until(call, |pushes| pushes[0].push.attempts == 1).await;
    let admin = house.close().await;
    // A later event was not put behind the others before the end.
    let late = admin.pushes(PushPick::Of(call), 100).await.unwrap()[3].push.id.0;
    let disk = rusqlite::Connection::open(dir.path().join("huihu.db")).unwrap();
    disk.execute("UPDATE push SET state = 0 WHERE id = ?", [late]).unwrap();

    broken.store(200, Ordering::SeqCst);
    let house = House::open_as(Profile::Reliable, &dir, || at(&CLOCK)).await;
    let told = pass_until(&house, &CLOCK, &receiver, 8).await;
    assert_eq!(told[1..].iter().map(event).collect::<Vec<_>>(), TOLD);
    house.until(call, |pushes| all(pushes, PushState::Delivered)).await;
    house.close().await;
}
