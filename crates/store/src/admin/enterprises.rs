//! Enterprises, and the sub-enterprises that their numbers are issued for.

use base::account::{AccountState, OwnerState};
use base::number::E164;
use base::private::Private;
use base::time::Timestamp;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::{Admin, AdminFault, changing, numbers, reading, visible_name};
use crate::entities::{app, enterprise, number, sub_enterprise};
use crate::snapshot::{password_of, read_account_state, read_sub_state};
use crate::words::Word;

/// An enterprise in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnterpriseLine {
    /// Its account name, unique on the platform.
    pub name: Box<str>,
    /// Whether it may place calls.
    pub state: AccountState,
    /// Whether it has a password for the oldest clients.
    pub has_password: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A sub-enterprise in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubEnterpriseLine {
    /// Its name, unique in its enterprise.
    pub name: Box<str>,
    /// Whether its numbers may place calls.
    pub state: OwnerState,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Admin {
    /// Makes an enterprise.
    ///
    /// # Errors
    /// [`AdminFault::Exists`] when the name is taken; [`AdminFault::Unusable`] for an empty or long one.
    pub async fn create_enterprise(&self, name: &str, now: Timestamp) -> Result<(), AdminFault> {
        visible_name("account name", name)?;
        let (_baton, transaction) = self.begin().await?;
        if find(&transaction, name).await?.is_some() {
            let hint = "choose another name, or use the enterprise that is there";
            return Err(AdminFault::Exists { what: "enterprise", name: name.into(), hint });
        }
        add(&transaction, name, now).await?;
        Self::commit_change(transaction).await
    }

    /// One enterprise.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`].
    pub async fn enterprise(&self, name: &str) -> Result<EnterpriseLine, AdminFault> {
        line(&enterprise_named(self.store.read(), name).await?)
    }

    /// Enterprises by name, from after one on; at most `limit`.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn enterprises_page(
        &self,
        after: Option<&str>,
        limit: u64,
    ) -> Result<Vec<EnterpriseLine>, AdminFault> {
        let mut query = enterprise::Entity::find();
        if let Some(after) = after {
            query = query.filter(enterprise::Column::Name.gt(after));
        }
        let query = query.order_by_asc(enterprise::Column::Name).limit(limit);
        query.all(self.store.read()).await.map_err(reading())?.iter().map(line).collect()
    }

    /// Lets an enterprise place calls, or not.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`].
    pub async fn set_enterprise_state(&self, name: &str, state: AccountState) -> Result<(), AdminFault> {
        let (_baton, transaction) = self.begin().await?;
        let mut row: enterprise::ActiveModel = enterprise_named(&transaction, name).await?.into();
        row.state = Set(state.word().to_owned());
        row.update(&transaction).await.map_err(changing())?;
        Self::commit_change(transaction).await
    }

    /// Gives an enterprise the password with which its oldest clients log in, or takes it away.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`]; [`AdminFault::Unusable`] for a password that no header can carry.
    pub async fn set_enterprise_password(
        &self,
        name: &str,
        password: Option<&Private<Box<str>>>,
    ) -> Result<(), AdminFault> {
        let usable = |password: &Private<Box<str>>| {
            let text = password.expose();
            (1..=PASSWORD_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if password.is_some_and(|password| !usable(password)) {
            let rule = "use 1 to 128 visible ASCII characters";
            return Err(AdminFault::unusable("password", "this", rule));
        }
        let (_baton, transaction) = self.begin().await?;
        let row = enterprise_named(&transaction, name).await?;
        let seal = |password: &Private<_>| {
            let text: &str = Private::<Box<str>>::expose(password);
            self.store.vault().seal(&password_of(row.id), text)
        };
        let sealed = password.map(seal).transpose()?;
        let mut row: enterprise::ActiveModel = row.into();
        row.sealed_password = Set(sealed);
        row.update(&transaction).await.map_err(changing())?;
        Self::commit_change(transaction).await
    }

    /// Makes a sub-enterprise.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such enterprise, [`AdminFault::Exists`] when it has one of that name,
    /// [`AdminFault::Unusable`] for an empty or long name.
    pub async fn create_sub_enterprise(
        &self,
        account: &str,
        name: &str,
        now: Timestamp,
    ) -> Result<(), AdminFault> {
        visible_name("sub-enterprise's name", name)?;
        let (_baton, transaction) = self.begin().await?;
        let owner = enterprise_named(&transaction, account).await?.id;
        if find_sub(&transaction, owner, name).await?.is_some() {
            let hint = "choose another name, or use the one that is there";
            return Err(AdminFault::Exists { what: "sub-enterprise", name: name.into(), hint });
        }
        let row = sub_enterprise::ActiveModel {
            enterprise_id: Set(owner),
            name: Set(name.to_owned()),
            state: Set(OwnerState::Active.word().to_owned()),
            created_at: Set(now.micros()),
            ..Default::default()
        };
        row.insert(&transaction).await.map_err(changing())?;
        Self::commit_change(transaction).await
    }

    /// One sub-enterprise.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such enterprise, or when it has none of that name.
    pub async fn sub_enterprise(&self, account: &str, name: &str) -> Result<SubEnterpriseLine, AdminFault> {
        let owner = enterprise_named(self.store.read(), account).await?.id;
        sub_line(&sub_named(self.store.read(), owner, name).await?)
    }

    /// The sub-enterprises of an enterprise by name, from after one on; at most `limit`.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when there is no such enterprise.
    pub async fn sub_enterprises_page(
        &self,
        account: &str,
        after: Option<&str>,
        limit: u64,
    ) -> Result<Vec<SubEnterpriseLine>, AdminFault> {
        let owner = enterprise_named(self.store.read(), account).await?.id;
        let mut query = sub_enterprise::Entity::find().filter(sub_enterprise::Column::EnterpriseId.eq(owner));
        if let Some(after) = after {
            query = query.filter(sub_enterprise::Column::Name.gt(after));
        }
        let query = query.order_by_asc(sub_enterprise::Column::Name).limit(limit);
        query.all(self.store.read()).await.map_err(reading())?.iter().map(sub_line).collect()
    }

    /// Lets the numbers of a sub-enterprise place calls, or not.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when the enterprise has none of that name.
    pub async fn set_sub_enterprise_state(
        &self,
        account: &str,
        name: &str,
        state: OwnerState,
    ) -> Result<(), AdminFault> {
        let (_baton, transaction) = self.begin().await?;
        let owner = enterprise_named(&transaction, account).await?.id;
        let mut row: sub_enterprise::ActiveModel = sub_named(&transaction, owner, name).await?.into();
        row.state = Set(state.word().to_owned());
        row.update(&transaction).await.map_err(changing())?;
        Self::commit_change(transaction).await
    }

    /// Says which sub-enterprise of its app's enterprise a number was issued for; `None`: for the enterprise itself.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`] when no app has the number, or the enterprise no such sub-enterprise.
    pub async fn assign_number(&self, number: &E164, sub_enterprise: Option<&str>) -> Result<(), AdminFault> {
        let (_baton, transaction) = self.begin().await?;
        let row = numbers::find(&transaction, number).await?.ok_or_else(|| numbers::unknown(number))?;
        let sub = match sub_enterprise {
            None => None,
            Some(name) => {
                let app = app::Entity::find_by_id(row.app_id).one(&transaction).await.map_err(reading())?;
                let owner = app.map_or(0, |app| app.enterprise_id);
                Some(sub_named(&transaction, owner, name).await?.id)
            }
        };
        let mut row: number::ActiveModel = row.into();
        row.sub_enterprise_id = Set(sub);
        row.update(&transaction).await.map_err(changing())?;
        Self::commit_change(transaction).await
    }
}

/// The enterprise must exist before anything is given to it.
pub(super) async fn enterprise_named(
    connection: &impl ConnectionTrait,
    name: &str,
) -> Result<enterprise::Model, AdminFault> {
    let hint = "list the enterprises to see their account names";
    let unknown = || AdminFault::Unknown { what: "enterprise", name: name.into(), hint };
    find(connection, name).await?.ok_or_else(unknown)
}

/// The number of the enterprise of that name, which is made when it is new.
pub(super) async fn enterprise_or_new(
    connection: &impl ConnectionTrait,
    name: &str,
    now: Timestamp,
) -> Result<i64, AdminFault> {
    match find(connection, name).await? {
        Some(known) => Ok(known.id),
        None => add(connection, name, now).await,
    }
}

async fn find(
    connection: &impl ConnectionTrait,
    name: &str,
) -> Result<Option<enterprise::Model>, AdminFault> {
    let query = enterprise::Entity::find().filter(enterprise::Column::Name.eq(name));
    Ok(query.one(connection).await.map_err(reading())?)
}

async fn add(connection: &impl ConnectionTrait, name: &str, now: Timestamp) -> Result<i64, AdminFault> {
    let row = enterprise::ActiveModel {
        name: Set(name.to_owned()),
        created_at: Set(now.micros()),
        state: Set(AccountState::Active.word().to_owned()),
        ..Default::default()
    };
    Ok(row.insert(connection).await.map_err(changing())?.id)
}

async fn find_sub(
    connection: &impl ConnectionTrait,
    owner: i64,
    name: &str,
) -> Result<Option<sub_enterprise::Model>, AdminFault> {
    let query = sub_enterprise::Entity::find()
        .filter(sub_enterprise::Column::EnterpriseId.eq(owner))
        .filter(sub_enterprise::Column::Name.eq(name));
    Ok(query.one(connection).await.map_err(reading())?)
}

async fn sub_named(
    connection: &impl ConnectionTrait,
    owner: i64,
    name: &str,
) -> Result<sub_enterprise::Model, AdminFault> {
    let hint = "list the enterprise's sub-enterprises";
    let unknown = || AdminFault::Unknown { what: "sub-enterprise", name: name.into(), hint };
    find_sub(connection, owner, name).await?.ok_or_else(unknown)
}

fn line(row: &enterprise::Model) -> Result<EnterpriseLine, AdminFault> {
    Ok(EnterpriseLine {
        name: row.name.as_str().into(),
        state: read_account_state(row)?,
        has_password: row.sealed_password.is_some(),
        created_at: Timestamp::from_micros(row.created_at),
    })
}

fn sub_line(row: &sub_enterprise::Model) -> Result<SubEnterpriseLine, AdminFault> {
    Ok(SubEnterpriseLine {
        name: row.name.as_str().into(),
        state: read_sub_state(row)?,
        created_at: Timestamp::from_micros(row.created_at),
    })
}

/// Bytes of a password: it travels in a header.
const PASSWORD_BYTES: usize = 128;
