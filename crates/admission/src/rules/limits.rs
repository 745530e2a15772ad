//! How many calls there may be, counted by enterprise, app, number shown, party or pair of parties, in windows of time.
//! The platform's limits and the app's own are both asked.

use base::number::E164;
use base::private::Private;
use base::quota::{Charge, Counted, Limit};
use base::refusal::Refusal;

use super::RULES;
use crate::ask::Ask;
use crate::tally::Demand;
use crate::{Quota, Resource, Scope};

/// Looks without counting; [`crate::Tally::charge`] looks again and counts.
pub(super) fn check(ask: &Ask<'_>, of: Counted) -> Result<(), Refusal> {
    each(ask, of).try_for_each(|(_, demand)| demand.check(ask.desk.tally.used(&demand.charge)))
}

/// Every limit of this kind and how far its count has come; a limit on the numbers shown is there once for each.
pub(super) fn quotas(ask: &Ask<'_>, of: Counted) -> Vec<Quota> {
    let quota = |(set_for, demand): (Scope, Demand)| {
        let (limit, used) = (demand.limit, ask.desk.tally.used(&demand.charge));
        Quota { of: Resource::Calls(of), set_for, per: Some(limit.per), allowed: limit.calls, used }
    };
    each(ask, of).map(quota).collect()
}

/// Every limit that the order meets, in the order of the rules.
pub(crate) fn demands(ask: &Ask<'_>) -> Vec<Demand> {
    let kinds = RULES.iter().filter_map(super::Rule::counts);
    kinds.flat_map(|of| each(ask, of).map(|(_, demand)| demand)).collect()
}

fn each<'a>(ask: &'a Ask<'_>, of: Counted) -> impl Iterator<Item = (Scope, Demand)> + 'a {
    ask.standings().into_iter().flat_map(move |(scope, standing)| {
        let limits = standing.limits.iter().filter(move |limit| limit.of == of);
        limits.flat_map(move |limit| {
            let demand = move |subject| (scope, demand(ask, scope, *limit, subject));
            subjects(ask, of).into_iter().map(demand)
        })
    })
}

fn demand(ask: &Ask<'_>, scope: Scope, limit: Limit, subject: Box<str>) -> Demand {
    let owner = match scope {
        Scope::Platform => PLATFORM,
        Scope::App => ask.account.app.id.0,
    };
    let Limit { of, per, .. } = limit;
    let charge = Charge { of, owner, subject: Private::new(subject), per, began: per.began(ask.desk.now) };
    Demand { limit, charge }
}

/// Whom the order counts for. A number that is shown to both parties counts once.
fn subjects(ask: &Ask<'_>, of: Counted) -> Vec<Box<str>> {
    let text = |number: &E164| number.as_str().into();
    match of {
        Counted::Account => vec![ask.account.name.clone()],
        Counted::App => vec![ask.account.app.id.to_string().into()],
        Counted::ShownNumber => {
            let mut shown: Vec<Box<str>> = ask.really_shown().map(text).collect();
            shown.dedup();
            shown
        }
        Counted::Caller => ask.caller().map(text).into_iter().collect(),
        Counted::Callee => vec![text(ask.callee())],
        Counted::ServiceNumber => ask.really_shown().take(1).map(text).collect(),
        Counted::Pair => {
            let pair = |caller: &E164| format!("{}{}", caller.as_str(), ask.callee().as_str()).into();
            ask.caller().map(pair).into_iter().collect()
        }
    }
}

/// The owner of the platform's limits; apps have ids from 1.
const PLATFORM: i64 = 0;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base::account::NumberState;
    use base::quota::Window;

    use super::*;
    use crate::Tally;
    use crate::story::{self, Story};

    fn limited(of: Counted, calls: u32) -> Story {
        let mut story = Story::callback();
        story.account.app.standing.limits = vec![Limit { of, per: Window::Hour, calls }];
        story
    }

    fn reached(of: Counted) -> Option<Refusal> {
        Some(Refusal::LimitReached { of, per: Window::Hour })
    }

    /// Another order, which the limit on the first one does not concern.
    fn spoil(story: &mut Story, of: Counted) {
        let other = story::number("+8613800000077");
        match of {
            Counted::Account => story.account.name = "other".into(),
            Counted::App => story.account.app.id = base::id::AppId(8),
            Counted::ShownNumber => {
                story.own("+8675500000003");
                let third = story::number("+8675500000003");
                story.callback_mut().shown_to_caller = third.clone();
                story.callback_mut().shown_to_callee = third;
            }
            Counted::ServiceNumber => {
                story.callback_mut().shown_to_caller = story::number(story::SECOND_NUMBER);
            }
            Counted::Caller | Counted::Pair => story.callback_mut().caller = other,
            Counted::Callee => story.callback_mut().callee = other,
        }
    }

    #[test]
    fn each_kind_of_limit_counts_its_own() {
        for of in RULES.iter().filter_map(super::super::Rule::counts) {
            let mut story = limited(of, 2);
            let calls = (story.admitted(), story.admitted());
            assert_eq!(calls.0.charges.len(), if of == Counted::ShownNumber { 2 } else { 1 }, "{of:?}");
            assert_eq!(story.refused(), reached(of));
            drop(calls);
            assert_eq!(story.refused(), reached(of), "a call that is over was a call");
            spoil(&mut story, of);
            assert_eq!(story.refused(), None, "{of:?}");
        }
    }

    #[test]
    fn every_kind_has_its_rule() {
        assert_eq!(RULES.iter().filter_map(super::super::Rule::counts).count(), 7);
    }

    #[test]
    fn a_new_window_begins_with_nothing() {
        let mut story = limited(Counted::Callee, 1);
        story.admitted();
        assert_eq!(story.refused(), reached(Counted::Callee));
        story.now = story.now + Duration::from_secs(3_600);
        assert_eq!(story.refused(), None);
    }

    #[test]
    fn a_trial_is_used_up_for_ever() {
        let mut story = Story::callback();
        story.account.app.standing.limits = vec![Limit { of: Counted::App, per: Window::Ever, calls: 2 }];
        let charges = story.admitted().charges;
        assert_eq!(charges[0].began, 0);
        // The journal keeps its counts over a restart, as of every limit.
        story.now = story.now + Duration::from_secs(400 * 86_400);
        story.tally = Tally::new();
        story.tally.load([(charges[0].clone(), 1)]);
        assert_eq!(story.admitted().charges, charges, "there is one window, whenever it is");
        story.now = story.now + Duration::from_secs(400 * 86_400);
        let used_up = Refusal::LimitReached { of: Counted::App, per: Window::Ever };
        assert_eq!(story.refused(), Some(used_up));
    }

    #[test]
    fn a_call_with_an_objection_is_counted_like_any_other() {
        let mut story = limited(Counted::Callee, 1).reported();
        let callee = story.callee();
        story.account.app.standing.callees_blocked.insert(callee);
        let admission = story.admitted();
        assert!(admission.admitted.objection.is_some());
        assert_eq!((admission.charges.len(), story.app_ports.taken()), (1, 1));
        drop(admission);
        assert_eq!(story.app_ports.taken(), 0);
        assert_eq!(story.refused(), reached(Counted::Callee));
    }

    #[test]
    fn a_refunded_call_was_none() {
        let story = limited(Counted::Callee, 1);
        let admission = story.admitted();
        story.tally.refund(&admission.charges);
        assert_eq!(story.refused(), None);
    }

    #[test]
    fn the_platforms_limit_counts_the_calls_of_all_apps() {
        let mut story = limited(Counted::Callee, 1);
        let limits = std::mem::take(&mut story.account.app.standing.limits);
        story.platform_mut().standing.limits = limits.clone();
        story.admitted();
        spoil(&mut story, Counted::App);
        assert_eq!(story.refused(), reached(Counted::Callee));
        story.platform_mut().standing.limits.clear();
        story.account.app.standing.limits = limits;
        assert_eq!(story.refused(), None, "the app's own limit counts the app's own calls");
    }

    #[test]
    fn only_callbacks_have_a_caller() {
        for of in [Counted::Caller, Counted::Pair] {
            for mut story in [Story::code(), Story::notice(), Story::menu()] {
                story.account.app.standing.limits = vec![Limit { of, per: Window::Hour, calls: 0 }];
                assert_eq!(story.refused(), None);
            }
        }
    }

    #[test]
    fn a_stand_in_is_counted_in_place_of_the_paused_number() {
        let mut story = limited(Counted::ServiceNumber, 1);
        story.account.numbers[0].state = NumberState::Paused;
        let admission = story.admitted();
        assert_eq!(admission.charges[0].subject.expose().as_ref(), story::SECOND_NUMBER);
    }

    #[test]
    fn a_number_that_both_parties_see_counts_once() {
        let mut story = limited(Counted::ShownNumber, 9);
        story.callback_mut().shown_to_callee = story::number(story::FIRST_NUMBER);
        assert_eq!(story.admitted().charges.len(), 1);
    }

    #[test]
    fn an_explanation_says_what_is_left() {
        let story = limited(Counted::Callee, 3);
        story.admitted();
        let quotas: Vec<Quota> = story.explain().into_iter().flat_map(|finding| finding.quotas).collect();
        let of = Resource::Calls(Counted::Callee);
        let quota = Quota { of, set_for: Scope::App, per: Some(Window::Hour), allowed: 3, used: 1 };
        assert!(quotas.contains(&quota), "{quotas:?}");
        assert_eq!(quota.left(), 2);
    }
}
