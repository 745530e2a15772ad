//! A server that is asked to end while it has calls.

use std::net::TcpStream;
use std::time::Duration;

use huihu_tests::wait;

use crate::script::wait_for;
use crate::stage::{Stage, first};

#[test]
fn a_server_that_is_asked_to_end_takes_no_calls_and_finishes_those_it_has() {
    let stage = Stage::for_legs(1);
    let placed = stage.verify(&first(0, "0001"));
    wait_for(&stage, &placed, "answer A");
    stage.server.ask_to_end();
    wait::until("the listener to close", Duration::from_secs(10), || {
        TcpStream::connect(&stage.server.http).is_err().then_some(())
    });
    let status = stage.server.ended();
    assert!(status.success(), "the server ended with {status}");

    // Nobody is left to push anything, so all of it must have come.
    let pushes = stage.receiver.of(&placed.session);
    let mut status: Vec<&str> = pushes.iter().map(|push| push.event()).collect();
    status.retain(|event| *event != "fee");
    assert_eq!(status, ["callout", "alerting", "answer", "disconnect"]);
    assert_eq!(stage.receiver.state_code(&placed.session), 0);
    assert_eq!(stage.receiver.fee(&placed.session)["ulFailReason"], 0);
    let trace = stage.trunk.succeeds();
    assert_eq!(trace.story(&placed.a), ">INVITE <180 <200 >ACK >BYE <200");
}

#[test]
fn a_server_that_is_asked_twice_leaves_its_calls_to_the_next_start() {
    let stage = Stage::for_legs(1);
    let placed = stage.verify(&first(0, "0180"));
    wait_for(&stage, &placed, "alerting A");
    stage.server.ask_to_end();
    wait::until("the listener to close", Duration::from_secs(10), || {
        TcpStream::connect(&stage.server.http).is_err().then_some(())
    });
    stage.server.ask_to_end();
    assert!(stage.server.ended().success());

    let _next = stage.installation.serve();
    assert_eq!(stage.receiver.events(&placed.session), ["callout", "alerting", "disconnect"]);
    assert_eq!(stage.receiver.state_code(&placed.session), 8020);
    assert_eq!(stage.receiver.fee(&placed.session)["ulFailReason"], 8020);
}
