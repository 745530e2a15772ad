//! An engine on real sockets against a far end on real sockets, on loopback, in real time.
//!
//! `world.rs` has the engine, its journal and the words of the stories; `far.rs` the far end; the other files tell the
//! stories. Nothing sleeps: a story pumps the far end until what it waits for has happened.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on ends there")]

mod allocations;
mod answering;
mod bridge;
mod codecs;
mod early;
mod endings;
mod far;
mod faults;
mod hearing;
mod keys;
mod notices;
mod orphans;
mod recording;
mod registration;
mod traces;
mod transports;
mod trials;
mod trunks;
mod verdict;
mod world;
