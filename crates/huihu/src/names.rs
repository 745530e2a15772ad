//! The gateways of trunks that have a name: looked up when the house opens, and again and again while it stands.
//!
//! [`locate`] walks from a name to its gateways, [`dns`] asks and doubts, [`followed`] says when to look again.

mod dns;
mod followed;
mod locate;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base::trunk::{TRUNK_ADDRESSES, TrunkNo};
use engine::Engine;
use hickory_resolver::config::ResolverConfig;
use sip::{Hop, Transport};
use tokio::task::JoinSet;

pub(crate) use self::dns::Fault;
pub(crate) use self::locate::{Gateway, Located};

use self::dns::Dns;
use self::followed::Followed;
use crate::config::{Peer, ReadTrunk};

/// Looks up the gateways of a host by the name servers of this machine: those that one of our addresses can reach.
///
/// # Errors
/// Why it has none.
pub(crate) async fn look_up(
    host: &str,
    port: Option<u16>,
    transports: &[Transport],
    ours: &[Hop],
) -> Result<Located, Fault> {
    NameServers::default().look_up((host, port), transports, ours).await
}

/// Whom we ask.
#[derive(Clone, Debug, Default)]
struct NameServers {
    /// `None`: those of this machine.
    own: Option<ResolverConfig>,
}

impl NameServers {
    async fn look_up(
        &self,
        name: (&str, Option<u16>),
        transports: &[Transport],
        ours: &[Hop],
    ) -> Result<Located, Fault> {
        let dns = match &self.own {
            Some(servers) => Dns::of(servers.clone())?,
            None => Dns::of_this_machine()?,
        };
        let takes = |to: &SocketAddr| ours.iter().any(|own| own.address.is_ipv4() == to.is_ipv4());
        locate::locate(&dns, name, transports, takes).await
    }
}

/// The trunks, and what their names come to.
#[derive(Debug)]
pub(crate) struct Names {
    servers: NameServers,
    ours: Arc<[Hop]>,
    trunks: Vec<Named>,
}

/// A trunk.
#[derive(Debug)]
struct Named {
    trunk: ReadTrunk,
    /// What is known of each of its peers that has a name.
    followed: Vec<Option<Followed>>,
    /// What the engine was told last.
    told: Vec<engine::trunk::Peer>,
}

impl Names {
    /// Looks up all names of all trunks. A name that cannot be resolved now is left out, and so are addresses of another
    /// family than those that we listen at.
    pub(crate) async fn look(trunks: &[ReadTrunk], ours: &[Hop]) -> Self {
        Self::look_by(NameServers::default(), trunks, ours).await
    }

    async fn look_by(servers: NameServers, trunks: &[ReadTrunk], ours: &[Hop]) -> Self {
        let now = Instant::now();
        let followed = |peer: &Peer| match peer {
            Peer::At(_) => None,
            Peer::Named { .. } => Some(Followed::new(now)),
        };
        let named = |trunk: &ReadTrunk| Named {
            trunk: trunk.clone(),
            followed: trunk.peers.iter().map(followed).collect(),
            told: Vec::new(),
        };
        let mut names = Self { servers, ours: ours.into(), trunks: trunks.iter().map(named).collect() };
        names.look_again(now).await;
        for trunk in &mut names.trunks {
            trunk.told = trunk.gateways();
        }
        names
    }

    /// The gateways of a trunk, in the order in which they are tried.
    pub(crate) fn gateways(&self, place: usize) -> Vec<engine::trunk::Peer> {
        self.trunks.get(place).map(Named::gateways).unwrap_or_default()
    }

    /// Looks again whenever an answer holds no more, and tells the engine what has changed. Ends when no trunk has a name,
    /// or when it is aborted.
    pub(crate) async fn follow(mut self, engine: Arc<Engine>) {
        while let Some(next) = self.next() {
            tokio::time::sleep_until(next.into()).await;
            self.look_again(Instant::now()).await;
            for (place, trunk) in self.trunks.iter_mut().enumerate() {
                let gateways = trunk.gateways();
                let Some(no) = TrunkNo::new(place).filter(|_| trunk.told != gateways) else { continue };
                if engine.set_peers(no, &gateways) {
                    trunk.told = gateways;
                }
            }
        }
    }

    /// When a name is to be looked up again, or the engine to be told what it had no room for; `None` when no trunk has a
    /// name.
    fn next(&self) -> Option<Instant> {
        let followed = self.trunks.iter().flat_map(|trunk| trunk.followed.iter().flatten());
        let next = followed.map(Followed::next).min()?;
        let is_untold = self.trunks.iter().any(|trunk| trunk.told != trunk.gateways());
        Some(if is_untold { next.min(Instant::now() + RETRY) } else { next })
    }

    /// Looks up what is due, all at once: a name server that is slow for one name holds up no other.
    async fn look_again(&mut self, now: Instant) {
        let mut looks = JoinSet::new();
        for (at, trunk) in self.trunks.iter().enumerate() {
            for (which, host, port) in trunk.due(now) {
                let (servers, ours, host) = (self.servers.clone(), Arc::clone(&self.ours), host.to_owned());
                let (transports, trunk) = (trunk.trunk.transports, trunk.trunk.settings.name.clone());
                looks.spawn(async move {
                    let look = servers.look_up((&host, port), transports, &ours).await;
                    if let Err(why) = &look {
                        tracing::warn!(%trunk, host, "the name of a trunk is not resolved: {why}");
                    }
                    (at, which, look)
                });
            }
        }
        while let Some(Ok((at, which, look))) = looks.join_next().await {
            if let Some(followed) = &mut self.trunks[at].followed[which] {
                followed.on_look(look, now);
            }
        }
    }
}

impl Named {
    /// The names whose time has come, each with its place among the peers.
    fn due(&self, now: Instant) -> impl Iterator<Item = (usize, &str, Option<u16>)> {
        let peers = self.trunk.peers.iter().zip(&self.followed).enumerate();
        peers.filter_map(move |(which, (peer, followed))| match (peer, followed) {
            (Peer::Named { host, port }, Some(followed)) if followed.next() <= now => {
                Some((which, host.as_str(), *port))
            }
            (Peer::Named { .. } | Peer::At(_), _) => None,
        })
    }

    /// Its gateways, those of one peer after those of the other; one that several peers have is the first one's.
    fn gateways(&self) -> Vec<engine::trunk::Peer> {
        let mut found: Vec<engine::trunk::Peer> = Vec::new();
        for (peer, followed) in self.trunk.peers.iter().zip(&self.followed) {
            let after = found.last().map_or(0, |last| last.turn.rank + 1);
            let gateways = match (peer, followed) {
                (Peer::Named { host, .. }, Some(followed)) => {
                    let gateway = |gateway: &Gateway| self.trunk.gateway(gateway, Some(host));
                    followed.gateways().iter().map(gateway).collect()
                }
                (Peer::Named { .. }, None) => Vec::new(),
                (Peer::At(address), _) => vec![self.trunk.gateway_at(*address)],
            };
            for mut gateway in gateways {
                gateway.turn.rank += after;
                if found.len() < TRUNK_ADDRESSES && found.iter().all(|known| known.hop != gateway.hop) {
                    found.push(gateway);
                }
            }
        }
        found
    }
}

/// How soon the engine is told again what it had no room for.
const RETRY: Duration = Duration::from_secs(1);
