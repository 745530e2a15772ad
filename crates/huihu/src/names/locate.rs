//! From the name of a carrier to its gateways (RFC 3263 4).
//!
//! ```text
//! host and port ───────────────────────────────────────────────▶ A, AAAA
//! host ─▶ NAPTR: which transports ─▶ SRV: which servers ───────▶ A, AAAA
//!           └─ none: SRV of each transport that we speak ─ none ─▶ A, AAAA, by the first of them, at its usual port
//! ```

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use base::trunk::TRUNK_ADDRESSES;
use engine::trunk::Turn;
use hickory_resolver::proto::rr::rdata::{NAPTR, SRV};
use sip::{Hop, Transport};
use tokio::time::timeout;

use super::dns::{Dns, Fault};

/// One gateway of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gateway {
    pub(crate) hop: Hop,
    pub(crate) turn: Turn,
}

/// What a name has come to, in the order in which it is tried; at least one, and no more than a trunk may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Located {
    pub(crate) gateways: Vec<Gateway>,
    /// Until when that holds, as the name server says.
    pub(crate) until: Instant,
}

/// Finds the gateways of a host. Without a port the domain says which servers it has for the `transports` that we may
/// speak to it, of which the first is what is spoken if it says nothing.
pub(super) async fn locate(
    dns: &Dns,
    (host, port): (&str, Option<u16>),
    transports: &[Transport],
    takes: impl Fn(&SocketAddr) -> bool,
) -> Result<Located, Fault> {
    let mut search =
        Search { dns, takes, gateways: Vec::new(), passed_over: false, until: Instant::now() + LONGEST };
    let usual = transports.first().copied().unwrap_or_default();
    timeout(PATIENCE, async {
        match port {
            Some(port) => search.add(host, (usual, port), Turn::default()).await?,
            None => search.by_domain(host, usual, transports).await?,
        }
        match (search.gateways.is_empty(), search.passed_over) {
            (false, _) => Ok(()),
            (true, true) => Err(Fault::OtherFamily),
            (true, false) => Err(Fault::Nothing),
        }
    })
    .await
    .unwrap_or(Err(Fault::Silent))?;
    Ok(Located { gateways: search.gateways, until: search.until })
}

/// What was found so far.
struct Search<'a, F> {
    dns: &'a Dns,
    takes: F,
    gateways: Vec<Gateway>,
    /// Whether there were addresses that we cannot take.
    passed_over: bool,
    until: Instant,
}

impl<F: Fn(&SocketAddr) -> bool> Search<'_, F> {
    async fn by_domain(
        &mut self,
        domain: &str,
        usual: Transport,
        transports: &[Transport],
    ) -> Result<(), Fault> {
        let mut services = match self.dns.services(domain).await {
            Ok(answer) => {
                self.until = self.until.min(answer.until);
                services(&answer.records, transports)
            }
            // Some name servers in front of a network refuse questions that they do not know.
            Err(Fault::Nothing | Fault::Refused) => Vec::new(),
            Err(fault) => return Err(fault),
        };
        if services.is_empty() {
            services = transports.iter().map(|transport| (*transport, service(*transport, domain))).collect();
        }
        let mut first_rank = 0;
        for (transport, service) in services {
            let servers = match self.dns.servers(&service).await {
                Ok(answer) => {
                    self.until = self.until.min(answer.until);
                    ranked(answer.records)
                }
                Err(Fault::Nothing | Fault::Refused) => continue,
                Err(fault) => return Err(fault),
            };
            let last_rank = servers.last().map_or(first_rank, |(rank, _)| first_rank + rank + 1);
            for (rank, server) in servers {
                let target = server.target.to_ascii();
                // A server that cannot be found now is one of several, as one that does not answer is.
                let at = (transport, server.port);
                self.add(&target, at, Turn { rank: first_rank + rank, weight: server.weight }).await.ok();
            }
            first_rank = last_rank;
        }
        if self.gateways.is_empty() {
            self.add(domain, (usual, usual.default_port()), Turn::default()).await?;
        }
        Ok(())
    }

    /// Adds the addresses of a host.
    async fn add(
        &mut self,
        host: &str,
        (transport, port): (Transport, u16),
        turn: Turn,
    ) -> Result<(), Fault> {
        if self.gateways.len() >= TRUNK_ADDRESSES {
            return Ok(());
        }
        let answer = self.dns.addresses(host).await?;
        self.until = self.until.min(answer.until);
        for ip in answer.records {
            let address = SocketAddr::new(ip, port);
            let hop = Hop::new(transport, address);
            if !(self.takes)(&address) {
                self.passed_over = true;
                continue;
            }
            let is_new = self.gateways.iter().all(|known| known.hop != hop);
            if is_new && self.gateways.len() < TRUNK_ADDRESSES {
                self.gateways.push(Gateway { hop, turn });
            }
        }
        Ok(())
    }
}

/// The services of a domain that we may use, the one that it prefers first, each with the name of its servers.
fn services(records: &[NAPTR], transports: &[Transport]) -> Vec<(Transport, String)> {
    let spoken = |naptr: &&NAPTR| {
        // `s`: what follows is SRV. Anything else is not for SIP (RFC 3263 4.1).
        let transport = transport_of(&naptr.services).filter(|_| naptr.flags.eq_ignore_ascii_case(b"s"))?;
        (transports.contains(&transport) && !naptr.replacement.is_root()).then_some(transport)
    };
    let mut usable: Vec<_> = records.iter().filter_map(|naptr| Some((spoken(&naptr)?, naptr))).collect();
    usable.sort_by_key(|(_, naptr)| (naptr.order, naptr.preference));
    usable.dedup_by_key(|(transport, _)| *transport);
    usable.truncate(SERVICES_MAX);
    usable.into_iter().map(|(transport, naptr)| (transport, naptr.replacement.to_ascii())).collect()
}

/// The transport of a NAPTR service (RFC 3263 4.1).
fn transport_of(service: &[u8]) -> Option<Transport> {
    match service.to_ascii_uppercase().as_slice() {
        b"SIP+D2U" => Some(Transport::Udp),
        b"SIP+D2T" => Some(Transport::Tcp),
        b"SIPS+D2T" => Some(Transport::Tls),
        _ => None,
    }
}

/// Where the servers of a domain stand that has no NAPTR.
fn service(transport: Transport, domain: &str) -> String {
    let labels = match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
    };
    format!("{labels}.{domain}")
}

/// Servers by their priority, each with its rank among them; those of one priority share it. Two looks at the same
/// records give the same order.
fn ranked(mut servers: Vec<SRV>) -> Vec<(u16, SRV)> {
    // A root as the target: the service is not there (RFC 2782).
    servers.retain(|server| !server.target.is_root() && server.port > 0);
    servers.sort_by(|one, other| {
        let order = |server: &SRV| (server.priority, u16::MAX - server.weight, server.port);
        order(one).cmp(&order(other)).then_with(|| one.target.cmp(&other.target))
    });
    servers.truncate(TRUNK_ADDRESSES);
    let mut ranks = Vec::with_capacity(servers.len());
    let mut last = None;
    for server in servers {
        let rank = match last {
            None => 0,
            Some((rank, priority)) if priority == server.priority => rank,
            Some((rank, _)) => rank + 1,
        };
        last = Some((rank, server.priority));
        ranks.push((rank, server));
    }
    ranks
}

/// How long a whole look may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// For how long an answer holds at most.
const LONGEST: Duration = Duration::from_secs(86_400);

/// Services of a domain that are looked at: one for each transport.
const SERVICES_MAX: usize = 3;
