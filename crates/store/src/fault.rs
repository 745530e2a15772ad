//! What can go wrong inside the store. A refusal to a customer is not in here: only what an operator must act on.

use std::io;
use std::path::PathBuf;

use base::id::CallId;

/// A fault of the store, as a sentence that says what to do where something can be done.
#[derive(Debug, thiserror::Error)]
pub enum StoreFault {
    /// The data directory or a file in it cannot be used.
    #[error("cannot {action} {}: check that the directory exists and that this user may write to it", path.display())]
    File {
        /// What was tried, as in "cannot … the file".
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The database refused an operation.
    #[error("cannot {action} the database")]
    Database {
        /// What was tried.
        action: &'static str,
        /// What the database said.
        #[source]
        cause: sea_orm::DbErr,
    },
    /// The database refused the journal's writer something.
    #[error("cannot {action} the journal")]
    Journal {
        /// What was tried.
        action: &'static str,
        /// What the database said.
        #[source]
        cause: rusqlite::Error,
    },
    /// Somebody else writes into the database and does not come to an end.
    #[error("somebody else has been writing into the database for too long: wait for it, or end it")]
    Held,
    /// The database is not where it was opened.
    #[error("{} is gone, or another file by now: put back the one that was there; whoever serves from it loses nothing as long as it runs", path.display())]
    Gone {
        /// Where it was.
        path: PathBuf,
    },
    /// Another process serves calls from this data directory.
    #[error("another huihu serves from {}: stop it, or give this one a data directory of its own", dir.display())]
    Taken {
        /// The data directory.
        dir: PathBuf,
    },
    /// The key file is gone although the database was sealed with it.
    #[error("{} is missing but the database was sealed with it: put the file back from your backup", path.display())]
    KeyMissing {
        /// Where the key file belongs.
        path: PathBuf,
    },
    /// The key file holds another key than the one the database was sealed with.
    #[error("{} is not the key that this database was sealed with: put the right file back", path.display())]
    KeyWrong {
        /// The key file.
        path: PathBuf,
    },
    /// The key file does not hold a key.
    #[error("{} is damaged: it must hold 64 hexadecimal digits; put the file back from your backup", path.display())]
    KeyDamaged {
        /// The key file.
        path: PathBuf,
    },
    /// A sealed value does not open.
    #[error("the sealed secret of key {key} does not open: it was changed in the database; rotate the key")]
    SealBroken {
        /// The public id of the key.
        key: Box<str>,
    },
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandom,
    /// The operating system gives no thread for the journal.
    #[error("the operating system gives no thread: raise the limit of processes for this user")]
    NoThread,
    /// A stored row cannot be read back.
    #[error("cannot read {what}: the row was damaged or written by another version")]
    Damaged {
        /// Which row.
        what: Box<str>,
        /// Why, when a parser said so.
        #[source]
        cause: Option<serde_json::Error>,
    },
    /// A call that is being closed is not open in the database.
    #[error("call {call} is closed already")]
    ClosedBefore {
        /// The call.
        call: CallId,
    },
}

impl StoreFault {
    /// Wraps what the database said, with what was tried.
    pub(crate) fn of_database(action: &'static str) -> impl FnOnce(sea_orm::DbErr) -> Self {
        move |cause| Self::Database { action, cause }
    }

    /// The same for the journal's own connection.
    pub(crate) fn of_journal(action: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |cause| Self::Journal { action, cause }
    }

    /// Whether the journal refused a row for what is in it, and not for the disk: a rule in the database forbids it.
    pub(crate) fn is_about_a_row(&self) -> bool {
        let Self::Journal { cause, .. } = self else { return false };
        cause.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
    }

    /// Whether somebody else holds the database: the disk may be well.
    pub(crate) fn is_held(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
        match self {
            Self::Held => true,
            Self::Journal { cause, .. } => {
                matches!(cause.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked))
            }
            _ => false,
        }
    }

    pub(crate) fn of_file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |cause| Self::File { action, path, cause }
    }

    pub(crate) fn damaged(what: impl Into<Box<str>>) -> Self {
        Self::Damaged { what: what.into(), cause: None }
    }

    pub(crate) fn unreadable(what: impl Into<Box<str>>) -> impl FnOnce(serde_json::Error) -> Self {
        let what = what.into();
        move |cause| Self::Damaged { what, cause: Some(cause) }
    }
}
