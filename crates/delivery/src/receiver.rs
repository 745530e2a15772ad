//! A customer's receiver for tests: a real HTTP server on a free port of this machine.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// A receiver that answers by a rule and remembers what came.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

struct Shared {
    rule: Box<dyn Fn(&Request) -> Reply + Send + Sync>,
    requests: Mutex<Vec<Request>>,
    connections: AtomicUsize,
    came: Notify,
}

/// What came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// What is answered.
pub(crate) enum Reply {
    Whole {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// The connection is closed without an answer.
    HangUp,
    /// No answer ever comes.
    Silence,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self::Whole { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn hang_up() -> Self {
        Self::HangUp
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Whole { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }

    pub(crate) fn body(mut self, bytes: Vec<u8>) -> Self {
        if let Self::Whole { body, .. } = &mut self {
            *body = bytes;
        }
        self
    }
}

impl Receiver {
    /// Starts a receiver that answers each request by the rule.
    pub(crate) async fn start(rule: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_on(0, rule).await
    }

    /// The same on a port that was free a moment ago.
    pub(crate) async fn start_on(
        port: u16,
        rule: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("0.0.0.0", port)).await.unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], listener.local_addr().unwrap().port()));
        let shared = Arc::new(Shared {
            rule: Box::new(rule),
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
            came: Notify::new(),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Self { address, shared, server }
    }

    /// The same receiver under another address of this machine: another host, for those who push.
    pub(crate) fn named(mut self, address: &str) -> Self {
        self.address.set_ip(address.parse().unwrap());
        self
    }

    /// Everything that came so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Waits until so many requests have come.
    pub(crate) async fn has(&self, count: usize) -> Vec<Request> {
        loop {
            let came = self.shared.came.notified();
            let requests = self.requests();
            if requests.len() >= count {
                return requests;
            }
            came.await;
        }
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Nobody is at home any more; gives the address that is free now.
    pub(crate) async fn stop(self) -> SocketAddr {
        self.server.abort();
        let _aborted = self.server.await;
        self.address
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
        connections.spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn answer(
    request: hyper::Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<hyper::Response<Full<Bytes>>, io::Error> {
    let path = request.uri().path().to_owned();
    let text = |value: &hyper::header::HeaderValue| value.to_str().unwrap().to_owned();
    let headers =
        request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let body = request.into_body().collect().await.map_err(io::Error::other)?.to_bytes().to_vec();
    let request = Request { path, headers, body };
    let reply = (shared.rule)(&request);
    shared.requests.lock().unwrap().push(request);
    shared.came.notify_waiters();
    match reply {
        Reply::Whole { status, headers, body } => {
            let mut response = hyper::Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            Ok(response.body(Full::new(body.into())).unwrap())
        }
        Reply::HangUp => Err(io::Error::other("hangs up")),
        Reply::Silence => {
            let never: Infallible = std::future::pending().await;
            match never {}
        }
    }
}
