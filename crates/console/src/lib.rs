//! The operator's REST API: `/api/v1`, with its OpenAPI document.
//!
//! ```text
//! request ─▶ render ─▶ guard ─▶ intake ─▶ repeat ─▶ audit ─▶ api/<noun> ─▶ store
//!          language    token    bytes     once      who, what
//! ```
//!
//! *Takes* requests of operators and gives them apps, keys, numbers, records and pushes, to look at and to change. Every
//! answer is JSON in our own words, every error a problem of RFC 9457 with what to do about it, every list has pages,
//! every change stands in the audit log. The same router serves over HTTP and, called in process, the command line.
//!
//! It never speaks a vendor's language, never writes a secret into a log or the audit, and never blocks the runtime.
//! What only a running platform knows (live calls, quotas, the trunk's health) it asks its [`House`], if there is one.
//!
//! Read `parts.rs` first, then `router.rs` (the layers in their order), then any file of `api/`.

mod address;
mod api;
mod audit;
mod guard;
mod intake;
mod key;
mod page;
mod parts;
mod problem;
mod render;
mod repeat;
mod router;
mod time;
mod words;

#[cfg(test)]
mod tests;

pub use address::{Announcement, announced};
pub use intake::Peer;
pub use key::{KeyFault, OperatorKey};
pub use parts::{
    Asked, Explained, Host, HostCondition, House, Parts, Question, Sessions, Trunk, Unexplained,
};
pub use router::{document, router};
