//! Where we are, as each gateway sees it: which of our addresses it reaches, and what it is told of them.

use std::net::{IpAddr, SocketAddr};

use sip::{Hop, SentBy, Transport, Viewer};

use crate::trunk::{Peer, Trunk};

/// The addresses that we listen at.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    listening: Vec<Hop>,
    /// What those are told who are told nothing else.
    advertised: Option<IpAddr>,
}

/// Where one gateway reaches us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where it is told to send SIP, and at which address RTP.
    pub(crate) contact: SocketAddr,
    /// Where RTP sockets for it are opened, and connections to it made from.
    pub(crate) local: IpAddr,
}

/// A gateway, and where it reaches us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gateway {
    pub(crate) peer: Peer,
    pub(crate) place: Place,
    /// What it must see in our messages: our name by each transport.
    pub(crate) sent_by: SentBy,
}

impl Places {
    /// `listening` has the ports that the system chose.
    pub(crate) const fn new(listening: Vec<Hop>, advertised: Option<IpAddr>) -> Self {
        Self { listening, advertised }
    }

    /// Whether we have an address from which that one can be reached.
    pub(crate) fn serves(&self, to: Hop) -> bool {
        self.listening(to, None).is_some()
    }

    /// A trunk's gateways, but for those that none of our addresses can reach. `seen_by` tells from which address of this
    /// machine somebody is reached.
    pub(crate) fn gateways(
        &self,
        trunk: &Trunk,
        peers: &[Peer],
        seen_by: impl Fn(SocketAddr) -> Option<IpAddr>,
    ) -> Vec<Gateway> {
        let gateway = |peer: &Peer| {
            let seen = seen_by(peer.hop.address);
            let told = |transport| {
                let way = Hop::new(transport, peer.hop.address);
                Some(self.place(way, trunk.external, seen)?.contact.to_string())
            };
            let place = self.place(peer.hop, trunk.external, seen)?;
            let sent_by = SentBy {
                udp: told(Transport::Udp).unwrap_or_else(|| place.contact.to_string()),
                tcp: told(Transport::Tcp),
                tls: told(Transport::Tls),
            };
            Some(Gateway { peer: peer.clone(), place, sent_by })
        };
        peers.iter().filter_map(gateway).collect()
    }

    /// What we are called on the wire, and by whom otherwise. Whoever is no gateway is told what the first gateway of his
    /// family is told.
    pub(crate) fn names<'a>(
        &self,
        gateways: impl Iterator<Item = &'a Gateway> + Clone,
    ) -> (SentBy, Vec<(Viewer, SentBy)>) {
        let first = |is_ipv4: bool| {
            let mut of_family = gateways.clone().filter(|own| own.peer.hop.address.is_ipv4() == is_ipv4);
            of_family.next().map(|first| first.sent_by.clone())
        };
        let (ipv4, ipv6) = (first(true), first(false));
        let usual = ipv4.or_else(|| ipv6.clone()).unwrap_or_else(|| self.unseen());
        let mut viewers: Vec<(Viewer, SentBy)> = Vec::new();
        for Gateway { peer, sent_by, .. } in gateways {
            let viewer = Viewer::Host(peer.hop.address.ip());
            if *sent_by != usual && !viewers.iter().any(|(known, _)| *known == viewer) {
                viewers.push((viewer, sent_by.clone()));
            }
        }
        viewers.extend(ipv6.filter(|ipv6| *ipv6 != usual).map(|ipv6| (Viewer::Ipv6, ipv6)));
        (usual, viewers)
    }

    /// What we are called while no gateway is known.
    fn unseen(&self) -> SentBy {
        let first = self.listening.first().map(|own| own.address.to_string());
        SentBy { udp: first.unwrap_or_default(), ..SentBy::default() }
    }

    fn place(&self, to: Hop, external: Option<IpAddr>, seen: Option<IpAddr>) -> Option<Place> {
        let at = self.listening(to, seen)?;
        let of_family = |ip: &IpAddr| ip.is_ipv4() == to.address.is_ipv4();
        let own = Some(at.ip()).filter(|ip| !ip.is_unspecified());
        let candidates = [external.filter(of_family), self.advertised.filter(of_family), own, seen];
        let told = candidates.into_iter().flatten().next().unwrap_or_else(|| at.ip());
        Some(Place { contact: SocketAddr::new(told, at.port()), local: at.ip() })
    }

    /// The address at which somebody reaches us: one of his family, by his transport where we have such a one, and the one
    /// that the network would send from, where there are several.
    fn listening(&self, to: Hop, seen: Option<IpAddr>) -> Option<SocketAddr> {
        let by = |transport: Transport| {
            let ours = self.listening.iter().filter(move |own| {
                own.transport == transport && own.address.is_ipv4() == to.address.is_ipv4()
            });
            let near = ours.clone().find(|own| Some(own.address.ip()) == seen);
            near.or_else(|| ours.clone().next()).map(|own| own.address)
        };
        match to.transport {
            Transport::Udp => by(Transport::Udp),
            // By the connection that we make ourselves we are reached too, whatever the port says.
            Transport::Tcp => {
                by(Transport::Tcp).or_else(|| by(Transport::Udp)).or_else(|| by(Transport::Tls))
            }
            Transport::Tls => {
                by(Transport::Tls).or_else(|| by(Transport::Udp)).or_else(|| by(Transport::Tcp))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(text: &str) -> Hop {
        let (transport, address) = text.split_once(' ').unwrap();
        let transport = match transport {
            "udp" => Transport::Udp,
            "tcp" => Transport::Tcp,
            _ => Transport::Tls,
        };
        Hop::new(transport, address.parse().unwrap())
    }

    /// Where a gateway reaches us, and where its RTP sockets are, when the network sends to it from `seen`.
    fn place(listening: &[&str], to: &str, external: Option<&str>, seen: &str) -> String {
        let places = Places::new(listening.iter().map(|text| hop(text)).collect(), None);
        let external = external.map(|text| text.parse().unwrap());
        let place = places.place(hop(to), external, seen.parse().ok());
        place.map_or_else(|| "nowhere".to_owned(), |place| format!("{} {}", place.contact, place.local))
    }

    #[test]
    fn a_gateway_is_told_the_address_that_it_can_reach() {
        let both = ["udp 198.51.100.7:5060", "udp [2001:db8::7]:5060", "tls 198.51.100.7:5061"];
        for (to, told) in [
            ("udp 203.0.113.9:5060", "198.51.100.7:5060 198.51.100.7"),
            ("udp [2001:db8::9]:5060", "[2001:db8::7]:5060 2001:db8::7"),
            ("tls 203.0.113.9:5061", "198.51.100.7:5061 198.51.100.7"),
            // Nobody listens there, but the connection that we make is ours.
            ("tcp 203.0.113.9:5060", "198.51.100.7:5060 198.51.100.7"),
            ("tls [2001:db8::9]:5061", "[2001:db8::7]:5060 2001:db8::7"),
        ] {
            assert_eq!(place(&both, to, None, ""), told, "{to}");
        }
        assert_eq!(place(&["udp 198.51.100.7:5060"], "udp [2001:db8::9]:5060", None, ""), "nowhere");
    }

    #[test]
    fn of_several_addresses_it_is_the_one_that_leads_there() {
        let two = ["udp 198.51.100.7:5060", "udp 10.0.0.7:5070"];
        assert_eq!(place(&two, "udp 10.0.0.9:5060", None, "10.0.0.7"), "10.0.0.7:5070 10.0.0.7");
        assert_eq!(
            place(&two, "udp 203.0.113.9:5060", None, "198.51.100.7"),
            "198.51.100.7:5060 198.51.100.7"
        );
        assert_eq!(place(&two, "udp 203.0.113.9:5060", None, "192.0.2.1"), "198.51.100.7:5060 198.51.100.7");
    }

    #[test]
    fn who_listens_everywhere_tells_what_leads_there_and_who_stands_behind_nat_what_is_outside() {
        let any = ["udp 0.0.0.0:5060"];
        assert_eq!(place(&any, "udp 10.0.0.9:5060", None, "10.0.0.7"), "10.0.0.7:5060 0.0.0.0");
        let outside = Some("198.51.100.7");
        assert_eq!(place(&any, "udp 203.0.113.9:5060", outside, "10.0.0.7"), "198.51.100.7:5060 0.0.0.0");
        let other = Some("2001:db8::7");
        assert_eq!(place(&any, "udp 203.0.113.9:5060", other, "10.0.0.7"), "10.0.0.7:5060 0.0.0.0");
    }
}
