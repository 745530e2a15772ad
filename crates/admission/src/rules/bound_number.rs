//! The number that the order binds the call to, if it names one, is the app's own.

use base::refusal::Refusal;

use crate::ask::Ask;

pub(super) fn check(ask: &Ask<'_>) -> Result<(), Refusal> {
    match &ask.placing.bound_number {
        Some(bound) if ask.account.number(bound).is_none() => Err(Refusal::NumberOfAnotherApp),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{self, Story};

    #[test]
    fn the_bound_number_belongs_to_the_app() {
        let mut story = Story::callback();
        story.placing.bound_number = Some(story::number("+8675599999999"));
        assert_eq!(story.refused(), Some(Refusal::NumberOfAnotherApp));
        story.placing.bound_number = Some(story::number(story::FIRST_NUMBER));
        assert_eq!(story.refused(), None);
    }
}
