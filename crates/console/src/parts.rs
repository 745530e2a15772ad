//! What the API is made of, and what it asks of a running platform.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;

use admission::Finding;
use base::account::Phase;
use base::id::{AppId, CallId};
use base::order::Placing;
use base::refusal::Refusal;
use base::time::Timestamp;
use base::trunk::{Condition, LinkFault};
use speech::shelf::Shelf;
use store::{Accounts, Admin, Store};

use crate::key::OperatorKey;
use crate::problem::{Kind, Problem};

/// Everything that the handlers use.
pub struct Parts {
    pub(crate) admin: Admin,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) key: OperatorKey,
    pub(crate) clock: fn() -> Timestamp,
    pub(crate) sessions: Sessions,
    pub(crate) accounts: Option<Accounts>,
    pub(crate) house: Option<Arc<dyn House>>,
    /// Where the traces of calls are, if anywhere.
    pub(crate) traces: Option<PathBuf>,
}

impl Parts {
    /// The API of a data directory from which nobody serves: the command line's.
    #[must_use]
    pub fn new(
        store: &Store,
        shelf: Shelf,
        key: OperatorKey,
        sessions: Sessions,
        clock: fn() -> Timestamp,
    ) -> Self {
        Self {
            admin: Admin::new(store),
            shelf: Arc::new(shelf),
            key,
            clock,
            sessions,
            accounts: None,
            house: None,
            traces: None,
        }
    }

    /// The same, with the folder that holds the traces of calls.
    #[must_use]
    pub fn with_traces(self, folder: PathBuf) -> Self {
        Self { traces: Some(folder), ..self }
    }

    /// The API of a running platform. What is changed holds from the next request on.
    #[must_use]
    pub fn serving(self, accounts: Accounts, house: Arc<dyn House>) -> Self {
        Self { accounts: Some(accounts), house: Some(house), ..self }
    }

    /// The running platform, if there is one to ask.
    pub(crate) fn house(&self) -> Result<&dyn House, Problem> {
        self.house.as_deref().ok_or_else(|| Problem::of(Kind::NotRunning))
    }

    /// Has the platform see a change at once. A failure is no failure of the change: the platform looks by itself.
    pub(crate) async fn announce(&self) {
        let Some(accounts) = &self.accounts else { return };
        if let Err(fault) = accounts.reload().await {
            tracing::warn!(fault = &fault as &dyn std::error::Error, "a change is seen a moment later");
        }
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the parts of the operator API")
    }
}

/// How customers name calls: that is the business of the dialect in which a call was ordered.
#[derive(Clone, Copy, Debug)]
pub struct Sessions {
    /// The calls that a customer's name can mean: of the 128 bits of an id, it may leave some of the last ones open. `None`
    /// when it is no such name.
    pub parse: fn(&str) -> Option<RangeInclusive<CallId>>,
    /// The name that the customer of a dialect has for a call on a node.
    pub print: fn(&str, CallId, &str) -> String,
}

/// What only a running platform knows. Nothing here waits, and nothing but [`Self::lift`] changes anything.
pub trait House: Send + Sync {
    /// How many calls run now.
    fn live(&self) -> usize;

    /// The trunks, and whether they work.
    fn trunks(&self) -> Vec<Trunk>;

    /// The hosts that pushes go to, and how they fare; in no order.
    fn hosts(&self) -> Vec<Host>;

    /// The addresses whose requests are refused for failed proofs, and until when.
    fn bans(&self) -> Vec<(IpAddr, Timestamp)>;

    /// Lifts the ban of an address.
    fn lift(&self, address: IpAddr);

    /// What every rule says about an order, without placing a call.
    ///
    /// # Errors
    /// [`Unexplained`] when there is no order to be judged.
    fn explain(&self, asked: &Asked) -> Result<Explained, Unexplained>;
}

/// The way to a carrier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trunk {
    /// Its name.
    pub name: Box<str>,
    /// The gateways, as the configuration writes them: an address or a name each, with a port.
    pub peers: Vec<Box<str>>,
    /// The domain in its URIs, when it is another than the address.
    pub domain: Option<Box<str>>,
    /// The user that we log in as.
    pub username: Option<Box<str>>,
    /// How it is.
    pub condition: Condition,
    /// What was wrong with the last connection to it.
    pub link: Option<LinkFault>,
    /// Calls that it carries now; each leg is one.
    pub calls: u32,
    /// How many it may carry; `None`: any number.
    pub calls_max: Option<u32>,
    /// The address that its registrar saw us register from at last.
    pub seen_as: Option<SocketAddr>,
}

/// A host that pushes go to, since the platform knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name or address.
    pub name: Box<str>,
    /// Whether it is sent anything.
    pub condition: HostCondition,
    /// Messages in a row that it gave no answer to.
    pub failures: u32,
    /// When the first of them failed.
    pub failing_since: Option<Timestamp>,
    /// When the last message came to nothing, and what went wrong; nothing in it was written by the receiver.
    pub last_fault: Option<(Timestamp, Box<str>)>,
    /// Messages that it took.
    pub taken: u64,
    /// Messages that came to nothing.
    pub failed: u64,
    /// Messages that are on their way.
    pub in_flight: usize,
}

/// Whether a host is sent anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostCondition {
    /// It is.
    Working,
    /// Nothing until then, because it failed again and again.
    Resting {
        /// When it is tried again.
        until: Timestamp,
    },
    /// One push, to see whether it works again.
    Probing,
}

/// An order whose fate is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Whose.
    pub app: AppId,
    /// The address that the request is taken to come from.
    pub from: IpAddr,
    /// What is ordered.
    pub question: Question,
}

/// What is ordered.
#[derive(Clone, Debug)]
pub enum Question {
    /// A call, in our words.
    Order {
        /// The call.
        placing: Box<Placing>,
        /// Whether it is ordered in the sandbox.
        phase: Phase,
    },
    /// A customer's request as it comes over the wire, without its proof.
    Request {
        /// The HTTP method.
        method: Box<str>,
        /// The path.
        path: Box<str>,
        /// The query, without its `?`.
        query: Box<str>,
        /// The body.
        body: Vec<u8>,
    },
}

/// What the rules say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Why the request is no order at all, when it is none; the findings are empty then.
    pub unreadable: Option<Refusal>,
    /// Every rule, in its order.
    pub findings: Vec<Finding>,
    /// What the customer would be answered if it is refused, as HTTP status and body; only for requests.
    pub answer: Option<(u16, Vec<u8>)>,
}

/// Why there is nothing to be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unexplained {
    /// No customer's API has that path.
    UnknownPath,
    /// The request orders no call.
    NoCall,
    /// There is no such app, or it has no key that a request could name.
    NoAccount,
}
