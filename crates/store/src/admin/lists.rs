//! Lists of numbers, addresses and words: who may not be called, who may, who may not ask, and what nobody may say.

use std::collections::BTreeSet;

use base::address::Block;
use base::id::AppId;
use base::number::E164;
use base::screen;
use base::time::Timestamp;
use sea_orm::sea_query::{Expr, OnConflict, SimpleExpr};
use sea_orm::{
    ActiveModelTrait, ActiveValue::NotSet, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait,
    ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::{Admin, AdminFault, app_exists, changing, reading};
use crate::entities::{listed, setting};
use crate::snapshot::{LISTED_ONLY, ON, read_setting};
use crate::words::{ListKind, Word};

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListPick {
    /// Of which app; `None`: of the platform.
    pub app: Option<AppId>,
    /// What it is for.
    pub kind: ListKind,
}

/// A value on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedLine {
    /// The number, the block of addresses or the word.
    pub value: Box<str>,
    /// Why it is there.
    pub note: Option<Box<str>>,
    /// Since when.
    pub added_at: Timestamp,
}

impl Admin {
    /// Adds values to a list, all of them or none. Those that are on it stay as they are. Gives how many are new.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app; [`AdminFault::Unusable`] for a value that is no number, block of
    /// addresses or word, for too many at once or in all, and for addresses and words of an app: it names its own
    /// addresses, and what nobody may say is the platform's to say.
    pub async fn add_listed(
        &self,
        pick: ListPick,
        values: &[Box<str>],
        note: Option<&str>,
        now: Timestamp,
    ) -> Result<u64, AdminFault> {
        super::check_note(note)?;
        let values = usable(pick, values)?;
        let (_baton, transaction) = self.begin().await?;
        exists(&transaction, pick.app).await?;
        let before = count(&transaction, pick).await?;
        let (most, rule) = match pick.kind {
            ListKind::Word => (WORDS_MAX, "at most 10000 words are looked for"),
            ListKind::CallerBlock
            | ListKind::CalleeBlock
            | ListKind::CalleeAllow
            | ListKind::AddressBlock
            | ListKind::AreaBlock => (LISTED_MAX, "a list has at most 100000 values"),
        };
        if before + u64::try_from(values.len()).unwrap_or(u64::MAX) > most {
            return Err(AdminFault::unusable("further value", "this", rule));
        }
        let values: Vec<_> = values.into_iter().collect();
        for some in values.chunks(ROWS_AT_ONCE) {
            let rows = some.iter().map(|value| listed::ActiveModel {
                id: NotSet,
                kind: Set(pick.kind.word().to_owned()),
                app_id: Set(pick.app.map(|app| app.0)),
                value: Set(value.clone()),
                note: Set(note.map(str::to_owned)),
                added_at: Set(now.micros()),
            });
            let insert =
                listed::Entity::insert_many(rows).on_conflict(OnConflict::new().do_nothing().to_owned());
            insert.exec_without_returning(&transaction).await.map_err(changing())?;
        }
        let added = count(&transaction, pick).await? - before;
        Self::commit_change(transaction).await?;
        Ok(added)
    }

    /// Takes values off a list. Gives how many were on it.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app; [`AdminFault::Unusable`] as for adding.
    pub async fn remove_listed(&self, pick: ListPick, values: &[Box<str>]) -> Result<u64, AdminFault> {
        let values: Vec<_> = usable(pick, values)?.into_iter().collect();
        let (_baton, transaction) = self.begin().await?;
        exists(&transaction, pick.app).await?;
        let mut removed = 0;
        for some in values.chunks(ROWS_AT_ONCE) {
            let gone = listed::Entity::delete_many()
                .filter(of(pick))
                .filter(listed::Column::Value.is_in(some.iter().map(String::as_str)));
            removed += gone.exec(&transaction).await.map_err(changing())?.rows_affected;
        }
        Self::commit_change(transaction).await?;
        Ok(removed)
    }

    /// The values of a list in their order as texts, from after one on; at most `limit`.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app.
    pub async fn listed_page(
        &self,
        pick: ListPick,
        after: Option<&str>,
        limit: u64,
    ) -> Result<Vec<ListedLine>, AdminFault> {
        if let Some(app) = pick.app {
            app_exists(self.store.read(), app).await?;
        }
        let mut query = listed::Entity::find().filter(of(pick));
        if let Some(after) = after {
            query = query.filter(listed::Column::Value.gt(after));
        }
        let query = query.order_by_asc(listed::Column::Value).limit(limit);
        let rows = query.all(self.store.read()).await.map_err(reading())?;
        let line = |row: listed::Model| ListedLine {
            value: row.value.into(),
            note: row.note.map(Into::into),
            added_at: Timestamp::from_micros(row.added_at),
        };
        Ok(rows.into_iter().map(line).collect())
    }

    /// Whether only people on the list of those who may be called may be called by an app, or by anybody (`None`).
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app.
    pub async fn listed_only(&self, app: Option<AppId>) -> Result<bool, AdminFault> {
        match app {
            Some(app) => Ok(app_exists(self.store.read(), app).await?.callees_allowed),
            None => Ok(read_setting(self.store.read(), LISTED_ONLY).await?.is_some_and(|value| value == ON)),
        }
    }

    /// Says whether only listed people may be called.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app.
    pub async fn set_listed_only(&self, app: Option<AppId>, listed_only: bool) -> Result<(), AdminFault> {
        if let Some(app) = app {
            return self.change_app_row(app, |row| row.callees_allowed = Set(listed_only)).await;
        }
        let (_baton, transaction) = self.begin().await?;
        let value = if listed_only { ON } else { "off" };
        let row = setting::ActiveModel { name: Set(LISTED_ONLY.to_owned()), value: Set(value.to_owned()) };
        if read_setting(&transaction, LISTED_ONLY).await?.is_some() {
            row.update(&transaction).await.map_err(changing())?;
        } else {
            row.insert(&transaction).await.map_err(changing())?;
        }
        Self::commit_change(transaction).await
    }
}

/// The values as they are stored, each once.
fn usable(pick: ListPick, values: &[Box<str>]) -> Result<BTreeSet<String>, AdminFault> {
    let unusable = |name: &str, rule: &'static str| AdminFault::unusable("listed value", name, rule);
    if values.len() > BULK_MAX {
        return Err(unusable("this", "at most 10000 values are taken at once"));
    }
    let number = |value: &str| {
        let number = E164::parse(value).map_err(|_| unusable(value, "write a number as +8613800000001"))?;
        Ok(number.as_str().to_owned())
    };
    let block = |value: &str| {
        let block: Block = value.parse().map_err(|_| unusable(value, "write addresses as 10.0.0.0/8"))?;
        Ok(block.to_string())
    };
    let word = |value: &str| {
        let word = value.trim();
        let sound = (1..=WORD_CHARS).contains(&word.chars().count())
            && !word.chars().any(char::is_control)
            && word.chars().any(char::is_alphanumeric);
        let rule = "a word has 1 to 64 characters, and a letter or digit among them";
        if sound { Ok(word.to_owned()) } else { Err(unusable(value, rule)) }
    };
    match (pick.kind, pick.app) {
        (ListKind::Word, Some(_)) => Err(unusable("this", "only the platform has this list")),
        (ListKind::Word, None) => values.iter().map(|value| word(value)).collect(),
        (ListKind::AddressBlock | ListKind::AreaBlock, Some(_)) => {
            Err(unusable("this", "only the platform has this list; an app names its own addresses"))
        }
        (ListKind::AddressBlock | ListKind::AreaBlock, None) => {
            values.iter().map(|value| block(value)).collect()
        }
        (ListKind::CallerBlock | ListKind::CalleeBlock | ListKind::CalleeAllow, _) => {
            values.iter().map(|value| number(value)).collect()
        }
    }
}

/// In the words of the index, so that the database uses it.
pub(super) fn of(pick: ListPick) -> SimpleExpr {
    let owner = Expr::cust(format!("COALESCE(app_id, 0) = {}", pick.app.map_or(0, |app| app.0)));
    listed::Column::Kind.eq(pick.kind.word()).and(owner)
}

async fn exists(transaction: &DatabaseTransaction, app: Option<AppId>) -> Result<(), AdminFault> {
    if let Some(app) = app {
        app_exists(transaction, app).await?;
    }
    Ok(())
}

async fn count(transaction: &DatabaseTransaction, pick: ListPick) -> Result<u64, AdminFault> {
    Ok(listed::Entity::find().filter(of(pick)).count(transaction).await.map_err(reading())?)
}

/// Values of one list. All lists are in memory, and read whole at each change.
const LISTED_MAX: u64 = 100_000;

/// Words that nobody may speak: as many as are looked for.
const WORDS_MAX: u64 = screen::WORDS_MAX as u64;

/// Characters of a word that nobody may speak.
const WORD_CHARS: usize = 64;

/// Values that are added or removed at once.
const BULK_MAX: usize = 10_000;

/// Rows of one statement: SQLite takes some ten thousand variables.
const ROWS_AT_ONCE: usize = 1_000;
