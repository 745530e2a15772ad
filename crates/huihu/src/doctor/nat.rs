//! Where far ends are told that we are, against where they see us.

use std::net::{IpAddr, UdpSocket};

use anyhow::Result;
use base::address::Guard;
use nix::ifaddrs::getifaddrs;

use super::Diagnosis;
use super::trunks::Tried;
use crate::config::Config;

/// The way to a trunk.
#[derive(Clone, Debug)]
struct Way {
    trunk: String,
    /// Its gateway.
    peer: IpAddr,
    /// The address of this machine that reaches it; `None` when none does.
    from: Option<IpAddr>,
    /// The address that is configured for it to be told.
    configured: Option<IpAddr>,
    /// The address that it says it sees.
    seen: Option<IpAddr>,
    /// Whether the configuration lets voice come from elsewhere than it is described.
    behind_nat: bool,
}

pub(super) fn check(config: &Config, trunks: &[Tried]) -> Result<Vec<Diagnosis>> {
    let own: Vec<IpAddr> = getifaddrs()?.filter_map(|own| ip(&own.address?)).collect();
    let mut diagnoses: Vec<Diagnosis> =
        config.sip.advertised.iter().map(|told| judge_told(*told, &own)).collect();
    diagnoses.extend(trunks.iter().flat_map(|trunk| {
        let settings = &trunk.trunk.settings;
        trunk.gateways.iter().map(|gateway| {
            let peer = gateway.peer.address.ip();
            let of_family = |told: &IpAddr| told.is_ipv4() == peer.is_ipv4();
            judge(&Way {
                trunk: settings.name.to_string(),
                peer,
                from: from(peer),
                configured: [settings.external, config.sip.advertised].into_iter().flatten().find(of_family),
                seen: trunk.seen_as.or_else(|| gateway.answer.as_ref().ok()?.seen_as.map(|seen| seen.ip())),
                behind_nat: settings.behind_nat,
            })
        })
    }));
    Ok(diagnoses)
}

/// The address in what the system lists.
fn ip(address: &nix::sys::socket::SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|address| IpAddr::from(address.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::from(address.ip())))
}

/// The address of this machine that packets to another one leave from. Sends nothing.
fn from(peer: IpAddr) -> Option<IpAddr> {
    let anywhere: IpAddr = if peer.is_ipv4() { [0, 0, 0, 0].into() } else { [0_u16; 8].into() };
    let socket = UdpSocket::bind((anywhere, 0)).ok()?;
    socket.connect((peer, PORT)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

fn judge_told(told: IpAddr, own: &[IpAddr]) -> Diagnosis {
    if told.is_unspecified() || told.is_multicast() {
        return Diagnosis::fault(
            CHECK,
            format!("sip.advertised = {told} is nobody's address"),
            "set it to the address that the carrier reaches us at, or leave it away",
        );
    }
    Diagnosis::ok(
        CHECK,
        if own.contains(&told) {
            format!("sip.advertised = {told} is an address of this machine")
        } else {
            format!(
                "sip.advertised = {told} is none of this machine: a translator before it must pass SIP and RTP on"
            )
        },
    )
}

fn judge(way: &Way) -> Diagnosis {
    let Way { trunk, peer, from, configured, seen, behind_nat } = way;
    let Some(told) = configured.or(*from) else {
        return Diagnosis::fault(
            CHECK,
            format!("this machine has no way to {peer} of the trunk {trunk}"),
            "check its network and its routes, and the trunk's peers",
        );
    };
    let public = |address: IpAddr| Guard::default().permits(address);
    let set = "sip.advertised, or external of the trunk,";
    match seen {
        Some(seen) if *seen == told => {
            Diagnosis::ok(CHECK, format!("the trunk {trunk} is told {told}, and sees us there"))
        }
        Some(seen) => Diagnosis::warning(
            CHECK,
            format!("the trunk {trunk} is told {told}, and sees us at {seen}: its voice may go astray"),
            format!("set {set} to {seen}, and have the translator pass SIP and RTP on"),
        ),
        None if told.is_loopback() && !peer.is_loopback() => Diagnosis::fault(
            CHECK,
            format!("the trunk {trunk} is told {told}, which is itself"),
            format!("set {set} to the address that it reaches us at"),
        ),
        None if public(*peer) && !public(told) && !behind_nat => Diagnosis::warning(
            CHECK,
            format!("the trunk {trunk} is told {told}, which it cannot send to from the internet"),
            format!("set {set} to your public address, unless the carrier is reached by a VPN"),
        ),
        None => Diagnosis::ok(CHECK, format!("the trunk {trunk} is told {told}")),
    }
}

/// Any port will do to ask for a route.
const PORT: u16 = 5_060;

const CHECK: &str = "nat";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::told;

    fn way() -> Way {
        Way {
            trunk: "far".to_owned(),
            peer: "8.8.8.8".parse().unwrap(),
            from: "10.0.0.5".parse().ok(),
            configured: None,
            seen: None,
            behind_nat: false,
        }
    }

    #[test]
    fn each_way_to_a_trunk_has_its_own_sentence() {
        let ip = |text: &str| text.parse::<IpAddr>().ok();
        for (way, words) in [
            (Way { from: None, ..way() }, "fault: this machine has no way to 8.8.8.8"),
            (way(), "warning: the trunk far is told 10.0.0.5, which it cannot send to"),
            (Way { behind_nat: true, ..way() }, "ok: "),
            (Way { configured: ip("1.2.3.4"), ..way() }, "ok: the trunk far is told 1.2.3.4"),
            (Way { peer: ip("10.0.0.9").unwrap(), ..way() }, "ok: the trunk far is told 10.0.0.5"),
            (
                Way { seen: ip("1.2.3.4"), ..way() },
                "warning: the trunk far is told 10.0.0.5, and sees us at 1.2.3.4",
            ),
            (
                Way { seen: ip("1.2.3.4"), configured: ip("1.2.3.4"), ..way() },
                "ok: the trunk far is told 1.2.3.4, and sees",
            ),
            (
                Way { configured: ip("127.0.0.1"), ..way() },
                "fault: the trunk far is told 127.0.0.1, which is itself",
            ),
        ] {
            let said = told(&judge(&way));
            assert!(said.starts_with(words), "{said}");
        }
    }

    #[test]
    fn an_advertised_address_is_somebodys() {
        let own = ["10.0.0.5".parse().unwrap()];
        let said = |text: &str| told(&judge_told(text.parse().unwrap(), &own));
        assert!(said("10.0.0.5").ends_with("is an address of this machine"));
        assert!(said("1.2.3.4").contains("translator"));
        assert!(said("0.0.0.0").starts_with("fault: "));
    }

    #[test]
    fn the_loopback_is_reached_from_the_loopback() {
        assert_eq!(from([127, 0, 0, 1].into()), Some([127, 0, 0, 1].into()));
    }
}
