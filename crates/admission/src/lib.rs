//! Whether we will do what a customer asks: an order in, a promise or a refusal out.
//!
//! ```text
//! Account + Visit ─▶ enter ─▶ ()                                  who asks, before the body is read
//! Placing + Account + Desk ─▶ admit ─▶ Admission │ Refusal        what they ask, and whether we can
//! all of them ─▶ explain ─▶ [Finding]                             every rule, passed or not, and what is left
//! Measured ─▶ Judge ─▶ Pressure ─▶ Sluice                         how many orders there is time for
//! ```
//!
//! *Takes* a request, an order, one snapshot of the account, what is remembered of requests ([`Gate`]) and calls
//! ([`Tally`]), the ports and a random number; *gives* a call with resolved numbers, clips and receivers, the permit
//! and the charges that ride with it, or the first rule that says no. A refusal leaves nothing taken. Where the customer
//! wants it, what is held against callee or words is no refusal: the call is admitted with the objection, and nobody is
//! dialled. It never does IO, never asks a clock and never speaks a vendor's language.
//!
//! Read [`rules`] first: all rules in their order. A new rule is one file there and one line in the list.

mod ask;
mod bucket;
mod desk;
mod finding;
mod gate;
mod overload;
mod resolve;
pub mod rules;
mod sluice;
mod tally;

#[cfg(test)]
mod story;
#[cfg(test)]
mod tests;

use base::account::Account;
use base::call::Admitted;
use base::order::Placing;
use base::quota::Charge;
use base::refusal::Refusal;

pub use crate::desk::{Abroad, Desk, Policy, Visit};
pub use crate::finding::{Finding, Quota, Resource, Scope};
pub use crate::gate::{Gate, GateSettings, RequestName};
pub use crate::overload::{Judge, Measured, Memory, OverloadSettings, Pressure, Strain};
pub use crate::sluice::{Flow, Sluice};
pub use crate::tally::Tally;

use crate::ask::Ask;
use crate::resolve::Heard;
use crate::rules::{RULES, limits, ports};

/// An accepted order.
#[derive(Debug)]
pub struct Admission {
    /// The call and its permit.
    pub admitted: Admitted,
    /// What the call was counted against: made durable with the call, or given to [`Tally::refund`].
    pub charges: Vec<Charge>,
    /// How many more calls the app could place at this moment, 0 to 65535.
    pub idle_ports: u16,
}

/// The first door: may this app ask at all, from there, and for this kind of call? Checked when the request has proved
/// who it is, before its body is read. A request that passes is counted.
///
/// # Errors
/// The refusal of the first rule that says no; nothing is counted then.
pub fn enter(account: &Account, visit: &Visit<'_>) -> Result<(), Refusal> {
    RULES.iter().try_for_each(|rule| rule.at_the_door(account, visit))?;
    visit.gate.count(account.app.id, account.app.requests_per_minute, visit.now)
}

/// The second door: checks every rule about the order, takes the ports, counts the call and resolves the order into it.
/// A call with an objection takes ports and is counted like any other; it gives the ports back when it is promised.
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
    random: u128,
) -> Result<Admission, Refusal> {
    let ask = Ask::new(&placing, account, desk, random);
    let objections = RULES.iter().map(|rule| rule.of_the_order(&ask)).collect::<Result<Vec<_>, _>>()?;
    // From here on somebody else may have been faster. The permit gives its ports back when what follows fails.
    let permit = ports::take(&ask)?;
    let demands = limits::demands(&ask);
    let Heard { product, texts } = ask.heard?;
    let call = resolve::call(placing, product, account, desk, dialect, random)?;
    let charges = desk.tally.charge(demands, desk.now)?;
    let idle_ports = ports::idle(account, desk);
    let objection = objections.into_iter().flatten().next();
    Ok(Admission { admitted: Admitted { call, permit, texts, objection }, charges, idle_ports })
}

/// What every rule says about an order, in the order of [`rules`]; takes and counts nothing.
#[must_use]
pub fn explain(
    placing: &Placing,
    account: &Account,
    visit: &Visit<'_>,
    desk: &Desk<'_>,
    random: u128,
) -> Vec<Finding> {
    let ask = Ask::new(placing, account, desk, random);
    RULES.iter().map(|rule| rule.finding(&ask, visit)).collect()
}
