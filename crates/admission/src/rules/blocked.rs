//! The operator blocked neither the address nor the area it belongs to.

use base::account::Account;
use base::address::Block;
use base::refusal::Refusal;

use crate::Visit;

pub(super) fn address(account: &Account, visit: &Visit<'_>) -> Result<(), Refusal> {
    if within(&account.platform.blocked_addresses, visit) { Err(Refusal::AddressBlocked) } else { Ok(()) }
}

pub(super) fn area(account: &Account, visit: &Visit<'_>) -> Result<(), Refusal> {
    if within(&account.platform.blocked_areas, visit) { Err(Refusal::AreaBlocked) } else { Ok(()) }
}

fn within(blocks: &[Block], visit: &Visit<'_>) -> bool {
    let address = visit.address();
    blocks.iter().any(|block| block.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::Story;

    #[test]
    fn who_comes_from_a_blocked_address_or_area_is_told_which() {
        let mut story = Story::callback();
        let platform = story.platform_mut();
        platform.blocked_addresses = vec!["9.9.9.9".parse().unwrap()];
        platform.blocked_areas = vec!["9.9.0.0/16".parse().unwrap(), "2400:1::/32".parse().unwrap()];
        for (peer, refusal) in [
            ("9.9.9.9", Some(Refusal::AddressBlocked)),
            ("::ffff:9.9.9.9", Some(Refusal::AddressBlocked)),
            ("9.9.9.8", Some(Refusal::AreaBlocked)),
            ("2400:1::1", Some(Refusal::AreaBlocked)),
            ("9.8.9.9", None),
        ] {
            story.peer = peer.parse().unwrap();
            assert_eq!(story.refused(), refusal, "{peer}");
        }
    }
}
