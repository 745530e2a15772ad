//! Orders that pass both doors, and what every explanation has in common.

mod any_order;
mod conflicts;

use base::account::{AppState, Review};
use base::clip::{ClipKey, ClipWish, SystemClip};
use base::id::{AppId, CallId, ClipId};
use base::order::Product;
use base::refusal::Refusal;

use crate::story::{self, NOW, Story};

#[test]
fn an_admitted_order_becomes_a_call() {
    let call = Story::callback().with_random(5).admitted().admitted.call;
    assert_eq!(call.id, CallId::new(NOW, 5));
    assert_eq!(
        (&*call.dialect, &*call.node, &*call.account, &*call.key),
        ("huawei", "node1", "acme", "key1")
    );
    assert_eq!((call.app, call.accepted_at), (AppId(7), NOW));
    assert_eq!(call.user_data.as_deref(), Some("order 66"));
    assert!(call.tell_who_hung_up);
}

#[test]
fn names_of_clips_become_their_content() {
    let mut story = Story::callback();
    story.account.clips.insert("bye.wav".into(), story::voice_file(9, Review::Approved));
    story.limit_talk(ClipWish::Named("bye.wav".into()));
    let Product::Callback(call) = story.admitted().admitted.call.product else { panic!("it is a callback") };
    assert_eq!(call.longest.unwrap().last_minute, ClipKey::Uploaded(ClipId::from_bytes([9; 16])));
    assert_eq!(call.wait_voice, ClipKey::System(SystemClip::RingBack));
}

#[test]
fn a_code_keeps_its_digits_and_repetitions() {
    let Product::Code(call) = Story::code().admitted().admitted.call.product else { panic!("it is a code") };
    assert_eq!(call.digits.expose(), &[4, 7, 1, 1]);
    assert_eq!(call.times, Some(3));
}

#[test]
fn the_orders_receiver_comes_before_the_apps() {
    let mut story = Story::callback();
    let call = story.admitted().admitted.call;
    assert_eq!((call.status_url, call.fee_url), (story::url("https://shop.example/status"), None));
    story.told(story::url("https://other.example/status"), None);
    let call = story.admitted().admitted.call;
    assert_eq!(call.status_url, story::url("https://other.example/status"));
}

#[test]
fn whoever_wants_a_report_is_told_nothing_else() {
    let mut story = Story::menu().reported();
    story.placing.asked_shown = Some("075500000001".into());
    let call = story.admitted().admitted.call;
    assert_eq!((call.status_url, call.fee_url), (None, None));
    assert_eq!(call.report_url, story::url("https://shop.example/report"));
    assert_eq!(call.asked_shown.as_deref(), Some("075500000001"));
    story.account.app.report_url = None;
    assert_eq!(story.admitted().admitted.call.report_url, None, "then nobody is told");
    assert_eq!(Story::menu().admitted().admitted.call.report_url, None);
}

#[test]
fn a_menu_keeps_its_choices() {
    let story = Story::menu();
    let (Product::Menu(asked), Product::Menu(call)) =
        (&story.placing.product, story.admitted().admitted.call.product)
    else {
        panic!("it is a menu")
    };
    let transferring = ClipKey::System(SystemClip::Transferring);
    assert_eq!(Ok::<_, ()>(call.tree), asked.tree.try_map(|_| Ok(transferring)));
}

#[test]
fn the_permit_rides_with_the_call() {
    let story = Story::callback();
    let admission = story.admitted();
    assert_eq!((story.app_ports.taken(), story.platform_ports.taken()), (1, 1));
    drop(admission);
    assert_eq!((story.app_ports.taken(), story.platform_ports.taken()), (0, 0));
}

#[test]
fn an_explanation_goes_on_after_the_first_no() {
    let mut story = Story::callback();
    story.account.app.state = AppState::Paused;
    story.account.app.ports = 0;
    let refusals: Vec<_> = story.explain().into_iter().filter_map(|finding| finding.refusal).collect();
    assert_eq!(refusals, [Refusal::AppPaused, Refusal::AppPortsTaken]);
}

#[test]
fn every_rule_has_its_own_words() {
    let mut names: Vec<_> = Story::callback().explain().into_iter().map(|finding| finding.rule).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
