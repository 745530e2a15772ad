//! The audit log.

use std::sync::Arc;

use axum::extract::{Json, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::admin::{AuditLine, AuditPick};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::Query;
use crate::page::{Ask, Page};
use crate::parts::Parts;
use crate::problem::Problem;
use crate::time::Time;

/// Something that an operator did, or tried to do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditEntry {
    /// Its number; later ones are greater.
    #[schema(minimum = 1)]
    no: i64,
    /// When.
    at: Time,
    /// Who, and from where.
    #[schema(example = "operator from 127.0.0.1")]
    actor: String,
    /// The HTTP method.
    #[schema(example = "PATCH")]
    method: String,
    /// The path.
    #[schema(example = "/api/v1/apps/1")]
    path: String,
    /// The HTTP status of the answer. Null while the request is at work, and for ever if the platform died on the way.
    #[schema(required)]
    status: Option<u16>,
    /// What was there before, without secrets; null when there was nothing, or when nothing was changed.
    before: Value,
    /// What is there now, without secrets; null when there is nothing, or when nothing was changed.
    after: Value,
}

impl From<AuditLine> for AuditEntry {
    fn from(line: AuditLine) -> Self {
        let AuditLine { no, draft, outcome } = line;
        let status = outcome.as_ref().map(|outcome| outcome.status);
        // A text that was cut is JSON no more, and is shown as a text.
        let json = |text: Option<Box<str>>| match text {
            Some(text) => serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.into())),
            None => Value::Null,
        };
        let (before, after) = outcome.map_or((None, None), |outcome| (outcome.before, outcome.after));
        Self {
            no,
            at: draft.at.into(),
            actor: draft.who.into(),
            method: draft.action.into(),
            path: draft.what.into(),
            status,
            before: json(before),
            after: json(after),
        }
    }
}

/// Which lines of the log to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditQuery {
    /// Only lines of this actor.
    actor: Option<String>,
    /// Only lines of this moment and later ones.
    from: Option<Time>,
    /// Only lines before this moment.
    until: Option<Time>,
    /// Items on the page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Lists what operators did, latest first.
#[utoipa::path(
    get, path = "/audit", tag = "audit", operation_id = "list_audit", params(AuditQuery),
    responses((status = 200, description = "A page of the log.", body = Page<AuditEntry>))
)]
pub(crate) async fn list(
    State(parts): State<Arc<Parts>>,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Page<AuditEntry>>, Problem> {
    let ask = Ask::<i64>::new(query.limit, query.cursor.as_deref())?;
    let pick = AuditPick {
        who: query.actor.map(Into::into),
        from: query.from.map(|time| time.0),
        until: query.until.map(|time| time.0),
    };
    let lines = parts.admin.audit_page(&pick, ask.after, ask.reach()).await?;
    Ok(Json(ask.page(lines, |line| line.no, AuditEntry::from)))
}

pub(super) fn routes() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(list))
}
