//! The operator's security holds nothing against the app.

use base::account::Hold;
use base::refusal::Refusal;

use crate::ask::Ask;

pub(super) const fn check(ask: &Ask<'_>) -> Result<(), Refusal> {
    match ask.account.app.hold {
        None => Ok(()),
        Some(Hold::Unspecified) => Err(Refusal::OnHold),
        Some(Hold::AbnormalCalls) => Err(Refusal::AbnormalCalls),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::Story;

    #[test]
    fn an_app_that_is_held_back_calls_nobody() {
        let mut story = Story::callback();
        for (hold, refusal) in [
            (Some(Hold::Unspecified), Some(Refusal::OnHold)),
            (Some(Hold::AbnormalCalls), Some(Refusal::AbnormalCalls)),
            (None, None),
        ] {
            story.account.app.hold = hold;
            assert_eq!(story.refused(), refusal);
        }
    }
}
