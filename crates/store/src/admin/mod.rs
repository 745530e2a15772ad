//! What an operator does with accounts, records and pushes: one file a noun.
//!
//! Every change of an account counts the configuration's version up in the same transaction, and a running server
//! notices within a second.

mod apps;
mod audit;
mod calls;
mod changes;
mod enterprises;
mod hosts;
mod keys;
mod limits;
mod lists;
mod numbers;
mod once;
mod pages;
mod pushes;
mod recordings;
mod redelivery;
mod search;
mod templates;
mod voice_files;

use std::borrow::Cow;

use sea_orm::{ConnectionTrait, DatabaseTransaction};

pub use self::apps::{AppDraft, AppLine};
pub use self::audit::{AuditDraft, AuditLine, AuditOutcome, AuditPick};
pub use self::calls::CallView;
pub use self::changes::AppChange;
pub use self::enterprises::{EnterpriseLine, SubEnterpriseLine};
pub use self::hosts::HostCount;
pub use self::keys::{KeyLine, NewKey};
pub use self::lists::{ListPick, ListedLine};
pub use self::numbers::NumberLine;
pub(crate) use self::once::KEPT;
pub use self::once::{KeptAnswer, Turn};
pub use self::pages::AppPick;
pub use self::pushes::{AttemptLine, PushLine, PushPick};
pub use self::recordings::KeptRecording;
pub use self::redelivery::{PushFilter, PushPage, Redelivered};
pub use self::search::CallPick;
pub use self::templates::{TemplateDraft, TemplateLine};
pub use self::voice_files::VoiceFileLine;

use crate::baton::Baton;
use crate::entities::app;
use crate::fault::StoreFault;
use crate::snapshot;
use crate::store::Store;
use base::id::AppId;

/// The operator's hand in the store.
#[derive(Clone)]
pub struct Admin {
    store: Store,
}

/// Why something could not be done, as a sentence with the way out.
#[derive(Debug, thiserror::Error)]
pub enum AdminFault {
    /// There is no such thing.
    #[error("there is no {what} {name}: {hint}")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// Which.
        name: Box<str>,
        /// How to find the right one.
        hint: &'static str,
    },
    /// There is one already.
    #[error("{what} {name} exists already: {hint}")]
    Exists {
        /// What kind of thing.
        what: &'static str,
        /// Which.
        name: Box<str>,
        /// What to do instead.
        hint: &'static str,
    },
    /// The value cannot be used.
    #[error("{name} cannot be used as a {what}: {rule}")]
    Unusable {
        /// What kind of value.
        what: &'static str,
        /// The value, where it may be shown.
        name: Box<str>,
        /// What would be usable.
        rule: Cow<'static, str>,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

impl AdminFault {
    fn unusable(what: &'static str, name: impl Into<Box<str>>, rule: impl Into<Cow<'static, str>>) -> Self {
        Self::Unusable { what, name: name.into(), rule: rule.into() }
    }
}

impl Admin {
    /// The operator's hand in that store.
    #[must_use]
    pub fn new(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    async fn begin(&self) -> Result<(Baton, DatabaseTransaction), AdminFault> {
        let begun = self.store.begin().await;
        Ok(begun.map_err(StoreFault::of_database("change"))?)
    }

    /// Ends a change of an account: the version counts up, and running servers read it anew.
    async fn commit_change(transaction: DatabaseTransaction) -> Result<(), AdminFault> {
        snapshot::count_change(&transaction).await?;
        Ok(transaction.commit().await.map_err(StoreFault::of_database("change"))?)
    }
}

/// The app must exist before anything is given to it.
async fn app_exists(connection: &impl ConnectionTrait, id: AppId) -> Result<app::Model, AdminFault> {
    use sea_orm::EntityTrait;
    let row = app::Entity::find_by_id(id.0).one(connection).await.map_err(reading())?;
    row.ok_or_else(|| AdminFault::Unknown {
        what: "app",
        name: id.to_string().into(),
        hint: "list the apps to see their ids",
    })
}

/// Names are seen by people: in lists, in logs, in pushes.
fn visible_name(what: &'static str, name: &str) -> Result<(), AdminFault> {
    let usable = (1..=NAME_CHARS).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    let rule = "use 1 to 32 visible characters";
    if usable { Ok(()) } else { Err(AdminFault::unusable(what, name, rule)) }
}

fn check_note(note: Option<&str>) -> Result<(), AdminFault> {
    let long = note.is_some_and(|note| note.len() > NOTE_BYTES);
    let rule = "a note has at most 500 bytes";
    if long { Err(AdminFault::unusable("note", "this", rule)) } else { Ok(()) }
}

fn reading() -> impl FnOnce(sea_orm::DbErr) -> StoreFault {
    StoreFault::of_database("read")
}

fn changing() -> impl FnOnce(sea_orm::DbErr) -> StoreFault {
    StoreFault::of_database("change")
}

/// Characters of a name: vendors give account names 32.
const NAME_CHARS: usize = 32;

/// Bytes of a note that an operator leaves.
const NOTE_BYTES: usize = 500;
