//! Limits, forbidden hours and the platform's settings: what the rules look up.
//!
//! The platform and each app have their own; both are asked, and either can refuse.

use std::fmt;
use std::sync::Arc;

use axum::extract::{Json, State};
use base::id::AppId;
use base::quota;
use base::standing;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Body, Path, Query};
use crate::audit::Changed;
use crate::page::{Ask, Page, PageQuery};
use crate::parts::Parts;
use crate::problem::{Kind, Problem};
use crate::words::{Counted, Window};

/// At most so many calls of one subject in each window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Limit {
    /// What is counted.
    counted_by: Counted,
    /// The window.
    per: Window,
    /// Calls that are allowed in it.
    calls: u32,
}

impl From<quota::Limit> for Limit {
    fn from(ours: quota::Limit) -> Self {
        Self { counted_by: ours.of.into(), per: ours.per.into(), calls: ours.calls }
    }
}

/// How many calls there may be.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitWish {
    /// Calls that are allowed in the window.
    calls: u32,
}

/// When nobody may be called, on the clocks of Beijing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForbiddenHours {
    /// Spans of each day; none allows calls at all times.
    #[schema(max_items = 16)]
    spans: Vec<Span>,
}

/// A span of each day. It may pass midnight; a span from and to the same time is the whole day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Span {
    /// When it begins.
    #[schema(value_type = String, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "21:30")]
    from: TimeOfDay,
    /// When it is over.
    #[schema(value_type = String, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "08:00")]
    to: TimeOfDay,
}

/// A time of day, such as `21:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct TimeOfDay {
    /// Minutes since midnight, 0 to 1439.
    minute: u16,
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minute / 60, self.minute % 60)
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let field = |text: &str, end: u16| {
            let sound = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|value: &u16| sound && *value < end)
        };
        let read = || {
            let (hour, minute) = text.split_once(':')?;
            Some(Self { minute: field(hour, 24)? * 60 + field(minute, 60)? })
        };
        read().ok_or("a time of day is written as 21:30")
    }
}

impl ForbiddenHours {
    fn of(hours: &[standing::Hours]) -> Self {
        let time = |minute| TimeOfDay { minute };
        Self {
            spans: hours.iter().map(|hours| Span { from: time(hours.from), to: time(hours.to) }).collect(),
        }
    }

    fn read(&self) -> Vec<standing::Hours> {
        let hours = |span: &Span| standing::Hours { from: span.from.minute, to: span.to.minute };
        self.spans.iter().map(hours).collect()
    }
}

/// What holds for every app of the platform, besides lists, limits and hours.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Settings {
    /// Whether only people on the platform's `callee_allow` list may be called.
    listed_only: bool,
}

/// What shall be otherwise in the settings.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingsPatch {
    /// Whether only people on the platform's `callee_allow` list may be called.
    listed_only: Option<bool>,
}

/// Lists the limits that hold for every app and number of the platform.
#[utoipa::path(
    get, path = "/limits", tag = "limits", operation_id = "list_limits", params(PageQuery),
    responses((status = 200, description = "A page of limits.", body = Page<Limit>))
)]
pub(crate) async fn limits(
    State(parts): State<Arc<Parts>>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Limit>>, Problem> {
    limits_page(&parts, None, &query).await
}

/// Sets a limit of the platform. There is one for each thing that is counted and each window.
#[utoipa::path(
    put, path = "/limits/{counted_by}/{per}", tag = "limits", operation_id = "set_limit", request_body = LimitWish,
    params(
        ("counted_by" = Counted, Path, description = "What is counted."),
        ("per" = Window, Path, description = "The window. `ever` goes with `account` and `app` only."),
    ),
    responses((status = 200, description = "The limit holds.", body = Limit))
)]
pub(crate) async fn set(
    State(parts): State<Arc<Parts>>,
    Path((of, per)): Path<(Counted, Window)>,
    Body(wish): Body<LimitWish>,
) -> Result<Changed<Limit>, Problem> {
    set_limit(&parts, None, of, per, wish).await
}

/// Lifts a limit of the platform.
#[utoipa::path(
    delete, path = "/limits/{counted_by}/{per}", tag = "limits", operation_id = "lift_limit",
    params(
        ("counted_by" = Counted, Path, description = "What is counted."),
        ("per" = Window, Path, description = "The window."),
    ),
    responses((status = 204, description = "The limit holds no more."))
)]
pub(crate) async fn lift(
    State(parts): State<Arc<Parts>>,
    Path((of, per)): Path<(Counted, Window)>,
) -> Result<Changed<Limit>, Problem> {
    lift_limit(&parts, None, of, per).await
}

/// Lists an app's own limits.
#[utoipa::path(
    get, path = "/apps/{app}/limits", tag = "limits", operation_id = "list_limits_of_app",
    params(("app" = i64, Path, description = "The app's id."), PageQuery),
    responses((status = 200, description = "A page of limits.", body = Page<Limit>))
)]
pub(crate) async fn limits_of_app(
    State(parts): State<Arc<Parts>>,
    Path(app): Path<AppId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Limit>>, Problem> {
    limits_page(&parts, Some(app), &query).await
}

/// Sets one of an app's own limits.
#[utoipa::path(
    put, path = "/apps/{app}/limits/{counted_by}/{per}", tag = "limits", operation_id = "set_limit_of_app",
    request_body = LimitWish,
    params(
        ("app" = i64, Path, description = "The app's id."),
        ("counted_by" = Counted, Path, description = "What is counted."),
        ("per" = Window, Path, description = "The window. `ever` goes with `account` and `app` only."),
    ),
    responses((status = 200, description = "The limit holds.", body = Limit))
)]
pub(crate) async fn set_of_app(
    State(parts): State<Arc<Parts>>,
    Path((app, of, per)): Path<(AppId, Counted, Window)>,
    Body(wish): Body<LimitWish>,
) -> Result<Changed<Limit>, Problem> {
    set_limit(&parts, Some(app), of, per, wish).await
}

/// Lifts one of an app's own limits.
#[utoipa::path(
    delete, path = "/apps/{app}/limits/{counted_by}/{per}", tag = "limits", operation_id = "lift_limit_of_app",
    params(
        ("app" = i64, Path, description = "The app's id."),
        ("counted_by" = Counted, Path, description = "What is counted."),
        ("per" = Window, Path, description = "The window."),
    ),
    responses((status = 204, description = "The limit holds no more."))
)]
pub(crate) async fn lift_of_app(
    State(parts): State<Arc<Parts>>,
    Path((app, of, per)): Path<(AppId, Counted, Window)>,
) -> Result<Changed<Limit>, Problem> {
    lift_limit(&parts, Some(app), of, per).await
}

/// The hours in which nobody may be called.
#[utoipa::path(
    get, path = "/forbidden_hours", tag = "limits", operation_id = "get_forbidden_hours",
    responses((status = 200, description = "The hours.", body = ForbiddenHours))
)]
pub(crate) async fn hours(State(parts): State<Arc<Parts>>) -> Result<Json<ForbiddenHours>, Problem> {
    Ok(Json(hours_of(&parts, None).await?))
}

/// Sets the hours in which nobody may be called, in place of those that were set.
#[utoipa::path(
    put, path = "/forbidden_hours", tag = "limits", operation_id = "set_forbidden_hours",
    request_body = ForbiddenHours,
    responses((status = 200, description = "The hours hold.", body = ForbiddenHours))
)]
pub(crate) async fn set_hours(
    State(parts): State<Arc<Parts>>,
    Body(wish): Body<ForbiddenHours>,
) -> Result<Changed<ForbiddenHours>, Problem> {
    set_hours_of(&parts, None, &wish).await
}

/// The hours in which an app may call nobody, besides the platform's.
#[utoipa::path(
    get, path = "/apps/{app}/forbidden_hours", tag = "limits", operation_id = "get_forbidden_hours_of_app",
    params(("app" = i64, Path, description = "The app's id.")),
    responses((status = 200, description = "The hours.", body = ForbiddenHours))
)]
pub(crate) async fn hours_of_app(
    State(parts): State<Arc<Parts>>,
    Path(app): Path<AppId>,
) -> Result<Json<ForbiddenHours>, Problem> {
    Ok(Json(hours_of(&parts, Some(app)).await?))
}

/// Sets the hours in which an app may call nobody, in place of those that were set.
#[utoipa::path(
    put, path = "/apps/{app}/forbidden_hours", tag = "limits", operation_id = "set_forbidden_hours_of_app",
    request_body = ForbiddenHours,
    params(("app" = i64, Path, description = "The app's id.")),
    responses((status = 200, description = "The hours hold.", body = ForbiddenHours))
)]
pub(crate) async fn set_hours_of_app(
    State(parts): State<Arc<Parts>>,
    Path(app): Path<AppId>,
    Body(wish): Body<ForbiddenHours>,
) -> Result<Changed<ForbiddenHours>, Problem> {
    set_hours_of(&parts, Some(app), &wish).await
}

/// What holds for every app of the platform, besides lists, limits and hours.
#[utoipa::path(
    get, path = "/settings", tag = "limits", operation_id = "get_settings",
    responses((status = 200, description = "The settings.", body = Settings))
)]
pub(crate) async fn settings(State(parts): State<Arc<Parts>>) -> Result<Json<Settings>, Problem> {
    Ok(Json(settings_now(&parts).await?))
}

/// Changes the settings. What the patch leaves out stays as it is.
#[utoipa::path(
    patch, path = "/settings", tag = "limits", operation_id = "change_settings", request_body = SettingsPatch,
    responses((status = 200, description = "The settings as they are now.", body = Settings))
)]
pub(crate) async fn change_settings(
    State(parts): State<Arc<Parts>>,
    Body(patch): Body<SettingsPatch>,
) -> Result<Changed<Settings>, Problem> {
    let before = settings_now(&parts).await?;
    if let Some(listed_only) = patch.listed_only {
        parts.admin.set_listed_only(None, listed_only).await?;
        parts.announce().await;
    }
    Ok(Changed::from(&before, settings_now(&parts).await?))
}

async fn limits_page(
    parts: &Parts,
    app: Option<AppId>,
    query: &PageQuery,
) -> Result<Json<Page<Limit>>, Problem> {
    let ask: Ask<(Counted, Window)> = query.read()?;
    // There are at most as many as things to count times windows.
    let mut limits: Vec<Limit> = parts.admin.limits(app).await?.into_iter().map(Into::into).collect();
    let place = |limit: &Limit| (limit.counted_by, limit.per);
    limits.sort_by_key(place);
    limits.retain(|limit| ask.after.is_none_or(|after| place(limit) > after));
    Ok(Json(ask.page(limits, place, |limit| limit)))
}

async fn find_limit(
    parts: &Parts,
    app: Option<AppId>,
    of: Counted,
    per: Window,
) -> Result<Option<Limit>, Problem> {
    let all = parts.admin.limits(app).await?;
    Ok(all.into_iter().map(Limit::from).find(|limit| limit.counted_by == of && limit.per == per))
}

async fn set_limit(
    parts: &Parts,
    app: Option<AppId>,
    of: Counted,
    per: Window,
    wish: LimitWish,
) -> Result<Changed<Limit>, Problem> {
    let before = find_limit(parts, app, of, per).await?;
    let limit = quota::Limit { of: of.into(), per: per.into(), calls: wish.calls };
    parts.admin.set_limit(app, limit).await?;
    parts.announce().await;
    Ok(Changed::from(&before, limit.into()))
}

async fn lift_limit(
    parts: &Parts,
    app: Option<AppId>,
    of: Counted,
    per: Window,
) -> Result<Changed<Limit>, Problem> {
    let unknown = || Problem::new(Kind::NotFound, "there is no such limit", "没有这个限制");
    let before = find_limit(parts, app, of, per).await?.ok_or_else(unknown)?;
    parts.admin.remove_limit(app, of.into(), per.into()).await?;
    parts.announce().await;
    Ok(Changed::gone(&before))
}

async fn hours_of(parts: &Parts, app: Option<AppId>) -> Result<ForbiddenHours, Problem> {
    Ok(ForbiddenHours::of(&parts.admin.hours(app).await?))
}

async fn set_hours_of(
    parts: &Parts,
    app: Option<AppId>,
    wish: &ForbiddenHours,
) -> Result<Changed<ForbiddenHours>, Problem> {
    let before = hours_of(parts, app).await?;
    parts.admin.set_hours(app, &wish.read()).await?;
    parts.announce().await;
    Ok(Changed::from(&before, hours_of(parts, app).await?))
}

async fn settings_now(parts: &Parts) -> Result<Settings, Problem> {
    Ok(Settings { listed_only: parts.admin.listed_only(None).await? })
}

pub(super) fn routes() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new()
        .routes(routes!(limits))
        .routes(routes!(set, lift))
        .routes(routes!(limits_of_app))
        .routes(routes!(set_of_app, lift_of_app))
        .routes(routes!(hours, set_hours))
        .routes(routes!(hours_of_app, set_hours_of_app))
        .routes(routes!(settings, change_settings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_has_two_digits_twice() {
        for (text, minute) in [("00:00", 0), ("09:05", 545), ("23:59", 1_439)] {
            let time = TimeOfDay::try_from(text.to_owned()).unwrap();
            assert_eq!((time.minute, time.to_string()), (minute, text.to_owned()));
        }
        for text in ["", "9:05", "24:00", "12:60", "+1:00", "12:00:00", "12"] {
            assert!(TimeOfDay::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
