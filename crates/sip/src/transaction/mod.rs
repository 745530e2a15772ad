//! The transaction layer: RFC 3261 section 17 with the corrections of RFC 6026, for UDP.
//!
//! Four machines that know states and timers and nothing of messages ([`invite_client`], [`invite_server`],
//! [`plain_client`], [`plain_server`]); the bytes that were sent ([`stored`]), which are kept and sent again as they
//! are; and the two tables that find a machine by the hash of its branch ([`clients`], [`servers`]).

pub(crate) mod clients;
pub(crate) mod invite_client;
pub(crate) mod invite_server;
pub(crate) mod key;
pub(crate) mod plain_client;
pub(crate) mod plain_server;
pub(crate) mod servers;
pub(crate) mod stored;
#[cfg(test)]
pub(crate) mod story;

/// What a response is, as far as a transaction cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// 100: the next hop has it. Says nothing about the callee.
    Trying,
    /// 101 to 199.
    Provisional,
    /// Any 2xx, not only 200.
    Success,
    /// 300 to 699.
    Failure,
}

impl Class {
    /// The class of a status code from 100 to 699.
    pub(crate) fn of(status: u16) -> Self {
        match status {
            ..=100 => Self::Trying,
            101..=199 => Self::Provisional,
            200..=299 => Self::Success,
            300.. => Self::Failure,
        }
    }
}

/// What its surroundings must do after a machine took a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Nothing: late, repeated or early news.
    Nothing,
    /// Send the stored bytes once more: the request, the last response or the ACK.
    Resend,
    /// Hand the message to the owner.
    Pass,
    /// Build, store and send the ACK of a failure response, then hand the response to the owner.
    AcknowledgeAndPass,
    /// Nobody answered in time: the owner hears of it, the machine is over.
    TimedOut,
    /// It rang longer than timer C allows: the owner hears of it and must cancel.
    RangOut,
    /// The machine is over.
    Over,
}
