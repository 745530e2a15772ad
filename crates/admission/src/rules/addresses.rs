//! The request comes from an address that the app named, if it named any.

use base::account::Account;
use base::refusal::Refusal;

use crate::Visit;

pub(super) fn check(account: &Account, visit: &Visit<'_>) -> Result<(), Refusal> {
    let (named, address) = (&account.app.addresses, visit.address());
    if named.is_empty() || named.iter().any(|block| block.contains(address)) {
        Ok(())
    } else {
        Err(Refusal::AddressNotAllowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::Story;

    #[test]
    fn an_app_that_names_addresses_is_asked_from_nowhere_else() {
        let mut story = Story::callback();
        story.account.app.addresses = vec!["9.9.9.0/24".parse().unwrap(), "2400:1::/32".parse().unwrap()];
        for (peer, refusal) in [
            ("9.9.9.7", None),
            ("::ffff:9.9.9.7", None),
            ("2400:1::7", None),
            ("9.9.8.7", Some(Refusal::AddressNotAllowed)),
            ("2400:2::7", Some(Refusal::AddressNotAllowed)),
        ] {
            story.peer = peer.parse().unwrap();
            assert_eq!(story.refused(), refusal, "{peer}");
        }
    }
}
