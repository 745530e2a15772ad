//! The nouns of the house: every type that stands on an arrow of the road.
//!
//! ```text
//! Order ─▶ Admitted(Call + Permit) ─▶ Fact / Entry ─▶ Row ─▶ Push
//!    └─▶ Refusal
//! ```
//!
//! *Takes* nothing and *gives* words: ids, numbers, clips, orders, refusals, releases, facts, records, time, limits.
//! It never does IO, never reads a clock, never speaks a vendor's language and depends on no other room.
//!
//! Read [`order`] first (what a customer asks for), then [`call`] (what was promised), then [`fact`] (what happened).

pub mod account;
pub mod address;
pub mod answerer;
pub mod call;
pub mod clip;
pub mod experience;
pub mod fact;
pub mod id;
pub mod limits;
pub mod number;
pub mod order;
pub mod permit;
pub mod private;
pub mod quality;
pub mod quota;
pub mod record;
pub mod refusal;
pub mod release;
pub mod row;
pub mod screen;
pub mod standing;
pub mod table;
pub mod template;
pub mod time;
pub mod trace;
pub mod trunk;
pub mod url;
