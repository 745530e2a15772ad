//! The first party of a callback is on nobody's list of those who may not be called for one.

use base::refusal::Refusal;

use crate::ask::Ask;

pub(super) fn check(ask: &Ask<'_>) -> Result<(), Refusal> {
    let Some(caller) = ask.caller() else { return Ok(()) };
    if ask.standings().iter().any(|(_, standing)| standing.callers_blocked.contains(caller)) {
        return Err(Refusal::CallerBlocked);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{self, Story};

    #[test]
    fn the_platforms_list_and_the_apps_list_both_count() {
        let caller = story::number("+8613800000001");
        let mut story = Story::callback();
        story.platform_mut().standing.callers_blocked.insert(caller.clone());
        assert_eq!(story.refused(), Some(Refusal::CallerBlocked));
        let mut story = Story::callback();
        story.account.app.standing.callers_blocked.insert(caller.clone());
        assert_eq!(story.refused(), Some(Refusal::CallerBlocked));
        story.callback_mut().caller = story::number("+8613800000003");
        story.callback_mut().callee = caller;
        assert_eq!(story.refused(), None, "as the second party it may be called");
    }
}
