//! The callback's diagram, arrow by arrow.

use std::time::Duration;

use base::clip::{ClipKey, SystemClip};
use base::id::Leg::{A, B};
use base::number::E164;
use base::order::{self, CalleeMedia, Ears, Longest, Recorded};
use base::release::Cause;

use super::script::{Script, script};
use crate::callback::Callback;

/// A callback with a ring-back tone, no greeting, all early media and no limit.
pub(super) fn plain() -> order::Callback<ClipKey> {
    let number = |text| E164::parse(text).unwrap();
    order::Callback {
        caller: number("+8613800000001"),
        callee: number("+8613800000002"),
        shown_to_caller: number("+8675500000001"),
        shown_to_callee: number("+8675500000002"),
        longest: None,
        pre_voice: None,
        wait_voice: ClipKey::System(SystemClip::RingBack),
        callee_media: CalleeMedia::All,
        recorded: None,
    }
}

/// With a greeting before B is dialled.
pub(super) fn greeting() -> order::Callback<ClipKey> {
    order::Callback { pre_voice: Some(ClipKey::System(SystemClip::Transferring)), ..plain() }
}

/// With as much early media as given.
pub(super) fn early_media(callee_media: CalleeMedia) -> order::Callback<ClipKey> {
    order::Callback { callee_media, ..plain() }
}

/// With at most so many minutes of conversation.
pub(super) fn limited(minutes: u64, ears: Ears) -> order::Callback<ClipKey> {
    let talk = Duration::from_secs(60 * minutes);
    let last_minute = ClipKey::System(SystemClip::LastMinute);
    order::Callback { longest: Some(Longest { talk, last_minute, ears }), ..plain() }
}

/// Recorded.
pub(super) fn recorded() -> order::Callback<ClipKey> {
    let hint = ClipKey::System(SystemClip::HintTone);
    order::Callback { recorded: Some(Recorded { hint }), ..plain() }
}

fn callback(order: &order::Callback<ClipKey>, story: impl FnOnce(&mut Script)) {
    script(Callback::new(order), story);
}

/// Up to the moment when B rings.
fn b_rings(call: &mut Script) -> &mut Script {
    call.starts().does("dial A");
    call.rings(A).answers(A).does("loop ring-back to A; dial B");
    call.rings(B).does("")
}

/// Up to the moment when both can talk.
fn connected(call: &mut Script) -> &mut Script {
    b_rings(call).answers(B).does("bridge")
}

#[test]
fn two_parties_are_connected_until_one_hangs_up() {
    callback(&plain(), |call| {
        connected(call).after_secs(10).hangs_up(A).does("hang up B Caller Normal");
        call.is_gone(B).does("over Caller Normal A");
    });
    callback(&plain(), |call| {
        connected(call).after_secs(10).hangs_up(B).does("hang up A Callee Normal");
        call.is_gone(A).does("over Callee Normal B");
    });
}

#[test]
fn a_greeting_comes_before_b_is_dialled() {
    callback(&greeting(), |call| {
        call.starts().answers(A).does("dial A; play transferring to A");
        call.has_heard_it(A).does("loop ring-back to A; dial B");
    });
}

#[test]
fn a_greeting_that_cannot_be_played_is_left_out() {
    callback(&greeting(), |call| {
        call.starts().answers(A).cannot_hear_it(A);
        call.does("dial A; play transferring to A; loop ring-back to A; dial B");
    });
}

#[test]
fn a_greeting_that_never_ends_is_a_fault() {
    callback(&greeting(), |call| {
        call.starts().answers(A).does("dial A; play transferring to A");
        call.deadline_after_secs(600).does("hang up A Platform ClipFault");
        call.is_gone(A).does("over Platform ClipFault A");
    });
}

#[test]
fn a_does_not_answer_in_time() {
    callback(&plain(), |call| {
        call.starts().rings(A).does("dial A");
        call.deadline_after_secs(60).does("hang up A Platform RingTimeout");
        call.is_gone(A).does("over Platform RingTimeout A");
    });
}

#[test]
fn a_is_busy() {
    callback(&plain(), |call| {
        call.starts().fails(A, Cause::Busy, 486).does("dial A; over Caller Busy A");
    });
}

#[test]
fn a_hangs_up_during_the_greeting() {
    callback(&greeting(), |call| {
        call.starts().answers(A).does("dial A; play transferring to A");
        call.hangs_up(A).does("over Caller OtherPartyGone A");
    });
}

#[test]
fn a_hangs_up_while_b_rings() {
    callback(&plain(), |call| {
        b_rings(call).hangs_up(A).does("hang up B Caller OtherPartyGone");
        call.is_gone(B).does("over Caller OtherPartyGone A");
    });
}

#[test]
fn as_network_drops_a_while_b_rings() {
    callback(&plain(), |call| {
        b_rings(call).fails(A, Cause::TrunkFault, 500).does("hang up B Caller OtherPartyGone");
        call.is_gone(B).does("over Caller TrunkFault A");
    });
}

#[test]
fn b_does_not_answer_in_time() {
    callback(&plain(), |call| {
        b_rings(call).deadline_after_secs(60);
        call.does("hang up B Platform RingTimeout; hang up A Platform OtherPartyGone");
        call.is_gone(A).does("");
        call.is_gone(B).does("over Platform RingTimeout B");
    });
}

#[test]
fn b_is_busy() {
    callback(&plain(), |call| {
        b_rings(call).fails(B, Cause::Busy, 486).does("hang up A Callee OtherPartyGone");
        call.is_gone(A).does("over Callee Busy B");
    });
}

#[test]
fn a_hears_bs_early_media_in_place_of_the_wait_voice() {
    callback(&plain(), |call| {
        b_rings(call).sends_early_media(B).does("early media to A");
        call.sends_early_media(B).announces_a_failure(B).does("");
        call.answers(B).does("bridge");
    });
}

#[test]
fn a_hears_no_early_media_when_none_was_ordered() {
    callback(&early_media(CalleeMedia::Nothing), |call| {
        b_rings(call).sends_early_media(B).announces_a_failure(B).does("");
    });
}

#[test]
fn a_hears_only_the_failure_when_that_was_ordered() {
    callback(&early_media(CalleeMedia::FailureOnly), |call| {
        b_rings(call).sends_early_media(B).does("");
        call.announces_a_failure(B).does("early media to A");
        call.fails(B, Cause::NoSuchNumber, 404).does("hang up A Callee OtherPartyGone");
        call.is_gone(A).does("over Callee NoSuchNumber B");
    });
}

#[test]
fn early_media_does_not_lengthen_the_ring_time() {
    callback(&plain(), |call| {
        b_rings(call).after_secs(50).sends_early_media(B).does("early media to A");
        call.deadline_after_secs(10);
        call.does("hang up B Platform RingTimeout; hang up A Platform OtherPartyGone");
    });
}

#[test]
fn the_last_minute_is_announced_and_the_time_ends_the_call() {
    callback(&limited(5, Ears::Both), |call| {
        connected(call).deadline_after_secs(240).does("announce last-minute to Both");
        call.deadline_after_secs(60).does("hang up A Platform TimeOver; hang up B Platform TimeOver");
        call.is_gone(B).is_gone(A).does("over Platform TimeOver");
    });
}

#[test]
fn a_call_of_one_minute_begins_with_its_last() {
    callback(&limited(1, Ears::A), |call| {
        b_rings(call).answers(B).does("bridge; announce last-minute to A");
        call.deadline_after_secs(60).does("hang up A Platform TimeOver; hang up B Platform TimeOver");
    });
}

#[test]
fn the_clock_starts_at_bs_answer() {
    callback(&limited(2, Ears::B), |call| {
        b_rings(call).after_secs(45).answers(B).does("bridge");
        call.deadline_after_secs(60).does("announce last-minute to B");
        call.deadline_after_secs(60).does("hang up A Platform TimeOver; hang up B Platform TimeOver");
    });
}

#[test]
fn a_deadline_that_comes_very_late_announces_nothing() {
    callback(&limited(2, Ears::Both), |call| {
        connected(call).after_secs(120).deadline();
        call.does("hang up A Platform TimeOver; hang up B Platform TimeOver");
    });
}

#[test]
fn nobody_talks_longer_than_a_day() {
    callback(&plain(), |call| {
        connected(call).deadline_after_secs(24 * 3600);
        call.does("hang up A Platform TimeOver; hang up B Platform TimeOver");
    });
}

#[test]
fn a_stop_releases_whatever_is_up() {
    callback(&plain(), |call| {
        call.starts().is_stopped().does("dial A; hang up A Customer Stopped");
        call.is_gone(A).does("over Customer Stopped");
    });
    callback(&greeting(), |call| {
        call.starts().answers(A).does("dial A; play transferring to A");
        call.is_stopped().does("hang up A Customer Stopped");
    });
    let both = "hang up A Customer Stopped; hang up B Customer Stopped";
    callback(&plain(), |call| {
        b_rings(call).is_stopped().does(both);
        call.is_gone(B).does("");
        call.is_gone(A).does("over Customer Stopped");
    });
    callback(&plain(), |call| {
        connected(call).is_stopped().does(both);
    });
}

#[test]
fn a_stop_before_the_start_dials_nobody() {
    callback(&plain(), |call| {
        call.is_stopped().does("over Customer Stopped");
        call.starts().does("");
    });
}

#[test]
fn a_leg_that_never_confirms_is_forgotten() {
    callback(&plain(), |call| {
        connected(call).hangs_up(A).does("hang up B Caller Normal");
        call.deadline_after_secs(32).does("over Caller Normal A");
    });
}

#[test]
fn b_answers_while_it_is_being_cancelled() {
    callback(&plain(), |call| {
        b_rings(call).hangs_up(A).does("hang up B Caller OtherPartyGone");
        call.answers(B).does("");
        call.is_gone(B).does("over Caller OtherPartyGone A");
    });
}

#[test]
fn both_hang_up_at_once_and_the_first_news_decides() {
    callback(&plain(), |call| {
        connected(call).hangs_up(B).does("hang up A Callee Normal");
        call.hangs_up(A).does("over Callee Normal B");
    });
}

#[test]
fn late_and_needless_news_changes_nothing() {
    callback(&plain(), |call| {
        connected(call);
        call.rings(A).answers(A).answers(B).sends_early_media(B).has_heard_it(A).cannot_hear_it(A).does("");
        call.presses(A, '1').presses(B, '#').does("");
        call.hears(crate::Event::Deadline).does("");
        call.starts().does("");
        call.hangs_up(A).is_stopped().does("hang up B Caller Normal");
        call.is_gone(B).does("over Caller Normal A");
        call.hangs_up(A).is_stopped().answers(B).deadline().does("");
    });
}

#[test]
fn a_recorded_conversation_begins_with_the_tone_that_says_so() {
    callback(&recorded(), |call| {
        b_rings(call).answers(B).does("bridge; record with hint-tone");
        call.hangs_up(B).does("hang up A Callee Normal");
    });
}

#[test]
fn the_announcement_of_the_last_minute_leaves_the_tone_alone() {
    callback(&order::Callback { recorded: recorded().recorded, ..limited(1, Ears::A) }, |call| {
        b_rings(call).answers(B).does("bridge; record with hint-tone");
        call.deadline_after_secs(3).does("announce last-minute to A");
        call.deadline_after_secs(57).does("hang up A Platform TimeOver; hang up B Platform TimeOver");
    });
}

#[test]
fn what_cannot_be_said_dials_nobody() {
    callback(&plain(), |call| {
        call.has_no_words().starts().does("over Platform SpeechFault");
    });
}

#[test]
fn a_waits_with_its_own_voice_whenever_bs_network_is_silent() {
    callback(&plain(), |call| {
        b_rings(call).sends_early_media(B).does("early media to A");
        call.ends_early_media(B).does("loop ring-back to A");
        call.ends_early_media(B).does("");
        call.sends_early_media(B).does("early media to A");
        call.answers(B).does("bridge");
        call.ends_early_media(B).does("");
    });
}

#[test]
fn a_telephone_rings_for_as_long_as_the_operator_wants() {
    script(Callback::new(&plain()).ringing_for(Duration::from_secs(25)), |call| {
        call.starts().rings(A).does("dial A");
        call.deadline_after_secs(25).does("hang up A Platform RingTimeout");
    });
}
