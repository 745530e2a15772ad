//! The addresses of trunks that have a name: looked up when the house opens, and again and again while it stands.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base::trunk::TrunkNo;
use engine::Engine;
use sip::Hop;
use tokio::net::lookup_host;
use tokio::time::timeout;

use crate::config::{Peer, ReadTrunk};

/// What a trunk's peers come to. A name that cannot be resolved now is left out, and so are its addresses of another
/// family than ours.
pub(crate) async fn resolve(trunk: &ReadTrunk, ours: &[Hop]) -> Vec<engine::trunk::Peer> {
    let (mut found, mut names) = (Vec::new(), HashMap::new());
    for peer in &trunk.peers {
        match peer {
            Peer::At(address) => found.push(*address),
            Peer::Named { host, port } => match look_up(host, *port).await {
                Ok(addresses) => {
                    for address in addresses.into_iter().filter(|address| is_served(ours, address)) {
                        names.entry(address).or_insert(host.as_str());
                        found.push(address);
                    }
                }
                Err(why) => {
                    tracing::warn!(trunk = %trunk.settings.name, host, "the name of a trunk is not resolved: {why}");
                }
            },
        }
    }
    found.sort_by_key(|address| found_at(trunk, address));
    found.dedup();
    let peer = |address: SocketAddr| engine::trunk::Peer {
        hop: Hop::new(trunk.transport, address),
        name: trunk.certificate_name(names.get(&address).copied()),
    };
    found.into_iter().map(peer).collect()
}

/// Whether one of the addresses that we listen at is of the family of that one.
fn is_served(ours: &[Hop], address: &SocketAddr) -> bool {
    ours.iter().any(|own| own.address.is_ipv4() == address.is_ipv4())
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
            let peers = resolve(trunk, engine.listening()).await;
            let is_news = !peers.is_empty() && known[place].as_ref() != Some(&peers);
            let Some(no) = TrunkNo::new(place).filter(|_| is_news) else { continue };
            if engine.set_peers(no, &peers) {
                known[place] = Some(peers);
            }
        }
    }
}

/// How often names are looked up again.
const EVERY: Duration = Duration::from_secs(60);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
