//! What follows from the journal: each conclusion is a function of a call's entries and of nothing else.
//!
//! ```text
//! Entry … ─▶ Fold ─▶ Row::Status │ Fee │ Report     what a customer is owed a push for
//!              └───▶ CallRecord                 the call summed up, when it is over
//! [Entry] ─▶ close_interrupted ─▶ [Entry]       the facts that a dead process still owes
//! [Entry], trace, pushes ─▶ Timeline ─▶ text │ SVG   the call as people read it
//! ```
//!
//! *Takes* the entries of one call in their order; *gives* rows, records, entries or text. It never does IO, never
//! reads a clock and never asks anybody: drop the rows, replay the entries, and the same rows come out.
//!
//! Read [`fold`] first. A new conclusion is one file beside [`status`], [`fee`] and [`report`], and one line in the fold.

pub mod fee;
pub mod fold;
pub mod ladder;
pub mod record;
pub mod recovery;
pub mod report;
pub mod status;

#[cfg(test)]
mod story;

pub use crate::fold::Fold;
pub use crate::ladder::{Timeline, ladder};
pub use crate::recovery::close_interrupted;
