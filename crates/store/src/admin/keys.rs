//! Keys of apps. A secret is shown once, when it is made, and so is the token of a temporary key.

use std::time::Duration;

use base::account::Key;
use base::id::AppId;
use base::private::Private;
use base::time::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder,
};

use super::{Admin, AdminFault, app_exists, changing, reading};
use crate::entities::api_key;
use crate::fault::StoreFault;
use crate::snapshot::token_of;
use crate::vault::random_text;
use crate::words::{KeyState, Word};

/// A key that was just made. This is the only time its secret and its token can be read.
pub type NewKey = Key;

/// A key in a list, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLine {
    /// What requests name it by.
    pub id: Box<str>,
    /// The app that it belongs to.
    pub app: AppId,
    /// Whether requests may name it.
    pub state: KeyState,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when requests may name it; `None`: for ever.
    pub valid_until: Option<Timestamp>,
    /// Whether requests must show its token too.
    pub is_temporary: bool,
}

impl KeyLine {
    /// Whether requests may name it now.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.state == KeyState::Active && self.valid_until.is_none_or(|until| now < until)
    }
}

impl Admin {
    /// Makes a key for an app; an app may have several.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app.
    pub async fn create_key(&self, app: AppId, now: Timestamp) -> Result<NewKey, AdminFault> {
        let id = random_text(ID_CHARS)?;
        let secret = random_text(SECRET_CHARS)?;
        self.import_key(app, &id, &Private::new(secret.into()), now).await
    }

    /// Takes over a key that customers use already, such as one of the cloud that they come from.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app, [`AdminFault::Exists`] when the key is known,
    /// [`AdminFault::Unusable`] when its id or secret has another form than letters and digits.
    pub async fn import_key(
        &self,
        app: AppId,
        id: &str,
        secret: &Private<Box<str>>,
        now: Timestamp,
    ) -> Result<NewKey, AdminFault> {
        let plain =
            |text: &str| (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain(id) || !plain(secret.expose()) {
            let rule = "a key's id and secret are 1 to 128 visible ASCII characters";
            return Err(AdminFault::unusable("key", id, rule));
        }
        let (_baton, transaction) = self.begin().await?;
        app_exists(&transaction, app).await?;
        if api_key::Entity::find_by_id(id).one(&transaction).await.map_err(reading())?.is_some() {
            let hint = "keys are unique on the whole platform; rotate it to get a new secret";
            return Err(AdminFault::Exists { what: "key", name: id.into(), hint });
        }
        let key = Key { id: id.into(), secret: secret.clone(), token: None };
        self.add_key(&transaction, app, &key, None, now).await?;
        Self::commit_change(transaction).await?;
        Ok(key)
    }

    /// Makes a key for somebody who is trusted for a while only: requests must show its token besides, and when its time
    /// is over nobody can ask with it. Id, secret and token are letters and digits.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app; [`AdminFault::Unusable`] for a life that is none or too long.
    pub async fn create_temporary_key(
        &self,
        app: AppId,
        lives: Duration,
        now: Timestamp,
    ) -> Result<NewKey, AdminFault> {
        if lives < LIFE_SHORTEST || lives > LIFE_LONGEST {
            const { assert!(LIFE_LONGEST.as_secs() == 129_600, "the sentence says so") };
            let (name, rule) = (format!("{lives:?}"), "it lives for 1 to 129600 seconds");
            return Err(AdminFault::unusable("life of a temporary key", name, rule));
        }
        let text = |chars| Ok::<_, StoreFault>(Private::new(random_text(chars)?.into()));
        let key = Key {
            id: random_text(ID_CHARS)?.into(),
            secret: text(SECRET_CHARS)?,
            token: Some(text(TOKEN_CHARS)?),
        };
        let (_baton, transaction) = self.begin().await?;
        app_exists(&transaction, app).await?;
        self.add_key(&transaction, app, &key, Some(now + lives), now).await?;
        Self::commit_change(transaction).await?;
        Ok(key)
    }

    /// The keys of an app, by age.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such app.
    pub async fn keys(&self, app: AppId) -> Result<Vec<KeyLine>, AdminFault> {
        app_exists(self.store.read(), app).await?;
        let rows = api_key::Entity::find()
            .filter(api_key::Column::AppId.eq(app.0))
            .order_by_asc(api_key::Column::CreatedAt)
            .all(self.store.read())
            .await
            .map_err(reading())?;
        rows.into_iter().map(line).collect()
    }

    /// Gives a key a new secret. The old one stops working within a second.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such key; [`AdminFault::Unusable`] when it is temporary.
    pub async fn rotate_key(&self, id: &str) -> Result<NewKey, AdminFault> {
        check_lasting(&self.key(id).await?)?;
        let secret = random_text(SECRET_CHARS)?;
        let sealed = self.store.vault().seal(id, &secret)?;
        self.change_key(id, |row| row.sealed_secret = Set(sealed)).await?;
        Ok(Key { id: id.into(), secret: Private::new(secret.into()), token: None })
    }

    /// Makes a new key in place of one, which still works until the given time, so that customers can change over
    /// without losing a request.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such key; [`AdminFault::Unusable`] when it may not be named any more,
    /// and when it is temporary.
    pub async fn replace_key(
        &self,
        id: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<NewKey, AdminFault> {
        let known = self.key(id).await?;
        check_lasting(&known)?;
        if !known.is_valid(now) {
            let rule = "it is over; make a new key for its app";
            return Err(AdminFault::unusable("key to be replaced", id, rule));
        }
        let until = known.valid_until.map_or(until, |before| before.min(until));
        let secret = Private::new(random_text(SECRET_CHARS)?.into());
        let new = Key { id: random_text(ID_CHARS)?.into(), secret, token: None };
        let (_baton, transaction) = self.begin().await?;
        self.add_key(&transaction, known.app, &new, None, now).await?;
        api_key::Entity::update_many()
            .col_expr(api_key::Column::ValidUntil, Expr::value(until.micros()))
            .filter(api_key::Column::Id.eq(id))
            .exec(&transaction)
            .await
            .map_err(changing())?;
        Self::commit_change(transaction).await?;
        Ok(new)
    }

    /// Takes a key out of service; calls that were placed with it still get their pushes.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such key.
    pub async fn revoke_key(&self, id: &str) -> Result<(), AdminFault> {
        self.change_key(id, |row| row.state = Set(KeyState::Revoked.word().to_owned())).await
    }

    async fn add_key(
        &self,
        transaction: &DatabaseTransaction,
        app: AppId,
        key: &Key,
        valid_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), AdminFault> {
        let vault = self.store.vault();
        let seal_token = |token: &Private<Box<str>>| vault.seal(&token_of(&key.id), token.expose());
        let row = api_key::ActiveModel {
            id: Set(key.id.to_string()),
            app_id: Set(app.0),
            sealed_secret: Set(vault.seal(&key.id, key.secret.expose())?),
            state: Set(KeyState::Active.word().to_owned()),
            created_at: Set(now.micros()),
            valid_until: Set(valid_until.map(Timestamp::micros)),
            sealed_token: Set(key.token.as_ref().map(seal_token).transpose()?),
        };
        row.insert(transaction).await.map_err(changing())?;
        Ok(())
    }

    async fn change_key(
        &self,
        id: &str,
        change: impl FnOnce(&mut api_key::ActiveModel),
    ) -> Result<(), AdminFault> {
        let (_baton, transaction) = self.begin().await?;
        let row = api_key::Entity::find_by_id(id).one(&transaction).await.map_err(reading())?;
        let hint = "list the app's keys to see their ids";
        let row = row.ok_or_else(|| AdminFault::Unknown { what: "key", name: id.into(), hint })?;
        let mut row: api_key::ActiveModel = row.into();
        change(&mut row);
        row.update(&transaction).await.map_err(changing())?;
        Self::commit_change(transaction).await
    }
}

/// A temporary key is given for a time that its app chose; what comes after it is a key of its own.
fn check_lasting(key: &KeyLine) -> Result<(), AdminFault> {
    let rule = "it is temporary; make another one instead";
    let unusable = || AdminFault::unusable("key to be replaced", key.id.clone(), rule);
    if key.is_temporary { Err(unusable()) } else { Ok(()) }
}

pub(super) fn line(row: api_key::Model) -> Result<KeyLine, AdminFault> {
    let damaged = || StoreFault::damaged(format!("key {}", row.id));
    Ok(KeyLine {
        state: KeyState::of(&row.state).ok_or_else(damaged)?,
        app: AppId(row.app_id),
        created_at: Timestamp::from_micros(row.created_at),
        valid_until: row.valid_until.map(Timestamp::from_micros),
        is_temporary: row.sealed_token.is_some(),
        id: row.id.into(),
    })
}

/// Letters and digits of a key's id: the vendor's own length.
const ID_CHARS: usize = 28;

/// Letters and digits of a secret: 166 random bits.
const SECRET_CHARS: usize = 28;

/// Letters and digits of a token.
const TOKEN_CHARS: usize = 64;

/// The shortest life of a temporary key.
const LIFE_SHORTEST: Duration = Duration::from_secs(1);

/// The longest: a day and a half, as clouds have it. Whoever needs it longer asks for another one.
const LIFE_LONGEST: Duration = Duration::from_secs(36 * 3_600);
