//! Requests that are done once, however often they are sent: by the key that the client gave them.

use std::time::Duration;

use base::private::Private;
use base::time::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::{Admin, AdminFault, changing, reading};
use crate::entities::idempotency;
use crate::fault::StoreFault;

/// Whether a request with an idempotency key is the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is: do it, then keep its answer or release the key.
    First,
    /// It was answered before.
    Again(KeptAnswer),
    /// The first is not answered yet.
    Busy,
    /// The key belongs to another request.
    Foreign,
}

/// An answer that is given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The header of that name, if there was one.
    pub content_type: Option<Box<str>>,
    /// The body. It is sealed at rest, because it may hold a secret that is shown this once.
    pub body: Private<Box<str>>,
}

impl Admin {
    /// Takes a turn with an idempotency key. The first must [`Self::keep_answer`] or [`Self::release_turn`].
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn take_turn(&self, key: &str, digest: [u8; 32], now: Timestamp) -> Result<Turn, AdminFault> {
        let (_baton, transaction) = self.begin().await?;
        let known = idempotency::Entity::find_by_id(key).one(&transaction).await.map_err(reading())?;
        let known = known.filter(|known| !is_over(known, now));
        let turn = match known {
            None => Turn::First,
            Some(known) if known.digest != digest => Turn::Foreign,
            Some(idempotency::Model { status: Some(status), content_type, answer, .. }) => {
                let body = answer.and_then(|sealed| self.store.vault().open(&owner(key), &sealed));
                let damaged = || StoreFault::damaged(format!("the answer kept for {key}"));
                Turn::Again(KeptAnswer {
                    status: u16::try_from(status).unwrap_or(0),
                    content_type: content_type.map(Into::into),
                    body: body.ok_or_else(damaged)?,
                })
            }
            Some(_) => Turn::Busy,
        };
        if turn == Turn::First {
            idempotency::Entity::delete_by_id(key).exec(&transaction).await.map_err(changing())?;
            let row = idempotency::ActiveModel {
                key: Set(key.to_owned()),
                digest: Set(digest.to_vec()),
                status: Set(None),
                content_type: Set(None),
                answer: Set(None),
                at: Set(now.micros()),
            };
            row.insert(&transaction).await.map_err(changing())?;
        }
        transaction.commit().await.map_err(changing())?;
        Ok(turn)
    }

    /// Keeps the answer to the first request with a key, for a day.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn keep_answer(&self, key: &str, answer: &KeptAnswer) -> Result<(), AdminFault> {
        let status = i16::try_from(answer.status).unwrap_or(i16::MAX);
        let sealed = self.store.vault().seal(&owner(key), answer.body.expose())?;
        let (_baton, connection) = self.store.write().await;
        idempotency::Entity::update_many()
            .col_expr(idempotency::Column::Status, Expr::value(status))
            .col_expr(idempotency::Column::ContentType, Expr::value(answer.content_type.as_deref()))
            .col_expr(idempotency::Column::Answer, Expr::value(sealed))
            .filter(idempotency::Column::Key.eq(key))
            .exec(connection)
            .await
            .map_err(changing())?;
        Ok(())
    }

    /// Forgets a key whose request came to nothing: it may be sent again.
    ///
    /// # Errors
    /// [`AdminFault::Store`].
    pub async fn release_turn(&self, key: &str) -> Result<(), AdminFault> {
        let (_baton, connection) = self.store.write().await;
        idempotency::Entity::delete_by_id(key).exec(connection).await.map_err(changing())?;
        Ok(())
    }
}

/// What an answer is sealed for.
fn owner(key: &str) -> String {
    format!("answer {key}")
}

fn is_over(known: &idempotency::Model, now: Timestamp) -> bool {
    let kept = if known.status.is_some() { KEPT } else { AT_WORK };
    now.since(Timestamp::from_micros(known.at)) > kept
}

/// How long an answer is given again.
pub(crate) const KEPT: Duration = Duration::from_secs(24 * 3_600);

/// How long a request may be at work; after that its process has died, and the next one is the first.
const AT_WORK: Duration = Duration::from_secs(60);
