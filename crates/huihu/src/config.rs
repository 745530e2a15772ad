//! What an operator decides: flag, then environment (`HUIHU_`), then file, then default.

mod answering;
mod overload;
#[cfg(test)]
mod strange;
mod trace;
mod transports;
mod trunks;

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use axum::http::Uri;
use base::address::{Block, Guard};
use base::limits;
use base::number::Prefix;
use base::private::Private;
use engine::tls::TlsServer;
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};
use sip::Transport;
use speech::voices::kokoro;

pub(crate) use self::answering::Answering;
pub(crate) use self::overload::Overload;
pub(crate) use self::trace::{Trace, TracedCalls};
pub(crate) use self::transports::{Listening, with_tcp};
pub(crate) use self::trunks::{OneTrunk, Peer, ReadTrunk, Trunk};

/// The whole configuration. Unknown keys are refused, so that a typing error cannot pass as a default.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Host part of the session ids that this node gives out.
    pub(crate) node: String,
    /// Where the database, the clips and the key file live.
    pub(crate) data_dir: PathBuf,
    /// Where the APIs listen.
    pub(crate) http: SocketAddr,
    #[serde(default)]
    pub(crate) sip: Sip,
    #[serde(default)]
    pub(crate) trunk: OneTrunk,
    #[serde(default)]
    pub(crate) trunks: Vec<Trunk>,
    #[serde(default)]
    pub(crate) push: Push,
    #[serde(default)]
    pub(crate) limits: Limits,
    #[serde(default)]
    pub(crate) overload: Overload,
    #[serde(default)]
    pub(crate) requests: Requests,
    #[serde(default)]
    pub(crate) recordings: Recordings,
    #[serde(default)]
    pub(crate) speech: Speech,
    #[serde(default)]
    pub(crate) trace: Trace,
    #[serde(default)]
    pub(crate) answering: Answering,
}

/// `[sip]`: where the telephone side listens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sip {
    pub(crate) listen: Listening,
    /// The address that far ends are told, when it is not the one we listen on.
    pub(crate) advertised: Option<IpAddr>,
    /// First and last port of RTP and RTCP, such as `20000-29999`.
    pub(crate) rtp_ports: String,
    /// What we show those who connect to us by TLS.
    pub(crate) tls_certificate: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    /// Threads that calls are spread over; 0 takes one a core.
    pub(crate) shards: usize,
    pub(crate) backend: Backend,
}

/// What carries the packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Backend {
    /// io_uring where the kernel permits it, epoll elsewhere.
    Auto,
    #[default]
    Epoll,
    IoUring,
}

/// `[push]`: what pushes may reach, and how often they try.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Push {
    /// Blocks of private addresses that receivers may have, such as `10.0.0.0/8`.
    pub(crate) allow: Vec<String>,
    /// Seconds between two tries of a fee record: the vendor's hour.
    pub(crate) retry_secs: u64,
    /// Seconds for which reports wait for others to travel with.
    pub(crate) report_gather_secs: u64,
    /// Seconds that one attempt may take, from the receiver's name to the last byte of its answer.
    pub(crate) attempt_secs: u64,
}

/// `[limits]`: how much this node does at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// Calls.
    pub(crate) ports: u32,
    /// Requests a second, of all apps together.
    pub(crate) requests_per_second: u32,
    /// Seconds that an order waits for the disk before it is refused.
    pub(crate) accept_secs: u64,
    /// Seconds that running calls may go on when the process was asked to end.
    pub(crate) drain_secs: u64,
}

/// `[requests]`: how requests are judged.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Requests {
    /// Accept only UTC in signatures; by default Beijing time with a `Z`, as many clients write it, passes too.
    pub(crate) strict_clock: bool,
    /// Let apps call numbers outside China.
    pub(crate) calls_abroad: bool,
    /// How numbers begin that nobody dials: services that cost the one who calls.
    pub(crate) never_dialled: Vec<String>,
    /// Seconds that a request's time may differ from ours, before and after.
    pub(crate) window_secs: u64,
    /// Refuse a signature that came before.
    pub(crate) refuse_replays: bool,
    /// Accept the signatures that clients made before 2021.
    pub(crate) legacy_signature: bool,
    /// Serve the login of the clients of 2017 to 2019.
    pub(crate) legacy_login: bool,
    /// Take orders by GET too where a vendor's documents disagree about it.
    pub(crate) allow_get: bool,
    /// Tell faults of signatures in the codes of a vendor's own document only, whichever way a client signs.
    pub(crate) one_error_family: bool,
    /// Seconds that a token of that login lives.
    pub(crate) token_secs: u64,
    /// Proxies whose `X-Forwarded-For` is believed, as blocks of addresses.
    pub(crate) trusted_proxies: Vec<String>,
    /// Failed proofs from one address before it is banned.
    pub(crate) ban_after: usize,
    /// Seconds in which so many must fail.
    pub(crate) ban_window_secs: u64,
    /// Seconds that a ban lasts.
    pub(crate) ban_secs: u64,
}

/// `[recordings]`: how recordings are kept and given out.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Recordings {
    /// What customers reach this node by, such as `https://voice.example.com`; by default the host they asked.
    pub(crate) public_url: Option<String>,
    /// Seconds that an address of a recording is good.
    pub(crate) address_secs: u64,
    /// Seconds that a recording is kept: the vendor's seven days.
    pub(crate) keep_secs: u64,
}

/// `[speech]`: who speaks the texts of templates.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Speech {
    /// Which voice is asked first; `espeak` is asked when it fails.
    pub(crate) voice: VoiceName,
    /// The address of an OpenAI-style speech service, without `/v1/audio/speech`.
    pub(crate) http_url: Option<String>,
    #[serde(deserialize_with = "password")]
    pub(crate) http_key: Option<Private<String>>,
    pub(crate) http_model: String,
    pub(crate) http_voice: String,
    /// Who speaks as `kokoro`; one of the voices that were installed with it.
    pub(crate) kokoro_voice: String,
}

/// The voices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum VoiceName {
    Espeak,
    Http,
    Kokoro,
}

impl From<Backend> for engine::Backend {
    fn from(backend: Backend) -> Self {
        match backend {
            Backend::Auto => Self::Auto,
            Backend::Epoll => Self::Epoll,
            Backend::IoUring => Self::Uring,
        }
    }
}

impl Default for Sip {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 5060)).into(),
            advertised: None,
            rtp_ports: "20000-29999".to_owned(),
            tls_certificate: None,
            tls_key: None,
            shards: 0,
            backend: Backend::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { ports: limits::PLATFORM_PORTS, requests_per_second: 5_000, accept_secs: 10, drain_secs: 1_800 }
    }
}

impl Default for Push {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            retry_secs: 3_600,
            report_gather_secs: 1,
            attempt_secs: limits::PUSH_ATTEMPT.as_secs(),
        }
    }
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            strict_clock: false,
            calls_abroad: false,
            never_dialled: COSTLY.map(str::to_owned).into(),
            window_secs: 600,
            refuse_replays: false,
            legacy_signature: false,
            legacy_login: false,
            allow_get: false,
            one_error_family: false,
            token_secs: 48 * 3_600,
            trusted_proxies: Vec::new(),
            ban_after: 20,
            ban_window_secs: 600,
            ban_secs: 1_800,
        }
    }
}

impl Default for Recordings {
    fn default() -> Self {
        Self { public_url: None, address_secs: 1_800, keep_secs: 7 * 86_400 }
    }
}

impl Default for Speech {
    fn default() -> Self {
        Self {
            voice: VoiceName::Espeak,
            http_url: None,
            http_key: None,
            http_model: "tts-1".to_owned(),
            http_voice: "alloy".to_owned(),
            kokoro_voice: "zf_xiaoxiao".to_owned(),
        }
    }
}

impl Config {
    /// What holds when nobody decided otherwise.
    pub(crate) fn defaults() -> Self {
        Self {
            node: "huihu.local".to_owned(),
            data_dir: PathBuf::from("huihu-data"),
            http: SocketAddr::from(([127, 0, 0, 1], 7080)),
            sip: Sip::default(),
            trunk: OneTrunk::default(),
            trunks: Vec::new(),
            push: Push::default(),
            limits: Limits::default(),
            overload: Overload::default(),
            requests: Requests::default(),
            recordings: Recordings::default(),
            speech: Speech::default(),
            answering: Answering::default(),
            trace: Trace::default(),
        }
    }

    /// Reads the file, if one is named, and the environment on top of it.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self> {
        let mut sources = Figment::from(Serialized::defaults(Self::defaults()));
        if let Some(file) = file {
            if !file.is_file() {
                bail!("there is no configuration file {}: create it, or leave --config away", file.display());
            }
            check_form(file)?;
            sources = sources.merge(Toml::file_exact(file));
        }
        let texts = TEXTS.map(|key| key.replace('.', "__"));
        let others = texts.iter().map(String::as_str).chain(OTHERS).collect::<Vec<_>>();
        sources = sources.merge(Env::prefixed("HUIHU_").ignore(&others).split("__"));
        for (key, name) in TEXTS.iter().zip(&texts) {
            if let Ok(text) = std::env::var(format!("HUIHU_{}", name.to_uppercase())) {
                sources = sources.merge((key, text));
            }
        }
        Self::read(&sources)
    }

    /// What those who decide say together, if it makes sense.
    fn read(sources: &Figment) -> Result<Self> {
        let config: Self = sources.extract().map_err(|fault| anyhow!("{fault}"))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        let host_char = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        if self.node.is_empty() || self.node.len() > 128 || !self.node.bytes().all(host_char) {
            bail!("node = {:?} is not a host name: use letters, digits, dots and dashes", self.node);
        }
        self.rtp_ports()?;
        self.guard()?;
        self.trusted_proxies()?;
        self.never_dialled()?;
        self.trunks()?;
        self.overload.check()?;
        self.answering.check()?;
        self.trace.check()?;
        if self.tls_server()?.is_none() && self.sip.listen.by(Transport::Tls) {
            bail!("sip.listen has an address by TLS: set sip.tls_certificate and sip.tls_key too");
        }
        if !(1..=FAILURES_MAX).contains(&self.requests.ban_after) {
            bail!("requests.ban_after = {} is not from 1 to {FAILURES_MAX}", self.requests.ban_after);
        }
        let attempt_max = limits::PUSH_ATTEMPT.as_secs();
        if !(1..=attempt_max).contains(&self.push.attempt_secs) {
            bail!("push.attempt_secs = {} is not from 1 to {attempt_max}", self.push.attempt_secs);
        }
        if self.limits.accept_secs == 0 {
            bail!("limits.accept_secs = 0 leaves no order any time: set at least 1");
        }
        if self.recordings.public_url.as_deref().is_some_and(|url| !is_base(url)) {
            bail!(
                "recordings.public_url = {:?} is no address: write it as https://voice.example.com",
                self.recordings.public_url
            );
        }
        if self.speech.voice == VoiceName::Http && self.speech.http_url.is_none() {
            bail!("speech.voice = \"http\" needs the address of the service: set speech.http_url");
        }
        if !kokoro::VOICES.contains(&self.speech.kokoro_voice.as_str()) {
            bail!(
                "speech.kokoro_voice = {:?} is no voice: choose one of {}",
                self.speech.kokoro_voice,
                kokoro::VOICES.join(", ")
            );
        }
        Ok(())
    }

    /// The ways to carriers.
    pub(crate) fn trunks(&self) -> Result<Vec<ReadTrunk>> {
        trunks::read(&self.trunk, &self.trunks)
    }

    /// What we show those who connect to us by TLS.
    pub(crate) fn tls_server(&self) -> Result<Option<TlsServer>> {
        transports::tls_server(self.sip.tls_certificate.as_deref(), self.sip.tls_key.as_deref())
    }

    /// Where the natural voice is installed.
    pub(crate) fn kokoro_dir(&self) -> PathBuf {
        self.data_dir.join("voices").join("kokoro")
    }

    /// Whose `X-Forwarded-For` is believed.
    pub(crate) fn trusted_proxies(&self) -> Result<Vec<Block>> {
        blocks("requests.trusted_proxies", &self.requests.trusted_proxies)
    }

    /// How the numbers begin that nobody dials.
    pub(crate) fn never_dialled(&self) -> Result<Vec<Prefix>> {
        let read = |text: &String| {
            text.parse()
                .with_context(|| format!("requests.never_dialled has {text:?}, which begins no number"))
        };
        self.requests.never_dialled.iter().map(read).collect()
    }

    /// The range of RTP ports.
    pub(crate) fn rtp_ports(&self) -> Result<RangeInclusive<u16>> {
        parse_ports(&self.sip.rtp_ports)
    }

    /// Which addresses pushes may reach.
    pub(crate) fn guard(&self) -> Result<Guard> {
        Ok(Guard::new(blocks("push.allow", &self.push.allow)?))
    }
}

/// Whether a text can stand before a path: a scheme, a host, and no query.
fn is_base(url: &str) -> bool {
    let uri = url.parse::<Uri>().ok().filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
    uri.is_some_and(|uri| uri.host().is_some_and(|host| !host.is_empty()) && !url.contains('?'))
}

/// Numbers whose owners share what calls to them cost: ITU's shared-cost, satellite, personal and premium codes, and the
/// premium services of countries where a stolen key is worth most.
const COSTLY: [&str; 23] = [
    "+808", "+870", "+878", "+881", "+882", "+883", "+888", "+979", // not of any country
    "+1900", "+1976", "+3389", "+34803", "+34806", "+34807", "+39899", "+4470", "+449", "+49137", "+49190",
    "+49900", "+61190", "+81990", "+852900",
];

/// Failed proofs of an address that are remembered at most: each costs eight bytes, of 131,072 addresses.
const FAILURES_MAX: usize = 1_000;

fn blocks(key: &str, texts: &[String]) -> Result<Vec<Block>> {
    let block = |text: &String| {
        text.parse().with_context(|| format!("{key} has {text:?}, which is not a block of addresses"))
    };
    texts.iter().map(block).collect()
}

/// Whether the file is TOML at all.
fn check_form(file: &Path) -> Result<()> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the configuration file {}", file.display()))?;
    fault_of_form(&text).map_or(Ok(()), |fault| bail!("{}, {fault}", file.display()))
}

/// Where a text is no TOML and why, without repeating what stands there: that may be a password.
fn fault_of_form(text: &str) -> Option<String> {
    let fault = text.parse::<toml::Table>().err()?;
    let before = fault.span().and_then(|span| text.get(..span.start)).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    Some(format!("line {line}: {}", fault.message().lines().next().unwrap_or("not TOML")))
}

/// Reads a password. What is none is not repeated in the complaint.
fn password<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Private<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Other(IgnoredAny),
    }
    match Option::deserialize(deserializer)? {
        None => Ok(None),
        Some(Written::Text(text)) => Ok(Some(Private::new(text))),
        Some(Written::Other(_)) => Err(D::Error::custom("a password is a text: write it in quotes")),
    }
}

/// Reads `low-high`; the range must hold at least one even port and the odd one after it.
pub(crate) fn parse_ports(text: &str) -> Result<RangeInclusive<u16>> {
    let range = text.split_once('-').and_then(|(low, high)| {
        let (low, high) = (low.trim().parse::<u16>().ok()?, high.trim().parse::<u16>().ok()?);
        (low >= 1024 && low.next_multiple_of(2) < high).then_some(low..=high)
    });
    range
        .ok_or_else(|| anyhow!("{text:?} is not a range of RTP ports: write it as 20000-29999, from 1024 on"))
}

/// Variables of ours that are no configuration: which file it is in, and what is logged.
const OTHERS: [&str; 2] = ["config", "log"];

/// Keys whose value in the environment is a text even when it looks like a number, as users and passwords of trunks do.
const TEXTS: [&str; 16] = [
    "node",
    "data_dir",
    "answering.announcements",
    "sip.rtp_ports",
    "trunk.domain",
    "trunk.username",
    "trunk.password",
    "trunk.realm",
    "recordings.public_url",
    "speech.http_url",
    "speech.http_key",
    "speech.http_model",
    "speech.http_voice",
    "speech.kokoro_voice",
    "trace.homer",
    "trace.homer_password",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_ports_holds_at_least_one_pair() {
        assert_eq!(parse_ports("20000-20001").unwrap(), 20000..=20001);
        for bad in ["", "20000", "20001-20002", "30000-20000", "80-90", "a-b", "20000-70000"] {
            let sentence = parse_ports(bad).unwrap_err().to_string();
            assert!(sentence.contains("write it as 20000-29999"), "{bad}: {sentence}");
        }
    }

    #[test]
    fn the_defaults_are_sound() {
        Config::defaults().check().unwrap();
    }

    #[test]
    fn a_host_name_is_a_host_name() {
        let config = Config { node: "a b".to_owned(), ..Config::defaults() };
        assert!(config.check().unwrap_err().to_string().contains("not a host name"));
    }

    #[test]
    fn what_would_refuse_everybody_or_lead_nowhere_is_no_configuration() {
        let told = |spoil: fn(&mut Config)| {
            let mut config = Config::defaults();
            spoil(&mut config);
            config.check().err().map(|fault| fault.to_string()).unwrap_or_default()
        };
        assert!(told(|config| config.requests.ban_after = 0).contains("requests.ban_after"));
        assert!(told(|config| config.requests.ban_after = usize::MAX).contains("requests.ban_after"));
        assert!(told(|config| config.limits.accept_secs = 0).contains("limits.accept_secs"));
        assert!(told(|config| config.push.attempt_secs = 0).contains("push.attempt_secs = 0 is not from 1"));
        assert!(told(|config| config.push.attempt_secs = 11).contains("push.attempt_secs"));
        assert!(told(|config| config.overload.memory_percent = 101).contains("overload.memory_percent"));
        assert!(told(|config| config.overload.late_ms = 10_001).contains("overload.late_ms"));
        let public_url = |url: &str| {
            let mut config = Config::defaults();
            config.recordings.public_url = Some(url.to_owned());
            config.check().is_ok()
        };
        for good in ["https://voice.example.com", "http://10.0.0.1:7080/", "https://example.com/voice"] {
            assert!(public_url(good), "{good}");
        }
        for bad in
            ["", "voice.example.com", "ftp://h", "https://", "https://h/?a=", "https://h\r\nX: y", "/x"]
        {
            assert!(!public_url(bad), "{bad}");
        }
    }

    #[test]
    fn what_costs_the_one_who_calls_is_dialled_by_nobody_unless_an_operator_says_otherwise() {
        let never = |config: &Config, number: &str| {
            let number = base::number::E164::parse(number).unwrap();
            config.never_dialled().unwrap().iter().any(|prefix| prefix.leads(&number))
        };
        let mut config = Config::defaults();
        for costly in
            ["+88216000001", "+8811234567", "+97912345678", "+19005550100", "+8707612345", "+449012345678"]
        {
            assert!(never(&config, costly), "{costly}");
        }
        for usual in ["+8613800000001", "+14155550100", "+442071234567", "+85291234567"] {
            assert!(!never(&config, usual), "{usual}");
        }
        config.requests.never_dialled = vec!["+7".to_owned()];
        assert!(never(&config, "+74951234567") && !never(&config, "+19005550100"));
        config.requests.never_dialled = vec!["900".to_owned()];
        let told = format!("{:#}", config.check().unwrap_err());
        assert!(told.contains("requests.never_dialled") && told.contains("such as +86"), "{told}");
    }

    #[test]
    fn a_broken_file_is_told_by_its_line_and_nothing_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("huihu.toml");
        std::fs::write(&file, "[trunk]\npeer = \"127.0.0.1:5060\"\npassword = \"geheim\n").unwrap();
        let sentence = Config::load(Some(&file)).unwrap_err().to_string();
        assert!(sentence.contains("huihu.toml, line 3: "), "{sentence}");
        assert!(!sentence.contains("geheim"), "{sentence}");
    }
}
