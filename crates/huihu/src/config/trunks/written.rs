//! What may stand in `[trunk]` and `[[trunks]]`, as it is written.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use base::private::Private;
use engine::trunk::{SILENCE, Srtp};
use serde::{Deserialize, Serialize};

use crate::config::password;
use crate::config::transports::WrittenTransport;

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
    /// The only realm whose challenges are answered.
    pub(crate) realm: Option<String>,
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
    /// The only realm whose challenges are answered.
    #[serde(default)]
    pub(crate) realm: Option<String>,
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
