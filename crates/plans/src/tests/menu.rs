//! The menu's diagram, arrow by arrow.

use std::time::Duration;

use base::clip::{ClipKey, SystemClip};
use base::id::Leg::{A, B};
use base::number::E164;
use base::order::{self, Choice, MenuNode, MenuTree, Then};
use base::private::Private;
use base::release::Cause;

use super::script::{Script, script};
use crate::menu::Menu;

// A node is known by the digit that is its prompt: node 0 says 0.
const WRONG: ClipKey = ClipKey::System(SystemClip::HintTone);
const BYE: ClipKey = ClipKey::System(SystemClip::LastMinute);

fn menu_of(nodes: Vec<MenuNode<ClipKey>>, bye: Option<ClipKey>) -> order::Menu<ClipKey> {
    order::Menu {
        callee: E164::parse("+8613800000001").unwrap(),
        shown: E164::parse("+8675500000001").unwrap(),
        tree: MenuTree { nodes, bye },
    }
}

/// A node that is played twice, waits four seconds and goes where its keys lead.
fn node(no: u8, choices: &[(char, Then)], wrong: Option<ClipKey>) -> MenuNode<ClipKey> {
    MenuNode {
        prompt: ClipKey::System(SystemClip::Digit(no)),
        choices: choices.iter().map(|(key, then)| Choice { key: *key, then: *then }).collect(),
        wait: Duration::from_secs(4),
        plays: 2,
        wrong,
    }
}

/// Root 0: 1 leads to node 1 and 2 to leaf 2, 0 out. Node 1: * leads back and 2 to leaf 2.
pub(super) fn talkative() -> order::Menu<ClipKey> {
    let root = [('1', Then::Node(1)), ('2', Then::Node(2)), ('0', Then::End)];
    let below = [('*', Then::Node(0)), ('2', Then::Node(2))];
    menu_of(vec![node(0, &root, Some(WRONG)), node(1, &below, Some(WRONG)), node(2, &[], None)], Some(BYE))
}

/// Root 0: 1 leads to leaf 1. It says nothing else.
pub(super) fn terse() -> order::Menu<ClipKey> {
    menu_of(vec![node(0, &[('1', Then::Node(1))], None), node(1, &[], None)], None)
}

/// A root without keys.
pub(super) fn mute() -> order::Menu<ClipKey> {
    menu_of(vec![node(0, &[], None)], None)
}

fn menu(order: &order::Menu<ClipKey>, story: impl FnOnce(&mut Script)) {
    script(Menu::new(order), story);
}

/// Up to the moment when the first prompt is played.
fn asked(call: &mut Script) -> &mut Script {
    call.starts().does("dial A");
    call.rings(A).answers(A).does("play 0 to A")
}

/// Up to the moment when it is over.
fn waiting(call: &mut Script) -> &mut Script {
    asked(call).has_heard_it(A).does("")
}

#[test]
fn a_key_leads_to_a_leaf_and_the_call_ends() {
    menu(&talkative(), |call| {
        waiting(call).presses(A, '2').does("report 2 of A; play 2 to A");
        call.has_heard_it(A).does("play last-minute to A");
        call.has_heard_it(A).does("hang up A Platform Normal");
        call.is_gone(A).does("over Platform Normal");
    });
    menu(&terse(), |call| {
        waiting(call).presses(A, '1').does("report 1 of A; play 1 to A");
        call.has_heard_it(A).does("hang up A Platform Normal");
    });
}

#[test]
fn each_key_of_a_path_is_reported() {
    menu(&talkative(), |call| {
        waiting(call).presses(A, '1').does("report 1 of A; play 1 to A");
        call.has_heard_it(A).after_secs(3).presses(A, '*').does("report * of A; play 0 to A");
        call.has_heard_it(A).presses(A, '2').does("report 2 of A; play 2 to A");
    });
}

#[test]
fn a_key_may_lead_out() {
    menu(&talkative(), |call| {
        waiting(call).presses(A, '0').does("report 0 of A; play last-minute to A");
        call.has_heard_it(A).does("hang up A Platform Normal");
    });
}

#[test]
fn a_key_during_the_prompt_cuts_in() {
    menu(&talkative(), |call| {
        asked(call).presses(A, '1').does("report 1 of A; play 1 to A");
        call.presses(A, '2').does("report 2 of A; play 2 to A");
    });
    menu(&talkative(), |call| {
        asked(call).presses(A, '9').does("play hint-tone to A");
        call.presses(A, '1').does("report 1 of A; play 1 to A");
    });
}

#[test]
fn who_presses_nothing_hears_the_prompt_again_and_then_the_end() {
    menu(&talkative(), |call| {
        waiting(call).deadline_after_secs(4).does("play 0 to A");
        call.has_heard_it(A).deadline_after_secs(4).does("play last-minute to A");
        call.has_heard_it(A).does("hang up A Platform NoDigits");
        call.is_gone(A).does("over Platform NoDigits");
    });
    menu(&terse(), |call| {
        waiting(call).deadline_after_secs(4).does("play 0 to A");
        call.has_heard_it(A).deadline_after_secs(4).does("hang up A Platform NoDigits");
    });
}

#[test]
fn who_chose_once_and_then_nothing_has_pressed_a_key() {
    menu(&talkative(), |call| {
        waiting(call).presses(A, '1').does("report 1 of A; play 1 to A");
        call.has_heard_it(A).deadline_after_secs(4).does("play 1 to A");
        call.has_heard_it(A).deadline_after_secs(4).does("play last-minute to A");
        call.has_heard_it(A).does("hang up A Platform Normal");
    });
}

#[test]
fn a_node_that_is_come_to_again_has_all_its_plays() {
    menu(&talkative(), |call| {
        waiting(call).deadline_after_secs(4).does("play 0 to A");
        call.presses(A, '1').presses(A, '*').does("report 1 of A; play 1 to A; report * of A; play 0 to A");
        call.has_heard_it(A).deadline_after_secs(4).does("play 0 to A");
        call.has_heard_it(A).deadline_after_secs(4).does("play last-minute to A");
    });
}

#[test]
fn a_key_that_leads_nowhere_costs_a_play() {
    menu(&talkative(), |call| {
        waiting(call).presses(A, '7').does("play hint-tone to A");
        call.has_heard_it(A).does("play 0 to A");
        call.has_heard_it(A).presses(A, '#').does("play hint-tone to A");
        call.has_heard_it(A).does("play last-minute to A");
        call.has_heard_it(A).does("hang up A Platform NoDigits");
    });
    menu(&terse(), |call| {
        waiting(call).presses(A, 'D').does("play 0 to A");
        call.presses(A, '2').does("hang up A Platform NoDigits");
    });
}

#[test]
fn a_prompt_that_asks_for_nothing_is_not_stopped_by_keys() {
    menu(&mute(), |call| {
        asked(call).presses(A, '1').does("");
        call.has_heard_it(A).does("hang up A Platform Normal");
    });
    menu(&talkative(), |call| {
        asked(call).presses(A, '0').does("report 0 of A; play last-minute to A");
        call.presses(A, '1').does("");
    });
}

#[test]
fn a_key_that_leads_to_no_node_leads_out() {
    menu(&menu_of(vec![node(0, &[('1', Then::Node(9))], None)], Some(BYE)), |call| {
        waiting(call).presses(A, '1').does("report 1 of A; play last-minute to A");
    });
    menu(&menu_of(Vec::new(), None), |call| {
        call.starts().answers(A).does("dial A; hang up A Platform Normal");
    });
}

#[test]
fn a_circle_ends_with_the_longest_announcement() {
    menu(&talkative(), |call| {
        waiting(call).after_secs(3).presses(A, '1').after_secs(500).presses(A, '*').after_secs(90);
        call.does("report 1 of A; play 1 to A; report * of A; play 0 to A");
        call.has_heard_it(A).deadline_after_secs(4).does("play 0 to A");
        call.deadline_after_secs(3).does("hang up A Platform TimeOver");
        call.is_gone(A).does("over Platform TimeOver");
    });
    menu(&talkative(), |call| {
        asked(call).after_secs(598).has_heard_it(A).deadline_after_secs(2);
        call.does("hang up A Platform TimeOver");
    });
    menu(&talkative(), |call| {
        asked(call).after_secs(599).presses(A, '0').does("report 0 of A; play last-minute to A");
        call.deadline_after_secs(1).does("hang up A Platform TimeOver");
    });
}

#[test]
fn what_cannot_be_said_dials_nobody() {
    menu(&talkative(), |call| {
        call.has_no_words().starts().does("over Platform SpeechFault");
    });
}

#[test]
fn a_clip_that_cannot_be_played_ends_the_call() {
    menu(&talkative(), |call| {
        asked(call).cannot_hear_it(A).does("hang up A Platform ClipFault");
        call.is_gone(A).does("over Platform ClipFault");
    });
    menu(&talkative(), |call| {
        asked(call).presses(A, '9').lacks_it(A).does("play hint-tone to A; hang up A Platform ClipMissing");
    });
    menu(&talkative(), |call| {
        asked(call).presses(A, '0').does("report 0 of A; play last-minute to A");
        call.cannot_hear_it(A).does("hang up A Platform ClipFault");
    });
}

#[test]
fn the_party_does_not_answer_in_time() {
    menu(&talkative(), |call| {
        call.starts().rings(A).does("dial A");
        call.deadline_after_secs(60).does("hang up A Platform RingTimeout");
        call.is_gone(A).does("over Platform RingTimeout A");
    });
}

#[test]
fn the_party_may_be_gone_at_any_time() {
    menu(&talkative(), |call| {
        call.starts().fails(A, Cause::Busy, 486).does("dial A; over Caller Busy A");
    });
    menu(&talkative(), |call| {
        asked(call).hangs_up(A).does("over Caller Normal A");
    });
    menu(&talkative(), |call| {
        waiting(call).hangs_up(A).does("over Caller Normal A");
    });
    menu(&talkative(), |call| {
        waiting(call).presses(A, '9').hangs_up(A).does("play hint-tone to A; over Caller Normal A");
    });
    menu(&talkative(), |call| {
        waiting(call).presses(A, '0').does("report 0 of A; play last-minute to A");
        call.hangs_up(A).does("over Caller Normal A");
    });
}

#[test]
fn a_stop_hangs_up() {
    menu(&talkative(), |call| {
        call.is_stopped().starts().does("over Customer Stopped");
    });
    menu(&talkative(), |call| {
        call.starts().is_stopped().does("dial A; hang up A Customer Stopped");
        call.is_gone(A).does("over Customer Stopped");
    });
    menu(&talkative(), |call| {
        asked(call).is_stopped().does("hang up A Customer Stopped");
    });
    menu(&talkative(), |call| {
        waiting(call).is_stopped().does("hang up A Customer Stopped");
        call.deadline_after_secs(32).does("over Customer Stopped");
    });
    menu(&talkative(), |call| {
        waiting(call).presses(A, '9').is_stopped().does("play hint-tone to A; hang up A Customer Stopped");
    });
    menu(&talkative(), |call| {
        waiting(call).presses(A, '0').does("report 0 of A; play last-minute to A");
        call.is_stopped().does("hang up A Customer Stopped");
    });
}

#[test]
fn late_news_and_news_of_others_change_nothing() {
    menu(&talkative(), |call| {
        call.presses(A, '1').starts().presses(A, '1').does("dial A");
        call.answers(A).does("play 0 to A");
        call.has_heard_it(A).does("");
        call.has_heard_it(A).cannot_hear_it(A).answers(A).rings(A).has_no_words().does("");
        call.presses(B, '1').hears(crate::Event::Deadline).does("");
        call.is_stopped().presses(A, '1').has_heard_it(A).does("hang up A Customer Stopped");
        call.is_gone(A).does("over Customer Stopped");
        call.is_gone(A).presses(A, '1').is_stopped().deadline().does("");
    });
}

#[test]
fn which_key_was_pressed_is_in_no_debug_output() {
    let shown = |digit| {
        let mut call = Menu::new(&talkative());
        let mut todo = crate::Todo::new();
        let now = base::time::Instant::START;
        crate::Plan::start(&mut call, now, &mut todo);
        crate::Plan::on(&mut call, now, crate::Event::Answered { leg: A }, &mut todo);
        let key = crate::Event::Digit { leg: A, digit: Private::new(digit) };
        crate::Plan::on(&mut call, now, key, &mut todo);
        format!("{call:?} {todo:?}")
    };
    assert_eq!(shown('1'), shown('2'));
}
