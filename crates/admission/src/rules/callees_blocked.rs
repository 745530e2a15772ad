//! Whom the call is for is on nobody's list of those who may not be called.

use base::refusal::Refusal;

use crate::ask::Ask;

pub(super) fn check(ask: &Ask<'_>) -> Result<(), Refusal> {
    let callee = ask.callee();
    if ask.standings().iter().any(|(_, standing)| standing.callees_blocked.contains(callee)) {
        return Err(Refusal::CalleeBlocked);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use base::release::Cause;

    use super::*;
    use crate::story::Story;

    #[test]
    fn the_platforms_list_and_the_apps_list_both_count() {
        for make in Story::ALL {
            let mut story = make();
            let callee = story.callee();
            story.platform_mut().standing.callees_blocked.insert(callee.clone());
            assert_eq!(story.refused(), Some(Refusal::CalleeBlocked));
            assert_eq!(story.reported().objection(), Some(Cause::CalleeBlocked));
            let mut story = make();
            story.account.app.standing.callees_blocked.insert(callee);
            assert_eq!(story.refused(), Some(Refusal::CalleeBlocked));
            assert_eq!(story.reported().objection(), Some(Cause::CalleeBlocked));
        }
    }
}
