//! An app that was not released for real use asks for the sandbox.

use base::account::{Account, Phase};
use base::refusal::Refusal;

use crate::Visit;

pub(super) const fn check(account: &Account, visit: &Visit<'_>) -> Result<(), Refusal> {
    match (account.app.phase, visit.phase) {
        (Phase::Sandbox, Phase::Commercial) => Err(Refusal::SandboxOnly),
        (Phase::Commercial, _) | (Phase::Sandbox, Phase::Sandbox) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::Story;

    #[test]
    fn the_sandbox_is_for_everybody_and_the_rest_for_released_apps() {
        use Phase::{Commercial, Sandbox};
        for (app, path, refusal) in [
            (Commercial, Commercial, None),
            (Commercial, Sandbox, None),
            (Sandbox, Sandbox, None),
            (Sandbox, Commercial, Some(Refusal::SandboxOnly)),
        ] {
            let mut story = Story::callback();
            story.account.app.phase = app;
            story.phase = path;
            assert_eq!(story.refused(), refusal, "{app:?} {path:?}");
        }
    }
}
