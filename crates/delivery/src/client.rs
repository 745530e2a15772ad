//! The HTTP client of pushes: it goes to allowed addresses only, follows nothing, and reads little.
//!
//! Receivers are chosen by customers, so each is a stranger that may try to make us talk to our own house. Redirects,
//! proxies from the environment, decompression and HTTP/2 are off; certificates are verified against Mozilla's roots.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base::address::Guard;
use base::limits::{PUSH_ATTEMPT, PUSH_REPLY_BYTES, PUSHES_PER_HOST};
use dialects::Push;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, Url, redirect};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use crate::resolver::{Guarded, Lookup, NotAllowed, System};

/// Posts pushes. Clones share the connections.
#[derive(Clone)]
pub(crate) struct Poster {
    client: Client,
    guard: Arc<Guard>,
}

/// A receiver's answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// At most [`PUSH_REPLY_BYTES`].
    pub(crate) body: Vec<u8>,
}

/// Why a receiver gave no answer. Nothing in it was written by the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PostFault {
    #[error("the receiver's address is not allowed")]
    NotAllowed,
    #[error("the receiver cannot be connected to")]
    NoConnection,
    #[error("no answer within {} s", PUSH_ATTEMPT.as_secs())]
    TooLate,
    #[error("the receiver broke off")]
    BrokenOff,
    #[error("the push cannot be put into HTTP")]
    Unsendable,
}

impl Poster {
    /// A client for which the operating system resolves names.
    ///
    /// # Errors
    /// The client's own, when it cannot be built.
    pub(crate) fn new(guard: Guard) -> Result<Self, reqwest::Error> {
        Self::with_lookup(guard, System)
    }

    fn with_lookup(guard: Guard, lookup: impl Lookup) -> Result<Self, reqwest::Error> {
        let guard = Arc::new(guard);
        let client = Client::builder()
            .dns_resolver(Arc::new(Guarded::new(Arc::clone(&guard), lookup)))
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .http1_only()
            .tls_backend_preconfigured(tls())
            .timeout(PUSH_ATTEMPT)
            .pool_max_idle_per_host(PUSHES_PER_HOST)
            .pool_idle_timeout(IDLE)
            .build()?;
        Ok(Self { client, guard })
    }

    /// Posts a push, and reads the answer to its end or its limit.
    ///
    /// # Errors
    /// [`PostFault`] when there is no whole answer in time.
    pub(crate) async fn post(&self, push: Push) -> Result<Answer, PostFault> {
        let url = self.checked(push.url.as_str())?;
        let headers = headers(&push).ok_or(PostFault::Unsendable)?;
        let sent = self.client.post(url).headers(headers).body(push.body).send().await;
        let mut response = sent.map_err(|fault| reason(&fault))?;
        let status = response.status().as_u16();
        let body = read(&mut response).await.map_err(|fault| reason(&fault))?;
        Ok(Answer { status, body })
    }

    /// Reads the address as the client will. A host written as numbers, in whatever way, never reaches the resolver,
    /// so it is checked here: `http://2130706433/` and `http://127.1/` are `127.0.0.1` by now.
    fn checked(&self, url: &str) -> Result<Url, PostFault> {
        let url = Url::parse(url).map_err(|_| PostFault::Unsendable)?;
        let host = url.host_str().ok_or(PostFault::Unsendable)?;
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) if !self.guard.permits(address) => Err(PostFault::NotAllowed),
            Ok(_) | Err(_) => Ok(url),
        }
    }
}

async fn read(response: &mut Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    // A longer answer is not read on; its connection is closed then.
    while body.len() < PUSH_REPLY_BYTES {
        let Some(chunk) = response.chunk().await? else { break };
        let room = PUSH_REPLY_BYTES - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    Ok(body)
}

fn headers(push: &Push) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in push.headers.iter() {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let mut value = HeaderValue::from_str(value).ok()?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Some(headers)
}

fn reason(fault: &reqwest::Error) -> PostFault {
    let mut cause: Option<&(dyn Error + 'static)> = Some(fault);
    while let Some(inner) = cause {
        if inner.is::<NotAllowed>() {
            return PostFault::NotAllowed;
        }
        cause = inner.source();
    }
    match () {
        () if fault.is_timeout() => PostFault::TooLate,
        () if fault.is_connect() => PostFault::NoConnection,
        () if fault.is_builder() => PostFault::Unsendable,
        () => PostFault::BrokenOff,
    }
}

fn tls() -> ClientConfig {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// How long a connection that nobody uses is kept: a little less than most servers keep theirs.
const IDLE: Duration = Duration::from_secs(50);

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::io;
    use std::net::SocketAddr;

    use base::url::PushUrl;
    use dialects::{Headers, PushId};

    use super::*;
    use crate::receiver::{Receiver, Reply};
    use crate::resolver::Found;

    struct Table(HashMap<&'static str, Vec<IpAddr>>);

    impl Lookup for Table {
        fn lookup(&self, host: &str) -> Found {
            let found = self.0.get(host).cloned().ok_or_else(|| io::Error::other("no such name"));
            Box::pin(async move { found })
        }
    }

    fn table(names: &[(&'static str, &[&str])]) -> Table {
        let parse = |list: &&[&str]| list.iter().map(|address| address.parse().unwrap()).collect();
        Table(names.iter().map(|(name, list)| (*name, parse(list))).collect())
    }

    fn push(url: &str) -> Push {
        let headers = Headers::from_iter([("X-One", "1")]);
        Push { id: PushId(1), url: PushUrl::parse(url).unwrap(), headers, body: b"hello".to_vec() }
    }

    fn open(block: &str) -> Guard {
        Guard::new(vec![block.parse().unwrap()])
    }

    fn url(host: &str, address: SocketAddr) -> String {
        format!("http://{host}:{}/x", address.port())
    }

    #[tokio::test]
    async fn no_way_of_writing_our_own_address_is_connected_to() {
        let receiver = Receiver::start(|_| Reply::status(200)).await;
        let names = table(&[
            ("private.example", &["127.0.0.1"]),
            ("mixed.example", &["8.8.8.8", "127.0.0.1"]),
            ("mapped.example", &["::ffff:127.0.0.1"]),
            ("metadata.example", &["169.254.169.254"]),
            ("localhost", &["127.0.0.1"]),
        ]);
        let poster = Poster::with_lookup(Guard::default(), names).unwrap();
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "localhost",
            "LOCALHOST",
            "private.example",
            "mixed.example",
            "mapped.example",
            "metadata.example",
        ] {
            let answer = poster.post(push(&url(host, receiver.address))).await;
            assert_eq!(answer, Err(PostFault::NotAllowed), "{host}");
        }
        assert_eq!(receiver.connections(), 0);
    }

    #[tokio::test]
    async fn an_allowed_block_is_connected_to_by_the_checked_address() {
        let receiver = Receiver::start(|_| Reply::status(200)).await;
        let names = table(&[("shop.example", &["127.0.0.1"])]);
        let poster = Poster::with_lookup(open("127.0.0.0/8"), names).unwrap();
        let answer = poster.post(push(&url("shop.example", receiver.address))).await.unwrap();
        assert_eq!(answer.status, 200);
        let request = &receiver.requests()[0];
        assert_eq!((&*request.path, &request.body[..]), ("/x", &b"hello"[..]));
        assert_eq!(request.headers["x-one"], "1");
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_not_followed() {
        let target = Receiver::start(|_| Reply::status(200)).await;
        let location = url("127.0.0.1", target.address);
        let receiver = Receiver::start(move |_| Reply::status(302).header("location", &location)).await;
        let poster = Poster::new(open("127.0.0.0/8")).unwrap();
        let answer = poster.post(push(&url("127.0.0.1", receiver.address))).await.unwrap();
        assert_eq!((answer.status, target.connections()), (302, 0));
    }

    #[tokio::test]
    async fn a_long_answer_is_read_to_the_limit_only() {
        let receiver = Receiver::start(|_| Reply::status(200).body(vec![b'x'; 1 << 20])).await;
        let poster = Poster::new(open("127.0.0.0/8")).unwrap();
        let answer = poster.post(push(&url("127.0.0.1", receiver.address))).await.unwrap();
        assert_eq!(answer.body.len(), PUSH_REPLY_BYTES);
    }

    #[tokio::test]
    async fn nobody_at_home_and_no_such_name_are_told_apart_from_a_refusal() {
        let gone = Receiver::start(|_| Reply::status(200)).await.stop().await;
        let poster = Poster::with_lookup(open("127.0.0.0/8"), table(&[])).unwrap();
        let post = async |url: String| poster.post(push(&url)).await;
        assert_eq!(post(url("127.0.0.1", gone)).await, Err(PostFault::NoConnection));
        assert_eq!(post(url("nowhere.example", gone)).await, Err(PostFault::NoConnection));
        let quiet = Receiver::start(|_| Reply::hang_up()).await;
        assert_eq!(post(url("127.0.0.1", quiet.address)).await, Err(PostFault::BrokenOff));
    }
}
