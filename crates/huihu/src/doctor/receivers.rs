//! The receivers that apps have or that are owed something: connected to as pushes are, and told nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use base::url::PushUrl;
use delivery::{Reach, ReachFault};
use store::Inspection;
use tokio::task::spawn_blocking;

use super::clock::{self, Other};
use super::{Diagnosis, at_once};
use crate::config::Config;
use crate::road::wall;

/// A receiver that was tried out.
#[derive(Debug)]
pub(super) struct Knocked {
    /// Scheme, host and port; a path may hold a secret.
    place: String,
    came: Result<Duration, ReachFault>,
}

/// Tries the receivers out, and asks one of those that are there for the time.
pub(super) async fn look(config: &Config) -> Result<(Vec<Knocked>, Option<Other>)> {
    let (dir, reach) = (config.data_dir.clone(), Reach::new(config.guard()?));
    // What is wrong with the database is told by the check of it.
    let urls = spawn_blocking(move || Inspection::open(&dir)?.receivers()).await?.unwrap_or_default();
    let mut places = BTreeSet::new();
    let urls: Vec<PushUrl> =
        urls.into_iter().filter(|url| places.insert(place(url))).take(RECEIVERS).collect();
    let knocks = urls.iter().cloned().map(|url| {
        let reach = reach.clone();
        let knock = async move { Knocked { place: place(&url), came: reach.connect(&url).await } };
        Box::pin(knock) as std::pin::Pin<Box<dyn Future<Output = Knocked> + Send>>
    });
    let knocked = at_once(knocks.collect()).await?;
    let there = urls.iter().zip(&knocked).find(|(_, knocked)| knocked.came.is_ok());
    let other =
        match there {
            None => None,
            Some((url, knocked)) => reach.date(url).await.and_then(|date| clock::date(&date)).map(|theirs| {
                Other { whose: format!("the receiver {}", knocked.place), theirs, ours: wall() }
            }),
        };
    Ok((knocked, other))
}

/// The part of a URL before its path.
fn place(url: &PushUrl) -> String {
    let (scheme, rest) = url.as_str().split_once("://").unwrap_or(("http", url.as_str()));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    format!("{scheme}://{}", authority.to_ascii_lowercase())
}

pub(super) fn judge(knocked: &Knocked) -> Diagnosis {
    let Knocked { place, came } = knocked;
    match came {
        Ok(took) => Diagnosis::ok(CHECK, format!("{place} is reached in {} ms", took.as_millis())),
        Err(ReachFault::NotAllowed) => Diagnosis::fault(
            CHECK,
            format!("no push may go to {place}: its address is a private one"),
            "put its block into push.allow if it is yours, or have the app name another receiver",
        ),
        Err(fault) => Diagnosis::warning(
            CHECK,
            format!("{place} is not reached: {fault}"),
            "tell its customer, and look whether a firewall lets us out; pushes wait and are tried again",
        ),
    }
}

/// Receivers that are tried out.
const RECEIVERS: usize = 64;

const CHECK: &str = "receivers";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::told;

    #[test]
    fn a_receiver_is_there_or_its_customer_is_told() {
        let said = |came| told(&judge(&Knocked { place: "http://shop.example".into(), came }));
        assert_eq!(said(Ok(Duration::from_millis(12))), "ok: http://shop.example is reached in 12 ms");
        assert!(
            said(Err(ReachFault::NotAllowed)).starts_with("fault: ")
                && said(Err(ReachFault::NotAllowed)).contains("push.allow")
        );
        for fault in [ReachFault::NoAddress, ReachFault::Refused, ReachFault::TooLate, ReachFault::NoWay] {
            assert!(said(Err(fault)).starts_with("warning: http://shop.example is not reached"));
        }
    }

    #[test]
    fn a_path_is_not_shown() {
        let url = PushUrl::parse("https://Shop.example:8443/secret/status?x=1").unwrap();
        assert_eq!(place(&url), "https://shop.example:8443");
    }
}
