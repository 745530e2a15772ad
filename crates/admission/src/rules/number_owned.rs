//! The numbers to be shown are the app's own.

use base::refusal::Refusal;

use crate::ask::Ask;

pub(super) fn check(ask: &Ask<'_>) -> Result<(), Refusal> {
    if ask.account.numbers.is_empty() {
        return Err(Refusal::NoNumbers);
    }
    if ask.shown().any(|shown| ask.account.number(shown).is_none()) {
        return Err(Refusal::NumberNotOwned);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{self, Story};

    #[test]
    fn a_number_of_nobody_is_not_shown() {
        let mut story = Story::callback();
        story.callback_mut().shown_to_callee = story::number("+8675599999999");
        assert_eq!(story.refused(), Some(Refusal::NumberNotOwned));
        let mut story = Story::code();
        story.code_mut().shown = story::number("+8675599999999");
        assert_eq!(story.refused(), Some(Refusal::NumberNotOwned));
    }

    #[test]
    fn an_app_without_numbers_is_told_so() {
        let mut story = Story::callback();
        story.account.numbers.clear();
        assert_eq!(story.refused(), Some(Refusal::NoNumbers));
    }
}
