//! Numbers that apps may show.

use base::account::{Number, NumberState};
use base::id::AppId;
use base::number::E164;
use base::time::Timestamp;
use sea_orm::{
    ActiveModelTrait, ActiveValue::NotSet, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait,
    ModelTrait, QueryFilter, QueryOrder,
};

use super::{Admin, AdminFault, app_exists, changing, reading};
use crate::entities::{number, sub_enterprise};
use crate::snapshot::{read_number, read_sub_state};
use crate::words::Word;

/// A number in a list.
#[derive(Clone, Debug)]
pub struct NumberLine {
    /// The app that may show it.
    pub app: AppId,
    /// The number.
    pub number: Number,
    /// The sub-enterprise that it was issued for; `None`: for the enterprise itself.
    pub sub_enterprise: Option<Box<str>>,
}

impl Admin {
    /// Gives a number to an app.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app, [`AdminFault::Exists`] when any app has the number.
    pub async fn add_number(&self, app: AppId, number: &E164, now: Timestamp) -> Result<(), AdminFault> {
        let (_baton, transaction) = self.begin().await?;
        app_exists(&transaction, app).await?;
        if find(&transaction, number).await?.is_some() {
            let hint = "a number belongs to one app; remove it there first";
            return Err(AdminFault::Exists { what: "number", name: number.as_str().into(), hint });
        }
        let row = number::ActiveModel {
            id: NotSet,
            app_id: Set(app.0),
            number: Set(number.as_str().to_owned()),
            state: Set(NumberState::Active.word().to_owned()),
            added_at: Set(now.micros()),
            sub_enterprise_id: Set(None),
        };
        row.insert(&transaction).await.map_err(changing())?;
        Self::commit_change(transaction).await
    }

    /// The numbers of an app, in the order they were added.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app.
    pub async fn numbers(&self, app: AppId) -> Result<Vec<NumberLine>, AdminFault> {
        app_exists(self.store.read(), app).await?;
        let rows = number::Entity::find()
            .filter(number::Column::AppId.eq(app.0))
            .order_by_asc(number::Column::Id)
            .all(self.store.read())
            .await
            .map_err(reading())?;
        self.number_lines(&rows).await
    }

    /// The numbers of rows, with whom they were issued for.
    pub(super) async fn number_lines(&self, rows: &[number::Model]) -> Result<Vec<NumberLine>, AdminFault> {
        let owners = rows.iter().filter_map(|row| row.sub_enterprise_id);
        let subs = sub_enterprise::Entity::find().filter(sub_enterprise::Column::Id.is_in(owners));
        let subs = subs.all(self.store.read()).await.map_err(reading())?;
        let line = |row: &number::Model| {
            let sub = subs.iter().find(|sub| Some(sub.id) == row.sub_enterprise_id);
            let mut number = read_number(row)?;
            number.owner = sub.map(read_sub_state).transpose()?.unwrap_or_default();
            let sub_enterprise = sub.map(|sub| sub.name.as_str().into());
            Ok(NumberLine { app: AppId(row.app_id), number, sub_enterprise })
        };
        rows.iter().map(line).collect()
    }

    /// Lets a number be shown, or not.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when no app has the number.
    pub async fn set_number_state(&self, number: &E164, state: NumberState) -> Result<(), AdminFault> {
        let (_baton, transaction) = self.begin().await?;
        let row = find(&transaction, number).await?.ok_or_else(|| unknown(number))?;
        let mut row: number::ActiveModel = row.into();
        row.state = Set(state.word().to_owned());
        row.update(&transaction).await.map_err(changing())?;
        Self::commit_change(transaction).await
    }

    /// Takes a number away from its app.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when no app has the number.
    pub async fn remove_number(&self, number: &E164) -> Result<(), AdminFault> {
        let (_baton, transaction) = self.begin().await?;
        let row = find(&transaction, number).await?.ok_or_else(|| unknown(number))?;
        row.delete(&transaction).await.map_err(changing())?;
        Self::commit_change(transaction).await
    }
}

pub(super) async fn find(
    connection: &impl ConnectionTrait,
    number: &E164,
) -> Result<Option<number::Model>, AdminFault> {
    let query = number::Entity::find().filter(number::Column::Number.eq(number.as_str()));
    Ok(query.one(connection).await.map_err(reading())?)
}

pub(super) fn unknown(number: &E164) -> AdminFault {
    AdminFault::Unknown { what: "number", name: number.as_str().into(), hint: "list the app's numbers" }
}
