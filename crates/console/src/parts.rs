//! What the API is made of, and what it asks of a running platform.

use std::fmt;
use std::sync::Arc;

use base::id::CallId;
use base::time::Timestamp;
use speech::shelf::Shelf;
use store::{Accounts, Admin, Store};

use crate::key::OperatorKey;
use crate::ledger::Ledger;

/// Everything that the handlers use.
pub struct Parts {
    pub(crate) admin: Admin,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) key: OperatorKey,
    pub(crate) clock: fn() -> Timestamp,
    pub(crate) sessions: Sessions,
    pub(crate) accounts: Option<Accounts>,
    pub(crate) house: Option<Arc<dyn House>>,
    pub(crate) ledger: Ledger,
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
            ledger: Ledger::default(),
        }
    }

    /// The API of a running platform. What is changed holds from the next request on.
    #[must_use]
    pub fn serving(self, accounts: Accounts, house: Arc<dyn House>) -> Self {
        Self { accounts: Some(accounts), house: Some(house), ..self }
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

/// How customers name calls: their session ids are a dialect's business.
#[derive(Clone, Copy, Debug)]
pub struct Sessions {
    /// The call of a session id; `None` when it is none of ours.
    pub parse: fn(&str) -> Option<CallId>,
    /// The session id of a call on a node.
    pub print: fn(CallId, &str) -> String,
}

/// What only a running platform knows. Nothing here waits for long or changes a call.
pub trait House: Send + Sync {
    /// How many calls run now.
    fn live(&self) -> usize;
}
