//! The request comes from a known IPv4 address, if the app wants that.

use std::net::IpAddr;

use base::account::{Account, Origin};
use base::refusal::Refusal;

use crate::Visit;

pub(super) const fn check(account: &Account, visit: &Visit<'_>) -> Result<(), Refusal> {
    match (account.app.origin, visit.address()) {
        (Origin::Any, _) => Ok(()),
        (Origin::Ipv4, IpAddr::V4(address)) if !address.is_unspecified() => Ok(()),
        (Origin::Ipv4, IpAddr::V4(_) | IpAddr::V6(_)) => Err(Refusal::AddressUnknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::Story;

    #[test]
    fn an_app_can_insist_on_ipv4() {
        for (peer, refusal) in [
            ("9.9.9.9", None),
            ("::ffff:9.9.9.9", None),
            ("0.0.0.0", Some(Refusal::AddressUnknown)),
            ("2400::1", Some(Refusal::AddressUnknown)),
        ] {
            let mut story = Story::callback();
            story.peer = peer.parse().unwrap();
            assert_eq!(story.refused(), None, "{peer}");
            story.account.app.origin = Origin::Ipv4;
            assert_eq!(story.refused(), refusal, "{peer}");
        }
    }
}
