//! For everybody who is to be dialled there is a trunk that works, as far as anybody knows.

use base::refusal::Refusal;

use crate::ask::Ask;

pub(super) fn check(ask: &Ask<'_>) -> Result<(), Refusal> {
    let failing = |number| ask.desk.trunks.failing(number, ask.desk.now);
    match ask.caller().into_iter().chain([ask.callee()]).find_map(failing) {
        Some(status) => Err(Refusal::TrunkFailing { status }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::story::{Story, number};

    #[test]
    fn a_trunk_that_fails_every_call_gets_no_more_for_a_while() {
        let mut story = Story::callback();
        story.trunk_fails(503);
        assert_eq!(story.refused(), Some(Refusal::TrunkFailing { status: 503 }));
        story.now = story.now + Duration::from_secs(60);
        assert_eq!(story.refused(), None);
    }

    #[test]
    fn who_is_called_where_no_trunk_leads_is_refused_whichever_party_it_is() {
        let spoilt: [fn(&mut Story); 2] = [
            |story| story.callback_mut().caller = number("+8529000001"),
            |story| story.callback_mut().callee = number("+8529000001"),
        ];
        for spoil in spoilt {
            let mut story = Story::callback();
            story.policy.abroad = crate::Abroad::Open;
            story.trunk_takes("+86");
            assert_eq!(story.refused(), None);
            spoil(&mut story);
            assert_eq!(story.refused(), Some(Refusal::TrunkFailing { status: 404 }));
        }
    }
}
