//! Every account in memory, by key and by app: one snapshot, swapped whole when somebody changes anything.
//!
//! The command line writes from another process, so the version of the configuration is looked at every second.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base::account::{Account, App, AppState, Key, Number, NumberState, PushSignature, Review, VoiceFile};
use base::id::AppId;
use base::number::E164;
use base::url::PushUrl;
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder, TransactionTrait};

use crate::entities::{api_key, app, enterprise, number, setting, voice_file};
use crate::fault::StoreFault;
use crate::store::Store;
use crate::vault::Vault;
use crate::words::{self, KeyState, Word};

/// The accounts as they are now. Clones share the snapshot; reading it never waits for the database.
#[derive(Clone)]
pub struct Accounts {
    store: Store,
    now: Arc<RwLock<Arc<Snapshot>>>,
}

/// One state of all accounts.
#[derive(Default)]
struct Snapshot {
    version: String,
    by_key: HashMap<Box<str>, (KeyState, Arc<Account>)>,
    by_app: HashMap<AppId, Arc<Account>>,
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

    /// The account that a request's key belongs to; `None` for a key that is unknown or revoked.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<Arc<Account>> {
        let snapshot = self.snapshot();
        let (state, account) = snapshot.by_key.get(key)?;
        (*state == KeyState::Active).then(|| Arc::clone(account))
    }

    /// The account that signs a push; a revoked key still signs what was ordered with it.
    #[must_use]
    pub fn signer(&self, key: &str) -> Option<Arc<Account>> {
        self.snapshot().by_key.get(key).map(|(_, account)| Arc::clone(account))
    }

    /// The account of an app, with one of its active keys; `None` when it has none.
    #[must_use]
    pub fn by_app(&self, app: AppId) -> Option<Arc<Account>> {
        self.snapshot().by_app.get(&app).cloned()
    }

    /// Reads everything anew if the configuration has another version. Gives whether it had.
    ///
    /// # Errors
    /// [`StoreFault`] when the database cannot be read; the snapshot stays as it was.
    pub async fn reload(&self) -> Result<bool, StoreFault> {
        if version(self.store.read()).await? == self.snapshot().version {
            return Ok(false);
        }
        let snapshot = Arc::new(read(&self.store).await?);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
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

async fn version(connection: &impl ConnectionTrait) -> Result<String, StoreFault> {
    let row = setting::Entity::find_by_id(VERSION).one(connection).await;
    let row = row.map_err(StoreFault::of_database("read the version of"))?;
    Ok(row.map(|row| row.value).unwrap_or_default())
}

/// Reads all accounts in one transaction, so that version and content belong together.
async fn read(store: &Store) -> Result<Snapshot, StoreFault> {
    let fault = || StoreFault::of_database("read the accounts of");
    let transaction = store.read().begin().await.map_err(fault())?;
    let version = version(&transaction).await?;
    let enterprises = enterprise::Entity::find().all(&transaction).await.map_err(fault())?;
    let apps = app::Entity::find().all(&transaction).await.map_err(fault())?;
    let keys = api_key::Entity::find().order_by_asc(api_key::Column::CreatedAt);
    let keys = keys.all(&transaction).await.map_err(fault())?;
    let numbers = number::Entity::find().order_by_asc(number::Column::Id);
    let numbers = numbers.all(&transaction).await.map_err(fault())?;
    let files = voice_file::Entity::find().all(&transaction).await.map_err(fault())?;
    transaction.rollback().await.map_err(fault())?;

    let names: HashMap<i64, String> = enterprises.into_iter().map(|row| (row.id, row.name)).collect();
    let mut apps = readable(apps, |row| {
        let name = names.get(&row.enterprise_id).map(String::as_str).unwrap_or_default().into();
        Ok((row.id, Parts { name, app: read_app(row)?, numbers: Vec::new(), clips: BTreeMap::new() }))
    })
    .collect::<HashMap<_, _>>();
    for (app, number) in readable(numbers, |row| Ok((row.app_id, read_number(row)?))) {
        if let Some(parts) = apps.get_mut(&app) {
            parts.numbers.push(number);
        }
    }
    for (app, name, file) in readable(files, |row| Ok((row.app_id, row.name.clone(), read_voice_file(row)?)))
    {
        if let Some(parts) = apps.get_mut(&app) {
            parts.clips.insert(name.into(), file);
        }
    }
    let mut snapshot = Snapshot { version, ..Snapshot::default() };
    for (app, state, key) in readable(keys, |row| read_key(store.vault(), row)) {
        let Some(parts) = apps.get(&app) else { continue };
        let account = Arc::new(parts.account(key));
        if state == KeyState::Active {
            snapshot.by_app.insert(account.app.id, Arc::clone(&account));
        }
        snapshot.by_key.insert(account.key.id.clone(), (state, account));
    }
    Ok(snapshot)
}

/// An account without its key.
struct Parts {
    name: Box<str>,
    app: App,
    numbers: Vec<Number>,
    clips: BTreeMap<Box<str>, VoiceFile>,
}

impl Parts {
    fn account(&self, key: Key) -> Account {
        Account {
            name: self.name.clone(),
            app: self.app.clone(),
            key,
            numbers: self.numbers.clone(),
            clips: self.clips.clone(),
        }
    }
}

/// Everything that can be read. One damaged row costs its owner something, but nobody else.
fn readable<R, T>(rows: Vec<R>, read: impl Fn(&R) -> Result<T, StoreFault>) -> impl Iterator<Item = T> {
    let read =
        move |row: &R| read(row).inspect_err(|fault| tracing::error!(%fault, "left out of the accounts"));
    rows.into_iter().filter_map(move |row| read(&row).ok())
}

pub(crate) fn read_app(row: &app::Model) -> Result<App, StoreFault> {
    let damaged = || StoreFault::damaged(format!("app {}", row.id));
    let url = |url: &Option<String>| {
        url.as_deref()
            .map(PushUrl::parse)
            .transpose()
            .map_err(|_| StoreFault::damaged(format!("app {}", row.id)))
    };
    Ok(App {
        id: AppId(row.id),
        name: row.name.as_str().into(),
        state: AppState::of(&row.state).ok_or_else(damaged)?,
        products: words::split(&row.products).ok_or_else(damaged)?,
        ports: u32::try_from(row.ports).map_err(|_| damaged())?,
        recording: row.recording,
        status_url: url(&row.status_url)?,
        fee_url: url(&row.fee_url)?,
        push_signature: PushSignature::of(&row.push_signature).ok_or_else(damaged)?,
    })
}

pub(crate) fn read_number(row: &number::Model) -> Result<Number, StoreFault> {
    let damaged = || StoreFault::damaged(format!("number {}", row.id));
    let number = E164::parse(&row.number).map_err(|_| damaged())?;
    Ok(Number { number, state: NumberState::of(&row.state).ok_or_else(damaged)? })
}

pub(crate) fn read_voice_file(row: &voice_file::Model) -> Result<VoiceFile, StoreFault> {
    let damaged = || StoreFault::damaged(format!("voice file {}", row.id));
    let clip = row.clip.parse().map_err(|_| damaged())?;
    Ok(VoiceFile { clip, review: Review::of(&row.review).ok_or_else(damaged)? })
}

fn read_key(vault: &Vault, row: &api_key::Model) -> Result<(i64, KeyState, Key), StoreFault> {
    let id: Box<str> = row.id.as_str().into();
    let state = KeyState::of(&row.state).ok_or_else(|| StoreFault::damaged(format!("key {id}")))?;
    let broken = || StoreFault::SealBroken { key: id.clone() };
    let secret = vault.open(&id, &row.sealed_secret).ok_or_else(broken)?;
    Ok((row.app_id, state, Key { id, secret }))
}

/// The setting that every change of an account counts up.
pub(crate) const VERSION: &str = "config_version";

/// How often another process's changes are looked for.
const LOOK: Duration = Duration::from_secs(1);
