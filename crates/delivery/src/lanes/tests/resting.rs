//! Hosts that rest: nothing is tried, nothing is used up, and little is held.

use super::*;
use crate::health::HostState;
use crate::lanes::resting::{KEPT_FOR_PROBES, REMEMBERED};

fn secs(secs: u64) -> Timestamp {
    NOW + Duration::from_secs(secs)
}

/// A message gets no answer.
fn silent(lanes: &mut Lanes, sending: Sending, now: Timestamp) -> Vec<Verdict> {
    let result = Err(Failure { why: "no answer".into(), exchange: None, sign: Sign::Ill });
    let sent = Sent { sending, at: now, took: Duration::ZERO, result, profile: Profile::Reliable, dice: 0 };
    lanes.done(sent, now);
    taken(lanes)
}

/// Ten messages to `a` came to nothing, so that it rests.
fn resting() -> Lanes {
    let mut lanes = Lanes::default();
    for id in 1..=10_u8 {
        lanes.add(push(id.into(), id.into(), "a"), NOW);
        let sending = lanes.next(NOW).unwrap();
        silent(&mut lanes, sending, NOW);
    }
    lanes
}

fn condition(lanes: &mut Lanes, name: &str) -> HostState {
    lanes.hosts(NOW).into_iter().find(|host| &*host.host == name).unwrap()
}

#[test]
fn a_host_that_rests_is_tried_with_one_message_after_a_while() {
    let mut lanes = resting();
    lanes.add(push(11, 11, "a"), NOW);
    lanes.add(push(12, 12, "a"), NOW);
    lanes.add(push(13, 13, "b"), NOW);
    assert_eq!(numbers(&go(&mut lanes)), [13], "others go on");
    assert_eq!(lanes.deadline(), Some(secs(5)));
    let probe = lanes.next(secs(5)).unwrap();
    assert_eq!((probe.pushes[0].id, lanes.next(secs(5)).is_none()), (PushNo(11), true));
    silent(&mut lanes, probe, secs(5));
    assert!(lanes.next(secs(14)).is_none(), "a probe that fails is a longer rest");
    let probe = lanes.next(secs(15)).unwrap();
    assert_eq!(probe.pushes[0].id, PushNo(12));
    ended(&mut lanes, probe, Ok(()), Profile::Reliable, secs(15));
    (20..30).for_each(|id| lanes.add(push(id, id.unsigned_abs().into(), "a"), secs(15)));
    assert_eq!(std::iter::from_fn(|| lanes.next(secs(15))).count(), PUSHES_PER_HOST, "it works again");
}

#[test]
fn what_a_resting_host_is_owed_goes_back_unharmed() {
    let mut lanes = resting();
    let owed = 11..211;
    owed.clone().for_each(|id| lanes.add(push(id, id.unsigned_abs().into(), "a"), NOW));
    assert!(go(&mut lanes).is_empty());
    assert_eq!(condition(&mut lanes, "a").held, KEPT_FOR_PROBES);
    let back = taken(&mut lanes);
    assert_eq!(back.len(), 200 - KEPT_FOR_PROBES);
    assert!(back.iter().all(|verdict| verdict.outcome == Outcome::Postponed { due: secs(5) }));
    // What was ready when the rest began is not held for longer either.
    let mut lanes = lanes_with_all_in_flight();
    for sending in go(&mut lanes) {
        silent(&mut lanes, sending, NOW);
    }
    let more = go(&mut lanes);
    more.into_iter().for_each(|sending| drop(silent(&mut lanes, sending, NOW)));
    assert!(go(&mut lanes).is_empty());
    assert_eq!(condition(&mut lanes, "a").held, KEPT_FOR_PROBES);
}

fn lanes_with_all_in_flight() -> Lanes {
    lanes((1..=100).map(|id| push(id, id.unsigned_abs().into(), "a")))
}

#[test]
fn a_lane_keeps_its_order_while_its_host_rests() {
    let mut lanes = resting();
    (11..19).for_each(|id| lanes.add(push(id, id.unsigned_abs().into(), "a"), NOW));
    [push(21, 99, "a"), push(22, 99, "a")].into_iter().for_each(|push| lanes.add(push, NOW));
    assert!(go(&mut lanes).is_empty());
    assert_eq!(dues(&taken(&mut lanes)), [(21, secs(5)), (22, secs(5))]);
    lanes.add(last(23, 99, "a"), secs(1));
    assert_eq!(dues(&taken(&mut lanes)), [(23, secs(5))], "what the call tells later follows");
    // The host is back, and so are they.
    let probe = lanes.next(secs(5)).unwrap();
    ended(&mut lanes, probe, Ok(()), Profile::Reliable, secs(5));
    for push in [push(21, 99, "a"), push(22, 99, "a"), last(23, 99, "a")] {
        lanes.add_read(push, None, secs(5));
    }
    let mut told = Vec::new();
    while let Some(sending) = lanes.next(secs(5)) {
        told.extend(
            sending.pushes.iter().filter(|push| push.call == CallId::new(NOW, 99)).map(|push| push.id.0),
        );
        ended(&mut lanes, sending, Ok(()), Profile::Reliable, secs(5));
    }
    assert_eq!(told, [21, 22, 23]);
}

#[test]
fn waiting_has_an_end_for_those_who_waited_through_an_attempt() {
    const DAY: u64 = 24 * 3_600;
    let mut lanes = resting();
    let push = push(11, 11, "a");
    assert!(!lanes.give_up(std::slice::from_ref(&push), Profile::Compat, secs(599)), "it may still be news");
    let later = Waiting { due_at: secs(1), ..push.clone() };
    assert!(!lanes.give_up(&[later], Profile::Compat, secs(600)), "nobody tried the host since it fell due");
    assert!(!lanes.give_up(std::slice::from_ref(&push), Profile::Reliable, secs(DAY - 1)));
    assert!(lanes.give_up(std::slice::from_ref(&push), Profile::Compat, secs(600)));
    let why = "given up while the host is away: no answer".into();
    assert_eq!(taken(&mut lanes)[0].outcome, Outcome::GivenUp { why });
    assert!(lanes.give_up(std::slice::from_ref(&push), Profile::Reliable, secs(DAY)));
    let elsewhere = Waiting { host: "b".into(), ..push };
    assert!(!lanes.give_up(&[elsewhere], Profile::Compat, secs(DAY)));
}

#[test]
fn a_hundred_dead_hosts_leave_the_others_their_room() {
    let mut lanes = Lanes::default();
    let mut id = 0;
    let mut owe = |lanes: &mut Lanes, host: &str, count: usize| {
        for _ in 0..count.min(lanes.room(host)) {
            id += 1;
            lanes.add(push(id, id.unsigned_abs().into(), host), NOW);
        }
    };
    for dead in 0..100 {
        let name = format!("dead-{dead}");
        owe(&mut lanes, &name, 100);
        for _ in 0..2 {
            for sending in go(&mut lanes) {
                silent(&mut lanes, sending, NOW);
            }
        }
    }
    assert!(go(&mut lanes).is_empty());
    assert_eq!(lanes.held.len(), 100 * KEPT_FOR_PROBES);
    owe(&mut lanes, "alive", 1);
    assert_eq!(go(&mut lanes).len(), 1);
}

#[test]
fn what_is_known_of_hosts_is_bounded_and_forgotten() {
    let mut lanes = Lanes::default();
    for id in 1..=2 * i64::try_from(KNOWN_HOSTS).unwrap() {
        lanes.add(push(id, id.unsigned_abs().into(), &format!("host-{id}")), NOW);
        let sending = lanes.next(NOW).unwrap();
        ended(&mut lanes, sending, Ok(()), Profile::Compat, NOW);
    }
    assert_eq!(lanes.hosts(NOW).len(), KNOWN_HOSTS);
    assert_eq!(lanes.hosts(NOW + REMEMBERED).len(), 0);
}
