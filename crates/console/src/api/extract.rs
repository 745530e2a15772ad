//! What handlers are given: JSON, queries and paths, read strictly, with a problem for everything else.

use std::error::Error;

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Json, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::intake::Intake;
use crate::problem::{Kind, Problem};

/// A body of JSON.
pub(crate) struct Body<T>(pub(crate) T);

/// A body of JSON that may be left out.
pub(crate) struct Maybe<T>(pub(crate) T);

/// A query.
pub(crate) struct Query<T>(pub(crate) T);

/// The values in a path.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        // The parser would take a list for an object, field by field; every body of ours is an object.
        let is_list = request.extensions().get::<Intake>().is_some_and(begins_a_list);
        match Json::from_request(request, state).await {
            Ok(Json(_)) if is_list => Err(Problem::new(
                Kind::InvalidBody,
                "the body does not fit: it is a list and must be an object",
                "请求体不符合要求：应为对象而不是数组",
            )),
            Ok(Json(value)) => Ok(Self(value)),
            Err(JsonRejection::JsonDataError(fault)) => Err(Problem::new(
                Kind::InvalidBody,
                format!("the body does not fit: {}", root(&fault)),
                format!("请求体不符合要求：{}", root(&fault)),
            )),
            Err(JsonRejection::JsonSyntaxError(fault)) => Err(Problem::new(
                Kind::MalformedBody,
                format!("the body is no JSON: {}", root(&fault)),
                format!("请求体不是合法的 JSON：{}", root(&fault)),
            )),
            Err(JsonRejection::MissingJsonContentType(_)) => Err(Problem::of(Kind::UnsupportedMediaType)),
            Err(_) => Err(Problem::of(Kind::MalformedBody)),
        }
    }
}

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for Maybe<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let empty = request.extensions().get::<Intake>().is_none_or(|intake| intake.0.is_empty());
        if empty {
            return Ok(Self(T::default()));
        }
        let Body(value) = Body::from_request(request, state).await?;
        Ok(Self(value))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read: Result<_, QueryRejection> = axum::extract::Query::from_request_parts(parts, state).await;
        match read {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(fault) => Err(Problem::new(
                Kind::InvalidQuery,
                format!("the query does not fit: {}", root(&fault)),
                format!("查询参数不符合要求：{}", root(&fault)),
            )),
        }
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read: Result<_, PathRejection> = axum::extract::Path::from_request_parts(parts, state).await;
        match read {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            // A thing cannot have a name of that form.
            Err(fault) => Err(Problem::new(
                Kind::NotFound,
                format!("there is nothing of that name: {}", root(&fault)),
                format!("没有这个名称的对象：{}", root(&fault)),
            )),
        }
    }
}

fn begins_a_list(body: &Intake) -> bool {
    body.0.trim_ascii_start().starts_with(b"[")
}

/// The innermost cause: what the parser says, without the framework's introduction.
fn root(fault: &dyn Error) -> String {
    let mut innermost = fault;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}

/// A field of a patch (RFC 7396): left out means unchanged, null means none.
pub(crate) fn patched<'de, D, T>(from: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de>,
{
    serde::Deserialize::deserialize(from).map(Some)
}
