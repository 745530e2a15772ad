//! The sub-enterprise that each number to be shown was issued for may place calls. The numbers of the order are judged,
//! not their stand-ins: it is the sub-enterprise's order, whatever would be shown.

use base::account::OwnerState;
use base::refusal::Refusal;

use crate::ask::Ask;

pub(super) fn check(ask: &Ask<'_>) -> Result<(), Refusal> {
    let mut owners = ask.shown().filter_map(|shown| ask.account.number(shown)).map(|number| number.owner);
    if owners.any(|owner| owner == OwnerState::Suspended) { Err(Refusal::OwnerSuspended) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use base::account::NumberState;

    use super::*;
    use crate::story::Story;

    #[test]
    fn numbers_of_a_suspended_sub_enterprise_are_not_shown() {
        for number in [0, 1] {
            let mut story = Story::callback();
            story.account.numbers[number].owner = OwnerState::Suspended;
            assert_eq!(story.refused(), Some(Refusal::OwnerSuspended));
            story.account.numbers[number].state = NumberState::Paused;
            assert_eq!(story.refused(), Some(Refusal::OwnerSuspended), "a stand-in is no way around it");
        }
    }
}
