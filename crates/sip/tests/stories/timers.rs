//! Session timers: who refreshes, by what, and what becomes of a call that nobody refreshes.

use std::time::Duration;

use huihu_sip::{LegKey, Settings};

use crate::crossings::assert_one_end_each;
use crate::far::{Far, LEG, Reply, SDP};
use crate::world::Side::{Callee, Caller};
use crate::world::World;

const SECOND: u64 = 1_000;
const KNOWN: &str = "Supported: timer\r\n";
const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"trunk\", nonce=\"n1\", qop=\"auth\"";

/// A call whose answer had these headers.
fn answered(headers: &[&str]) -> Far {
    let mut far = Far::calling();
    let reply = headers.iter().fold(Reply::new(200).contact().sdp(), |reply, line| reply.header(line));
    far.replies("INVITE", reply);
    far
}

fn without_timers(settings: &mut Settings) {
    settings.session.interval = None;
}

#[test]
fn an_invite_asks_for_half_an_hour_and_leaves_the_refresher_open() {
    let far = Far::calling();
    assert_eq!(far.header("INVITE", "Session-Expires"), "1800");
    assert_eq!(far.header("INVITE", "Supported"), "100rel, timer");
    assert_eq!(far.header("INVITE", "Min-SE"), "", "90 needs no saying");

    let mut far = Far::with(without_timers);
    far.call(|_| {});
    assert_eq!(far.header("INVITE", "Session-Expires"), "");
    assert_eq!(far.header("INVITE", "Supported"), "100rel, timer", "what the peer wants is honoured");

    let mut far = Far::with(|settings| settings.session.least = Duration::from_secs(600));
    far.call(|_| {});
    assert_eq!(far.header("INVITE", "Min-SE"), "600");
}

#[test]
fn without_the_header_in_the_answer_the_call_has_no_end() {
    let mut far = answered(&[]);
    far.wait(10_000 * SECOND);
    assert_eq!(far.wire(), "INVITE ACK");
    assert_eq!(far.story(), "Answered fork 0 sdp");
}

#[test]
fn we_refresh_by_update_at_half_time_where_it_is_allowed() {
    let mut far =
        answered(&["Session-Expires: 600;refresher=uac", "Require: timer", "Allow: INVITE, UPDATE"]);
    far.wait(299 * SECOND);
    assert_eq!(far.tries("UPDATE"), 0);
    far.wait(2 * SECOND);
    assert_eq!(far.header("UPDATE", "Session-Expires"), "600;refresher=uac");
    assert!(far.last("UPDATE").ends_with("\r\nContent-Length: 0\r\n\r\n"), "a sign of life, no offer");
    far.replies("UPDATE", Reply::new(200).header("Session-Expires: 400;refresher=uac"));
    far.wait(201 * SECOND);
    assert_eq!(far.tries("UPDATE"), 2, "the new interval counts from its answer");
    far.replies("UPDATE", Reply::new(200));
    far.wait(201 * SECOND);
    assert_eq!(far.tries("UPDATE"), 3, "an answer that forgets the header changes nothing");
    assert_eq!(far.story(), "Answered fork 0 sdp");
}

#[test]
fn we_refresh_by_reinvite_where_update_is_unknown() {
    let mut far = answered(&["Session-Expires: 600;refresher=uac"]);
    far.wait(300_100);
    assert_eq!(far.wire(), "INVITE ACK INVITE");
    assert_eq!(far.header("INVITE", "Session-Expires"), "600;refresher=uac");
    assert!(far.last("INVITE").ends_with(SDP), "the session as it is");
    far.replies("INVITE", Reply::new(200).contact().header("Session-Expires: 600;refresher=uac").sdp());
    assert_eq!(far.story(), "Answered fork 0 sdp, OfferAnswered");
    far.wait(301 * SECOND);
    assert_eq!(far.tries("INVITE"), 3);

    // Its Allow was a lie.
    let mut far = answered(&["Session-Expires: 600;refresher=uac", "Allow: UPDATE"]);
    far.wait(300_100);
    far.replies("UPDATE", Reply::new(501));
    assert_eq!(far.wire(), "INVITE ACK UPDATE INVITE");
}

#[test]
fn a_call_that_the_peer_does_not_refresh_ends_by_itself() {
    let mut far = answered(&["Session-Expires: 90;refresher=uas"]);
    far.wait(59 * SECOND);
    assert_eq!(far.wire(), "INVITE ACK");
    far.wait(2 * SECOND);
    assert_eq!(far.header("BYE", "Reason"), "SIP;cause=408");
    assert_eq!(far.story(), "Answered fork 0 sdp, Ended by expiry", "without waiting for the dead");
    far.run_out();
    assert_eq!(far.told.len(), 2);
}

#[test]
fn a_refresh_of_the_peer_winds_the_call_up() {
    let mut far = answered(&["Session-Expires: 600;refresher=uas"]);
    for _ in 0..5 {
        far.wait(300 * SECOND);
        far.asks("UPDATE", &format!("{KNOWN}Session-Expires: 600;refresher=uac\r\n"), "");
        assert_eq!(far.header("SIP/2.0 200", "Session-Expires"), "600;refresher=uac");
        assert_eq!(far.header("SIP/2.0 200", "Require"), "timer");
    }
    far.wait(569 * SECOND);
    assert_eq!(far.story(), "Answered fork 0 sdp, Ended by expiry");
}

#[test]
fn a_reinvite_that_refreshes_settles_the_roles_anew() {
    let mut far = answered(&["Session-Expires: 600;refresher=uas"]);
    let asked = format!("{KNOWN}Session-Expires: 300;refresher=uas\r\nContent-Type: application/sdp\r\n");
    far.asks("INVITE", &asked, SDP);
    far.act(|near, now, out| near.answer_offer(LEG, SDP.as_bytes(), now, out));
    assert_eq!(far.header("SIP/2.0 200", "Session-Expires"), "300;refresher=uas");
    far.asks_with("ACK", 101, "", "");
    far.wait(151 * SECOND);
    assert_eq!(far.tries("INVITE"), 2, "now it is our turn");
}

#[test]
fn a_refused_refresh_is_tried_until_the_session_expires() {
    let mut far = answered(&["Session-Expires: 600;refresher=uac", "Allow: UPDATE"]);
    far.wait(301 * SECOND);
    far.replies("UPDATE", Reply::new(500).header("Retry-After: 55"));
    far.wait(54 * SECOND);
    assert_eq!(far.tries("UPDATE"), 1);
    far.wait(2 * SECOND);
    assert_eq!(far.tries("UPDATE"), 2);
    for _ in 0..4 {
        far.replies("UPDATE", Reply::new(488));
        far.wait(51 * SECOND);
    }
    assert_eq!(far.tries("UPDATE"), 6);
    assert_eq!(far.story(), "Answered fork 0 sdp");
    far.wait(10 * SECOND);
    assert_eq!(far.story(), "Answered fork 0 sdp, Ended by expiry");
    far.run_out();
}

#[test]
fn a_dead_peer_is_found_out_by_our_refresh() {
    let mut far = answered(&["Session-Expires: 600;refresher=uac", "Allow: UPDATE"]);
    far.wait(333 * SECOND);
    assert_eq!(far.tries("BYE"), 1, "64*T1 after the refresh");
    far.run_out();
    assert_eq!(far.story(), "Answered fork 0 sdp, Ended by us");
}

#[test]
fn too_short_a_session_is_asked_for_once_more_with_a_longer_one() {
    let mut far = Far::calling();
    far.replies("INVITE", Reply::new(422).header("Min-SE: 3600"));
    assert_eq!(far.wire(), "INVITE ACK INVITE");
    assert_eq!(far.header("INVITE", "Session-Expires"), "3600");
    assert_eq!(far.header("INVITE", "Min-SE"), "3600");
    assert_eq!(far.header("INVITE", "CSeq"), "2 INVITE");
    assert!(far.header("INVITE", "Via").ends_with(";branch=z9hG4bKfirst-2"));
    far.replies("INVITE", Reply::new(200).contact().header("Session-Expires: 3600;refresher=uac").sdp());
    far.wait(1_801 * SECOND);
    assert_eq!(far.header("INVITE", "Session-Expires"), "3600;refresher=uac");
    assert_eq!(far.header("INVITE", "Min-SE"), "3600", "RFC 4028 7.4");
    far.replies("INVITE", Reply::new(422).header("Min-SE: 4000"));
    assert_eq!(far.header("INVITE", "Session-Expires"), "4000;refresher=uac");
    assert_eq!(far.header("INVITE", "CSeq"), "4 INVITE");
}

#[test]
fn nobody_haggles_for_ever() {
    for nonsense in ["Min-SE: 1800", "Min-SE: 90", "Min-SE: 4000000000", "X-Min: 1"] {
        let mut far = Far::calling();
        far.replies("INVITE", Reply::new(422).header(nonsense));
        assert_eq!(far.story(), "Failed 422", "{nonsense}");
    }
    let mut far = Far::calling();
    for least in 2_001..2_010 {
        far.replies("INVITE", Reply::new(422).header(&format!("Min-SE: {least}")));
    }
    assert_eq!((far.tries("INVITE"), far.story().as_str()), (4, "Failed 422"));
}

#[test]
fn a_challenge_after_the_longer_session_is_answered_too() {
    let mut far = Far::new();
    far.call(|invite| {
        invite.credentials = Some(huihu_sip::digest::Credentials::new("user".into(), "secret".into()));
    });
    far.replies("INVITE", Reply::new(401).header(CHALLENGE));
    far.replies("INVITE", Reply::new(422).header("Min-SE: 3600"));
    assert_eq!(far.header("INVITE", "Authorization"), "", "its count is used up");
    far.replies("INVITE", Reply::new(401).header(CHALLENGE));
    assert!(far.header("INVITE", "Authorization").contains("nc=00000002"));
    assert_eq!(far.header("INVITE", "Session-Expires"), "3600");
}

#[test]
fn a_session_shorter_than_ours_is_refused_with_what_we_take() {
    let mut far = Far::talking();
    far.asks("UPDATE", &format!("{KNOWN}Session-Expires: 60\r\n"), "");
    assert_eq!(far.header("SIP/2.0 422", "Min-SE"), "90");
    far.asks("INVITE", &format!("{KNOWN}Session-Expires: 89\r\nContent-Type: application/sdp\r\n"), SDP);
    assert_eq!(far.count("SIP/2.0 422"), 2);
    assert_eq!(far.story(), "Answered fork 0 sdp");
    far.asks("UPDATE", "Session-Expires: 60\r\n", "");
    assert_eq!(
        far.header("SIP/2.0 200", "Session-Expires"),
        "90;refresher=uas",
        "it would not know what 422 means"
    );
}

#[test]
fn two_endpoints_of_ours_refresh_each_other_for_a_day() {
    let mut world = World::new(1);
    world.talk();
    world.run(24 * 3_600 * SECOND);
    let refreshes = world.sent.iter().filter(|(_, line)| line == "UPDATE").count();
    assert_eq!(refreshes, 95, "every 900 s");
    assert!(!world.story(Caller).contains("Ended") && !world.story(Callee).contains("Ended"));
    world.close();
    world.assert_empty();
}

#[test]
fn when_the_wire_is_cut_both_sides_end_within_the_interval() {
    let mut world = World::new(1);
    world.talk();
    world.net.loss_percent = 100;
    world.run(1_800 * SECOND);
    assert_eq!((world.caller.load().legs, world.callee.load().legs), (0, 0));
    let ends = format!("{} | {}", world.story(Caller), world.story(Callee));
    assert!(ends.contains("Ended by expiry") && ends.contains("Ended by us"), "{ends}");
    assert_one_end_each(&world, "a cut wire");
}

#[test]
fn a_call_that_came_in_is_refreshed_by_whoever_knows_how() {
    let mut far = Far::with(|settings| settings.accept_calls = true);
    let incoming = LegKey(LegKey::INCOMING);
    let invite = |headers: &str| {
        format!(
            "INVITE sip:a@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKin\r\nFrom: <sip:b@h>;tag=far\r\n\
             To: <sip:a@10.0.0.1>\r\nCall-ID: in\r\nCSeq: 7 INVITE\r\nContact: <sip:b@10.0.0.2:5060>\r\n{headers}\
             Content-Type: application/sdp\r\n\r\n{SDP}"
        )
    };
    far.says(invite(&format!("{KNOWN}Session-Expires: 60\r\n")).replace("z9hG4bKin", "z9hG4bKshort"));
    assert_eq!(far.header("SIP/2.0 422", "Min-SE"), "90");
    assert!(far.told.is_empty());
    far.says(invite("Session-Expires: 600\r\n"));
    far.act(|near, now, out| near.answer(incoming, SDP.as_bytes(), now, out));
    assert_eq!(
        far.header("SIP/2.0 200", "Session-Expires"),
        "600;refresher=uas",
        "a proxy asked, so it is us"
    );
    assert_eq!(far.header("SIP/2.0 200", "Require"), "");
}
