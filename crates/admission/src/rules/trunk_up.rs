//! The trunk works, as far as the last calls can tell.

use base::refusal::Refusal;

use crate::ask::Ask;

pub(super) fn check(ask: &Ask<'_>) -> Result<(), Refusal> {
    match ask.desk.trunk.failing(ask.desk.now) {
        Some(status) => Err(Refusal::TrunkFailing { status }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::story::Story;

    #[test]
    fn a_trunk_that_fails_every_call_gets_no_more_for_a_while() {
        let mut story = Story::callback();
        story.trunk_fails(503);
        assert_eq!(story.refused(), Some(Refusal::TrunkFailing { status: 503 }));
        story.now = story.now + Duration::from_secs(60);
        assert_eq!(story.refused(), None);
    }
}
