//! The audit log: a line for each change that somebody asked for, and what came of it.

use base::time::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::NotSet, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::{Admin, AdminFault, changing, reading};
use crate::entities::audit;

/// Somebody is about to change something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditDraft {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: Box<str>,
    /// What they do, such as an HTTP method.
    pub action: Box<str>,
    /// What they do it to, such as a path.
    pub what: Box<str>,
}

/// What came of a change. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditOutcome {
    /// The HTTP status that was answered.
    pub status: u16,
    /// What was there before, as JSON.
    pub before: Option<Box<str>>,
    /// What is there now, as JSON.
    pub after: Option<Box<str>>,
}

/// A line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    /// Its number; lines count up.
    pub no: i64,
    /// What was asked for.
    pub draft: AuditDraft,
    /// What came of it; `None` while it is at work, and for ever if the process died on the way.
    pub outcome: Option<AuditOutcome>,
}

/// Which lines of the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPick {
    /// Only those of this person.
    pub who: Option<Box<str>>,
    /// Only those of this moment and later ones.
    pub from: Option<Timestamp>,
    /// Only those before this moment.
    pub until: Option<Timestamp>,
}

impl Admin {
    /// Notes that somebody is about to change something. Gives the line's number.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn begin_audit(&self, draft: &AuditDraft) -> Result<i64, AdminFault> {
        let row = audit::ActiveModel {
            id: NotSet,
            at: Set(draft.at.micros()),
            who: Set(draft.who.to_string()),
            action: Set(draft.action.to_string()),
            what: Set(draft.what.to_string()),
            status: Set(None),
            before: Set(None),
            after: Set(None),
        };
        let (_baton, connection) = self.store.write().await;
        Ok(row.insert(connection).await.map_err(changing())?.id)
    }

    /// Notes what came of it. Long texts are cut.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn finish_audit(&self, no: i64, outcome: &AuditOutcome) -> Result<(), AdminFault> {
        let status = i16::try_from(outcome.status).unwrap_or(i16::MAX);
        let text = |text: &Option<Box<str>>| text.as_deref().map(|text| cut(text, TEXT_BYTES).to_owned());
        let (_baton, connection) = self.store.write().await;
        audit::Entity::update_many()
            .col_expr(audit::Column::Status, Expr::value(status))
            .col_expr(audit::Column::Before, Expr::value(text(&outcome.before)))
            .col_expr(audit::Column::After, Expr::value(text(&outcome.after)))
            .filter(audit::Column::Id.eq(no))
            .exec(connection)
            .await
            .map_err(changing())?;
        Ok(())
    }

    /// Lines of the log, latest first, from before a number on; at most `limit`.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn audit_page(
        &self,
        pick: &AuditPick,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<AuditLine>, AdminFault> {
        let mut query = audit::Entity::find();
        if let Some(who) = &pick.who {
            query = query.filter(audit::Column::Who.eq(&**who));
        }
        if let Some(from) = pick.from {
            query = query.filter(audit::Column::At.gte(from.micros()));
        }
        if let Some(until) = pick.until {
            query = query.filter(audit::Column::At.lt(until.micros()));
        }
        if let Some(before) = before {
            query = query.filter(audit::Column::Id.lt(before));
        }
        let query = query.order_by_desc(audit::Column::Id).limit(limit);
        let rows = query.all(self.store.read()).await.map_err(reading())?;
        Ok(rows.into_iter().map(line).collect())
    }
}

fn line(row: audit::Model) -> AuditLine {
    let outcome = |status| AuditOutcome {
        status: u16::try_from(status).unwrap_or(0),
        before: row.before.map(Into::into),
        after: row.after.map(Into::into),
    };
    AuditLine {
        no: row.id,
        draft: AuditDraft {
            at: Timestamp::from_micros(row.at),
            who: row.who.into(),
            action: row.action.into(),
            what: row.what.into(),
        },
        outcome: row.status.map(outcome),
    }
}

/// The beginning of a text, of at most so many bytes.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// Bytes of what was there before or is there now: more than any one thing of ours has.
const TEXT_BYTES: usize = 16 * 1_024;
