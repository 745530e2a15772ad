//! Apps, and the enterprises that own them.

use base::account::{AccountState, App, AppState, Origin, Phase, PushSignature};
use base::id::AppId;
use base::limits;
use base::order::ProductKind;
use base::time::Timestamp;
use base::url::PushUrl;
use sea_orm::{
    ActiveModelTrait, ActiveValue::NotSet, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait,
    QueryFilter, QueryOrder,
};

use super::{Admin, AdminFault, app_exists, changing, reading};
use crate::entities::{app, enterprise};
use crate::snapshot::read_app;
use crate::words::{self, PushProfile, Word};

/// An app to be made.
#[derive(Clone, Debug)]
pub struct AppDraft {
    /// The enterprise's account name; it is made when it is new.
    pub account: Box<str>,
    /// The app's name, unique in its enterprise.
    pub name: Box<str>,
    /// Which kinds of calls it may place.
    pub products: Vec<ProductKind>,
    /// How many calls it may have at once.
    pub ports: u32,
    /// Where status events go when an order does not say.
    pub status_url: Option<PushUrl>,
    /// Where fee records go when an order does not say.
    pub fee_url: Option<PushUrl>,
    /// How its pushes are signed.
    pub push_signature: PushSignature,
}

/// An app in a list.
#[derive(Clone, Debug)]
pub struct AppLine {
    /// The enterprise's account name.
    pub account: Box<str>,
    /// The app.
    pub app: App,
}

impl AppDraft {
    /// An app with the vendor's defaults: every kind of call, 10 ports, no receivers.
    #[must_use]
    pub fn new(account: &str, name: &str) -> Self {
        Self {
            account: account.into(),
            name: name.into(),
            products: vec![ProductKind::Callback, ProductKind::Code, ProductKind::Notice],
            ports: limits::APP_PORTS,
            status_url: None,
            fee_url: None,
            push_signature: PushSignature::Joined,
        }
    }
}

impl Admin {
    /// Makes an app, and its enterprise when that is new.
    ///
    /// # Errors
    /// [`AdminFault::Exists`] when the enterprise has an app of that name; [`AdminFault::Unusable`] for an empty name.
    pub async fn create_app(&self, draft: &AppDraft, now: Timestamp) -> Result<AppId, AdminFault> {
        for (what, name) in [("account name", &draft.account), ("app name", &draft.name)] {
            let usable =
                (1..=NAME_CHARS).contains(&name.chars().count()) && !name.chars().any(char::is_control);
            if !usable {
                return Err(AdminFault::Unusable {
                    what,
                    name: name.clone(),
                    rule: "use 1 to 32 visible characters",
                });
            }
        }
        let transaction = self.begin().await?;
        let enterprise_id = enterprise_named(&transaction, &draft.account, now).await?;
        let twin = app::Entity::find()
            .filter(app::Column::EnterpriseId.eq(enterprise_id))
            .filter(app::Column::Name.eq(&*draft.name));
        if twin.one(&transaction).await.map_err(reading())?.is_some() {
            let hint = "choose another name, or use the app that is there";
            return Err(AdminFault::Exists { what: "app", name: draft.name.clone(), hint });
        }
        let row = app::ActiveModel {
            id: NotSet,
            enterprise_id: Set(enterprise_id),
            name: Set(draft.name.to_string()),
            state: Set(AppState::Active.word().to_owned()),
            products: Set(words::join(&draft.products)),
            ports: Set(draft.ports.into()),
            recording: Set(false),
            status_url: Set(text(draft.status_url.as_ref())),
            fee_url: Set(text(draft.fee_url.as_ref())),
            push_signature: Set(draft.push_signature.word().to_owned()),
            created_at: Set(now.micros()),
            phase: Set(Phase::Commercial.word().to_owned()),
            origin: Set(Origin::Any.word().to_owned()),
            push_profile: Set(PushProfile::Compat.word().to_owned()),
            // The rest is empty: nothing is forbidden, demanded or held against it.
            ..Default::default()
        };
        let row = row.insert(&transaction).await.map_err(changing())?;
        Self::commit_change(transaction).await?;
        Ok(AppId(row.id))
    }

    /// All apps, by age.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn apps(&self) -> Result<Vec<AppLine>, AdminFault> {
        let enterprises = enterprise::Entity::find().all(self.store.read()).await.map_err(reading())?;
        let apps = app::Entity::find().order_by_asc(app::Column::Id);
        let apps = apps.all(self.store.read()).await.map_err(reading())?;
        let account = |id| {
            let owner = enterprises.iter().find(|enterprise| enterprise.id == id);
            owner.map(|owner| owner.name.as_str()).unwrap_or_default().into()
        };
        let line =
            |row: &app::Model| Ok(AppLine { account: account(row.enterprise_id), app: read_app(row)? });
        apps.iter().map(line).collect()
    }

    /// Lets an app place calls, or not.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`].
    pub async fn set_app_state(&self, id: AppId, state: AppState) -> Result<(), AdminFault> {
        self.change_app(id, |row| row.state = Set(state.word().to_owned())).await
    }

    /// Says how many calls an app may have at once.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`].
    pub async fn set_app_ports(&self, id: AppId, ports: u32) -> Result<(), AdminFault> {
        self.change_app(id, |row| row.ports = Set(ports.into())).await
    }

    /// Says which kinds of calls an app may place.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`].
    pub async fn set_app_products(&self, id: AppId, products: &[ProductKind]) -> Result<(), AdminFault> {
        self.change_app(id, |row| row.products = Set(words::join(products))).await
    }

    /// Says where an app's pushes go when an order does not say, and how they are signed.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`].
    pub async fn set_app_receivers(
        &self,
        id: AppId,
        status_url: Option<&PushUrl>,
        fee_url: Option<&PushUrl>,
        signature: PushSignature,
    ) -> Result<(), AdminFault> {
        self.change_app(id, |row| {
            row.status_url = Set(text(status_url));
            row.fee_url = Set(text(fee_url));
            row.push_signature = Set(signature.word().to_owned());
        })
        .await
    }

    async fn change_app(
        &self,
        id: AppId,
        change: impl FnOnce(&mut app::ActiveModel),
    ) -> Result<(), AdminFault> {
        let transaction = self.begin().await?;
        let mut row: app::ActiveModel = app_exists(&transaction, id).await?.into();
        change(&mut row);
        row.update(&transaction).await.map_err(changing())?;
        Self::commit_change(transaction).await
    }
}

async fn enterprise_named(
    transaction: &DatabaseTransaction,
    name: &str,
    now: Timestamp,
) -> Result<i64, AdminFault> {
    let known = enterprise::Entity::find().filter(enterprise::Column::Name.eq(name));
    if let Some(known) = known.one(transaction).await.map_err(reading())? {
        return Ok(known.id);
    }
    let row = enterprise::ActiveModel {
        name: Set(name.to_owned()),
        created_at: Set(now.micros()),
        state: Set(AccountState::Active.word().to_owned()),
        ..Default::default()
    };
    Ok(row.insert(transaction).await.map_err(changing())?.id)
}

fn text(url: Option<&PushUrl>) -> Option<String> {
    url.map(|url| url.as_str().to_owned())
}

/// Characters of an account's or app's name: vendors give account names 32.
const NAME_CHARS: usize = 32;
