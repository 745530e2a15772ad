//! Whom the call is for is on every list of those who alone may be called. A list that is there and empty allows
//! nobody.

use base::refusal::Refusal;

use crate::ask::Ask;

pub(super) fn check(ask: &Ask<'_>) -> Result<(), Refusal> {
    let callee = ask.callee();
    let lists = ask.standings().map(|(_, standing)| standing.callees_allowed.as_ref());
    if lists.into_iter().flatten().all(|list| list.contains(callee)) {
        Ok(())
    } else {
        Err(Refusal::CalleeNotListed)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use base::release::Cause;

    use super::*;
    use crate::story::{self, Story};

    #[test]
    fn with_a_list_nobody_else_is_called() {
        for make in Story::ALL {
            let mut story = make();
            let callee = story.callee();
            story.account.app.standing.callees_allowed = Some(BTreeSet::new());
            assert_eq!(story.refused(), Some(Refusal::CalleeNotListed));
            story.account.app.standing.callees_allowed = Some([callee].into());
            assert_eq!(story.refused(), None);
            let other = story::number("+8613800000009");
            story.platform_mut().standing.callees_allowed = Some([other].into());
            assert_eq!(story.refused(), Some(Refusal::CalleeNotListed), "both lists are asked");
            assert_eq!(story.reported().objection(), Some(Cause::CalleeBlocked));
        }
    }
}
