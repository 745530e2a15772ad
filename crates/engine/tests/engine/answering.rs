//! Who picks up, and what is done about machines.

use std::time::Duration;

use base::answerer::OnMachine;
use base::id::Leg;
use huihu_engine::answering::Answering;
use media::g711::Law;
use media::tone::alaw_tone;

use crate::world::{GREETING, World, notice};

/// Somebody who talks without a pause for so many frames.
fn talks(world: &mut World, phone: usize, frames: u32) {
    let mut state = 7_u32;
    for nth in 0..frames {
        let samples: Vec<u8> = (0..160)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // Words are never as even as a noise.
                if nth % 8 < 6 { Law::Pcma.encode((state >> 16) as i16 / 4) } else { 0xd5 }
            })
            .collect();
        world.at(phone).say(&samples);
        if nth % 10 == 9 {
            world.far.pump();
        }
    }
}

/// A notice to somebody who talks for so many frames once they have picked up.
fn notice_to(machine: OnMachine, frames: u32) -> (World, usize) {
    let mut world = World::answering(Answering { machine, ..Answering::default() });
    world.launch(0, notice);
    let a = world.phone(0, Leg::A);
    world.far.answer(a);
    world.until_fact(0, "answered A");
    talks(&mut world, a, frames);
    (world, a)
}

#[test]
fn a_machine_is_noted_and_heard_out_where_nothing_else_is_wanted() {
    let (mut world, a) = notice_to(OnMachine::Note, 150);
    world.until_fact(0, "A is Machine");
    world.far.hang_up(a);
    let journal = world.all_over(0);
    assert!(journal.ends_with("A is Machine, released A Normal by Caller, over Normal"), "{journal}");
}

#[test]
fn a_machine_is_hung_up_on_where_that_is_wanted() {
    let (mut world, _) = notice_to(OnMachine::HangUp, 150);
    let journal = world.all_over(0);
    assert!(journal.ends_with("A is Machine, released A Machine by Platform, over Machine"), "{journal}");
}

#[test]
fn a_machine_hears_the_message_from_its_beginning_when_it_has_beeped() {
    let (mut world, a) = notice_to(OnMachine::LeaveMessage, 150);
    world.until_fact(0, "A is Machine");
    world.at(a).heard.clear();
    let beep = alaw_tone(1_000.0, 8_000, Duration::from_millis(400));
    beep.chunks(160).for_each(|frame| world.at(a).say(frame));
    talks(&mut world, a, 1);
    world.until_fact(0, "A is Beep");
    world.until("the message", |world| {
        world.far.phones[a].tune().windows(GREETING.len()).any(|heard| heard == GREETING)
    });
    world.far.hang_up(a);
    world.all_over(0);
}

#[test]
fn nobody_is_listened_to_who_need_not_be() {
    let (mut world, a) = notice_to(OnMachine::Off, 150);
    world.at(a).press('9');
    world.until("a key after it all", |world| world.keys(0, Leg::A) == "9");
    world.far.hang_up(a);
    assert!(!world.all_over(0).contains("A is"));
}
