//! All rules in the order in which they are asked: one file each, one line each.
//!
//! The order is part of the contract: a request that breaks several rules is refused for the first. It goes from who
//! asks, over what they ask and with which numbers, to whom they may call and whether there is room.

mod abroad_open;
mod app_active;
mod bound_number;
pub(crate) mod clips_approved;
mod number_owned;
pub(crate) mod number_shown;
pub(crate) mod ports;
mod product_open;
mod receivers_allowed;
mod recording_open;

use base::account::Account;
use base::order::ProductKind;
use base::refusal::Refusal;

use crate::ask::Ask;

/// One rule: its words, and what it looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    check: Check,
}

/// A rule looks, and never changes anything.
#[derive(Clone, Copy, Debug)]
enum Check {
    /// At who asks and for which kind of call, if it is one: also asked before the body is read.
    Who(fn(&Account, Option<ProductKind>) -> Result<(), Refusal>),
    /// At the order.
    What(fn(&Ask<'_>) -> Result<(), Refusal>),
}

pub(crate) const RULES: [Rule; 10] = [
    // May they?
    who("the app is active", app_active::check),
    who("the app is opened for this kind of call", product_open::check),
    // Quotas of requests stand here, before a body is read.

    // Is what they ask sound?
    what("recording is opened, if it is wanted", recording_open::check),
    what("every clip is known and approved", clips_approved::check),
    what("pushes may go where they shall", receivers_allowed::check),
    // With their own numbers?
    what("the numbers to be shown are the app's", number_owned::check),
    what("the bound number is the app's", bound_number::check),
    // May these people be called, from these numbers, now? Lists, hours and frequencies stand here.
    what("every number to be shown is active or has a stand-in", number_shown::check),
    what("nobody abroad is called, unless that is opened", abroad_open::check),
    // Is there room? Asked last, so that nobody holds a port for an order that is refused.
    what("the app and the platform have an idle port", ports::check),
];

const fn who(name: &'static str, check: fn(&Account, Option<ProductKind>) -> Result<(), Refusal>) -> Rule {
    Rule { name, check: Check::Who(check) }
}

const fn what(name: &'static str, check: fn(&Ask<'_>) -> Result<(), Refusal>) -> Rule {
    Rule { name, check: Check::What(check) }
}

impl Rule {
    /// Asks the rule before the body is read; a rule about the order has nothing to say yet.
    pub(crate) fn at_the_door(&self, account: &Account, product: Option<ProductKind>) -> Result<(), Refusal> {
        match self.check {
            Check::Who(check) => check(account, product),
            Check::What(_) => Ok(()),
        }
    }

    /// Asks the rule about an order.
    pub(crate) fn of_the_order(&self, ask: &Ask<'_>) -> Result<(), Refusal> {
        match self.check {
            Check::Who(check) => check(ask.account, Some(ask.placing.product.kind())),
            Check::What(check) => check(ask),
        }
    }
}
