//! The HTTP client of pushes: it goes to allowed addresses only, follows nothing, and reads little.
//!
//! Receivers are chosen by customers, so each is a stranger that may try to make us talk to our own house. This is
//! hyper's own client, which knows no redirects, no proxies from the environment and no compressed answers; only
//! HTTP/1.1 is spoken, and certificates are verified against Mozilla's roots.

use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base::address::Guard;
use base::limits::{PUSH_ATTEMPT, PUSH_REPLY_BYTES, PUSHES_PER_HOST};
use dialects::Push;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;

use crate::resolver::{Guarded, Lookup, NotAllowed, System};

/// Posts pushes. Clones share the connections.
#[derive(Clone)]
pub(crate) struct Poster {
    client: Client<HttpsConnector<HttpConnector<Guarded>>, Full<Bytes>>,
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
    /// A client for which the operating system resolves names. Needs a runtime only when it posts.
    pub(crate) fn new(guard: Guard) -> Self {
        Self::with_lookup(guard, System)
    }

    fn with_lookup(guard: Guard, lookup: impl Lookup) -> Self {
        let guard = Arc::new(guard);
        let mut plain = HttpConnector::new_with_resolver(Guarded::new(Arc::clone(&guard), lookup));
        plain.enforce_http(false);
        plain.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls())
            .https_or_http()
            .enable_http1()
            .wrap_connector(plain);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(PUSHES_PER_HOST)
            .pool_idle_timeout(IDLE)
            .build(connector);
        Self { client, guard }
    }

    /// Posts a push, and reads the answer to its end or its limit.
    ///
    /// # Errors
    /// [`PostFault`] when there is no whole answer in time.
    pub(crate) async fn post(&self, push: &Push) -> Result<Answer, PostFault> {
        let uri = self.checked(push.url.as_str())?;
        let request = request(uri, push).ok_or(PostFault::Unsendable)?;
        let exchange = async {
            let response = self.client.request(request).await.map_err(|fault| reason(&fault))?;
            let (head, body) = response.into_parts();
            let body = read(body).await.map_err(|_| PostFault::BrokenOff)?;
            Ok(Answer { status: head.status.as_u16(), body })
        };
        timeout(PUSH_ATTEMPT, exchange).await.unwrap_or(Err(PostFault::TooLate))
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

async fn read(mut body: Incoming) -> Result<Vec<u8>, hyper::Error> {
    let mut bytes = Vec::new();
    // A longer answer is not read on; its connection is closed then.
    while bytes.len() < PUSH_REPLY_BYTES {
        let Some(frame) = body.frame().await else { break };
        let Ok(chunk) = frame?.into_data() else { continue };
        let room = PUSH_REPLY_BYTES - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    Ok(bytes)
}

fn reason(fault: &hyper_util::client::legacy::Error) -> PostFault {
    let mut cause: Option<&(dyn Error + 'static)> = Some(fault);
    while let Some(inner) = cause {
        // An io::Error names its own cause as the source of that cause, so both are looked at.
        let wrapped = inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if inner.is::<NotAllowed>() || wrapped.is_some_and(|wrapped| wrapped.is::<NotAllowed>()) {
            return PostFault::NotAllowed;
        }
        cause = inner.source();
    }
    if fault.is_connect() { PostFault::NoConnection } else { PostFault::BrokenOff }
}

fn tls() -> ClientConfig {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// How long a connection that nobody uses is kept. The common servers with the least patience close theirs after 5 s, and
/// a push that crosses with their closing is lost.
const IDLE: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::net::SocketAddr;

    use base::url::PushUrl;
    use dialects::{Headers, PushId};

    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

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
            // The operating system's resolver takes these for addresses.
            ("127.1", &["127.0.0.1"]),
            ("2130706433", &["127.0.0.1"]),
            ("0x7f000001", &["127.0.0.1"]),
            ("0177.0.0.1", &["127.0.0.1"]),
            ("0", &["0.0.0.0"]),
        ]);
        let poster = Poster::with_lookup(Guard::default(), names);
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
            "private.example",
            "mixed.example",
            "mapped.example",
            "metadata.example",
        ] {
            let answer = poster.post(&push(&url(host, receiver.address))).await;
            assert_eq!(answer, Err(PostFault::NotAllowed), "{host}");
        }
        assert_eq!(receiver.connections(), 0);
    }

    /// A name server that says something else each time.
    struct Fickle(AtomicUsize, Vec<IpAddr>);

    impl Lookup for Fickle {
        fn lookup(&self, _: &str) -> Found {
            let turn = self.0.fetch_add(1, Ordering::Relaxed);
            let address = self.1[turn % self.1.len()];
            Box::pin(async move { Ok(vec![address]) })
        }
    }

    #[tokio::test]
    async fn a_name_that_changes_its_address_leads_to_what_was_judged() {
        // It breaks off, so that no connection is kept for the next one.
        let ours = Receiver::start(|_| Reply::hang_up()).await;
        let judged: IpAddr = "127.0.0.99".parse().unwrap();
        let poster = Poster::with_lookup(
            open("127.0.0.99"),
            Fickle(AtomicUsize::new(0), vec![judged, ours.address.ip()]),
        );
        for turn in 0..20 {
            let answer = poster.post(&push(&url("fickle.example", ours.address))).await;
            // A second look before the connection would find the other address.
            let told = if turn % 2 == 0 { PostFault::BrokenOff } else { PostFault::NotAllowed };
            assert_eq!(answer, Err(told), "turn {turn}");
        }
        assert_eq!(ours.connections(), 10);
    }

    #[tokio::test]
    async fn no_spelling_of_any_forbidden_address_is_connected_to() {
        let ours = Receiver::start(|_| Reply::status(200)).await;
        let poster = Poster::with_lookup(Guard::default(), AsTheSystemReads);
        let mut tried = 0;
        let forbidden = [
            [127, 0, 0, 1],
            [127, 1, 2, 3],
            [0, 0, 0, 0],
            [10, 0, 0, 1],
            [172, 16, 0, 1],
            [192, 168, 0, 1],
            [169, 254, 169, 254],
            [100, 100, 100, 200],
            [100, 64, 0, 1],
            [192, 0, 0, 192],
            [198, 18, 0, 1],
            [224, 0, 0, 1],
            [240, 0, 0, 1],
            [255, 255, 255, 255],
        ];
        for [a, b, c, d] in forbidden {
            let number = u32::from_be_bytes([a, b, c, d]);
            let hex = format!("{:x}:{:x}", number >> 16, number & 0xffff);
            let not = format!("{:x}:{:x}", !number >> 16, !number & 0xffff);
            let hosts = [
                format!("{a}.{b}.{c}.{d}"),
                format!("{number}"),
                format!("0x{number:x}"),
                format!("0X{number:08X}"),
                format!("0{number:o}"),
                format!("{a}.{}", number & 0xff_ffff),
                format!("{a}.{b}.{}", number & 0xffff),
                format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
                format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
                format!("00{a:o}.{b}.{c}.{d}"),
                format!("0x{a:x}.{b}.0{c:o}.{d}"),
                format!("{a}.{b}.{c}.{d}."),
                format!("[::ffff:{a}.{b}.{c}.{d}]"),
                format!("[::ffff:{hex}]"),
                format!("[::{hex}]"),
                format!("[::ffff:0:{hex}]"),
                format!("[64:ff9b::{hex}]"),
                format!("[64:ff9b:1::{hex}]"),
                format!("[2002:{hex}::1]"),
                format!("[2001:0:0:0:0:0:{not}]"),
                format!("[0:0:0:0:0:ffff:{hex}]"),
                format!("[0000:0000:0000:0000:0000:FFFF:{hex}]"),
                format!("user@{a}.{b}.{c}.{d}"),
                format!("{a}.{b}.{c}.{d}#@example.com"),
                format!("{a}。{b}。{c}。{d}"),
                format!("%31%32%37.{b}.{c}.{d}"),
                format!("{a}.{b}.{c}.{d}\\@example.com"),
                format!("①②⑦.{b}.{c}.{d}"),
            ];
            for host in hosts {
                for scheme in ["http", "https"] {
                    tried += 1;
                    let port = ours.address.port();
                    let Ok(receiver) = PushUrl::parse(&format!("{scheme}://{host}:{port}/x")) else {
                        continue;
                    };
                    let push = Push { url: receiver, ..push("http://example.com/") };
                    let answer = poster.post(&push).await;
                    assert!(
                        matches!(
                            answer,
                            Err(PostFault::NotAllowed | PostFault::Unsendable | PostFault::NoConnection)
                        ),
                        "{host}: {answer:?}"
                    );
                }
            }
        }
        assert!(tried > 500, "{tried}");
        assert_eq!(ours.connections(), 0);
    }

    /// Reads all the ways of writing an IPv4 address that `inet_aton` takes, as the operating system's resolver does.
    struct AsTheSystemReads;

    impl Lookup for AsTheSystemReads {
        fn lookup(&self, host: &str) -> Found {
            let part = |text: &str| match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None if text.len() > 1 && text.starts_with('0') => u32::from_str_radix(text, 8).ok(),
                None => text.parse().ok(),
            };
            let parts: Option<Vec<u32>> = host.trim_end_matches('.').split('.').map(part).collect();
            let parts = parts.filter(|parts| parts.len() <= 4);
            let address = parts.and_then(|parts| {
                let (last, first) = parts.split_last()?;
                let head = first.iter().enumerate().map(|(at, part)| part << (24 - 8 * at)).sum::<u32>();
                Some(IpAddr::from(head.wrapping_add(*last).to_be_bytes()))
            });
            Box::pin(async move {
                address.map(|address| vec![address]).ok_or_else(|| io::Error::other("no such name"))
            })
        }
    }

    #[tokio::test]
    async fn an_allowed_block_is_connected_to_by_the_checked_address() {
        let receiver = Receiver::start(|_| Reply::status(200)).await;
        let names = table(&[("shop.example", &["127.0.0.1"])]);
        let poster = Poster::with_lookup(open("127.0.0.0/8"), names);
        let answer = poster.post(&push(&url("shop.example", receiver.address))).await.unwrap();
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
        let poster = Poster::new(open("127.0.0.0/8"));
        let answer = poster.post(&push(&url("127.0.0.1", receiver.address))).await.unwrap();
        assert_eq!((answer.status, target.connections()), (302, 0));
    }

    #[tokio::test]
    async fn a_long_answer_is_read_to_the_limit_only() {
        let receiver = Receiver::start(|_| Reply::status(200).body(vec![b'x'; 1 << 20])).await;
        let poster = Poster::new(open("127.0.0.0/8"));
        let answer = poster.post(&push(&url("127.0.0.1", receiver.address))).await.unwrap();
        assert_eq!(answer.body.len(), PUSH_REPLY_BYTES);
    }

    #[tokio::test]
    async fn nobody_at_home_and_no_such_name_are_told_apart_from_a_refusal() {
        let gone = Receiver::start(|_| Reply::status(200)).await.stop().await;
        let poster = Poster::with_lookup(open("127.0.0.0/8"), table(&[]));
        let post = async |url: String| poster.post(&push(&url)).await;
        assert_eq!(post(url("127.0.0.1", gone)).await, Err(PostFault::NoConnection));
        assert_eq!(post(url("nowhere.example", gone)).await, Err(PostFault::NoConnection));
        let quiet = Receiver::start(|_| Reply::hang_up()).await;
        assert_eq!(post(url("127.0.0.1", quiet.address)).await, Err(PostFault::BrokenOff));
    }
}
