//! The HTTP listener: the framework's types end here.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Request, Response, StatusCode};
use base::limits;
use dialects::{Headers, WireReply, WireRequest};
use http_body_util::BodyExt;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::road::Road;

/// How long a connection may take to send a request's head, and may idle between two requests.
const HEAD: Duration = Duration::from_secs(60);

/// How long a request's body may take.
const BODY: Duration = Duration::from_secs(10);

/// Connections at once: more than the busiest customer's pool, few enough for their buffers to fit.
const CONNECTIONS: usize = 4_096;

/// Serves the road's requests until `ending` says so; requests that were begun are finished.
pub(crate) async fn serve(listener: TcpListener, road: Arc<Road>, mut ending: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = ended(&mut ending) => return,
        };
        let Ok(place) = place else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ended(&mut ending) => return,
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
        stream.set_nodelay(true).ok();
        let (road, ending) = (Arc::clone(&road), ending.clone());
        tokio::spawn(async move {
            let _place = place;
            connection(stream, peer, road, ending).await;
        });
    }
}

/// Waits until the listener shall end.
async fn ended(ending: &mut watch::Receiver<bool>) {
    // A sender that is gone has ended too.
    ending.wait_for(|ended| *ended).await.ok();
}

/// Serves one connection to its end.
async fn connection(
    stream: tokio::net::TcpStream,
    peer: SocketAddr,
    road: Arc<Road>,
    mut ending: watch::Receiver<bool>,
) {
    let service = service_fn(|request: Request<hyper::body::Incoming>| {
        let road = Arc::clone(&road);
        async move { Ok::<_, std::convert::Infallible>(respond(&road, request, peer.ip()).await) }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // A peer that breaks off or speaks no HTTP is its own business.
        served = connection.as_mut() => { served.ok(); }
        () = ended(&mut ending) => {
            connection.as_mut().graceful_shutdown();
            connection.await.ok();
        }
    }
}

async fn respond(road: &Road, request: Request<hyper::body::Incoming>, peer: IpAddr) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(Some(body)) = tokio::time::timeout(BODY, collect(body)).await else {
        return plain(StatusCode::REQUEST_TIMEOUT);
    };
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = head.headers.iter().map(|(name, value)| (name.as_str(), text(value))).collect::<Headers>();
    let request = WireRequest {
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
async fn collect(mut body: hyper::body::Incoming) -> Option<Vec<u8>> {
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
