//! Kills the real binary under calls, again and again, and checks afterwards that nothing was lost.
//!
//! ```text
//! seed ─▶ Storm: orders · kills · stops ─▶ huihu serve ◀─▶ carrier (here, outlives every kill)
//!            │                                  └─▶ receiver (here, with faults)
//!            └─▶ History: four logs ─▶ rules ─▶ complaints
//! ```
//!
//! *Takes* how often, how fast and which seed. *Gives* a [`History`](history::History) and what the rules of [`check`]
//! say of it. What happens in the process that is killed depends on the machine, so a seed brings the same orders, faults
//! and pauses again, and not the same history. Read [`storm`] first, then [`check`].

pub mod check;
pub mod death;
pub mod history;
mod orders;
mod receiver;
pub mod storm;
