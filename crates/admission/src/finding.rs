//! What an explanation is made of.

use base::quota::{Counted, Window};
use base::refusal::Refusal;
use base::release::Cause;

/// What one rule says about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule in words, such as `the app is active`.
    pub rule: &'static str,
    /// Why the rule refuses the order; `None` when it lets it pass.
    pub refusal: Option<Refusal>,
    /// Why the rule lets nobody be dialled for an order that it lets pass: the call's report says so.
    pub objection: Option<Cause>,
    /// What the rule counts, and how far the count has come. Empty for rules that count nothing.
    pub quotas: Vec<Quota>,
}

/// A limit, and how far its count has come without the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// What is counted.
    pub of: Resource,
    /// Whose limit it is.
    pub set_for: Scope,
    /// The window it is counted in; `None` for what is taken and given back all the time.
    pub per: Option<Window>,
    /// How many there may be.
    pub allowed: u32,
    /// How many there are. More than allowed when the limit was lowered.
    pub used: u32,
}

impl Quota {
    /// How many are left.
    #[must_use]
    pub const fn left(&self) -> u32 {
        self.allowed.saturating_sub(self.used)
    }
}

/// What a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Requests of any kind.
    Requests,
    /// Calls, counted by one of their properties.
    Calls(Counted),
    /// Calls that run at once.
    Ports,
}

/// Whose limit a quota is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everybody's.
    Platform,
    /// The app's own.
    App,
}
