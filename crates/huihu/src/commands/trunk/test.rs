//! `huihu trunk test`: what works of a trunk, in words, step by step from its name to a voice that is heard.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use base::number::E164;
use engine::trial::{Heard, Pong, Trial};
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
    let local = local(config);
    let is_in_use = local != config.sip.listen.first().address;
    let (mut answering, mut faults, mut registrar) = (Vec::new(), Vec::new(), None);
    for peer in addresses(trunk, local).await? {
        let trial = Trial {
            trunk: trunk.settings.clone(),
            peer,
            local,
            advertised: config.sip.advertised,
            rtp_ports: config.rtp_ports()?,
            speaks: SPEAKS,
        };
        registrar.get_or_insert_with(|| trial.clone());
        match ask(&trial).await {
            Ok(words) => {
                say(&format!("OPTIONS   {words}"));
                answering.push(trial);
            }
            Err(fault) => {
                say(&format!("OPTIONS   {fault:#}"));
                faults.push((trial, fault));
            }
        }
    }
    if let Some(registrar) = registrar.filter(|trial| trial.trunk.registration.is_some()) {
        let served = if is_in_use { registration::served(place, name).await } else { None };
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
    let is_silent = |(trial, fault): (Trial, anyhow::Error)| (!fault.is::<Closed>()).then_some(trial);
    let first = faults.first().map(|(_, fault)| anyhow!("{fault:#}"));
    let trial = answering.into_iter().chain(faults.into_iter().filter_map(is_silent)).next();
    let Some(trial) = trial else {
        return Err(first.unwrap_or_else(|| anyhow!("the trunk has no address")));
    };
    let has_credentials = trial.trunk.credentials.is_some();
    let peer = trial.peer;
    let called = spawn_blocking(move || trial.call(&numbers.dialled, &numbers.shown)).await?;
    let heard = called.with_context(|| format!("the network knows no way to {peer}"))?;
    for line in told(&heard) {
        say(&line);
    }
    say(&verdict(&heard, peer, has_credentials)?);
    Ok(())
}

/// The port of its machine is closed.
#[derive(Debug, thiserror::Error)]
#[error(
    "nobody listens at {0}, its machine says: check the address and the port, and whether the gateway runs"
)]
pub(super) struct Closed(pub(super) SocketAddr);

/// Where we speak from: the port of the configuration, unless the platform has it.
fn local(config: &Config) -> SocketAddr {
    let listen = config.sip.listen.first().address;
    if UdpSocket::bind(listen).is_ok() {
        return listen;
    }
    say(&format!(
        "note      {listen} is in use, by the platform perhaps: we speak from another port, which a trunk may not know"
    ));
    SocketAddr::new(listen.ip(), 0)
}

/// The addresses of the trunk's peers.
async fn addresses(trunk: &ReadTrunk, ours: SocketAddr) -> Result<Vec<SocketAddr>> {
    let mut found = Vec::new();
    for peer in &trunk.peers {
        match peer {
            Peer::At(address) => found.push(*address),
            Peer::Named { host, port } => {
                let addresses = names::look_up(host, *port).await.map_err(|why| {
                    anyhow!(
                        "the name {host} is not resolved ({why}): check the trunk's peers, and the name server of this machine"
                    )
                })?;
                let of_family: Vec<_> =
                    addresses.into_iter().filter(|address| address.is_ipv4() == ours.is_ipv4()).collect();
                if of_family.is_empty() {
                    bail!(
                        "the name {host} has no address of the family of {ours}: listen for SIP on one of its family"
                    );
                }
                let list = of_family.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                say(&format!("name      {host}:{port} is {list}"));
                found.extend(of_family);
            }
        }
    }
    Ok(found)
}

async fn ask(trial: &Trial) -> Result<String> {
    let (asked, peer) = (trial.clone(), trial.peer);
    let pong = spawn_blocking(move || asked.ask()).await?;
    match pong.with_context(|| format!("the network knows no way to {peer}"))? {
        Pong::Answered { status, after } => Ok(format!("{peer} answers {status} after {}", millis(after))),
        Pong::Closed => Err(Closed(peer).into()),
        Pong::Silent => bail!(
            "{peer} does not answer: a firewall swallows what we send, or the carrier does not know our address"
        ),
    }
}

/// What happened in the call, a line each.
fn told(heard: &Heard) -> Vec<String> {
    let rang = heard.rang_after.map(|after| format!("call      rang after {}", millis(after)));
    let answered = heard.answered_after.map(|after| format!("call      answered after {}", millis(after)));
    let voice = heard.answered_after.map(|_| format!("voice     {} packets came", heard.packets));
    let echo = heard.echo.map(|after| format!("voice     ours came back after {}", millis(after)));
    [rang, answered, voice, echo].into_iter().flatten().collect()
}

/// What the call says of the trunk.
fn verdict(heard: &Heard, peer: SocketAddr, has_credentials: bool) -> Result<String> {
    if heard.is_closed {
        return Err(Closed(peer).into());
    }
    match heard.failed {
        Some(401 | 407) if has_credentials => {
            bail!("the trunk does not take our username and password: check both, and the domain")
        }
        Some(status @ (401 | 407)) => {
            bail!("the trunk wants a username and a password (SIP {status}): set both for it")
        }
        Some(403) => bail!(
            "the trunk forbids the call (SIP 403): check whether it knows our address, and whether it lets us show that number"
        ),
        Some(408) if heard.rang_after.is_none() => {
            bail!("the trunk says nothing to a call: check whether it knows our address")
        }
        Some(488) => {
            bail!("the trunk speaks none of our codecs (SIP 488): have it allow G.711 A-law or mu-law")
        }
        Some(status) => {
            bail!("the call failed with SIP {status}: the trunk works as far as that, try another number")
        }
        None => {}
    }
    if heard.answered_after.is_none() {
        bail!("nobody answered: try another number");
    }
    if heard.packets == 0 {
        bail!(
            "one-way audio: the call was answered and nothing was heard of it{}; check sip.advertised, which the carrier \
             sends its voice to, and whether a firewall lets UDP come in to the RTP ports",
            if heard.hears_us { ", though the far end tells that it hears us" } else { "" }
        );
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

pub(super) fn millis(span: Duration) -> String {
    format!("{} ms", span.as_millis())
}

/// How long a call speaks and listens: reports of the far end come at least every seven and a half seconds.
const SPEAKS: Duration = Duration::from_secs(8);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_is_none_is_told_as_such() {
        let trunk = ReadTrunk {
            settings: engine::Trunk::new("far", "192.0.2.1:5060".parse().unwrap()),
            peers: vec![Peer::Named { host: "sip.nowhere.invalid".to_owned(), port: 5060 }],
            transport: sip::Transport::Udp,
            tls_name: None,
            username: None,
        };
        let fault = addresses(&trunk, "127.0.0.1:0".parse().unwrap()).await.unwrap_err().to_string();
        assert!(fault.contains("the name sip.nowhere.invalid is not resolved"), "{fault}");
    }

    #[test]
    fn each_way_in_which_a_trunk_can_be_has_its_own_sentence() {
        let second = Some(Duration::from_secs(1));
        let answered = Heard { answered_after: second, packets: 290, ..Heard::default() };
        let cases = [
            (Heard { echo: second, ..answered }, "our own voice came back"),
            (Heard { hears_us: true, ..answered }, "both ends"),
            (answered, "a number that echoes"),
            (Heard { packets: 0, ..answered }, "one-way audio"),
            (Heard { failed: Some(401), ..Heard::default() }, "username and password"),
            (Heard { is_closed: true, ..Heard::default() }, "nobody listens"),
            (Heard { failed: Some(408), ..Heard::default() }, "says nothing"),
            (Heard { failed: Some(403), ..Heard::default() }, "forbids"),
            (Heard { failed: Some(488), ..Heard::default() }, "codecs"),
            (Heard { failed: Some(486), rang_after: second, ..Heard::default() }, "SIP 486"),
            (Heard::default(), "nobody answered"),
        ];
        let peer = "192.0.2.1:5060".parse().unwrap();
        let said = |heard| verdict(heard, peer, true).unwrap_or_else(|fault| fault.to_string());
        for (place, (heard, words)) in cases.iter().enumerate() {
            let sentence = said(heard);
            assert!(sentence.contains(words), "{sentence}");
            let others = cases.iter().enumerate().filter(|(other, _)| *other != place);
            assert!(others.into_iter().all(|(_, (other, _))| said(other) != sentence), "{sentence}");
        }
        let wanted = verdict(&Heard { failed: Some(407), ..Heard::default() }, peer, false).unwrap_err();
        assert!(wanted.to_string().contains("wants a username"), "{wanted}");
    }
}
