//! Every number to be shown is active, or another active number of the app can stand in for it.

use base::account::{Account, Number, NumberState, OwnerState};
use base::number::E164;
use base::refusal::Refusal;

use crate::ask::Ask;

pub(super) fn check(ask: &Ask<'_>) -> Result<(), Refusal> {
    ask.shown().try_for_each(|shown| resolve(shown, ask.account, ask.random).map(drop))
}

/// The number that telephones will really show: the same random number always picks the same stand-in.
pub(crate) fn resolve<'a>(asked: &E164, account: &'a Account, random: u128) -> Result<&'a E164, Refusal> {
    let own = account.number(asked).ok_or(Refusal::NumberNotOwned)?;
    match own.state {
        NumberState::Active => Ok(&own.number),
        NumberState::Paused => stand_in(account, random).ok_or(Refusal::NumberPaused),
    }
}

/// Another number of the app that nothing stands against.
fn stand_in(account: &Account, random: u128) -> Option<&E164> {
    let free = |number: &&Number| number.state == NumberState::Active && number.owner == OwnerState::Active;
    let active = || account.numbers.iter().filter(free);
    let count = active().count() as u128;
    // The low 80 bits make the call's id; a choice made of them would give some of them away.
    let pick = (random >> 80).checked_rem(count)?;
    active().nth(usize::try_from(pick).ok()?).map(|number| &number.number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{self, Story};

    fn pause(story: &mut Story, number: usize) {
        story.account.numbers[number].state = NumberState::Paused;
    }

    #[test]
    fn an_active_number_is_shown_as_asked() {
        for random in [0, u128::MAX] {
            assert_eq!(Story::callback().with_random(random).shown_to_a(), story::FIRST_NUMBER);
        }
    }

    #[test]
    fn another_active_number_stands_in_for_a_paused_one() {
        let mut story = Story::callback();
        pause(&mut story, 0);
        assert_eq!(story.shown_to_a(), story::SECOND_NUMBER);
    }

    #[test]
    fn the_stand_in_is_picked_at_random() {
        let mut story = Story::callback();
        story.own("+8675500000003");
        story.own("+8675500000004");
        pause(&mut story, 0);
        let mut seen: Vec<_> = (0..9).map(|random| story.with_random(random << 80).shown_to_a()).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen, [story::SECOND_NUMBER, "+8675500000003", "+8675500000004"]);
    }

    #[test]
    fn a_number_of_a_suspended_sub_enterprise_stands_in_for_nobody() {
        let mut story = Story::code();
        story.account.numbers[1].owner = OwnerState::Suspended;
        pause(&mut story, 0);
        assert_eq!(story.refused(), Some(Refusal::NumberPaused));
    }

    #[test]
    fn a_paused_number_without_a_stand_in_is_refused() {
        let mut story = Story::callback();
        pause(&mut story, 0);
        pause(&mut story, 1);
        assert_eq!(story.refused(), Some(Refusal::NumberPaused));
    }
}
