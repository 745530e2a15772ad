//! The audit log.

use std::sync::Arc;

use axum::extract::{Json, State};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::Query;
use crate::ledger;
use crate::page::{Page, PageQuery};
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

impl From<ledger::Note> for AuditEntry {
    fn from(note: ledger::Note) -> Self {
        let ledger::Note { no, draft, outcome } = note;
        let status = outcome.as_ref().map(|outcome| outcome.status);
        let (before, after) =
            outcome.map_or((Value::Null, Value::Null), |outcome| (outcome.before, outcome.after));
        Self {
            no,
            at: draft.at.into(),
            actor: draft.actor.into(),
            method: draft.method.into(),
            path: draft.path.into(),
            status,
            before,
            after,
        }
    }
}

/// Lists what operators did, latest first.
#[utoipa::path(
    get, path = "/audit", tag = "audit", operation_id = "list_audit", params(PageQuery),
    responses((status = 200, description = "A page of the log.", body = Page<AuditEntry>))
)]
pub(crate) async fn list(
    State(parts): State<Arc<Parts>>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<AuditEntry>>, Problem> {
    let ask = query.read::<i64>()?;
    let notes = parts.ledger.notes(ask.after, ask.reach()).await?;
    Ok(Json(ask.page(notes, |note| note.no, AuditEntry::from)))
}

pub(super) fn routes() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(list))
}
