//! What comes before the answer: whose early media is heard and for how long, what networks announce, and where they
//! send a call.

use std::time::{Duration, Instant};

use base::id::Leg;
use base::order::{CalleeMedia, Product};
use base::release::Cause;
use huihu_engine::Trunk;
use huihu_engine::answering::{Announced, Answering};
use media::announcement::{Announcements, Reference};
use media::g711::Law;

use crate::world::{WAIT, World, callback, frame, order};

/// A callback whose second telephone was dialled; its first and its second.
fn b_is_dialled(world: &mut World) -> (usize, usize) {
    world.launch(0, callback);
    let a = world.phone(0, Leg::A);
    world.far.answer(a);
    (a, world.phone(0, Leg::B))
}

/// Waits until A hears the wait voice, whatever it has heard before.
fn a_waits(world: &mut World, a: usize) {
    world.at(a).heard.clear();
    let round = WAIT.map(frame);
    world.until("the wait voice", |world| {
        world.far.phones[a].voice().windows(round.len()).any(|heard| heard == round)
    });
}

/// Lets one telephone say a frame until the other one has heard it.
#[track_caller]
fn is_heard_by(world: &mut World, says: usize, hears: usize, first: u8) {
    let began = Instant::now();
    while !world.at(hears).tune().contains(&first) {
        assert!(began.elapsed() < Duration::from_secs(10), "{first} is never heard");
        world.at(says).say(&frame(first));
        world.far.pump();
    }
}

#[test]
fn a_waits_with_its_own_tone_while_bs_network_is_silent() {
    let answering = Answering { early_silence: Duration::from_millis(400), ..Answering::default() };
    let mut world = World::answering(answering);
    let (a, b) = b_is_dialled(&mut world);
    world.far.ring(b);
    a_waits(&mut world, a);
    world.far.begin_early_media(b);
    world.until_fact(0, "A hears early media");
    // A session description alone is no sound.
    a_waits(&mut world, a);
    is_heard_by(&mut world, b, a, 0x61);
    a_waits(&mut world, a);
    world.far.answer(b);
    world.until_fact(0, "bridged");
    world.far.hang_up(a);
    let journal = world.all_over(0);
    assert!(
        journal.contains("A hears early media, A hears RingBack, A hears early media, A hears RingBack"),
        "{journal}"
    );
}

#[test]
fn nobody_hears_what_the_network_does_not_allow() {
    let mut world = World::new();
    let (a, b) = b_is_dialled(&mut world);
    world.far.begin_early_media_that_is(b, "inactive");
    world.far.ring(b);
    world.until_fact(0, "ringing B");
    world.at(b).say(&frame(0x62));
    a_waits(&mut world, a);
    assert!(!world.at(a).tune().contains(&0x62));
    world.far.begin_early_media_that_is(b, "sendonly");
    world.until_fact(0, "A hears early media");
    is_heard_by(&mut world, b, a, 0x63);
    world.far.begin_early_media_that_is(b, "inactive");
    a_waits(&mut world, a);
    world.far.hang_up(a);
    world.all_over(0);
}

#[test]
fn of_two_branches_the_one_that_the_network_allows_is_heard() {
    let mut world = World::new();
    let (a, b) = b_is_dialled(&mut world);
    world.far.begin_early_media_that_is(b, "sendrecv");
    world.until_fact(0, "A hears early media");
    world.far.another_branch_rings(b);
    world.far.ring(b);
    is_heard_by(&mut world, b, a, 0x64);
    world.far.answer(b);
    world.until_fact(0, "bridged");
    world.far.hang_up(a);
    world.all_over(0);
}

/// Four seconds of something like speech that is like no other.
fn announcement(seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as i16 / 4
    };
    (0..32_000).map(|_| Law::Pcma.encode(noise())).collect()
}

/// A network that announces something known, and then refuses with 480 if nobody gives up before.
fn announced(product: fn(u32) -> Product<base::clip::ClipKey>, announced: Announced) -> String {
    let reference = |(cause, seed)| Reference::new(cause, &announcement(seed)[4_000..28_000]).unwrap();
    let known = [(Cause::Busy, 1), (Cause::PoweredOff, 2), (Cause::NoSuchNumber, 3)];
    let announcements = Announcements::new(known.map(reference));
    let mut world = World::answering(Answering { announcements, announced, ..Answering::default() });
    world.launch(0, product);
    let a = world.phone(0, Leg::A);
    world.far.answer(a);
    let b = world.phone(0, Leg::B);
    world.far.begin_early_media(b);
    world.until_fact(0, "ringing B");
    for frames in announcement(2).chunks(160 * 10) {
        frames.chunks(160).for_each(|frame| world.at(b).say(frame));
        world.far.pump();
    }
    world.until_fact(0, "B's network says PoweredOff");
    if announced == Announced::WaitsOn {
        world.far.reject(b, 480);
    }
    let journal = world.all_over(0);
    assert_eq!(world.at(b).cancelled, announced == Announced::Ends);
    journal
}

#[test]
fn what_the_network_announces_is_the_cause_where_its_status_says_less() {
    assert_eq!(
        announced(callback, Announced::WaitsOn),
        "dialled A, answered A, A hears RingBack, dialled B, ringing B, A hears early media, \
         B's network says PoweredOff, released B PoweredOff by Callee, \
         released A OtherPartyGone by Callee, over PoweredOff"
    );
}

#[test]
fn an_announcement_is_a_failure_to_whoever_wants_to_hear_only_those() {
    let failure_only = |number| {
        let mut order = order(number);
        order.callee_media = CalleeMedia::FailureOnly;
        Product::Callback(order)
    };
    let journal = announced(failure_only, Announced::WaitsOn);
    assert!(journal.contains("B's network says PoweredOff, A hears early media"), "{journal}");
}

#[test]
fn a_hopeless_wait_is_ended_where_that_is_wanted() {
    let journal = announced(callback, Announced::Ends);
    assert!(journal.contains("says PoweredOff, released B PoweredOff by Callee, released A"), "{journal}");
}

/// A trunk that sends a call elsewhere, to a target at this host. Gives the journal, and whether we followed.
fn redirected(redirects: u8, host: &str) -> (String, bool) {
    let mut world = World::new();
    let trunk = Trunk { redirects, ..Trunk::new("trunk", world.far.address()) };
    world = world.with_trunks(vec![trunk]);
    world.launch(0, callback);
    let a = world.phone(0, Leg::A);
    let host = host.replace("HERE", &world.far.address().to_string());
    world.far.redirect(a, &format!("sip:elsewhere@{host}"));
    let follows = |world: &World| world.far.phones.iter().position(|phone| phone.dialled == "elsewhere");
    world.until("what follows", |world| {
        follows(world).is_some()
            || world.facts(0).iter().any(|fact| matches!(fact, base::fact::Fact::Over(_)))
    });
    let followed = follows(&world);
    if let Some(a) = followed {
        world.far.answer(a);
        world.until_fact(0, "answered A");
        world.far.hang_up(a);
        world.phone(0, Leg::B);
    }
    (world.all_over(0), followed.is_some())
}

#[test]
fn a_call_goes_where_its_trunk_sends_it_if_it_may_and_nowhere_else() {
    let (journal, followed) = redirected(2, "HERE");
    assert!(followed && journal.starts_with("dialled A, redirected A by 302, answered A"), "{journal}");
    for (redirects, host) in [(0, "HERE"), (2, "203.0.113.7"), (2, "premium.example"), (5, "[::1]")] {
        let (journal, followed) = redirected(redirects, host);
        assert!(!followed, "{host}");
        assert_eq!(journal, "dialled A, released A TrunkFault by Caller, over TrunkFault", "{host}");
    }
}
