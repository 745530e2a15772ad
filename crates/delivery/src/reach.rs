//! Whether receivers can be reached: connected to through the same guard as pushes, and told nothing.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base::address::Guard;
use base::url::PushUrl;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::header::DATE;
use hyper::{Method, Request, Uri};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

use crate::client::{tls, trusted_roots};
use crate::resolver::{Guarded, Lookup, NotAllowed, System};

/// Tries receivers out.
#[derive(Clone)]
pub struct Reach {
    guard: Arc<Guard>,
    guarded: Guarded,
}

/// Why a receiver is not reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReachFault {
    /// No push may go there.
    #[error("its address is not allowed")]
    NotAllowed,
    /// Its name has no address.
    #[error("its name has no address")]
    NoAddress,
    /// Nobody listens there.
    #[error("nobody listens there")]
    Refused,
    /// Nothing came back in time.
    #[error("nothing comes back within {} s", PATIENCE.as_secs())]
    TooLate,
    /// The network knows no way.
    #[error("the network knows no way there")]
    NoWay,
}

impl Reach {
    /// Through that guard; the operating system resolves names.
    #[must_use]
    pub fn new(guard: Guard) -> Self {
        Self::with_lookup(guard, System)
    }

    fn with_lookup(guard: Guard, lookup: impl Lookup) -> Self {
        let guard = Arc::new(guard);
        Self { guarded: Guarded::new(Arc::clone(&guard), lookup), guard }
    }

    /// Connects to a receiver and hangs up, and gives how long that took.
    ///
    /// # Errors
    /// [`ReachFault`].
    pub async fn connect(&self, url: &PushUrl) -> Result<Duration, ReachFault> {
        let began = Instant::now();
        let connecting = async {
            let (host, port) = (url.host(), port(url));
            let addresses = match self.literal(url)? {
                Some(address) => vec![SocketAddr::new(address, port)],
                None => self.resolve(host, port).await?,
            };
            let mut last = ReachFault::NoAddress;
            for address in addresses {
                match TcpStream::connect(address).await {
                    Ok(_) => return Ok(began.elapsed()),
                    Err(fault) => last = of_connection(&fault),
                }
            }
            Err(last)
        };
        timeout(PATIENCE, connecting).await.unwrap_or(Err(ReachFault::TooLate))
    }

    /// What the clock of a receiver says, by the Date of its answer to HEAD of its root; `None` when it does not answer or
    /// tells none. HEAD changes nothing (RFC 9110 9.2.1), and no path of a customer's is asked for.
    pub async fn date(&self, url: &PushUrl) -> Option<String> {
        self.literal(url).ok()?;
        let whole: Uri = url.as_str().parse().ok()?;
        let root = Uri::builder()
            .scheme(whole.scheme()?.clone())
            .authority(whole.authority()?.clone())
            .path_and_query("/");
        let request = Request::builder().method(Method::HEAD).uri(root.build().ok()?);
        let mut plain = HttpConnector::new_with_resolver(self.guarded.clone());
        plain.enforce_http(false);
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls(trusted_roots())).https_or_http().enable_http1();
        let client = Client::builder(TokioExecutor::new()).build(connector.wrap_connector(plain));
        let answer = client.request(request.body(Empty::<Bytes>::new()).ok()?);
        let answer = timeout(PATIENCE, answer).await.ok()?.ok()?;
        Some(answer.headers().get(DATE)?.to_str().ok()?.to_owned())
    }

    /// The address of a host that is written as one; it never reaches the resolver.
    fn literal(&self, url: &PushUrl) -> Result<Option<IpAddr>, ReachFault> {
        match url.address() {
            Some(address) if !self.guard.permits(address) => Err(ReachFault::NotAllowed),
            address => Ok(address),
        }
    }

    async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, ReachFault> {
        let name: Name = host.parse().map_err(|_| ReachFault::NoAddress)?;
        let found = self.guarded.clone().call(name).await.map_err(|fault| of_name(&fault))?;
        Ok(found.map(|address| SocketAddr::new(address.ip(), port)).collect())
    }
}

fn port(url: &PushUrl) -> u16 {
    let uri: Option<Uri> = url.as_str().parse().ok();
    let of_scheme = if url.as_str().starts_with("https") { 443 } else { 80 };
    uri.and_then(|uri| uri.port_u16()).unwrap_or(of_scheme)
}

fn of_name(fault: &io::Error) -> ReachFault {
    let cause: Option<&(dyn Error + Send + Sync + 'static)> = fault.get_ref();
    if cause.is_some_and(<dyn Error + Send + Sync>::is::<NotAllowed>) {
        ReachFault::NotAllowed
    } else {
        ReachFault::NoAddress
    }
}

fn of_connection(fault: &io::Error) -> ReachFault {
    match fault.kind() {
        io::ErrorKind::ConnectionRefused => ReachFault::Refused,
        io::ErrorKind::TimedOut => ReachFault::TooLate,
        _ => ReachFault::NoWay,
    }
}

/// How long a receiver may take to be reached.
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receiver::{Receiver, Reply};
    use crate::resolver::Found;

    struct Rebound;

    impl Lookup for Rebound {
        fn lookup(&self, _: &str) -> Found {
            Box::pin(async { Ok(vec![IpAddr::from([8, 8, 8, 8]), IpAddr::from([127, 0, 0, 1])]) })
        }
    }

    fn url(text: &str) -> PushUrl {
        PushUrl::parse(text).unwrap()
    }

    #[tokio::test]
    async fn a_receiver_is_connected_to_and_hears_nothing() {
        let receiver = Receiver::start(|_| Reply::status(200)).await;
        let reach = Reach::new(Guard::new(vec!["127.0.0.0/8".parse().unwrap()]));
        let there = url(&format!("http://{}/status", receiver.address));
        assert!(reach.connect(&there).await.is_ok());
        assert_eq!(receiver.requests().len(), 0);
        let gone = receiver.stop().await;
        assert_eq!(reach.connect(&url(&format!("http://{gone}/status"))).await, Err(ReachFault::Refused));
    }

    #[tokio::test]
    async fn our_own_house_is_not_knocked_at() {
        let receiver = Receiver::start(|_| Reply::status(200)).await;
        let port = receiver.address.port();
        let reach = Reach::with_lookup(Guard::default(), Rebound);
        for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "shop.example"] {
            let url = url(&format!("http://{host}:{port}/x"));
            assert_eq!(reach.connect(&url).await, Err(ReachFault::NotAllowed), "{host}");
            assert_eq!(reach.date(&url).await, None, "{host}");
        }
        assert_eq!(receiver.connections(), 0);
    }

    #[test]
    fn a_port_that_is_not_written_is_that_of_the_scheme() {
        for (text, wanted) in
            [("http://a/x", 80), ("https://a/x", 443), ("https://a:8443/x", 8_443), ("http://[::1]:81", 81)]
        {
            assert_eq!(port(&url(text)), wanted, "{text}");
        }
    }
}
