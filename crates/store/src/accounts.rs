//! Every account in memory, by key and by app: one snapshot, swapped whole when somebody changes anything.
//!
//! The command line writes from another process, so the version of the configuration is looked at every second.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base::account::Account;
use base::id::AppId;
use base::standing::Platform;
use base::time::Timestamp;

use crate::fault::StoreFault;
use crate::snapshot::{self, KnownKey, Snapshot};
use crate::store::Store;
use crate::words::PushProfile;

/// The accounts as they are now. Clones share the snapshot; reading it never waits for the database.
#[derive(Clone)]
pub struct Accounts {
    store: Store,
    now: Arc<RwLock<Arc<Snapshot>>>,
}

/// Whose key signs a push, and how often its app wants pushes tried.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The account, with the key.
    pub account: Arc<Account>,
    /// How often.
    pub profile: PushProfile,
}

impl Accounts {
    /// Reads all accounts.
    ///
    /// # Errors
    /// [`StoreFault`] when the database cannot be read.
    pub async fn load(store: &Store) -> Result<Self, StoreFault> {
        let accounts = Self { store: store.clone(), now: Arc::default() };
        accounts.reload().await?;
        Ok(accounts)
    }

    /// The account that a request's key belongs to; `None` for a key that is unknown, revoked or over. The app of one
    /// that is known may have been deleted.
    #[must_use]
    pub fn find(&self, key: &str, now: Timestamp) -> Option<Arc<Account>> {
        let snapshot = self.snapshot();
        snapshot.by_key.get(key).filter(|known| known.is_valid(now)).map(KnownKey::account)
    }

    /// The account that signs a push; a key that may not ask any more still signs what was ordered with it.
    #[must_use]
    pub fn signer(&self, key: &str) -> Option<Signer> {
        let snapshot = self.snapshot();
        let known = snapshot.by_key.get(key)?;
        Some(Signer { account: known.account(), profile: known.profile() })
    }

    /// The account of an app, with the newest of its keys that may ask; `None` when none may.
    #[must_use]
    pub fn by_app(&self, app: AppId, now: Timestamp) -> Option<Arc<Account>> {
        let snapshot = self.snapshot();
        let mut keys = snapshot.by_app.get(&app)?.iter().rev().filter_map(|key| snapshot.by_key.get(key));
        keys.find(|known| known.is_valid(now)).map(KnownKey::account)
    }

    /// What holds for everybody.
    #[must_use]
    pub fn platform(&self) -> Arc<Platform> {
        Arc::clone(&self.snapshot().platform)
    }

    /// Reads everything anew if the configuration has another version. Gives whether it had.
    ///
    /// # Errors
    /// [`StoreFault`] when the database cannot be read; the snapshot stays as it was.
    pub async fn reload(&self) -> Result<bool, StoreFault> {
        if snapshot::version(self.store.read()).await? == self.snapshot().version {
            return Ok(false);
        }
        let snapshot = Arc::new(snapshot::read(&self.store).await?);
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        // Who began to read before a change may be done after whoever read it, and must not bring back what was.
        if snapshot.version > now.version {
            *now = snapshot;
        }
        Ok(true)
    }

    /// Looks for changes every second, for ever. Run it in a task of its own.
    pub async fn follow(self) {
        loop {
            tokio::time::sleep(LOOK).await;
            match self.reload().await {
                Ok(true) => tracing::info!(keys = self.snapshot().by_key.len(), "the accounts have changed"),
                Ok(false) => {}
                Err(fault) => {
                    tracing::warn!(
                        fault = &fault as &dyn std::error::Error,
                        "the accounts are not up to date"
                    );
                }
            }
        }
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How often another process's changes are looked for.
const LOOK: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::{Admin, AppDraft};

    #[tokio::test]
    async fn a_key_that_nobody_names_holds_no_copy_of_what_its_app_has() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
        let (admin, now) = (Admin::new(&store), Timestamp::from_millis(60_000));
        let app = admin.create_app(&AppDraft::new("acme", "shop"), now).await.unwrap();
        let mut keys = Vec::new();
        for age in [3, 2, 1] {
            let then = now - Duration::from_secs(age);
            keys.push(admin.create_key(app, then).await.unwrap().id);
        }
        let accounts = Accounts::load(&store).await.unwrap();
        let made = || -> Vec<bool> {
            let snapshot = accounts.snapshot();
            keys.iter().map(|key| snapshot.by_key[key].has_account()).collect()
        };
        assert_eq!(made(), [false, false, false]);
        let found = accounts.find(&keys[1], now).unwrap();
        assert_eq!((&found.key.id, &*found.app.name, &*found.name), (&keys[1], "shop", "acme"));
        assert!(Arc::ptr_eq(&found, &accounts.signer(&keys[1]).unwrap().account), "it is made once");
        assert_eq!(accounts.by_app(app, now).unwrap().key.id, keys[2]);
        assert_eq!(made(), [false, true, true]);
    }
}
