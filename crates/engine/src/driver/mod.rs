//! The shell around the pure parts: threads, sockets, clocks, system calls.

mod alarms;
pub(crate) mod archive;
pub(crate) mod clock;
mod files;
pub mod ground;
pub(crate) mod kernel;
pub(crate) mod mailbox;
mod names;
pub(crate) mod net;
mod poller;
pub(crate) mod shard;
pub(crate) mod sockets;
mod talk;
pub(crate) mod trace;
pub mod trial;
pub(crate) mod uring;
mod wire;
