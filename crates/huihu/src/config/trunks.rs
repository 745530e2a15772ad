//! `[trunk]` and `[[trunks]]`: the ways to carriers, and what may stand there.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use base::address::Block;
use base::private::Private;
use base::trunk::{Route, TRUNK_ADDRESSES, TRUNKS};
use engine::numbering::Step;
use engine::trunk::{
    CODECS, FromHost, Identity, Privacy, Probe, REDIRECTS_MAX, Registration, SILENCE, Srtp, Turn,
};
use serde::{Deserialize, Serialize};
use sip::digest::Credentials;
use sip::sdp::Codec;
use sip::{Hop, Transport};

use super::password;
use super::transports::{self, WrittenTransport};
use crate::names::Gateway;

/// `[trunk]`: the only trunk, or the one that takes every number as the others do.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OneTrunk {
    /// Address and port; there is no default.
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) domain: Option<String>,
    pub(crate) username: Option<String>,
    #[serde(deserialize_with = "password")]
    pub(crate) password: Option<Private<String>>,
    /// Whether media may come from another address than the SDP says.
    pub(crate) behind_nat: bool,
    /// What it is offered, best first; when nobody says so, G.711.
    pub(crate) codecs: Option<Vec<String>>,
    pub(crate) srtp: WrittenSrtp,
}

/// One of `[[trunks]]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trunk {
    pub(crate) name: String,
    /// Addresses with a port, hosts with a port, or domains.
    pub(crate) peers: Vec<String>,
    /// How its peers are reached.
    #[serde(default)]
    pub(crate) transport: WrittenTransport,
    /// Whether its peers take TCP too, for what is too large for a datagram.
    #[serde(default)]
    pub(crate) large_by_tcp: bool,
    /// What its certificate must be for, when it is not the peer's name or the domain.
    #[serde(default)]
    pub(crate) tls_name: Option<String>,
    /// Who signs its certificates, when that is not one of the public authorities.
    #[serde(default)]
    pub(crate) tls_ca: Option<PathBuf>,
    /// What it is shown of us.
    #[serde(default)]
    pub(crate) tls_certificate: Option<PathBuf>,
    #[serde(default)]
    pub(crate) tls_key: Option<PathBuf>,
    /// The address that it is told we are at.
    #[serde(default)]
    pub(crate) external: Option<IpAddr>,
    #[serde(default)]
    pub(crate) domain: Option<String>,
    #[serde(default)]
    pub(crate) username: Option<String>,
    #[serde(default, deserialize_with = "password")]
    pub(crate) password: Option<Private<String>>,
    /// Whether it wants us to register.
    #[serde(default)]
    pub(crate) register: bool,
    /// Seconds that a registration is to last.
    #[serde(default = "expires_secs")]
    pub(crate) expires_secs: u64,
    /// Whether media may come from another address than the SDP says.
    #[serde(default)]
    pub(crate) behind_nat: bool,
    /// What it is offered, best first; when nobody says so, G.711.
    #[serde(default)]
    pub(crate) codecs: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) srtp: WrittenSrtp,
    /// Addresses and blocks of addresses that may speak SIP to us besides the peers, from any port.
    #[serde(default)]
    pub(crate) sources: Vec<String>,
    #[serde(default)]
    pub(crate) max_calls: Option<u32>,
    #[serde(default)]
    pub(crate) calls_per_second: Option<u32>,
    /// What is done to the numbers of those who are called.
    #[serde(default)]
    pub(crate) dialled: Vec<WrittenStep>,
    /// What is done to the numbers that are shown.
    #[serde(default)]
    pub(crate) shown: Vec<WrittenStep>,
    #[serde(default)]
    pub(crate) from_host: WrittenHost,
    /// Whether P-Asserted-Identity tells the number too.
    #[serde(default)]
    pub(crate) asserted_identity: bool,
    /// Whether telephones may not show the number.
    #[serde(default)]
    pub(crate) privacy: bool,
    /// Seconds between two questions whether it is there; 0: it is not asked.
    #[serde(default = "options_secs")]
    pub(crate) options_secs: u64,
    /// Answers in a row that must be missing.
    #[serde(default = "options_misses")]
    pub(crate) options_misses: u8,
    /// Seconds that it may say nothing to an INVITE.
    #[serde(default = "silence_secs")]
    pub(crate) silence_secs: u64,
    /// Targets at its own addresses that a redirection may lead to.
    #[serde(default)]
    pub(crate) redirects: u8,
    /// Which numbers it takes; without any, all.
    #[serde(default)]
    pub(crate) routes: Vec<WrittenRoute>,
}

/// A step as it is written: `"national"`, `"digits"`, `{ strip = "+86" }` or `{ add = "0" }`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WrittenStep {
    National,
    Digits,
    Strip(String),
    Add(String),
}

/// Whether RTP is protected.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WrittenSrtp {
    #[default]
    Off,
    Required,
}

impl From<WrittenSrtp> for Srtp {
    fn from(written: WrittenSrtp) -> Self {
        match written {
            WrittenSrtp::Off => Self::Off,
            WrittenSrtp::Required => Self::Required,
        }
    }
}

/// The host part of From.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WrittenHost {
    #[default]
    Ours,
    Trunk,
}

/// Numbers that a trunk takes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenRoute {
    #[serde(default = "every_number")]
    pub(crate) prefixes: Vec<String>,
    #[serde(default = "one")]
    pub(crate) priority: u8,
    #[serde(default = "one_share")]
    pub(crate) weight: u16,
}

const fn expires_secs() -> u64 {
    3_600
}

const fn options_secs() -> u64 {
    30
}

const fn options_misses() -> u8 {
    3
}

const fn silence_secs() -> u64 {
    SILENCE.as_secs()
}

fn every_number() -> Vec<String> {
    vec!["+".to_owned()]
}

const fn one() -> u8 {
    1
}

const fn one_share() -> u16 {
    1
}

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
        both_or_neither("[trunk]", one.username.as_ref(), one.password.as_ref())?;
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
        credentials: both_or_neither("[trunk]", one.username.as_ref(), one.password.as_ref())?,
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
        credentials: both_or_neither(&of, trunk.username.as_ref(), trunk.password.as_ref())?,
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

fn both_or_neither(
    of: &str,
    username: Option<&String>,
    password: Option<&Private<String>>,
) -> Result<Option<Credentials>> {
    match (username, password) {
        (Some(user), Some(password)) => Ok(Some(Credentials::new(user.clone(), password.expose().clone()))),
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
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        trunk: OneTrunk,
        #[serde(default)]
        trunks: Vec<Trunk>,
    }

    fn read_text(text: &str) -> Result<Vec<ReadTrunk>> {
        let file: File = toml::from_str(text).map_err(|fault| anyhow!("{}", fault.message()))?;
        read(&file.trunk, &file.trunks)
    }

    /// The complaint about a trunk with these lines.
    #[track_caller]
    fn complaint(lines: &str) -> String {
        let text = format!("[[trunks]]\nname = \"near\"\npeers = [\"192.0.2.1:5060\"]\n{lines}\n");
        read_text(&text).unwrap_err().to_string()
    }

    #[test]
    fn the_one_trunk_is_a_trunk_that_takes_everything() {
        let read = read_text("[trunk]\npeer = \"192.0.2.1:5060\"").unwrap();
        assert_eq!(
            (&*read[0].settings.name, &read[0].settings.routes),
            ("trunk", &vec![Route::everything()])
        );
        assert_eq!(read[0].settings.probe, None, "it is not asked");
        assert!(read_text("").unwrap().is_empty());
    }

    #[test]
    fn a_trunk_has_everything_that_stands_there() {
        let text = r#"
            [trunk]
            peer = "192.0.2.9:5060"
            [[trunks]]
            name = "mobile"
            peers = ["192.0.2.1:5060", "sip.example.com:5080", "[2001:db8::1]:5060"]
            domain = "ims.example.com"
            username = "us"
            password = "secret"
            register = true
            sources = ["192.0.2.2", "203.0.113.0/24", "2001:db8::/32"]
            max_calls = 200
            calls_per_second = 10
            dialled = ["national", { add = "9" }]
            shown = [{ strip = "+86" }, "digits"]
            from_host = "trunk"
            asserted_identity = true
            privacy = true
            srtp = "required"
            codecs = ["g722", "opus", "PCMA"]
            silence_secs = 3
            routes = [{ prefixes = ["+861"], weight = 7 }, { priority = 9 }]
        "#;
        let read = read_text(text).unwrap();
        let ReadTrunk { settings, peers, .. } = &read[1];
        assert_eq!(peers[1], Peer::Named { host: "sip.example.com".to_owned(), port: Some(5080) });
        let sources: Vec<String> = settings.sources.iter().map(ToString::to_string).collect();
        assert_eq!(sources, ["192.0.2.2/32", "203.0.113.0/24", "2001:db8::/32"]);
        assert_eq!(settings.dialled, [Step::National, Step::Add("9".into())]);
        assert_eq!(settings.shown, [Step::Strip("+86".into()), Step::Digits]);
        assert_eq!(settings.probe, Some(Probe { every: Duration::from_secs(30), misses: 3 }));
        let routes: Vec<_> =
            settings.routes.iter().map(|route| (&*route.prefixes[0], route.priority, route.weight)).collect();
        assert_eq!(routes, [("+861", 1, 7), ("+", 9, 1)]);
        assert_eq!((settings.calls_max, settings.calls_per_second), (Some(200), Some(10)));
        assert_eq!(
            settings.identity,
            Identity { host: FromHost::Trunk, asserted: true, privacy: Privacy::Withheld }
        );
        assert_eq!(settings.codecs, [Codec::G722, Codec::Opus, Codec::Pcma]);
        assert_eq!(read[0].settings.codecs, CODECS);
        assert_eq!((read[0].settings.srtp, settings.srtp), (Srtp::Off, Srtp::Required));
        let lasts = Duration::from_secs(3_600);
        assert_eq!(settings.registration, Some(Registration { user: "us".to_owned(), lasts }));
        assert!(settings.credentials.is_some() && !format!("{settings:?}").contains("secret"));
    }

    #[test]
    fn a_gateways_certificate_is_for_what_was_said_or_its_name_or_the_domain() {
        let name = |lines: &str, host: Option<&str>| {
            let peers = "peers = [\"192.0.2.1:5061\"]\ntransport = \"tls\"";
            let read =
                read_text(&format!("[[trunks]]\nname = \"near\"\n{peers}\n{lines}\n")).unwrap().remove(0);
            assert!(read.settings.tls.is_some() && read.transports == [Transport::Tls] && !read.takes_tcp());
            read.certificate_name(host).unwrap_or_else(|| "its address".into()).to_string()
        };
        let domain = "domain = \"ims.example.com\"";
        assert_eq!(name("", None), "its address");
        assert_eq!(name(domain, None), "ims.example.com");
        assert_eq!(name(domain, Some("sip.example.com")), "sip.example.com");
        let told = format!("{domain}\ntls_name = \"sbc.example.com\"");
        assert_eq!(name(&told, Some("sip.example.com")), "sbc.example.com");
    }

    #[test]
    fn what_cannot_be_a_trunk_is_a_sentence_with_the_fix() {
        for (lines, words) in [
            ("username = \"us\"", &["\"near\"", "set both"][..]),
            ("register = true", &["\"near\"", "username and password"]),
            ("register = true\nusername = \"us\"\npassword = \"x\"", &["\"near\"", "domain"]),
            (
                "register = true\nusername = \"us\"\npassword = \"x\"\ndomain = \"a.b\"\nexpires_secs = 9",
                &["expires_secs = 9", "60 to 86400"],
            ),
            ("transport = \"sctp\"", &["sctp", "udp"]),
            ("transport = \"any\"", &["\"near\"", "no domain", "without a port"]),
            ("transport = \"tcp\"\nlarge_by_tcp = true", &["\"near\"", "large_by_tcp", "leave it away"]),
            ("tls_ca = \"ca.pem\"", &["tls_ca", "transport = \"tls\""]),
            ("transport = \"tls\"\ntls_key = \"key.pem\"", &["tls_certificate", "set both"]),
            (
                "transport = \"tls\"\ntls_ca = \"/nowhere/ca.pem\"",
                &["tls_ca", "/nowhere/ca.pem", "cannot be read"],
            ),
            ("transport = \"tls\"\ntls_name = \"a b\"", &["tls_name", "a b"]),
            ("external = \"outside\"", &["IP address"]),
            ("domain = \"a b\"", &["domain", "a b"]),
            ("max_calls = 0", &["max_calls"]),
            ("calls_per_second = 10001", &["calls_per_second", "10000"]),
            ("options_misses = 0", &["options_misses", "1 to 100"]),
            ("options_secs = 86401", &["options_secs"]),
            ("silence_secs = 0", &["silence_secs", "1 to 32"]),
            ("dialled = [{ add = \"0#\" }]", &["dialled", "0#"]),
            ("shown = [{ strip = \"\" }]", &["shown"]),
            ("dialled = [\"nationale\"]", &["nationale", "national"]),
            ("routes = [{ prefixes = [] }]", &["[\"+\"]"]),
            ("routes = [{ prefixes = [\"86\"] }]", &["86", "+8610"]),
            ("routes = [{ weight = 0 }]", &["weight 0"]),
            ("codecs = [\"G729\"]", &["\"near\"", "G729", "PCMA, PCMU, G722, opus"]),
            ("codecs = [\"PCMA\", \"pcma\"]", &["pcma", "twice"]),
            ("codecs = []", &["no codecs"]),
            ("sources = [\"host\"]", &["\"near\"", "host", "203.0.113.0/24"]),
            ("sources = [\"203.0.113.0/33\"]", &["203.0.113.0/33", "no address"]),
            ("sources = [\"0.0.0.0/0\"]", &["0.0.0.0/0", "strangers"]),
            ("sources = [\"2000::/3\"]", &["2000::/3", "strangers"]),
            ("[[trunks]]\nname = \"near\"\npeers = [\"192.0.2.1:5060\"]", &["two trunks", "near"]),
            ("[[trunks]]\nname = \"a b\"\npeers = [\"192.0.2.1:5060\"]", &["a b", "letters"]),
            ("[[trunks]]\nname = \"far\"\npeers = []", &["\"far\"", "1 to 8"]),
            ("[trunk]\nusername = \"us\"", &["[trunk]", "set both"]),
        ] {
            let said = complaint(lines);
            assert!(words.iter().all(|word| said.contains(word)), "{lines}: {said}");
        }
        for bad in [
            "192.0.2.1",
            "192.0.2.256:5060",
            "sip.example.com:",
            "host:0",
            "host:x",
            "a b:5060",
            ":5060",
            "a b",
        ] {
            let said = read_text(&format!("[[trunks]]\nname = \"far\"\npeers = [\"{bad}\"]")).unwrap_err();
            assert!(said.to_string().contains("write it as 203.0.113.9:5060"), "{bad}: {said}");
        }
        let crowd: String = (0..65)
            .map(|at| format!("[[trunks]]\nname = \"t{at}\"\npeers = [\"192.0.2.1:5060\"]\n"))
            .collect();
        assert!(read_text(&crowd).unwrap_err().to_string().contains("65 trunks"));
    }
}
