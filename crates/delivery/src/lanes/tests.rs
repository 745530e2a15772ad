//! Lanes, bundles and sleep on a clock that the test turns.

mod reports;
mod resting;

use base::call::Call;
use base::id::{AppId, Leg};
use base::number::E164;
use base::order::{Notice, Product, ProductKind};
use base::private::Private;
use base::record::{CallRecord, LegRecord, SpeechUse};
use base::release::{Cause, Ending, Party};
use base::row::StatusRow;
use base::url::PushUrl;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

/// A status push of a call to a host.
pub(crate) fn push(id: i64, call: u128, host: &str) -> Waiting {
    let call = CallId::new(NOW, call);
    let number = || E164::parse("+8613800000001").unwrap();
    let row = StatusRow {
        call,
        node: "node-1".into(),
        product: ProductKind::Code,
        at: NOW,
        kind: StatusKind::Ringing,
        leg: Leg::A,
        shown: number(),
        dialled: number(),
        user_data: None,
        url: PushUrl::parse(&format!("http://{host}/")).ok(),
    };
    Waiting {
        id: PushNo(id),
        call,
        channel: Channel::Status,
        dialect: "huawei".into(),
        key: "key-1".into(),
        host: host.into(),
        message: None,
        row: Row::Status(row),
        attempts: 0,
        due_at: NOW,
    }
}

fn lanes(pushes: impl IntoIterator<Item = Waiting>) -> Lanes {
    let mut lanes = Lanes::default();
    pushes.into_iter().for_each(|push| lanes.add(push, NOW));
    lanes
}

/// Everything that may go now, by number.
fn go(lanes: &mut Lanes) -> Vec<Sending> {
    std::iter::from_fn(|| lanes.next(NOW)).collect()
}

fn numbers(sendings: &[Sending]) -> Vec<i64> {
    sendings.iter().flat_map(|sending| sending.pushes.iter().map(|push| push.id.0)).collect()
}

fn done(lanes: &mut Lanes, sending: Sending, result: Result<(), &str>) -> Vec<Verdict> {
    ended(lanes, sending, result, Profile::Compat, NOW)
}

fn ended(
    lanes: &mut Lanes,
    sending: Sending,
    result: Result<(), &str>,
    profile: Profile,
    now: Timestamp,
) -> Vec<Verdict> {
    let failure = |why: &str| Failure { why: why.into(), exchange: None, sign: Sign::Nothing };
    let result = result.map_err(failure);
    lanes.done(Sent { sending, at: now, took: Duration::ZERO, result, profile, dice: 0 }, now);
    taken(lanes)
}

fn taken(lanes: &mut Lanes) -> Vec<Verdict> {
    lanes.take_verdicts().concat()
}

/// When each push comes again.
fn dues(verdicts: &[Verdict]) -> Vec<(i64, Timestamp)> {
    let due = |verdict: &Verdict| match verdict.outcome {
        Outcome::Again { due, .. } | Outcome::Postponed { due } => Some((verdict.id.0, due)),
        Outcome::Delivered | Outcome::Parked { .. } | Outcome::GivenUp { .. } => None,
    };
    verdicts.iter().filter_map(due).collect()
}

/// The last status push of a call.
fn last(id: i64, call: u128, host: &str) -> Waiting {
    let mut push = push(id, call, host);
    let Row::Status(row) = &mut push.row else { panic!("it tells a status") };
    row.kind = StatusKind::Over {
        ending: Ending { by: Party::Caller, cause: Cause::Normal, leg: None },
        connected: true,
        rang: true,
        tell_who_hung_up: false,
    };
    push
}

#[test]
fn a_lane_sleeps_as_a_whole_and_wakes_in_order() {
    let (first, second) = (NOW + Duration::from_millis(7_500), NOW + Duration::from_millis(22_500));
    let mut lanes = lanes([push(1, 7, "a"), push(2, 7, "a")]);
    let head = go(&mut lanes).remove(0);
    let verdicts = ended(&mut lanes, head, Err("HTTP 500"), Profile::Reliable, NOW);
    assert_eq!(dues(&verdicts), [(1, first), (2, first)]);
    assert!(lanes.held.is_empty(), "nothing is held while the lane sleeps");
    // What the call tells meanwhile follows the others; another call goes on.
    lanes.add(push(3, 7, "a"), NOW);
    lanes.add(push(4, 8, "a"), NOW);
    assert_eq!(dues(&taken(&mut lanes)), [(3, first)]);
    let other = go(&mut lanes).remove(0);
    assert_eq!(other.pushes[0].id, PushNo(4));
    done(&mut lanes, other, Ok(()));
    // It wakes, and fails again: it all sleeps again.
    for id in 1..=3 {
        let read = Waiting { attempts: u32::from(id == 1), ..push(id, 7, "a") };
        lanes.add_read(read, None, first);
    }
    let head = lanes.next(first).unwrap();
    let verdicts = ended(&mut lanes, head, Err("HTTP 500"), Profile::Reliable, first);
    assert_eq!(dues(&verdicts), [(1, second), (2, second), (3, second)]);
    // It wakes, and everything comes in order.
    for id in 1..=3 {
        lanes.add_read(push(id, 7, "a"), None, second);
    }
    lanes.add(last(5, 7, "a"), second);
    for id in [1, 2, 3, 5] {
        let head = lanes.next(second).unwrap();
        assert_eq!(head.pushes[0].id, PushNo(id));
        ended(&mut lanes, head, Ok(()), Profile::Reliable, second);
    }
    assert!(lanes.asleep.is_empty() && lanes.behind.is_empty());
}

#[test]
fn the_last_that_a_call_tells_holds_nobody_up_and_is_not_remembered() {
    let mut lanes = lanes([last(2, 7, "a"), push(3, 8, "a")]);
    for head in go(&mut lanes) {
        ended(&mut lanes, head, Err("HTTP 500"), Profile::Reliable, NOW);
    }
    assert_eq!(lanes.asleep.keys().map(|call| call.random()).collect::<Vec<_>>(), [8]);
    lanes.add(last(4, 8, "a"), NOW);
    assert_eq!(dues(&taken(&mut lanes)).len(), 1);
}

#[test]
fn a_push_that_was_read_waits_for_an_earlier_one_that_was_not() {
    let due = NOW + Duration::from_secs(60);
    let mut lanes = Lanes::default();
    lanes.add_read(push(2, 7, "a"), Some(due), NOW);
    lanes.add(push(3, 7, "a"), NOW);
    assert_eq!(dues(&taken(&mut lanes)), [(2, due), (3, due)]);
    // Its time came, and the earlier one is late: its verdict may not even be written.
    lanes.add_read(push(3, 7, "a"), None, due);
    lanes.add(push(4, 7, "a"), due);
    assert_eq!(dues(&taken(&mut lanes)), [(3, due), (4, due)]);
    // If it never comes, the lane goes on.
    let late = due + OVERDUE;
    lanes.add_read(push(3, 7, "a"), None, late);
    assert_eq!(lanes.next(late).unwrap().pushes[0].id, PushNo(3));
}

#[test]
fn what_sleeps_longer_than_its_head_is_not_overtaken() {
    let (soon, later) = (NOW + Duration::from_secs(5), NOW + Duration::from_secs(6));
    let mut lanes = Lanes::default();
    lanes.postpone(&push(1, 7, "a"), soon, NOW);
    lanes.postpone(&push(2, 7, "a"), later, NOW);
    lanes.add_read(push(1, 7, "a"), None, soon);
    let head = lanes.next(soon).unwrap();
    ended(&mut lanes, head, Ok(()), Profile::Compat, soon);
    lanes.add(last(3, 7, "a"), soon);
    assert!(lanes.next(soon).is_none(), "the second is still asleep");
    lanes.add_read(push(2, 7, "a"), None, later);
    lanes.add_read(last(3, 7, "a"), None, later);
    assert!(lanes.asleep.is_empty());
    assert_eq!(lanes.next(later).unwrap().pushes[0].id, PushNo(2));
}

/// The fee record of a call that ended so many milliseconds after the beginning.
fn fee(id: i64, key: &str, host: &str, ended_millis: u64) -> Waiting {
    let call = call(id, key, host);
    let mut push = push(id, call.id.random(), host);
    push.key = key.into();
    push.channel = Channel::Fee;
    push.row = Row::Fee(record(call, NOW + Duration::from_millis(ended_millis)));
    push
}

fn record(call: Call, ended_at: Timestamp) -> Box<CallRecord> {
    Box::new(CallRecord {
        call,
        legs: [LegRecord::default(); 2],
        trunks: Default::default(),
        bridged_at: None,
        ended_at,
        ending: Ending { by: Party::Caller, cause: Cause::Normal, leg: None },
        recording: None,
        speech: SpeechUse::default(),
        pressed: Private::default(),
    })
}

fn call(id: i64, key: &str, host: &str) -> Call {
    let number = || E164::parse("+8613800000001").unwrap();
    Call {
        id: CallId::new(NOW, u128::from(id.unsigned_abs())),
        dialect: "huawei".into(),
        node: "node-1".into(),
        account: "acme".into(),
        app: AppId(1),
        key: key.into(),
        accepted_at: NOW,
        product: Product::Notice(Notice { callee: number(), shown: number(), items: Vec::new() }),
        status_url: None,
        fee_url: PushUrl::parse(&format!("http://{host}/fee")).ok(),
        report_url: PushUrl::parse(&format!("http://{host}/report")).ok(),
        asked_shown: None,
        user_data: None,
        tell_who_hung_up: false,
    }
}

/// The numbers of each message that may go then.
fn messages(lanes: &mut Lanes, now: Timestamp) -> Vec<Vec<i64>> {
    let sendings = std::iter::from_fn(|| lanes.next(now));
    let mut messages: Vec<Vec<i64>> =
        sendings.map(|sending| sending.pushes.iter().map(|push| push.id.0).collect()).collect();
    messages.sort_unstable();
    messages
}

#[test]
fn fee_records_share_a_message_by_app_second_and_receiver() {
    let mut lanes = lanes([
        fee(1, "key-1", "a", 100),
        fee(2, "key-1", "a", 900),
        fee(3, "key-1", "a", 1_000),
        fee(4, "key-2", "a", 200),
        fee(5, "key-1", "b", 300),
    ]);
    assert!(messages(&mut lanes, NOW + Duration::from_millis(999)).is_empty(), "the second is not over");
    let over = NOW + Duration::from_millis(1_500);
    assert_eq!(messages(&mut lanes, over), [vec![1, 2], vec![4], vec![5]]);
    assert_eq!(messages(&mut lanes, over + Duration::from_secs(1)), [[3]]);
}

#[test]
fn fifty_records_fill_a_message_and_a_repetition_has_the_same_rows() {
    for profile in [Profile::Compat, Profile::Reliable] {
        let mut lanes = lanes((1..=51).map(|id| fee(id, "key-1", "a", 0)));
        let full = lanes.next(NOW).unwrap();
        assert_eq!(full.pushes.len(), 50);
        let over = NOW + Duration::from_secs(2);
        assert_eq!(messages(&mut lanes, over), [[51]]);
        let rows = full.pushes.clone();
        let verdicts = ended(&mut lanes, full, Err("HTTP 500"), profile, NOW);
        let due = dues(&verdicts)[0].1;
        assert!(dues(&verdicts).iter().all(|(_, other)| *other == due), "they come again together");
        let again = |push| Waiting { message: Some(PushNo(1)), attempts: 1, ..push };
        lanes.add_message(rows.into_iter().map(again).collect());
        let again = lanes.next(due).unwrap();
        assert_eq!((again.message(), again.pushes.len()), (PushNo(1), 50));
        assert!(lanes.next(due).is_none());
    }
}

#[test]
fn only_the_first_push_of_a_lane_is_in_flight() {
    let mut lanes = lanes([push(1, 7, "a"), push(2, 7, "a"), push(3, 8, "a"), push(4, 7, "a")]);
    let mut sent = go(&mut lanes);
    assert_eq!(numbers(&sent), [1, 3]);
    done(&mut lanes, sent.remove(0), Ok(()));
    let mut sent = go(&mut lanes);
    assert_eq!(numbers(&sent), [2]);
    // A failure is the end of that push, not of its lane.
    done(&mut lanes, sent.remove(0), Err("HTTP 500"));
    assert_eq!(numbers(&go(&mut lanes)), [4]);
}

#[test]
fn hosts_take_turns_and_have_few_places_each() {
    let flood = (0..100).map(|call| push(i64::from(call), u128::from(call as u32), "flood"));
    let mut lanes = lanes(flood.chain([push(1_000, 1_000, "calm")]));
    let sent = go(&mut lanes);
    assert_eq!(sent.len(), PUSHES_PER_HOST + 1);
    assert!(numbers(&sent[..3]).contains(&1_000), "the calm host does not wait for the flood");
    let calm = sent.into_iter().find(|sending| &*sending.host == "calm").unwrap();
    done(&mut lanes, calm, Ok(()));
    assert!(go(&mut lanes).is_empty());
}

#[test]
fn what_is_held_for_a_host_is_bounded_and_comes_free_again() {
    let limit = i64::try_from(HELD_PER_HOST).unwrap();
    let mut lanes = lanes((0..limit).map(|id| push(id, 7, "a")));
    assert_eq!(lanes.room("a"), 0);
    assert_eq!(lanes.room("b"), HELD_PER_HOST);
    let first = go(&mut lanes).remove(0);
    done(&mut lanes, first, Ok(()));
    assert_eq!(lanes.room("a"), 1);
}

#[test]
fn a_push_that_is_held_is_not_taken_twice() {
    let mut lanes = lanes([push(1, 7, "a"), push(1, 7, "a")]);
    let first = go(&mut lanes).remove(0);
    lanes.add(push(1, 7, "a"), NOW);
    done(&mut lanes, first, Ok(()));
    assert!(go(&mut lanes).is_empty());
    assert!(lanes.is_still());
    assert!(lanes.hosts.values().all(Host::is_idle) && lanes.behind.is_empty() && lanes.bundles.is_empty());
}
