//! Lists by pages: every list that grows without bound is read a piece at a time, from after an item on.

use base::account::{Number, VoiceFile};
use base::id::AppId;
use base::number::E164;
use base::time::Timestamp;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    Admin, AdminFault, AppLine, KeyLine, NumberLine, VoiceFileLine, app_exists, apps, keys, numbers, reading,
};
use crate::entities::{api_key, app, enterprise, number, voice_file};
use crate::snapshot::read_voice_file;

/// Which apps to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppPick {
    /// Only those of this name.
    pub name: Option<Box<str>>,
    /// Only those of the enterprise with this account name.
    pub account: Option<Box<str>>,
}

impl Admin {
    /// One app.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`].
    pub async fn app(&self, id: AppId) -> Result<AppLine, AdminFault> {
        let row = app_exists(self.store.read(), id).await?;
        let owner = enterprise::Entity::find_by_id(row.enterprise_id);
        let owner = owner.one(self.store.read()).await.map_err(reading())?;
        let account = owner.map(|owner| owner.name).unwrap_or_default().into();
        apps::line(&row, account)
    }

    /// Apps by age, from after one on; at most `limit`.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn apps_page(
        &self,
        pick: &AppPick,
        after: Option<AppId>,
        limit: u64,
    ) -> Result<Vec<AppLine>, AdminFault> {
        let mut query = app::Entity::find();
        if let Some(name) = &pick.name {
            query = query.filter(app::Column::Name.eq(&**name));
        }
        if let Some(account) = &pick.account {
            let owner = enterprise::Entity::find().filter(enterprise::Column::Name.eq(&**account));
            let Some(owner) = owner.one(self.store.read()).await.map_err(reading())? else {
                return Ok(Vec::new());
            };
            query = query.filter(app::Column::EnterpriseId.eq(owner.id));
        }
        if let Some(after) = after {
            query = query.filter(app::Column::Id.gt(after.0));
        }
        let query = query.order_by_asc(app::Column::Id).limit(limit);
        let rows = query.all(self.store.read()).await.map_err(reading())?;
        let owners = enterprise::Entity::find()
            .filter(enterprise::Column::Id.is_in(rows.iter().map(|row| row.enterprise_id)))
            .all(self.store.read())
            .await
            .map_err(reading())?;
        let account = |id| {
            let owner = owners.iter().find(|owner| owner.id == id);
            owner.map(|owner| owner.name.as_str()).unwrap_or_default().into()
        };
        rows.iter().map(|row| apps::line(row, account(row.enterprise_id))).collect()
    }

    /// The keys of an app by age, from after one on; at most `limit`.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app.
    pub async fn keys_page(
        &self,
        app: AppId,
        after: Option<(Timestamp, &str)>,
        limit: u64,
    ) -> Result<Vec<KeyLine>, AdminFault> {
        app_exists(self.store.read(), app).await?;
        let mut query = api_key::Entity::find().filter(api_key::Column::AppId.eq(app.0));
        if let Some((at, id)) = after {
            let made = api_key::Column::CreatedAt;
            let at_once = Condition::all().add(made.eq(at.micros())).add(api_key::Column::Id.gt(id));
            query = query.filter(Condition::any().add(made.gt(at.micros())).add(at_once));
        }
        let query = query.order_by_asc(api_key::Column::CreatedAt).order_by_asc(api_key::Column::Id);
        let rows = query.limit(limit).all(self.store.read()).await.map_err(reading())?;
        rows.into_iter().map(keys::line).collect()
    }

    /// One key, without its secret.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`].
    pub async fn key(&self, id: &str) -> Result<KeyLine, AdminFault> {
        let row = api_key::Entity::find_by_id(id).one(self.store.read()).await.map_err(reading())?;
        let hint = "list the app's keys to see their ids";
        keys::line(row.ok_or_else(|| AdminFault::Unknown { what: "key", name: id.into(), hint })?)
    }

    /// The numbers of an app in their own order, from after one on; at most `limit`.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app.
    pub async fn numbers_page(
        &self,
        app: AppId,
        after: Option<&str>,
        limit: u64,
    ) -> Result<Vec<NumberLine>, AdminFault> {
        app_exists(self.store.read(), app).await?;
        let mut query = number::Entity::find().filter(number::Column::AppId.eq(app.0));
        if let Some(after) = after {
            query = query.filter(number::Column::Number.gt(after));
        }
        let query = query.order_by_asc(number::Column::Number).limit(limit);
        let rows = query.all(self.store.read()).await.map_err(reading())?;
        self.number_lines(&rows).await
    }

    /// One number of an app.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when the app has no such number.
    pub async fn number(&self, app: AppId, number: &E164) -> Result<Number, AdminFault> {
        Ok(self.number_line(app, number).await?.number)
    }

    /// One number of an app, with whom it was issued for.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when the app has no such number.
    pub async fn number_line(&self, app: AppId, number: &E164) -> Result<NumberLine, AdminFault> {
        app_exists(self.store.read(), app).await?;
        let row = numbers::find(self.store.read(), number).await?.filter(|row| row.app_id == app.0);
        let lines = self.number_lines(&[row.ok_or_else(|| numbers::unknown(number))?]).await?;
        Ok(lines.into_iter().next().expect("a line for each row"))
    }

    /// The voice files of an app by name, from after one on; at most `limit`.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app.
    pub async fn voice_files_page(
        &self,
        app: AppId,
        after: Option<&str>,
        limit: u64,
    ) -> Result<Vec<VoiceFileLine>, AdminFault> {
        app_exists(self.store.read(), app).await?;
        let mut query = voice_file::Entity::find().filter(voice_file::Column::AppId.eq(app.0));
        if let Some(after) = after {
            query = query.filter(voice_file::Column::Name.gt(after));
        }
        let query = query.order_by_asc(voice_file::Column::Name).limit(limit);
        let rows = query.all(self.store.read()).await.map_err(reading())?;
        let line = |row: &voice_file::Model| {
            Ok(VoiceFileLine { app, name: row.name.as_str().into(), file: read_voice_file(row)? })
        };
        rows.iter().map(line).collect()
    }

    /// One voice file of an app.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when the app has no such file.
    pub async fn voice_file(&self, app: AppId, name: &str) -> Result<VoiceFile, AdminFault> {
        app_exists(self.store.read(), app).await?;
        let query = voice_file::Entity::find()
            .filter(voice_file::Column::AppId.eq(app.0))
            .filter(voice_file::Column::Name.eq(name));
        let row = query.one(self.store.read()).await.map_err(reading())?;
        let hint = "list the app's voice files";
        let row = row.ok_or_else(|| AdminFault::Unknown { what: "voice file", name: name.into(), hint })?;
        Ok(read_voice_file(&row)?)
    }
}
