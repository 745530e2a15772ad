//! The app is active: neither paused by its owner, nor frozen or never approved, nor deleted.

use base::account::{Account, AppState};
use base::refusal::Refusal;

use crate::Visit;

pub(super) const fn check(account: &Account, _: &Visit<'_>) -> Result<(), Refusal> {
    match account.app.state {
        AppState::Active => Ok(()),
        AppState::Paused => Err(Refusal::AppPaused),
        AppState::Unavailable => Err(Refusal::AppUnavailable),
        AppState::Deleted => Err(Refusal::AppDeleted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::Story;

    #[test]
    fn only_an_active_app_gets_in() {
        let mut story = Story::callback();
        for (state, refusal) in [
            (AppState::Paused, Some(Refusal::AppPaused)),
            (AppState::Unavailable, Some(Refusal::AppUnavailable)),
            (AppState::Deleted, Some(Refusal::AppDeleted)),
            (AppState::Active, None),
        ] {
            story.account.app.state = state;
            assert_eq!(story.refused(), refusal);
        }
    }

    #[test]
    fn a_stop_needs_an_active_app_too() {
        let mut story = Story::callback();
        story.product = None;
        story.account.app.state = AppState::Paused;
        assert_eq!(story.enter(), Err(Refusal::AppPaused));
    }
}
