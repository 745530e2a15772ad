//! All rules in the order in which they are asked: one file each, one line each.
//!
//! The order is part of the contract: a request that breaks several rules is refused for the first, and clients act on
//! the code they get. So what is told first is what must be mended first:
//!
//! 1. Who asks, and from where. Whoever is at a wrong address does not learn whether the app is paused. Quotas of
//!    requests come last: only what may be asked at all is counted.
//! 2. What they ask. The same order is refused for the same reason at any hour, however much was called before.
//! 3. Whether these people may be called, by this app, now. Within the group it is the order of the codes in customers'
//!    documents: limits from the widest to the narrowest, lists, conduct, frequencies, states.
//!    What a rule objects to, rather than refuses, is not told before the call is over where the customer wants it so:
//!    the rules behind it are asked as for any order.
//! 4. Whether there is room, and a way. What is refused here may be tried again unchanged.

mod abroad;
mod account_active;
mod addresses;
mod app_active;
mod banned;
mod blocked;
mod bound_number;
mod callees_allowed;
mod callees_blocked;
mod callers_blocked;
pub(crate) mod clips_approved;
mod conduct;
mod flow;
mod hold;
mod hours;
pub(crate) mod limits;
mod number_owned;
pub(crate) mod number_shown;
mod origin;
mod owner_active;
mod phase;
pub(crate) mod ports;
mod product_open;
mod receivers_allowed;
mod recording_open;
mod requests;
mod trunk_up;
mod words_allowed;

use base::account::Account;
use base::order::Objections;
use base::quota::Counted;
use base::refusal::Refusal;
use base::release::Cause;

use crate::ask::Ask;
use crate::{Finding, Quota, Visit};

/// One rule: its words, and what it looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    name: &'static str,
    check: Check,
}

/// A rule looks, and never changes anything.
#[derive(Clone, Copy, Debug)]
enum Check {
    /// At who asks, from where and for what kind of call; asked before the body is read.
    Door(fn(&Account, &Visit<'_>) -> Result<(), Refusal>),
    /// The same, at how many requests there were.
    Requests(fn(&Account, &Visit<'_>) -> Result<(), Refusal>, fn(&Account, &Visit<'_>) -> Option<Quota>),
    /// At the order.
    Order(fn(&Ask<'_>) -> Result<(), Refusal>),
    /// At the order; the customer may want to be told of a no by the report of a call that nobody dials.
    Objects(fn(&Ask<'_>) -> Result<(), Refusal>, Cause),
    /// At how many calls there were.
    Calls(Counted),
    /// At how many calls there are.
    Ports,
}

pub(crate) const RULES: [Rule; 37] = [
    // Who asks?
    door("the address is not banned", banned::check),
    door("the address is one of the app's, if the app names any", addresses::check),
    door("the address is not blocked", blocked::address),
    door("the area of the address is not blocked", blocked::area),
    door("the address is a known IPv4 address, if the app wants that", origin::check),
    door("the app is active", app_active::check),
    door("the app was released, unless it asks for the sandbox", phase::check),
    door("the enterprise may place calls", account_active::check),
    door("the app is opened for this kind of call", product_open::check),
    requests("the app has requests left in this minute", requests::check, requests::quota),
    requests("the platform has requests left in this second", flow::check, flow::quota),
    // Is what they ask sound, and with their own numbers?
    order("recording is opened, if it is wanted", recording_open::check),
    order("every clip is known and approved, and every template filled", clips_approved::check),
    objects("the words are none of the forbidden ones", words_allowed::check, Cause::ForbiddenWords),
    order("pushes may go where they shall", receivers_allowed::check),
    order("the numbers to be shown are the app's", number_owned::check),
    order("the bound number is the app's", bound_number::check),
    // May these people be called, by this app, now?
    calls("the enterprise has calls left", Counted::Account),
    calls("the app has calls left", Counted::App),
    calls("the numbers to be shown have calls left", Counted::ShownNumber),
    objects("the callee is not blocked", callees_blocked::check, Cause::CalleeBlocked),
    order("the caller is not blocked", callers_blocked::check),
    objects("the callee is on the list, if there is one", callees_allowed::check, Cause::CalleeBlocked),
    order("nothing is held against the app", hold::check),
    calls("the two parties have calls with each other left", Counted::Pair),
    order("the caller is where the app may call", abroad::caller),
    order("the callee is where the app may call", abroad::callee),
    order("not too many of the app's calls were short", conduct::short),
    order("enough of the app's calls were answered", conduct::answered),
    calls("the caller has calls left", Counted::Caller),
    calls("the callee has calls left", Counted::Callee),
    calls("the number that places the call has calls left", Counted::ServiceNumber),
    order("every number to be shown is active or has a stand-in", number_shown::check),
    order("people may be called at this hour", hours::check),
    order("the sub-enterprise of every number to be shown may place calls", owner_active::check),
    // Is there room, and a way?
    Rule { name: "the app and the platform have an idle port", check: Check::Ports },
    order("the trunk works", trunk_up::check),
];

const fn door(name: &'static str, check: fn(&Account, &Visit<'_>) -> Result<(), Refusal>) -> Rule {
    Rule { name, check: Check::Door(check) }
}

const fn requests(
    name: &'static str,
    check: fn(&Account, &Visit<'_>) -> Result<(), Refusal>,
    quota: fn(&Account, &Visit<'_>) -> Option<Quota>,
) -> Rule {
    Rule { name, check: Check::Requests(check, quota) }
}

const fn order(name: &'static str, check: fn(&Ask<'_>) -> Result<(), Refusal>) -> Rule {
    Rule { name, check: Check::Order(check) }
}

const fn objects(name: &'static str, check: fn(&Ask<'_>) -> Result<(), Refusal>, objection: Cause) -> Rule {
    Rule { name, check: Check::Objects(check, objection) }
}

const fn calls(name: &'static str, of: Counted) -> Rule {
    Rule { name, check: Check::Calls(of) }
}

impl Rule {
    /// Asks the rule before the body is read; a rule about the order has nothing to say yet.
    pub(crate) fn at_the_door(&self, account: &Account, visit: &Visit<'_>) -> Result<(), Refusal> {
        match self.check {
            Check::Door(check) | Check::Requests(check, _) => check(account, visit),
            Check::Order(_) | Check::Objects(..) | Check::Calls(_) | Check::Ports => Ok(()),
        }
    }

    /// Asks the rule about an order, and gives what it has against it without refusing it. A rule about the request had
    /// its say at the door.
    pub(crate) fn of_the_order(&self, ask: &Ask<'_>) -> Result<Option<Cause>, Refusal> {
        let passed = match self.check {
            Check::Door(_) | Check::Requests(..) => Ok(()),
            Check::Order(check) => check(ask),
            Check::Objects(check, objection) => match (check(ask), ask.placing.objections) {
                (Err(_), Objections::Report) => return Ok(Some(objection)),
                (said, Objections::Refuse | Objections::Report) => said,
            },
            Check::Calls(of) => limits::check(ask, of),
            Check::Ports => ports::check(ask),
        };
        passed.map(|()| None)
    }

    /// What the rule says, wherever it is asked.
    pub(crate) fn finding(&self, ask: &Ask<'_>, visit: &Visit<'_>) -> Finding {
        let said = self.at_the_door(ask.account, visit).and_then(|()| self.of_the_order(ask));
        let (refusal, objection) = match said {
            Ok(objection) => (None, objection),
            Err(refusal) => (Some(refusal), None),
        };
        Finding { rule: self.name, refusal, objection, quotas: self.quotas(ask, visit) }
    }

    fn quotas(&self, ask: &Ask<'_>, visit: &Visit<'_>) -> Vec<Quota> {
        match self.check {
            Check::Door(_) | Check::Order(_) | Check::Objects(..) => Vec::new(),
            Check::Requests(_, quota) => quota(ask.account, visit).into_iter().collect(),
            Check::Calls(of) => limits::quotas(ask, of),
            Check::Ports => ports::quotas(ask).into(),
        }
    }

    /// What the rule counts calls by, if it does.
    pub(crate) const fn counts(&self) -> Option<Counted> {
        match self.check {
            Check::Calls(of) => Some(of),
            Check::Door(_) | Check::Requests(..) | Check::Order(_) | Check::Objects(..) | Check::Ports => {
                None
            }
        }
    }
}
