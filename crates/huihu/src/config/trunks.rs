//! `[trunk]` and `[[trunks]]`: the ways to carriers. `written.rs` has what may stand there; here it is read.

mod written;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use base::address::Block;
use base::private::Private;
use base::trunk::{Route, TRUNK_ADDRESSES, TRUNKS};
use engine::numbering::Step;
use engine::trunk::{CODECS, FromHost, Identity, Privacy, Probe, REDIRECTS_MAX, Registration, Srtp, Turn};
use sip::digest::Credentials;
use sip::sdp::Codec;
use sip::{Hop, Transport};

pub(crate) use self::written::{OneTrunk, Trunk};
use self::written::{WrittenHost, WrittenRoute, WrittenStep};
use super::transports::{self, WrittenTransport};
use crate::names::Gateway;

/// A trunk that was read: what the engine is told of it, but for the addresses of those of its peers that have a name.
#[derive(Clone, Debug)]
pub(crate) struct ReadTrunk {
    /// Without peers.
    pub(crate) settings: engine::Trunk,
    pub(crate) peers: Vec<Peer>,
    /// How they are reached: the first of these, or what their domain says of them.
    pub(crate) transports: &'static [Transport],
    /// What their certificates must be for, if that is neither their name nor the domain.
    pub(crate) tls_name: Option<String>,
    /// Whom we log in as.
    pub(crate) username: Option<String>,
}

impl ReadTrunk {
    /// What the certificate of one of its gateways must be for; `None`: its address.
    pub(crate) fn certificate_name(&self, host: Option<&str>) -> Option<Arc<str>> {
        self.tls_name.as_deref().or(host).or(self.settings.domain.as_deref()).map(Into::into)
    }

    /// Whether whoever reads its SIP on the way reads the keys of its voice too.
    pub(crate) fn tells_its_keys(&self) -> bool {
        self.settings.srtp == Srtp::Required && self.transports != [Transport::Tls]
    }

    /// Whether it may speak to us by TCP.
    pub(crate) fn takes_tcp(&self) -> bool {
        self.transports.contains(&Transport::Tcp) || self.settings.large_by_tcp
    }

    /// One of its gateways, as the name of `host` was resolved to it.
    pub(crate) fn gateway(&self, located: &Gateway, host: Option<&str>) -> engine::trunk::Peer {
        let Gateway { hop, turn } = *located;
        engine::trunk::Peer { hop, name: self.certificate_name(host), turn }
    }

    /// One of its gateways that was written as an address.
    pub(crate) fn gateway_at(&self, address: SocketAddr) -> engine::trunk::Peer {
        let hop = Hop::new(self.transports.first().copied().unwrap_or_default(), address);
        self.gateway(&Gateway { hop, turn: Turn::default() }, None)
    }
}

/// A gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    At(SocketAddr),
    /// With a port, a machine; without one, a domain that says which machines it has.
    Named {
        host: String,
        port: Option<u16>,
    },
}

impl Peer {
    fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Self::At(address));
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok().filter(|port| *port > 0)?)),
            None => (text, None),
        };
        // What has no letter at its end would be an address, and is none.
        let is_name =
            is_host(host) && host.bytes().next_back().is_some_and(|byte| byte.is_ascii_alphabetic());
        is_name.then(|| Self::Named { host: host.to_owned(), port })
    }
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::At(address) => address.fmt(f),
            Self::Named { host, port: Some(port) } => write!(f, "{host}:{port}"),
            Self::Named { host, port: None } => f.write_str(host),
        }
    }
}

/// Reads all trunks; the one of `[trunk]` is the first.
pub(super) fn read(one: &OneTrunk, many: &[Trunk]) -> Result<Vec<ReadTrunk>> {
    let mut read = Vec::new();
    if let Some(peer) = one.peer {
        read.push(read_one(one, peer)?);
    } else if one.username.is_some() || one.password.is_some() {
        credentials("[trunk]", (one.username.as_ref(), one.password.as_ref()), one.realm.as_ref())?;
    }
    for trunk in many {
        let trunk = read_trunk(trunk)?;
        if read.iter().any(|other: &ReadTrunk| other.settings.name == trunk.settings.name) {
            bail!("two trunks are named {:?}: give each a name of its own", trunk.settings.name);
        }
        read.push(trunk);
    }
    if read.len() > TRUNKS {
        bail!("there are {} trunks, and may be {TRUNKS}: merge some, or leave some away", read.len());
    }
    Ok(read)
}

fn read_one(one: &OneTrunk, peer: SocketAddr) -> Result<ReadTrunk> {
    let settings = engine::Trunk {
        domain: one.domain.clone(),
        credentials: credentials(
            "[trunk]",
            (one.username.as_ref(), one.password.as_ref()),
            one.realm.as_ref(),
        )?,
        behind_nat: one.behind_nat,
        codecs: codecs("[trunk]", one.codecs.as_deref())?,
        srtp: one.srtp.into(),
        peers: Vec::new(),
        ..engine::Trunk::new(ONLY, peer)
    };
    Ok(ReadTrunk {
        settings,
        peers: vec![Peer::At(peer)],
        transports: WrittenTransport::Udp.transports(),
        tls_name: None,
        username: one.username.clone(),
    })
}

fn read_trunk(trunk: &Trunk) -> Result<ReadTrunk> {
    let name = trunk.name.as_str();
    let is_name_char = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.is_empty() || name.len() > NAME_BYTES || !name.bytes().all(is_name_char) {
        bail!(
            "the trunk {name:?} has no proper name: use up to {NAME_BYTES} letters, digits, dots and dashes"
        );
    }
    let of = format!("the trunk {name:?}");
    if trunk.peers.is_empty() || trunk.peers.len() > TRUNK_ADDRESSES {
        bail!("{of} has {} peers, and needs 1 to {TRUNK_ADDRESSES}", trunk.peers.len());
    }
    let peer = |text: &String| {
        Peer::parse(text).ok_or_else(|| {
            anyhow!(
                "{of} has the peer {text:?}, which is no address: write it as 203.0.113.9:5060, sip.example.com:5060, or example.com when its domain says which machines it has"
            )
        })
    };
    let peers = trunk.peers.iter().map(peer).collect::<Result<Vec<_>>>()?;
    let is_domain = |peer: &Peer| matches!(peer, Peer::Named { port: None, .. });
    if trunk.transport == WrittenTransport::Any && !peers.iter().any(is_domain) {
        bail!(
            "{of} has transport = \"any\", and no domain among its peers that could say one: set udp, tcp or tls, or write a \
             peer without a port"
        );
    }
    if let Some(domain) = trunk.domain.as_deref().filter(|domain| !is_host(domain)) {
        bail!("{of} has the domain {domain:?}, which is no host name");
    }
    if trunk.max_calls == Some(0) || trunk.calls_per_second == Some(0) {
        bail!(
            "{of} may carry no calls: set max_calls and calls_per_second to 1 at least, or leave them away"
        );
    }
    if trunk.calls_per_second.is_some_and(|calls| calls > RATE_MAX) {
        bail!("{of} has calls_per_second over {RATE_MAX}: leave it away, then there is no limit");
    }
    if trunk.options_secs > 0 && !(1..=100).contains(&trunk.options_misses) {
        bail!("{of} has options_misses = {}: set 1 to 100", trunk.options_misses);
    }
    if trunk.options_secs > DAY_SECS {
        bail!("{of} has options_secs = {}: set up to {DAY_SECS}, or 0 not to ask", trunk.options_secs);
    }
    if !(1..=SILENCE_SECS_MAX).contains(&trunk.silence_secs) {
        bail!(
            "{of} has silence_secs = {}: set 1 to {SILENCE_SECS_MAX}, after which SIP gives up by itself",
            trunk.silence_secs
        );
    }
    if trunk.redirects > REDIRECTS_MAX {
        bail!("{of} has redirects = {}: set 0 to {REDIRECTS_MAX}", trunk.redirects);
    }
    let probe = (trunk.options_secs > 0)
        .then(|| Probe { every: Duration::from_secs(trunk.options_secs), misses: trunk.options_misses });
    let settings = engine::Trunk {
        name: name.into(),
        peers: Vec::new(),
        tls: transports::tls_client(&of, trunk)?,
        large_by_tcp: trunk.large_by_tcp,
        external: trunk.external,
        sources: sources(&of, &trunk.sources)?,
        domain: trunk.domain.clone(),
        credentials: credentials(
            &of,
            (trunk.username.as_ref(), trunk.password.as_ref()),
            trunk.realm.as_ref(),
        )?,
        registration: registration(&of, trunk)?,
        behind_nat: trunk.behind_nat,
        codecs: codecs(&of, trunk.codecs.as_deref())?,
        srtp: trunk.srtp.into(),
        dialled: steps(&of, "dialled", &trunk.dialled)?,
        shown: steps(&of, "shown", &trunk.shown)?,
        identity: Identity {
            host: match trunk.from_host {
                WrittenHost::Ours => FromHost::Ours,
                WrittenHost::Trunk => FromHost::Trunk,
            },
            asserted: trunk.asserted_identity,
            privacy: if trunk.privacy { Privacy::Withheld } else { Privacy::Open },
        },
        probe,
        silence: Duration::from_secs(trunk.silence_secs),
        redirects: trunk.redirects,
        routes: routes(&of, &trunk.routes)?,
        calls_max: trunk.max_calls,
        calls_per_second: trunk.calls_per_second,
    };
    Ok(ReadTrunk {
        settings,
        peers,
        transports: trunk.transport.transports(),
        tls_name: trunk.tls_name.clone(),
        username: trunk.username.clone(),
    })
}

fn credentials(
    of: &str,
    own: (Option<&String>, Option<&Private<String>>),
    realm: Option<&String>,
) -> Result<Option<Credentials>> {
    match own {
        (Some(user), Some(password)) => {
            let credentials = Credentials::new(user.clone(), password.expose().clone());
            Ok(Some(match realm {
                Some(realm) => credentials.of_realm(realm.as_str()),
                None => credentials,
            }))
        }
        (None, None) => Ok(None),
        _ => bail!("{of} has a username or a password but not both: set both, or neither"),
    }
}

fn sources(of: &str, written: &[String]) -> Result<Vec<Block>> {
    if written.len() > SOURCES_MAX {
        bail!(
            "{of} has {} sources, and may have {SOURCES_MAX}: write blocks, such as 203.0.113.0/24",
            written.len()
        );
    }
    let source = |text: &String| {
        let block: Block = text.parse().map_err(|_| {
            anyhow!("{of} has the source {text:?}, which is no address: write it as 203.0.113.9, 203.0.113.0/24 or 2001:db8::/32")
        })?;
        if block.is_vast() {
            bail!(
                "{of} has the source {text:?}, which lets strangers speak to us: write the carrier's own blocks, /8 at most, or /16 for IPv6"
            );
        }
        Ok(block)
    };
    written.iter().map(source).collect()
}

fn codecs(of: &str, written: Option<&[String]>) -> Result<Vec<Codec>> {
    let Some(written) = written else { return Ok(CODECS.to_vec()) };
    let mut codecs = Vec::new();
    for name in written {
        let Some(codec) = Codec::named(name) else {
            let known = Codec::ALL.map(Codec::as_str).join(", ");
            bail!("{of} has the codec {name:?}, which we do not speak: use {known}");
        };
        if codecs.contains(&codec) {
            bail!("{of} has the codec {name:?} twice: name it once, in the order of preference");
        }
        codecs.push(codec);
    }
    if codecs.is_empty() {
        bail!("{of} has no codecs: name one at least, or leave the list away for PCMA and PCMU");
    }
    Ok(codecs)
}

/// How we register with a trunk that wants it, once all is there that it takes.
fn registration(of: &str, trunk: &Trunk) -> Result<Option<Registration>> {
    if !trunk.register {
        return Ok(None);
    }
    let Some(user) = trunk.username.clone().filter(|_| trunk.password.is_some()) else {
        bail!(
            "{of} has register = true without an account: set username and password, as the carrier gave them"
        );
    };
    if trunk.domain.is_none() {
        bail!("{of} has register = true without a domain: set domain, such as ims.example.com");
    }
    if !(EXPIRES_SECS_MIN..=DAY_SECS).contains(&trunk.expires_secs) {
        bail!("{of} has expires_secs = {}: set {EXPIRES_SECS_MIN} to {DAY_SECS}", trunk.expires_secs);
    }
    Ok(Some(Registration { user, lasts: Duration::from_secs(trunk.expires_secs) }))
}

fn steps(of: &str, key: &str, written: &[WrittenStep]) -> Result<Vec<Step>> {
    if written.len() > STEPS_MAX {
        bail!("{of} has {} steps in {key}, and may have {STEPS_MAX}", written.len());
    }
    let digits = |text: &String| {
        let is_dialled = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'*');
        if text.is_empty() || text.len() > PREFIX_BYTES || !text.bytes().all(is_dialled) {
            bail!("{of} has {text:?} in {key}, which nobody can dial: use digits, + and *");
        }
        Ok(text.as_str().into())
    };
    let step = |step: &WrittenStep| {
        Ok(match step {
            WrittenStep::National => Step::National,
            WrittenStep::Digits => Step::Digits,
            WrittenStep::Strip(text) => Step::Strip(digits(text)?),
            WrittenStep::Add(text) => Step::Add(digits(text)?),
        })
    };
    written.iter().map(step).collect()
}

fn routes(of: &str, written: &[WrittenRoute]) -> Result<Vec<Route>> {
    if written.is_empty() {
        return Ok(vec![Route::everything()]);
    }
    let route = |route: &WrittenRoute| {
        if route.prefixes.is_empty() {
            bail!("{of} has a route without prefixes: write [\"+\"] for every number");
        }
        if route.weight == 0 {
            bail!("{of} has a route of weight 0, which nobody takes: set at least 1");
        }
        let is_prefix = |prefix: &&String| {
            let digits = prefix.strip_prefix('+');
            digits.is_some_and(|digits| {
                digits.len() < PREFIX_BYTES && digits.bytes().all(|byte| byte.is_ascii_digit())
            })
        };
        if let Some(bad) = route.prefixes.iter().find(|prefix| !is_prefix(prefix)) {
            bail!("{of} has the prefix {bad:?}: numbers begin with +, as in +86 or +8610");
        }
        let prefixes = route.prefixes.iter().map(|prefix| prefix.as_str().into()).collect();
        Ok(Route { prefixes, priority: route.priority, weight: route.weight })
    };
    written.iter().map(route).collect()
}

/// Whether a text can be a host in a URI.
pub(super) fn is_host(text: &str) -> bool {
    let is_host_char = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    !text.is_empty() && text.len() <= HOST_BYTES && text.bytes().all(is_host_char)
}

/// The name of the trunk of `[trunk]`.
const ONLY: &str = "trunk";

/// Bytes of a trunk's name.
const NAME_BYTES: usize = 32;

/// Bytes of a host name (RFC 1035 2.3.4).
const HOST_BYTES: usize = 253;

/// Bytes of a prefix: a whole number fits.
const PREFIX_BYTES: usize = 32;

/// Sources of a trunk: each datagram that comes is compared with all of them.
const SOURCES_MAX: usize = 64;

/// Steps of a trunk's list.
const STEPS_MAX: usize = 8;

/// Calls a second that can be counted: each costs eight bytes.
const RATE_MAX: u32 = 10_000;

/// Seconds of the shortest registration that is worth asking for.
const EXPIRES_SECS_MIN: u64 = 60;

/// Seconds between two questions at most, and of the longest registration.
const DAY_SECS: u64 = 86_400;

/// Seconds after which SIP itself gives up an INVITE that nobody answers: 64 × T1.
const SILENCE_SECS_MAX: u64 = 32;

#[cfg(test)]
mod tests;
