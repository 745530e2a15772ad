//! Names become addresses, and every one of them is checked before anybody connects.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec;

use base::address::Guard;
use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

/// The addresses of a name, as they come.
pub(crate) type Found = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Asks for the addresses of a name: the operating system, or a table in tests.
pub(crate) trait Lookup: Send + Sync + 'static {
    /// Asks for the addresses of `host`.
    fn lookup(&self, host: &str) -> Found;
}

/// The operating system's resolver.
pub(crate) struct System;

impl Lookup for System {
    fn lookup(&self, host: &str) -> Found {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// The address is not one that a push may go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the receiver's address is not allowed")]
pub(crate) struct NotAllowed;

/// The name has no address, or nobody could be asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the receiver's name has no address")]
pub(crate) struct Nameless;

/// Resolves names and lets only those through whose addresses are all allowed.
///
/// The client connects to what comes out of here and asks nobody again, so that a name cannot change its address
/// between the check and the connection.
#[derive(Clone)]
pub(crate) struct Guarded {
    guard: Arc<Guard>,
    lookup: Arc<dyn Lookup>,
}

impl Guarded {
    pub(crate) fn new(guard: Arc<Guard>, lookup: impl Lookup) -> Self {
        Self { guard, lookup: Arc::new(lookup) }
    }
}

impl Service<Name> for Guarded {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (guard, found) = (Arc::clone(&self.guard), self.lookup.lookup(name.as_str()));
        Box::pin(async move {
            let found = found.await.map_err(|_| io::Error::other(Nameless))?;
            if found.is_empty() {
                return Err(io::Error::other(Nameless));
            }
            // One bad address among good ones is how rebinding looks: the whole answer is refused.
            if !found.iter().all(|address| guard.permits(*address)) {
                return Err(io::Error::other(NotAllowed));
            }
            let addresses: Vec<_> = found.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
            Ok(addresses.into_iter())
        })
    }
}
