//! `callStop` in each phase of a call.

use huihu_tests::api::Customer;
use serde_json::json;

use crate::script::{Call, play, wait_for};
use crate::stage::{Stage, first, second};

const ANSWERED: &str = ">INVITE <180 <200 >ACK >BYE <200";
const CANCELLED: &str = ">INVITE <180 >CANCEL <200 <487 >ACK";

#[test]
fn a_stop_ends_a_verification_call_whatever_it_does() {
    play(&[
        Call {
            stop_after: "alerting A",
            told: "callout A, alerting A, disconnect A 8017",
            fee: [8017, 0, 0, 0],
            wire_a: CANCELLED,
            ..Call::verification("0180")
        },
        Call {
            stop_after: "answer A",
            told: "callout A, alerting A, answer A, disconnect A 8017",
            wire_a: ANSWERED,
            ..Call::verification("0001")
        },
    ]);
}

#[test]
fn a_stop_ends_a_callback_whatever_it_does() {
    play(&[
        Call {
            stop_after: "callout A",
            told: "callout A, disconnect A 8017 platform",
            fee: [8017, 0, 0, 0],
            wire_a: ">INVITE >CANCEL <200 <487 >ACK",
            ..Call::callback("0100", "0001")
        },
        Call {
            stop_after: "alerting A",
            told: "callout A, alerting A, disconnect A 8017 platform",
            fee: [8017, 0, 0, 0],
            wire_a: CANCELLED,
            ..Call::callback("0180", "0001")
        },
        Call {
            more: json!({"playPreVoice": "true"}),
            stop_after: "answer A",
            told: "callout A, alerting A, answer A, disconnect A 8017 platform",
            fee: [8017, 0, 0, 0],
            wire_a: ANSWERED,
            ..Call::callback("0001", "0001")
        },
        Call {
            stop_after: "alerting B",
            told: "callout A, alerting A, answer A, callout B, alerting B, disconnect A 8017 platform",
            fee: [8017, 0, 0, 0],
            wire_a: ANSWERED,
            wire_b: CANCELLED,
            ..Call::callback("0001", "0180")
        },
        Call {
            stop_after: "answer B",
            told: "callout A, alerting A, answer A, callout B, alerting B, answer B, \
                   disconnect A 8017 platform",
            wire_a: ANSWERED,
            wire_b: ANSWERED,
            ..Call::callback("0001", "0001")
        },
    ]);
}

#[test]
fn a_call_is_stopped_by_its_own_app_only() {
    let mut stranger = None;
    let stage = Stage::furnished(1, |installation| {
        stranger = Some(installation.app("stranger", "+8675500000009", &[]));
    });
    let stranger = Customer { address: stage.customer.address.clone(), ..stranger.expect("it was created") };
    let placed = stage.callback(&first(0, "0180"), &second(0, "0001"), &json!({}));
    wait_for(&stage, &placed, "alerting A");

    let never = "1202_1_2_20260102030405@test.huihu";
    for (customer, session) in [(&stranger, placed.session.as_str()), (&stage.customer, never)] {
        let answer = customer.stop(session);
        assert_eq!((answer.status, answer.code()), (500, "1020152"), "{session}: {}", answer.body);
        assert_eq!(answer.body["resultdesc"], "Invalid sessionid.");
    }
    assert_eq!(stage.receiver.of(&placed.session).len(), 2, "it still rings");

    assert_eq!(stage.customer.stop(&placed.session).code(), "0");
    assert_eq!(stage.receiver.state_code(&placed.session), 8017);
    stage.trunk.succeeds();
}
