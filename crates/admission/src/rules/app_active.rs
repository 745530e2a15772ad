//! The app is active: neither paused by its owner, nor frozen or never approved.

use base::account::{Account, AppState};
use base::order::ProductKind;
use base::refusal::Refusal;

pub(super) const fn check(account: &Account, _: Option<ProductKind>) -> Result<(), Refusal> {
    match account.app.state {
        AppState::Active => Ok(()),
        AppState::Paused => Err(Refusal::AppPaused),
        AppState::Unavailable => Err(Refusal::AppUnavailable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::Story;

    #[test]
    fn only_an_active_app_gets_in() {
        let mut story = Story::callback();
        story.account.app.state = AppState::Paused;
        assert_eq!(crate::enter(&story.account, None), Err(Refusal::AppPaused));
        assert_eq!(story.refused(), Some(Refusal::AppPaused));
        story.account.app.state = AppState::Unavailable;
        assert_eq!(crate::enter(&story.account, None), Err(Refusal::AppUnavailable));
        story.account.app.state = AppState::Active;
        assert_eq!(crate::enter(&story.account, None), Ok(()));
    }
}
