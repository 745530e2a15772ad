//! Everything that must survive a crash.
//!
//! *Takes* entries of calls and outcomes of pushes, *gives* durability, accounts, records and the outbox. One writer
//! commits in groups; what projections conclude is written in the same transaction as the facts. It never talks to
//! a network, never decides whether a call may be placed, and deletes nothing that a customer is still owed.
//!
//! Read `store.rs` first (a data directory and its term of office), then `journal.rs` (the road of every entry),
//! `baton.rs` and `copyist.rs` (who writes, and how the log gets into the database),
//! `counts.rs` (what it counts against), `seen.rs` (what is not taken twice), `recovery.rs` (the same road after a crash),
//! `outbox.rs` (what delivery reads),
//! `accounts.rs` with `snapshot.rs` (whom requests are judged by), `admin/` (the operator's hand), `retention.rs`, and
//! `inspection.rs` with `books.rs` (a directory that is looked at, and whether its calls add up).

mod accounts;
pub mod admin;
mod batch;
mod baton;
mod books;
mod copyist;
mod counts;
#[cfg(debug_assertions)]
pub mod death;
#[expect(unreachable_pub, reason = "SeaORM's derives write pub, and the tables are nobody else's business")]
mod entities;
mod fault;
mod home;
mod inspection;
mod journal;
mod ledger;
mod migrations;
mod outbox;
mod queue;
mod recovery;
mod retention;
mod seen;
mod snapshot;
mod store;
#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;
mod unreleased;
mod vault;
mod words;

pub use accounts::{Accounts, Signer};
pub use admin::{Admin, AdminFault, AppDraft};
pub use books::{BookedDay, Books, Flaw, FlawedCall, Told};
pub use fault::StoreFault;
pub use inspection::{Inspection, OpenCalls, SchemaState};
pub use journal::{AcceptFault, Journal, JournalTask, Opened};
pub use outbox::{DueCursor, Exchange, Fresh, Outbox, Outcome, Page, PushNo, PushState, Verdict, Waiting};
pub use queue::Backlog;
pub use recovery::Interrupted;
pub use retention::{Pruned, Retention};
pub use seen::SeenRequest;
pub use store::{DATABASE_FILE, Store, Term};
pub use vault::KEY_FILE;
pub use words::{KeyState, LengthProfile, ListKind, PushProfile};
