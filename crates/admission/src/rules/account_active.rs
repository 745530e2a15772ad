//! The enterprise may place calls: it owes nothing and was not suspended.

use base::account::{Account, AccountState};
use base::refusal::Refusal;

use crate::Visit;

pub(super) const fn check(account: &Account, _: &Visit<'_>) -> Result<(), Refusal> {
    match account.state {
        AccountState::Active => Ok(()),
        AccountState::InArrears | AccountState::Suspended => Err(Refusal::AccountUnusable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::Story;

    #[test]
    fn who_owes_money_or_was_suspended_calls_nobody() {
        let mut story = Story::callback();
        for state in [AccountState::InArrears, AccountState::Suspended] {
            story.account.state = state;
            assert_eq!(story.refused(), Some(Refusal::AccountUnusable));
        }
        story.account.state = AccountState::Active;
        assert_eq!(story.refused(), None);
    }
}
