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
use sip::Transport;
use tokio::task::JoinSet;

pub(crate) use self::dns::Fault;
pub(crate) use self::locate::{Gateway, Located};

use self::dns::Dns;
use self::followed::Followed;
use crate::config::{Peer, ReadTrunk};

/// Looks up the gateways of a host.
///
/// # Errors
/// Why it has none.
pub(crate) async fn look_up(host: &str, port: Option<u16>, ours: SocketAddr) -> Result<Located, Fault> {
    NameServers::default().look_up(host, port, ours).await
}

/// Whom we ask.
#[derive(Clone, Debug, Default)]
struct NameServers {
    /// `None`: those of this machine.
    own: Option<ResolverConfig>,
}

impl NameServers {
    async fn look_up(&self, host: &str, port: Option<u16>, ours: SocketAddr) -> Result<Located, Fault> {
        let dns = match &self.own {
            Some(servers) => Dns::of(servers.clone())?,
            None => Dns::of_this_machine()?,
        };
        let takes = |address: &SocketAddr| address.is_ipv4() == ours.is_ipv4();
        locate::locate(&dns, (host, port), &TRANSPORTS, takes).await
    }
}

/// The trunks, and what their names come to.
#[derive(Debug)]
pub(crate) struct Names {
    servers: NameServers,
    ours: SocketAddr,
    trunks: Vec<Named>,
}

/// A trunk.
#[derive(Debug)]
struct Named {
    trunk: Box<str>,
    peers: Vec<Known>,
    /// What the engine was told last.
    told: Vec<engine::trunk::Peer>,
}

/// What is known of one of a trunk's peers.
#[derive(Debug)]
enum Known {
    At(SocketAddr),
    Named { host: String, port: Option<u16>, followed: Followed },
}

impl Names {
    /// Looks up all names of all trunks. A name that cannot be resolved now is left out.
    pub(crate) async fn look(trunks: &[ReadTrunk], ours: SocketAddr) -> Self {
        Self::look_by(NameServers::default(), trunks, ours).await
    }

    async fn look_by(servers: NameServers, trunks: &[ReadTrunk], ours: SocketAddr) -> Self {
        let now = Instant::now();
        let known = |peer: &Peer| match peer {
            Peer::At(address) => Known::At(*address),
            Peer::Named { host, port } => {
                Known::Named { host: host.clone(), port: *port, followed: Followed::new(now) }
            }
        };
        let named = |trunk: &ReadTrunk| Named {
            trunk: trunk.settings.name.clone(),
            peers: trunk.peers.iter().map(known).collect(),
            told: Vec::new(),
        };
        let mut names = Self { servers, ours, trunks: trunks.iter().map(named).collect() };
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

    /// Looks again whenever an answer holds no more, and tells the engine what has changed. Ends only when it is aborted.
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
        let next = self.trunks.iter().filter_map(Named::next).min()?;
        let is_untold = self.trunks.iter().any(|trunk| trunk.told != trunk.gateways());
        Some(if is_untold { next.min(Instant::now() + RETRY) } else { next })
    }

    /// Looks up what is due, all at once: a name server that is slow for one name holds up no other.
    async fn look_again(&mut self, now: Instant) {
        let mut looks = JoinSet::new();
        for (at, trunk) in self.trunks.iter().enumerate() {
            for (which, host, port) in trunk.due(now) {
                let (servers, host, ours) = (self.servers.clone(), host.to_owned(), self.ours);
                looks.spawn(async move { (at, which, servers.look_up(&host, port, ours).await) });
            }
        }
        while let Some(Ok((at, which, look))) = looks.join_next().await {
            let Named { trunk, peers, .. } = &mut self.trunks[at];
            let Known::Named { host, followed, .. } = &mut peers[which] else { continue };
            if let Err(why) = &look {
                tracing::warn!(trunk = %trunk, host, "the name of a trunk is not resolved: {why}");
            }
            followed.on_look(look, now);
        }
    }
}

impl Named {
    /// The names whose time has come, each with its place among the peers.
    fn due(&self, now: Instant) -> impl Iterator<Item = (usize, &str, Option<u16>)> {
        self.peers.iter().enumerate().filter_map(move |(which, peer)| match peer {
            Known::Named { host, port, followed } if followed.next() <= now => {
                Some((which, host.as_str(), *port))
            }
            Known::Named { .. } | Known::At(_) => None,
        })
    }

    /// When its next name is due.
    fn next(&self) -> Option<Instant> {
        let next = |peer: &Known| match peer {
            Known::Named { followed, .. } => Some(followed.next()),
            Known::At(_) => None,
        };
        self.peers.iter().filter_map(next).min()
    }

    /// Its gateways, those of one peer after those of the other; one that several peers have is the first one's.
    fn gateways(&self) -> Vec<engine::trunk::Peer> {
        let mut found: Vec<engine::trunk::Peer> = Vec::new();
        for peer in &self.peers {
            let after = found.last().map_or(0, |last| last.turn.rank + 1);
            let mut add = |mut peer: engine::trunk::Peer| {
                peer.turn.rank += after;
                if found.len() < TRUNK_ADDRESSES && found.iter().all(|known| known.hop != peer.hop) {
                    found.push(peer);
                }
            };
            match peer {
                Known::At(address) => add((*address).into()),
                Known::Named { host, followed, .. } => {
                    let name: Arc<str> = host.as_str().into();
                    for Gateway { hop, turn } in followed.gateways().iter().copied() {
                        add(engine::trunk::Peer { hop, name: Some(Arc::clone(&name)), turn });
                    }
                }
            }
        }
        found
    }
}

/// How soon the engine is told again what it had no room for.
const RETRY: Duration = Duration::from_secs(1);

/// The transports that a trunk with a name may be spoken to by.
const TRANSPORTS: [Transport; 1] = [Transport::Udp];
