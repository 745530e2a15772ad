//! Limits of calls, and the hours in which nobody may be called: of an app, or of everybody.

use base::id::AppId;
use base::quota::{Counted, Limit, Window};
use base::standing::Hours;
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ActiveModelTrait, ActiveValue::NotSet, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait,
    ModelTrait, QueryFilter, QueryOrder,
};

use super::{Admin, AdminFault, app_exists, changing, reading};
use crate::entities::{forbidden_hours, limit_rule};
use crate::snapshot::{read_hours, read_limit};
use crate::words::Word;

impl Admin {
    /// The limits of an app, or those that hold for each app and number on the platform (`None`).
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app.
    pub async fn limits(&self, app: Option<AppId>) -> Result<Vec<Limit>, AdminFault> {
        exists(self.store.read(), app).await?;
        let query = limit_rule::Entity::find().filter(of(app)).order_by_asc(limit_rule::Column::Id);
        let rows = query.all(self.store.read()).await.map_err(reading())?;
        rows.iter().map(|row| Ok(read_limit(row)?)).collect()
    }

    /// Sets a limit; there is one for each thing that is counted and each window. For ever, only the calls of an account
    /// and of an app are counted: everybody who is ever called would be kept in memory otherwise.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app; [`AdminFault::Unusable`] for a count of numbers for ever.
    pub async fn set_limit(&self, app: Option<AppId>, limit: Limit) -> Result<(), AdminFault> {
        if limit.per == Window::Ever && !is_a_customer(limit.of) {
            let name = format!("a count by {} for ever", limit.of.word());
            let rule = "only calls by account and by app are counted for ever; count those of numbers in a minute, \
                        an hour, a day or a month";
            return Err(AdminFault::unusable("limit", name, rule));
        }
        let (_baton, transaction) = self.begin().await?;
        exists(&transaction, app).await?;
        let known = find(&transaction, app, limit.of, limit.per).await?;
        let row = limit_rule::ActiveModel {
            id: known.as_ref().map_or(NotSet, |known| Set(known.id)),
            app_id: Set(app.map(|app| app.0)),
            counted: Set(limit.of.word().to_owned()),
            per: Set(limit.per.word().to_owned()),
            calls: Set(limit.calls.into()),
        };
        if known.is_some() {
            row.update(&transaction).await.map_err(changing())?;
        } else {
            row.insert(&transaction).await.map_err(changing())?;
        }
        Self::commit_change(transaction).await
    }

    /// Lifts a limit.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app or limit.
    pub async fn remove_limit(&self, app: Option<AppId>, of: Counted, per: Window) -> Result<(), AdminFault> {
        let (_baton, transaction) = self.begin().await?;
        exists(&transaction, app).await?;
        let name = || format!("by {} in a {}", of.word(), per.word()).into();
        let hint = "list the limits that are set";
        let unknown = || AdminFault::Unknown { what: "limit", name: name(), hint };
        let row = find(&transaction, app, of, per).await?.ok_or_else(unknown)?;
        row.delete(&transaction).await.map_err(changing())?;
        Self::commit_change(transaction).await
    }

    /// The hours in which an app may call nobody, or nobody may (`None`).
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app.
    pub async fn hours(&self, app: Option<AppId>) -> Result<Vec<Hours>, AdminFault> {
        exists(self.store.read(), app).await?;
        let query = forbidden_hours::Entity::find().filter(of(app));
        let query = query.order_by_asc(forbidden_hours::Column::Id);
        let rows = query.all(self.store.read()).await.map_err(reading())?;
        rows.iter().map(|row| Ok(read_hours(row)?)).collect()
    }

    /// Sets the hours in which nobody may be called, in place of those that were set.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app; [`AdminFault::Unusable`] for a minute that is none, and for too
    /// many spans.
    pub async fn set_hours(&self, app: Option<AppId>, hours: &[Hours]) -> Result<(), AdminFault> {
        let minutes = |hours: &Hours| hours.from < MINUTES && hours.to < MINUTES;
        if hours.len() > SPANS || !hours.iter().all(minutes) {
            let rule = "up to 16 spans, each from and to a minute of the day, 0 to 1439";
            return Err(AdminFault::unusable("span of hours", "this", rule));
        }
        let mut spans = hours.to_vec();
        spans.sort_unstable();
        spans.dedup();
        let (_baton, transaction) = self.begin().await?;
        exists(&transaction, app).await?;
        let old = forbidden_hours::Entity::delete_many().filter(of(app));
        old.exec(&transaction).await.map_err(changing())?;
        for Hours { from, to } in spans {
            let minute = |minute: u16| i16::try_from(minute).expect("a day has 1440 minutes");
            let row = forbidden_hours::ActiveModel {
                id: NotSet,
                app_id: Set(app.map(|app| app.0)),
                from_minute: Set(minute(from)),
                to_minute: Set(minute(to)),
            };
            row.insert(&transaction).await.map_err(changing())?;
        }
        Self::commit_change(transaction).await
    }
}

/// Whether what is counted is one of the customers, of whom there are few.
const fn is_a_customer(counted: Counted) -> bool {
    match counted {
        Counted::Account | Counted::App => true,
        Counted::ShownNumber | Counted::Caller | Counted::Callee | Counted::ServiceNumber | Counted::Pair => {
            false
        }
    }
}

async fn exists(connection: &impl ConnectionTrait, app: Option<AppId>) -> Result<(), AdminFault> {
    if let Some(app) = app {
        app_exists(connection, app).await?;
    }
    Ok(())
}

/// In the words of the index, so that the database uses it.
fn of(app: Option<AppId>) -> SimpleExpr {
    Expr::cust(format!("COALESCE(app_id, 0) = {}", app.map_or(0, |app| app.0)))
}

async fn find(
    connection: &impl ConnectionTrait,
    app: Option<AppId>,
    counted: Counted,
    per: Window,
) -> Result<Option<limit_rule::Model>, AdminFault> {
    let query = limit_rule::Entity::find()
        .filter(of(app))
        .filter(limit_rule::Column::Counted.eq(counted.word()))
        .filter(limit_rule::Column::Per.eq(per.word()));
    Ok(query.one(connection).await.map_err(reading())?)
}

/// Minutes of a day.
const MINUTES: u16 = 24 * 60;

/// Spans of hours of one app: each order looks at all of them.
const SPANS: usize = 16;
