//! Legs that a dead process left, and the engine of the next process.

use std::net::UdpSocket;
use std::time::Duration;

use base::fact::Dialog;
use base::id::Leg;
use huihu_engine::Orphan;
use sip::digest::Credentials;
use sip::message::{Message, Method};

use crate::world::{World, call, callback};

/// Ends the engine without a word to the far end, and lets the next one release a leg.
fn crash_and_release(world: &mut World, leg: Leg, dialog: Option<Dialog>) {
    world.engine = None;
    world.start();
    world.engine().release(Orphan { call: call(0, callback(0)), leg, dialog, dialled: Vec::new() }).unwrap();
}

#[test]
fn a_leg_of_which_only_the_call_is_known_is_cancelled() {
    for rang in [false, true] {
        let mut world = World::new();
        world.launch(0, callback);
        let a = world.phone(0, Leg::A);
        if rang {
            world.far.ring(a);
        }
        crash_and_release(&mut world, Leg::A, None);
        world.until("the CANCEL", |world| world.far.phones[a].cancelled);
        world.until("the end of the INVITE", |world| !world.far.phones[a].is_open());
        assert_eq!(world.at(a).reason.as_ref().and_then(sip::Reason::q850_cause), Some(41));
    }
}

#[test]
fn a_leg_that_rang_is_cancelled() {
    let mut world = World::with_shards(2);
    world.launch(1, callback);
    let a = world.phone(1, Leg::A);
    world.far.ring(a);
    world.until_fact(1, "ringing A");
    let dialog = world.dialog(1, Leg::A);
    assert!(dialog.is_some());
    world.engine = None;
    world.start();
    world
        .engine()
        .release(Orphan { call: call(1, callback(1)), leg: Leg::A, dialog, dialled: Vec::new() })
        .unwrap();
    world.until("its end", |world| !world.far.phones[a].is_open());
}

#[test]
fn a_leg_that_was_answered_is_hung_up() {
    let mut world = World::new();
    let (a, b) = world.bridged(0);
    for (leg, phone) in [(Leg::A, a), (Leg::B, b)] {
        let dialog = world.dialog(0, leg);
        assert!(dialog.is_some());
        crash_and_release(&mut world, leg, dialog);
        world.until("the BYE", |world| world.far.phones[phone].ended == Some(true));
    }
}

#[test]
fn a_dialog_that_cannot_be_read_is_as_good_as_none() {
    let mut world = World::new();
    world.launch(0, callback);
    let a = world.phone(0, Leg::A);
    crash_and_release(&mut world, Leg::A, Some(Dialog("{".into())));
    world.until("the CANCEL", |world| world.far.phones[a].cancelled);
}

#[test]
fn a_leg_that_was_never_dialled_is_released_in_vain() {
    let mut world = World::new();
    crash_and_release(&mut world, Leg::B, None);
    world.bridged(1);
    assert_eq!(world.far.phones.len(), 2);
}

#[test]
fn an_invite_that_was_sent_again_with_credentials_is_cancelled_too() {
    let mut world = World::new();
    let trunk = UdpSocket::bind("127.0.0.1:0").unwrap();
    trunk.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    world.settings.trunks[0].peers = vec![trunk.local_addr().unwrap().into()];
    world.settings.trunks[0].credentials = Some(Credentials::new("us".to_owned(), "secret".to_owned()));
    crash_and_release(&mut world, Leg::A, None);
    let mut cancelled = Vec::new();
    let mut buffer = [0; 2_048];
    while cancelled.len() < 2 {
        let (length, _) = trunk.recv_from(&mut buffer).unwrap();
        let cancel = Message::parse(&buffer[..length]).unwrap();
        assert_eq!(cancel.method(), Method::Cancel);
        let branch = String::from_utf8_lossy(cancel.via().branch().unwrap()).into_owned();
        if !cancelled.contains(&(branch.clone(), cancel.cseq())) {
            cancelled.push((branch, cancel.cseq()));
        }
    }
    let first = cancelled[0].0.clone();
    assert_eq!(cancelled, [(first.clone(), 1), (format!("{first}-2"), 2)]);
}
