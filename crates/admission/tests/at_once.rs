//! Orders that come at the same moment never take more than there is, and take all that there is.
//!
//! Here and not beside the code: a room that knows no threads has none in its tests either.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and its threads with it")]

use std::sync::Barrier;
use std::thread;

use base::quota::{Counted, Limit, Window};
use base::refusal::Refusal;
use huihu_admission::{
    Admission, Desk, Finding, Gate, GateSettings, Policy, Quota, RequestName, Resource, Tally, Visit,
};
use huihu_admission::{admit, enter, explain};

#[path = "../src/story.rs"]
#[expect(dead_code, reason = "the stories of the rules need more of it")]
mod story;

use story::Story;

const THREADS: usize = 8;
const ORDERS_EACH: usize = 40;

/// What came of all orders when every thread asks as fast as it can.
fn at_once<T: Send>(ask: impl Fn() -> T + Sync) -> Vec<T> {
    let start = Barrier::new(THREADS);
    let worker = || {
        start.wait();
        (0..ORDERS_EACH).map(|_| ask()).collect::<Vec<T>>()
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

#[test]
fn a_limit_is_used_up_and_not_overrun() {
    let mut story = Story::callback();
    story.account.app.ports = 1_000;
    let limit = |of, calls| Limit { of, per: Window::Day, calls };
    story.account.app.standing.limits = vec![limit(Counted::Callee, 100), limit(Counted::App, 90)];
    let admitted = at_once(|| story.admit()).into_iter().filter(Result::is_ok).count();
    assert_eq!(admitted, 90);
    assert_eq!(story.refused(), Some(Refusal::LimitReached { of: Counted::App, per: Window::Day }));
}

#[test]
fn ports_are_used_up_and_not_overrun() {
    let mut story = Story::callback();
    story.account.app.ports = 30;
    let limit = Limit { of: Counted::Callee, per: Window::Day, calls: 1_000 };
    story.account.app.standing.limits = vec![limit];
    let admitted: Vec<Admission> = at_once(|| story.admit()).into_iter().flatten().collect();
    assert_eq!((admitted.len(), story.app_ports.taken()), (30, 30));
    let counted = story.tally.used(&admitted[0].charges[0]);
    assert_eq!(counted, 30, "an order that found no port was not counted");
    drop(admitted);
    assert_eq!(story.app_ports.taken(), 0);
}

#[test]
fn a_quota_of_requests_is_used_up_and_not_overrun() {
    let mut story = Story::callback();
    story.account.app.requests_per_minute = Some(70);
    assert_eq!(at_once(|| story.enter()).iter().filter(|outcome| outcome.is_ok()).count(), 70);
}

#[test]
fn of_the_same_request_one_is_the_first() {
    let gate = Gate::new(&GateSettings::default());
    let first =
        at_once(|| gate.first_time("key1", RequestName::of("nonce", "2026-01-02T03:04:05Z"), story::NOW));
    assert_eq!(first.into_iter().filter(|first| *first).count(), 1);
}
