//! What every dialect can do.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use base::account::{Account, Key, Phase, PushSignature, ReportForm};
use base::id::CallId;
use base::order::{Order, ProductKind};
use base::private::Private;
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

    /// Reads from the headers and the query who says they ask.
    ///
    /// # Errors
    /// The finished reply, when they do not say it or the path does not exist. Such faults are the vendor's own and
    /// never become a [`Refusal`].
    fn claim(&self, request: &WireRequest, settings: &Settings) -> Result<Claim, WireReply>;

    /// Checks the claim against what is known of the key it names; `None` when no such key is known.
    ///
    /// # Errors
    /// [`Refusal::UnknownKey`]; of a signature [`Refusal::StaleRequest`] and [`Refusal::BadSignature`], which also
    /// stands for a wrong password; of a token [`Refusal::UnknownToken`], then [`Refusal::StaleToken`]. Which comes first
    /// is the vendor's.
    fn prove(
        &self,
        claim: &Claim,
        credentials: Option<&Credentials<'_>>,
        now: Timestamp,
        settings: &Settings,
    ) -> Result<(), Refusal>;

    /// The name that its customers know a call by.
    fn print_call(&self, call: CallId, node: &str) -> String;

    /// The calls that such a name may mean, first and last: all ids between them have the same name. `None` when no
    /// call has that name.
    fn find_call(&self, text: &str) -> Option<RangeInclusive<CallId>>;

    /// Which world the path belongs to: the real one, or the sandbox.
    fn phase(&self, request: &WireRequest) -> Phase;

    /// The kind of call that the request would place. `None` when it would place none, or when the method is wrong,
    /// which [`read`](Self::read) then says.
    fn product(&self, request: &WireRequest) -> Option<ProductKind>;

    /// Reads what is asked for. The account has been proven and may use the product.
    ///
    /// # Errors
    /// [`Refusal::WrongMethod`], then whatever is wrong with the body.
    fn read(&self, request: &WireRequest, account: &Account) -> Result<Order, Refusal>;

    /// Words the outcome for the one who asked. Never fails.
    fn write(
        &self,
        request: &WireRequest,
        outcome: Result<&Done, &Refusal>,
        settings: &Settings,
    ) -> WireReply;

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
    /// What shows that it is theirs.
    pub proof: Proof,
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a claim to be key {:?} by {}", self.key, self.proof.name())
    }
}

/// What shows that a key is the requester's. It has no Debug: all of it is secret or helps to guess what is.
#[derive(Clone, PartialEq, Eq)]
pub enum Proof {
    /// A digest over the secret and a text that is used once.
    Signature {
        /// The requester's one-time text.
        nonce: Box<str>,
        /// When the request was made, as written.
        created: Box<str>,
        /// The digest, as written.
        signature: Box<str>,
        /// How it was made.
        scheme: Scheme,
    },
    /// A digest over the whole request.
    Request(Signed),
    /// A token that a login gave.
    Token(Private<Box<str>>),
    /// The enterprise's name and password.
    Password {
        /// The name.
        user: Box<str>,
        /// The password.
        password: Private<Box<str>>,
    },
    /// The token that renews a session, and the key's secret itself.
    Renewal {
        /// The token.
        token: Private<Box<str>>,
        /// The secret.
        secret: Private<Box<str>>,
    },
}

/// A signature that covers a request, and what it covers.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// The text that is signed.
    pub covered: Private<Box<str>>,
    /// The digest, as written.
    pub signature: Box<str>,
    /// When the request was made, as written.
    pub created: Box<str>,
    /// The same moment.
    pub made_at: Timestamp,
    /// How long it is good for from then on.
    pub lives: Duration,
    /// The token of a temporary key.
    pub token: Option<Private<Box<str>>>,
    /// What the key that signs is derived for; `None`: the secret itself signs.
    pub scope: Option<SigningScope>,
}

/// What a signing key is derived for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningScope {
    /// The day, `YYYYMMDD`.
    pub date: Box<str>,
    /// The region, whatever it is.
    pub region: Box<str>,
    /// The service.
    pub service: Box<str>,
}

impl Proof {
    /// What must come only once where repeated requests are refused, and when it was made, as written. `None` for
    /// proofs that are shown again and again.
    #[must_use]
    pub fn once(&self) -> Option<(&str, &str)> {
        match self {
            Self::Signature { nonce, created, .. } => Some((nonce, created)),
            Self::Request(signed) => Some((&signed.signature, &signed.created)),
            Self::Token(_) | Self::Password { .. } | Self::Renewal { .. } => None,
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Signature { .. } => "signature",
            Self::Request(_) => "request signature",
            Self::Token(_) => "token",
            Self::Password { .. } => "password",
            Self::Renewal { .. } => "renewal",
        }
    }
}

/// How a digest covers the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// The secret is the key of an HMAC.
    Hmac,
    /// The secret is hashed with the rest.
    Wsse,
}

/// What is known of the one whose key a claim names.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'a> {
    /// The key.
    pub key: &'a Key,
    /// The enterprise's name.
    pub account: &'a str,
    /// Its password, if it has one.
    pub password: Option<&'a Private<Box<str>>>,
    /// The session that the key's last login began, if it lasts.
    pub session: Option<&'a Session>,
}

/// What a login gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// What requests show in place of a signature.
    pub access: Private<Box<str>>,
    /// What renews the session.
    pub renewal: Private<Box<str>>,
    /// When both end.
    pub expires_at: Timestamp,
}

/// What the operator decides about reading requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Which clocks a request's time may come from.
    pub clock: Clock,
    /// How far a request's time may be from ours, before and after.
    pub window: Duration,
    /// Whether signatures of the generation before the present one are taken too.
    pub legacy_signature: bool,
    /// Whether customers may log in with a password and show a token from then on.
    pub legacy_login: bool,
    /// Whether what is asked by POST may be asked by GET too, where a vendor's documents disagree about it.
    pub allow_get: bool,
    /// Whether faults of proof are told in one vocabulary only, where a vendor has two.
    pub one_error_family: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            clock: Clock::Lenient,
            window: WINDOW,
            legacy_signature: false,
            legacy_login: false,
            allow_get: false,
            one_error_family: false,
        }
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
    /// They may ask for it; nothing was done.
    Allowed,
    /// A running call was told to end.
    Stopped,
    /// The recording is there.
    Recording {
        /// Where it can be fetched for a while, without further proof.
        url: Box<str>,
    },
    /// A session began, or goes on under new tokens.
    LoggedIn {
        /// What requests show from now on; no character of it needs escaping in a query.
        access: Private<Box<str>>,
        /// What renews the session; no character of it needs escaping in a query.
        renewal: Private<Box<str>>,
        /// How long both last.
        lives: Duration,
    },
    /// The session is over.
    LoggedOut,
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
    /// How the app wants its reports worded.
    pub reports: ReportForm,
    /// The moment of this attempt.
    pub now: Timestamp,
    /// Random for every attempt.
    pub nonce: u128,
}
