//! Whether the registration with a trunk works, in a sentence: by a REGISTER of our own, or as the platform that serves
//! tells, since a carrier that keeps one address for each account would forget the platform's.

use anyhow::{Context, Result, bail};
use engine::trial::{Registered, Trial};
use serde_json::Value;
use tokio::task::spawn_blocking;

use super::test::{Unreached, millis};
use crate::cli::Place;
use crate::commands::ALL;
use crate::commands::api::Api;

/// What the platform that serves tells of a trunk; `None` when none does.
pub(crate) async fn served(place: &Place, name: &str) -> Option<Value> {
    let trunks = Api::of(place).await.ok()?.list(&["trunks"], &[], ALL).await.ok()?;
    trunks.into_iter().find(|trunk| trunk["name"] == name)
}

/// The same in a sentence; the error is that we are not registered.
pub(crate) fn told(trunk: &Value) -> Result<String> {
    let status = trunk["sip_status"].as_u64().and_then(|status| u16::try_from(status).ok());
    match (trunk["health"].as_str(), status) {
        (Some("unregistered"), None) => {
            bail!("the platform is not registered, and was not answered yet: try again in a minute")
        }
        (Some("unregistered"), Some(SILENT)) => bail!(SAYS_NOTHING),
        (Some("unregistered"), Some(status)) => refused(status),
        (Some("working" | "paused" | "failing"), _) => Ok(match trunk["seen_as"].as_str() {
            Some(address) => format!("the platform is registered, and is seen as {address}"),
            None => "the platform is registered".to_owned(),
        }),
        _ => Ok("the platform serves and tells nothing of it while the trunk is down".to_owned()),
    }
}

/// Registers and takes that back; `None` when the trunk wants no registration.
pub(super) async fn tried(trial: &Trial) -> Result<Option<String>> {
    let (tried, peer) = (trial.clone(), trial.peer.hop);
    let said = spawn_blocking(move || tried.register()).await?;
    let said = said.with_context(|| format!("the network knows no way to {peer}"))?;
    said.map(|said| match said {
        Registered::Yes { after, seen_as } => {
            let seen_as = seen_as.map(|address| format!(", and sees us as {address}")).unwrap_or_default();
            Ok(format!("{peer} takes us after {}{seen_as}; it was taken back", millis(after)))
        }
        Registered::No { status } => refused(status),
        Registered::Silent => bail!(SAYS_NOTHING),
        Registered::Unreached(fault) => Err(Unreached { peer, fault }.into()),
    })
    .transpose()
}

/// Why a registrar refuses.
fn refused(status: u16) -> Result<String> {
    match status {
        401 | 407 => {
            bail!(
                "the password is wrong (SIP {status} to our credentials): check username, password and domain"
            )
        }
        403 => bail!(
            "the trunk forbids us to register (SIP 403): the password or the account is wrong, or it does not know our \
             address"
        ),
        404 => bail!("the trunk knows no such account (SIP 404): check username and domain"),
        423 => {
            bail!("the trunk wants longer registrations (SIP 423): set expires_secs to what the carrier says")
        }
        500..=599 => bail!("the trunk cannot register anybody now (SIP {status}): try again later"),
        status => bail!(
            "the registration failed with SIP {status}: check username, domain and the first of the peers"
        ),
    }
}

const SAYS_NOTHING: &str = "the trunk says nothing to REGISTER: check whether the first of its peers is the registrar, and whether it knows our address";

/// The status of a trunk that said nothing.
const SILENT: u16 = 408;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_refusal_has_its_own_sentence_whoever_heard_it() {
        for (status, words) in [
            (401, "the password is wrong"),
            (407, "the password is wrong"),
            (403, "forbids us to register"),
            (404, "no such account"),
            (423, "expires_secs"),
            (503, "try again later"),
            (488, "failed with SIP 488"),
        ] {
            let served = told(&json!({ "health": "unregistered", "sip_status": status })).unwrap_err();
            assert!(served.to_string().contains(words), "{served}");
            assert_eq!(served.to_string(), refused(status).unwrap_err().to_string());
        }
    }

    #[test]
    fn the_platform_tells_whether_it_is_registered() {
        let said = |health: &str, status: Option<u16>| {
            told(&json!({ "health": health, "sip_status": status })).map_err(|fault| fault.to_string())
        };
        assert!(said("working", Some(503)).unwrap().contains("is registered"));
        assert!(said("down", Some(408)).unwrap().contains("tells nothing"));
        assert!(said("unregistered", None).unwrap_err().contains("not answered yet"));
        assert!(said("unregistered", Some(408)).unwrap_err().contains("says nothing"));
    }
}
