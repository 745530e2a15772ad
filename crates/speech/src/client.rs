//! The HTTP client of this room: for services and packages that the operator chose, so addresses are not judged.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

/// Speaks HTTP/1.1, follows no redirect, and verifies certificates against Mozilla's roots.
pub(crate) type Client = legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A client that keeps so many connections to a host open. Needs a runtime only when it asks.
pub(crate) fn client(connections: usize) -> Client {
    let mut plain = HttpConnector::new();
    plain.enforce_http(false);
    plain.set_nodelay(true);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls())
        .https_or_http()
        .enable_http1()
        .wrap_connector(plain);
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_max_idle_per_host(connections)
        .pool_idle_timeout(IDLE)
        .build(connector)
}

/// A file of at most so many bytes, or a sentence why not.
pub(crate) async fn get(client: &Client, url: &str, bytes_max: u64) -> Result<Vec<u8>, String> {
    let mut request = Request::new(Full::default());
    *request.uri_mut() = url.parse().map_err(|_| "it is no URL".to_owned())?;
    let response = client.request(request).await.map_err(|fault| match fault.is_connect() {
        true => "nobody can be connected to there".to_owned(),
        false => "the connection broke off".to_owned(),
    })?;
    if response.status() != StatusCode::OK {
        return Err(format!("the answer has status {}", response.status().as_u16()));
    }
    let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    match read(response.into_body(), bytes_max).await {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(format!("it is longer than {bytes_max} bytes")),
        Err(_) => Err("the connection broke off".to_owned()),
    }
}

/// A body of at most so many bytes; `None` if it is longer, and then it is not read on.
pub(crate) async fn read(mut body: Incoming, bytes_max: usize) -> Result<Option<Vec<u8>>, hyper::Error> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(chunk) = frame?.into_data() else { continue };
        if bytes.len() + chunk.len() > bytes_max {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}

fn tls() -> ClientConfig {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// How long a connection that nobody uses is kept; the least patient of the common servers close theirs after 5 s.
const IDLE: Duration = Duration::from_secs(4);
