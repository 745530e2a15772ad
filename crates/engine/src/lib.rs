//! Runs plans on legs: the room where calls live.
//!
//! ```text
//! Launch (Call + Permit + Clips) ─▶ shard ◀─▶ sip · media ◀─▶ network
//!                                     └─▶ Entry, to the journal
//! ```
//!
//! *Takes* accepted calls, stops, and what the network brings; *gives* facts, in order, one closing fact a call.
//! A call lives by value in one shard, which is one thread with one event loop; both its legs, their sockets and
//! their timers live there too, so nothing of a call is ever locked. It never reads a database, never speaks HTTP,
//! never blocks on anything but its own poller.
//!
//! `call.rs`, `leg.rs`, `keys.rs` and `numbering.rs` are pure; `driver/` owns sockets, clocks and threads. Read [`engine`] first, then `call.rs`,
//! then `driver/shard.rs`.

pub mod answering;
mod call;
mod driver;
pub mod engine;
mod keys;
mod leg;
pub mod numbering;
pub mod recording;
pub mod solo;
pub mod tls;
pub mod trace;
pub mod trunk;

pub use driver::sockets::SocketFault;
pub use driver::{ground, trial};
pub use engine::{Backend, Engine, Journal, Launch, Orphan, Settings, Speech, StartFault};
pub use recording::recording_path;
pub use trace::{Homer, TraceSettings, Traced};
pub use trunk::Trunk;
