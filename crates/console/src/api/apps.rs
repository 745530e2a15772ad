//! Apps: what keys, numbers and calls belong to.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Json, State};
use base::account;
use base::address::Block;
use base::id::AppId;
use base::number::Prefix;
use base::standing;
use base::url::PushUrl;
use serde::{Deserialize, Serialize};
use store::AppDraft;
use store::admin::{AppChange, AppLine, AppPick};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Body, Path, Query, patched};
use crate::audit::Changed;
use crate::page::{Ask, Page};
use crate::parts::Parts;
use crate::problem::{Kind, Problem};
use crate::time::Time;
use crate::words::{
    AppState, Hold, Lengths, NumberForm, Origin, Phase, Product, PushProfile, PushSignature, ReportCodes,
};

/// An app.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct App {
    /// Its id.
    #[schema(minimum = 1)]
    id: i64,
    /// Its name, unique in its enterprise.
    name: String,
    /// The account name of the enterprise that it belongs to.
    account: String,
    /// Whether it may place calls.
    state: AppState,
    /// Whether it was released for real use.
    phase: Phase,
    /// What the operator's security has against it; null when nothing.
    #[schema(required)]
    hold: Option<Hold>,
    /// Blocks of addresses that its requests may come from; none means all.
    addresses: Vec<String>,
    /// What is asked of the address that a request comes from.
    origin: Origin,
    /// Requests that it may make in a minute; null for as many as the platform takes.
    #[schema(required)]
    requests_per_minute: Option<u32>,
    /// Whether only people on its `callee_allow` list may be called.
    listed_only: bool,
    /// How its calls must go for it to place more.
    conduct: Conduct,
    /// The kinds of calls it was opened for.
    products: Vec<Product>,
    /// Calls that it may have at once.
    ports: u32,
    /// How the numbers begin that it may call; none means as the platform says.
    destinations: Vec<String>,
    /// Whether it may record.
    recording: bool,
    /// Days for which its recordings are kept; null for as long as the platform says.
    #[schema(required)]
    recording_days: Option<u32>,
    /// Where status events go when an order does not say.
    #[schema(required)]
    status_url: Option<String>,
    /// Where fee records go when an order does not say.
    #[schema(required)]
    fee_url: Option<String>,
    /// Where reports go.
    #[schema(required)]
    report_url: Option<String>,
    /// How reports are worded.
    reports: ReportForm,
    /// How much may be said in its templates with named places.
    lengths: Lengths,
    /// How its pushes are signed.
    push_signature: PushSignature,
    /// How often its status events and fee records are tried.
    push_profile: PushProfile,
    /// When it was made.
    created_at: Time,
}

/// How reports are worded.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct ReportForm {
    /// In which codes they tell a failure.
    codes: ReportCodes,
    /// How they write codes that are numbers.
    numbers: NumberForm,
    /// The number that they give the kind of call that is a menu.
    #[schema(maximum = 9)]
    menus_are: u8,
}

/// How reports are worded; a field that is left out stays as it is.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportFormPatch {
    /// In which codes they tell a failure; of a new app `status`.
    codes: Option<ReportCodes>,
    /// How they write codes that are numbers; of a new app `number`.
    numbers: Option<NumberForm>,
    /// The number that they give the kind of call that is a menu; of a new app 2.
    #[schema(maximum = 9)]
    menus_are: Option<u8>,
}

impl From<account::ReportForm> for ReportForm {
    fn from(ours: account::ReportForm) -> Self {
        Self { codes: ours.codes.into(), numbers: ours.numbers.into(), menus_are: ours.menus_are }
    }
}

impl ReportFormPatch {
    fn over(self, before: account::ReportForm) -> account::ReportForm {
        account::ReportForm {
            codes: self.codes.map_or(before.codes, Into::into),
            numbers: self.numbers.map_or(before.numbers, Into::into),
            menus_are: self.menus_are.unwrap_or(before.menus_are),
        }
    }
}

/// How an app's calls must go for it to place more. Only ended calls of the last hour are looked at.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Conduct {
    /// The share of calls that must have been answered; null when none is demanded.
    #[schema(required)]
    answered: Option<AnsweredShare>,
    /// The share of answered calls that may have been short; null when all may.
    #[schema(required)]
    short: Option<ShortShare>,
}

/// A completion rate that is demanded.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnsweredShare {
    /// Calls before the rate is looked at.
    #[schema(minimum = 1)]
    calls: u32,
    /// The share that must have been answered.
    #[schema(minimum = 1, maximum = 100)]
    percent: u8,
}

/// A share of short calls that is tolerated.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShortShare {
    /// Answered calls before the share is looked at.
    #[schema(minimum = 1)]
    calls: u32,
    /// A call that lasted less is short, in seconds.
    shorter_than_secs: u32,
    /// The share that may be short.
    #[schema(maximum = 99)]
    percent: u8,
}

impl From<standing::Conduct> for Conduct {
    fn from(ours: standing::Conduct) -> Self {
        let secs = |span: Duration| u32::try_from(span.as_secs()).unwrap_or(u32::MAX);
        Self {
            answered: ours.answered.map(|rule| AnsweredShare { calls: rule.calls, percent: rule.percent }),
            short: ours.short.map(|rule| ShortShare {
                calls: rule.calls,
                shorter_than_secs: secs(rule.shorter_than),
                percent: rule.percent,
            }),
        }
    }
}

impl From<Conduct> for standing::Conduct {
    fn from(wanted: Conduct) -> Self {
        Self {
            answered: wanted
                .answered
                .map(|rule| standing::AtLeastAnswered { calls: rule.calls, percent: rule.percent }),
            short: wanted.short.map(|rule| standing::AtMostShort {
                calls: rule.calls,
                shorter_than: Duration::from_secs(rule.shorter_than_secs.into()),
                percent: rule.percent,
            }),
        }
    }
}

impl From<AppLine> for App {
    fn from(line: AppLine) -> Self {
        let AppLine { account, app, push_profile, lengths, recording_days, created_at } = line;
        let text = |url: Option<PushUrl>| url.map(|url| url.as_str().to_owned());
        Self {
            id: app.id.0,
            name: app.name.into(),
            account: account.into(),
            state: app.state.into(),
            phase: app.phase.into(),
            hold: app.hold.map(Into::into),
            addresses: app.addresses.iter().map(ToString::to_string).collect(),
            origin: app.origin.into(),
            requests_per_minute: app.requests_per_minute,
            listed_only: app.standing.callees_allowed.is_some(),
            conduct: app.conduct.into(),
            products: app.products.into_iter().map(Into::into).collect(),
            ports: app.ports,
            destinations: app.destinations.iter().map(ToString::to_string).collect(),
            recording: app.recording,
            recording_days,
            status_url: text(app.status_url),
            fee_url: text(app.fee_url),
            report_url: text(app.report_url),
            reports: app.reports.into(),
            lengths: lengths.into(),
            push_signature: app.push_signature.into(),
            push_profile: push_profile.into(),
            created_at: created_at.into(),
        }
    }
}

/// An app to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewApp {
    /// Its name, unique in its enterprise: 1 to 32 visible characters.
    #[schema(min_length = 1, max_length = 32)]
    name: String,
    /// The account name of the enterprise that it belongs to, which is made when it is new.
    #[schema(min_length = 1, max_length = 32)]
    account: String,
    /// The kinds of calls it is opened for; without it, all.
    products: Option<Vec<Product>>,
    /// Calls that it may have at once; without it, 10.
    ports: Option<u32>,
    /// Where status events go when an order does not say: an http or https URL of at most 512 bytes.
    #[schema(max_length = 512)]
    status_url: Option<String>,
    /// Where fee records go when an order does not say: an http or https URL of at most 512 bytes.
    #[schema(max_length = 512)]
    fee_url: Option<String>,
    /// Where reports go: an http or https URL of at most 512 bytes.
    #[schema(max_length = 512)]
    report_url: Option<String>,
    /// How reports are worded.
    reports: Option<ReportFormPatch>,
    /// How much may be said in its templates with named places; without it, `wide`.
    lengths: Option<Lengths>,
    /// How its pushes are signed; without it, `joined`.
    push_signature: Option<PushSignature>,
}

/// What shall be otherwise in an app. A field that is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppPatch {
    /// Whether it may place calls.
    state: Option<AppStateWish>,
    /// Whether it was released for real use.
    phase: Option<Phase>,
    /// What the operator's security has against it; null for nothing.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<Hold>)]
    hold: Option<Option<Hold>>,
    /// Blocks of addresses that its requests may come from, such as `203.0.113.0/24`; none means all.
    #[schema(max_items = 100)]
    addresses: Option<Vec<String>>,
    /// What is asked of the address that a request comes from.
    origin: Option<Origin>,
    /// Requests that it may make in a minute; null for as many as the platform takes.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<u32>)]
    requests_per_minute: Option<Option<u32>>,
    /// Whether only people on its `callee_allow` list may be called.
    listed_only: Option<bool>,
    /// How its calls must go for it to place more.
    conduct: Option<Conduct>,
    /// The kinds of calls it is opened for.
    products: Option<Vec<Product>>,
    /// Calls that it may have at once.
    ports: Option<u32>,
    /// How the numbers begin that it may call, such as `+86` or `+`; none means as the platform says.
    #[schema(max_items = 100)]
    destinations: Option<Vec<String>>,
    /// Whether it may record.
    recording: Option<bool>,
    /// Days for which its recordings are kept; null for as long as the platform says.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 3650)]
    recording_days: Option<Option<u32>>,
    /// Where status events go when an order does not say; null for nowhere.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>, max_length = 512)]
    status_url: Option<Option<String>>,
    /// Where fee records go when an order does not say; null for nowhere.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>, max_length = 512)]
    fee_url: Option<Option<String>>,
    /// Where reports go; null for nowhere.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>, max_length = 512)]
    report_url: Option<Option<String>>,
    /// How reports are worded.
    reports: Option<ReportFormPatch>,
    /// How much may be said in its templates with named places.
    lengths: Option<Lengths>,
    /// How its pushes are signed.
    push_signature: Option<PushSignature>,
    /// How often its pushes are tried.
    push_profile: Option<PushProfile>,
}

/// What an app's state can be changed to; deleting it is a method of its own.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AppStateWish {
    /// It may place calls.
    Active,
    /// Its owner pauses it.
    Paused,
    /// It is frozen, or not approved.
    Unavailable,
}

impl AppPatch {
    fn read(self) -> Result<AppChange, Problem> {
        let reports = self.reports.unwrap_or_default();
        Ok(AppChange {
            state: self.state.map(|state| match state {
                AppStateWish::Active => account::AppState::Active,
                AppStateWish::Paused => account::AppState::Paused,
                AppStateWish::Unavailable => account::AppState::Unavailable,
            }),
            phase: self.phase.map(Into::into),
            hold: self.hold.map(|hold| hold.map(Into::into)),
            addresses: self.addresses.map(blocks).transpose()?,
            origin: self.origin.map(Into::into),
            requests_per_minute: self.requests_per_minute,
            listed_only: self.listed_only,
            conduct: self.conduct.map(Into::into),
            products: self.products.map(|products| products.into_iter().map(Into::into).collect()),
            ports: self.ports,
            destinations: self.destinations.map(prefixes).transpose()?,
            recording: self.recording,
            recording_days: self.recording_days,
            status_url: self.status_url.map(|url| receiver("status_url", url)).transpose()?,
            fee_url: self.fee_url.map(|url| receiver("fee_url", url)).transpose()?,
            report_url: self.report_url.map(|url| receiver("report_url", url)).transpose()?,
            report_codes: reports.codes.map(Into::into),
            report_numbers: reports.numbers.map(Into::into),
            menus_are: reports.menus_are,
            lengths: self.lengths.map(Into::into),
            push_signature: self.push_signature.map(Into::into),
            push_profile: self.push_profile.map(Into::into),
        })
    }
}

/// Which apps to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppsQuery {
    /// Only apps of this name.
    name: Option<String>,
    /// Only apps of the enterprise with this account name.
    account: Option<String>,
    /// Items on the page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Lists apps by age.
#[utoipa::path(
    get, path = "/apps", tag = "apps", operation_id = "list_apps", params(AppsQuery),
    responses((status = 200, description = "A page of apps.", body = Page<App>))
)]
pub(crate) async fn list(
    State(parts): State<Arc<Parts>>,
    Query(query): Query<AppsQuery>,
) -> Result<Json<Page<App>>, Problem> {
    let ask = Ask::<AppId>::new(query.limit, query.cursor.as_deref())?;
    let pick = AppPick { name: query.name.map(Into::into), account: query.account.map(Into::into) };
    let lines = parts.admin.apps_page(&pick, ask.after, ask.reach()).await?;
    Ok(Json(ask.page(lines, |line| line.app.id, App::from)))
}

/// Makes an app, and its enterprise when that is new.
#[utoipa::path(
    post, path = "/apps", tag = "apps", operation_id = "create_app", request_body = NewApp,
    responses((status = 201, description = "The app was made.", body = App))
)]
pub(crate) async fn create(
    State(parts): State<Arc<Parts>>,
    Body(new): Body<NewApp>,
) -> Result<Changed<App>, Problem> {
    let mut draft = AppDraft::new(&new.account, &new.name);
    if let Some(products) = new.products {
        draft.products = products.into_iter().map(Into::into).collect();
    }
    draft.ports = new.ports.unwrap_or(draft.ports);
    draft.status_url = receiver("status_url", new.status_url)?;
    draft.fee_url = receiver("fee_url", new.fee_url)?;
    draft.report_url = receiver("report_url", new.report_url)?;
    draft.reports = new.reports.unwrap_or_default().over(draft.reports);
    draft.lengths = new.lengths.map_or(draft.lengths, Into::into);
    draft.push_signature = new.push_signature.map_or(draft.push_signature, Into::into);
    let id = parts.admin.create_app(&draft, (parts.clock)()).await?;
    parts.announce().await;
    Ok(Changed::made(one(&parts, id).await?))
}

/// One app.
#[utoipa::path(
    get, path = "/apps/{app}", tag = "apps", operation_id = "get_app",
    params(("app" = i64, Path, description = "The app's id.")),
    responses((status = 200, description = "The app.", body = App))
)]
pub(crate) async fn get(
    State(parts): State<Arc<Parts>>,
    Path(app): Path<AppId>,
) -> Result<Json<App>, Problem> {
    Ok(Json(one(&parts, app).await?))
}

/// Changes an app. What the patch leaves out stays as it is (RFC 7396).
#[utoipa::path(
    patch, path = "/apps/{app}", tag = "apps", operation_id = "change_app", request_body = AppPatch,
    params(("app" = i64, Path, description = "The app's id.")),
    responses((status = 200, description = "The app as it is now.", body = App))
)]
pub(crate) async fn change(
    State(parts): State<Arc<Parts>>,
    Path(app): Path<AppId>,
    Body(patch): Body<AppPatch>,
) -> Result<Changed<App>, Problem> {
    let before = one(&parts, app).await?;
    parts.admin.change_app(app, &patch.read()?).await?;
    parts.announce().await;
    Ok(Changed::from(&before, one(&parts, app).await?))
}

/// Deletes an app: nobody can order with its keys any more. They stay known, because its last pushes are signed with
/// them, and its numbers are free for another app.
#[utoipa::path(
    delete, path = "/apps/{app}", tag = "apps", operation_id = "delete_app",
    params(("app" = i64, Path, description = "The app's id.")),
    responses((status = 200, description = "The app as it is now.", body = App))
)]
pub(crate) async fn delete(
    State(parts): State<Arc<Parts>>,
    Path(app): Path<AppId>,
) -> Result<Changed<App>, Problem> {
    let before = one(&parts, app).await?;
    parts.admin.delete_app(app).await?;
    parts.announce().await;
    Ok(Changed::from(&before, one(&parts, app).await?))
}

async fn one(parts: &Parts, app: AppId) -> Result<App, Problem> {
    Ok(parts.admin.app(app).await?.into())
}

pub(crate) fn receiver(field: &'static str, text: Option<String>) -> Result<Option<PushUrl>, Problem> {
    let parse = |text: String| {
        PushUrl::parse(&text).map_err(|rule| {
            Problem::new(
                Kind::UnusableValue,
                format!("{field} cannot take pushes"),
                format!("{field} 不是可以接收推送的地址"),
            )
            .fix(
                rule.to_string(),
                "接收地址是带主机的 http 或 https URL，例如 https://example.com:9000/status",
            )
        })
    };
    text.map(parse).transpose()
}

fn blocks(texts: Vec<String>) -> Result<Vec<Block>, Problem> {
    let parse = |text: String| {
        text.parse().map_err(|_| {
            Problem::new(
                Kind::UnusableValue,
                format!("{text} is no block of addresses"),
                format!("{text} 不是地址段"),
            )
            .fix("write a block as 203.0.113.0/24 or 203.0.113.7", "地址段写作 203.0.113.0/24 或 203.0.113.7")
        })
    };
    texts.into_iter().map(parse).collect()
}

fn prefixes(texts: Vec<String>) -> Result<Vec<Prefix>, Problem> {
    let parse = |text: String| {
        text.parse().map_err(|_| {
            Problem::new(
                Kind::UnusableValue,
                format!("{text} is no beginning of a number"),
                format!("{text} 不是号码前缀"),
            )
            .fix(
                "write + and up to 15 digits, such as +86 or +1900",
                "前缀写作 + 加最多 15 位数字，例如 +86 或 +1900",
            )
        })
    };
    texts.into_iter().map(parse).collect()
}

pub(super) fn routes() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, change, delete))
}
