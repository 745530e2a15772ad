//! How SIP travels: where we listen, how trunks are reached, and the certificates for it.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result, anyhow, bail};
use engine::tls::{Identity, TlsClient, TlsServer};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sip::{Hop, Transport};

use super::trunks::{Trunk, is_host};

/// Where we listen for SIP: one address, or a list of them; `198.51.100.7:5060` is UDP, `198.51.100.7:5061/tls` says
/// otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listening(Vec<Hop>);

impl Listening {
    pub(crate) fn as_slice(&self) -> &[Hop] {
        &self.0
    }

    /// Whether it is among them.
    pub(crate) fn by(&self, transport: Transport) -> bool {
        self.0.iter().any(|own| own.transport == transport)
    }
}

impl From<SocketAddr> for Listening {
    /// One address, by UDP.
    fn from(address: SocketAddr) -> Self {
        Self(vec![address.into()])
    }
}

/// An address with its transport, as it is written.
struct Written(Hop);

impl FromStr for Written {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (address, word) = text.split_once('/').unwrap_or((text, "udp"));
        let transport = ALL.into_iter().find(|transport| transport.as_param() == word);
        match (address.parse(), transport) {
            (Ok(address), Some(transport)) => Ok(Self(Hop::new(transport, address))),
            _ => Err(anyhow!(
                "{text:?} is no address to listen at: write it as 198.51.100.7:5060, [2001:db8::7]:5060/tcp or 198.51.100.7:5061/tls"
            )),
        }
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.transport {
            Transport::Udp => self.0.address.fmt(f),
            other => write!(f, "{}/{}", self.0.address, other.as_param()),
        }
    }
}

impl<'de> Deserialize<'de> for Listening {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            One(String),
            Many(Vec<String>),
        }
        let texts = match Form::deserialize(deserializer)? {
            Form::One(text) => vec![text],
            Form::Many(texts) => texts,
        };
        if texts.is_empty() || texts.len() > LISTENING_MAX {
            return Err(D::Error::custom(format!("sip.listen has 1 to {LISTENING_MAX} addresses")));
        }
        let hop = |text: String| text.parse::<Written>().map(|written| written.0).map_err(D::Error::custom);
        texts.into_iter().map(hop).collect::<Result<_, _>>().map(Self)
    }
}

impl Serialize for Listening {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|hop| Written(*hop).to_string()))
    }
}

/// How a trunk is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WrittenTransport {
    #[default]
    Udp,
    Tcp,
    Tls,
    /// As its domain says, and by UDP if that says nothing.
    Any,
}

impl WrittenTransport {
    /// Those that it may be reached by, the usual one first.
    pub(crate) const fn transports(self) -> &'static [Transport] {
        match self {
            Self::Udp => &[Transport::Udp],
            Self::Tcp => &[Transport::Tcp],
            Self::Tls => &[Transport::Tls],
            Self::Any => &ALL,
        }
    }
}

/// How connections to a trunk are protected, if they are, once all is there that it takes.
pub(super) fn tls_client(of: &str, trunk: &Trunk) -> Result<Option<TlsClient>> {
    let Trunk { transport, large_by_tcp, tls_name, tls_ca, tls_certificate, tls_key, .. } = trunk;
    if *large_by_tcp && *transport != WrittenTransport::Udp {
        bail!("{of} has large_by_tcp, which only a trunk with transport = \"udp\" needs: leave it away");
    }
    if !transport.transports().contains(&Transport::Tls) {
        let told = [
            ("tls_name", tls_name.is_some()),
            ("tls_ca", tls_ca.is_some()),
            ("tls_certificate", tls_certificate.is_some()),
            ("tls_key", tls_key.is_some()),
        ];
        if let Some((key, _)) = told.into_iter().find(|(_, is_there)| *is_there) {
            bail!("{of} has {key} without TLS: set transport = \"tls\" (or \"any\"), or leave {key} away");
        }
        return Ok(None);
    }
    if let Some(name) = tls_name.as_deref().filter(|name| !is_host(name)) {
        bail!("{of} has tls_name = {name:?}, which is no host name");
    }
    let authorities = tls_ca.as_deref().map(|file| pem(&format!("{of} has tls_ca"), file)).transpose()?;
    let pair = Pair::read(of, tls_certificate.as_deref(), tls_key.as_deref())?;
    let client = TlsClient::new(authorities.as_deref(), pair.as_ref().map(Pair::identity));
    client.map(Some).with_context(|| format!("{of} has certificates that cannot be used"))
}

/// What we show those who connect by TLS.
pub(super) fn tls_server(certificate: Option<&Path>, key: Option<&Path>) -> Result<Option<TlsServer>> {
    let Some(pair) = Pair::read("[sip]", certificate, key)? else { return Ok(None) };
    TlsServer::new(pair.identity()).map(Some).context("[sip] has a certificate that cannot be used")
}

/// A certificate and its key.
struct Pair {
    certificates: Vec<u8>,
    key: Vec<u8>,
}

impl Pair {
    fn read(of: &str, certificate: Option<&Path>, key: Option<&Path>) -> Result<Option<Self>> {
        match (certificate, key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(Self {
                certificates: pem(&format!("{of} has tls_certificate"), certificate)?,
                key: pem(&format!("{of} has tls_key"), key)?,
            })),
            _ => bail!("{of} has tls_certificate or tls_key but not both: set both, or neither"),
        }
    }

    fn identity(&self) -> Identity<'_> {
        Identity { certificates: &self.certificates, key: &self.key }
    }
}

fn pem(told: &str, file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("{told} = {:?}, which cannot be read", file.display()))
}

/// Where to listen for the connections that trunks may make to us, besides where the configuration says: who may answer by
/// TCP must be heard by TCP at the same address (RFC 3261 18.2.1).
pub(crate) fn with_tcp(listening: &Listening, takes_tcp: bool) -> Vec<Hop> {
    let wants = takes_tcp && !listening.by(Transport::Tcp);
    let datagrams = listening.0.iter().filter(|own| wants && own.transport == Transport::Udp);
    let added: Vec<Hop> = datagrams.map(|own| Hop::new(Transport::Tcp, own.address)).collect();
    listening.0.iter().copied().chain(added).collect()
}

/// The transports.
const ALL: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::Tls];

/// Addresses that we listen at.
const LISTENING_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Serialize)]
    struct File {
        listen: Listening,
    }

    fn read(text: &str) -> Result<Vec<String>> {
        let file: File =
            toml::from_str(&format!("listen = {text}")).map_err(|fault| anyhow!("{}", fault.message()))?;
        Ok(file.listen.as_slice().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_address_says_how_it_is_listened_at() {
        assert_eq!(read("\"0.0.0.0:5060\"").unwrap(), ["0.0.0.0:5060 by UDP"]);
        assert_eq!(
            read("[\"198.51.100.7:5060/udp\", \"[2001:db8::7]:5060/tcp\", \"198.51.100.7:5061/tls\"]")
                .unwrap(),
            ["198.51.100.7:5060 by UDP", "[2001:db8::7]:5060 by TCP", "198.51.100.7:5061 by TLS"]
        );
        for bad in ["\"198.51.100.7\"", "\"198.51.100.7:5060/sctp\"", "\"sip.example.com:5060\"", "[]", "7"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(read("\"198.51.100.7\"").unwrap_err().to_string().contains("5061/tls"));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let listening = Listening(vec![Hop::new(Transport::Tls, ([127, 0, 0, 1], 5061).into())]);
        let text = serde_json::to_string(&listening).unwrap();
        assert_eq!(serde_json::from_str::<Listening>(&text).unwrap(), listening);
    }

    #[test]
    fn who_may_answer_by_tcp_is_heard_by_tcp() {
        let udp = Listening::from(SocketAddr::from(([127, 0, 0, 1], 5060)));
        let told = |listening: &Listening, takes_tcp: bool| {
            let hops = with_tcp(listening, takes_tcp);
            hops.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(told(&udp, false), "127.0.0.1:5060 by UDP");
        assert_eq!(told(&udp, true), "127.0.0.1:5060 by UDP, 127.0.0.1:5060 by TCP");
        let own = Listening(vec![udp.0[0], Hop::new(Transport::Tcp, ([127, 0, 0, 1], 5070).into())]);
        assert_eq!(told(&own, true), "127.0.0.1:5060 by UDP, 127.0.0.1:5070 by TCP");
    }
}
