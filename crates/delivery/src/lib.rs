//! Pushes from the outbox to the customers' receivers: at least once, in order, and never to our own house.
//!
//! *Takes* committed rows from the store's outbox and *gives* verdicts back to its journal. It never decides what a
//! customer is owed, never words a push itself, follows no redirect and connects to no address that the operator has
//! not allowed. A slow receiver holds up nobody but itself.
//!
//! Read `courier.rs` first (the loop), then `lanes.rs` (who may go when), `bundle.rs` (who travels together), `intake.rs`
//! (memory or database), `repeats.rs` (messages that are told again) and `client.rs` (the guarded HTTP client).

mod bundle;
mod client;
mod courier;
mod customers;
mod evidence;
mod fault;
mod health;
mod intake;
mod lanes;
mod profile;
mod reach;
#[cfg(test)]
mod receiver;
mod repeats;
mod resolver;
#[cfg(test)]
mod stories;

pub use courier::{Delivery, Hosts, Parts, StartFault};
pub use health::{HostCondition, HostState};
pub use profile::{Pace, Profile};
pub use reach::{Reach, ReachFault};
