//! After a crash: another process releases what the first one left.

use crate::far::{Far, LEG, Reply};
use huihu_sip::{Adopted, Reason, Saved};

/// Another process, which knows only what was saved.
fn adopting(saved: &Saved) -> Far {
    let text = serde_json::to_string(saved).expect("what is saved can be written");
    let saved = serde_json::from_str(&text).expect("and read");
    let mut far = Far::new();
    let adopted = Adopted { saved, credentials: None, reason: Some(Reason::q850(41)) };
    far.act(|near, now, out| near.adopt(LEG, adopted, now, out));
    far
}

fn invite_of(far: &mut Far, before: &Far) {
    far.heard.push(before.heard[0].clone());
}

#[test]
fn an_answered_leg_gets_a_bye_that_is_in_order() {
    let mut before = Far::calling();
    let answer = Reply::new(200).header("Record-Route: <sip:10.0.0.9;lr>").contact().sdp();
    before.replies("INVITE", answer);
    let mut far = adopting(&before.near.saved(LEG).unwrap());
    assert_eq!(far.wire(), "BYE");
    assert!(far.last("BYE").starts_with("BYE sip:b@10.0.0.2:5060 "));
    assert_eq!(far.header("BYE", "CSeq"), "1002 BYE");
    assert_eq!(far.header("BYE", "Route"), "<sip:10.0.0.9;lr>");
    assert_eq!(far.header("BYE", "Reason"), "Q.850;cause=41");
    for (name, ours) in [("From", before.header("ACK", "From")), ("To", before.header("ACK", "To"))] {
        assert_eq!(far.header("BYE", name), ours);
    }
    let reply = far.reply_text("BYE", &Reply::new(481));
    far.says_from(std::net::SocketAddr::from(([10, 0, 0, 9], 5060)), reply);
    assert_eq!(far.story(), "Ended by us");
    far.run_out();
}

#[test]
fn a_ringing_leg_is_cancelled_and_its_early_dialog_ended() {
    let mut before = Far::calling();
    before.replies("INVITE", Reply::new(180).contact());
    let mut far = adopting(&before.near.saved(LEG).unwrap());
    assert_eq!(far.wire(), "CANCEL BYE");
    for name in ["Via", "From", "To", "Call-ID"] {
        assert_eq!(far.header("CANCEL", name), before.header("INVITE", name));
    }
    assert_eq!(far.header("CANCEL", "CSeq"), "1 CANCEL");
    far.replies("BYE", Reply::new(200));
    invite_of(&mut far, &before);
    far.replies("INVITE", Reply::new(487));
    assert_eq!(far.count("ACK"), 1);
    assert_eq!(far.story(), "Failed 487");
    far.run_out();
}

#[test]
fn an_answer_that_crossed_the_crash_is_acknowledged_and_released() {
    let before = Far::calling();
    let mut far = adopting(&before.near.saved(LEG).unwrap());
    assert_eq!(far.wire(), "CANCEL");
    far.replies("CANCEL", Reply::new(481));
    invite_of(&mut far, &before);
    far.replies("INVITE", Reply::new(200).contact().sdp());
    assert_eq!(far.wire(), "CANCEL INVITE ACK BYE");
    far.replies("BYE", Reply::new(200));
    assert_eq!(far.story(), "Ended by us");
    far.run_out();
}

#[test]
fn what_the_owner_chose_is_enough() {
    let before = Far::calling();
    let saved = Saved::of_invite(&crate::far::invite(([10, 0, 0, 2], 5060).into()));
    assert_eq!(Some(&saved), before.near.saved(LEG).as_ref());
    let mut far = adopting(&saved);
    far.run_out();
    assert_eq!(far.story(), "Failed 408 local");
}

#[test]
fn what_is_over_leaves_nothing_to_save() {
    let mut far = Far::calling();
    far.replies("INVITE", Reply::new(486));
    assert_eq!(far.near.saved(LEG), None);
}
