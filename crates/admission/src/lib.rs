//! Whether we will do what a customer asks: an order in, a promise or a refusal out.
//!
//! ```text
//! Account ─▶ enter ─▶ ()                                          who asks, before the body is read
//! Placing + Account + Desk ─▶ admit ─▶ Admission │ Refusal        what they ask, and whether we can
//!                         └─▶ explain ─▶ [Finding]                every rule, passed or not
//! ```
//!
//! *Takes* an order, one snapshot of the account, the ports, `now` and a random number; *gives* a call with resolved
//! numbers, clips and receivers and the permit that rides with it, or the first rule that says no. A refusal leaves
//! nothing taken. It never does IO, never stores anything and never speaks a vendor's language.
//!
//! Read [`rules`] first: all rules in their order. A new rule is one file there and one line in the list.

mod ask;
mod resolve;
pub mod rules;

#[cfg(test)]
mod story;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use base::account::Account;
use base::address::Guard;
use base::call::Admitted;
use base::limits;
use base::order::{Placing, ProductKind};
use base::permit::Ports;
use base::refusal::Refusal;
use base::time::Timestamp;

use crate::ask::Ask;
use crate::rules::{RULES, ports};

/// Where orders are taken: what the platform has and allows.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// The host name of this node, which will own the call.
    pub node: &'a str,
    /// The ports of the app that asks.
    pub app_ports: &'a Arc<Ports>,
    /// The ports of the platform.
    pub platform_ports: &'a Arc<Ports>,
    /// What the operator allows.
    pub policy: &'a Policy,
    /// Where pushes may go.
    pub guard: &'a Guard,
}

/// What the operator allows to everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Calls that the platform runs at once.
    pub platform_ports: u32,
    /// Whether numbers outside mainland China may be dialled.
    pub abroad: Abroad,
}

impl Default for Policy {
    fn default() -> Self {
        Self { platform_ports: limits::PLATFORM_PORTS, abroad: Abroad::Closed }
    }
}

/// Whether numbers outside mainland China (+86) may be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abroad {
    /// They may.
    Open,
    /// They may not.
    Closed,
}

/// An accepted order.
#[derive(Debug)]
pub struct Admission {
    /// The call and its permit.
    pub admitted: Admitted,
    /// How many more calls the app could place at this moment, 0 to 65535.
    pub idle_ports: u16,
}

/// What one rule says about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule in words, such as `the app is active`.
    pub rule: &'static str,
    /// Why the rule says no; `None` when it has nothing against the order.
    pub refusal: Option<Refusal>,
}

/// The first door: may this app ask at all, and for this kind of call? `None` is for what is not a call, such as a
/// stop. Checked before the body is read.
///
/// # Errors
/// The refusal of the first rule that says no.
pub fn enter(account: &Account, product: Option<ProductKind>) -> Result<(), Refusal> {
    RULES.iter().try_for_each(|rule| rule.at_the_door(account, product))
}

/// The second door: checks every rule, takes the ports and resolves the order into a call.
///
/// `dialect` took the order and will word its pushes. `random` makes the call's id impossible to guess and picks a
/// number where a paused one must be replaced; all its 128 bits must be random.
///
/// # Errors
/// The refusal of the first rule that says no; nothing is taken then.
pub fn admit(
    placing: Placing,
    account: &Account,
    desk: &Desk<'_>,
    dialect: &str,
    now: Timestamp,
    random: u128,
) -> Result<Admission, Refusal> {
    let ask = Ask { placing: &placing, account, desk, random };
    RULES.iter().try_for_each(|rule| rule.of_the_order(&ask))?;
    let permit = ports::take(&ask)?;
    let idle_ports = ports::idle(account, desk);
    let call = resolve::call(placing, account, desk, dialect, now, random)?;
    Ok(Admission { admitted: Admitted { call, permit }, idle_ports })
}

/// What every rule says about an order, in the order of [`rules`]; takes nothing.
#[must_use]
pub fn explain(placing: &Placing, account: &Account, desk: &Desk<'_>, random: u128) -> Vec<Finding> {
    let ask = Ask { placing, account, desk, random };
    let finding = |rule: &rules::Rule| Finding { rule: rule.name, refusal: rule.of_the_order(&ask).err() };
    RULES.iter().map(finding).collect()
}
