//! Trunks: their names, OPTIONS to each gateway, and the registration as the platform that serves tells of it.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use base::time::Timestamp;
use serde_json::Value;
use sip::Hop;

use super::{Diagnosis, at_once};
use crate::cli::Place;
use crate::commands::trunk::registration::{served, told};
use crate::commands::trunk::test::{Answer, ask, trials};
use crate::config::{Config, ReadTrunk};
use crate::road::wall;

/// A trunk that was tried out.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) trunk: ReadTrunk,
    /// What its names come to, in words.
    names: Vec<String>,
    /// Why it has no gateways, if that is so.
    unresolved: Option<String>,
    pub(super) gateways: Vec<Gateway>,
    /// What the platform that serves tells of it.
    served: Option<Value>,
    /// The address that its registrar saw the platform at.
    pub(super) seen_as: Option<IpAddr>,
}

/// A gateway that was asked.
#[derive(Debug)]
pub(super) struct Gateway {
    pub(super) peer: Hop,
    /// What our clock said when it had answered.
    pub(super) at: Timestamp,
    pub(super) answer: Result<Answer, String>,
}

/// Tries all trunks out.
pub(super) async fn look(place: &Place, config: &Config, is_served: bool) -> Result<Vec<Tried>> {
    let mut tried = Vec::new();
    for trunk in config.trunks()? {
        let names = Arc::new(Mutex::new(Vec::new()));
        let note = |line: &str| names.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
        let (found, unresolved) = match trials(config, &trunk, note).await {
            Ok(found) => (found, None),
            Err(fault) => (Vec::new(), Some(format!("{fault:#}"))),
        };
        let asking = found.into_iter().map(|trial| {
            let asked = async move {
                let answer = ask(&trial).await.map_err(|fault| format!("{fault:#}"));
                Gateway { peer: trial.peer.hop, at: wall(), answer }
            };
            Box::pin(asked) as std::pin::Pin<Box<dyn Future<Output = Gateway> + Send>>
        });
        let gateways = at_once(asking.collect()).await?;
        let served = if is_served { served(place, &trunk.settings.name).await } else { None };
        let seen_as = served.as_ref().and_then(|trunk| trunk["seen_as"].as_str()?.parse::<SocketAddr>().ok());
        let names = std::mem::take(&mut *names.lock().unwrap_or_else(PoisonError::into_inner));
        let seen_as = seen_as.map(|address| address.ip());
        tried.push(Tried { trunk, names, unresolved, gateways, served, seen_as });
    }
    Ok(tried)
}

/// Without trunks nothing can be dialled.
pub(super) fn none() -> Diagnosis {
    let fix = "set peer = \"ADDRESS:PORT\" under [trunk], or write [[trunks]]; `huihu dev` brings a simulated carrier";
    Diagnosis::fault(CHECK, "there is none, so nobody can be called", fix)
}

pub(super) fn judge(tried: &Tried) -> Vec<Diagnosis> {
    let name = &tried.trunk.settings.name;
    let mut diagnoses: Vec<Diagnosis> = tried
        .names
        .iter()
        .map(|line| Diagnosis::ok("names", line.trim_start_matches("name").trim().to_owned()))
        .collect();
    if let Some(why) = &tried.unresolved {
        diagnoses.push(Diagnosis::fault(
            CHECK,
            format!("{name}: {why}"),
            "set its peers to addresses until then",
        ));
    }
    let works = tried.served.as_ref().is_some_and(|trunk| trunk["health"] == "working");
    let one_answers = tried.gateways.iter().any(|gateway| gateway.answer.is_ok());
    let more = format!("`huihu trunk test {name}` tries more");
    diagnoses.extend(tried.gateways.iter().map(|gateway| match &gateway.answer {
        Ok(answer) => Diagnosis::ok(CHECK, format!("{name}: {answer}")),
        Err(why) if works => {
            let says = format!("{name}: {why}; the platform's own calls reach it");
            Diagnosis::warning(CHECK, says, more.clone())
        }
        Err(why) if one_answers => Diagnosis::warning(CHECK, format!("{name}: {why}"), more.clone()),
        Err(why) => Diagnosis::fault(CHECK, format!("{name}: {why}"), more.clone()),
    }));
    if let Some(served) = tried.served.as_ref().filter(|_| tried.trunk.settings.registration.is_some()) {
        diagnoses.push(match told(served) {
            Ok(words) => Diagnosis::ok(CHECK, format!("{name}: {words}")),
            Err(why) => Diagnosis::fault(CHECK, format!("{name}: {why}"), more),
        });
    }
    diagnoses
}

const CHECK: &str = "trunks";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use sip::Transport;

    use super::*;
    use crate::doctor;

    fn tried(answers: &[bool]) -> Tried {
        let address: SocketAddr = "192.0.2.1:5060".parse().unwrap();
        let trunk = ReadTrunk {
            settings: engine::Trunk::new("far", address),
            peers: Vec::new(),
            transports: &[Transport::Udp],
            tls_name: None,
            username: None,
        };
        let gateway = |there: &bool| {
            let answer = Answer {
                peer: address.into(),
                status: 200,
                after: Duration::from_millis(3),
                seen_as: None,
                date: None,
            };
            let answer = if *there { Ok(answer) } else { Err("it does not answer".to_owned()) };
            Gateway { peer: address.into(), at: Timestamp::default(), answer }
        };
        let gateways = answers.iter().map(gateway).collect();
        Tried { trunk, names: Vec::new(), unresolved: None, gateways, served: None, seen_as: None }
    }

    fn said(tried: &Tried) -> Vec<String> {
        judge(tried).iter().map(doctor::told).collect()
    }

    #[test]
    fn a_trunk_is_as_good_as_its_gateways() {
        assert_eq!(said(&tried(&[true])), ["ok: far: 192.0.2.1:5060 by UDP answers 200 after 3 ms"]);
        let silent = said(&tried(&[false]));
        assert_eq!(silent, ["fault: far: it does not answer; `huihu trunk test far` tries more"]);
        let one_of_two = said(&tried(&[true, false]));
        assert!(one_of_two[1].starts_with("warning: "), "{one_of_two:?}");
        let served = Tried { served: Some(json!({"health": "working"})), ..tried(&[false]) };
        assert!(said(&served)[0].starts_with("warning: far: it does not answer; the platform's own"));
        let lost = Tried { unresolved: Some("the name sip.example is not resolved".into()), ..tried(&[]) };
        assert!(said(&lost)[0].starts_with("fault: far: the name sip.example"));
        assert!(doctor::told(&none()).starts_with("fault: "));
    }

    #[test]
    fn what_its_names_come_to_is_told() {
        let named = Tried { names: vec!["name      sip.example is 192.0.2.1:5060".into()], ..tried(&[true]) };
        let diagnoses = judge(&named);
        assert_eq!((diagnoses[0].check, &*diagnoses[0].says), ("names", "sip.example is 192.0.2.1:5060"));
    }

    #[test]
    fn a_platform_that_is_not_registered_is_a_fault() {
        let lasts = Duration::from_secs(60);
        let mut trunk = tried(&[true]);
        trunk.trunk.settings.registration = Some(engine::trunk::Registration { user: "us".into(), lasts });
        trunk.served = Some(json!({"health": "unregistered", "sip_status": 403}));
        assert!(said(&trunk)[1].starts_with("fault: far: the trunk forbids us to register"));
        trunk.served = Some(json!({"health": "working"}));
        assert_eq!(said(&trunk)[1], "ok: far: the platform is registered");
    }
}
