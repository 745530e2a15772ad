//! Verification calls, from the dialling to the fee record.

use crate::script::{Call, play};

#[test]
fn a_code_that_was_said_is_a_call_that_went_well() {
    play(&[
        Call {
            told: "callout A, alerting A, answer A, disconnect A 0 The platform releases the call.",
            wire_a: ">INVITE <180 <200 >ACK >BYE <200",
            ..Call::verification("0001")
        },
        Call {
            told: "callout A, alerting A, answer A, disconnect A 0 The platform releases the call.",
            wire_a: ">INVITE <183 <200 >ACK >BYE <200",
            ..Call::verification("0183")
        },
        Call {
            told: "callout A, alerting A, answer A, disconnect A 0 The user releases the call.",
            wire_a: ">INVITE <180 <200 >ACK <BYE >200",
            ..Call::verification("0002")
        },
    ]);
}

#[test]
fn a_callee_that_does_not_answer_is_told_and_billed_with_its_reason() {
    let at_once = ">INVITE <480 >ACK";
    play(&[
        Call {
            told: "callout A, disconnect A 8102",
            fee: [519, 486, 0, 0],
            wire_a: ">INVITE <486 >ACK",
            ..Call::verification("0486")
        },
        Call {
            told: "callout A, disconnect A 8103",
            fee: [519, 480, 0, 0],
            wire_a: at_once,
            ..Call::verification("0480")
        },
        Call {
            told: "callout A, alerting A, disconnect A 8101",
            fee: [520, 480, 0, 0],
            wire_a: ">INVITE <180 <480 >ACK",
            ..Call::verification("1480")
        },
        Call {
            told: "callout A, disconnect A 8105",
            fee: [519, 603, 0, 0],
            wire_a: ">INVITE <603 >ACK",
            ..Call::verification("0603")
        },
        Call {
            told: "callout A, alerting A, disconnect A 8004",
            fee: [520, 603, 0, 0],
            wire_a: ">INVITE <180 <603 >ACK",
            ..Call::verification("1603")
        },
        Call {
            told: "callout A, disconnect A 8001",
            fee: [519, 503, 0, 0],
            wire_a: ">INVITE <503 >ACK",
            ..Call::verification("0503")
        },
        // An announcement of why it fails is no ringing telephone.
        Call {
            told: "callout A, disconnect A 8102",
            fee: [519, 480, 17, 0],
            wire_a: ">INVITE <183 <480 >ACK",
            ..Call::verification("2017")
        },
        // What the telephone network says wins over the gateway's status.
        Call {
            told: "callout A, disconnect A 8102",
            fee: [519, 480, 17, 0],
            wire_a: at_once,
            ..Call::verification("3017")
        },
        Call {
            told: "callout A, disconnect A 8104",
            fee: [519, 480, 20, 0],
            wire_a: at_once,
            ..Call::verification("3020")
        },
    ]);
}
