//! Numbers that apps may show.

use std::sync::Arc;

use axum::extract::{Json, State};
use base::id::AppId;
use base::number::E164;
use serde::{Deserialize, Serialize};
use store::admin::NumberLine;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Body, Path, Query, patched};
use crate::audit::Changed;
use crate::page::{Page, PageQuery};
use crate::parts::Parts;
use crate::problem::{Kind, Problem};
use crate::words::{NumberState, SubEnterpriseState};

/// A number that an app may show.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Number {
    /// The number in international form.
    #[schema(example = "+8675500000001")]
    number: String,
    /// The app that may show it.
    app: i64,
    /// Whether it may be shown now.
    state: NumberState,
    /// The sub-enterprise that it was issued for; null for the enterprise itself.
    #[schema(required)]
    sub_enterprise: Option<String>,
    /// Whether that sub-enterprise may place calls.
    sub_enterprise_state: SubEnterpriseState,
}

impl From<NumberLine> for Number {
    fn from(line: NumberLine) -> Self {
        Self {
            number: line.number.number.as_str().to_owned(),
            app: line.app.0,
            state: line.number.state.into(),
            sub_enterprise: line.sub_enterprise.map(Into::into),
            sub_enterprise_state: line.number.owner.into(),
        }
    }
}

/// A number to be given to an app.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewNumber {
    /// The number in international form; no other app may have it.
    #[schema(example = "+8675500000001", pattern = r"^\+[1-9][0-9]{2,29}$")]
    number: String,
}

/// What shall be otherwise in a number.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NumberPatch {
    /// Whether it may be shown.
    state: Option<NumberState>,
    /// The sub-enterprise that it was issued for; null for the enterprise itself.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>)]
    sub_enterprise: Option<Option<String>>,
}

/// Lists the numbers of an app, in their own order.
#[utoipa::path(
    get, path = "/apps/{app}/numbers", tag = "numbers", operation_id = "list_numbers",
    params(("app" = i64, Path, description = "The app's id."), PageQuery),
    responses((status = 200, description = "A page of numbers.", body = Page<Number>))
)]
pub(crate) async fn list(
    State(parts): State<Arc<Parts>>,
    Path(app): Path<AppId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Number>>, Problem> {
    let ask = query.read::<String>()?;
    let lines = parts.admin.numbers_page(app, ask.after.as_deref(), ask.reach()).await?;
    Ok(Json(ask.page(lines, |line| line.number.number.as_str().to_owned(), Number::from)))
}

/// Gives a number to an app.
#[utoipa::path(
    post, path = "/apps/{app}/numbers", tag = "numbers", operation_id = "add_number", request_body = NewNumber,
    params(("app" = i64, Path, description = "The app's id.")),
    responses((status = 201, description = "The app has the number.", body = Number))
)]
pub(crate) async fn add(
    State(parts): State<Arc<Parts>>,
    Path(app): Path<AppId>,
    Body(new): Body<NewNumber>,
) -> Result<Changed<Number>, Problem> {
    let number = parse("number", &new.number)?;
    parts.admin.add_number(app, &number, (parts.clock)()).await?;
    parts.announce().await;
    Ok(Changed::made(one(&parts, app, &number).await?))
}

/// One number of an app.
#[utoipa::path(
    get, path = "/apps/{app}/numbers/{number}", tag = "numbers", operation_id = "get_number",
    params(
        ("app" = i64, Path, description = "The app's id."),
        ("number" = String, Path, description = "The number in international form; its `+` may be left out."),
    ),
    responses((status = 200, description = "The number.", body = Number))
)]
pub(crate) async fn get(
    State(parts): State<Arc<Parts>>,
    Path((app, number)): Path<(AppId, String)>,
) -> Result<Json<Number>, Problem> {
    Ok(Json(one(&parts, app, &named(&number)?).await?))
}

/// Lets a number be shown, or not.
#[utoipa::path(
    patch, path = "/apps/{app}/numbers/{number}", tag = "numbers", operation_id = "change_number",
    request_body = NumberPatch,
    params(
        ("app" = i64, Path, description = "The app's id."),
        ("number" = String, Path, description = "The number in international form; its `+` may be left out."),
    ),
    responses((status = 200, description = "The number as it is now.", body = Number))
)]
pub(crate) async fn change(
    State(parts): State<Arc<Parts>>,
    Path((app, number)): Path<(AppId, String)>,
    Body(patch): Body<NumberPatch>,
) -> Result<Changed<Number>, Problem> {
    let number = named(&number)?;
    let before = one(&parts, app, &number).await?;
    if let Some(sub_enterprise) = &patch.sub_enterprise {
        parts.admin.assign_number(&number, sub_enterprise.as_deref()).await?;
    }
    if let Some(state) = patch.state {
        parts.admin.set_number_state(&number, state.into()).await?;
    }
    parts.announce().await;
    Ok(Changed::from(&before, one(&parts, app, &number).await?))
}

/// Takes a number away from its app.
#[utoipa::path(
    delete, path = "/apps/{app}/numbers/{number}", tag = "numbers", operation_id = "remove_number",
    params(
        ("app" = i64, Path, description = "The app's id."),
        ("number" = String, Path, description = "The number in international form; its `+` may be left out."),
    ),
    responses((status = 204, description = "The app has the number no more."))
)]
pub(crate) async fn remove(
    State(parts): State<Arc<Parts>>,
    Path((app, number)): Path<(AppId, String)>,
) -> Result<Changed<Number>, Problem> {
    let number = named(&number)?;
    let before = one(&parts, app, &number).await?;
    parts.admin.remove_number(&number).await?;
    parts.announce().await;
    Ok(Changed::gone(&before))
}

async fn one(parts: &Parts, app: AppId, number: &E164) -> Result<Number, Problem> {
    Ok(parts.admin.number_line(app, number).await?.into())
}

/// The number that a path names.
fn named(text: &str) -> Result<E164, Problem> {
    let digits = text.trim_start_matches('+');
    E164::parse(&format!("+{digits}")).map_err(|_| Problem::unknown("number", text))
}

/// A number in a body.
pub(crate) fn parse(field: &'static str, text: &str) -> Result<E164, Problem> {
    E164::parse(text).map_err(|rule| {
        Problem::new(
            Kind::UnusableValue,
            format!("{field} is no telephone number in international form"),
            format!("{field} 不是国际格式的电话号码"),
        )
        .fix(rule.to_string(), "号码写作 + 加 3 到 30 位数字，例如 +8675500000001")
    })
}

pub(super) fn routes() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(get, change, remove))
}
