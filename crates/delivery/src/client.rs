//! The HTTP client of pushes: it goes to allowed addresses only, follows nothing, and reads little.
//!
//! Receivers are chosen by customers, so each is a stranger that may try to make us talk to our own house. This is
//! hyper's own client, which knows no redirects, no proxies from the environment and no compressed answers; only
//! HTTP/1.1 is spoken, and certificates are verified against Mozilla's roots.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base::address::Guard;
use base::limits::{PUSH_REPLY_BYTES, PUSHES_PER_HOST};
use dialects::Push;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{HttpConnector, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;

use crate::fault::PostFault;
use crate::resolver::{Guarded, Lookup, System};

/// Posts pushes. Clones share the connections.
#[derive(Clone)]
pub(crate) struct Poster {
    client: Client<HttpsConnector<HttpConnector<Guarded>>, Full<Bytes>>,
    guard: Arc<Guard>,
    /// How long an attempt may take, from the name to the last byte read.
    within: Duration,
}

/// A receiver's answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// At most [`PUSH_REPLY_BYTES`].
    pub(crate) body: Vec<u8>,
    /// Whether the body ended before that.
    pub(crate) is_whole: bool,
}

impl Poster {
    /// A client for which the operating system resolves names, and which gives an attempt that much time. Needs a runtime
    /// only when it posts.
    pub(crate) fn new(guard: Guard, within: Duration) -> Self {
        Self::with(guard, within, System, tls(trusted_roots()))
    }

    fn with(guard: Guard, within: Duration, lookup: impl Lookup, tls: ClientConfig) -> Self {
        let guard = Arc::new(guard);
        let mut plain = HttpConnector::new_with_resolver(Guarded::new(Arc::clone(&guard), lookup));
        plain.enforce_http(false);
        plain.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(plain);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(PUSHES_PER_HOST)
            .pool_idle_timeout(IDLE)
            .http1_max_buf_size(HEAD_BYTES)
            .build(connector);
        Self { client, guard, within }
    }

    /// Posts a push, and reads the answer to its end or its limit.
    ///
    /// # Errors
    /// [`PostFault`] when there is no whole answer in time.
    pub(crate) async fn post(&self, push: &Push) -> Result<Answer, PostFault> {
        let uri = self.checked(push.url.as_str())?;
        let mut request = request(uri, push).ok_or(PostFault::Unsendable)?;
        let connection = capture_connection(&mut request);
        let mut answers = false;
        let exchange = async {
            let response =
                self.client.request(request).await.map_err(|fault| PostFault::of_request(&fault))?;
            answers = true;
            let (head, body) = response.into_parts();
            let (body, is_whole) = read(body).await.map_err(|fault| PostFault::of_answer(&fault))?;
            Ok(Answer { status: head.status.as_u16(), body, is_whole })
        };
        let within = self.within;
        timeout(within, exchange).await.unwrap_or_else(|_| {
            Err(match (connection.connection_metadata().is_some(), answers) {
                (_, true) => PostFault::NoEnd { within },
                (true, false) => PostFault::NoAnswer { within },
                (false, false) => PostFault::NoConnection { within },
            })
        })
    }

    /// Reads the address as the client will. A host that is written as an address never reaches the resolver, so it
    /// is checked here; one written in any other way of numbers, such as `127.1`, is a name and goes there.
    fn checked(&self, url: &str) -> Result<Uri, PostFault> {
        let uri: Uri = url.parse().map_err(|_| PostFault::Unsendable)?;
        let host = uri.host().ok_or(PostFault::Unsendable)?;
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) if !self.guard.permits(address) => Err(PostFault::NotAllowed),
            Ok(_) | Err(_) => Ok(uri),
        }
    }
}

fn request(uri: Uri, push: &Push) -> Option<Request<Full<Bytes>>> {
    let mut request = Request::new(Full::new(Bytes::copy_from_slice(&push.body)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    for (name, value) in push.headers.iter() {
        let mut value = HeaderValue::from_str(value).ok()?;
        value.set_sensitive(true);
        request.headers_mut().append(HeaderName::from_bytes(name.as_bytes()).ok()?, value);
    }
    Some(request)
}

/// The body up to the limit, and whether that was all of it.
async fn read(mut body: Incoming) -> Result<(Vec<u8>, bool), hyper::Error> {
    let mut bytes = Vec::new();
    // A longer answer is not read on; its connection is closed then.
    while bytes.len() < PUSH_REPLY_BYTES {
        let Some(frame) = body.frame().await else { return Ok((bytes, true)) };
        let Ok(chunk) = frame?.into_data() else { continue };
        let room = PUSH_REPLY_BYTES - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    Ok((bytes, body.is_end_stream()))
}

pub(crate) fn trusted_roots() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

pub(crate) fn tls(roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// Bytes of the head of an answer, and of what is read of it at once: a receiver behind two proxies sends one or two KB.
const HEAD_BYTES: usize = 64 * 1024;

/// How long a connection that nobody uses is kept. The common servers with the least patience close theirs after 5 s, and
/// a push that crosses with their closing is lost.
const IDLE: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests;
