//! Apps, and the enterprises that own them.

use base::account::{App, AppState, Origin, Phase, PushSignature, ReportForm};
use base::id::AppId;
use base::limits;
use base::order::ProductKind;
use base::time::Timestamp;
use base::url::PushUrl;
use sea_orm::{
    ActiveModelTrait, ActiveValue::NotSet, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter,
    QueryOrder,
};

use super::changes::check_menus_are;
use super::enterprises::enterprise_or_new;
use super::{Admin, AdminFault, changing, reading, visible_name};
use crate::entities::{app, enterprise};
use crate::fault::StoreFault;
use crate::snapshot::read_app;
use crate::words::{self, LengthProfile, PushProfile, Word};

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
    /// Where reports go.
    pub report_url: Option<PushUrl>,
    /// How reports are worded; the number of menus is 0 to 9.
    pub reports: ReportForm,
    /// How much may be said in its templates with named places.
    pub lengths: LengthProfile,
}

/// An app in a list.
#[derive(Clone, Debug)]
pub struct AppLine {
    /// The enterprise's account name.
    pub account: Box<str>,
    /// The app, without its lists, limits and hours. Of the list of those who may be called, it tells whether it counts.
    pub app: App,
    /// How often its pushes are tried.
    pub push_profile: PushProfile,
    /// How much may be said in its templates with named places.
    pub lengths: LengthProfile,
    /// Days for which its recordings are kept; `None`: as long as the platform says.
    pub recording_days: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl AppDraft {
    /// An app with the vendor's defaults: every kind of call, 10 ports, no receivers.
    #[must_use]
    pub fn new(account: &str, name: &str) -> Self {
        Self {
            account: account.into(),
            name: name.into(),
            products: vec![ProductKind::Callback, ProductKind::Code, ProductKind::Notice, ProductKind::Menu],
            ports: limits::APP_PORTS,
            status_url: None,
            fee_url: None,
            push_signature: PushSignature::Joined,
            report_url: None,
            reports: ReportForm::default(),
            lengths: LengthProfile::default(),
        }
    }
}

impl Admin {
    /// Makes an app, and its enterprise when that is new.
    ///
    /// # Errors
    /// [`AdminFault::Exists`] when the enterprise has an app of that name; [`AdminFault::Unusable`] for an empty name
    /// and for a kind of call in reports out of its range.
    pub async fn create_app(&self, draft: &AppDraft, now: Timestamp) -> Result<AppId, AdminFault> {
        visible_name("account name", &draft.account)?;
        visible_name("app name", &draft.name)?;
        check_menus_are(draft.reports.menus_are)?;
        let (_baton, transaction) = self.begin().await?;
        let enterprise_id = enterprise_or_new(&transaction, &draft.account, now).await?;
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
            report_url: Set(text(draft.report_url.as_ref())),
            report_codes: Set(draft.reports.codes.word().to_owned()),
            report_numbers: Set(draft.reports.numbers.word().to_owned()),
            menus_are: Set(draft.reports.menus_are.into()),
            lengths: Set(draft.lengths.word().to_owned()),
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
        apps.iter().map(|row| line(row, account(row.enterprise_id))).collect()
    }

    /// Lets an app place calls, or not.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`].
    pub async fn set_app_state(&self, id: AppId, state: AppState) -> Result<(), AdminFault> {
        self.change_app_row(id, |row| row.state = Set(state.word().to_owned())).await
    }

    /// Says how many calls an app may have at once.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`].
    pub async fn set_app_ports(&self, id: AppId, ports: u32) -> Result<(), AdminFault> {
        self.change_app_row(id, |row| row.ports = Set(ports.into())).await
    }

    /// Says which kinds of calls an app may place.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`].
    pub async fn set_app_products(&self, id: AppId, products: &[ProductKind]) -> Result<(), AdminFault> {
        self.change_app_row(id, |row| row.products = Set(words::join(products))).await
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
        self.change_app_row(id, |row| {
            row.status_url = Set(text(status_url));
            row.fee_url = Set(text(fee_url));
            row.push_signature = Set(signature.word().to_owned());
        })
        .await
    }
}

pub(super) fn line(row: &app::Model, account: Box<str>) -> Result<AppLine, AdminFault> {
    let damaged = || StoreFault::damaged(format!("app {}", row.id));
    Ok(AppLine {
        account,
        app: read_app(row)?,
        push_profile: PushProfile::of(&row.push_profile).ok_or_else(damaged)?,
        lengths: LengthProfile::of(&row.lengths).ok_or_else(damaged)?,
        recording_days: row.recording_days.map(u32::try_from).transpose().map_err(|_| damaged())?,
        created_at: Timestamp::from_micros(row.created_at),
    })
}

pub(super) fn text(url: Option<&PushUrl>) -> Option<String> {
    url.map(|url| url.as_str().to_owned())
}
