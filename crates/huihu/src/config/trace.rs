//! `[trace]`: what is kept of what goes over the wire.

use std::time::Duration;

use anyhow::{Result, bail};
use base::private::Private;
use engine::Traced;
use engine::trace::Numbers;
use serde::{Deserialize, Serialize};

use super::password;

/// See the module.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Trace {
    /// Whose traces are kept.
    pub(crate) calls: TracedCalls,
    /// Whether the headers of RTP packets are kept too.
    pub(crate) rtp_headers: bool,
    /// Whether numbers may be read in traces.
    pub(crate) numbers: bool,
    /// Days that a trace is kept.
    pub(crate) days: u32,
    /// Megabytes that all traces may have; then the oldest go.
    pub(crate) megabytes_max: u32,
    /// A Homer server that is told every SIP message of a call, such as `homer.example.com:9060`.
    pub(crate) homer: Option<String>,
    /// By which number it knows us.
    pub(crate) homer_id: u32,
    #[serde(deserialize_with = "password")]
    pub(crate) homer_password: Option<Private<String>>,
}

/// Whose traces are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TracedCalls {
    None,
    /// Of calls that ended otherwise than by hanging up.
    Failed,
    All,
}

impl From<TracedCalls> for Traced {
    fn from(calls: TracedCalls) -> Self {
        match calls {
            TracedCalls::None => Self::Nothing,
            TracedCalls::Failed => Self::Failed,
            TracedCalls::All => Self::All,
        }
    }
}

impl Default for Trace {
    fn default() -> Self {
        Self {
            calls: TracedCalls::None,
            rtp_headers: false,
            numbers: false,
            days: 7,
            megabytes_max: 1_024,
            homer: None,
            homer_id: 2_001,
            homer_password: None,
        }
    }
}

impl Trace {
    pub(super) fn check(&self) -> Result<()> {
        if !(1..=DAYS_MAX).contains(&self.days) {
            bail!("trace.days = {} is not from 1 to {DAYS_MAX}", self.days);
        }
        if self.megabytes_max == 0 {
            bail!("trace.megabytes_max = 0 leaves no trace: set calls = \"none\" if none is wanted");
        }
        if self.homer.as_deref().is_some_and(|homer| !has_port(homer)) {
            bail!(
                "trace.homer = {:?} is no address with a port: write it as homer.example.com:9060",
                self.homer
            );
        }
        let password = self.homer_password.as_ref().map_or(0, |password| password.expose().len());
        if password > PASSWORD_MAX {
            bail!("trace.homer_password has {password} bytes: there may be {PASSWORD_MAX}");
        }
        Ok(())
    }

    pub(crate) const fn numbers(&self) -> Numbers {
        if self.numbers { Numbers::Shown } else { Numbers::Masked }
    }

    pub(crate) fn kept(&self) -> Duration {
        Duration::from_secs(u64::from(self.days) * 86_400)
    }

    pub(crate) fn bytes_max(&self) -> u64 {
        u64::from(self.megabytes_max) << 20
    }
}

fn has_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let is_v6 = host.starts_with('[') && host.ends_with(']');
    let is_host = !host.is_empty() && !host.contains([' ', '/']) && (is_v6 || !host.contains(':'));
    is_host && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Ten years.
const DAYS_MAX: u32 = 3_650;

/// What fits beside the longest message.
const PASSWORD_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_told_with_its_key() {
        let told = |spoil: fn(&mut Trace)| {
            let mut trace = Trace::default();
            spoil(&mut trace);
            trace.check().err().map(|fault| fault.to_string()).unwrap_or_default()
        };
        assert_eq!(told(|_| {}), "");
        assert!(told(|trace| trace.days = 0).contains("trace.days = 0"));
        assert!(told(|trace| trace.megabytes_max = 0).contains("trace.megabytes_max"));
        assert!(told(|trace| trace.homer = Some("homer".to_owned())).contains("homer.example.com:9060"));
        let secret = told(|trace| trace.homer_password = Some(Private::new("geheim".repeat(30))));
        assert!(secret.contains("trace.homer_password has 180 bytes") && !secret.contains("geheim"));
    }

    #[test]
    fn homer_is_a_host_with_a_port() {
        for good in ["homer.example.com:9060", "192.0.2.7:9060", "[2001:db8::7]:9060"] {
            assert!(has_port(good), "{good}");
        }
        for bad in
            ["", ":9060", "homer", "homer:", "homer:0", "homer:x", "2001:db8::7:9060", "http://h:1", "a b:1"]
        {
            assert!(!has_port(bad), "{bad}");
        }
    }
}
