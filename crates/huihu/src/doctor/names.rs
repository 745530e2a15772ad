//! The names in the configuration, but for those of trunks, which are followed otherwise.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use anyhow::Result;
use axum::http::Uri;
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::{Diagnosis, at_once};
use crate::config::{Config, VoiceName};

/// A name that was looked up.
struct Looked {
    /// The key of the configuration that has it.
    key: &'static str,
    host: String,
    /// In words, when it has no address.
    found: Result<Vec<IpAddr>, String>,
    took: Duration,
}

pub(super) async fn check(config: &Config) -> Result<Vec<Diagnosis>> {
    let url = |url: &Option<String>| {
        url.as_deref().and_then(|url| Some(url.parse::<Uri>().ok()?.host()?.to_owned()))
    };
    let homer = config.trace.homer.as_ref().map(|homer| match homer.rsplit_once(':') {
        Some((host, _)) => host.to_owned(),
        None => homer.clone(),
    });
    let speech = url(&config.speech.http_url).filter(|_| config.speech.voice == VoiceName::Http);
    let wanted = [
        ("speech.http_url", speech),
        ("recordings.public_url", url(&config.recordings.public_url)),
        ("trace.homer", homer),
    ];
    let looks = wanted.into_iter().filter_map(|(key, host)| Some((key, host?))).map(|(key, host)| {
        let look = look(key, host.trim_matches(['[', ']']).to_owned());
        Box::pin(look) as std::pin::Pin<Box<dyn Future<Output = Looked> + Send>>
    });
    Ok(at_once(looks.collect()).await?.iter().map(judge).collect())
}

async fn look(key: &'static str, host: String) -> Looked {
    let began = Instant::now();
    let found = match timeout(PATIENCE, lookup_host((host.as_str(), 0))).await {
        Err(_) => Err("the name server does not answer".to_owned()),
        Ok(Err(fault)) => Err(fault.to_string()),
        Ok(Ok(found)) => Ok(found.map(|address| address.ip()).collect()),
    };
    Looked { key, host, found, took: began.elapsed() }
}

fn judge(looked: &Looked) -> Diagnosis {
    let Looked { key, host, found, took } = looked;
    let fix = format!("check {key}, and the name servers in /etc/resolv.conf");
    match found {
        Err(why) => Diagnosis::fault(CHECK, format!("{host} of {key} is not resolved: {why}"), fix),
        Ok(_) if *took > SLOW => Diagnosis::warning(
            CHECK,
            format!("{host} of {key} takes {} ms to be resolved", took.as_millis()),
            fix,
        ),
        Ok(found) => {
            let list: Vec<String> = found.iter().take(SHOWN).map(ToString::to_string).collect();
            Diagnosis::ok(CHECK, format!("{host} of {key} is {}", list.join(", ")))
        }
    }
}

/// How long a name may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is too long for a name that somebody waits for.
const SLOW: Duration = Duration::from_secs(2);

/// Addresses of a name that are shown.
const SHOWN: usize = 4;

const CHECK: &str = "names";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::told;

    #[test]
    fn a_name_is_resolved_and_soon() {
        let said = |found, took| {
            told(&judge(&Looked { key: "trace.homer", host: "homer.example".into(), found, took }))
        };
        let there = || Ok(vec![IpAddr::from([192, 0, 2, 7])]);
        assert_eq!(said(there(), Duration::ZERO), "ok: homer.example of trace.homer is 192.0.2.7");
        assert!(
            said(there(), Duration::from_secs(3))
                .starts_with("warning: homer.example of trace.homer takes 3000 ms")
        );
        assert!(said(Err("no such name".into()), Duration::ZERO).starts_with("fault: homer.example"));
    }
}
