//! Placing calls to far ends that do what carriers do. Rows are those of the twelve defects that were seen elsewhere.

use crate::far::{Far, LEG, Reply};
use huihu_sip::{Address, Header, NextHop, Party, PeerRule, Privacy, Reason};

#[test]
fn row_1_an_ignored_prack_does_not_hold_the_answer_up() {
    let mut far = Far::calling();
    far.replies("INVITE", Reply::new(183).contact().header("Require: 100rel").header("RSeq: 1").sdp());
    assert_eq!(far.count("PRACK"), 1);
    far.wait(300);
    far.replies("INVITE", Reply::new(200).contact().sdp());
    assert_eq!(far.story(), "Trying, Early 183 fork 0 sdp, Answered fork 0 sdp");
    assert_eq!(far.count("ACK"), 1);
    far.wait(40_000);
    assert!(far.count("PRACK") > 5, "it is repeated by itself");
    far.hang_up();
    far.replies("BYE", Reply::new(200));
    far.run_out();
}

#[test]
fn row_2_a_prack_takes_the_early_contact_and_the_reversed_route() {
    let mut far = Far::calling();
    let early = Reply::new(183)
        .header("Record-Route: <sip:10.0.0.9;lr>, <sip:10.0.0.8:5070;lr>")
        .header("Contact: <sip:new@10.0.0.3:5090>")
        .header("Require: 100rel")
        .header("RSeq: 71")
        .sdp();
    far.replies("INVITE", early);
    assert!(far.last("PRACK").starts_with("PRACK sip:new@10.0.0.3:5090 SIP/2.0\r\n"));
    assert_eq!(far.header("PRACK", "Route"), "<sip:10.0.0.8:5070;lr> | <sip:10.0.0.9;lr>");
    assert_eq!(far.header("PRACK", "RAck"), "71 1 INVITE");
    assert_eq!(far.heard.last().map(|(to, _)| to.to_string()), Some("10.0.0.8:5070".into()));
}

#[test]
fn row_3_trying_and_then_silence_comes_to_an_end() {
    let mut far = Far::calling();
    far.replies("INVITE", Reply::new(100).tag(""));
    far.wait(179_000);
    assert_eq!(far.story(), "Trying");
    far.wait(1_100);
    assert_eq!(far.story(), "Trying, Failed 408 local");
    assert_eq!(far.count("CANCEL"), 1);
    far.run_out();
}

#[test]
fn row_4_endless_ringing_is_cancelled_and_fails() {
    let mut far = Far::calling();
    far.replies("INVITE", Reply::new(180));
    far.wait(181_000);
    assert_eq!(far.story(), "Trying, Early 180 fork 0, Failed 408 local");
    assert_eq!(far.header("CANCEL", "Reason"), "SIP;cause=408");
    far.replies("CANCEL", Reply::new(200));
    far.replies("INVITE", Reply::new(487));
    assert_eq!(far.count("ACK"), 1);
    far.run_out();
    assert_eq!(far.told.len(), 3, "nothing after the final event");
}

#[test]
fn row_5_a_body_without_content_length_counts() {
    let mut far = Far::calling();
    let text = far.reply_text("INVITE", &Reply::new(200).contact().sdp());
    let without: String =
        text.split_inclusive("\r\n").filter(|line| !line.starts_with("Content-Length")).collect();
    far.says(without);
    let Some((_, huihu_sip::Event::Answered { sdp: Some(sdp), .. })) = far.told.last() else {
        panic!("no answer")
    };
    assert_eq!(sdp, crate::far::SDP.as_bytes());
}

#[test]
fn row_6_a_latin_1_byte_hides_nothing() {
    let mut far = Far::calling();
    let text = far.reply_text("INVITE", &Reply::new(200).header("Server: Caf?").contact().sdp());
    let bytes: Vec<u8> = text.bytes().map(|byte| if byte == b'?' { 0xe9 } else { byte }).collect();
    far.says(bytes);
    assert_eq!(far.story(), "Answered fork 0 sdp");
    assert!(far.last("ACK").starts_with("ACK sip:b@10.0.0.2:5060 "));
}

#[test]
fn row_7_any_2xx_is_an_answer() {
    let mut far = Far::calling();
    far.replies("INVITE", Reply::new(202).contact().sdp());
    assert_eq!(far.story(), "Answered fork 0 sdp");
    far.hang_up();
    assert_eq!(far.wire(), "INVITE ACK BYE");
}

#[test]
fn row_8_an_answer_without_contact_is_acknowledged_and_released() {
    let mut far = Far::calling();
    far.replies("INVITE", Reply::new(200).sdp());
    far.hang_up();
    assert_eq!(far.wire(), "INVITE ACK BYE");
    assert!(far.last("ACK").starts_with("ACK sip:+8613800000000@10.0.0.2:5060 SIP/2.0\r\n"));
    assert!(far.last("BYE").starts_with("BYE sip:+8613800000000@10.0.0.2:5060 SIP/2.0\r\n"));
}

#[test]
fn row_9_a_cancel_repeats_branch_uri_and_to() {
    let mut far = Far::calling();
    far.hang_up();
    assert_eq!(far.wire(), "INVITE", "no CANCEL before a provisional");
    far.replies("INVITE", Reply::new(180).tag("early").contact());
    for name in ["Via", "To", "From", "Call-ID"] {
        assert_eq!(far.header("CANCEL", name), far.header("INVITE", name));
    }
    assert_eq!(far.header("CANCEL", "CSeq"), "1 CANCEL");
    assert!(far.last("CANCEL").starts_with("CANCEL sip:+8613800000000@10.0.0.2:5060 "));
    far.replies("CANCEL", Reply::new(200));
    far.replies("INVITE", Reply::new(487));
    assert_eq!(far.story(), "Failed 487");
    far.run_out();
}

#[test]
fn row_10_an_unreadable_via_hurts_nobody() {
    let mut far = Far::calling();
    for via in [
        "",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ;branch=",
        "\u{0}",
        ",,,",
        "x",
        "SIP/2.0/UDP [::1;branch=z9hG4bKfirst",
    ] {
        let text = format!(
            "SIP/2.0 180 Ringing\r\nVia: {via}\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n"
        );
        far.says(&text);
        far.says(text.replace("SIP/2.0 180 Ringing", "INVITE sip:a@h SIP/2.0"));
    }
    far.replies("INVITE", Reply::new(180));
    assert_eq!(far.story(), "Trying, Early 180 fork 0");
}

#[test]
fn row_11_ack_and_bye_list_the_near_proxy_first() {
    let mut far = Far::calling();
    let answer = Reply::new(200)
        .header("Record-Route: <sip:10.0.0.9;lr>")
        .header("Record-Route: \"near\" <sip:10.0.0.8;lr=on>;x=y")
        .contact()
        .sdp();
    far.replies("INVITE", answer);
    far.hang_up();
    for method in ["ACK", "BYE"] {
        assert_eq!(far.header(method, "Route"), "<sip:10.0.0.8;lr=on>;x=y | <sip:10.0.0.9;lr>");
        assert!(far.last(method).starts_with(&format!("{method} sip:b@10.0.0.2:5060 ")));
    }
}

#[test]
fn row_12_other_schemes_are_understood() {
    let mut far = Far::calling();
    let text = far.reply_text("INVITE", &Reply::new(200).header("Contact: <tel:+8613800000000>").sdp());
    far.says(text.replace("To: <sip:+8613800000000@10.0.0.2>", "To: <tel:+8613800000000>"));
    assert_eq!(far.story(), "Answered fork 0 sdp");
    assert!(far.last("ACK").starts_with("ACK tel:+8613800000000 SIP/2.0\r\n"));
    assert_eq!(
        far.heard.last().map(|(to, _)| to.to_string()),
        Some("10.0.0.2:5060".into()),
        "no host: to the peer"
    );
}

#[test]
fn a_description_in_an_envelope_is_found() {
    let mut far = Far::calling();
    let text = far.reply_text(
        "INVITE",
        &Reply::new(200).contact().header("Content-Type: multipart/mixed; boundary=\"x y\""),
    );
    let head = text.split("Content-Length").next().unwrap_or_default();
    far.says(format!(
        "{head}\r\n--x y\r\nContent-Type: application/ISUP;version=itu-t92+\r\n\r\n\u{1}\u{2}\r\n--x y\r\n\
         Content-Type: Application/SDP\r\n\r\n{}\r\n--x y--\r\n",
        crate::far::SDP
    ));
    let Some((_, huihu_sip::Event::Answered { sdp: Some(sdp), .. })) = far.told.last() else {
        panic!("no answer")
    };
    assert_eq!(sdp, crate::far::SDP.as_bytes());
}

#[test]
fn a_gateway_that_the_dialog_named_is_no_stranger() {
    let mut far = Far::calling();
    far.replies("INVITE", Reply::new(200).header("Contact: <sip:b@10.0.0.77>").sdp());
    let bye = "BYE sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.77;branch=z9hG4bKg\r\nFrom: <sip:b@h>;tag=far\r\n\
         To: <sip:a@h>;tag=near\r\nCall-ID: call-1\r\nCSeq: 9 BYE\r\n\r\n";
    far.says_from(std::net::SocketAddr::from(([10, 0, 0, 78], 5060)), bye);
    assert_eq!(far.story(), "Answered fork 0 sdp");
    far.says_from(std::net::SocketAddr::from(([10, 0, 0, 77], 5060)), bye);
    assert_eq!(far.story(), "Answered fork 0 sdp, Ended by peer");
}

#[test]
fn a_dead_trunk_fails_after_64_t1() {
    let mut far = Far::calling();
    far.wait(33_000);
    assert_eq!(far.story(), "Failed 408 local");
    assert_eq!(far.wire(), ["INVITE"; 7].join(" "));
    far.run_out();
}

#[test]
fn a_refusal_tells_status_reason_and_patience() {
    let mut far = Far::calling();
    far.replies(
        "INVITE",
        Reply::new(503).header("Retry-After: 30 (busy)").header("Reason: SIP;cause=503, Q.850;cause=34"),
    );
    assert_eq!(far.story(), "Failed 503 Q.850=34 retry after 30");
    far.replies("INVITE", Reply::new(503));
    assert_eq!(far.wire(), "INVITE ACK ACK");
    far.run_out();
    assert_eq!(far.told.len(), 1);
}

#[test]
fn a_redirection_is_a_failure() {
    let mut far = Far::calling();
    far.replies("INVITE", Reply::new(302).header("Contact: <sip:c@10.0.0.7>"));
    assert_eq!(far.story(), "Failed 302");
}

/// Our endpoint calls and follows so many redirections; 10.0.0.3 is another peer.
fn following(redirects_max: u8) -> Far {
    let mut far = Far::with(|settings| settings.peers.push(PeerRule::Host([10, 0, 0, 3].into())));
    far.call(|invite| invite.redirects_max = redirects_max);
    far
}

#[test]
fn a_redirection_is_followed_to_its_targets_one_by_one() {
    let mut far = following(3);
    far.replies("INVITE", Reply::new(180).contact());
    far.replies(
        "INVITE",
        Reply::new(302)
            .header("Contact: <sip:low@10.0.0.2>;q=0.2, <sips:never@10.0.0.2>, <tel:+8610>")
            .header("Contact: <sip:high@10.0.0.3:5070?Evil=1>;q=0.9"),
    );
    assert_eq!(far.wire(), "INVITE ACK INVITE");
    assert!(far.last("INVITE").starts_with("INVITE sip:high@10.0.0.3:5070 SIP/2.0\r\n"));
    assert_eq!(far.heard.last().map(|(to, _)| to.to_string()), Some("10.0.0.3:5070".into()));
    assert_eq!(far.header("INVITE", "CSeq"), "2 INVITE");
    assert_eq!(far.header("INVITE", "To"), "<sip:+8613800000000@10.0.0.2>");
    assert!(far.header("INVITE", "Via").ends_with(";branch=z9hG4bKfirst-2"));
    let refusal = far.reply_text("INVITE", &Reply::new(404));
    far.says_from(std::net::SocketAddr::from(([10, 0, 0, 3], 5070)), refusal);
    assert!(far.last("INVITE").starts_with("INVITE sip:low@10.0.0.2 "));
    let answer = far.reply_text("INVITE", &Reply::new(200).contact().sdp());
    far.says_from(std::net::SocketAddr::from(([10, 0, 0, 2], 5060)), answer);
    assert_eq!(far.story(), "Trying, Early 180 fork 0, Redirected 302, Redirected 404, Answered fork 1 sdp");
    far.hang_up();
    far.replies("BYE", Reply::new(200));
    far.run_out();
}

#[test]
fn a_target_that_is_no_peer_is_asked_for_at_the_peer() {
    let mut far = following(1);
    far.replies("INVITE", Reply::new(301).header("Contact: <sip:c@203.0.113.7>"));
    assert!(far.last("INVITE").starts_with("INVITE sip:c@203.0.113.7 SIP/2.0\r\n"));
    assert_eq!(far.heard.last().map(|(to, _)| to.to_string()), Some("10.0.0.2:5060".into()));
    far.hang_up();
    far.replies("INVITE", Reply::new(180));
    assert!(far.last("CANCEL").starts_with("CANCEL sip:c@203.0.113.7 "));
    far.replies("INVITE", Reply::new(487));
    assert_eq!(far.story(), "Redirected 301, Failed 487");
    far.run_out();
}

#[test]
fn nobody_sends_a_call_in_circles() {
    let mut far = following(9);
    far.replies("INVITE", Reply::new(302).header("Contact: <sip:+8613800000000@10.0.0.2:5060>"));
    assert_eq!(far.story(), "Failed 302", "there it has been");
    let mut far = following(3);
    for target in 0..9 {
        far.replies("INVITE", Reply::new(302).header(&format!("Contact: <sip:{target}@10.0.0.2>")));
    }
    assert_eq!((far.tries("INVITE"), far.count("ACK")), (4, 9));
    assert!(far.story().ends_with("Redirected 302, Failed 302"));
    let mut far = following(3);
    far.replies("INVITE", Reply::new(302).header("Contact: <sip:c@10.0.0.2>, <sip:d@10.0.0.2>"));
    far.replies("INVITE", Reply::new(486));
    assert_eq!(far.story(), "Redirected 302, Failed 486", "busy is busy");
    far.run_out();
}

#[test]
fn what_the_network_allows_of_early_media_is_told() {
    let mut far = Far::calling();
    far.replies("INVITE", Reply::new(183).contact().header("P-Early-Media: gated, SendOnly").sdp());
    far.asks("UPDATE", "P-Early-Media: inactive\r\n", "");
    far.replies("INVITE", Reply::new(180).header("P-Early-Media: supported"));
    assert_eq!(
        far.story(),
        "Trying, Early 183 fork 0 sdp SendOnly, EarlyMedia fork 0 Inactive, Early 180 fork 0"
    );
}

#[test]
fn requests_that_we_do_not_take_are_refused_cleanly_and_the_call_goes_on() {
    let mut far = Far::talking();
    for (method, headers, status) in [
        ("REFER", "Refer-To: <sip:c@10.0.0.3>\r\n", "405"),
        ("NOTIFY", "Event: refer\r\nSubscription-State: active\r\n", "489"),
        ("MESSAGE", "Content-Type: text/plain\r\n", "405"),
        ("SUBSCRIBE", "Event: dialog\r\n", "405"),
        ("PUBLISH", "Event: presence\r\n", "405"),
        ("FLURB", "", "405"),
    ] {
        far.asks(method, headers, "");
        let answer = far.last("SIP/2.0");
        assert!(answer.starts_with(&format!("SIP/2.0 {status}")), "{method}: {answer}");
        if status == "405" {
            assert!(!far.header("SIP/2.0 405", "Allow").contains(method));
        }
    }
    assert_eq!(far.story(), "Answered fork 0 sdp");
}

#[test]
fn a_183_may_tell_why_it_will_fail() {
    let mut far = Far::calling();
    far.replies("INVITE", Reply::new(183).header("Reason: Q.850;cause=17;text=\"busy\"").sdp());
    assert_eq!(far.story(), "Trying, Early 183 fork 0 sdp Q.850=17");
}

#[test]
fn each_fork_is_a_dialog_and_the_late_answers_are_released() {
    let mut far = Far::calling();
    far.replies("INVITE", Reply::new(180).tag("a").contact());
    far.replies("INVITE", Reply::new(183).tag("b").contact().sdp());
    far.replies("INVITE", Reply::new(200).tag("b").contact());
    assert_eq!(far.story(), "Trying, Early 180 fork 0, Early 183 fork 1 sdp, Answered fork 1");
    far.replies("INVITE", Reply::new(200).tag("a").contact().sdp());
    assert_eq!(far.wire(), "INVITE ACK ACK BYE");
    assert!(far.header("BYE", "To").ends_with(";tag=a"));
    far.replies("BYE", Reply::new(481));
    far.replies("INVITE", Reply::new(200).tag("c").contact().sdp());
    assert_eq!(far.count("BYE"), 2);
    far.replies("BYE", Reply::new(200));
    assert_eq!(far.told.len(), 4, "the talk goes on");
    far.hang_up();
    assert!(far.header("BYE", "To").ends_with(";tag=b"));
    far.replies("BYE", Reply::new(200));
    far.run_out();
    assert!(far.story().ends_with("Ended by us"));
}

#[test]
fn forks_count_their_provisionals_each_for_itself() {
    let mut far = Far::calling();
    let reliable = |tag, rseq: u32| {
        Reply::new(183).tag(tag).contact().header("Require: 100rel").header(&format!("RSeq: {rseq}"))
    };
    far.replies("INVITE", reliable("a", 900));
    far.replies("INVITE", reliable("b", 3));
    assert_eq!(far.count("PRACK"), 2);
    far.replies("INVITE", reliable("b", 3));
    far.replies("INVITE", reliable("b", 5));
    assert_eq!(far.count("PRACK"), 2, "repeated or early: neither acknowledged nor told");
    far.replies("INVITE", reliable("b", 4));
    assert_eq!(far.header("PRACK", "RAck"), "4 1 INVITE");
    assert_eq!(far.header("PRACK", "CSeq"), "3 PRACK");
    assert_eq!(far.story(), "Trying, Early 183 fork 0, Early 183 fork 1, Early 183 fork 1");
}

#[test]
fn an_answer_that_comes_again_is_acknowledged_again() {
    let mut far = Far::talking();
    let answer = far.reply_text("INVITE", &Reply::new(200).contact().sdp());
    far.says(&answer);
    far.hang_up();
    far.says(&answer);
    far.replies("BYE", Reply::new(200));
    far.says(&answer);
    assert_eq!(far.wire(), "INVITE ACK ACK BYE ACK ACK");
    let acks: Vec<_> = far.heard.iter().filter(|(_, text)| text.starts_with("ACK")).collect();
    assert!(acks.windows(2).all(|two| two[0] == two[1]), "the same bytes");
    far.run_out();
}

#[test]
fn an_answer_that_crosses_the_cancel_is_acknowledged_and_released() {
    let mut far = Far::calling();
    far.replies("INVITE", Reply::new(180));
    far.hang_up();
    far.replies("INVITE", Reply::new(200).contact().sdp());
    assert_eq!(far.wire(), "INVITE CANCEL ACK BYE");
    far.replies("CANCEL", Reply::new(200));
    far.replies("BYE", Reply::new(200));
    far.run_out();
    assert_eq!(far.story(), "Trying, Early 180 fork 0, Ended by us");
}

#[test]
fn an_answer_after_we_gave_up_is_released_without_a_second_end() {
    let mut far = Far::calling();
    far.replies("INVITE", Reply::new(180));
    far.wait(181_000);
    far.replies("INVITE", Reply::new(200).contact().sdp());
    assert!(far.wire().ends_with("CANCEL ACK BYE"));
    far.replies("BYE", Reply::new(200));
    far.run_out();
    assert_eq!(far.story(), "Trying, Early 180 fork 0, Failed 408 local");
}

#[test]
fn an_answer_without_a_description_is_a_fault_unless_one_came_before() {
    let mut far = Far::calling();
    far.replies("INVITE", Reply::new(200).contact());
    assert_eq!(far.story(), "Fault AnswerWithoutSdp");
    assert_eq!(far.wire(), "INVITE ACK BYE");
    far.replies("BYE", Reply::new(200));
    far.run_out();
    assert_eq!(far.story(), "Fault AnswerWithoutSdp, Ended by us");

    let mut far = Far::calling();
    far.replies("INVITE", Reply::new(183).contact().sdp());
    far.replies("INVITE", Reply::new(200).contact());
    assert_eq!(far.story(), "Trying, Early 183 fork 0 sdp, Answered fork 0");
}

#[test]
fn the_reason_of_a_hang_up_travels() {
    let mut far = Far::talking();
    far.act(|near, now, out| near.hang_up(LEG, Some(Reason::q850(16)), now, out));
    assert_eq!(far.header("BYE", "Reason"), "Q.850;cause=16");

    let mut far = Far::talking();
    far.asks("BYE", "Reason: Q.850;cause=31;text=\"normal\"\r\n", "");
    assert_eq!(far.story(), "Answered fork 0 sdp, Ended by peer Q.850=31");
    assert!(far.last("SIP/2.0 200").contains("CSeq: 101 BYE"));
    far.run_out();
}

#[test]
fn both_may_hang_up_at_once() {
    let mut far = Far::talking();
    far.hang_up();
    far.asks("BYE", "", "");
    assert_eq!(far.story(), "Answered fork 0 sdp, Ended by us");
    far.replies("BYE", Reply::new(481));
    far.run_out();
    assert_eq!(far.told.len(), 2);
}

#[test]
fn requests_out_of_order_and_out_of_dialog_are_refused() {
    let mut far = Far::talking();
    far.asks_with("INFO", 50, "", "");
    far.asks_with("INFO", 70, "", "");
    assert!(far.last("SIP/2.0").starts_with("SIP/2.0 200"), "a gap is fine");
    far.asks_with("INFO", 60, "", "");
    assert!(far.last("SIP/2.0").starts_with("SIP/2.0 500"), "an old number is not");
    far.asks_with("REFER", 80, "", "");
    assert!(far.last("SIP/2.0").starts_with("SIP/2.0 405"));
    assert!(far.header("SIP/2.0 405", "Allow").contains("PRACK"));
    far.asks_with("INFO", 81, "Require: 100rel, timer, x-y\r\n", "");
    assert_eq!(far.header("SIP/2.0 420", "Unsupported"), "x-y");
    far.hang_up();
    far.replies("BYE", Reply::new(200));
    far.wait(60_000);
    far.asks("BYE", "", "");
    assert!(far.last("SIP/2.0").starts_with("SIP/2.0 481"), "{}", far.wire());
}

#[test]
fn a_repeated_request_gets_the_same_answer_and_is_told_once() {
    let mut far = Far::talking();
    let info = "INFO sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKi\r\nFrom: <sip:b@h>;tag=far\r\n\
         To: <sip:a@h>;tag=near\r\nCall-ID: call-1\r\nCSeq: 9 INFO\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=5";
    far.says(info);
    far.says(info);
    assert_eq!(far.story(), "Answered fork 0 sdp, Digit");
    assert_eq!(far.count("SIP/2.0 200"), 2);
    assert_eq!(
        far.heard.last().map(|(to, _)| to.to_string()),
        Some("10.0.0.2:5060".into()),
        "no rport: port of Via"
    );
}

#[test]
fn strangers_hear_nothing() {
    let mut far = Far::with(|settings| settings.accept_calls = true);
    far.says_from(std::net::SocketAddr::from(([203, 0, 113, 9], 5060)), "OPTIONS sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:x@h>;tag=1\r\nTo: <sip:a@h>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n");
    assert_eq!((far.wire(), far.near.ignored().strangers), (String::new(), 1));
    far.call(|_| {});
    let reply = far.reply_text("INVITE", &Reply::new(200).contact().sdp());
    far.says_from(std::net::SocketAddr::from(([203, 0, 113, 9], 5060)), &reply);
    assert_eq!((far.story(), far.near.ignored().strays), (String::new(), 1));
}

#[test]
fn peers_hear_the_right_refusal() {
    let mut far = Far::new();
    let mut ask = |method: &str, more: &str| {
        let number = far.heard.len();
        far.says(format!(
            "{method} sip:a@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK{number};rport\r\nFrom: <sip:x@h>;tag=1\r\n\
             To: <sip:a@h>{more}\r\nCall-ID: c\r\nCSeq: 1 {method}\r\nContact: <sip:b@10.0.0.2>\r\n\r\n"
        ));
        far.heard.last().map(|(_, text)| text[8..11].to_owned()).unwrap_or_default()
    };
    assert_eq!(ask("INVITE", ""), "403");
    assert_eq!(ask("OPTIONS", ""), "200");
    assert_eq!(ask("BYE", ";tag=x"), "481");
    assert_eq!(ask("BYE", ""), "481");
    assert_eq!(ask("CANCEL", ""), "481");
    assert_eq!(ask("NOTIFY", ""), "481");
    assert_eq!(ask("MESSAGE", ""), "405");
    assert_eq!(ask("SUBSCRIBE", ""), "405");
    assert_eq!(ask("REGISTER", ""), "405");
    assert_eq!(ask("FLURB", ""), "405");
    assert_eq!(ask("OPTIONS", "\r\nRequire: x"), "420");
    assert_eq!(
        far.header("SIP/2.0 200", "Accept"),
        "application/sdp, application/dtmf-relay, application/dtmf"
    );
    far.says("FLURB\r\n\r\n");
    far.says("\r\n\r\n");
    assert_eq!(far.heard.len(), 11, "noise is not answered");
}

#[test]
fn a_ping_is_answered_or_not() {
    let mut far = Far::new();
    far.act(|near, now, out| near.options(std::net::SocketAddr::from(([10, 0, 0, 2], 5060)), now, out));
    far.replies("OPTIONS", Reply::new(404));
    assert_eq!(far.pongs, [Some(404)]);
    far.act(|near, now, out| near.options(std::net::SocketAddr::from(([10, 0, 0, 2], 5060)), now, out));
    far.run_out();
    assert_eq!(far.pongs, [Some(404), None]);
}

#[test]
fn an_answer_to_a_ping_may_tell_where_we_are_seen_and_what_time_it_is() {
    let mut far = Far::new();
    for (via, date, seen_as, millis) in [
        ("", "", None, None),
        (";received=203.0.113.5", "", None, None),
        (";received=203.0.113.5;rport=40000", "", "203.0.113.5:40000".parse().ok(), None),
        (";received=nobody;rport=40000", "Date: yesterday\r\n", None, None),
        ("", "Date: Fri, 02 Jan 2026 03:04:05 GMT\r\n", None, Some(1_767_323_045_000)),
    ] {
        far.act(|near, now, out| near.options(std::net::SocketAddr::from(([10, 0, 0, 2], 5060)), now, out));
        let answer = far.reply_text("OPTIONS", &Reply::new(200));
        let answer = answer.replace(";rport", via).replace("CSeq: ", &format!("{date}CSeq: "));
        far.says(answer);
        let date = millis.map(base::time::Timestamp::from_millis);
        assert_eq!(far.sightings.pop(), Some((seen_as, date)), "{via} {date:?}");
    }
}

#[test]
fn a_carrier_whose_contact_is_unreachable_is_reached_at_its_peer() {
    let mut far = Far::with(|settings| settings.next_hop = NextHop::Peer);
    far.call(|_| {});
    far.replies("INVITE", Reply::new(200).header("Contact: <sip:b@192.168.1.1:5061>").sdp());
    far.hang_up();
    assert!(far.heard.iter().all(|(to, _)| to.to_string() == "10.0.0.2:5060"));
    assert!(far.last("BYE").starts_with("BYE sip:b@192.168.1.1:5061 "));
}

#[test]
fn identity_and_more_headers_stand_in_the_invite() {
    let mut far = Far::with(|settings| settings.product = "Huihu".into());
    far.call(|invite| {
        let number = Address::new("+8675500000000", "10.0.0.1").unwrap().phone();
        invite.from = Party::anonymous();
        invite.asserted_identity = Some(Party::new(&number).named("Support \"1\"").unwrap());
        invite.privacy = Privacy::Id;
        invite.headers = vec![Header::new("X-Trunk", "7").unwrap()];
        invite.supported_100rel = false;
    });
    assert_eq!(
        far.header("INVITE", "P-Asserted-Identity"),
        "\"Support \\\"1\\\"\" <sip:+8675500000000@10.0.0.1;user=phone>"
    );
    assert_eq!(far.header("INVITE", "Privacy"), "id");
    assert_eq!(far.header("INVITE", "From"), "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=near");
    assert_eq!(far.header("INVITE", "X-Trunk"), "7");
    assert_eq!(far.header("INVITE", "User-Agent"), "Huihu");
    assert_eq!(far.header("INVITE", "Supported"), "timer");
    assert_eq!(far.header("INVITE", "Via"), "SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bKfirst");
}

#[test]
fn a_redirection_leads_only_where_the_owner_lets_it() {
    let at_home = |contact: &str| {
        let mut far = Far::with(|settings| settings.peers.push(PeerRule::Host([10, 0, 0, 3].into())));
        far.call(|invite| {
            invite.redirects_max = 3;
            invite.redirects_to = vec!["10.0.0.2".into(), "Trunk.example".into()];
        });
        far.replies("INVITE", Reply::new(302).header(&format!("Contact: {contact}")));
        far
    };
    for elsewhere in [
        "<sip:c@203.0.113.7>",
        "<sip:c@10.0.0.3>",
        "<sip:c@evil.example>",
        "<sip:10.0.0.2@evil.example>",
        "<sip:c@evil.example?X=10.0.0.2>",
        "<sip:c@trunk.example.evil.example>",
    ] {
        assert_eq!(at_home(elsewhere).story(), "Failed 302", "{elsewhere}");
    }
    for home in ["<sip:c@10.0.0.2:5060>", "<sip:c@trunk.EXAMPLE>"] {
        let mut far = at_home(&format!("<sip:x@203.0.113.7>;q=1, {home};q=0.1"));
        far.hang_up();
        far.replies("INVITE", Reply::new(180));
        far.replies("INVITE", Reply::new(487));
        assert_eq!(far.story(), "Redirected 302, Failed 487", "{home}");
        far.run_out();
    }
}
