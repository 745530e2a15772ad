//! The router and the document that describes it.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    Components, Content, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, RefOr,
    Required, Response, ResponseBuilder, SecurityRequirement,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use crate::api;
use crate::audit::audit;
use crate::guard::guard;
use crate::intake::intake;
use crate::parts::Parts;
use crate::problem::{Kind, Problem, ProblemBody};
use crate::render::{PROBLEM_JSON, render};
use crate::repeat::repeat;
use crate::words::ListKind;

/// Where the API begins.
const ROOT: &str = "/api/v1";

/// The API as a service for every path below `/api/`.
///
/// The listener adds a [`Peer`](crate::Peer) to each request's extensions; without it the audit log says that the
/// request was made on this machine.
pub fn router(parts: Parts) -> Router {
    let parts = Arc::new(parts);
    let (routes, _) = OpenApiRouter::new().nest(ROOT, api::routes()).split_for_parts();
    // The last layer is the first to see a request.
    routes
        .fallback(async || Problem::of(Kind::NoSuchPath))
        .method_not_allowed_fallback(async || Problem::of(Kind::MethodNotAllowed))
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Arc::clone(&parts), audit))
        .layer(from_fn_with_state(Arc::clone(&parts), repeat))
        .layer(from_fn(intake))
        .layer(from_fn_with_state(Arc::clone(&parts), guard))
        .layer(from_fn(render))
        .with_state(parts)
}

/// The OpenAPI 3.1 document of the API.
#[must_use]
pub fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Huihu operator API")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()));
    let blank = OpenApiBuilder::new().info(info.build()).components(Some(Components::new())).build();
    let (_, mut document) = OpenApiRouter::with_openapi(blank).nest(ROOT, api::routes()).split_for_parts();
    if let Some(components) = &mut document.components {
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme(BEARER, bearer);
        components.schemas.insert(ProblemBody::name().into_owned(), ProblemBody::schema());
        // Only paths name it, and what only paths name is not gathered.
        components.schemas.insert(ListKind::name().into_owned(), ListKind::schema());
    }
    document.security = Some(vec![SecurityRequirement::new(BEARER, Vec::<String>::new())]);
    for item in document.paths.paths.values_mut() {
        complete(item);
    }
    document
}

/// Adds to each operation what the layers around it do.
fn complete(item: &mut PathItem) {
    let posts = item.post.is_some();
    let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
    for operation in operations.into_iter().flatten() {
        for kind in problems(operation) {
            let status = kind.words().status.as_str().to_owned();
            operation.responses.responses.entry(status).or_insert_with(|| RefOr::T(problem(kind)));
        }
    }
    if let Some(post) = item.post.as_mut().filter(|_| posts) {
        post.parameters.get_or_insert_default().push(RefOr::T(idempotency_key()));
    }
}

/// The kinds of problems that an operation can answer with.
fn problems(operation: &Operation) -> Vec<Kind> {
    let parameters = operation.parameters.as_deref().unwrap_or_default();
    let stands = |parameter: &RefOr<Parameter>, place: &ParameterIn| match parameter {
        RefOr::T(parameter) => parameter.parameter_in == *place,
        RefOr::Ref(_) => false,
    };
    let has = |place: ParameterIn| parameters.iter().any(|parameter| stands(parameter, &place));
    let mut kinds = vec![Kind::Unauthorized, Kind::BodyTooLarge, Kind::BodyTooSlow, Kind::Fault];
    // What is named in a path, a query or a body may not be there.
    if has(ParameterIn::Path) || has(ParameterIn::Query) || operation.request_body.is_some() {
        kinds.push(Kind::NotFound);
    }
    // An unusable idempotency key is a 400 as well.
    kinds.push(Kind::InvalidQuery);
    kinds.extend([Kind::Conflict, Kind::UnusableValue]);
    if operation.request_body.is_some() {
        kinds.push(Kind::UnsupportedMediaType);
    }
    kinds
}

fn problem(kind: Kind) -> Response {
    let content: Content =
        ContentBuilder::new().schema(Some(Ref::from_schema_name(ProblemBody::name()))).build();
    ResponseBuilder::new().description(kind.words().title.0).content(PROBLEM_JSON, content).build()
}

fn idempotency_key() -> Parameter {
    let schema = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(128));
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Makes the request safe to send again: for a day, the same key is given the same answer. \
             1 to 128 visible ASCII characters.",
        ))
        .schema(Some(schema.pattern(Some("^[!-~]{1,128}$")).build()))
        .build()
}

/// The name of the one security scheme.
const BEARER: &str = "operator";

const ABOUT: &str = "\
Everything that an operator looks at and changes. The token is in `operator.key` in the data directory and is sent as \
`Authorization: Bearer TOKEN`.

Lists have pages: pass the `next` of a page as `cursor` to get the next one. Errors are problems by RFC 9457, in English \
or, by `Accept-Language: zh`, in Chinese; compare their `type`, which is stable. A POST with an `Idempotency-Key` may be \
sent again without being done twice. Every change stands in the audit log.";
