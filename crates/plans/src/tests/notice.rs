//! The notice's diagram, arrow by arrow.

use base::clip::{ClipKey, SystemClip};
use base::id::Leg::{A, B};
use base::number::E164;
use base::order::{self, Collect, NoticeItem};
use base::private::Private;
use base::release::Cause;

use super::script::{Script, script};
use crate::notice::Notice;
use crate::plan::Treat;

const TRANSFERRING: ClipKey = ClipKey::System(SystemClip::Transferring);
const HINT: ClipKey = ClipKey::System(SystemClip::HintTone);

fn notice_of(items: Vec<NoticeItem<ClipKey>>) -> order::Notice<ClipKey> {
    order::Notice {
        callee: E164::parse("+8613800000001").unwrap(),
        shown: E164::parse("+8675500000001").unwrap(),
        items,
    }
}

const fn to_hear(voice: ClipKey) -> NoticeItem<ClipKey> {
    NoticeItem { voice, collect: None }
}

fn to_answer(digits_max: u8, replay_on: Option<&str>) -> NoticeItem<ClipKey> {
    let replay_on = replay_on.map(|keys| Private::new(keys.into()));
    NoticeItem { voice: TRANSFERRING, collect: Some(Collect { digits_max, replay_on }) }
}

/// So many items that are only heard.
pub(super) fn heard(items: usize) -> order::Notice<ClipKey> {
    notice_of(vec![to_hear(HINT); items])
}

/// One item that asks for keys.
pub(super) fn asking(digits_max: u8, replay_on: Option<&str>) -> order::Notice<ClipKey> {
    notice_of(vec![to_answer(digits_max, replay_on)])
}

/// An item that asks for keys, then one that is only heard.
pub(super) fn asking_then_heard(digits_max: u8) -> order::Notice<ClipKey> {
    notice_of(vec![to_answer(digits_max, None), to_hear(HINT)])
}

fn notice(order: &order::Notice<ClipKey>, story: impl FnOnce(&mut Script)) {
    script(Notice::new(order), story);
}

/// Up to the moment when the first item, which asks for keys, is played.
fn asked(call: &mut Script) -> &mut Script {
    call.starts().does("dial A");
    call.rings(A).answers(A).does("play transferring to A")
}

/// Up to the moment when it is over.
fn listening(call: &mut Script) -> &mut Script {
    asked(call).has_heard_it(A).does("")
}

#[test]
fn items_are_heard_one_after_the_other_and_the_call_ends() {
    notice(&heard(3), |call| {
        call.starts().answers(A).does("dial A; play hint-tone to A");
        call.has_heard_it(A).does("play hint-tone to A");
        call.has_heard_it(A).does("play hint-tone to A");
        call.has_heard_it(A).does("hang up A Platform Normal");
        call.is_gone(A).does("over Platform Normal");
    });
}

#[test]
fn the_last_key_that_is_wanted_ends_the_listening() {
    notice(&asking(2, None), |call| {
        listening(call).presses(A, '#').does("");
        call.presses(A, '1').does("report #1 of A; hang up A Platform Normal");
        call.is_gone(A).does("over Platform Normal");
    });
}

#[test]
fn fewer_keys_are_enough_when_no_more_come() {
    notice(&asking(4, None), |call| {
        listening(call).after_secs(4).presses(A, '1').after_secs(4).presses(A, '2').does("");
        call.deadline_after_secs(5).does("report 12 of A; hang up A Platform Normal");
    });
}

#[test]
fn who_presses_nothing_has_five_seconds() {
    notice(&asking(1, None), |call| {
        listening(call).deadline_after_secs(5).does("hang up A Platform NoDigits");
        call.is_gone(A).does("over Platform NoDigits");
    });
}

#[test]
fn the_first_key_stops_the_announcement() {
    notice(&asking(2, None), |call| {
        asked(call).presses(A, '1').does("silence A");
        call.has_heard_it(A).does("");
        call.after_secs(4).presses(A, '2').does("report 12 of A; hang up A Platform Normal");
    });
    notice(&asking(1, None), |call| {
        asked(call).presses(A, '7').does("silence A; report 7 of A; hang up A Platform Normal");
    });
    notice(&asking(2, None), |call| {
        asked(call).presses(A, '1').does("silence A");
        call.deadline_after_secs(5).does("report 1 of A; hang up A Platform Normal");
    });
}

#[test]
fn an_item_that_asks_for_nothing_is_not_stopped_by_keys() {
    notice(&heard(1), |call| {
        call.starts().answers(A).does("dial A; play hint-tone to A");
        call.presses(A, '1').does("");
        call.has_heard_it(A).does("hang up A Platform Normal");
    });
}

#[test]
fn the_keys_that_ask_for_it_repeat_the_item() {
    notice(&asking(1, Some("1")), |call| {
        listening(call).presses(A, '1').does("report 1 of A; play transferring to A");
        call.presses(A, '1').does("silence A; report 1 of A; play transferring to A");
        call.has_heard_it(A).presses(A, '2').does("report 2 of A; hang up A Platform Normal");
    });
}

#[test]
fn other_keys_end_a_call_that_could_have_repeated() {
    let order = notice_of(vec![to_answer(2, Some("11")), to_hear(HINT)]);
    notice(&order, |call| {
        listening(call).presses(A, '1').does("");
        call.deadline_after_secs(5).does("report 1 of A; hang up A Platform Normal");
    });
}

#[test]
fn after_the_keys_comes_the_next_item() {
    notice(&asking_then_heard(1), |call| {
        listening(call).presses(A, '5').does("report 5 of A; play hint-tone to A");
        call.has_heard_it(A).does("hang up A Platform Normal");
    });
    notice(&notice_of(vec![to_hear(HINT), to_answer(1, None)]), |call| {
        call.starts().answers(A).does("dial A; play hint-tone to A");
        call.has_heard_it(A).does("play transferring to A");
        call.has_heard_it(A).deadline_after_secs(5).does("hang up A Platform NoDigits");
    });
}

#[test]
fn repetitions_end_with_the_longest_announcement() {
    notice(&asking(1, Some("1")), |call| {
        listening(call).after_secs(500).presses(A, '1').does("report 1 of A; play transferring to A");
        call.deadline_after_secs(100).does("hang up A Platform TimeOver");
        call.is_gone(A).does("over Platform TimeOver");
    });
    notice(&asking(1, None), |call| {
        asked(call)
            .after_secs(598)
            .has_heard_it(A)
            .deadline_after_secs(2)
            .does("hang up A Platform TimeOver");
    });
}

#[test]
fn what_cannot_be_said_dials_nobody() {
    notice(&heard(1), |call| {
        call.has_no_words().starts().does("over Platform SpeechFault");
    });
}

#[test]
fn an_item_that_cannot_be_played_ends_the_call() {
    notice(&heard(2), |call| {
        call.starts().answers(A).does("dial A; play hint-tone to A");
        call.cannot_hear_it(A).does("hang up A Platform ClipFault");
        call.is_gone(A).does("over Platform ClipFault");
    });
    notice(&asking(1, None), |call| {
        asked(call).lacks_it(A).does("hang up A Platform ClipMissing");
    });
}

#[test]
fn the_party_does_not_answer_in_time() {
    notice(&heard(1), |call| {
        call.starts().rings(A).does("dial A");
        call.deadline_after_secs(60).does("hang up A Platform RingTimeout");
        call.is_gone(A).does("over Platform RingTimeout A");
    });
}

#[test]
fn the_party_may_be_gone_at_any_time() {
    notice(&heard(1), |call| {
        call.starts().fails(A, Cause::Busy, 486).does("dial A; over Caller Busy A");
    });
    notice(&asking(2, None), |call| {
        asked(call).hangs_up(A).does("over Caller Normal A");
    });
    notice(&asking(2, None), |call| {
        listening(call).presses(A, '1').hangs_up(A).does("over Caller Normal A");
    });
}

#[test]
fn a_stop_hangs_up() {
    notice(&heard(1), |call| {
        call.is_stopped().starts().does("over Customer Stopped");
    });
    notice(&heard(1), |call| {
        call.starts().is_stopped().does("dial A; hang up A Customer Stopped");
        call.is_gone(A).does("over Customer Stopped");
    });
    notice(&asking(1, None), |call| {
        asked(call).is_stopped().does("hang up A Customer Stopped");
    });
    notice(&asking(1, None), |call| {
        listening(call).is_stopped().does("hang up A Customer Stopped");
        call.deadline_after_secs(32).does("over Customer Stopped");
    });
}

#[test]
fn late_news_and_news_of_others_change_nothing() {
    notice(&asking(1, None), |call| {
        listening(call).has_heard_it(A).cannot_hear_it(A).answers(A).rings(A).has_no_words().does("");
        call.presses(B, '1').hears(crate::Event::Deadline).does("");
        call.is_stopped().presses(A, '1').has_heard_it(A).does("hang up A Customer Stopped");
        call.is_gone(A).does("over Customer Stopped");
        call.is_gone(A).presses(A, '1').is_stopped().deadline().does("");
    });
}

#[test]
fn no_key_is_in_any_debug_output() {
    let mut call = Notice::new(&asking(3, Some("987")));
    let mut todo = crate::Todo::new();
    let now = base::time::Instant::START;
    crate::Plan::start(&mut call, now, &mut todo);
    for event in [crate::Event::Answered { leg: A }, crate::Event::Digit { leg: A, digit: Private::new('4') }]
    {
        crate::Plan::on(&mut call, now, event, &mut todo);
    }
    let shown = format!("{call:?} {todo:?}");
    assert!(!shown.contains('4') && !shown.contains("987"), "{shown}");
}

#[test]
fn a_machine_is_hung_up_on() {
    notice(&heard(2), |call| {
        call.starts().answers(A).does("dial A; play hint-tone to A");
        call.is_a_machine(A, Treat::End).does("hang up A Platform Machine");
        call.is_gone(A).does("over Platform Machine");
    });
}

#[test]
fn a_machine_hears_everything_once_it_listens() {
    notice(&heard(2), |call| {
        call.starts().answers(A).has_heard_it(A);
        call.does("dial A; play hint-tone to A; play hint-tone to A");
        call.is_a_machine(A, Treat::Wait).does("silence A");
        call.has_heard_it(A).does("");
        call.is_a_machine(A, Treat::Begin).does("play hint-tone to A");
        call.has_heard_it(A).does("play hint-tone to A");
        call.has_heard_it(A).does("hang up A Platform Normal");
    });
}

#[test]
fn a_machine_that_never_listens_is_not_waited_for_longer_than_a_person() {
    notice(&asking(1, None), |call| {
        asked(call).is_a_machine(A, Treat::Wait).does("silence A");
        call.deadline_after_secs(600).does("hang up A Platform TimeOver");
    });
}

#[test]
fn who_was_taken_for_nobody_and_beeps_hears_it_again() {
    notice(&asking(1, None), |call| {
        listening(call).is_a_machine(A, Treat::Begin).does("play transferring to A");
    });
}
