//! A data directory that is looked at and not changed: whoever serves from it goes on.
//!
//! Every other way in brings the schema up to date first. This one does not, so that a directory of which nobody knows
//! whether it is sound can be judged, and a copy of it made.

use std::path::{Path, PathBuf};

use base::id::CallId;
use base::time::Timestamp;
use base::url::PushUrl;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use sea_orm_migration::MigratorTrait;

use crate::books::{self, Books};
use crate::fault::StoreFault;
use crate::migrations::Migrator;
use crate::store::{BUSY, DATABASE_FILE, SEAL_CHECK, parse_hex};
use crate::vault::{KEY_FILE, Vault};

/// An open database that nobody writes to by this hand. Every question blocks.
#[derive(Debug)]
pub struct Inspection {
    dir: PathBuf,
    connection: Connection,
}

/// How the schema of a database compares with the one that this program knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaState {
    /// Steps that it has not made yet: the next start makes them.
    pub missing: Vec<String>,
    /// Steps that this program does not know: a newer one made them.
    pub unknown: Vec<String>,
}

/// Calls that are under way on a node, or were when its process died.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCalls {
    /// The node's name.
    pub node: String,
    /// How many.
    pub calls: i64,
}

impl Inspection {
    /// Opens the database of a data directory. Blocks.
    ///
    /// # Errors
    /// [`StoreFault`] when there is none, or it cannot be read.
    pub fn open(dir: &Path) -> Result<Self, StoreFault> {
        let path = dir.join(DATABASE_FILE);
        // SQLite says the same of a file that is missing and of one that is forbidden.
        std::fs::metadata(&path).map_err(StoreFault::of_file("open", &path))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let connection = Connection::open_with_flags(&path, flags)?;
            connection.busy_timeout(BUSY)?;
            // It may be a stranger's: nothing in its schema may call what does harm.
            connection.pragma_update(None, "trusted_schema", false)?;
            Ok(connection)
        };
        Ok(Self { connection: open().map_err(fault())?, dir: dir.to_owned() })
    }

    /// What SQLite finds broken in the database; empty when it is whole. Reads all of it.
    ///
    /// # Errors
    /// [`StoreFault`] when it cannot be read at all.
    pub fn broken(&self) -> Result<Vec<String>, StoreFault> {
        let check = || {
            let mut check = self.connection.prepare(QUICK_CHECK)?;
            let lines = check.query_map([], |row| row.get(0))?;
            lines.collect::<rusqlite::Result<Vec<String>>>()
        };
        let mut lines = check().map_err(fault())?;
        lines.retain(|line| line != WHOLE);
        Ok(lines)
    }

    /// How its schema compares with ours.
    ///
    /// # Errors
    /// [`StoreFault`] when it cannot be read, or is none of ours.
    pub fn schema(&self) -> Result<SchemaState, StoreFault> {
        let made = || {
            let mut made = self.connection.prepare(MADE)?;
            let steps = made.query_map([], |row| row.get(0))?;
            steps.collect::<rusqlite::Result<Vec<String>>>()
        };
        let made = made().map_err(fault())?;
        let known: Vec<String> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
        Ok(SchemaState {
            missing: known.iter().filter(|step| !made.contains(step)).cloned().collect(),
            unknown: made.into_iter().filter(|step| !known.contains(step)).collect(),
        })
    }

    /// Whether the key file of the directory is there and opens what the database sealed.
    ///
    /// # Errors
    /// [`StoreFault::KeyMissing`], [`StoreFault::KeyDamaged`] or [`StoreFault::KeyWrong`], each a sentence for the
    /// operator.
    pub fn check_key(&self) -> Result<(), StoreFault> {
        let sealed: Option<String> =
            self.connection.query_row(SEALED, [SEAL_CHECK], |row| row.get(0)).optional().map_err(fault())?;
        // Nothing is sealed before the first start is over.
        let Some(sealed) = sealed else { return Ok(()) };
        let sealed = parse_hex(&sealed).ok_or_else(|| StoreFault::damaged("the seal check"))?;
        let vault = Vault::read(&self.dir)?;
        let wrong = || StoreFault::KeyWrong { path: self.dir.join(KEY_FILE) };
        vault.open(SEAL_CHECK, &sealed).map(drop).ok_or_else(wrong)
    }

    /// The calls that are under way, by node.
    ///
    /// # Errors
    /// [`StoreFault`] when the database cannot be read.
    pub fn open_calls(&self) -> Result<Vec<OpenCalls>, StoreFault> {
        let count = || {
            let mut count = self.connection.prepare(OPEN_CALLS)?;
            let nodes = count.query_map([], |row| Ok(OpenCalls { node: row.get(0)?, calls: row.get(1)? }))?;
            nodes.collect::<rusqlite::Result<Vec<OpenCalls>>>()
        };
        count().map_err(fault())
    }

    /// The calls whose recordings are kept.
    ///
    /// # Errors
    /// [`StoreFault`] when the database cannot be read.
    pub fn recorded(&self) -> Result<Vec<CallId>, StoreFault> {
        let find = || {
            let mut find = self.connection.prepare(RECORDED)?;
            let calls = find.query_map([], |row| row.get(0).map(CallId::from_bytes))?;
            calls.collect::<rusqlite::Result<Vec<CallId>>>()
        };
        find().map_err(fault())
    }

    /// The receivers that apps have, each once, and then some of those that are owed a status event and were not reached.
    ///
    /// # Errors
    /// [`StoreFault`] when the database cannot be read.
    pub fn receivers(&self) -> Result<Vec<PushUrl>, StoreFault> {
        let find = || {
            let mut find = self.connection.prepare(RECEIVERS)?;
            let urls = find.query_map([], |row| row.get(0))?;
            urls.collect::<rusqlite::Result<Vec<String>>>()
        };
        let urls = find().map_err(fault())?;
        Ok(urls.iter().filter_map(|url| PushUrl::parse(url).ok()).collect())
    }

    /// How many pushes were given up, and wait for somebody to send them again.
    ///
    /// # Errors
    /// [`StoreFault`] when the database cannot be read.
    pub fn parked(&self) -> Result<i64, StoreFault> {
        self.connection.query_row(PARKED, [], |row| row.get(0)).map_err(fault())
    }

    /// Adds up the calls that were accepted from one moment to before another, all in one view of the database.
    ///
    /// Takes as much memory as the calls that were under way at once; reads the journal from end to end.
    ///
    /// # Errors
    /// [`StoreFault`] when the database cannot be read. A row that makes no sense is a flaw of its call and no error.
    pub fn books(&mut self, from: Timestamp, until: Timestamp) -> Result<Books, StoreFault> {
        books::read(&mut self.connection, from, until).map_err(StoreFault::of_journal("read"))
    }

    /// Writes the database as it is at this moment into a new file, without what is free in it. Nobody who writes waits.
    ///
    /// # Errors
    /// [`StoreFault`] when the file exists already, or cannot be written.
    pub fn copy_to(&self, file: &Path) -> Result<(), StoreFault> {
        let into = file.as_os_str().to_string_lossy();
        self.connection.execute(COPY, [&*into]).map_err(StoreFault::of_journal("copy")).map(drop)
    }
}

fn fault() -> impl FnOnce(rusqlite::Error) -> StoreFault {
    StoreFault::of_journal("read")
}

/// Everything but whether indexes have what their tables have, which takes far longer. Ten lines say enough.
const QUICK_CHECK: &str = "PRAGMA quick_check(10)";

/// What it says of a database that is whole.
const WHOLE: &str = "ok";

const MADE: &str = "SELECT version FROM seaql_migrations ORDER BY version";

const SEALED: &str = "SELECT value FROM setting WHERE name = ?";

const OPEN_CALLS: &str = "SELECT node, COUNT(*) FROM open_call GROUP BY node ORDER BY node";

/// As a literal, because only then the database sees that the partial index answers the question.
const RECORDED: &str = "SELECT call FROM record WHERE recording = 1 ORDER BY call";

/// Requests may name receivers of their own: only what is owed knows those. A receiver that is away for long is owed
/// millions, so a part of them has to do.
const RECEIVERS: &str = "SELECT url FROM (SELECT status_url AS url FROM app UNION SELECT fee_url FROM app \
    UNION SELECT report_url FROM app) WHERE url IS NOT NULL UNION ALL SELECT DISTINCT url FROM \
    (SELECT json_extract(row, '$.Status.url') AS url FROM push WHERE state = 1 AND json_valid(row) LIMIT 2000) \
    WHERE url IS NOT NULL";

/// As a literal, for its index.
const PARKED: &str = "SELECT COUNT(*) FROM push WHERE state = 3";

const COPY: &str = "VACUUM INTO ?";
