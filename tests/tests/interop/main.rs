//! Calls through what carriers and offices have: a real proxy and registrar, and real telephones in every codec they know.
//!
//! What each party hears of the other one is listened to.

mod conversation;
mod impairment;
mod proxy;
mod telephones;
