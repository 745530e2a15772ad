//! The simulated carrier: a real far end for SIP and RTP on this machine, with a telephone for every number.
//!
//! *Takes* INVITEs, on a socket of its own, and a folder and some clips from its owner. *Gives* what real telephones
//! give: ringing, voices, keys, busy tones, announcements, silence; a recording of what each of them heard; and a
//! [`LegReport`] for each call. It never calls anybody, and it trusts every program on its host: it is for
//! development, demonstrations and tests.
//!
//! ```text
//! dialled digits ─▶ Fate ─▶ Phone (pure, virtual time) ─Wish─▶ Exchange (one thread) ◀─▶ sip · media ◀─▶ loopback
//! ```
//!
//! | last four digits | what happens |
//! | --- | --- |
//! | `0001` and all others | rings, answers |
//! | `0002` | rings, answers, hangs up itself |
//! | `0003` | rings, answers, says what it hears |
//! | `0004` | rings, answers, says nothing at all |
//! | `1nnn` | rings, answers, presses nnn |
//! | `5nnn` | rings, answers, presses each n some seconds after the one before, as a menu wants them |
//! | `6nnn` | as `5nnn`, by SIP INFO |
//! | `7nnn` | as `5nnn`, by tones in its voice, which ends with the first one |
//! | `2000` | as `0001`, and loses 5 % of its packets |
//! | `3000` | as `0001`, and is deaf to the first ACKs, so that it repeats its answer |
//! | `0183` | 183 with Reason `Q.850;cause=17` and an announcement, then 480 |
//! | `0404` | 183 with the announcement of an empty number, then 404 |
//! | `0480` | rings, then 480 |
//! | `0486` | 486 |
//! | `0503` | 503 with Retry-After |
//! | `0603` | rings, then 603 |
//! | `0408` | nothing at all |
//!
//! The digit before these four chooses the voice, so that the parties of a callback can be told apart.
//!
//! Read [`Settings`] and [`Carrier`] first, then [`fate`], where the table is.

mod carrier;
mod exchange;
pub mod fate;
mod ledger;
mod leg;
mod links;
mod phone;
mod poller;
mod quirks;
mod repertoire;
mod settings;
mod tape;
mod wire;

pub use self::carrier::{Carrier, Fault};
pub use self::ledger::{EndedBy, LegReport};
pub use self::settings::{Settings, Times};
