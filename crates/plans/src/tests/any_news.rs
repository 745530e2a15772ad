//! Any news, in any order, at any time: every plan comes to exactly one end and lets go of every leg.

use base::id::Leg;
use base::order::{CalleeMedia, Ears};
use base::private::Private;
use base::release::{Cause, Party, Release};
use proptest::prelude::*;

use super::script::Script;
use super::{callback as callbacks, code as codes, menu as menus, notice as notices};
use crate::callback::Callback;
use crate::code::Code;
use crate::menu::Menu;
use crate::notice::Notice;
use crate::plan::{ClipFailure, Event, Plan, Treat};

/// One step of a random history.
#[derive(Clone, Debug)]
enum Step {
    Starts,
    Hears(Event),
    WaitsForDeadline,
    AfterSecs(u64),
}

fn leg() -> impl Strategy<Value = Leg> {
    prop_oneof![Just(Leg::A), Just(Leg::B)]
}

/// Keys that lead on in the menus, and one that leads nowhere.
fn key() -> impl Strategy<Value = char> {
    prop_oneof![Just('1'), Just('2'), Just('0'), Just('*'), Just('D')]
}

fn treat() -> impl Strategy<Value = Treat> {
    prop_oneof![Just(Treat::End), Just(Treat::Wait), Just(Treat::Begin)]
}

fn release() -> impl Strategy<Value = Release> {
    let by = prop_oneof![Just(Party::Caller), Just(Party::Callee), Just(Party::Platform)];
    let cause = prop_oneof![Just(Cause::Normal), Just(Cause::Busy), Just(Cause::TrunkSilent)];
    (by, cause).prop_map(|(by, cause)| Release { by, cause, status: None, q850: None, rang: false })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Starts),
        2 => Just(Step::WaitsForDeadline),
        1 => (0..100_u64).prop_map(Step::AfterSecs),
        2 => leg().prop_map(|leg| Step::Hears(Event::Ringing { leg })),
        6 => leg().prop_map(|leg| Step::Hears(Event::Answered { leg })),
        4 => leg().prop_map(|leg| Step::Hears(Event::ClipEnded { leg })),
        1 => leg().prop_map(|leg| Step::Hears(Event::ClipFailed { leg, why: ClipFailure::Missing })),
        4 => (leg(), key()).prop_map(|(leg, key)| Step::Hears(Event::Digit { leg, digit: Private::new(key) })),
        1 => Just(Step::Hears(Event::SpeechFailed)),
        1 => Just(Step::Hears(Event::Deadline)),
        1 => Just(Step::Hears(Event::Stop)),
        2 => (leg(), any::<bool>()).prop_map(|(leg, failure)| Step::Hears(Event::EarlyMedia { leg, failure })),
        1 => leg().prop_map(|leg| Step::Hears(Event::EarlyMediaOver { leg })),
        2 => (leg(), treat()).prop_map(|(leg, treat)| Step::Hears(Event::Machine { leg, treat })),
        2 => (leg(), release()).prop_map(|(leg, release)| Step::Hears(Event::Released { leg, release })),
    ]
}

fn any_plan() -> impl Strategy<Value = Box<dyn Plan>> {
    (0..17_u8).prop_map(|which| -> Box<dyn Plan> {
        match which {
            0 => Box::new(Callback::new(&callbacks::plain())),
            1 => Box::new(Callback::new(&callbacks::greeting())),
            2 => Box::new(Callback::new(&callbacks::early_media(CalleeMedia::FailureOnly))),
            3 => Box::new(Callback::new(&callbacks::limited(1, Ears::Both))),
            4 => Box::new(Callback::new(&callbacks::limited(2, Ears::A))),
            5 => Box::new(Code::new(&codes::said(None))),
            6 => Box::new(Code::new(&codes::said(Some(9)))),
            7 => Box::new(Code::new(&codes::with_goodbye())),
            8 => Box::new(Callback::new(&callbacks::recorded())),
            9 => Box::new(Notice::new(&notices::heard(2))),
            10 => Box::new(Notice::new(&notices::asking(2, Some("11")))),
            11 => Box::new(Notice::new(&notices::asking_then_heard(1))),
            12 => Box::new(Code::new(&codes::whole(Some(2)))),
            13 => Box::new(Code::new(&codes::whole(None))),
            14 => Box::new(Menu::new(&menus::talkative())),
            15 => Box::new(Menu::new(&menus::terse())),
            _ => Box::new(Menu::new(&menus::mute())),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn every_call_ends_once_and_leaves_no_leg_behind(
        plan in any_plan(),
        steps in prop::collection::vec(step(), 0..40),
    ) {
        let mut call = Script::new(plan);
        call.starts();
        for step in steps {
            match step {
                Step::Starts => call.starts(),
                Step::Hears(event) => call.hears(event),
                Step::WaitsForDeadline => call.deadline(),
                Step::AfterSecs(secs) => call.after_secs(secs),
            };
        }
        call.ends_somehow();
    }
}
