//! Apps: what keys, numbers and calls belong to.

use std::sync::Arc;

use axum::extract::{Json, State};
use base::id::AppId;
use base::url::PushUrl;
use serde::{Deserialize, Serialize};
use store::AppDraft;
use store::admin::{AppLine, AppPick};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Body, Path, Query, patched};
use crate::audit::Changed;
use crate::page::{Ask, Page};
use crate::parts::Parts;
use crate::problem::{Kind, Problem};
use crate::words::{AppState, Product, PushSignature};

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
    /// The kinds of calls it was opened for.
    products: Vec<Product>,
    /// Calls that it may have at once.
    ports: u32,
    /// Whether it may record.
    recording: bool,
    /// Where status events go when an order does not say.
    #[schema(required)]
    status_url: Option<String>,
    /// Where fee records go when an order does not say.
    #[schema(required)]
    fee_url: Option<String>,
    /// How its pushes are signed.
    push_signature: PushSignature,
}

impl From<AppLine> for App {
    fn from(line: AppLine) -> Self {
        let AppLine { account, app } = line;
        let text = |url: Option<PushUrl>| url.map(|url| url.as_str().to_owned());
        Self {
            id: app.id.0,
            name: app.name.into(),
            account: account.into(),
            state: app.state.into(),
            products: app.products.into_iter().map(Into::into).collect(),
            ports: app.ports,
            recording: app.recording,
            status_url: text(app.status_url),
            fee_url: text(app.fee_url),
            push_signature: app.push_signature.into(),
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
    /// The kinds of calls it is opened for; without it, callbacks and codes.
    products: Option<Vec<Product>>,
    /// Calls that it may have at once; without it, 10.
    ports: Option<u32>,
    /// Where status events go when an order does not say: an http or https URL of at most 512 bytes.
    #[schema(max_length = 512)]
    status_url: Option<String>,
    /// Where fee records go when an order does not say: an http or https URL of at most 512 bytes.
    #[schema(max_length = 512)]
    fee_url: Option<String>,
    /// How its pushes are signed; without it, `joined`.
    push_signature: Option<PushSignature>,
}

/// What shall be otherwise in an app. A field that is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppPatch {
    /// Whether it may place calls.
    state: Option<AppState>,
    /// The kinds of calls it is opened for.
    products: Option<Vec<Product>>,
    /// Calls that it may have at once.
    ports: Option<u32>,
    /// Where status events go when an order does not say; null for nowhere.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>, max_length = 512)]
    status_url: Option<Option<String>>,
    /// Where fee records go when an order does not say; null for nowhere.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>, max_length = 512)]
    fee_url: Option<Option<String>>,
    /// How its pushes are signed.
    push_signature: Option<PushSignature>,
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
    let before = parts.admin.app(app).await?;
    let status_url = patch.status_url.map(|url| receiver("status_url", url)).transpose()?;
    let fee_url = patch.fee_url.map(|url| receiver("fee_url", url)).transpose()?;
    if let Some(state) = patch.state {
        parts.admin.set_app_state(app, state.into()).await?;
    }
    if let Some(ports) = patch.ports {
        parts.admin.set_app_ports(app, ports).await?;
    }
    if let Some(products) = patch.products {
        let products: Vec<_> = products.into_iter().map(Into::into).collect();
        parts.admin.set_app_products(app, &products).await?;
    }
    let now = &before.app;
    let status_url = status_url.unwrap_or_else(|| now.status_url.clone());
    let fee_url = fee_url.unwrap_or_else(|| now.fee_url.clone());
    let signature = patch.push_signature.map_or(now.push_signature, Into::into);
    parts.admin.set_app_receivers(app, status_url.as_ref(), fee_url.as_ref(), signature).await?;
    parts.announce().await;
    Ok(Changed::from(&App::from(before), one(&parts, app).await?))
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

pub(super) fn routes() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, change))
}
