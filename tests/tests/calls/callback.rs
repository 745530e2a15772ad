//! Callbacks, from the first INVITE to the fee record.

use serde_json::json;

use crate::script::{Call, play};

/// A leg that is answered and that we hang up.
const ANSWERED: &str = ">INVITE <180 <200 >ACK >BYE <200";

/// A leg that is answered and hangs up itself.
const HANGS_UP: &str = ">INVITE <180 <200 >ACK <BYE >200";

/// A leg that rings until we give it up.
const CANCELLED: &str = ">INVITE <180 >CANCEL <200 <487 >ACK";

#[test]
fn whoever_hangs_up_ends_the_conversation_for_both() {
    play(&[
        Call {
            told: "callout A, alerting A, answer A, callout B, alerting B, answer B, \
                   disconnect A 0 The user releases the call. called",
            wire_a: ANSWERED,
            wire_b: HANGS_UP,
            ..Call::callback("0001", "0002")
        },
        Call {
            told: "callout A, alerting A, answer A, callout B, alerting B, answer B, \
                   disconnect A 0 The user releases the call. calling",
            wire_a: HANGS_UP,
            wire_b: ANSWERED,
            ..Call::callback("0002", "0001")
        },
        // Early media is an alerting telephone, on either leg.
        Call {
            told: "callout A, alerting A, answer A, callout B, alerting B, answer B, \
                   disconnect A 0 The user releases the call. called",
            wire_a: ">INVITE <183 <200 >ACK >BYE <200",
            wire_b: HANGS_UP,
            ..Call::callback("0183", "0002")
        },
    ]);
}

#[test]
fn a_first_party_that_does_not_answer_is_no_callee_and_nobody_else_is_dialled() {
    play(&[
        Call {
            told: "callout A, disconnect A 8001 calling",
            fee: [519, 486, 0, 0],
            wire_a: ">INVITE <486 >ACK",
            ..Call::callback("0486", "0001")
        },
        Call {
            told: "callout A, alerting A, disconnect A 8001 calling",
            fee: [520, 480, 0, 0],
            wire_a: ">INVITE <180 <480 >ACK",
            ..Call::callback("1480", "0001")
        },
        Call {
            told: "callout A, disconnect A 8001 calling",
            fee: [519, 603, 0, 0],
            wire_a: ">INVITE <603 >ACK",
            ..Call::callback("0603", "0001")
        },
        Call {
            told: "callout A, alerting A, disconnect A 8004 calling",
            fee: [520, 603, 0, 0],
            wire_a: ">INVITE <180 <603 >ACK",
            ..Call::callback("1603", "0001")
        },
        Call {
            told: "callout A, disconnect A 8001 calling",
            fee: [519, 503, 0, 0],
            wire_a: ">INVITE <503 >ACK",
            ..Call::callback("0503", "0001")
        },
        Call {
            told: "callout A, disconnect A 8001 calling",
            fee: [519, 480, 17, 0],
            wire_a: ">INVITE <480 >ACK",
            ..Call::callback("3017", "0001")
        },
    ]);
}

#[test]
fn a_second_party_that_does_not_answer_ends_the_call_of_the_first() {
    play(&[
        Call {
            told: "callout A, alerting A, answer A, callout B, disconnect A 8102 called",
            fee: [518, 486, 0, 0],
            wire_a: ANSWERED,
            wire_b: ">INVITE <486 >ACK",
            ..Call::callback("0001", "0486")
        },
        Call {
            told: "callout A, alerting A, answer A, callout B, alerting B, disconnect A 8101 called",
            fee: [518, 480, 0, 0],
            wire_a: ANSWERED,
            wire_b: ">INVITE <180 <480 >ACK",
            ..Call::callback("0001", "1480")
        },
        Call {
            told: "callout A, alerting A, answer A, callout B, disconnect A 8105 called",
            fee: [518, 603, 0, 0],
            wire_a: ANSWERED,
            wire_b: ">INVITE <603 >ACK",
            ..Call::callback("0001", "0603")
        },
        Call {
            told: "callout A, alerting A, answer A, callout B, alerting B, disconnect A 8004 called",
            fee: [518, 603, 0, 0],
            wire_a: ANSWERED,
            wire_b: ">INVITE <180 <603 >ACK",
            ..Call::callback("0001", "1603")
        },
        Call {
            told: "callout A, alerting A, answer A, callout B, disconnect A 8001 called",
            fee: [518, 503, 0, 0],
            wire_a: ANSWERED,
            wire_b: ">INVITE <503 >ACK",
            ..Call::callback("0001", "0503")
        },
        Call {
            told: "callout A, alerting A, answer A, callout B, disconnect A 8102 called",
            fee: [518, 480, 0, 17],
            wire_a: ANSWERED,
            wire_b: ">INVITE <480 >ACK",
            ..Call::callback("0001", "3017")
        },
        Call {
            told: "callout A, alerting A, answer A, callout B, disconnect A 8104 called",
            fee: [518, 480, 0, 20],
            wire_a: ANSWERED,
            wire_b: ">INVITE <183 <480 >ACK",
            ..Call::callback("0001", "2020")
        },
    ]);
}

#[test]
fn a_first_party_that_leaves_early_takes_the_second_with_it() {
    play(&[
        Call {
            more: json!({"playPreVoice": "true"}),
            told: "callout A, alerting A, answer A, disconnect A 8009 calling",
            fee: [530, 0, 0, 0],
            wire_a: HANGS_UP,
            ..Call::callback("0002", "0001")
        },
        Call {
            told: "callout A, alerting A, answer A, callout B, disconnect A 8009 calling",
            fee: [553, 0, 0, 0],
            wire_a: HANGS_UP,
            wire_b: ">INVITE >CANCEL <200 <487 >ACK",
            ..Call::callback("0002", "0100")
        },
        Call {
            told: "callout A, alerting A, answer A, callout B, alerting B, disconnect A 8009 calling",
            fee: [552, 0, 0, 0],
            wire_a: HANGS_UP,
            wire_b: CANCELLED,
            ..Call::callback("0002", "0180")
        },
    ]);
}
