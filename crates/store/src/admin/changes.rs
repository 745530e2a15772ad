//! Every setting of an app, changed at once or not at all.

use base::account::{AppState, Hold, NumberForm, Origin, Phase, PushSignature, ReportCodes};
use base::address::Block;
use base::id::AppId;
use base::number::Prefix;
use base::order::ProductKind;
use base::standing::Conduct;
use base::url::PushUrl;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::{Admin, AdminFault, app_exists, apps, changing};
use crate::entities::{app, number};
use crate::words::{self, LengthProfile, PushProfile, Word};

/// What shall be otherwise with an app; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppChange {
    /// Whether it may place calls.
    pub state: Option<AppState>,
    /// Whether it was released for real use.
    pub phase: Option<Phase>,
    /// What the operator's security has against it; inside `None`: nothing any more.
    pub hold: Option<Option<Hold>>,
    /// Addresses that its requests may come from; none means all.
    pub addresses: Option<Vec<Block>>,
    /// Whether a request must come from a known IPv4 address.
    pub origin: Option<Origin>,
    /// Requests that it may make in a minute; inside `None`: as many as the platform takes.
    pub requests_per_minute: Option<Option<u32>>,
    /// Whether only people on its list of those who may be called may be called.
    pub listed_only: Option<bool>,
    /// How its calls must go for it to place more.
    pub conduct: Option<Conduct>,
    /// Which kinds of calls it was opened for.
    pub products: Option<Vec<ProductKind>>,
    /// How many calls it may have at once.
    pub ports: Option<u32>,
    /// How the numbers begin that it may call; none means as the platform says.
    pub destinations: Option<Vec<Prefix>>,
    /// Whether it may record.
    pub recording: Option<bool>,
    /// Days for which its recordings are kept, at least 1; inside `None`: as long as the platform says.
    pub recording_days: Option<Option<u32>>,
    /// Where status events go when an order does not say.
    pub status_url: Option<Option<PushUrl>>,
    /// Where fee records go when an order does not say.
    pub fee_url: Option<Option<PushUrl>>,
    /// Where reports go.
    pub report_url: Option<Option<PushUrl>>,
    /// In which codes reports tell a failure.
    pub report_codes: Option<ReportCodes>,
    /// How reports write codes that are numbers.
    pub report_numbers: Option<NumberForm>,
    /// What reports call a menu, 0 to 9.
    pub menus_are: Option<u8>,
    /// How much may be said in its templates with named places.
    pub lengths: Option<LengthProfile>,
    /// How its pushes are signed.
    pub push_signature: Option<PushSignature>,
    /// How often its pushes are tried.
    pub push_profile: Option<PushProfile>,
}

impl Admin {
    /// Changes some of an app's settings, all of them or none.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`]; [`AdminFault::Unusable`] for a threshold, a number of days or a kind of call out of its
    /// range, and for too many addresses or destinations.
    pub async fn change_app(&self, id: AppId, change: &AppChange) -> Result<(), AdminFault> {
        check(change)?;
        self.change_app_row(id, |row| apply(change, row)).await
    }

    /// Deletes an app: nobody can order with its keys any more. They stay known, because its last pushes are signed with
    /// them, and its numbers are free for another app.
    ///
    /// # Errors
    /// [`AdminFault::Unknown`].
    pub async fn delete_app(&self, id: AppId) -> Result<(), AdminFault> {
        let (_baton, transaction) = self.begin().await?;
        let mut row: app::ActiveModel = app_exists(&transaction, id).await?.into();
        row.state = Set(AppState::Deleted.word().to_owned());
        row.update(&transaction).await.map_err(changing())?;
        let freed = number::Entity::delete_many().filter(number::Column::AppId.eq(id.0));
        freed.exec(&transaction).await.map_err(changing())?;
        Self::commit_change(transaction).await
    }

    pub(super) async fn change_app_row(
        &self,
        id: AppId,
        change: impl FnOnce(&mut app::ActiveModel),
    ) -> Result<(), AdminFault> {
        let (_baton, transaction) = self.begin().await?;
        let mut row: app::ActiveModel = app_exists(&transaction, id).await?.into();
        change(&mut row);
        if row.is_changed() {
            row.update(&transaction).await.map_err(changing())?;
        }
        Self::commit_change(transaction).await
    }
}

fn check(change: &AppChange) -> Result<(), AdminFault> {
    let unusable = |what, rule: &'static str| Err(AdminFault::unusable(what, "this", rule));
    if change.addresses.as_ref().is_some_and(|blocks| blocks.len() > ADDRESSES) {
        return unusable("list of addresses", "name at most 100 blocks");
    }
    if change.destinations.as_ref().is_some_and(|prefixes| prefixes.len() > DESTINATIONS) {
        return unusable("list of destinations", "name at most 100 beginnings of numbers");
    }
    if change.recording_days.flatten().is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
        return unusable("number of days", "recordings are kept for 1 to 3650 days");
    }
    change.menus_are.map_or(Ok(()), check_menus_are)?;
    let Some(Conduct { answered, short }) = &change.conduct else { return Ok(()) };
    if answered.is_some_and(|rule| rule.calls == 0 || !(1..=100).contains(&rule.percent)) {
        return unusable("share of answered calls", "at least 1 call, and 1 to 100 percent");
    }
    if short.is_some_and(|rule| rule.calls == 0 || rule.percent > 99) {
        return unusable("share of short calls", "at least 1 call, and 0 to 99 percent");
    }
    Ok(())
}

/// Reports number the kinds of calls.
pub(super) fn check_menus_are(kind: u8) -> Result<(), AdminFault> {
    let (what, rule) = ("kind of call in reports", "reports number the kinds of calls from 0 to 9");
    let unusable = || AdminFault::unusable(what, kind.to_string(), rule);
    if kind <= KIND_MAX { Ok(()) } else { Err(unusable()) }
}

fn apply(change: &AppChange, row: &mut app::ActiveModel) {
    if let Some(state) = change.state {
        row.state = Set(state.word().to_owned());
    }
    if let Some(phase) = change.phase {
        row.phase = Set(phase.word().to_owned());
    }
    if let Some(hold) = change.hold {
        row.hold = Set(hold.map(|hold| hold.word().to_owned()));
    }
    if let Some(blocks) = &change.addresses {
        row.addresses = Set(list(blocks));
    }
    if let Some(origin) = change.origin {
        row.origin = Set(origin.word().to_owned());
    }
    if let Some(requests) = change.requests_per_minute {
        row.requests_per_minute = Set(requests.map(Into::into));
    }
    if let Some(listed_only) = change.listed_only {
        row.callees_allowed = Set(listed_only);
    }
    if let Some(conduct) = &change.conduct {
        let millis = |span: std::time::Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        row.answered_calls = Set(conduct.answered.map(|rule| rule.calls.into()));
        row.answered_percent = Set(conduct.answered.map(|rule| rule.percent.into()));
        row.short_calls = Set(conduct.short.map(|rule| rule.calls.into()));
        row.short_millis = Set(conduct.short.map(|rule| millis(rule.shorter_than)));
        row.short_percent = Set(conduct.short.map(|rule| rule.percent.into()));
    }
    if let Some(products) = &change.products {
        row.products = Set(words::join(products));
    }
    if let Some(ports) = change.ports {
        row.ports = Set(ports.into());
    }
    if let Some(prefixes) = &change.destinations {
        row.destinations = Set(list(prefixes));
    }
    if let Some(recording) = change.recording {
        row.recording = Set(recording);
    }
    if let Some(days) = change.recording_days {
        row.recording_days = Set(days.map(Into::into));
    }
    if let Some(url) = &change.status_url {
        row.status_url = Set(apps::text(url.as_ref()));
    }
    if let Some(url) = &change.fee_url {
        row.fee_url = Set(apps::text(url.as_ref()));
    }
    if let Some(url) = &change.report_url {
        row.report_url = Set(apps::text(url.as_ref()));
    }
    if let Some(codes) = change.report_codes {
        row.report_codes = Set(codes.word().to_owned());
    }
    if let Some(form) = change.report_numbers {
        row.report_numbers = Set(form.word().to_owned());
    }
    if let Some(kind) = change.menus_are {
        row.menus_are = Set(kind.into());
    }
    if let Some(profile) = change.lengths {
        row.lengths = Set(profile.word().to_owned());
    }
    if let Some(signature) = change.push_signature {
        row.push_signature = Set(signature.word().to_owned());
    }
    if let Some(profile) = change.push_profile {
        row.push_profile = Set(profile.word().to_owned());
    }
}

/// Values with commas between them.
fn list<T: ToString>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// Beginnings of numbers of one app: each order looks at all of them.
const DESTINATIONS: usize = 100;

/// Blocks of addresses of one app: each request looks at all of them.
const ADDRESSES: usize = 100;

/// The last number that reports have for a kind of call: one digit.
const KIND_MAX: u8 = 9;

/// Days for which recordings may be kept: ten years.
const DAYS_MAX: u32 = 3_650;
