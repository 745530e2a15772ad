//! The platform has requests left in this second, if the operator set how many it takes.

use base::account::Account;
use base::refusal::Refusal;

use crate::{Quota, Resource, Scope, Visit};

pub(super) fn check(account: &Account, visit: &Visit<'_>) -> Result<(), Refusal> {
    match quota(account, visit) {
        Some(quota) if quota.left() == 0 => Err(Refusal::PlatformBusy),
        Some(_) | None => Ok(()),
    }
}

pub(super) fn quota(_: &Account, visit: &Visit<'_>) -> Option<Quota> {
    let (allowed, used) = visit.gate.flow(visit.now)?;
    Some(Quota { of: Resource::Requests, set_for: Scope::Platform, per: None, allowed, used })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::story::Story;
    use crate::{Gate, GateSettings};

    #[test]
    fn too_many_requests_of_all_apps_together_are_refused_for_a_moment() {
        let mut story = Story::callback();
        story.gate = Gate::new(&GateSettings { requests_per_second: Some(2), ..GateSettings::default() });
        assert_eq!((story.enter(), story.enter()), (Ok(()), Ok(())));
        assert_eq!(story.refused(), Some(Refusal::PlatformBusy));
        story.now = story.now + Duration::from_millis(500);
        assert_eq!(story.refused(), None);
    }
}
