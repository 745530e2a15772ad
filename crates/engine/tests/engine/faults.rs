//! What goes wrong on our side or on theirs, and stays where it went wrong.

use std::net::{Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::Ordering;

use base::id::Leg;
use base::time::Instant;
use huihu_engine::{Engine, StartFault};
use plans::{Event, Plan, Todo};

use crate::world::{NOWHERE, World, callback, frame};

/// A plan that panics at the first news of a kind.
#[derive(Debug)]
struct Fragile {
    inner: Box<dyn Plan>,
    breaks: fn(&Event) -> bool,
}

impl Plan for Fragile {
    fn start(&mut self, now: Instant, todo: &mut Todo) {
        self.inner.start(now, todo);
    }

    fn on(&mut self, now: Instant, event: Event, todo: &mut Todo) {
        assert!(!(self.breaks)(&event), "this plan breaks, as it should");
        self.inner.on(now, event, todo);
    }

    fn deadline(&self) -> Option<Instant> {
        self.inner.deadline()
    }
}

fn fragile(world: &World, number: u32, breaks: fn(&Event) -> bool) {
    let inner = plans::plan_for(&crate::world::call(number, callback(number)), base::limits::RING);
    let launch = world.admitted(number, callback).with_plan(Box::new(Fragile { inner, breaks }));
    world.launch_as(number, launch);
}

#[test]
fn a_plan_that_panics_ends_its_call_and_no_other() {
    let mut world = World::new();
    let (a, b) = world.bridged(0);
    fragile(&world, 1, |event| matches!(event, Event::Answered { leg: Leg::B }));
    fragile(&world, 2, |event| matches!(event, Event::Stop));
    let broken = world.phone(1, Leg::A);
    world.far.answer(broken);
    let callee = world.phone(1, Leg::B);
    world.far.answer(callee);
    assert_eq!(
        world.over(1),
        "dialled A, answered A, A hears RingBack, dialled B, answered B, released A OurFault by Platform, \
         released B OurFault by Platform, over OurFault"
    );
    assert_eq!((world.at(broken).ended, world.at(callee).ended), (Some(true), Some(true)));
    world.phone(2, Leg::A);
    assert!(world.stop(2, crate::world::APP), "the answer does not wait for the plan");
    assert!(world.over(2).ends_with("stop asked, released A OurFault by Platform, over OurFault"));
    world.at(a).say(&frame(9));
    world.until("the other call goes on", |world| world.far.phones[b].voice() == [&frame(9)[..]]);
    world.far.hang_up(b);
    world.all_over(0);
}

#[test]
fn letters_behind_a_panic_are_read() {
    let mut world = World::new();
    for number in 0..20 {
        fragile(&world, number, |event| matches!(event, Event::Stop));
    }
    for number in 0..20 {
        world.phone(number, Leg::A);
    }
    // All letters are in the mailbox before the first one is read, or nearly so.
    for number in 0..20 {
        world.engine().stop(crate::world::id(number), crate::world::APP, |_| {});
    }
    for number in 0..20 {
        assert!(world.over(number).ends_with("over OurFault"));
    }
    assert_eq!((world.engine().live(), world.ports.taken()), (0, 0));
}

/// A pair of ports that this test holds. Each test looks in a range of its own.
fn held_pair(from: u16) -> (u16, [UdpSocket; 2]) {
    let bind = |port| UdpSocket::bind(("127.0.0.1", port));
    let pair = |port| Some((port, [bind(port).ok()?, bind(port + 1).ok()?]));
    (from..from + 1_000).step_by(2).find_map(pair).expect("a free pair of ports")
}

#[test]
fn a_leg_without_ports_is_our_fault() {
    let (port, _held) = held_pair(30_000);
    let mut world = World::with(1, port..=port + 1);
    world.launch(0, callback);
    assert_eq!(world.all_over(0), "released A OurFault by Platform, over OurFault");
    assert!(world.far.phones.is_empty());
}

#[test]
fn a_second_leg_without_ports_releases_the_first() {
    let (port, held) = held_pair(31_000);
    let mut world = World::with(1, port..=port + 1);
    drop(held);
    world.launch(0, callback);
    let a = world.phone(0, Leg::A);
    world.far.answer(a);
    assert_eq!(
        world.all_over(0),
        "dialled A, answered A, A hears RingBack, released B OurFault by Platform, \
         released A OtherPartyGone by Platform, over OurFault"
    );
    assert_eq!(world.at(a).ended, Some(true));
}

fn answer_that_cannot_be_talked_by(sdp: &str) {
    let mut world = World::new();
    world.launch(0, callback);
    let a = world.phone(0, Leg::A);
    world.far.answer_with(a, sdp.as_bytes());
    assert_eq!(world.all_over(0), "dialled A, released A TrunkFault by Caller, over TrunkFault");
    assert!(world.at(a).acked && world.at(a).ended == Some(true));
}

#[test]
fn an_answer_that_cannot_be_talked_by_is_acknowledged_and_released() {
    let head = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n";
    for rest in [
        "c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18\r\n",
        "c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 0 RTP/AVP 8\r\n",
        "c=IN IP6 ::1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n",
    ] {
        answer_that_cannot_be_talked_by(&format!("{head}{rest}"));
    }
    answer_that_cannot_be_talked_by("nonsense");
}

#[test]
fn a_journal_without_room_loses_nothing() {
    let mut world = World::new();
    world.full.store(true, Ordering::Release);
    world.launch(0, callback);
    let a = world.phone(0, Leg::A);
    world.far.answer(a);
    let b = world.phone(0, Leg::B);
    world.far.answer(b);
    world.until("B was answered", |world| world.far.phones[b].acked);
    assert!(world.entries(0).is_empty());
    world.full.store(false, Ordering::Release);
    world.until_fact(0, "bridged");
    world.full.store(true, Ordering::Release);
    world.far.hang_up(a);
    world.until("both are gone", |world| world.far.phones[b].ended.is_some());
    world.until("the call is over", |world| world.engine().live() == 0);
    // An engine that ends offers what is left.
    let engine = world.engine.take();
    let full = std::sync::Arc::clone(&world.full);
    let ending = std::thread::spawn(move || drop(engine));
    full.store(false, Ordering::Release);
    ending.join().unwrap();
    let words = world.entries(0).len();
    assert_eq!(words, 9, "every fact from the first INVITE to the end");
}

#[test]
fn an_engine_that_is_dropped_ends_while_calls_run() {
    let mut world = World::with_shards(2);
    let (_, b) = world.bridged(0);
    world.launch(1, callback);
    world.phone(1, Leg::A);
    world.engine = None;
    assert!(world.at(b).is_open(), "a dead process hangs nobody up");
    assert_eq!(world.ports.taken(), 0);
}

#[test]
fn strangers_are_not_heard() {
    let mut world = World::new();
    let (_, b) = world.bridged(0);
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let engine = world.engine().address();
    stranger.send_to(b"BYE sip:x SIP/2.0\r\nCall-ID: 1\r\n\r\n", engine).unwrap();
    stranger.send_to(&[0xff; 1_472], engine).unwrap();
    stranger.send_to(b"", engine).unwrap();
    world.far.hang_up(b);
    assert!(world.all_over(0).ends_with("over Normal"));
}

#[test]
fn what_cannot_be_started_says_why() {
    let world = World::new();
    let start = |change: fn(&mut huihu_engine::Settings)| {
        let mut settings = world.settings.clone();
        settings.sip = vec![SocketAddr::from(([127, 0, 0, 1], 0)).into()];
        change(&mut settings);
        Engine::start(&settings, || unreachable!("no shard is made")).map(drop).unwrap_err()
    };
    let narrow = start(|settings| settings.rtp_ports = 5_001..=5_002);
    assert!(matches!(narrow, StartFault::Socket(_)), "{narrow}");
    let foreign = start(|settings| settings.sip = vec![SocketAddr::from((NOWHERE, 0)).into()]);
    assert!(matches!(foreign, StartFault::Socket(_)), "{foreign}");
    let mixed = start(|settings| settings.sip = vec![SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)).into()]);
    assert!(matches!(mixed, StartFault::Families { .. }), "{mixed}");
    let taken = Engine::start(&world.settings, || unreachable!("no shard is made")).unwrap_err();
    assert!(taken.to_string().contains("choose another --sip address"), "{taken}");
}
