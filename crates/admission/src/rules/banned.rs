//! The address has not failed too often to prove who it is. Asked here for the explanation; a request from a banned
//! address is refused before its proof is looked at.

use base::account::Account;
use base::refusal::Refusal;

use crate::Visit;

pub(super) fn check(_: &Account, visit: &Visit<'_>) -> Result<(), Refusal> {
    if visit.gate.banned(visit.peer, visit.now) { Err(Refusal::AddressBanned) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::Story;

    #[test]
    fn a_banned_address_waits_or_is_forgiven() {
        let mut story = Story::callback();
        story.fail_proofs();
        assert_eq!(story.refused(), Some(Refusal::AddressBanned));
        story.gate.lift(story.peer);
        assert_eq!(story.refused(), None);
        story.fail_proofs();
        story.peer = "9.9.9.10".parse().unwrap();
        assert_eq!(story.refused(), None);
    }
}
