//! The shell around the pure parts: threads, sockets, clocks, system calls.

mod alarms;
pub(crate) mod archive;
pub(crate) mod clock;
pub(crate) mod datagrams;
mod files;
pub mod ground;
pub(crate) mod kernel;
pub(crate) mod lateness;
pub(crate) mod listening;
pub(crate) mod mailbox;
mod names;
pub(crate) mod net;
pub(crate) mod places;
mod poller;
pub(crate) mod post;
pub(crate) mod shard;
pub(crate) mod sockets;
pub(crate) mod streams;
mod talk;
pub(crate) mod trace;
pub mod trial;
pub(crate) mod uring;
mod wire;
