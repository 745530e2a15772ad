//! The verification code's diagram, arrow by arrow.

use base::clip::{ClipKey, SystemClip};
use base::id::Leg::A;
use base::number::E164;
use base::order::{self, Repeats};
use base::private::Private;
use base::release::Cause;

use super::script::{Script, script};
use crate::code::Code;

/// `4711`, said so many times.
pub(super) fn said(times: Option<u8>) -> order::Code<ClipKey> {
    order::Code {
        callee: E164::parse("+8613800000001").unwrap(),
        shown: E164::parse("+8675500000001").unwrap(),
        before: ClipKey::System(SystemClip::Transferring),
        digits: Private::new(vec![4, 7, 1, 1]),
        after: None,
        times,
        repeats: Repeats::Digits,
    }
}

/// With a clip after it.
pub(super) fn with_goodbye() -> order::Code<ClipKey> {
    order::Code { after: Some(ClipKey::System(SystemClip::HintTone)), ..said(Some(1)) }
}

/// With a clip after it, and everything said so many times.
pub(super) fn whole(times: Option<u8>) -> order::Code<ClipKey> {
    order::Code { times, repeats: Repeats::Everything, ..with_goodbye() }
}

fn code(order: &order::Code<ClipKey>, story: impl FnOnce(&mut Script)) {
    script(Code::new(order), story);
}

fn answered(call: &mut Script) -> &mut Script {
    call.starts().does("dial A");
    call.rings(A).answers(A).does("play transferring to A")
}

#[test]
fn a_code_is_said_and_the_call_ends() {
    code(&with_goodbye(), |call| {
        answered(call).has_heard_it(A).does("play 4 7 1 1 - to A");
        call.has_heard_it(A).does("play hint-tone to A");
        call.has_heard_it(A).does("hang up A Platform Normal");
        call.is_gone(A).does("over Platform Normal");
    });
}

#[test]
fn each_repetition_has_a_pause_after_it() {
    code(&said(Some(3)), |call| {
        answered(call).has_heard_it(A).does("play 4 7 1 1 - 4 7 1 1 - 4 7 1 1 - to A");
        call.has_heard_it(A).does("hang up A Platform Normal");
    });
}

#[test]
fn everything_is_said_again_after_a_pause() {
    code(&whole(Some(2)), |call| {
        answered(call).has_heard_it(A).does("play 4 7 1 1 - to A");
        call.has_heard_it(A).does("play hint-tone - to A");
        call.has_heard_it(A).does("play transferring to A");
        call.has_heard_it(A).does("play 4 7 1 1 - to A");
        call.has_heard_it(A).does("play hint-tone to A");
        call.has_heard_it(A).does("hang up A Platform Normal");
        call.is_gone(A).does("over Platform Normal");
    });
    code(&order::Code { after: None, ..whole(Some(2)) }, |call| {
        answered(call).has_heard_it(A).does("play 4 7 1 1 - to A");
        call.has_heard_it(A).does("play transferring to A");
        call.has_heard_it(A).has_heard_it(A).does("play 4 7 1 1 - to A; hang up A Platform Normal");
    });
    code(&whole(Some(1)), |call| {
        answered(call).has_heard_it(A).has_heard_it(A).does("play 4 7 1 1 - to A; play hint-tone to A");
        call.has_heard_it(A).does("hang up A Platform Normal");
    });
}

#[test]
fn everything_without_end_ends_with_the_longest_announcement() {
    code(&whole(None), |call| {
        answered(call).after_secs(4).has_heard_it(A).does("play 4 7 1 1 - to A");
        call.after_secs(4).has_heard_it(A).does("play hint-tone - to A");
        call.after_secs(4).has_heard_it(A).does("play transferring to A");
        call.deadline_after_secs(588).does("hang up A Platform TimeOver");
        call.is_gone(A).does("over Platform TimeOver");
    });
}

#[test]
fn a_code_without_end_is_looped_until_the_time_is_over() {
    code(&said(None), |call| {
        answered(call).after_secs(5).has_heard_it(A).does("loop 4 7 1 1 - to A");
        call.deadline_after_secs(595).does("hang up A Platform TimeOver");
        call.is_gone(A).does("over Platform TimeOver");
    });
}

#[test]
fn the_party_may_hang_up_at_any_time() {
    code(&with_goodbye(), |call| {
        answered(call).hangs_up(A).does("over Caller Normal A");
    });
    code(&with_goodbye(), |call| {
        answered(call).has_heard_it(A).does("play 4 7 1 1 - to A");
        call.hangs_up(A).does("over Caller Normal A");
    });
    code(&with_goodbye(), |call| {
        answered(call).has_heard_it(A).has_heard_it(A).does("play 4 7 1 1 - to A; play hint-tone to A");
        call.hangs_up(A).does("over Caller Normal A");
    });
}

#[test]
fn the_party_does_not_answer_in_time() {
    code(&said(Some(1)), |call| {
        call.starts().rings(A).does("dial A");
        call.deadline_after_secs(60).does("hang up A Platform RingTimeout");
        call.is_gone(A).does("over Platform RingTimeout A");
    });
}

#[test]
fn the_party_is_busy() {
    code(&said(Some(1)), |call| {
        call.starts().fails(A, Cause::Busy, 486).does("dial A; over Caller Busy A");
    });
}

#[test]
fn a_code_that_cannot_be_played_ends_the_call() {
    code(&said(Some(1)), |call| {
        answered(call).cannot_hear_it(A).does("hang up A Platform ClipFault");
        call.is_gone(A).does("over Platform ClipFault");
    });
    code(&said(Some(1)), |call| {
        answered(call).has_heard_it(A).does("play 4 7 1 1 - to A");
        call.lacks_it(A).does("hang up A Platform ClipMissing");
    });
}

#[test]
fn a_clip_that_never_ends_does_not_hold_the_line() {
    code(&with_goodbye(), |call| {
        answered(call).deadline_after_secs(600).does("hang up A Platform TimeOver");
    });
    code(&with_goodbye(), |call| {
        answered(call).has_heard_it(A).has_heard_it(A).does("play 4 7 1 1 - to A; play hint-tone to A");
        call.deadline_after_secs(600).does("hang up A Platform TimeOver");
    });
}

#[test]
fn a_stop_hangs_up() {
    code(&said(Some(1)), |call| {
        call.is_stopped().starts().does("over Customer Stopped");
    });
    code(&said(Some(1)), |call| {
        call.starts().is_stopped().does("dial A; hang up A Customer Stopped");
        call.is_gone(A).does("over Customer Stopped");
    });
    code(&said(None), |call| {
        answered(call).has_heard_it(A).does("loop 4 7 1 1 - to A");
        call.is_stopped().does("hang up A Customer Stopped");
    });
}

#[test]
fn a_leg_that_never_confirms_is_forgotten() {
    code(&said(Some(1)), |call| {
        answered(call).is_stopped().does("hang up A Customer Stopped");
        call.deadline_after_secs(32).does("over Customer Stopped");
    });
}

#[test]
fn keys_and_late_news_change_nothing() {
    code(&said(Some(1)), |call| {
        answered(call).presses(A, '1').answers(A).rings(A).sends_early_media(A).does("");
        call.hears(crate::Event::Deadline).does("");
        call.is_stopped().has_heard_it(A).answers(A).does("hang up A Customer Stopped");
        call.is_gone(A).does("over Customer Stopped");
        call.is_gone(A).is_stopped().deadline().does("");
    });
}

#[test]
fn the_code_is_in_no_debug_output() {
    let plan = Code::new(&said(Some(2)));
    assert!(!format!("{plan:?}").contains('4'));
    let mut todo = crate::Todo::new();
    todo.play(A, [ClipKey::System(SystemClip::Digit(4))], crate::Repeat::Once);
    assert!(!format!("{todo:?}").contains('4'));
}

#[test]
fn what_cannot_be_said_dials_nobody() {
    code(&said(Some(1)), |call| {
        call.has_no_words().starts().does("over Platform SpeechFault");
    });
}
