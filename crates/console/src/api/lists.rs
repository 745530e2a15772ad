//! Lists: numbers that may or may not be called, blocks of addresses whose requests are refused, and words that nobody
//! may speak.
//!
//! The platform has every list, an app those of numbers. Both are asked; either can refuse.

use std::sync::Arc;

use axum::extract::{Json, State};
use base::id::AppId;
use serde::{Deserialize, Serialize};
use store::admin::{ListPick, ListedLine};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Body, Path, Query};
use crate::audit::Changed;
use crate::page::{Page, PageQuery};
use crate::parts::Parts;
use crate::problem::Problem;
use crate::time::Time;
use crate::words::ListKind;

/// A value on a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Listed {
    /// A number, a block of addresses or a word.
    value: String,
    /// Why it is there; null when nobody said.
    #[schema(required)]
    note: Option<String>,
    /// Since when.
    added_at: Time,
}

impl From<ListedLine> for Listed {
    fn from(line: ListedLine) -> Self {
        Self { value: line.value.into(), note: line.note.map(Into::into), added_at: line.added_at.into() }
    }
}

/// Values to be added to a list.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ValuesToAdd {
    /// Numbers in international form, blocks of addresses such as `203.0.113.0/24`, or words of 1 to 64 characters with a
    /// letter or digit among them. Of words, a list has at most 10,000.
    #[schema(max_items = 10_000)]
    values: Vec<Box<str>>,
    /// Why they are there; at most 500 bytes.
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// Values to be taken off a list.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ValuesToRemove {
    /// The values.
    #[schema(max_items = 10_000)]
    values: Vec<Box<str>>,
}

/// What came of a change of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListChange {
    /// How many values were added or removed; the others were on the list, or were not.
    changed: u64,
}

/// What the audit log knows of a change of a list: at most so many values, which are what somebody typed.
#[derive(Serialize)]
struct Told<'a> {
    values: &'a [Box<str>],
    changed: u64,
}

/// Lists the values of one of the platform's lists, as texts in order.
#[utoipa::path(
    get, path = "/lists/{kind}", tag = "lists", operation_id = "list_listed",
    params(("kind" = ListKind, Path, description = "Which list."), PageQuery),
    responses((status = 200, description = "A page of the list.", body = Page<Listed>))
)]
pub(crate) async fn list(
    State(parts): State<Arc<Parts>>,
    Path(kind): Path<ListKind>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Listed>>, Problem> {
    page(&parts, of(None, kind), &query).await
}

/// Adds values to one of the platform's lists, all of them or none.
#[utoipa::path(
    post, path = "/lists/{kind}", tag = "lists", operation_id = "add_listed", request_body = ValuesToAdd,
    params(("kind" = ListKind, Path, description = "Which list.")),
    responses((status = 200, description = "They are on the list.", body = ListChange))
)]
pub(crate) async fn add(
    State(parts): State<Arc<Parts>>,
    Path(kind): Path<ListKind>,
    Body(new): Body<ValuesToAdd>,
) -> Result<Changed<ListChange>, Problem> {
    put(&parts, of(None, kind), &new).await
}

/// Takes values off one of the platform's lists.
#[utoipa::path(
    post, path = "/lists/{kind}/remove", tag = "lists", operation_id = "remove_listed", request_body = ValuesToRemove,
    params(("kind" = ListKind, Path, description = "Which list.")),
    responses((status = 200, description = "They are not on the list.", body = ListChange))
)]
pub(crate) async fn remove(
    State(parts): State<Arc<Parts>>,
    Path(kind): Path<ListKind>,
    Body(old): Body<ValuesToRemove>,
) -> Result<Changed<ListChange>, Problem> {
    take(&parts, of(None, kind), &old).await
}

/// Lists the values of one of an app's own lists.
#[utoipa::path(
    get, path = "/apps/{app}/lists/{kind}", tag = "lists", operation_id = "list_listed_of_app",
    params(
        ("app" = i64, Path, description = "The app's id."),
        ("kind" = ListKind, Path, description = "Which list."),
        PageQuery,
    ),
    responses((status = 200, description = "A page of the list.", body = Page<Listed>))
)]
pub(crate) async fn list_of_app(
    State(parts): State<Arc<Parts>>,
    Path((app, kind)): Path<(AppId, ListKind)>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Listed>>, Problem> {
    page(&parts, of(Some(app), kind), &query).await
}

/// Adds values to one of an app's own lists, all of them or none.
#[utoipa::path(
    post, path = "/apps/{app}/lists/{kind}", tag = "lists", operation_id = "add_listed_of_app",
    request_body = ValuesToAdd,
    params(
        ("app" = i64, Path, description = "The app's id."),
        ("kind" = ListKind, Path, description = "Which list."),
    ),
    responses((status = 200, description = "They are on the list.", body = ListChange))
)]
pub(crate) async fn add_of_app(
    State(parts): State<Arc<Parts>>,
    Path((app, kind)): Path<(AppId, ListKind)>,
    Body(new): Body<ValuesToAdd>,
) -> Result<Changed<ListChange>, Problem> {
    put(&parts, of(Some(app), kind), &new).await
}

/// Takes values off one of an app's own lists.
#[utoipa::path(
    post, path = "/apps/{app}/lists/{kind}/remove", tag = "lists", operation_id = "remove_listed_of_app",
    request_body = ValuesToRemove,
    params(
        ("app" = i64, Path, description = "The app's id."),
        ("kind" = ListKind, Path, description = "Which list."),
    ),
    responses((status = 200, description = "They are not on the list.", body = ListChange))
)]
pub(crate) async fn remove_of_app(
    State(parts): State<Arc<Parts>>,
    Path((app, kind)): Path<(AppId, ListKind)>,
    Body(old): Body<ValuesToRemove>,
) -> Result<Changed<ListChange>, Problem> {
    take(&parts, of(Some(app), kind), &old).await
}

fn of(app: Option<AppId>, kind: ListKind) -> ListPick {
    ListPick { app, kind: kind.into() }
}

async fn page(parts: &Parts, pick: ListPick, query: &PageQuery) -> Result<Json<Page<Listed>>, Problem> {
    let ask = query.read::<Box<str>>()?;
    let lines = parts.admin.listed_page(pick, ask.after.as_deref(), ask.reach()).await?;
    Ok(Json(ask.page(lines, |line| line.value.clone(), Listed::from)))
}

async fn put(parts: &Parts, pick: ListPick, new: &ValuesToAdd) -> Result<Changed<ListChange>, Problem> {
    let now = (parts.clock)();
    let changed = parts.admin.add_listed(pick, &new.values, new.note.as_deref(), now).await?;
    parts.announce().await;
    Ok(Changed::done(ListChange { changed }).known_as(&told(&new.values, changed)))
}

async fn take(parts: &Parts, pick: ListPick, old: &ValuesToRemove) -> Result<Changed<ListChange>, Problem> {
    let changed = parts.admin.remove_listed(pick, &old.values).await?;
    parts.announce().await;
    Ok(Changed::done(ListChange { changed }).known_as(&told(&old.values, changed)))
}

fn told(values: &[Box<str>], changed: u64) -> Told<'_> {
    Told { values: &values[..values.len().min(VALUES_TOLD)], changed }
}

/// Values of one change that the audit log keeps.
const VALUES_TOLD: usize = 100;

pub(super) fn routes() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(remove))
        .routes(routes!(list_of_app, add_of_app))
        .routes(routes!(remove_of_app))
}
