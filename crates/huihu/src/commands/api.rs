//! The command line's way to the operator API: over HTTP to the platform that serves from the data directory, or by the
//! same router in this process when none does.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, Request};
use console::{OperatorKey, Parts};
use reqwest::Url;
use serde_json::Value;
use speech::shelf::Shelf;
use store::Store;
use tower::ServiceExt;

use super::config;
use crate::cli::Place;
use crate::house::{SESSIONS, traces_dir};
use crate::road::wall;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Items on a page.
const PAGE: usize = 200;

/// Where every path begins.
const ROOT: &str = "api/v1";

/// The operator API of one data directory.
pub(crate) struct Api {
    way: Way,
    key: OperatorKey,
}

enum Way {
    /// A platform serves.
    There { client: reqwest::Client, root: Url },
    /// Nobody serves.
    Here { router: Router, root: Url },
}

/// A path: its segments, which may hold anything.
pub(crate) type Segments<'a> = &'a [&'a str];

/// A query: names and values.
pub(crate) type Pairs<'a> = &'a [(&'a str, &'a str)];

/// What the API said no with.
#[derive(Debug, thiserror::Error)]
#[error("{detail}: {fix}")]
pub(crate) struct Refused {
    /// The HTTP status.
    pub(crate) status: u16,
    detail: String,
    fix: String,
}

impl Refused {
    /// Whether it says that something of that name is not there.
    pub(crate) fn concerns(&self, name: &str) -> bool {
        self.status == 404 && self.detail.ends_with(name)
    }
}

impl Api {
    /// The API of the installation that a command is about.
    pub(crate) async fn of(place: &Place) -> Result<Self> {
        if let Some(there) = Self::serving(place).await? {
            return Ok(there);
        }
        let config = config(place)?;
        let dir = config.data_dir.clone();
        let store = Store::open(&dir).await?;
        let key = OperatorKey::open(&dir)?;
        let parts = Parts::new(&store, Shelf::open(dir.join("clips"))?, key.clone(), SESSIONS, wall);
        let parts = parts.with_traces(traces_dir(&config));
        let root = Url::parse("http://localhost/").context("this is a URL")?;
        Ok(Self { way: Way::Here { router: console::router(parts), root }, key })
    }

    /// The API of the platform that serves from the installation's data directory; `None` when none does.
    pub(crate) async fn serving(place: &Place) -> Result<Option<Self>> {
        let dir = config(place)?.data_dir;
        let Some(address) = console::announced(&dir) else { return Ok(None) };
        let root = Url::parse(&format!("http://{address}/")).context("the platform's address is none")?;
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        // A platform that is about to end listens no more, and its database can be opened.
        if client.get(root.clone()).send().await.is_err() {
            return Ok(None);
        }
        Ok(Some(Self { way: Way::There { client, root }, key: OperatorKey::open(&dir)? }))
    }

    pub(crate) async fn get(&self, path: Segments<'_>, query: Pairs<'_>) -> Result<Value> {
        self.ask(Method::GET, path, query, None).await
    }

    pub(crate) async fn post(&self, path: Segments<'_>, body: &Value) -> Result<Value> {
        self.ask(Method::POST, path, &[], Some(body)).await
    }

    pub(crate) async fn put(&self, path: Segments<'_>, body: &Value) -> Result<Value> {
        self.ask(Method::PUT, path, &[], Some(body)).await
    }

    pub(crate) async fn patch(&self, path: Segments<'_>, body: &Value) -> Result<Value> {
        self.ask(Method::PATCH, path, &[], Some(body)).await
    }

    pub(crate) async fn delete(&self, path: Segments<'_>) -> Result<Value> {
        self.ask(Method::DELETE, path, &[], None).await
    }

    /// Uploads a WAV file.
    pub(crate) async fn upload(&self, path: Segments<'_>, wav: Vec<u8>) -> Result<Value> {
        let body = Some(("audio/wav", Bytes::from(wav)));
        parse(&self.send(Method::PUT, path, &[], body).await?)
    }

    /// Downloads what is no JSON.
    pub(crate) async fn download(&self, path: Segments<'_>, query: Pairs<'_>) -> Result<Bytes> {
        self.send(Method::GET, path, query, None).await
    }

    /// The items of a list, page by page, at most `limit`.
    pub(crate) async fn list(
        &self,
        path: Segments<'_>,
        query: Pairs<'_>,
        limit: usize,
    ) -> Result<Vec<Value>> {
        let mut found = Vec::new();
        let mut cursor: Option<String> = None;
        while found.len() < limit {
            let size = (limit - found.len()).min(PAGE).to_string();
            let mut query = query.to_vec();
            query.push(("limit", &size));
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let mut page = self.get(path, &query).await?;
            if let Value::Array(items) = page["items"].take() {
                found.extend(items);
            }
            cursor = page["next"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// The app of that name, of which there may be one in each enterprise.
    pub(crate) async fn app(&self, name: &str) -> Result<Value> {
        let mut found = self.list(&["apps"], &[("name", name)], 2).await?;
        match (found.pop(), found.pop()) {
            (Some(app), None) => Ok(app),
            (Some(_), Some(_)) => bail!("there are several apps {name}, in different enterprises"),
            (None, _) => bail!("there is no app {name}: `huihu app list` shows them all"),
        }
    }

    /// The id of the app of that name, as a segment of a path.
    pub(crate) async fn app_id(&self, name: &str) -> Result<String> {
        Ok(self.app(name).await?["id"].to_string())
    }

    async fn ask(
        &self,
        method: Method,
        path: Segments<'_>,
        query: Pairs<'_>,
        body: Option<&Value>,
    ) -> Result<Value> {
        let body = body.map(|body| ("application/json", Bytes::from(body.to_string())));
        parse(&self.send(method, path, query, body).await?)
    }

    async fn send(
        &self,
        method: Method,
        path: Segments<'_>,
        query: Pairs<'_>,
        body: Option<(&str, Bytes)>,
    ) -> Result<Bytes> {
        let bearer = format!("Bearer {}", self.key.token().expose());
        let (status, bytes) = match &self.way {
            Way::There { client, root } => {
                let mut request =
                    client.request(method, url(root, path, query)?).header(AUTHORIZATION, bearer);
                if let Some((content_type, bytes)) = body {
                    request = request.header(CONTENT_TYPE, content_type).body(bytes);
                }
                let answer = request.send().await.with_context(|| format!("{root} does not answer"))?;
                let status = answer.status();
                (status, answer.bytes().await.with_context(|| format!("{root} broke off its answer"))?)
            }
            Way::Here { router, root } => {
                let url = url(root, path, query)?;
                let mut request =
                    Request::builder().method(method).uri(url.as_str()).header(AUTHORIZATION, bearer);
                let mut bytes = Bytes::new();
                if let Some((content_type, body)) = body {
                    request = request.header(CONTENT_TYPE, content_type);
                    bytes = body;
                }
                let answer = router.clone().oneshot(request.body(Body::from(bytes))?).await?;
                (answer.status(), to_bytes(answer.into_body(), usize::MAX).await?)
            }
        };
        if status.is_success() { Ok(bytes) } else { Err(refused(status.as_u16(), &bytes)) }
    }
}

/// The address of a path; each segment is escaped on its own.
fn url(root: &Url, path: Segments<'_>, query: Pairs<'_>) -> Result<Url> {
    let mut url = root.clone();
    url.path_segments_mut()
        .map_err(|()| anyhow!("{root} cannot have a path"))?
        .pop_if_empty()
        .extend(ROOT.split('/'))
        .extend(path);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

fn parse(bytes: &[u8]) -> Result<Value> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(bytes).context("the platform's answer is no JSON")
}

fn refused(status: u16, bytes: &[u8]) -> anyhow::Error {
    let problem: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let text = |field: &str| problem[field].as_str().unwrap_or("it does not say").to_owned();
    Refused { status, detail: text("detail"), fix: text("fix") }.into()
}
