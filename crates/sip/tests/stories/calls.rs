//! Calls between two endpoints on virtual time: the usual ones, and the ones where both sides speak at once.

use crate::world::Side::{Callee, Caller};
use crate::world::World;

#[test]
fn a_call_is_placed_rung_answered_and_hung_up() {
    let mut world = World::new(1);
    world.talk();
    world.hang_up(Caller);
    world.run_out();
    assert_eq!(world.story(Caller), "Trying, Early 180 fork 0, Answered fork 0 sdp, Ended by us");
    assert_eq!(world.story(Callee), "Invited sdp, Acked, Ended by peer");
    assert_eq!(world.wire(Caller), "INVITE ACK BYE");
    assert_eq!(world.wire(Callee), "100/INVITE 180/INVITE 200/INVITE 200/BYE");
    world.assert_empty();
}

#[test]
fn the_callee_may_hang_up_too() {
    let mut world = World::new(1);
    world.talk();
    world.hang_up(Callee);
    world.run_out();
    assert_eq!(world.story(Caller), "Trying, Early 180 fork 0, Answered fork 0 sdp, Ended by peer");
    assert_eq!(world.story(Callee), "Invited sdp, Acked, Ended by us");
    world.assert_empty();
}

#[test]
fn a_ringing_call_is_cancelled() {
    let mut world = World::new(1);
    world.call();
    world.run(5);
    world.ring(180, false, false);
    world.run(5);
    world.hang_up(Caller);
    world.hang_up(Caller);
    world.run_out();
    assert_eq!(world.story(Caller), "Trying, Early 180 fork 0, Failed 487");
    assert_eq!(world.story(Callee), "Invited sdp, Cancelled, Failed 487");
    assert_eq!(world.wire(Caller), "INVITE CANCEL ACK");
    world.assert_empty();
}
