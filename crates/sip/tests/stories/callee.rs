//! Taking calls from far ends that do what carriers do.

use huihu_sip::{LegKey, Reason, Ring};

use crate::far::{Far, SDP};

const LEG: LegKey = LegKey(LegKey::INCOMING);

/// A request of the caller; `branch` and `cseq` say which one.
fn ask(far: &mut Far, method: &str, (branch, cseq): (&str, u32), headers: &str, body: &str) {
    let to = if far.count("SIP/2.0 1") > 0 { far.header("SIP/2.0", "To") } else { "<sip:a@10.0.0.1>".into() };
    let to = if method == "CANCEL" || method == "INVITE" { "<sip:a@10.0.0.1>".into() } else { to };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    far.says(format!(
        "{method} sip:a@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK{branch};rport\r\n\
         Record-Route: <sip:10.0.0.2;lr>\r\nFrom: \"B\" <sip:b@10.0.0.2>;tag=far\r\nTo: {to}\r\nCall-ID: c7\r\n\
         CSeq: {cseq} {method}\r\nContact: <sip:b@10.0.0.2:5061>\r\n{headers}{kind}\r\n{body}"
    ));
}

fn called(headers: &str) -> Far {
    let mut far = Far::with(|settings| settings.accept_calls = true);
    ask(&mut far, "INVITE", ("i", 7), headers, SDP);
    far
}

fn ring(far: &mut Far, status: u16, sdp: bool) {
    let ring = Ring { status, sdp: sdp.then(|| SDP.into()), reliably: true };
    far.act(|near, now, out| near.ring(LEG, ring, now, out));
}

fn answer(far: &mut Far) {
    far.act(|near, now, out| near.answer(LEG, SDP.as_bytes(), now, out));
}

#[test]
fn a_call_comes_in_and_is_answered() {
    let mut far = called("");
    let Some((_, huihu_sip::Event::Invited(invited))) = far.told.first() else { panic!("no call") };
    assert_eq!(invited.from, "sip:b@10.0.0.2");
    assert_eq!(invited.request_uri, "sip:a@10.0.0.1");
    assert_eq!((invited.call_id.as_str(), invited.reliable), ("c7", false));
    ring(&mut far, 180, false);
    answer(&mut far);
    for status in ["SIP/2.0 180", "SIP/2.0 200"] {
        assert_eq!(far.header(status, "Record-Route"), "<sip:10.0.0.2;lr>");
        assert_eq!(far.header(status, "To"), far.header("SIP/2.0 200", "To"), "one tag");
    }
    assert_eq!(
        far.header("SIP/2.0 200", "Via"),
        "SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKi;rport=5060;received=10.0.0.2"
    );
    ask(&mut far, "ACK", ("a", 7), "", "");
    far.act(|near, now, out| near.hang_up(LEG, None, now, out));
    assert!(far.last("BYE").starts_with("BYE sip:b@10.0.0.2:5061 "));
    assert_eq!(far.header("BYE", "Route"), "<sip:10.0.0.2;lr>");
    assert_eq!(far.header("BYE", "To"), "<sip:b@10.0.0.2>;tag=far");
    assert_eq!(far.story(), "Invited sdp, Acked");
}

#[test]
fn the_answer_is_repeated_until_its_ack_and_then_given_up() {
    let mut far = called("");
    answer(&mut far);
    ask(&mut far, "INVITE", ("i", 7), "", SDP);
    far.wait(1_600);
    assert_eq!(far.count("SIP/2.0 200"), 3, "at 0, 500 and 1500 ms, and not for the repeated INVITE");
    far.wait(30_500);
    assert_eq!(far.story(), "Invited sdp, AckMissing");
    assert_eq!(far.count("BYE"), 1);
    far.replies("BYE", crate::far::Reply::new(200));
    far.run_out();
    assert_eq!(far.story(), "Invited sdp, AckMissing, Ended by us");
}

#[test]
fn a_hang_up_waits_for_the_ack() {
    let mut far = called("");
    answer(&mut far);
    far.act(|near, now, out| near.hang_up(LEG, Some(Reason::q850(16)), now, out));
    assert_eq!(far.count("BYE"), 0);
    ask(&mut far, "ACK", ("i", 7), "", "");
    assert_eq!(far.header("BYE", "Reason"), "Q.850;cause=16");
}

#[test]
fn reliable_provisionals_go_one_by_one_and_hold_the_answer() {
    let mut far = called("Supported: 100rel\r\n");
    ring(&mut far, 183, true);
    ring(&mut far, 180, false);
    answer(&mut far);
    let rseq: u32 = far.header("SIP/2.0 183", "RSeq").parse().unwrap();
    assert_eq!(far.header("SIP/2.0 183", "Require"), "100rel");
    far.wait(600);
    assert_eq!(far.wire(), "100 183 183");
    ask(&mut far, "PRACK", ("p", 8), &format!("RAck: {} 7 INVITE\r\n", rseq + 1), "");
    assert!(far.last("SIP/2.0").starts_with("SIP/2.0 481"));
    ask(&mut far, "PRACK", ("q", 9), &format!("RAck: {rseq} 7 INVITE\r\n"), "");
    assert_eq!(far.wire(), "100 183 183 481 200 200", "the answer overtakes what waited");
    assert!(far.header("SIP/2.0 200", "CSeq").ends_with("INVITE"));
}

#[test]
fn a_second_reliable_provisional_counts_up() {
    let mut far = called("Require: 100rel\r\n");
    ring(&mut far, 183, true);
    ring(&mut far, 180, false);
    let rseq: u32 = far.header("SIP/2.0 183", "RSeq").parse().unwrap();
    ask(&mut far, "PRACK", ("p", 8), &format!("RAck: {rseq} 7 INVITE\r\n"), "");
    assert_eq!(far.header("SIP/2.0 180", "RSeq"), (rseq + 1).to_string());
}

#[test]
fn without_a_prack_the_call_is_refused_after_64_t1() {
    let mut far = called("Supported: 100rel\r\n");
    ring(&mut far, 183, true);
    far.wait(33_000);
    assert!(far.last("SIP/2.0").starts_with("SIP/2.0 504"));
    assert_eq!(far.story(), "Invited sdp, Fault PrackMissing, Failed 504 local");
    ask(&mut far, "ACK", ("i", 7), "", "");
    far.run_out();
}

#[test]
fn a_caller_without_100rel_gets_plain_provisionals() {
    let mut far = called("");
    ring(&mut far, 183, true);
    assert_eq!(far.header("SIP/2.0 183", "RSeq"), "");
}

#[test]
fn a_cancel_is_answered_and_ends_the_call() {
    let mut far = called("");
    ring(&mut far, 180, false);
    ask(&mut far, "CANCEL", ("i", 7), "Reason: SIP;cause=200\r\n", "");
    assert_eq!(far.wire(), "100 180 200 487");
    assert_eq!(far.story(), "Invited sdp, Cancelled SIP=200, Failed 487 SIP=200");
    ask(&mut far, "ACK", ("i", 7), "", "");
    ask(&mut far, "CANCEL", ("i", 7), "", "");
    far.run_out();
}

#[test]
fn a_refusal_carries_its_reason_and_is_repeated_until_the_ack() {
    let mut far = called("");
    far.act(|near, now, out| near.reject(LEG, 486, Some(&Reason::q850(17)), now, out));
    assert_eq!(far.header("SIP/2.0 486", "Reason"), "Q.850;cause=17");
    far.wait(600);
    assert_eq!(far.wire(), "100 486 486");
    ask(&mut far, "ACK", ("i", 7), "", "");
    far.wait(2_000);
    assert_eq!(far.wire(), "100 486 486");
    far.run_out();
    assert_eq!(far.story(), "Invited sdp, Failed 486 local");
}

#[test]
fn a_bye_that_overtakes_the_ack_ends_the_call() {
    let mut far = called("");
    answer(&mut far);
    ask(&mut far, "BYE", ("b", 8), "", "");
    ask(&mut far, "ACK", ("a", 7), "", "");
    assert_eq!(far.story(), "Invited sdp, Ended by peer");
    far.run_out();
    assert_eq!(far.wire(), "100 200 200");
}

#[test]
fn the_same_call_by_another_way_is_a_loop() {
    let mut far = called("");
    ask(&mut far, "INVITE", ("other", 7), "", SDP);
    assert!(far.last("SIP/2.0").starts_with("SIP/2.0 482"));
    assert_eq!(far.told.len(), 1);
}

#[test]
fn a_malformed_invite_and_an_unknown_extension_are_refused() {
    let mut far = Far::with(|settings| settings.accept_calls = true);
    ask(&mut far, "INVITE", ("i", 7), "Require: precondition\r\n", SDP);
    assert_eq!(far.header("SIP/2.0 420", "Unsupported"), "precondition");
    ask(&mut far, "INVITE", ("j", 8), "Max-Forwards: many\r\n", SDP);
    assert!(far.last("SIP/2.0").starts_with("SIP/2.0 400"));
    assert_eq!(far.told.len(), 0);
}
