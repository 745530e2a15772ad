//! Keys, whichever ways they come, and what whoever is asked for them hears meanwhile.

use std::time::Duration;

use base::clip::ClipKey;
use base::fact::{Fact, KeySource};
use base::id::Leg;
use base::number::E164;
use base::order::{Choice, Menu, MenuNode, MenuTree, Product, Then};

use crate::world::{GREETING, World, code, dialled, greeting};

/// A menu in which 1, 2 and 3 lead around in a circle.
fn menu(number: u32) -> Product<ClipKey> {
    let node = |key, next| MenuNode {
        prompt: greeting(),
        choices: vec![Choice { key, then: Then::Node(next) }],
        wait: Duration::from_secs(5),
        plays: 2,
        wrong: None,
    };
    Product::Menu(Menu {
        callee: E164::parse(&dialled(number, Leg::A)).unwrap(),
        shown: E164::parse("+8675500000001").unwrap(),
        tree: MenuTree { nodes: vec![node('1', 1), node('2', 2), node('3', 0)], bye: None },
    })
}

/// A world with a telephone in a menu.
fn in_a_menu() -> (World, usize) {
    let mut world = World::new();
    world.launch(0, menu);
    let a = world.phone(0, Leg::A);
    world.far.answer(a);
    world.until_fact(0, "A hears a clip");
    world.until_confirmed(&[a]);
    (world, a)
}

/// The keys that A pressed, and how each came.
fn presses(world: &World) -> Vec<(char, KeySource)> {
    let press = |fact| match fact {
        Fact::Digit { leg: Leg::A, digit, source } => Some((*digit.expose(), source)),
        _ => None,
    };
    world.facts(0).into_iter().filter_map(press).collect()
}

#[test]
fn a_menu_is_walked_by_tones_infos_and_events() {
    let (mut world, a) = in_a_menu();
    world.at(a).hum('1');
    world.until_fact(0, "A answered 1");
    world.far.inform(a, '2');
    world.until_fact(0, "A answered 2");
    world.at(a).press('3');
    world.until_fact(0, "A answered 3");
    let (tone, info, event) = (KeySource::Tone, KeySource::Info, KeySource::Event);
    assert_eq!(presses(&world), [('1', tone), ('2', info), ('3', event)]);
    // Who sends events is not listened to for tones any more.
    world.at(a).hum('1');
    world.at(a).press('1');
    world.until("one more key", |world| world.keys(0, Leg::A).len() == 4);
    assert_eq!(presses(&world)[3], ('1', event));
    world.far.hang_up(a);
    world.all_over(0);
    assert_eq!(world.keys(0, Leg::A), "1231");
}

#[test]
fn a_telephone_that_tells_a_key_in_three_ways_presses_it_once() {
    let (mut world, a) = in_a_menu();
    for (nth, key) in ['1', '2', '3', '1'].into_iter().enumerate() {
        world.at(a).hum(key);
        world.at(a).press(key);
        world.far.inform(a, key);
        let infos = nth + 1;
        world.until("all three are heard", |world| {
            world.far.phones[a].informed == infos && world.keys(0, Leg::A).len() > nth
        });
    }
    world.far.hang_up(a);
    world.all_over(0);
    assert_eq!(world.keys(0, Leg::A), "1231");
}

#[test]
fn who_is_not_asked_for_keys_may_whistle() {
    let mut world = World::new();
    world.launch(0, code);
    let a = world.phone(0, Leg::A);
    world.far.answer(a);
    world.until_fact(0, "A hears");
    world.at(a).hum('5');
    world.at(a).press('7');
    world.until("the event after the tone", |world| !world.keys(0, Leg::A).is_empty());
    world.all_over(0);
    assert_eq!(presses(&world), [('7', KeySource::Event)]);
}

#[test]
fn a_party_that_is_waited_for_hears_silence_until_the_end() {
    let (mut world, a) = in_a_menu();
    let prompt = GREETING.len();
    world.until("a while of silence", |world| world.far.phones[a].voice().len() >= prompt + 10);
    assert!(world.at(a).voice()[prompt..].iter().all(|frame| *frame == [0xd5; 160]));
    world.at(a).press('1');
    world.until("the prompt after it", |world| world.far.phones[a].tune().ends_with(&[GREETING[2], 0xd5]));
    world.far.hang_up(a);
    world.all_over(0);
}
