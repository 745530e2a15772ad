//! What every dialect can do.

use std::fmt;
use std::time::Duration;

use base::account::{Account, Key, PushSignature};
use base::id::CallId;
use base::order::{Order, ProductKind};
use base::refusal::Refusal;
use base::row::{Channel, Row};
use base::time::Timestamp;

use crate::wire::{Push, PushId, WireReply, WireRequest};

/// One cloud's wire language. Pure: the same arguments give the same bytes.
pub trait Dialect: Send + Sync {
    /// The name that a stored call and the configuration know it by.
    fn name(&self) -> &'static str;

    /// Whether a request to that path is this dialect's to answer, if only with "no such path".
    fn owns(&self, path: &str) -> bool;

    /// Reads from the headers who says they ask.
    ///
    /// # Errors
    /// The finished reply, when the headers do not say it or the path does not exist. Such faults are the
    /// vendor's own and never become a [`Refusal`].
    fn claim(&self, request: &WireRequest) -> Result<Claim, WireReply>;

    /// Checks the claim against the key it names; `None` when no such key is known.
    ///
    /// # Errors
    /// [`Refusal::UnknownKey`], [`Refusal::StaleRequest`] or [`Refusal::BadSignature`], in this order.
    fn prove(
        &self,
        claim: &Claim,
        key: Option<&Key>,
        now: Timestamp,
        settings: &Settings,
    ) -> Result<(), Refusal>;

    /// The kind of call that the request would place. `None` when it would place none, or when the method is wrong,
    /// which [`read`](Self::read) then says.
    fn product(&self, request: &WireRequest) -> Option<ProductKind>;

    /// Reads what is asked for. The account has been proven and may use the product.
    ///
    /// # Errors
    /// [`Refusal::WrongMethod`], then whatever is wrong with the body.
    fn read(&self, request: &WireRequest, account: &Account) -> Result<Order, Refusal>;

    /// Words the outcome for the one who asked. Never fails.
    fn write(&self, request: &WireRequest, outcome: Result<&Done, &Refusal>) -> WireReply;

    /// How many rows of one receiver may travel in one push of that kind; at least 1.
    fn rows_per_push(&self, channel: Channel) -> usize;

    /// Words rows for their receiver. `None` when they cannot travel together (none at all, too many, of several
    /// kinds or receivers) or have no receiver.
    fn push(&self, rows: &[Row], stamp: &Stamp<'_>) -> Option<Push>;

    /// Whether a receiver's answer to a push means that it has it.
    fn received(&self, status: u16, body: &[u8]) -> bool;
}

/// Who says they ask, and what they offer as proof; nothing of it is checked yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Claim {
    /// The key that the request names.
    pub key: Box<str>,
    /// The requester's one-time text.
    pub nonce: Box<str>,
    /// When the request was made, as written.
    pub created: Box<str>,
    /// The signature, as written.
    pub signature: Box<str>,
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a claim to be key {:?}, made {:?}", self.key, self.created)
    }
}

/// What the operator decides about reading requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Which clocks a request's time may come from.
    pub clock: Clock,
    /// How far a request's time may be from ours, before and after.
    pub window: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { clock: Clock::Lenient, window: WINDOW }
    }
}

/// Which clocks a request's time may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// UTC, or Beijing time written as if it were UTC, which much customer code does.
    Lenient,
    /// UTC only, as documented.
    Utc,
}

/// Minutes of clock error that real customers' machines have; no vendor publishes its own window.
const WINDOW: Duration = Duration::from_secs(10 * 60);

/// What was done for the one who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// A call was accepted and is durable.
    Placed {
        /// Its id.
        call: CallId,
        /// The node that owns it.
        node: Box<str>,
        /// How many ports are idle now; only when the order asked for it.
        idle_ports: Option<u32>,
    },
    /// A running call was told to end.
    Stopped,
}

/// What makes a push out of rows: everything that is not in them.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// The push's stable id.
    pub id: PushId,
    /// The key that signs; the rows' app is its owner.
    pub key: &'a Key,
    /// How the app wants its pushes signed.
    pub signature: PushSignature,
    /// The moment of this attempt.
    pub now: Timestamp,
    /// Random for every attempt.
    pub nonce: u128,
}
