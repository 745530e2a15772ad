//! A server that is asked to end while it has calls.

use std::time::Duration;

use huihu_tests::operator::Operator;
use huihu_tests::wait;
use serde_json::{Value, json};

use crate::script::wait_for;
use crate::stage::{Stage, first};

/// Asks the server to end, waits until it is about to, and asserts that it takes no orders any more.
fn ask_to_end(stage: &Stage) {
    let operator = Operator::of(&stage.installation, &stage.server);
    stage.server.ask_to_end();
    wait::until("the server to say so", Duration::from_secs(10), || {
        let health = operator.does("GET", "/health", &Value::Null);
        (health["held_back"]["by"] == "ending").then(|| assert_eq!(health["serving"], false))
    });
    let refused = stage.customer.verify(&first(1, "0001"), "12", &json!({}));
    assert_eq!((refused.code(), refused.headers["connection"].as_str()), ("1010010", "close"));
}

#[test]
fn a_server_that_is_asked_to_end_takes_no_calls_and_finishes_those_it_has() {
    let stage = Stage::for_legs(1);
    let placed = stage.verify(&first(0, "0001"));
    wait_for(&stage, &placed, "answer A");
    ask_to_end(&stage);
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
fn a_server_that_is_asked_twice_ends_its_calls_and_tells_everybody() {
    let stage = Stage::for_legs(1);
    let placed = stage.verify(&first(0, "0180"));
    wait_for(&stage, &placed, "alerting A");
    ask_to_end(&stage);
    stage.server.ask_to_end();
    assert!(stage.server.ended().success());
    assert_eq!(stage.receiver.events(&placed.session), ["callout", "alerting", "disconnect"]);
    assert_eq!(stage.receiver.state_code(&placed.session), 8020);
    assert_eq!(stage.receiver.fee(&placed.session)["ulFailReason"], 8020);
    let trace = stage.trunk.succeeds();
    assert_eq!(trace.story(&placed.a), ">INVITE <180 >CANCEL <200 <487 >ACK");
    assert_eq!(stage.installation.records(10).len(), 1);
}

#[test]
fn calls_that_go_on_for_too_long_are_ended() {
    let stage = Stage::furnished(1, |installation| installation.configure("[limits]\ndrain_secs = 0\n"));
    let placed = stage.verify(&first(0, "0180"));
    wait_for(&stage, &placed, "alerting A");
    stage.server.ask_to_end();
    assert!(stage.server.ended().success());
    assert_eq!(stage.receiver.state_code(&placed.session), 8020);
}
