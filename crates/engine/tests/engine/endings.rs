//! The ways in which a call ends.

use base::id::{AppId, Leg};
use base::time::Instant;
use plans::{Event, Plan, Todo};
use std::time::Duration;

use crate::world::{APP, World, callback, greeting, order};
use base::order::Product;

#[test]
fn a_busy_callee_releases_the_caller() {
    let mut world = World::new();
    world.launch(0, callback);
    let a = world.phone(0, Leg::A);
    world.far.answer(a);
    let b = world.phone(0, Leg::B);
    world.far.reject(b, 486);
    assert_eq!(
        world.all_over(0),
        "dialled A, answered A, A hears RingBack, dialled B, released B Busy by Callee, \
         released A OtherPartyGone by Callee, over Busy"
    );
    assert_eq!(world.at(a).ended, Some(true));
}

#[test]
fn the_callee_hangs_up() {
    let mut world = World::new();
    let (a, b) = world.bridged(0);
    world.far.hang_up(b);
    assert!(
        world.all_over(0).ends_with("released B Normal by Callee, released A Normal by Callee, over Normal")
    );
    assert_eq!(world.at(a).ended, Some(true));
    assert_eq!(world.at(a).reason.as_ref().and_then(sip::Reason::q850_cause), Some(16));
}

#[test]
fn a_stop_ends_a_call_in_every_phase() {
    let greeted = |number| {
        let mut order = order(number);
        order.pre_voice = Some(greeting());
        Product::Callback(order)
    };
    // The caller rings.
    let mut world = World::new();
    world.launch(0, callback);
    let a = world.phone(0, Leg::A);
    world.far.ring(a);
    world.until_fact(0, "ringing A");
    assert!(!world.stop(0, AppId(8)), "it is another app's call");
    assert!(world.stop(0, APP));
    assert_eq!(
        world.all_over(0),
        "dialled A, ringing A, stop asked, released A Stopped by Customer, over Stopped"
    );
    assert!(world.at(a).cancelled && !world.stop(0, APP));

    // The caller hears the greeting.
    world.launch(1, greeted);
    let a = world.phone(1, Leg::A);
    world.far.answer(a);
    world.until_fact(1, "A hears a clip");
    assert!(world.stop(1, APP));
    assert!(world.all_over(1).ends_with("stop asked, released A Stopped by Customer, over Stopped"));
    assert_eq!(world.at(a).ended, Some(true));

    // The callee rings.
    world.launch(2, callback);
    let a = world.phone(2, Leg::A);
    world.far.answer(a);
    let b = world.phone(2, Leg::B);
    world.far.ring(b);
    world.until_fact(2, "ringing B");
    assert!(world.stop(2, APP));
    let journal = world.all_over(2);
    assert!(journal.contains("released A Stopped by Customer"), "{journal}");
    assert!(journal.contains("released B Stopped by Customer"), "{journal}");
    assert!(world.at(b).cancelled && world.at(a).ended == Some(true));

    // They talk.
    let (a, b) = world.bridged(3);
    assert!(world.stop(3, APP));
    assert!(world.all_over(3).ends_with("over Stopped"));
    assert_eq!((world.at(a).ended, world.at(b).ended), (Some(true), Some(true)));
}

#[test]
fn when_we_end_the_calls_every_telephone_is_told() {
    let mut world = World::new();
    world.launch(0, callback);
    let ringing = world.phone(0, Leg::A);
    world.far.ring(ringing);
    world.until_fact(0, "ringing A");
    let (a, b) = world.bridged(1);
    world.engine().end_calls();
    assert_eq!(
        world.all_over(0),
        "dialled A, ringing A, released A Interrupted by Platform, over Interrupted"
    );
    let talk = world.all_over(1);
    assert!(
        talk.ends_with(
            "released A Interrupted by Platform, released B Interrupted by Platform, over Interrupted"
        ),
        "{talk}"
    );
    assert!(world.at(ringing).cancelled);
    assert_eq!((world.at(a).ended, world.at(b).ended), (Some(true), Some(true)));
    assert_eq!(world.engine().live(), 0);
}

/// A plan whose every deadline comes after a tenth of a second.
#[derive(Debug)]
struct Hasty {
    inner: Box<dyn Plan>,
    since: Instant,
}

const HASTE: Duration = Duration::from_millis(100);

impl Plan for Hasty {
    fn start(&mut self, now: Instant, todo: &mut Todo) {
        self.since = now;
        self.inner.start(now, todo);
    }

    fn on(&mut self, now: Instant, event: Event, todo: &mut Todo) {
        let late = matches!(event, Event::Deadline) && now >= self.since + HASTE;
        let then = if late { self.inner.deadline().unwrap_or(now) } else { now };
        self.inner.on(then, event, todo);
        self.since = now;
    }

    fn deadline(&self) -> Option<Instant> {
        self.inner.deadline().map(|_| self.since + HASTE)
    }
}

#[test]
fn a_telephone_that_rings_too_long_is_given_up() {
    let mut world = World::new();
    let launch = world.admitted(0, callback);
    let hasty = Hasty {
        inner: plans::plan_for(&crate::world::call(0, callback(0)), base::limits::RING),
        since: Instant::START,
    };
    world.launch_as(0, launch.with_plan(Box::new(hasty)));
    let a = world.phone(0, Leg::A);
    world.far.ring(a);
    assert_eq!(
        world.all_over(0),
        "dialled A, ringing A, released A RingTimeout by Platform, over RingTimeout"
    );
    assert!(world.at(a).cancelled);
}
