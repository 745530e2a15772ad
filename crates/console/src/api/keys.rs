//! Keys: what requests and pushes are signed with. A secret is shown once, when it is made, and so is the token of a
//! temporary key.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Json, State};
use base::account;
use base::id::AppId;
use base::private::Private;
use base::time::Timestamp;
use serde::{Deserialize, Serialize};
use store::admin::KeyLine;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Maybe, Path, Query};
use crate::audit::Changed;
use crate::page::{Page, PageQuery};
use crate::parts::Parts;
use crate::problem::{Kind, Problem};
use crate::time::Time;
use crate::words::KeyState;

/// A key, without its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Key {
    /// What requests name it by.
    id: String,
    /// The app that it belongs to.
    app: i64,
    /// Whether requests may name it.
    state: KeyState,
    /// When it was made.
    created_at: Time,
    /// Until when requests may name it; null for ever.
    #[schema(required)]
    valid_until: Option<Time>,
    /// Whether requests must show its token too.
    temporary: bool,
}

/// A key with its new secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeyWithSecret {
    /// What requests name it by.
    id: String,
    /// What requests are signed with. It is not shown again.
    secret: String,
    /// What requests must show besides; null unless the key is temporary. It is not shown again.
    #[schema(required)]
    token: Option<String>,
    /// The app that it belongs to.
    app: i64,
    /// Whether requests may name it.
    state: KeyState,
    /// When it was made.
    created_at: Time,
    /// Until when requests may name it; null for ever.
    #[schema(required)]
    valid_until: Option<Time>,
    /// Whether requests must show its token too.
    temporary: bool,
}

impl From<KeyLine> for Key {
    fn from(line: KeyLine) -> Self {
        Self {
            id: line.id.into(),
            app: line.app.0,
            state: line.state.into(),
            created_at: line.created_at.into(),
            valid_until: line.valid_until.map(Into::into),
            temporary: line.is_temporary,
        }
    }
}

impl Key {
    fn with(self, made: &account::Key) -> KeyWithSecret {
        let Self { id, app, state, created_at, valid_until, temporary } = self;
        let secret = made.secret.expose().to_string();
        let token = made.token.as_ref().map(|token| token.expose().to_string());
        KeyWithSecret { id, secret, token, app, state, created_at, valid_until, temporary }
    }
}

/// A key to be made.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    /// A key that the customer uses already, such as one of the cloud that they come from; without it, a new one is made.
    existing: Option<ExistingKey>,
    /// Makes a key for somebody who is trusted for a while only. At most one of `existing` and `temporary` may be there.
    temporary: Option<TemporaryKey>,
}

/// A key that works for a while, and only together with its token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemporaryKey {
    /// Seconds for which it works.
    #[schema(minimum = 1, maximum = 129_600)]
    lives_secs: u64,
}

/// A key that is used already.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExistingKey {
    /// What requests name it by: 1 to 128 visible ASCII characters.
    #[schema(min_length = 1, max_length = 128)]
    id: String,
    /// What requests are signed with: 1 to 128 visible ASCII characters.
    #[schema(min_length = 1, max_length = 128)]
    secret: String,
}

/// How a key is rotated.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rotation {
    /// Seconds for which the old key still works, so that the customer can change over; without it, a day.
    #[schema(maximum = 2_592_000)]
    overlap_secs: Option<u64>,
}

/// Where a key stands in its list.
#[derive(Serialize, Deserialize)]
struct Place(Timestamp, Box<str>);

/// Lists the keys of an app by age, without their secrets.
#[utoipa::path(
    get, path = "/apps/{app}/keys", tag = "keys", operation_id = "list_keys",
    params(("app" = i64, Path, description = "The app's id."), PageQuery),
    responses((status = 200, description = "A page of keys.", body = Page<Key>))
)]
pub(crate) async fn list(
    State(parts): State<Arc<Parts>>,
    Path(app): Path<AppId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Key>>, Problem> {
    let ask = query.read::<Place>()?;
    let after = ask.after.as_ref().map(|Place(at, id)| (*at, &**id));
    let lines = parts.admin.keys_page(app, after, ask.reach()).await?;
    Ok(Json(ask.page(lines, |line| Place(line.created_at, line.id.clone()), Key::from)))
}

/// Makes a key for an app. Its secret, and the token of a temporary one, are in this answer and nowhere else.
#[utoipa::path(
    post, path = "/apps/{app}/keys", tag = "keys", operation_id = "create_key", request_body = Option<NewKey>,
    params(("app" = i64, Path, description = "The app's id.")),
    responses((status = 201, description = "The key with its secret.", body = KeyWithSecret))
)]
pub(crate) async fn create(
    State(parts): State<Arc<Parts>>,
    Path(app): Path<AppId>,
    Maybe(new): Maybe<NewKey>,
) -> Result<Changed<KeyWithSecret>, Problem> {
    let now = (parts.clock)();
    let made = match (new.existing, new.temporary) {
        (Some(ExistingKey { id, secret }), None) => {
            parts.admin.import_key(app, &id, &Private::new(secret.into()), now).await?
        }
        (None, Some(TemporaryKey { lives_secs })) => {
            parts.admin.create_temporary_key(app, Duration::from_secs(lives_secs), now).await?
        }
        (None, None) => parts.admin.create_key(app, now).await?,
        (Some(_), Some(_)) => {
            return Err(Problem::new(
                Kind::InvalidBody,
                "at most one of existing and temporary may be there",
                "existing 和 temporary 最多只能有一个",
            ));
        }
    };
    parts.announce().await;
    let key = one(&parts, &made.id).await?;
    Ok(Changed::made(key.clone().with(&made)).known_as(&key))
}

/// One key, without its secret.
#[utoipa::path(
    get, path = "/keys/{key}", tag = "keys", operation_id = "get_key",
    params(("key" = String, Path, description = "The key's id.")),
    responses((status = 200, description = "The key.", body = Key))
)]
pub(crate) async fn get(
    State(parts): State<Arc<Parts>>,
    Path(key): Path<String>,
) -> Result<Json<Key>, Problem> {
    Ok(Json(one(&parts, &key).await?))
}

/// Makes a new key in place of one, which still works for a while. The new secret is in this answer and nowhere else.
#[utoipa::path(
    post, path = "/keys/{key}/rotate", tag = "keys", operation_id = "rotate_key", request_body = Option<Rotation>,
    params(("key" = String, Path, description = "The key's id.")),
    responses((status = 201, description = "The new key with its secret.", body = KeyWithSecret))
)]
pub(crate) async fn rotate(
    State(parts): State<Arc<Parts>>,
    Path(key): Path<String>,
    Maybe(rotation): Maybe<Rotation>,
) -> Result<Changed<KeyWithSecret>, Problem> {
    let overlap = rotation.overlap_secs.unwrap_or(OVERLAP_SECS);
    if overlap > OVERLAP_SECS_MAX {
        return Err(Problem::new(
            Kind::UnusableValue,
            format!("overlap_secs is {overlap} and may be up to {OVERLAP_SECS_MAX}"),
            format!("overlap_secs 为 {overlap}，最多 {OVERLAP_SECS_MAX}"),
        ));
    }
    let before = one(&parts, &key).await?;
    let now = (parts.clock)();
    let made = parts.admin.replace_key(&key, now + Duration::from_secs(overlap), now).await?;
    parts.announce().await;
    let new = one(&parts, &made.id).await?;
    let told = [one(&parts, &key).await?, new.clone()];
    Ok(Changed::made(new.with(&made)).instead_of(&before).known_as(&told))
}

/// Makes a key unknown to requests from now on. Calls that were placed with it still get their pushes.
#[utoipa::path(
    post, path = "/keys/{key}/revoke", tag = "keys", operation_id = "revoke_key",
    params(("key" = String, Path, description = "The key's id.")),
    responses((status = 200, description = "The key as it is now.", body = Key))
)]
pub(crate) async fn revoke(
    State(parts): State<Arc<Parts>>,
    Path(key): Path<String>,
) -> Result<Changed<Key>, Problem> {
    let before = one(&parts, &key).await?;
    parts.admin.revoke_key(&key).await?;
    parts.announce().await;
    Ok(Changed::from(&before, one(&parts, &key).await?))
}

async fn one(parts: &Parts, key: &str) -> Result<Key, Problem> {
    Ok(parts.admin.key(key).await?.into())
}

/// Seconds for which a key that was replaced still works when nobody says: a customer deploys once a day.
const OVERLAP_SECS: u64 = 24 * 3_600;

/// The longest overlap: 30 days.
const OVERLAP_SECS_MAX: u64 = 30 * 24 * 3_600;

pub(super) fn routes() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get))
        .routes(routes!(rotate))
        .routes(routes!(revoke))
}
