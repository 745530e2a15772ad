//! Notices, and calls whose words are spoken before anybody is dialled.

use std::time::Duration;

use base::fact::Fact;
use base::id::Leg;
use huihu_engine::Speech;

use crate::world::{GREETING, WORDS, World, callback, notice};

#[test]
fn a_notice_is_heard_and_its_keys_are_told() {
    let mut world = World::new();
    let launch = world.spoken(0, notice, Speech::Took(Duration::from_millis(250)));
    world.launch_as(0, launch);
    let a = world.phone(0, Leg::A);
    world.far.answer(a);
    world.until("the second item", |world| world.far.phones[a].tune().contains(&WORDS[0]));
    assert!(world.at(a).tune().starts_with(&GREETING));
    world.at(a).press('1');
    world.until("it is said again", |world| {
        world.facts(0).iter().filter(|fact| matches!(fact, Fact::ClipStarted { .. })).count() == 3
    });
    world.at(a).press('2');
    assert_eq!(
        world.all_over(0),
        "spoken, dialled A, answered A, A hears a clip, A hears words, A pressed a key, A answered 1, \
         A hears words, A pressed a key, A answered 2, released A Normal by Platform, over Normal"
    );
}

#[test]
fn what_could_not_be_spoken_dials_nobody() {
    let mut world = World::new();
    let launch = world.spoken(0, notice, Speech::Failed);
    world.launch_as(0, launch);
    assert_eq!(world.all_over(0), "over SpeechFault");
    let launch = world.spoken(1, callback, Speech::Failed);
    world.launch_as(1, launch);
    assert_eq!(world.all_over(1), "over SpeechFault");
}

#[test]
fn a_clip_that_is_not_there_ends_the_call() {
    let mut world = World::new();
    let launch = world.without_clips(0, notice);
    world.launch_as(0, launch);
    let a = world.phone(0, Leg::A);
    world.far.answer(a);
    assert_eq!(
        world.all_over(0),
        "dialled A, answered A, released A ClipMissing by Platform, over ClipMissing"
    );
}
