//! `huihu trunk test`: what works of a trunk, in words, step by step from its name to a voice that is heard.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use base::number::E164;
use base::quality::Trouble;
use base::time::Timestamp;
use base::trunk::LinkFault;
use engine::trial::{Heard, Pong, Trial};
use engine::trunk::Srtp;
use sip::{Hop, Transport};
use tokio::task::spawn_blocking;

use super::registration;
use crate::cli::Place;
use crate::commands::{config, number};
use crate::config::{Config, Peer, ReadTrunk};
use crate::names;
use crate::say;

/// Who is called, and what their telephone shows.
#[derive(Clone, Debug)]
pub(super) struct Numbers {
    dialled: E164,
    shown: E164,
}

impl Numbers {
    pub(super) fn read(dialled: &str, shown: Option<&str>) -> Result<Self> {
        Ok(Self { dialled: number(dialled)?, shown: number(shown.unwrap_or(dialled))? })
    }
}

/// Tries a trunk out; the error is what does not work.
pub(super) async fn run(place: &Place, name: &str, call: Option<Numbers>) -> Result<()> {
    let config = &config(place)?;
    let trunks = config.trunks()?;
    let Some(trunk) = trunks.iter().find(|trunk| *trunk.settings.name == *name) else {
        let known: Vec<&str> = trunks.iter().map(|trunk| &*trunk.settings.name).collect();
        bail!("there is no trunk {name:?}: the configuration has {}", known.join(", "));
    };
    let in_use = in_use(config.sip.listen.as_slice());
    if let Some(taken) = in_use {
        say(&format!(
            "note      {taken} is in use, by the platform perhaps: we speak from another port, which a trunk may not know"
        ));
    }
    let (mut answering, mut faults, mut registrar) = (Vec::new(), Vec::new(), None);
    for trial in trials(config, trunk, say).await? {
        registrar.get_or_insert_with(|| trial.clone());
        match ask(&trial).await {
            Ok(pong) => {
                say(&format!("OPTIONS   {pong}"));
                answering.push(trial);
            }
            Err(fault) => {
                say(&format!("OPTIONS   {fault:#}"));
                faults.push((trial, fault));
            }
        }
    }
    if let Some(registrar) = registrar.filter(|trial| trial.trunk.registration.is_some()) {
        let served = if in_use.is_some() { registration::served(place, name).await } else { None };
        let words = match served {
            Some(trunk) => Some(registration::told(&trunk)?),
            None => registration::tried(&registrar).await?,
        };
        if let Some(words) = words {
            say(&format!("REGISTER  {words}"));
        }
    }
    let Some(numbers) = call else {
        return match faults.into_iter().next() {
            Some((_, fault)) => Err(fault),
            None => {
                say("The trunk is there. Whether it takes calls, --call NUMBER tells.");
                Ok(())
            }
        };
    };
    // A gateway that says nothing to OPTIONS may still take calls.
    let is_silent = |(trial, fault): (Trial, anyhow::Error)| (!fault.is::<Unreached>()).then_some(trial);
    let first = faults.first().map(|(_, fault)| anyhow!("{fault:#}"));
    let trial = answering.into_iter().chain(faults.into_iter().filter_map(is_silent)).next();
    let Some(trial) = trial else {
        return Err(first.unwrap_or_else(|| anyhow!("the trunk has no address")));
    };
    let (peer, trunk) = (trial.peer.hop, trial.trunk.clone());
    let called = spawn_blocking(move || trial.call(&numbers.dialled, &numbers.shown)).await?;
    let heard = called.with_context(|| format!("the network knows no way to {peer}"))?;
    for line in told(&heard) {
        say(&line);
    }
    say(&verdict(&heard, peer, &trunk)?);
    Ok(())
}

/// A gateway that cannot be spoken to at all.
#[derive(Debug, thiserror::Error)]
#[error("{} {}", .peer.address, words(*.fault))]
pub(super) struct Unreached {
    pub(super) peer: Hop,
    pub(super) fault: LinkFault,
}

/// Why a gateway cannot be spoken to, and what to do. Follows its address.
fn words(fault: LinkFault) -> String {
    let advice = match fault {
        LinkFault::Refused => {
            return "is a closed port: nobody listens there, its machine says; check the address and the port, and whether \
                    the gateway runs"
                .to_owned();
        }
        LinkFault::NameMismatch => {
            "set tls_name to the name that the carrier says it is for, or write that name as the peer"
        }
        LinkFault::UnknownAuthority => "set tls_ca to the file with the carrier's own authority",
        LinkFault::Expired => "ask the carrier for a new one, and look at this machine's clock",
        LinkFault::NotYetValid => "look at this machine's clock",
        LinkFault::BadCertificate => "ask the carrier for another one",
        LinkFault::NotTls => "check the port, which is 5061 for TLS mostly, and the trunk's transport",
        LinkFault::OursRefused => "set tls_certificate and tls_key to what the carrier gave you",
        LinkFault::Unnamed => "set tls_name, or write a name as the peer",
        LinkFault::NotSip => "check the port and the trunk's transport",
        LinkFault::Unreachable | LinkFault::Silent => {
            "check the address, and whether a firewall lets connections out"
        }
        LinkFault::Broken | LinkFault::Stuck | LinkFault::Crowded => {
            "try again, and ask the carrier if it stays so"
        }
    };
    format!("is not reached: {fault}; {advice}")
}

/// What each gateway of a trunk is tried out with; `note` hears what its names come to.
pub(crate) async fn trials(config: &Config, trunk: &ReadTrunk, note: impl Fn(&str)) -> Result<Vec<Trial>> {
    let ours = config.sip.listen.as_slice();
    let (in_use, rtp_ports) = (in_use(ours).is_some(), config.rtp_ports()?);
    let trial = |peer: engine::trunk::Peer| Trial {
        trunk: trunk.settings.clone(),
        local: local(ours, peer.hop.address, in_use),
        peer,
        advertised: config.sip.advertised,
        rtp_ports: rtp_ports.clone(),
        speaks: SPEAKS,
    };
    Ok(gateways(trunk, ours, note).await?.into_iter().map(trial).collect())
}

/// The address of ours for datagrams where somebody listens already: the platform, mostly.
fn in_use(ours: &[Hop]) -> Option<SocketAddr> {
    let mut datagrams = ours.iter().filter(|own| own.transport == Transport::Udp);
    datagrams.find(|own| UdpSocket::bind(own.address).is_err()).map(|own| own.address)
}

/// Where datagrams to a gateway are sent from: the address of its family that the platform has, and its port if that is
/// free.
fn local(ours: &[Hop], to: SocketAddr, is_in_use: bool) -> SocketAddr {
    let of_family = |own: &&Hop| own.transport == Transport::Udp && own.address.is_ipv4() == to.is_ipv4();
    let anywhere: IpAddr =
        if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    match ours.iter().find(of_family) {
        Some(own) if !is_in_use => own.address,
        own => SocketAddr::new(own.map_or(anywhere, |own| own.address.ip()), 0),
    }
}

/// The gateways of the trunk.
async fn gateways(trunk: &ReadTrunk, ours: &[Hop], note: impl Fn(&str)) -> Result<Vec<engine::trunk::Peer>> {
    let mut found = Vec::new();
    for peer in &trunk.peers {
        match peer {
            Peer::At(address) => found.push(trunk.gateway_at(*address)),
            Peer::Named { host, port } => {
                let located = names::look_up(host, *port, trunk.transports, ours).await;
                let located = located.map_err(|why| {
                    anyhow!(
                        "the name {host} is not resolved ({why}): check the trunk's peers, and the name server of this machine"
                    )
                })?;
                let list: Vec<String> =
                    located.gateways.iter().map(|gateway| gateway.hop.to_string()).collect();
                note(&format!("name      {peer} is {}", list.join(", ")));
                found.extend(located.gateways.iter().map(|gateway| trunk.gateway(gateway, Some(host))));
            }
        }
    }
    Ok(found)
}

/// A gateway that answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) peer: Hop,
    pub(crate) status: u16,
    pub(crate) after: Duration,
    /// The address that it saw us come from, where it says so.
    pub(crate) seen_as: Option<SocketAddr>,
    /// What its clock says, where it says so.
    pub(crate) date: Option<Timestamp>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answers {} after {}", self.peer, self.status, millis(self.after))
    }
}

/// Asks a gateway whether it is there; the error is that it is not.
pub(crate) async fn ask(trial: &Trial) -> Result<Answer> {
    let (asked, peer) = (trial.clone(), trial.peer.hop);
    let pong = spawn_blocking(move || asked.ask()).await?;
    match pong.with_context(|| format!("the network knows no way to {peer}"))? {
        Pong::Answered { status, after, seen_as, date } => Ok(Answer { peer, status, after, seen_as, date }),
        Pong::Unreached(fault) => Err(Unreached { peer, fault }.into()),
        Pong::Silent => bail!(
            "{peer} does not answer: a firewall swallows what we send, or the carrier does not know our address"
        ),
    }
}

/// What happened in the call, a line each.
fn told(heard: &Heard) -> Vec<String> {
    let rang = heard.rang_after.map(|after| format!("call      rang after {}", millis(after)));
    let answered = heard.answered_after.map(|after| format!("call      answered after {}", millis(after)));
    let voice = heard.media.map(|media| format!("voice     {media}"));
    let echo = heard.echo.map(|after| format!("voice     ours came back after {}", millis(after)));
    [rang, answered, voice, echo].into_iter().flatten().collect()
}

/// What the call says of the trunk.
fn verdict(heard: &Heard, peer: Hop, trunk: &engine::Trunk) -> Result<String> {
    if let Some(fault) = heard.unreached {
        return Err(Unreached { peer, fault }.into());
    }
    if let Some(status) = heard.failed {
        bail!(failure(status, heard, trunk));
    }
    if heard.answered_after.is_none() {
        bail!("nobody answered: try another number");
    }
    let media = heard.media.filter(|media| media.heard.packets > 0);
    if media.is_none() {
        let trouble = heard.media.and_then(|media| media.trouble);
        bail!("one-way audio: the call was answered, and {}", deafness(trouble, heard.hears_us));
    }
    Ok(match heard.echo {
        Some(_) => "The trunk works: the call was answered, and our own voice came back.".to_owned(),
        None if heard.hears_us => {
            "The trunk works: the call was answered, and both ends tell that they hear the other.".to_owned()
        }
        None => "The trunk works: the call was answered, and its voice came. Whether ours arrives, a number that echoes tells."
            .to_owned(),
    })
}

/// What a status that a call failed with says of the trunk.
fn failure(status: u16, heard: &Heard, trunk: &engine::Trunk) -> String {
    let logs_in = trunk.credentials.is_some();
    match status {
        401 | 407 if logs_in => {
            "the trunk does not take our username and password: check both, and the domain".to_owned()
        }
        401 | 407 => format!("the trunk wants a username and a password (SIP {status}): set both for it"),
        403 => format!(
            "the trunk forbids the call (SIP 403): check {}whether it knows our address, and whether it lets us show that \
             number",
            if logs_in { "username and password, " } else { "" }
        ),
        408 if heard.rang_after.is_none() => {
            "the trunk says nothing to a call: check whether it knows our address".to_owned()
        }
        488 => {
            let codecs = trunk.codecs.iter().map(|codec| codec.as_str()).collect::<Vec<_>>().join(", ");
            let srtp = match trunk.srtp {
                Srtp::Off => "without SRTP",
                Srtp::Required => "with SRTP",
            };
            format!(
                "the trunk takes nothing of what we offer, which is {codecs} {srtp} (SIP 488): set codecs and srtp to what \
                 the carrier speaks"
            )
        }
        status => {
            format!("the call failed with SIP {status}: the trunk works as far as that, try another number")
        }
    }
}

/// Why nothing was heard, and what to do.
fn deafness(trouble: Option<Trouble>, hears_us: bool) -> String {
    match trouble {
        Some(Trouble::BehindNat | Trouble::Elsewhere) => {
            "its voice comes from another address than it describes: set behind_nat = true for the trunk".to_owned()
        }
        Some(Trouble::Unproved) => {
            "nothing that came was protected by the key that was agreed on: ask the carrier for AES_CM_128_HMAC_SHA1_80"
                .to_owned()
        }
        Some(Trouble::Unusable) => {
            "what came was in no codec that was agreed on: set codecs to what the carrier speaks".to_owned()
        }
        Some(Trouble::Silent) | None => format!(
            "nothing was heard of it{}; check sip.advertised, which the carrier sends its voice to, and whether a firewall \
             lets UDP come in to the RTP ports",
            if hears_us { ", though the far end tells that it hears us" } else { "" }
        ),
    }
}

pub(super) fn millis(span: Duration) -> String {
    format!("{} ms", span.as_millis())
}

/// How long a call speaks and listens: reports of the far end come at least every seven and a half seconds.
const SPEAKS: Duration = Duration::from_secs(8);

#[cfg(test)]
mod tests {
    use base::quality::{Direction, MediaReport};
    use sip::digest::Credentials;

    use super::*;

    #[tokio::test]
    async fn a_name_that_is_none_is_told_as_such() {
        let trunk = ReadTrunk {
            settings: engine::Trunk::new("far", "192.0.2.1:5060".parse().unwrap()),
            peers: vec![Peer::Named { host: "sip.nowhere.invalid".to_owned(), port: Some(5060) }],
            transports: &[Transport::Udp],
            tls_name: None,
            username: None,
        };
        let fault = gateways(&trunk, &["127.0.0.1:0".parse::<SocketAddr>().unwrap().into()], |_| ())
            .await
            .unwrap_err()
            .to_string();
        assert!(fault.contains("the name sip.nowhere.invalid is not resolved"), "{fault}");
    }

    #[test]
    fn each_way_in_which_a_trunk_can_be_has_its_own_sentence() {
        let second = Some(Duration::from_secs(1));
        let media = |packets, trouble| {
            let heard = Direction { packets, ..Direction::default() };
            let said = Direction { packets: 400, ..Direction::default() };
            Some(MediaReport { heard, said, first_after: None, round_trip: None, trouble })
        };
        let answered = Heard { answered_after: second, media: media(290, None), ..Heard::default() };
        let deaf = |trouble| Heard { media: media(0, trouble), ..answered };
        let unreached = |fault| Heard { unreached: Some(fault), ..Heard::default() };
        let cases = [
            (Heard { echo: second, ..answered }, "our own voice came back"),
            (Heard { hears_us: true, ..answered }, "both ends"),
            (answered, "a number that echoes"),
            (deaf(None), "one-way audio: the call was answered, and nothing was heard"),
            (deaf(Some(Trouble::Elsewhere)), "behind_nat = true"),
            (deaf(Some(Trouble::Unproved)), "AES_CM_128"),
            (deaf(Some(Trouble::Unusable)), "no codec"),
            (Heard { failed: Some(401), ..Heard::default() }, "username and password"),
            (unreached(LinkFault::Refused), "nobody listens"),
            (unreached(LinkFault::NameMismatch), "its certificate is for another name; set tls_name"),
            (unreached(LinkFault::UnknownAuthority), "set tls_ca"),
            (unreached(LinkFault::NotTls), "does not speak TLS"),
            (Heard { failed: Some(408), ..Heard::default() }, "says nothing"),
            (Heard { failed: Some(403), ..Heard::default() }, "forbids"),
            (Heard { failed: Some(488), ..Heard::default() }, "PCMA, PCMU without SRTP"),
            (Heard { failed: Some(486), rang_after: second, ..Heard::default() }, "SIP 486"),
            (Heard::default(), "nobody answered"),
        ];
        let address: SocketAddr = "192.0.2.1:5060".parse().unwrap();
        let (peer, stranger) = (Hop::from(address), engine::Trunk::new("far", address));
        let credentials = Some(Credentials::new("us".to_owned(), "secret".to_owned()));
        let trunk = engine::Trunk { credentials, ..stranger.clone() };
        let said = |heard| verdict(heard, peer, &trunk).unwrap_or_else(|fault| fault.to_string());
        for (place, (heard, words)) in cases.iter().enumerate() {
            let sentence = said(heard);
            assert!(sentence.contains(words), "{sentence}");
            let others = cases.iter().enumerate().filter(|(other, _)| *other != place);
            assert!(others.into_iter().all(|(_, (other, _))| said(other) != sentence), "{sentence}");
        }
        let wanted = verdict(&Heard { failed: Some(407), ..Heard::default() }, peer, &stranger).unwrap_err();
        assert!(wanted.to_string().contains("wants a username"), "{wanted}");
    }
}
