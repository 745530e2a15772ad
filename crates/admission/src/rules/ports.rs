//! The app and the platform have an idle port.

use base::account::Account;
use base::permit::{Full, Permit};
use base::refusal::Refusal;

use crate::ask::Ask;
use crate::{Desk, Quota, Resource, Scope};

/// Looks without taking: explaining an order must not cost somebody else a port.
pub(super) fn check(ask: &Ask<'_>) -> Result<(), Refusal> {
    let [of_app, of_platform] = quotas(ask);
    if of_app.left() == 0 {
        return Err(refusal(Full::App));
    }
    if of_platform.left() == 0 {
        return Err(refusal(Full::Platform));
    }
    Ok(())
}

/// The ports of the app and of the platform.
pub(super) fn quotas(ask: &Ask<'_>) -> [Quota; 2] {
    let (desk, of) = (ask.desk, Resource::Ports);
    let (app, platform) = (ask.account.app.ports, desk.policy.platform_ports);
    [(Scope::App, app, desk.app_ports), (Scope::Platform, platform, desk.platform_ports)]
        .map(|(set_for, allowed, ports)| Quota { of, set_for, per: None, allowed, used: ports.taken() })
}

/// Takes one port of each. Fails although [`check`] passed when another call was faster.
pub(crate) fn take(ask: &Ask<'_>) -> Result<Permit, Refusal> {
    let (desk, app_cap) = (ask.desk, ask.account.app.ports);
    let permit = Permit::take(desk.app_ports, app_cap, desk.platform_ports, desk.policy.platform_ports);
    Ok(permit.map_err(refusal)?.teaching(desk.conducted))
}

/// How many more calls the app could place now.
pub(crate) fn idle(account: &Account, desk: &Desk<'_>) -> u16 {
    let of_app = account.app.ports.saturating_sub(desk.app_ports.taken());
    let of_platform = desk.policy.platform_ports.saturating_sub(desk.platform_ports.taken());
    u16::try_from(of_app.min(of_platform)).unwrap_or(u16::MAX)
}

const fn refusal(full: Full) -> Refusal {
    match full {
        Full::App => Refusal::AppPortsTaken,
        Full::Platform => Refusal::PlatformPortsTaken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::Story;

    #[test]
    fn the_apps_cap_is_reached_before_the_platforms() {
        let mut story = Story::callback();
        story.account.app.ports = 1;
        story.policy.platform_ports = 1;
        let first = story.admitted();
        assert_eq!(story.refused(), Some(Refusal::AppPortsTaken));
        story.account.app.ports = 2;
        assert_eq!(story.refused(), Some(Refusal::PlatformPortsTaken));
        drop(first);
        assert_eq!(story.refused(), None);
    }

    #[test]
    fn idle_ports_are_what_is_left_of_the_smaller_cap() {
        let mut story = Story::callback();
        story.account.app.ports = 10;
        let first = story.admitted();
        assert_eq!(first.idle_ports, 9);
        story.policy.platform_ports = 5;
        assert_eq!(story.admitted().idle_ports, 3);
        story.account.app.ports = 1_000_000;
        story.policy.platform_ports = 1_000_000;
        assert_eq!(story.admitted().idle_ports, u16::MAX);
        drop(first);
    }

    #[test]
    fn a_cap_that_was_lowered_below_what_runs_leaves_nothing_idle() {
        let mut story = Story::callback();
        let (first, second) = (story.admitted(), story.admitted());
        story.account.app.ports = 1;
        assert_eq!(story.refused(), Some(Refusal::AppPortsTaken));
        drop(first);
        assert_eq!(story.refused(), Some(Refusal::AppPortsTaken));
        drop(second);
        assert_eq!(story.refused(), None);
    }
}
