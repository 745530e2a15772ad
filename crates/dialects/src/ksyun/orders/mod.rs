//! The parameters of each action: one file an action.
//!
//! They are judged in this order: what must be there, in the order of the document's table; then its form; then the
//! template, so that a value is judged only where there is a place for it; then the number to be shown. What a template
//! and a list of words have against a value is for others to say.

pub(super) mod call_ivr;
pub(super) mod call_notify;
pub(super) mod call_verify;
mod placing;
