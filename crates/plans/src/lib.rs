//! What a call does: one pure state machine a product.
//!
//! ```text
//! Event (news of a leg, a deadline, a stop) ─▶ Plan ─▶ Todo (dial, play, bridge, record, report, hang up, over)
//! ```
//!
//! *Takes* a [`Call`] once and then [`Event`]s; *gives* [`Wish`]es in the order in which they are to
//! be done. It never dials, sleeps, fails, reads a clock or knows SIP: whoever runs a plan does what it wishes and
//! tells it what came of it.
//!
//! What the runner owes a plan:
//! - every leg that was dialled ends in exactly one [`Event::Released`], also when it could not be dialled at all;
//! - a playing that ended by itself gives one [`Event::ClipEnded`]; one that was replaced or cut gives none;
//! - [`Event::Deadline`] comes at or after [`Plan::deadline`], which is asked again after every event;
//! - a leg that is still up when the plan wishes [`Wish::Over`] never confirmed its end, and is to be forgotten.
//!
//! Read [`plan`] first (the words), then [`callback`] (the richer product). A new product is one file here and one
//! line in [`plan_for`].

pub mod callback;
mod closing;
pub mod code;
mod ending;
pub mod menu;
pub mod notice;
pub mod plan;

#[cfg(test)]
mod tests;

use std::time::Duration;

use base::call::Call;
use base::order::Product;

use crate::callback::Callback;
use crate::code::Code;
use crate::menu::Menu;
use crate::notice::Notice;
pub use crate::plan::{ClipFailure, Event, Plan, Repeat, Todo, Treat, Wish};

/// The plan of an accepted call, not yet started, with so long for each telephone to ring.
#[must_use]
pub fn plan_for(call: &Call, ring: Duration) -> Box<dyn Plan> {
    match &call.product {
        Product::Callback(order) => Box::new(Callback::new(order).ringing_for(ring)),
        Product::Code(order) => Box::new(Code::new(order).ringing_for(ring)),
        Product::Notice(order) => Box::new(Notice::new(order).ringing_for(ring)),
        Product::Menu(order) => Box::new(Menu::new(order).ringing_for(ring)),
    }
}
