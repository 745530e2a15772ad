//! Enterprises, and the sub-enterprises that their numbers are issued for.

use std::sync::Arc;

use axum::extract::{Json, State};
use base::private::Private;
use serde::{Deserialize, Serialize};
use store::admin::{EnterpriseLine, SubEnterpriseLine};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Body, Path, Query, patched};
use crate::audit::Changed;
use crate::page::{Page, PageQuery};
use crate::parts::Parts;
use crate::problem::Problem;
use crate::time::Time;
use crate::words::{EnterpriseState, SubEnterpriseState};

/// An enterprise: a customer, whose apps share templates and state.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Enterprise {
    /// Its account name, unique on the platform.
    account: String,
    /// Whether it may place calls.
    state: EnterpriseState,
    /// Whether it has a password for the oldest clients.
    has_password: bool,
    /// When it was made.
    created_at: Time,
}

impl From<EnterpriseLine> for Enterprise {
    fn from(line: EnterpriseLine) -> Self {
        Self {
            account: line.name.into(),
            state: line.state.into(),
            has_password: line.has_password,
            created_at: line.created_at.into(),
        }
    }
}

/// An enterprise to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEnterprise {
    /// Its account name: 1 to 32 visible characters.
    #[schema(min_length = 1, max_length = 32)]
    account: String,
}

/// What shall be otherwise in an enterprise. A field that is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnterprisePatch {
    /// Whether it may place calls.
    state: Option<EnterpriseState>,
    /// The password with which its oldest clients log in; null takes it away.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>)]
    password: Option<Option<String>>,
}

/// A part of an enterprise that numbers are issued for.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SubEnterprise {
    /// Its name, unique in its enterprise.
    name: String,
    /// Whether its numbers may place calls.
    state: SubEnterpriseState,
    /// When it was made.
    created_at: Time,
}

impl From<SubEnterpriseLine> for SubEnterprise {
    fn from(line: SubEnterpriseLine) -> Self {
        Self { name: line.name.into(), state: line.state.into(), created_at: line.created_at.into() }
    }
}

/// A sub-enterprise to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSubEnterprise {
    /// Its name: 1 to 32 visible characters.
    #[schema(min_length = 1, max_length = 32)]
    name: String,
}

/// What shall be otherwise in a sub-enterprise.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubEnterprisePatch {
    /// Whether its numbers may place calls.
    state: Option<SubEnterpriseState>,
}

/// Lists enterprises by name.
#[utoipa::path(
    get, path = "/enterprises", tag = "enterprises", operation_id = "list_enterprises", params(PageQuery),
    responses((status = 200, description = "A page of enterprises.", body = Page<Enterprise>))
)]
pub(crate) async fn list(
    State(parts): State<Arc<Parts>>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Enterprise>>, Problem> {
    let ask = query.read::<Box<str>>()?;
    let lines = parts.admin.enterprises_page(ask.after.as_deref(), ask.reach()).await?;
    Ok(Json(ask.page(lines, |line| line.name.clone(), Enterprise::from)))
}

/// Makes an enterprise.
#[utoipa::path(
    post, path = "/enterprises", tag = "enterprises", operation_id = "create_enterprise", request_body = NewEnterprise,
    responses((status = 201, description = "The enterprise was made.", body = Enterprise))
)]
pub(crate) async fn create(
    State(parts): State<Arc<Parts>>,
    Body(new): Body<NewEnterprise>,
) -> Result<Changed<Enterprise>, Problem> {
    parts.admin.create_enterprise(&new.account, (parts.clock)()).await?;
    Ok(Changed::made(one(&parts, &new.account).await?))
}

/// One enterprise.
#[utoipa::path(
    get, path = "/enterprises/{account}", tag = "enterprises", operation_id = "get_enterprise",
    params(("account" = String, Path, description = "The enterprise's account name.")),
    responses((status = 200, description = "The enterprise.", body = Enterprise))
)]
pub(crate) async fn get(
    State(parts): State<Arc<Parts>>,
    Path(account): Path<String>,
) -> Result<Json<Enterprise>, Problem> {
    Ok(Json(one(&parts, &account).await?))
}

/// Changes an enterprise. What the patch leaves out stays as it is.
#[utoipa::path(
    patch, path = "/enterprises/{account}", tag = "enterprises", operation_id = "change_enterprise",
    request_body = EnterprisePatch,
    params(("account" = String, Path, description = "The enterprise's account name.")),
    responses((status = 200, description = "The enterprise as it is now.", body = Enterprise))
)]
pub(crate) async fn change(
    State(parts): State<Arc<Parts>>,
    Path(account): Path<String>,
    Body(patch): Body<EnterprisePatch>,
) -> Result<Changed<Enterprise>, Problem> {
    let before = one(&parts, &account).await?;
    // The password can be refused, so it comes first: half a patch is none.
    if let Some(password) = patch.password {
        let password = password.map(|password| Private::new(password.into()));
        parts.admin.set_enterprise_password(&account, password.as_ref()).await?;
    }
    if let Some(state) = patch.state {
        parts.admin.set_enterprise_state(&account, state.into()).await?;
    }
    parts.announce().await;
    Ok(Changed::from(&before, one(&parts, &account).await?))
}

/// Lists the sub-enterprises of an enterprise by name.
#[utoipa::path(
    get, path = "/enterprises/{account}/sub_enterprises", tag = "enterprises", operation_id = "list_sub_enterprises",
    params(("account" = String, Path, description = "The enterprise's account name."), PageQuery),
    responses((status = 200, description = "A page of sub-enterprises.", body = Page<SubEnterprise>))
)]
pub(crate) async fn list_subs(
    State(parts): State<Arc<Parts>>,
    Path(account): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<SubEnterprise>>, Problem> {
    let ask = query.read::<Box<str>>()?;
    let lines = parts.admin.sub_enterprises_page(&account, ask.after.as_deref(), ask.reach()).await?;
    Ok(Json(ask.page(lines, |line| line.name.clone(), SubEnterprise::from)))
}

/// Makes a sub-enterprise.
#[utoipa::path(
    post, path = "/enterprises/{account}/sub_enterprises", tag = "enterprises", operation_id = "create_sub_enterprise",
    request_body = NewSubEnterprise,
    params(("account" = String, Path, description = "The enterprise's account name.")),
    responses((status = 201, description = "The sub-enterprise was made.", body = SubEnterprise))
)]
pub(crate) async fn create_sub(
    State(parts): State<Arc<Parts>>,
    Path(account): Path<String>,
    Body(new): Body<NewSubEnterprise>,
) -> Result<Changed<SubEnterprise>, Problem> {
    parts.admin.create_sub_enterprise(&account, &new.name, (parts.clock)()).await?;
    parts.announce().await;
    Ok(Changed::made(one_sub(&parts, &account, &new.name).await?))
}

/// One sub-enterprise.
#[utoipa::path(
    get, path = "/enterprises/{account}/sub_enterprises/{name}", tag = "enterprises",
    operation_id = "get_sub_enterprise",
    params(
        ("account" = String, Path, description = "The enterprise's account name."),
        ("name" = String, Path, description = "The sub-enterprise's name."),
    ),
    responses((status = 200, description = "The sub-enterprise.", body = SubEnterprise))
)]
pub(crate) async fn get_sub(
    State(parts): State<Arc<Parts>>,
    Path((account, name)): Path<(String, String)>,
) -> Result<Json<SubEnterprise>, Problem> {
    Ok(Json(one_sub(&parts, &account, &name).await?))
}

/// Lets the numbers of a sub-enterprise place calls, or not.
#[utoipa::path(
    patch, path = "/enterprises/{account}/sub_enterprises/{name}", tag = "enterprises",
    operation_id = "change_sub_enterprise", request_body = SubEnterprisePatch,
    params(
        ("account" = String, Path, description = "The enterprise's account name."),
        ("name" = String, Path, description = "The sub-enterprise's name."),
    ),
    responses((status = 200, description = "The sub-enterprise as it is now.", body = SubEnterprise))
)]
pub(crate) async fn change_sub(
    State(parts): State<Arc<Parts>>,
    Path((account, name)): Path<(String, String)>,
    Body(patch): Body<SubEnterprisePatch>,
) -> Result<Changed<SubEnterprise>, Problem> {
    let before = one_sub(&parts, &account, &name).await?;
    if let Some(state) = patch.state {
        parts.admin.set_sub_enterprise_state(&account, &name, state.into()).await?;
        parts.announce().await;
    }
    Ok(Changed::from(&before, one_sub(&parts, &account, &name).await?))
}

async fn one(parts: &Parts, account: &str) -> Result<Enterprise, Problem> {
    Ok(parts.admin.enterprise(account).await?.into())
}

async fn one_sub(parts: &Parts, account: &str, name: &str) -> Result<SubEnterprise, Problem> {
    Ok(parts.admin.sub_enterprise(account, name).await?.into())
}

pub(super) fn routes() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, change))
        .routes(routes!(list_subs, create_sub))
        .routes(routes!(get_sub, change_sub))
}
