//! The languages of the clouds: what they write becomes our words, and our words become what they expect to read.
//!
//! ```text
//! WireRequest ─claim─▶ Claim ─prove─▶ (admission: app, product) ─read─▶ Order ─▶ (admission: the rest)
//! WireReply ◀─write─ Done │ Refusal          Push ◀─push─ Row
//! ```
//!
//! *Takes* [`WireRequest`]s, outcomes and rows; *gives* orders, replies and pushes. It never does IO, never reads a
//! clock, never invents a nonce and never looks an account up: `now`, nonces and accounts are arguments.
//!
//! The road of a request keeps the vendor's order of checks: [`claim`](Dialect::claim) (headers), the caller looks
//! the key up, [`prove`](Dialect::prove) (key, time, signature), the caller checks the app and
//! [`product`](Dialect::product), [`read`](Dialect::read) (method, body), the caller checks numbers, clips and ports,
//! [`write`](Dialect::write). Whoever refuses on the way, `write` words it.
//!
//! A new vendor is a folder with the file names of `huawei/` and a line in [`ALL`]. Read `huawei/mod.rs` first.

pub mod dialect;
pub mod huawei;
pub mod ksyun;
pub mod wire;

pub use dialect::{
    Claim, Clock, Credentials, Dialect, Done, Proof, Scheme, Session, Settings, Signed, SigningScope, Stamp,
};
pub use wire::{Headers, Push, PushId, WireReply, WireRequest};

/// Every dialect, each once.
pub const ALL: &[&dyn Dialect] = &[&huawei::Huawei, &ksyun::Ksyun];

/// The dialect whose path this is.
#[must_use]
pub fn owner(path: &str) -> Option<&'static dyn Dialect> {
    ALL.iter().copied().find(|dialect| dialect.owns(path))
}

/// The dialect of that name, which a stored call carries.
#[must_use]
pub fn named(name: &str) -> Option<&'static dyn Dialect> {
    ALL.iter().copied().find(|dialect| dialect.name() == name)
}
