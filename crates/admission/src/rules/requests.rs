//! The app has requests left in this minute, if it has a quota of them. Counted when every other rule of the door
//! agrees; what happens to the request behind the door does not give it back.

use base::account::Account;
use base::quota::Window;
use base::refusal::Refusal;

use crate::{Quota, Resource, Scope, Visit};

pub(super) fn check(account: &Account, visit: &Visit<'_>) -> Result<(), Refusal> {
    match quota(account, visit) {
        Some(quota) if quota.left() == 0 => Err(Refusal::TooManyRequests),
        Some(_) | None => Ok(()),
    }
}

pub(super) fn quota(account: &Account, visit: &Visit<'_>) -> Option<Quota> {
    let allowed = account.app.requests_per_minute?;
    let used = visit.gate.requested(account.app.id, visit.now);
    Some(Quota { of: Resource::Requests, set_for: Scope::App, per: Some(Window::Minute), allowed, used })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::Story;

    #[test]
    fn an_app_that_asks_too_often_waits_for_the_next_minute() {
        let mut story = Story::callback();
        story.account.app.requests_per_minute = Some(2);
        assert_eq!((story.enter(), story.enter()), (Ok(()), Ok(())));
        assert_eq!(story.refused(), Some(Refusal::TooManyRequests));
        story.now = story.now + std::time::Duration::from_secs(60);
        assert_eq!(story.refused(), None);
    }

    #[test]
    fn a_request_that_is_turned_away_is_not_counted() {
        let mut story = Story::callback();
        story.account.app.requests_per_minute = Some(1);
        story.fail_proofs();
        assert_eq!(story.refused(), Some(Refusal::AddressBanned));
        story.gate.lift(story.peer);
        assert_eq!(story.refused(), None);
    }
}
