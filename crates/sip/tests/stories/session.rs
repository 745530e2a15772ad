//! Inside a call: challenges, re-INVITE, UPDATE, INFO.

use crate::far::{Far, LEG, Reply, SDP};
use huihu_sip::digest::Credentials;

const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"trunk\", nonce=\"n1\", qop=\"auth\"";

fn with_credentials() -> Far {
    let mut far = Far::new();
    far.call(|invite| invite.credentials = Some(Credentials::new("user".into(), "secret".into())));
    far
}

#[test]
fn a_challenged_invite_goes_again_with_a_new_number_and_branch() {
    let mut far = with_credentials();
    far.replies("INVITE", Reply::new(401).header(CHALLENGE));
    assert_eq!(far.wire(), "INVITE ACK INVITE");
    assert_eq!(far.header("ACK", "CSeq"), "1 ACK");
    assert_eq!(far.header("INVITE", "CSeq"), "2 INVITE");
    assert!(far.header("INVITE", "Via").ends_with(";branch=z9hG4bKfirst-2"));
    assert!(far.header("INVITE", "Authorization").contains("nc=00000001"));
    assert!(far.last("INVITE").ends_with(SDP));
    far.replies("INVITE", Reply::new(200).contact().sdp());
    assert_eq!(far.header("ACK", "Authorization"), far.header("INVITE", "Authorization"), "RFC 3261 22.1");
    assert_eq!(far.story(), "Answered fork 0 sdp");
}

#[test]
fn what_early_dialogs_left_behind_survives_a_challenge() {
    let mut far = with_credentials();
    let early =
        |tag, rseq: &str| Reply::new(183).tag(tag).contact().header("Require: 100rel").header(rseq).sdp();
    far.replies("INVITE", early("other", "RSeq: 1"));
    far.replies("INVITE", early("far", "RSeq: 1"));
    far.asks("UPDATE", "Content-Type: application/sdp\r\n", SDP);
    assert!(far.story().ends_with("Offer fork 1"));
    far.replies("INVITE", Reply::new(401).tag("far").header(CHALLENGE));
    assert!(far.heard.iter().any(|(_, text)| text.starts_with("SIP/2.0 481")), "nobody is left to answer it");
    far.replies("PRACK", Reply::new(401).header(CHALLENGE));
    far.act(|near, now, out| near.answer_offer(LEG, SDP.as_bytes(), now, out));
    far.replies("INVITE", Reply::new(200).contact().sdp());
    far.hang_up();
    far.replies("BYE", Reply::new(200));
    far.run_out();
}

#[test]
fn a_challenged_bye_counts_the_nonce_up() {
    let mut far = with_credentials();
    far.replies("INVITE", Reply::new(407).header(&CHALLENGE.replace("WWW", "Proxy")));
    far.replies("INVITE", Reply::new(200).contact().sdp());
    far.hang_up();
    far.replies("BYE", Reply::new(407).header(&CHALLENGE.replace("WWW", "Proxy")));
    assert_eq!(far.count("BYE"), 2);
    assert_eq!(far.header("BYE", "CSeq"), "4 BYE");
    assert!(far.header("BYE", "Proxy-Authorization").contains("nc=00000002"));
    far.replies("BYE", Reply::new(200));
    assert_eq!(far.story(), "Answered fork 0 sdp, Ended by us");
    far.run_out();
}

#[test]
fn wrong_credentials_fail_after_one_try_and_a_stale_nonce_after_two() {
    let mut far = with_credentials();
    far.replies("INVITE", Reply::new(401).header(CHALLENGE));
    far.replies("INVITE", Reply::new(401).header(CHALLENGE));
    assert_eq!((far.story().as_str(), far.count("INVITE")), ("Failed 401", 2));
    far.run_out();

    let mut far = with_credentials();
    for nonce in ["n2", "n3", "n4", "n5"] {
        let stale = CHALLENGE.replace("n1", nonce) + ", stale=true";
        far.replies("INVITE", Reply::new(401).header(&stale));
    }
    assert_eq!((far.story().as_str(), far.count("INVITE")), ("Failed 401", 3));
    far.run_out();
}

#[test]
fn without_credentials_a_challenge_is_a_refusal() {
    let mut far = Far::calling();
    far.replies("INVITE", Reply::new(401).header(CHALLENGE));
    assert_eq!((far.story().as_str(), far.count("INVITE")), ("Failed 401", 1));
}

#[test]
fn an_offer_of_the_peer_is_answered_by_the_owner_and_repeated_until_the_ack() {
    let mut far = Far::talking();
    far.asks("INVITE", "Content-Type: application/sdp\r\n", SDP);
    assert_eq!(far.wire(), "INVITE ACK 100");
    assert!(far.story().ends_with("Offer fork 0"));
    far.act(|near, now, out| near.answer_offer(LEG, SDP.as_bytes(), now, out));
    far.wait(1_600);
    assert_eq!(far.wire(), "INVITE ACK 100 200 200 200");
    far.asks_with("ACK", 101, "", "");
    far.wait(40_000);
    assert_eq!(far.wire(), "INVITE ACK 100 200 200 200");
}

#[test]
fn a_refused_offer_leaves_the_session_as_it_was() {
    let mut far = Far::talking();
    far.asks("INVITE", "Content-Type: application/sdp\r\n", SDP);
    far.act(|near, now, out| near.refuse_offer(LEG, 488, now, out));
    far.asks_with("ACK", 101, "", "");
    assert_eq!(far.wire(), "INVITE ACK 100 488");
}

#[test]
fn a_reinvite_without_an_offer_gets_ours_and_its_ack_brings_the_answer() {
    let mut far = Far::talking();
    far.asks("INVITE", "", "");
    assert_eq!(far.story(), "Answered fork 0 sdp, OfferWanted fork 0");
    far.act(|near, now, out| near.answer_offer(LEG, SDP.as_bytes(), now, out));
    assert!(far.last("SIP/2.0 200").ends_with(SDP));
    far.asks_with("ACK", 101, "Content-Type: application/sdp\r\n", SDP);
    assert_eq!(far.story(), "Answered fork 0 sdp, OfferWanted fork 0, OfferAnswered");
}

#[test]
fn an_offer_that_was_wanted_and_is_not_answered_changes_nothing() {
    let mut far = Far::talking();
    far.asks("INVITE", "", "");
    far.act(|near, now, out| near.answer_offer(LEG, SDP.as_bytes(), now, out));
    far.asks_with("ACK", 101, "", "");
    assert!(far.story().ends_with("OfferWanted fork 0, OfferRefused 488"));
    far.asks("INVITE", "", "");
    far.act(|near, now, out| near.refuse_offer(LEG, 488, now, out));
    assert!(far.last("SIP/2.0").starts_with("SIP/2.0 488"));
}

#[test]
fn a_reinvite_whose_ack_never_comes_ends_the_call() {
    let mut far = Far::talking();
    far.asks("INVITE", "", "");
    far.act(|near, now, out| near.answer_offer(LEG, SDP.as_bytes(), now, out));
    far.wait(33_000);
    far.replies("BYE", Reply::new(200));
    assert_eq!(far.story(), "Answered fork 0 sdp, OfferWanted fork 0, AckMissing, Ended by us");
    far.run_out();
}

#[test]
fn two_offers_at_once_are_refused() {
    let mut far = Far::talking();
    far.act(|near, now, out| near.offer(LEG, SDP.as_bytes(), now, out));
    far.asks("INVITE", "Content-Type: application/sdp\r\n", SDP);
    assert!(far.last("SIP/2.0").starts_with("SIP/2.0 491"));
    far.asks("UPDATE", "Content-Type: application/sdp\r\n", SDP);
    assert!(far.last("SIP/2.0").starts_with("SIP/2.0 491"));
    far.asks("UPDATE", "", "");
    assert!(far.last("SIP/2.0").starts_with("SIP/2.0 200"), "no offer, no glare");
    far.replies("INVITE", Reply::new(491));
    assert_eq!((far.count("ACK"), far.tries("INVITE")), (2, 2));
    far.wait(2_000);
    assert_eq!(far.tries("INVITE"), 2, "who owns the Call-ID waits 2.1 s at least");
    far.wait(2_001);
    assert_eq!(far.tries("INVITE"), 3, "and 4 s at most");
    assert_eq!(far.header("INVITE", "CSeq"), "3 INVITE");
    far.replies("INVITE", Reply::new(200).contact().sdp());
    assert_eq!(far.story(), "Answered fork 0 sdp, OfferAnswered");
}

#[test]
fn an_offer_that_meets_others_again_and_again_is_given_up() {
    let mut far = Far::talking();
    far.act(|near, now, out| near.offer(LEG, SDP.as_bytes(), now, out));
    for _ in 0..5 {
        far.replies("INVITE", Reply::new(491));
        far.wait(4_001);
    }
    assert_eq!(far.tries("INVITE"), 1 + 5, "the call, the offer, and four more times");
    assert_eq!(far.story(), "Answered fork 0 sdp, OfferRefused 491");
}

#[test]
fn an_offer_by_update_goes_again_too_and_a_busy_peer_is_given_its_time() {
    let mut far = Far::talking();
    far.act(|near, now, out| near.update(LEG, Some(SDP.as_bytes()), now, out));
    far.replies("UPDATE", Reply::new(491));
    far.wait(4_001);
    far.replies("UPDATE", Reply::new(500).header("Retry-After: 7"));
    far.wait(6_990);
    assert_eq!(far.tries("UPDATE"), 2);
    far.wait(20);
    assert_eq!(far.tries("UPDATE"), 3);
    far.replies("UPDATE", Reply::new(500));
    assert_eq!(far.story(), "Answered fork 0 sdp, OfferRefused 500");
}

#[test]
fn an_offer_of_the_peer_takes_the_place_of_one_that_waits() {
    let mut far = Far::talking();
    far.act(|near, now, out| near.offer(LEG, SDP.as_bytes(), now, out));
    far.replies("INVITE", Reply::new(491));
    far.asks("INVITE", "Content-Type: application/sdp\r\n", SDP);
    assert_eq!(far.story(), "Answered fork 0 sdp, OfferRefused 491, Offer fork 0");
    far.act(|near, now, out| near.answer_offer(LEG, SDP.as_bytes(), now, out));
    far.asks_with("ACK", 101, "", "");
    far.wait(20_000);
    assert_eq!(far.count("INVITE"), 2);
}

#[test]
fn every_request_inside_a_call_answers_a_challenge() {
    let mut far = with_credentials();
    let early = Reply::new(183).contact().header("Require: 100rel").header("RSeq: 1").sdp();
    far.replies("INVITE", early);
    far.replies("PRACK", Reply::new(401).header(CHALLENGE));
    assert_eq!(far.header("PRACK", "RAck"), "1 1 INVITE");
    far.replies("PRACK", Reply::new(200));
    far.replies("INVITE", Reply::new(200).contact().sdp());
    far.act(|near, now, out| near.offer(LEG, SDP.as_bytes(), now, out));
    far.replies("INVITE", Reply::new(401).header(CHALLENGE));
    far.replies("INVITE", Reply::new(200).contact().sdp());
    assert_eq!(far.header("ACK", "Authorization"), far.header("INVITE", "Authorization"));
    far.act(|near, now, out| near.update(LEG, Some(SDP.as_bytes()), now, out));
    far.replies("UPDATE", Reply::new(401).header(CHALLENGE));
    assert!(far.last("UPDATE").ends_with(SDP));
    far.replies("UPDATE", Reply::new(200).sdp());
    far.act(|near, now, out| near.info(LEG, "application/dtmf", b"5", now, out));
    far.replies("INFO", Reply::new(401).header(CHALLENGE));
    far.replies("INFO", Reply::new(200));
    far.hang_up();
    far.replies("BYE", Reply::new(401).header(CHALLENGE));
    far.replies("BYE", Reply::new(200));
    for method in ["PRACK", "INVITE", "UPDATE", "INFO", "BYE"] {
        assert_eq!(far.count(method), if method == "INVITE" { 3 } else { 2 }, "{method}");
        assert!(far.header(method, "Authorization").starts_with("Digest username=\"user\""), "{method}");
    }
    assert!(
        far.story().ends_with("OfferAnswered, OfferAnswered, InfoDone 200, Ended by us"),
        "{}",
        far.story()
    );
    far.run_out();
}

#[test]
fn nothing_but_the_end_is_talked_about_while_our_bye_is_out() {
    let mut far = Far::talking();
    far.hang_up();
    let sdp = "Content-Type: application/sdp\r\n";
    for (method, headers, body, status) in [
        ("INVITE", sdp, SDP, "481"),
        ("UPDATE", sdp, SDP, "481"),
        ("UPDATE", "", "", "481"),
        ("INFO", "Content-Type: application/dtmf\r\n", "5", "481"),
        ("PRACK", "RAck: 1 1 INVITE\r\n", "", "481"),
        ("OPTIONS", "", "", "200"),
        ("REFER", "Refer-To: <sip:c@10.0.0.3>\r\n", "", "405"),
        ("BYE", "", "", "200"),
        ("INFO", "", "", "481"),
    ] {
        far.asks(method, headers, body);
        let answer = far.last("SIP/2.0");
        assert!(answer.starts_with(&format!("SIP/2.0 {status}")), "{method}: {answer}");
    }
    assert_eq!(far.story(), "Answered fork 0 sdp, Ended by us", "no digit of a call that is over");
    far.replies("BYE", Reply::new(481));
    far.run_out();
}

#[test]
fn our_offer_moves_the_target_and_its_answer_is_told() {
    let mut far = Far::talking();
    far.act(|near, now, out| near.offer(LEG, SDP.as_bytes(), now, out));
    assert_eq!(far.header("INVITE", "CSeq"), "2 INVITE");
    far.replies("INVITE", Reply::new(200).header("Contact: <sip:moved@10.0.0.2:5099>").sdp());
    assert!(far.last("ACK").starts_with("ACK sip:moved@10.0.0.2:5099 "));
    assert_eq!(far.header("ACK", "CSeq"), "2 ACK");
    assert!(far.story().ends_with("OfferAnswered"));
    far.replies("INVITE", Reply::new(200).header("Contact: <sip:moved@10.0.0.2:5099>").sdp());
    assert_eq!(far.count("ACK"), 3, "the 2xx came again");
    far.hang_up();
    far.replies("BYE", Reply::new(200));
    far.run_out();
}

#[test]
fn an_update_in_an_early_dialog_is_an_offer_once_ours_is_answered() {
    let mut far = Far::calling();
    far.replies("INVITE", Reply::new(180).contact());
    far.asks("UPDATE", "Content-Type: application/sdp\r\n", SDP);
    assert!(far.last("SIP/2.0").starts_with("SIP/2.0 491"), "our offer has no answer");
    far.replies("INVITE", Reply::new(183).contact().sdp());
    far.asks("UPDATE", "Content-Type: application/sdp\r\n", SDP);
    assert!(far.story().ends_with("Offer fork 0"));
    far.asks("UPDATE", "Content-Type: application/sdp\r\n", SDP);
    assert_eq!(far.header("SIP/2.0 500", "Retry-After"), "1");
    far.act(|near, now, out| near.answer_offer(LEG, SDP.as_bytes(), now, out));
    assert!(far.last("SIP/2.0").starts_with("SIP/2.0 200"));
}

#[test]
fn a_session_refresh_by_update_is_answered_at_once() {
    let mut far = Far::talking();
    far.asks("UPDATE", "", "");
    assert!(far.last("SIP/2.0").starts_with("SIP/2.0 200"));
    assert_eq!(far.told.len(), 1);
}

#[test]
fn a_peer_that_has_forgotten_the_call_ends_it() {
    let mut far = Far::talking();
    far.act(|near, now, out| near.info(LEG, "application/dtmf-relay", b"Signal=5\r\n", now, out));
    assert!(far.last("INFO").ends_with("Signal=5\r\n"));
    far.replies("INFO", Reply::new(481));
    far.replies("BYE", Reply::new(481));
    assert_eq!(far.story(), "Answered fork 0 sdp, InfoDone 481, Ended by us");
    far.run_out();
}

#[test]
fn a_key_in_an_info_is_told_and_other_infos_are_answered() {
    let mut far = Far::talking();
    let relay = "Content-Type: application/dtmf-relay\r\n";
    for (headers, body, status, told) in [
        (relay, "Signal=5\r\nDuration=160\r\n", 200, 1),
        ("Content-Type: application/dtmf\r\n", "#", 200, 1),
        (relay, "Signal=!\r\n", 200, 0),
        (relay, "", 200, 0),
        ("", "", 200, 0),
        ("Content-Type: application/media_control+xml\r\n", "<x/>", 415, 0),
        ("", "5", 415, 0),
    ] {
        let before = far.told.len();
        far.asks("INFO", headers, body);
        let answer = far.last("SIP/2.0").to_owned();
        assert!(answer.starts_with(&format!("SIP/2.0 {status}")), "{headers}{body}: {answer}");
        assert_eq!(far.told.len() - before, told, "{headers}{body}");
    }
    assert_eq!(far.header("SIP/2.0 415", "Accept"), "application/dtmf-relay, application/dtmf");
    assert_eq!(far.story(), "Answered fork 0 sdp, Digit, Digit");
}

#[test]
fn a_key_for_nobody_is_refused() {
    let mut far = Far::new();
    far.says(
        "INFO sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKi\r\nFrom: <sip:b@h>;tag=far\r\n\
         To: <sip:a@h>;tag=gone\r\nCall-ID: call-9\r\nCSeq: 9 INFO\r\nContent-Type: application/dtmf\r\n\r\n5",
    );
    assert!(far.last("SIP/2.0").starts_with("SIP/2.0 481"));
    assert!(far.told.is_empty());
}

#[test]
fn hanging_up_refuses_the_offer_that_waits() {
    let mut far = Far::talking();
    far.asks("INVITE", "Content-Type: application/sdp\r\n", SDP);
    far.hang_up();
    assert_eq!(far.wire(), "INVITE ACK 100 487 BYE");
    far.replies("BYE", Reply::new(200));
    far.run_out();
}

#[test]
fn a_cancelled_reinvite_leaves_the_call() {
    let mut far = Far::talking();
    far.asks("INVITE", "Content-Type: application/sdp\r\n", SDP);
    let via = "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKfar1;rport";
    far.says(format!(
        "CANCEL sip:10.0.0.1:5060 SIP/2.0\r\n{via}\r\nFrom: <sip:b@h>;tag=far\r\nTo: <sip:a@h>;tag=near\r\n\
         Call-ID: call-1\r\nCSeq: 101 CANCEL\r\n\r\n"
    ));
    assert_eq!(far.wire(), "INVITE ACK 100 200 487");
    assert_eq!(far.story(), "Answered fork 0 sdp, Offer fork 0");
}

#[test]
fn an_idle_call_is_small() {
    const CALLS: u64 = 200;
    let mut far = Far::new();
    let before = far.near.load().legs;
    for number in 0..CALLS {
        let leg = huihu_sip::LegKey(number + 1);
        let mut call = crate::far::invite(([10, 0, 0, 2], 5060).into());
        call.call_id = format!("call-{number}");
        call.branch = format!("z9hG4bKb{number}");
        far.act(|near, now, out| near.invite(leg, call, now, out));
        far.replies("INVITE", Reply::new(200).contact().sdp());
    }
    assert_eq!(far.near.load().clients, 200, "each 2xx may come again for 32 seconds");
    far.wait(33_000);
    assert_eq!(far.near.load().legs - before, 200);
    assert_eq!(far.near.load().clients, 0);
}
