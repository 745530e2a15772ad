//! Who may be connected to, and who may connect: what the trunks say of it.

use std::net::IpAddr;
use std::sync::Arc;

use base::address::Block;
use base::trunk::{LinkFault, TrunkNo};
use rustls::pki_types::ServerName;
use sip::{Hop, Transport};

use crate::tls::TlsClient;

/// All that connections are made by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    /// The gateways of the trunks, by whatever transport.
    pub(crate) ways: Vec<Way>,
    /// Who else may connect to us.
    pub(crate) callers: Vec<Block>,
}

/// A gateway of a trunk.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) hop: Hop,
    pub(crate) trunk: TrunkNo,
    /// What its certificate must be for; `None`: its address.
    pub(crate) name: Option<Arc<str>>,
    /// How connections to it are protected.
    pub(crate) tls: Option<TlsClient>,
    /// Which of our addresses it knows.
    pub(crate) from: Option<IpAddr>,
}

/// How one connection is made.
#[derive(Debug)]
pub(super) struct Course {
    pub(super) from: Option<IpAddr>,
    pub(super) tls: Option<(TlsClient, ServerName<'static>)>,
}

impl Book {
    /// A trunk has these gateways and no others.
    pub(super) fn replace(&mut self, trunk: TrunkNo, ways: Vec<Way>) {
        self.ways.retain(|way| way.trunk != trunk);
        self.ways.extend(ways);
    }

    /// Whether somebody may connect to us.
    pub(super) fn admits(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        let is_gateway = self.ways.iter().any(|way| way.hop.address.ip().to_canonical() == ip);
        is_gateway || self.callers.iter().any(|block| block.contains(ip))
    }

    /// How a hop is connected to. A dialog may lead to a machine of the carrier that is no gateway: it is taken for the
    /// gateway at the same address, else for a machine of the only trunk that speaks TLS.
    pub(super) fn course(&self, to: Hop) -> Result<Course, LinkFault> {
        let at = |way: &&Way| way.hop.address.ip() == to.address.ip();
        let exact = self.ways.iter().find(|way| way.hop == to);
        if to.transport != Transport::Tls {
            let way = exact.or_else(|| self.ways.iter().find(at));
            return Ok(Course { from: way.and_then(|way| way.from), tls: None });
        }
        let speaks = |way: &&Way| way.hop.transport == Transport::Tls;
        let mut all = self.ways.iter().filter(speaks);
        let of_one = all.next().filter(|first| all.all(|other| other.trunk == first.trunk));
        let way = exact.or_else(|| self.ways.iter().filter(speaks).find(at)).or(of_one);
        let way = way.ok_or(LinkFault::Unnamed)?;
        let client = way.tls.clone().ok_or(LinkFault::Unnamed)?;
        let name = match &way.name {
            Some(name) => ServerName::try_from(name.to_string()).map_err(|_| LinkFault::Unnamed)?,
            None => ServerName::from(to.address.ip()),
        };
        let from = way.from.filter(|from| from.is_ipv4() == to.address.is_ipv4());
        Ok(Course { from, tls: Some((client, name)) })
    }

    /// The trunks that have this gateway.
    pub(super) fn trunks(&self, to: Hop) -> impl Iterator<Item = TrunkNo> {
        self.ways.iter().filter(move |way| way.hop == to).map(|way| way.trunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(text: &str, trunk: usize, name: Option<&str>) -> Way {
        Way {
            hop: Hop::new(Transport::Tls, text.parse().unwrap()),
            trunk: TrunkNo::new(trunk).unwrap(),
            name: name.map(Into::into),
            tls: Some(TlsClient::new(None, None).unwrap()),
            from: None,
        }
    }

    fn name(ways: &[Way], to: &str) -> String {
        let book = Book { ways: ways.to_vec(), callers: Vec::new() };
        match book.course(Hop::new(Transport::Tls, to.parse().unwrap())) {
            Ok(course) => course.tls.unwrap().1.to_str().into_owned(),
            Err(fault) => fault.to_string(),
        }
    }

    #[test]
    fn a_certificate_must_be_for_the_name_of_the_trunk_whose_machine_it_is() {
        let (near, far) =
            (way("192.0.2.1:5061", 0, Some("near.example")), way("192.0.2.2:5061", 1, Some("far.example")));
        let both = [near.clone(), far];
        assert_eq!(name(&both, "192.0.2.2:5061"), "far.example");
        assert_eq!(name(&both, "192.0.2.2:5070"), "far.example", "another port of the gateway");
        assert_eq!(name(&both, "192.0.2.3:5061"), LinkFault::Unnamed.to_string());
        assert_eq!(name(&[near], "192.0.2.3:5061"), "near.example", "whose else could it be");
        assert_eq!(name(&[way("192.0.2.1:5061", 0, None)], "192.0.2.1:5061"), "192.0.2.1");
    }

    #[test]
    fn who_is_no_trunks_may_not_connect() {
        let book = Book {
            ways: vec![way("192.0.2.1:5061", 0, None)],
            callers: vec!["2001:db8::1".parse().unwrap()],
        };
        for (from, admitted) in
            [("192.0.2.1", true), ("::ffff:192.0.2.1", true), ("2001:db8::1", true), ("192.0.2.2", false)]
        {
            assert_eq!(book.admits(from.parse().unwrap()), admitted, "{from}");
        }
    }
}
