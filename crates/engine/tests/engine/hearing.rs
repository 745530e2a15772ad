//! What parties hear before they hear each other.

use base::clip::ClipKey;
use base::id::Leg;
use base::order::{CalleeMedia, Product};

use crate::world::{BEFORE, DIGIT, GREETING, PAUSE, WAIT, World, callback, code, frame, greeting, order};

#[test]
fn the_greeting_is_heard_before_the_wait_tone() {
    let mut world = World::new();
    world.launch(0, |number| {
        let mut order = order(number);
        order.pre_voice = Some(greeting());
        Product::Callback(order)
    });
    let a = world.phone(0, Leg::A);
    world.far.ring(a);
    world.far.answer(a);
    world.phone(0, Leg::B);
    let all = GREETING.len() + 2 * WAIT.len();
    world.until("two rounds of the wait tone", |world| world.far.phones[a].voice().len() >= all);
    let expected: Vec<_> = GREETING.iter().chain(&WAIT).chain(&WAIT).map(|first| frame(*first)).collect();
    assert_eq!(world.at(a).voice()[..all], expected);
    world.far.hang_up(a);
    assert_eq!(
        world.all_over(0),
        "dialled A, ringing A, answered A, A hears a clip, A hears RingBack, dialled B, \
         released A Normal by Caller, released B OtherPartyGone by Caller, over OtherPartyGone"
    );
}

#[test]
fn the_digits_of_a_code_are_heard_in_their_order() {
    let mut world = World::new();
    world.launch(0, code);
    let a = world.phone(0, Leg::A);
    world.far.answer(a);
    let journal = world.all_over(0);
    let once = [DIGIT + 4, DIGIT + 7, DIGIT + 1, DIGIT, PAUSE].map(frame);
    let expected: Vec<_> = [frame(BEFORE)].into_iter().chain(once.clone()).chain(once).collect();
    assert_eq!(world.at(a).voice(), expected);
    assert_eq!(
        journal,
        "dialled A, answered A, A hears Transferring, A hears a code, released A Normal by Platform, over Normal"
    );
}

/// A hears what B's network sends before the answer, as far as the order allows. Gives whether it did.
fn early_media(product: fn(u32) -> Product<ClipKey>, failure: Option<u8>) -> bool {
    let mut world = World::new();
    world.launch(0, product);
    let a = world.phone(0, Leg::A);
    world.far.answer(a);
    let b = world.phone(0, Leg::B);
    match failure {
        Some(q850) => world.far.announce_failure(b, q850),
        None => world.far.begin_early_media(b),
    }
    // An announcement of a failure is no ringing telephone.
    world.until_fact(0, if failure.is_some() { "dialled B" } else { "ringing B" });
    let before = world.at(a).voice().len();
    for more in 1..=10 {
        world.at(b).say(&frame(0x77));
        world.until("A hears something more", |world| world.far.phones[a].voice().len() >= before + more);
    }
    let heard = world.at(a).tune().contains(&0x77);
    world.far.reject(b, 480);
    assert!(world.all_over(0).contains("A hears early media") == heard);
    let cause = if failure.is_some() { "released B Busy by Callee" } else { "released B NoAnswer by Callee" };
    assert!(world.facts(0).len() > 5 && world.over(0).contains(cause));
    heard
}

#[test]
fn early_media_is_heard_where_the_order_allows_all_of_it() {
    assert!(early_media(callback, None));
    assert!(early_media(callback, Some(17)));
}

#[test]
fn early_media_is_withheld_where_the_order_allows_none() {
    let nothing = |number| {
        let mut order = order(number);
        order.callee_media = CalleeMedia::Nothing;
        Product::Callback(order)
    };
    assert!(!early_media(nothing, None));
    assert!(!early_media(nothing, Some(17)));
}

#[test]
fn only_a_failure_is_heard_where_the_order_allows_no_more() {
    let failure_only = |number| {
        let mut order = order(number);
        order.callee_media = CalleeMedia::FailureOnly;
        Product::Callback(order)
    };
    assert!(!early_media(failure_only, None));
    assert!(early_media(failure_only, Some(17)));
}
