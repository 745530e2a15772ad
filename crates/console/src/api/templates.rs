//! Templates: the texts that an enterprise's notices and menus speak.

use std::sync::Arc;

use axum::extract::{Json, State};
use serde::{Deserialize, Serialize};
use store::admin::{TemplateDraft, TemplateLine};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Body, Path, Query};
use crate::audit::Changed;
use crate::page::{Page, PageQuery};
use crate::parts::Parts;
use crate::problem::Problem;
use crate::time::Time;
use crate::words::{Review, TemplateKind};

/// A template of an enterprise.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Template {
    /// What orders name it by: a number where its places have names.
    id: String,
    /// The enterprise's account name.
    account: String,
    /// Its name, for people.
    name: String,
    /// How it is written.
    kind: TemplateKind,
    /// The text with its places, or the JSON of a menu, as it was written.
    #[schema(example = "您的验证码是${NUM_6}。")]
    text: String,
    /// How fast it is spoken, in percent of the voice's own pace.
    #[schema(minimum = 50, maximum = 200)]
    speed: u8,
    /// Whether it may be spoken.
    review: Review,
    /// What the reviewer has to say; null when nothing.
    #[schema(required)]
    note: Option<String>,
    /// When it was made.
    created_at: Time,
    /// When its text or its review changed last.
    changed_at: Time,
}

impl From<TemplateLine> for Template {
    fn from(line: TemplateLine) -> Self {
        Self {
            id: line.id.into(),
            account: line.account.into(),
            name: line.draft.name.into(),
            kind: line.draft.kind.into(),
            text: line.draft.text.into(),
            speed: line.draft.speed,
            review: line.review.into(),
            note: line.note.map(Into::into),
            created_at: line.created_at.into(),
            changed_at: line.changed_at.into(),
        }
    }
}

/// What an enterprise says of a template.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTemplate {
    /// Its name, for people: 1 to 32 visible characters.
    #[schema(min_length = 1, max_length = 32)]
    name: String,
    /// How it is written: `placed` when a new one does not say. A template stays of its kind.
    kind: Option<TemplateKind>,
    /// What is said. Of a `placed` template a text of 1 to 900 bytes of UTF-8 with places `${TXT_n}`, `${NUM_n}`, `${DATE}`
    /// and `${TIME}`, n from 1 to 32; of a `named` one 1 to 500 characters with places such as `{order_no}`; of a `menu`
    /// JSON such as `{"nodes":{"root":{"prompt":"您好{name}，结束请按0","keys":{"0":"end"}}},"bye":"再见"}`.
    #[schema(min_length = 1, max_length = 65_536, example = "您的验证码是${NUM_6}。")]
    text: String,
    /// How fast it is spoken, in percent of the voice's own pace; without it, 100.
    #[schema(minimum = 50, maximum = 200)]
    speed: Option<u8>,
}

impl NewTemplate {
    /// What shall be said of a template that is of that kind unless this says otherwise.
    fn over(self, kind: TemplateKind) -> TemplateDraft {
        TemplateDraft {
            name: self.name.into(),
            kind: self.kind.unwrap_or(kind).into(),
            text: self.text.into(),
            speed: self.speed.unwrap_or(OWN_PACE),
        }
    }
}

/// What a reviewer says of a template.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateJudgement {
    /// The verdict; `pending` takes an earlier one back.
    review: Review,
    /// Why; at most 500 bytes.
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// Lists the templates of an enterprise by id.
#[utoipa::path(
    get, path = "/enterprises/{account}/templates", tag = "templates", operation_id = "list_templates",
    params(("account" = String, Path, description = "The enterprise's account name."), PageQuery),
    responses((status = 200, description = "A page of templates.", body = Page<Template>))
)]
pub(crate) async fn list(
    State(parts): State<Arc<Parts>>,
    Path(account): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Template>>, Problem> {
    let ask = query.read::<Box<str>>()?;
    let lines = parts.admin.templates_page(&account, ask.after.as_deref(), ask.reach()).await?;
    Ok(Json(ask.page(lines, |line| line.id.clone(), Template::from)))
}

/// Makes a template, which waits for its review.
#[utoipa::path(
    post, path = "/enterprises/{account}/templates", tag = "templates", operation_id = "create_template",
    request_body = NewTemplate,
    params(("account" = String, Path, description = "The enterprise's account name.")),
    responses((status = 201, description = "The template waits for its review.", body = Template))
)]
pub(crate) async fn create(
    State(parts): State<Arc<Parts>>,
    Path(account): Path<String>,
    Body(new): Body<NewTemplate>,
) -> Result<Changed<Template>, Problem> {
    let id = parts.admin.create_template(&account, &new.over(TemplateKind::Placed), (parts.clock)()).await?;
    parts.announce().await;
    Ok(Changed::made(one(&parts, &id).await?))
}

/// One template.
#[utoipa::path(
    get, path = "/templates/{template}", tag = "templates", operation_id = "get_template",
    params(("template" = String, Path, description = "The template's id.")),
    responses((status = 200, description = "The template.", body = Template))
)]
pub(crate) async fn get(
    State(parts): State<Arc<Parts>>,
    Path(template): Path<String>,
) -> Result<Json<Template>, Problem> {
    Ok(Json(one(&parts, &template).await?))
}

/// Gives a template another text, name or pace. It must be reviewed again.
#[utoipa::path(
    put, path = "/templates/{template}", tag = "templates", operation_id = "change_template",
    request_body = NewTemplate,
    params(("template" = String, Path, description = "The template's id.")),
    responses((status = 200, description = "The template waits for its review.", body = Template))
)]
pub(crate) async fn change(
    State(parts): State<Arc<Parts>>,
    Path(template): Path<String>,
    Body(new): Body<NewTemplate>,
) -> Result<Changed<Template>, Problem> {
    let before = one(&parts, &template).await?;
    parts.admin.change_template(&template, &new.over(before.kind), (parts.clock)()).await?;
    parts.announce().await;
    Ok(Changed::from(&before, one(&parts, &template).await?))
}

/// Removes a template. Calls that were accepted with it still speak it.
#[utoipa::path(
    delete, path = "/templates/{template}", tag = "templates", operation_id = "remove_template",
    params(("template" = String, Path, description = "The template's id.")),
    responses((status = 204, description = "The template is gone."))
)]
pub(crate) async fn remove(
    State(parts): State<Arc<Parts>>,
    Path(template): Path<String>,
) -> Result<Changed<Template>, Problem> {
    let before = one(&parts, &template).await?;
    parts.admin.remove_template(&template).await?;
    parts.announce().await;
    Ok(Changed::gone(&before))
}

/// Says whether a template may be spoken, and why not.
#[utoipa::path(
    post, path = "/templates/{template}/review", tag = "templates", operation_id = "review_template",
    request_body = TemplateJudgement,
    params(("template" = String, Path, description = "The template's id.")),
    responses((status = 200, description = "The template as it is now.", body = Template))
)]
pub(crate) async fn review(
    State(parts): State<Arc<Parts>>,
    Path(template): Path<String>,
    Body(judgement): Body<TemplateJudgement>,
) -> Result<Changed<Template>, Problem> {
    let before = one(&parts, &template).await?;
    let (verdict, note, now) = (judgement.review.into(), judgement.note.as_deref(), (parts.clock)());
    parts.admin.review_template(&template, verdict, note, now).await?;
    parts.announce().await;
    Ok(Changed::from(&before, one(&parts, &template).await?))
}

async fn one(parts: &Parts, template: &str) -> Result<Template, Problem> {
    Ok(parts.admin.template(template).await?.into())
}

/// The pace of a voice as it is, in percent.
const OWN_PACE: u8 = 100;

pub(super) fn routes() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, change, remove))
        .routes(routes!(review))
}
