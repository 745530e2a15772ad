//! Two parties that hear each other.

use std::sync::atomic::Ordering;
use std::time::Duration;

use base::clip::{ClipKey, SystemClip};
use base::id::Leg;
use base::order::{Ears, Longest, Product};
use sip::sdp::{AudioDescription, Direction};

use crate::world::{BEFORE, World, callback, frame, order};

#[test]
fn parties_hear_each_other_bit_by_bit() {
    let mut world = World::new();
    let (a, b) = world.bridged(0);
    let before = world.at(a).voice().len();
    for first in 0..50 {
        world.at(a).say(&frame(first));
        world.at(b).say(&frame(100 + first));
    }
    world.until("all is heard", |world| {
        world.far.phones[a].voice().len() >= before + 50 && world.far.phones[b].voice().len() >= 50
    });
    let said = |from: u8| (from..from + 50).map(frame).collect::<Vec<_>>();
    assert_eq!(world.at(b).voice(), said(0));
    assert_eq!(world.at(a).voice()[before..], said(100));
    world.far.hang_up(a);
    assert_eq!(
        world.all_over(0),
        "dialled A, answered A, A hears RingBack, dialled B, answered B, bridged, \
         released A Normal by Caller, released B Normal by Caller, over Normal"
    );
}

/// From twenty legs on packets wait for each other; none may get lost for that.
#[test]
fn many_calls_at_once_lose_no_packet() {
    let mut world = World::new();
    let calls: Vec<_> = (0..20).map(|number| world.bridged(number)).collect();
    let before: Vec<_> = (0..40).map(|phone| world.at(phone).voice().len()).collect();
    for round in 0..50 {
        for phone in 0..40 {
            world.at(phone).say(&frame(round));
        }
        world.far.pump();
    }
    let said = (0..50).map(frame).collect::<Vec<_>>();
    for (a, b) in &calls {
        for phone in [*a, *b] {
            let heard = before[phone] + 50;
            world.until("all is heard", |world| world.far.phones[phone].voice().len() >= heard);
            assert!(world.at(phone).voice().ends_with(&said.iter().map(Vec::as_slice).collect::<Vec<_>>()));
        }
    }
    for (number, (a, _)) in calls.into_iter().enumerate() {
        world.far.hang_up(a);
        world.over(number as u32);
    }
    assert_eq!((world.engine().live(), world.ports.taken()), (0, 0), "capacity is given back");
}

#[test]
fn parties_behind_nat_hear_each_other() {
    let mut world = World::behind_nat();
    let (a, b) = world.bridged(0);
    for first in 0..5 {
        world.at(a).say(&frame(first));
        world.at(b).say(&frame(100 + first));
    }
    world.until("it is heard", |world| {
        let heard = |phone: usize, first| world.far.phones[phone].voice().contains(&&frame(first)[..]);
        heard(a, 104) && heard(b, 4)
    });
    world.far.hang_up(b);
    world.all_over(0);
}

#[test]
fn an_answer_without_a_session_means_the_one_that_was_said_early() {
    let mut world = World::new();
    world.launch(0, callback);
    let a = world.phone(0, Leg::A);
    world.far.begin_early_media(a);
    world.until_fact(0, "ringing A");
    world.far.answer_as_said_early(a);
    let b = world.phone(0, Leg::B);
    world.far.answer(b);
    world.until_fact(0, "bridged");
    world.at(b).say(&frame(0x77));
    world.until("it is heard", |world| world.far.phones[a].tune().contains(&0x77));
    world.far.hang_up(a);
    world.all_over(0);
}

#[test]
fn the_last_minute_is_announced_to_both() {
    let mut world = World::new();
    world.launch(0, |number| {
        let mut order = order(number);
        let last_minute = ClipKey::System(SystemClip::LastMinute);
        order.longest = Some(Longest { talk: Duration::from_secs(60), last_minute, ears: Ears::Both });
        Product::Callback(order)
    });
    let a = world.phone(0, Leg::A);
    world.far.answer(a);
    let b = world.phone(0, Leg::B);
    world.far.answer(b);
    world.until("both hear it", |world| {
        let hears = |phone: usize| world.far.phones[phone].tune().contains(&BEFORE);
        hears(a) && hears(b)
    });
    world.far.hang_up(a);
    let journal = world.all_over(0);
    assert!(journal.contains("bridged, A hears LastMinute, B hears LastMinute, released A"), "{journal}");
}

#[test]
fn calls_of_every_shard_are_carried() {
    let mut world = World::with_shards(2);
    let parties: Vec<_> = (0..6).map(|number| world.bridged(number)).collect();
    assert_eq!(world.engine().live(), 6);
    for (number, (a, b)) in parties.iter().enumerate() {
        world.at(*a).say(&frame(number as u8));
        world.until("it is heard", |world| world.far.phones[*b].voice().len() == 1);
        assert_eq!(world.at(*b).voice(), [frame(number as u8)]);
    }
    for (number, (_, b)) in parties.into_iter().enumerate() {
        world.far.hang_up(b);
        assert!(world.over(number as u32).ends_with("released A Normal by Callee, over Normal"));
    }
    assert_eq!((world.engine().live(), world.ports.taken()), (0, 0));
}

#[test]
fn a_key_becomes_one_fact_whichever_way_it_comes() {
    let mut world = World::new();
    let (a, b) = world.bridged(0);
    world.at(a).press('4');
    world.until("the first key", |world| world.keys(0, Leg::A) == "4");
    world.at(a).press('4');
    world.far.inform(b, '#');
    world.until("all keys", |world| world.keys(0, Leg::A) == "44" && world.keys(0, Leg::B) == "#");
    world.far.hang_up(a);
    world.all_over(0);
    assert_eq!((world.keys(0, Leg::A), world.keys(0, Leg::B)), ("44".to_owned(), "#".to_owned()));
}

#[test]
fn a_party_that_holds_hears_nothing_until_it_resumes() {
    let mut world = World::new();
    let (a, b) = world.bridged(0);
    world.far.offer(a, Direction::SendOnly);
    world.until("the hold is answered", |world| world.far.phones[a].answers.len() == 1);
    let answer = AudioDescription::read(&world.at(a).answers[0]).unwrap();
    assert_eq!(answer.direction, Direction::RecvOnly);
    let before = world.at(a).voice().len();
    world.at(b).say(&frame(1));
    world.at(b).press('1');
    world.until("the key after the voice", |world| world.keys(0, Leg::B) == "1");
    world.at(a).say(&frame(2));
    world.until("the holding party is heard", |world| world.far.phones[b].voice().len() == 1);
    assert_eq!(world.at(a).voice().len(), before);
    world.far.offer(a, Direction::SendRecv);
    world.until("the hold is over", |world| world.far.phones[a].answers.len() == 2);
    world.at(b).say(&frame(3));
    world.until("it is heard", |world| world.far.phones[a].voice().len() > before);
    assert_eq!(world.at(a).voice()[before..], [frame(3)]);
    world.far.hang_up(b);
    world.all_over(0);
}

#[test]
fn a_telephone_that_refuses_packets_for_a_while_hears_what_comes_after() {
    let mut world = World::new();
    let (a, b) = world.bridged(0);
    let closed = world.at(b).goes_deaf();
    for first in 0..20 {
        world.at(a).say(&frame(first));
    }
    world.at(a).press('1');
    world.until("all packets were sent", |world| world.keys(0, Leg::A) == "1");
    world.at(b).hears_again(closed);
    // The error of the last packet may still take one with it.
    world.at(a).say(&frame(50));
    world.at(a).say(&frame(51));
    world.until("it is heard", |world| world.far.phones[b].voice().contains(&&frame(51)[..]));
    world.far.hang_up(a);
    world.all_over(0);
}

#[test]
fn a_relayed_packet_allocates_nothing() {
    let mut world = World::new();
    let (a, b) = world.bridged(0);
    world.at(a).press('1');
    world.until("the first key", |world| world.keys(0, Leg::A) == "1");
    let before = world.allocated[1].load(Ordering::Acquire);
    for said in 1..=50 {
        for first in 0..20 {
            world.at(a).say(&frame(first));
        }
        world.until("it is heard", |world| world.far.phones[b].voice().len() == said * 20);
    }
    world.at(a).press('2');
    world.until("the second key", |world| world.keys(0, Leg::A) == "12");
    let after = world.allocated[0].load(Ordering::Acquire);
    assert!(before > 0, "the counter counts");
    assert_eq!(after - before, 0, "allocations while a thousand packets and a key passed");
}
