//! An order that breaks two rules is told the one that comes first, whichever two they are.

use std::time::Duration;

use base::account::{AccountState, AppState, Hold, NumberState, Origin, OwnerState, Phase, Review};
use base::clip::{ClipWish, SystemClip};
use base::order::Recorded;
use base::quota::{Counted, Limit, Window};
use base::release::Cause;
use base::standing::{AtLeastAnswered, AtMostShort, Hours};

use crate::rules::RULES;
use crate::story::{self, Story};
use crate::{Gate, GateSettings};

/// For each rule, in the order of the list, how to make a callback break it and none before it.
pub(super) const SPOILERS: [fn(&mut Story); RULES.len()] = [
    |story| story.fail_proofs(),
    |story| story.account.app.addresses = vec!["8.8.8.8".parse().unwrap()],
    |story| story.platform_mut().blocked_addresses = everywhere(),
    |story| story.platform_mut().blocked_areas = everywhere(),
    |story| {
        story.peer = "2400::1".parse().unwrap();
        story.account.app.origin = Origin::Ipv4;
    },
    |story| story.account.app.state = AppState::Paused,
    |story| story.account.app.phase = Phase::Sandbox,
    |story| story.account.state = AccountState::InArrears,
    |story| story.account.app.products.clear(),
    |story| story.account.app.requests_per_minute = Some(0),
    |story| {
        story.gate = Gate::new(&GateSettings { requests_per_second: Some(0), ..GateSettings::default() });
    },
    |story| story.callback_mut().recorded = Some(Recorded { hint: ClipWish::System(SystemClip::HintTone) }),
    |story| story.callback_mut().wait_voice = ClipWish::Named("missing.wav".into()),
    |story| {
        story.forbid("casino");
        story.template("spoken", "our ca-si-no", Review::Approved);
        story.callback_mut().pre_voice = Some(story::spoken("spoken", None));
    },
    |story| story.told(story::url("http://127.0.0.1/"), None),
    |story| story.callback_mut().shown_to_callee = story::number("+8675599999999"),
    |story| story.placing.bound_number = Some(story::number("+8675599999999")),
    |story| limit(story, Counted::Account),
    |story| limit(story, Counted::App),
    |story| limit(story, Counted::ShownNumber),
    |story| {
        let callee = story.callee();
        story.account.app.standing.callees_blocked.insert(callee);
    },
    |story| {
        let caller = story.callback_mut().caller.clone();
        story.account.app.standing.callers_blocked.insert(caller);
    },
    |story| story.account.app.standing.callees_allowed = Some([].into()),
    |story| story.account.app.hold = Some(Hold::AbnormalCalls),
    |story| limit(story, Counted::Pair),
    |story| story.callback_mut().caller = story::number("+85291234567"),
    |story| story.callback_mut().callee = story::number("+85291234568"),
    |story| {
        let shorter_than = Duration::from_secs(6);
        story.account.app.conduct.short = Some(AtMostShort { calls: 1, shorter_than, percent: 0 });
        story.went(Some(Duration::from_secs(5)));
    },
    |story| {
        story.account.app.conduct.answered = Some(AtLeastAnswered { calls: 1, percent: 100 });
        story.went(None);
    },
    |story| limit(story, Counted::Caller),
    |story| limit(story, Counted::Callee),
    |story| limit(story, Counted::ServiceNumber),
    |story| story.account.numbers.iter_mut().for_each(|number| number.state = NumberState::Paused),
    |story| story.account.app.standing.forbidden.push(Hours { from: 0, to: 0 }),
    |story| story.account.numbers[0].owner = OwnerState::Suspended,
    |story| story.account.app.ports = 0,
    |story| story.trunk_fails(503),
];

fn everywhere() -> Vec<base::address::Block> {
    vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()]
}

fn limit(story: &mut Story, of: Counted) {
    story.account.app.standing.limits.push(Limit { of, per: Window::Day, calls: 0 });
}

/// The place in the list of the first rule that says no. Both doors say the same as the explanation.
#[track_caller]
fn first_no(story: &Story) -> Option<usize> {
    let findings = story.explain();
    let place = findings.iter().position(|finding| finding.refusal.is_some());
    assert_eq!(story.refused(), place.and_then(|place| findings[place].refusal.clone()));
    place
}

#[test]
fn each_rule_can_be_the_one_that_says_no() {
    assert_eq!(first_no(&Story::callback()), None);
    for (place, spoil) in SPOILERS.iter().enumerate() {
        let mut story = Story::callback();
        spoil(&mut story);
        assert_eq!(first_no(&story), Some(place), "{:?}", RULES[place]);
    }
}

#[test]
fn of_two_broken_rules_the_first_is_told() {
    for (second, spoil_second) in SPOILERS.iter().enumerate() {
        for (first, spoil_first) in SPOILERS[..second].iter().enumerate() {
            let mut story = Story::callback();
            spoil_second(&mut story);
            spoil_first(&mut story);
            assert_eq!(first_no(&story), Some(first), "{:?} and {:?}", RULES[first], RULES[second]);
        }
    }
}

#[test]
fn an_objection_that_is_reported_keeps_no_other_rule_from_refusing() {
    let objecting = |place: usize| {
        let mut story = Story::callback().reported();
        SPOILERS[place](&mut story);
        story.refused().is_none() && story.objection().is_some()
    };
    let objections: Vec<usize> = (0..SPOILERS.len()).filter(|place| objecting(*place)).collect();
    assert_eq!(objections.len(), 3, "{objections:?}");
    for (place, spoil) in SPOILERS.iter().enumerate().filter(|(place, _)| !objections.contains(place)) {
        let mut story = Story::callback().reported();
        objections.iter().for_each(|place| SPOILERS[*place](&mut story));
        let objection = story.objection();
        assert_eq!(objection, Some(Cause::ForbiddenWords), "the first is told");
        spoil(&mut story);
        assert_eq!(first_no(&story), Some(place), "{:?}", RULES[place]);
    }
}

#[test]
fn an_order_that_breaks_every_rule_is_told_them_one_by_one() {
    for mended in 0..=SPOILERS.len() {
        let mut story = Story::callback();
        SPOILERS[mended..].iter().rev().for_each(|spoil| spoil(&mut story));
        assert_eq!(first_no(&story), Some(mended).filter(|place| *place < SPOILERS.len()));
    }
}
