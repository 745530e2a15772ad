//! The HTTP listener: the framework's types end here.
//!
//! ```text
//! /api/…          the operator's API (console)
//! /recordings/…   recordings, by addresses that were given out
//! anything else   the road: the dialects' paths
//! ```

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONNECTION, CONTENT_ENCODING};
use axum::http::{HeaderValue, Request, Response, StatusCode};
use base::address::Block;
use base::limits;
use dialects::{Headers, WireReply, WireRequest};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rand::Rng;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::recordings;
use crate::road::{Road, wall};
use crate::seats::Seats;

/// How long a connection may take to send a request's head, and may idle between two requests.
const HEAD: Duration = Duration::from_secs(60);

/// How long a request's body may take.
const BODY: Duration = Duration::from_secs(10);

/// Bytes of a request's head and of what is buffered of a connection, within a factor of two. A token in a query and all
/// headers fit well.
const HEAD_BYTES: usize = 64 * 1024;

/// Connections at once, few enough for their buffers to fit: half a gigabyte at the worst.
const CONNECTIONS: usize = 4_096;

/// Connections of one address that is no proxy of ours: more than the busiest customer's pool.
const SHARE: usize = CONNECTIONS / 4;

/// How long a peer may leave what we send unacknowledged or its window shut: a receiver that takes nothing more must
/// not keep its connection.
const UNTAKEN: Duration = Duration::from_secs(60);

/// How long requests may go on that had begun when the listener ended: an order waits no longer for its body and the
/// journal, and whoever is still downloading then does not hold up the end.
const LAST_ANSWERS: Duration = Duration::from_secs(60);

/// How far the process is from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It serves.
    Open,
    /// It is about to end: every answer is the last one of its connection.
    Leaving,
    /// It takes no requests any more.
    Over,
}

/// What is behind the listener.
pub(crate) struct Site {
    pub(crate) road: Arc<Road>,
    pub(crate) console: axum::Router,
    /// Proxies that are believed when they say for whom they ask.
    pub(crate) trusted: Vec<Block>,
}

/// Serves requests until that is over, and returns when those that were begun are answered.
pub(crate) async fn serve(listener: TcpListener, site: Arc<Site>, stage: watch::Receiver<Stage>) {
    let connections = TaskTracker::new();
    accept(&listener, site, stage, &connections).await;
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn accept(
    listener: &TcpListener,
    site: Arc<Site>,
    mut stage: watch::Receiver<Stage>,
    connections: &TaskTracker,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let seats = Seats::new(SHARE, site.trusted.clone());
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = ended(&mut stage) => return,
        };
        let Ok(place) = place else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ended(&mut stage) => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(fault) => {
                // Out of file descriptors, most likely: those that we have must first come back.
                tracing::warn!("cannot accept a connection: {fault}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(seat) = seats.take(peer.ip()) else { continue };
        stream.set_nodelay(true).ok();
        rustix::net::sockopt::set_tcp_user_timeout(&stream, u32::try_from(UNTAKEN.as_millis()).unwrap_or(0))
            .ok();
        let (site, stage) = (Arc::clone(&site), stage.clone());
        connections.spawn(async move {
            let _held = (place, seat);
            let service = service_fn(|request: Request<Incoming>| {
                let (site, stage) = (Arc::clone(&site), &stage);
                async move {
                    let mut response = respond(&site, request, peer.ip()).await;
                    if *stage.borrow() != Stage::Open {
                        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                    }
                    Ok::<_, Infallible>(response)
                }
            });
            converse(stream, service, stage.clone(), LAST_ANSWERS).await;
        });
    }
}

/// Waits until the listener shall end.
async fn ended(stage: &mut watch::Receiver<Stage>) {
    // A sender that is gone has ended too.
    stage.wait_for(|stage| *stage == Stage::Over).await.ok();
}

/// Serves one connection to its end. When the listener ends, what was begun has so long to be answered.
async fn converse<T, S>(stream: T, service: S, mut stage: watch::Receiver<Stage>, last: Duration)
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
{
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // A peer that breaks off or speaks no HTTP is its own business.
        served = connection.as_mut() => { served.ok(); }
        () = ended(&mut stage) => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(last, connection).await.ok();
        }
    }
}

async fn respond(site: &Site, request: Request<Incoming>, peer: IpAddr) -> Response<Body> {
    let peer = asker(&request, peer, &site.trusted);
    if is_packed(&request) {
        return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let path = request.uri().path();
    if path == "/api" || path.starts_with("/api/") {
        return operate(site, request, peer).await;
    }
    if path.starts_with(recordings::PATH) {
        let query = request.uri().query().unwrap_or_default();
        return site.road.recordings.serve(path, query, wall()).await;
    }
    follow(&site.road, request, peer).await
}

/// Whether the body says that it is packed (RFC 9110 section 8.4). Nothing is unpacked here: a few bytes could become many.
fn is_packed<B>(request: &Request<B>) -> bool {
    let codings = request.headers().get_all(CONTENT_ENCODING).iter();
    let mut codings = codings.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    codings.any(|coding| {
        !coding.trim_ascii().is_empty() && !coding.trim_ascii().eq_ignore_ascii_case(b"identity")
    })
}

/// Who asks: the peer, unless it is a proxy that we believe. Then the last address in `X-Forwarded-For` that is not such
/// a proxy itself.
fn asker<B>(request: &Request<B>, peer: IpAddr, trusted: &[Block]) -> IpAddr {
    // On a socket of both families an IPv4 address comes in the clothes of IPv6.
    let peer = peer.to_canonical();
    let is_ours = |address: IpAddr| trusted.iter().any(|block| block.contains(address));
    if !is_ours(peer) {
        return peer;
    }
    let lines = request.headers().get_all("x-forwarded-for").iter().rev();
    let mut hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(',').map(str::trim));
    hops.find_map(|hop| match address(hop) {
        Some(address) if is_ours(address) => None,
        Some(address) => Some(address),
        // What a proxy did not write as an address ends the chain that can be believed.
        None => Some(peer),
    })
    .unwrap_or(peer)
}

/// The address of a hop; some proxies write its port behind it.
fn address(hop: &str) -> Option<IpAddr> {
    let alone = hop.parse().ok();
    alone.or_else(|| hop.parse().ok().map(|with_port: SocketAddr| with_port.ip())).map(|ip| ip.to_canonical())
}

/// The operator's API.
async fn operate(site: &Site, request: Request<Incoming>, peer: IpAddr) -> Response<Body> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(console::Peer(peer));
    let Ok(response) = site.console.clone().oneshot(request).await;
    response
}

/// The dialects' requests.
async fn follow(road: &Road, request: Request<Incoming>, peer: IpAddr) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(Some(body)) = tokio::time::timeout(BODY, collect(body)).await else {
        return plain(StatusCode::REQUEST_TIMEOUT);
    };
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = head.headers.iter().map(|(name, value)| (name.as_str(), text(value))).collect::<Headers>();
    let request = WireRequest {
        id: rand::rng().random(),
        method: head.method.as_str().into(),
        path: head.uri.path().into(),
        query: head.uri.query().unwrap_or("").into(),
        headers,
        body,
        peer,
    };
    reply(road.take(request).await)
}

/// The body, or its first bytes up to one more than is allowed: enough for a dialect to refuse it in its own words.
async fn collect(mut body: Incoming) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        let room = (limits::REQUEST_BODY_BYTES + 1).saturating_sub(bytes.len());
        bytes.extend_from_slice(&data[..data.len().min(room)]);
        if room <= data.len() {
            break;
        }
    }
    Some(bytes)
}

fn reply(reply: WireReply) -> Response<Body> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers.iter() {
        response = response.header(name, value);
    }
    response
        .body(Body::from(Bytes::from(reply.body)))
        .unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR))
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[test]
    fn only_a_trusted_proxy_says_for_whom_it_asks() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let asked = |peer: &str, lines: &[&str]| {
            let mut request = Request::new(());
            for line in lines {
                request.headers_mut().append("x-forwarded-for", line.parse().unwrap());
            }
            asker(&request, peer.parse().unwrap(), &trusted).to_string()
        };
        assert_eq!(asked("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(asked("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(asked("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(asked("10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(asked("10.0.0.1", &["203.0.113.9", "198.51.100.7"]), "198.51.100.7");
        assert_eq!(asked("10.0.0.1", &["203.0.113.9, unknown"]), "10.0.0.1");
        assert_eq!(asked("::ffff:10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(asked("10.0.0.1", &["198.51.100.7:40123, [::ffff:10.0.0.2]:80"]), "198.51.100.7");
        assert_eq!(asked("10.0.0.1", &["[2001:db8::7]:40123"]), "2001:db8::7");
    }

    /// Every request is answered with more than any buffer between us and the peer holds.
    async fn answer(_: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        Ok(Response::new(Body::from(vec![0; 1 << 20])))
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_does_not_hold_up_the_end() {
        let (mut peer, ours) = tokio::io::duplex(1_024);
        let (end, stage) = watch::channel(Stage::Open);
        let served = tokio::spawn(converse(ours, service_fn(answer), stage, Duration::from_millis(1)));
        peer.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
        peer.read_u8().await.unwrap();
        end.send_replace(Stage::Over);
        let ended = tokio::time::timeout(Duration::from_secs(60), served).await;
        assert!(ended.is_ok(), "the peer holds its connection");
    }

    #[tokio::test]
    async fn a_head_has_an_end() {
        let (mut peer, ours) = tokio::io::duplex(4 * HEAD_BYTES);
        let (_end, stage) = watch::channel(Stage::Open);
        tokio::spawn(converse(ours, service_fn(answer), stage, LAST_ANSWERS));
        let long = format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(3 * HEAD_BYTES));
        peer.write_all(long.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        peer.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 431");
    }
}
