//! The addresses of trunks that have a name: looked up when the house opens, and again and again while it stands.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base::trunk::TrunkNo;
use engine::Engine;
use tokio::net::lookup_host;
use tokio::time::timeout;

use crate::config::{Peer, ReadTrunk};

/// What a trunk's peers come to. A name that cannot be resolved now is left out, and so are its addresses of another
/// family than ours.
pub(crate) async fn resolve(trunk: &ReadTrunk, ours: SocketAddr) -> Vec<SocketAddr> {
    let mut found = Vec::new();
    for peer in &trunk.peers {
        match peer {
            Peer::At(address) => found.push(*address),
            Peer::Named { host, port } => match look_up(host, *port).await {
                Ok(addresses) => {
                    found.extend(addresses.into_iter().filter(|address| address.is_ipv4() == ours.is_ipv4()));
                }
                Err(why) => {
                    tracing::warn!(trunk = %trunk.settings.name, host, "the name of a trunk is not resolved: {why}");
                }
            },
        }
    }
    found.sort_by_key(|address| found_at(trunk, address));
    found.dedup();
    found
}

/// Addresses that were written keep their places, before those of names, whose order must not change from one look to
/// the next.
fn found_at(trunk: &ReadTrunk, address: &SocketAddr) -> (usize, SocketAddr) {
    let place = trunk.peers.iter().position(|peer| *peer == Peer::At(*address));
    (place.unwrap_or(trunk.peers.len()), *address)
}

/// The addresses of a name.
///
/// # Errors
/// Why there are none, in words.
pub(crate) async fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    match timeout(PATIENCE, lookup_host((host, port))).await {
        Ok(Ok(addresses)) => Ok(addresses.collect()),
        Ok(Err(fault)) => Err(fault.to_string()),
        Err(_) => Err(format!("no answer within {PATIENCE:?}")),
    }
}

/// Tells the engine whenever a name comes to other addresses. What is not resolved any more keeps the addresses that it
/// had. Ends only when it is aborted.
pub(crate) async fn follow(engine: Arc<Engine>, trunks: Vec<ReadTrunk>) {
    let has_name = |trunk: &ReadTrunk| trunk.peers.iter().any(|peer| matches!(peer, Peer::Named { .. }));
    let mut known = vec![None; trunks.len()];
    let mut clock = tokio::time::interval(EVERY);
    loop {
        clock.tick().await;
        for (place, trunk) in trunks.iter().enumerate().filter(|(_, trunk)| has_name(trunk)) {
            let peers = resolve(trunk, engine.address()).await;
            let is_news = !peers.is_empty() && known[place].as_ref() != Some(&peers);
            let Some(no) = TrunkNo::new(place).filter(|_| is_news) else { continue };
            let as_told: Vec<engine::trunk::Peer> = peers.iter().copied().map(Into::into).collect();
            if engine.set_peers(no, &as_told) {
                known[place] = Some(peers);
            }
        }
    }
}

/// How often names are looked up again.
const EVERY: Duration = Duration::from_secs(60);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
