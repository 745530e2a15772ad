//! A data directory that is open: its database, its key, and the term of the process that serves from it.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base::private::Private;
use base::time::Timestamp;
use rusqlite::Connection;
use sea_orm::sqlx::ConnectOptions;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sea_orm::{
    ActiveValue::Set, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    SqliteTransactionMode, SqlxSqliteConnector, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;

use crate::baton::{Baton, BatonLine};
use crate::entities::{node, setting};
use crate::fault::StoreFault;
use crate::home::Home;
use crate::migrations::Migrator;
use crate::vault::{KEY_FILE, Vault};

/// An open data directory. Clones share everything.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    dir: PathBuf,
    read: DatabaseConnection,
    write: DatabaseConnection,
    batons: BatonLine,
    vault: Vault,
}

/// The time in office of one process on one node: only its calls may be closed in its name.
#[derive(Debug)]
pub struct Term {
    /// The node's host name.
    pub node: Box<str>,
    /// Grows by one with each start of the node.
    pub epoch: i64,
    /// The last sign of life of the process before this one, if there was one.
    pub last_seen: Option<Timestamp>,
    /// Held as long as the process serves.
    _lock: File,
}

impl Store {
    /// Opens a data directory, makes it when it is not there, and brings its schema up to date.
    ///
    /// Several processes may do so at once (a server and a command line); only one of them may [`Self::serve`].
    ///
    /// # Errors
    /// [`StoreFault`] when the directory cannot be used or the key file is not the database's.
    pub async fn open(dir: &Path) -> Result<Self, StoreFault> {
        std::fs::create_dir_all(dir).map_err(StoreFault::of_file("create", dir))?;
        create(dir)?;
        let options = options(&dir.join(DATABASE_FILE));
        // The readers refuse to write, so that nothing can slip past the one writing connection.
        let readers = options.clone().pragma("query_only", "ON");
        // Whoever serves copies the log in a thread of its own; otherwise the last one who closes the database does.
        let write = connect(options.pragma("wal_autocheckpoint", "0"), 1);
        let read = connect(readers, READERS);
        Migrator::up(&write, None).await.map_err(StoreFault::of_database("migrate"))?;
        let vault = open_vault(dir, &write).await?;
        let batons = BatonLine::default();
        Ok(Self { shared: Arc::new(Shared { dir: dir.to_owned(), read, write, batons, vault }) })
    }

    /// Takes office as the one process that serves calls from this directory: the node's epoch grows by one.
    ///
    /// # Errors
    /// [`StoreFault::Taken`] when another process holds the office.
    pub async fn serve(&self, node: &str, now: Timestamp) -> Result<Term, StoreFault> {
        let lock = self.lock()?;
        let fault = || StoreFault::of_database("count a start in");
        let (_baton, transaction) = self.begin().await.map_err(fault())?;
        let before = node::Entity::find_by_id(node).one(&transaction).await.map_err(fault())?;
        let epoch = before.as_ref().map_or(1, |before| before.epoch + 1);
        let row = node::Model { name: node.to_owned(), epoch, heartbeat_at: now.micros() };
        match &before {
            None => {
                node::Entity::insert(row.into_active_model()).exec(&transaction).await.map_err(fault())?;
            }
            // The heartbeat stays the dead process's until its calls are closed by it.
            Some(before) => {
                let mut row = before.clone().into_active_model();
                row.epoch = Set(epoch);
                node::Entity::update(row).exec(&transaction).await.map_err(fault())?;
            }
        }
        transaction.commit().await.map_err(fault())?;
        let last_seen = before.map(|before| Timestamp::from_micros(before.heartbeat_at));
        Ok(Term { node: node.into(), epoch, last_seen, _lock: lock })
    }

    /// The data directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.shared.dir
    }

    /// A key for one purpose, such as signing addresses: made of the data directory's key, the same for ever.
    #[must_use]
    pub fn derived_key(&self, purpose: &str) -> Private<[u8; 32]> {
        self.shared.vault.derive(purpose)
    }

    /// The pool of connections that only read.
    pub(crate) fn read(&self) -> &DatabaseConnection {
        &self.shared.read
    }

    /// The one connection for the rare writes: accounts, settings, redelivery. The journal has its own. Hold the baton until
    /// it is written.
    pub(crate) async fn write(&self) -> (Baton, &DatabaseConnection) {
        (self.shared.batons.take().await, &self.shared.write)
    }

    /// Where whoever writes takes the baton.
    pub(crate) fn batons(&self) -> &BatonLine {
        &self.shared.batons
    }

    /// Begins a rare write. The lock is taken first: a transaction that has read something cannot write any more once
    /// the journal has committed something else. Hold the baton for longer than the transaction.
    pub(crate) async fn begin(&self) -> Result<(Baton, DatabaseTransaction), DbErr> {
        let mode = Some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode: mode, ..TransactionOptions::default() };
        let (baton, connection) = self.write().await;
        Ok((baton, connection.begin_with_options(options).await?))
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.shared.vault
    }

    /// A connection of its own for the journal's writer, or its copyist.
    pub(crate) fn connect_journal(&self) -> Result<Connection, StoreFault> {
        let fault = StoreFault::of_journal("open");
        let open = || {
            let connection = Connection::open(self.dir().join(DATABASE_FILE))?;
            connection.busy_timeout(BUSY)?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "foreign_keys", "ON")?;
            connection.pragma_update(None, "cache_size", -JOURNAL_CACHE_KIB)?;
            Ok(connection)
        };
        open().map_err(fault)
    }

    /// Where the database is, to be seen again.
    pub(crate) fn home(&self) -> Result<Home, StoreFault> {
        Home::of(self.dir().join(DATABASE_FILE))
    }

    fn lock(&self) -> Result<File, StoreFault> {
        let path = self.dir().join(LOCK_FILE);
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = open.map_err(StoreFault::of_file("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StoreFault::Taken { dir: self.dir().to_owned() }),
            Err(TryLockError::Error(cause)) => Err(StoreFault::File { action: "lock", path, cause }),
        }
    }
}

/// Makes an empty database where there is none. Nobody else makes one: SQLite throws away what it finds beside a new one,
/// which may be the last commits of one that was moved.
fn create(dir: &Path) -> Result<(), StoreFault> {
    let path = dir.join(DATABASE_FILE);
    if !path.exists() && dir.join(COMMITS_FILE).exists() {
        return Err(StoreFault::Gone { path });
    }
    let created = OpenOptions::new().create(true).append(true).open(&path);
    created.map(drop).map_err(StoreFault::of_file("create", path))
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .disable_statement_logging()
}

fn connect(options: SqliteConnectOptions, connections: u32) -> DatabaseConnection {
    let pool = SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(BUSY)
        .connect_lazy_with(options);
    SqlxSqliteConnector::from_sqlx_sqlite_pool(pool)
}

/// The first start seals a known text; every later one must be able to open it.
async fn open_vault(dir: &Path, write: &DatabaseConnection) -> Result<Vault, StoreFault> {
    let fault = || StoreFault::of_database("check the key of");
    if let Some(row) = setting::Entity::find_by_id(SEAL_CHECK).one(write).await.map_err(fault())? {
        let vault = Vault::read(dir)?;
        let sealed = parse_hex(&row.value).ok_or_else(|| StoreFault::damaged("the seal check"))?;
        let wrong = || StoreFault::KeyWrong { path: dir.join(KEY_FILE) };
        vault.open(SEAL_CHECK, &sealed).ok_or_else(wrong)?;
        return Ok(vault);
    }
    let vault = Vault::create(dir)?;
    let sealed = vault.seal(SEAL_CHECK, SEAL_CHECK)?;
    let value = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
    let row = setting::Model { name: SEAL_CHECK.to_owned(), value };
    setting::Entity::insert(row.into_active_model()).exec(write).await.map_err(fault())?;
    Ok(vault)
}

pub(crate) fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// The database's name in the data directory.
pub const DATABASE_FILE: &str = "huihu.db";

/// Where SQLite keeps what it has committed and not yet copied into the database.
const COMMITS_FILE: &str = "huihu.db-wal";

/// Locked by the process that serves.
const LOCK_FILE: &str = "serving.lock";

/// The setting whose sealed value only the right key opens.
pub(crate) const SEAL_CHECK: &str = "seal_check";

/// How long a connection waits for another process's write before it gives up.
pub(crate) const BUSY: Duration = Duration::from_secs(5);

/// Connections that read beside the writer.
const READERS: u32 = 4;

/// KiB of pages that the journal's writer keeps: the ends of all hot tables, and much of what it updates.
const JOURNAL_CACHE_KIB: i64 = 16 * 1_024;
