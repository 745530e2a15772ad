//! The tools of the end-to-end tests: the binary under test, telephones, receivers, ears.
//!
//! Everything here is real: processes, sockets, files. Waiting is always for a condition, with a deadline.

pub mod api;
pub mod baresip;
pub mod certificate;
pub mod clock;
pub mod ears;
pub mod handset;
pub mod http;
pub mod huihu;
pub mod kamailio;
pub mod ksyun;
pub mod operator;
pub mod receiver;
pub mod relay;
pub mod scenario;
pub mod sipp;
pub mod trace;
pub mod wait;
