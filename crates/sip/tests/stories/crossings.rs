//! Both sides act at nearly the same time, in every order that the network makes of it, and with each datagram lost
//! once. Whatever happens, nobody is left talking to nobody, each leg comes to exactly one end and nothing is left behind.

use huihu_sip::{Event, LegKey};

use crate::world::Side::{self, Callee, Caller};
use crate::world::{ANSWER, LEG, OFFER, World};

/// What one side does at the crossing.
type Move = fn(&mut World);

/// Lets `first` and `second` happen so that their messages cross in every way, and loses each datagram in turn.
fn cross(prepare: Move, first: Move, second: Move) {
    const STEPS: i64 = 8;
    const STEP_MICROS: i64 = 400;
    const LOST_MAX: usize = 16;
    for step in -STEPS..=STEPS {
        for lost in (0..LOST_MAX).map(Some).chain([None]) {
            let mut world = World::new(7);
            prepare(&mut world);
            world.net.lose_nth = lost.map(|nth| world.sent.len() + nth);
            let gap = std::time::Duration::from_micros((step * STEP_MICROS).unsigned_abs());
            let (earlier, later) = if step <= 0 { (first, second) } else { (second, first) };
            earlier(&mut world);
            world.pass(gap);
            later(&mut world);
            world.run(3_000);
            world.answer_offers();
            // Twice 64*T1 and a little: by then both sides must have found out about each other.
            world.run(70_000);
            let what =
                format!("step {step}, lost {lost:?}: {} | {}", world.story(Caller), world.story(Callee));
            let (ours, theirs) = (world.caller.load().legs, world.callee.load().legs);
            assert_eq!(ours, theirs, "somebody talks to nobody in {what}");
            world.close();
            assert_one_end_each(&world, &what);
            world.assert_empty();
        }
    }
}

/// Each leg has exactly one final event, and it is its last.
pub(crate) fn assert_one_end_each(world: &World, what: &str) {
    let mut legs: Vec<(Side, LegKey)> = world.told.iter().map(|(side, leg, _)| (*side, *leg)).collect();
    legs.sort();
    legs.dedup();
    for (side, leg) in legs {
        let events: Vec<&Event> =
            world.told.iter().filter(|told| (told.0, told.1) == (side, leg)).map(|told| &told.2).collect();
        let finals = events.iter().filter(|event| is_final(event)).count();
        assert_eq!(finals, 1, "{side:?} {leg:?} in {what}");
        assert!(events.last().is_some_and(|event| is_final(event)), "{side:?} {leg:?} in {what}");
    }
}

fn is_final(event: &Event) -> bool {
    matches!(event, Event::Failed { .. } | Event::Ended { .. })
}

fn ringing(world: &mut World) {
    world.call();
    world.run(5);
    world.ring(180, false, false);
    world.run(5);
}

fn talking(world: &mut World) {
    world.talk();
}

fn caller_hangs_up(world: &mut World) {
    world.hang_up(Caller);
}

fn callee_hangs_up(world: &mut World) {
    world.hang_up(Callee);
}

fn callee_answers(world: &mut World) {
    world.answer();
}

fn caller_offers(world: &mut World) {
    world.act(Caller, |caller, now, out| caller.offer(LEG, OFFER, now, out));
}

fn callee_offers(world: &mut World) {
    let leg = world.incoming();
    world.act(Callee, |callee, now, out| callee.offer(leg, ANSWER, now, out));
}

#[test]
fn cancel_and_answer() {
    cross(ringing, caller_hangs_up, callee_answers);
}

#[test]
fn cancel_and_refusal() {
    cross(ringing, caller_hangs_up, |world| {
        let leg = world.incoming();
        world.act(Callee, |callee, now, out| callee.reject(leg, 486, None, now, out));
    });
}

#[test]
fn bye_and_bye() {
    cross(talking, caller_hangs_up, callee_hangs_up);
}

#[test]
fn bye_and_the_acknowledgement_of_the_answer() {
    cross(
        ringing,
        |world| {
            world.answer();
            world.hang_up(Callee);
        },
        |_| {},
    );
    cross(ringing, callee_answers, |world| {
        world.run(2);
        world.hang_up(Caller);
    });
}

#[test]
fn offer_and_offer() {
    cross(talking, caller_offers, callee_offers);
}

#[test]
fn offer_and_bye() {
    cross(talking, caller_offers, callee_hangs_up);
    cross(talking, caller_hangs_up, callee_offers);
}

#[test]
fn update_and_update() {
    cross(
        talking,
        |world| world.act(Caller, |caller, now, out| caller.update(LEG, Some(OFFER), now, out)),
        |world| {
            let leg = world.incoming();
            world.act(Callee, |callee, now, out| callee.update(leg, Some(ANSWER), now, out));
        },
    );
}

#[test]
fn prack_and_answer() {
    cross(
        |world| {
            world.call();
            world.run(5);
        },
        |world| world.ring(183, true, true),
        callee_answers,
    );
}

#[test]
fn prack_and_cancel() {
    cross(
        |world| {
            world.call();
            world.run(5);
        },
        |world| world.ring(183, true, true),
        caller_hangs_up,
    );
}

#[test]
fn of_two_offers_at_once_the_callees_goes_first_and_the_callers_is_given_back() {
    let mut world = World::new(1);
    world.talk();
    caller_offers(&mut world);
    callee_offers(&mut world);
    world.run(100);
    assert_eq!(world.wire(Caller).matches("491/INVITE").count(), 1);
    assert_eq!(world.wire(Callee).matches("491/INVITE").count(), 1);
    world.run(2_000);
    assert!(world.story(Caller).ends_with("OfferRefused 491, Offer fork 0"), "{}", world.story(Caller));
    world.answer_offers();
    world.run(10);
    assert!(world.story(Callee).ends_with("OfferAnswered"), "{}", world.story(Callee));
    caller_offers(&mut world);
    world.run(10);
    world.answer_offers();
    world.run(10);
    assert!(world.story(Caller).ends_with("OfferAnswered"));
    world.close();
    world.assert_empty();
}
