//! Reports: in batches, one after the other, until their receiver says that it has them.

use tokio::task::JoinSet;

use super::*;

impl House {
    /// Whole calls that end now, of which reports are owed.
    async fn reported(&self, numbers: std::ops::Range<u32>, receiver: &Receiver) -> Vec<CallId> {
        let mut calls = JoinSet::new();
        for number in numbers {
            let report_url = Some(url(receiver, "report"));
            let call = Call { dialect: "ksyun".into(), report_url, ..self.talk(number) };
            calls.spawn(place(self.journal.clone(), call));
        }
        calls.join_all().await
    }
}

fn received() -> Reply {
    Reply::status(200).body(br#"{"code":0,"msg":"success"}"#.to_vec())
}

/// The reports of a batch, each as it was worded.
fn told(request: &Request) -> Vec<String> {
    let reports: Vec<serde_json::Value> = serde_json::from_slice(&request.body).unwrap();
    reports.iter().map(ToString::to_string).collect()
}

fn sizes(requests: &[Request]) -> Vec<usize> {
    requests.iter().map(|request| told(request).len()).collect()
}

#[tokio::test]
async fn a_report_comes_again_until_the_answer_says_zero() {
    clock!(CLOCK);
    let dir = tempfile::tempdir().unwrap();
    let house = House::open(&dir, || at(&CLOCK)).await;
    let answers = AtomicUsize::new(0);
    let receiver = Receiver::start(move |_| match answers.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::status(500),
        1 => Reply::status(200).body(br#"{"code":1,"msg":"later"}"#.to_vec()),
        _ => received(),
    });
    let receiver = receiver.await;
    let calls = house.reported(1..2, &receiver).await;
    let requests = pass_until(&house, &CLOCK, &receiver, 3).await;
    assert!(requests.iter().all(|request| request.body == requests[0].body && request.path == "/report"));
    assert_eq!(requests[0].headers["content-type"], "application/json;charset=UTF-8");
    let pushes = house.until(calls[0], |pushes| all(pushes, PushState::Delivered)).await;
    let attempts = house.admin.attempts(pushes[0].push.id).await.unwrap();
    let why: Vec<&str> = attempts.iter().map(|attempt| &*attempt.outcome).collect();
    assert_eq!(why, ["HTTP 500", "HTTP 200, but the answer does not say that it was received"]);
    turn(&CLOCK, 1_000);
    house.delivery.wake();
    house.reported(2..3, &receiver).await;
    pass_until(&house, &CLOCK, &receiver, 4).await;
    house.until_in(PushState::Delivered, 2).await;
    assert_eq!(receiver.requests().len(), 4, "the first came no more");
    house.close().await;
}

#[tokio::test]
async fn four_hundred_and_fifty_reports_come_in_three_batches() {
    clock!(CLOCK);
    let dir = tempfile::tempdir().unwrap();
    let house = House::open(&dir, || at(&CLOCK)).await;
    let receiver = Receiver::start(|_| received()).await;
    house.reported(0..450, &receiver).await;
    assert_eq!(sizes(&receiver.has(2).await), [200, 200], "the others gather for a second");
    house.until_in(PushState::Delivered, 400).await;
    house.until_in(PushState::Fresh, 50).await;
    let requests = pass_until(&house, &CLOCK, &receiver, 3).await;
    assert_eq!(sizes(&requests), [200, 200, 50]);
    house.until_in(PushState::Delivered, 450).await;
    let mut reports: Vec<String> = requests.iter().flat_map(told).collect();
    reports.sort();
    reports.dedup();
    assert_eq!(reports.len(), 450, "each call is told once");
    house.close().await;
}

#[tokio::test]
async fn batches_that_failed_are_the_same_after_a_restart() {
    clock!(CLOCK);
    let dir = tempfile::tempdir().unwrap();
    let broken = Arc::new(AtomicUsize::new(1));
    let still = Arc::clone(&broken);
    let receiver = Receiver::start(move |_| match still.load(Ordering::SeqCst) {
        0 => received(),
        _ => Reply::status(500),
    });
    let receiver = receiver.await;
    let house = House::open(&dir, || at(&CLOCK)).await;
    house.reported(0..600, &receiver).await;
    // They fall due at once, and a page of the database ends within the second.
    let before = receiver.has(3).await;
    assert_eq!(sizes(&before[..3]), [200; 3]);
    house.until_in(PushState::Deferred, 600).await;
    house.close().await;

    broken.store(0, Ordering::SeqCst);
    let tried = receiver.requests().len();
    let house = House::open(&dir, || at(&CLOCK)).await;
    house.reported(600..610, &receiver).await;
    house.until_in(PushState::Fresh, 10).await;
    let requests = pass_until(&house, &CLOCK, &receiver, tried + 4).await;
    house.until_in(PushState::Delivered, 610).await;
    let bodies = |requests: &[Request]| {
        let mut bodies: Vec<Vec<u8>> = requests.iter().map(|request| request.body.clone()).collect();
        bodies.sort();
        bodies.dedup();
        bodies
    };
    let (before, after) = (bodies(&requests[..tried]), bodies(&requests[tried..]));
    assert_eq!((before.len(), after.len(), requests.len()), (3, 4, tried + 4));
    assert!(before.iter().all(|body| after.contains(body)), "each batch holds what it held before");
    house.close().await;
}

#[tokio::test]
async fn fee_messages_that_failed_are_the_same_over_the_border_of_a_page() {
    clock!(CLOCK);
    let dir = tempfile::tempdir().unwrap();
    let house = House::open(&dir, || at(&CLOCK)).await;
    let answers = AtomicUsize::new(0);
    let receiver = Receiver::start(move |_| match answers.fetch_add(1, Ordering::SeqCst) {
        0..6 => Reply::status(500),
        _ => Reply::status(200),
    });
    let receiver = receiver.await;
    let mut calls = JoinSet::new();
    for number in 0..300 {
        let fee_url = Some(url(&receiver, "fee"));
        calls.spawn(place(house.journal.clone(), Call { fee_url, ..house.talk(number) }));
    }
    calls.join_all().await;
    let first = receiver.has(6).await;
    assert_eq!(first.iter().map(records).collect::<Vec<_>>(), [50; 6]);
    house.until_in(PushState::Deferred, 300).await;
    turn(&CLOCK, 3_599);
    let requests = pass_until(&house, &CLOCK, &receiver, 12).await;
    let sorted = |requests: &[Request]| {
        let mut bodies: Vec<Vec<u8>> = requests.iter().map(|request| request.body.clone()).collect();
        bodies.sort();
        bodies
    };
    let again: Vec<Request> =
        requests[6..].iter().filter(|request| records(request) == 50).cloned().collect();
    assert_eq!(sorted(&again), sorted(&requests[..6]));
    house.close().await;
}
