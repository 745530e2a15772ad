//! What is opened at the start: the sockets for SIP, and the ways to the trunks.

use std::sync::Arc;

use base::trunk::{TRUNKS, TrunkNo};
use sip::{Hop, Transport};

use crate::driver::datagrams::Datagrams;
use crate::driver::places::{Gateway, Places};
use crate::driver::sockets;
use crate::driver::streams::{self, Book, Listener};
use crate::engine::{Settings, StartFault};
use crate::trunk::Trunk;

/// What we hear by.
pub(crate) struct Listening {
    pub(crate) datagrams: Datagrams,
    pub(crate) listeners: Vec<Listener>,
    /// Where that is, in the order of the settings.
    pub(crate) listening: Vec<Hop>,
}

impl Listening {
    /// Opens all of them.
    pub(crate) fn open(settings: &Settings) -> Result<Self, StartFault> {
        let (mut datagrams, mut listeners, mut listening) = (Vec::new(), Vec::new(), Vec::new());
        let lost = |what: &str| StartFault::Thread(std::io::Error::other(format!("{what} has no address")));
        for Hop { transport, address } in settings.sip.iter().copied() {
            if transport == Transport::Tls && settings.tls.is_none() {
                return Err(StartFault::NoCertificate { address });
            }
            let address = if transport == Transport::Udp {
                let socket = sockets::signalling(address)?;
                let own = socket.local_addr().ok().and_then(|address| address.as_socket());
                let own = own.ok_or_else(|| lost("the signalling socket"))?;
                datagrams.push((socket, own));
                own
            } else {
                let socket = sockets::listener(address)?;
                let own = socket.local_addr().map_err(|_| lost("a socket for connections"))?;
                listeners.push(Listener { transport, socket });
                own
            };
            listening.push(Hop::new(transport, address));
        }
        if listening.is_empty() {
            return Err(StartFault::Nowhere);
        }
        Ok(Self { datagrams: Datagrams::new(datagrams), listeners, listening })
    }
}

/// The gateways of all trunks, in the order of the trunks.
pub(crate) fn gateways(settings: &Settings, places: &Places) -> Result<Vec<Arc<[Gateway]>>, StartFault> {
    let mut all = Vec::new();
    for trunk in settings.trunks.iter().take(TRUNKS) {
        if let Some(lost) = trunk.peers.iter().find(|peer| !places.serves(peer.hop)) {
            return Err(StartFault::Families { trunk: lost.hop });
        }
        let found = places.gateways(trunk, &trunk.peers, |to| sockets::seen_by(to).ok());
        // Who is told that we are everywhere reaches nobody.
        if let Some(lost) = found.iter().find(|gateway| gateway.place.contact.ip().is_unspecified()) {
            sockets::seen_by(lost.peer.hop.address).map_err(StartFault::Unreachable)?;
        }
        all.push(found.into());
    }
    Ok(all)
}

/// What connections are made by.
pub(crate) fn book(settings: &Settings, gateways: &[Arc<[Gateway]>]) -> Book {
    let of_trunks = settings.trunks.iter().zip(gateways).enumerate();
    let ways =
        of_trunks.filter_map(|(place, (trunk, gateways))| Some(ways(TrunkNo::new(place)?, trunk, gateways)));
    let callers = settings.trunks.iter().flat_map(|trunk| trunk.sources.iter().copied());
    Book { ways: ways.flatten().collect(), callers: callers.collect() }
}

pub(crate) fn ways(no: TrunkNo, trunk: &Trunk, gateways: &[Gateway]) -> Vec<streams::Way> {
    let way = |Gateway { peer, place, .. }: &Gateway| streams::Way {
        hop: peer.hop,
        trunk: no,
        name: peer.name.clone(),
        tls: trunk.tls.clone(),
        from: Some(place.local).filter(|ip| !ip.is_unspecified()),
    };
    gateways.iter().map(way).collect()
}
