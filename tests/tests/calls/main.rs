//! Calls through the real binary, with sipp as the carrier's gateway and a receiver of our own as the customer.
//!
//! `script` plays calls and compares what everybody saw of them; the other files are the stories.

mod account;
mod callback;
mod ending;
mod fee;
mod pushes;
mod records;
mod script;
mod stage;
mod stopping;
mod verification;
