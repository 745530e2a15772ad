//! Hosts that rest: what they are owed goes back to the database, and comes to an end there.

use std::time::Duration;

use base::row::Channel;
use base::time::Timestamp;
use store::{Outcome, Waiting};

use super::{Bundle, Host, Lanes, newest, verdict};
use crate::health::HostState;
use crate::profile::Profile;

impl Host {
    /// Whether it rests and has more ready than it takes to try it.
    pub(super) fn is_overfull(&self) -> bool {
        self.health.places() == 0 && self.ready.len() > KEPT_FOR_PROBES
    }
}

impl Lanes {
    /// Parks a message, or a push that was in none, without another attempt, if it has waited for its host for as long as its
    /// profile tries it, and the host was tried in vain since it fell due. Gives whether it is parked.
    pub(crate) fn give_up(&mut self, pushes: &[Waiting], profile: Profile, now: Timestamp) -> bool {
        let Some(host) = pushes.first().and_then(|first| self.hosts.get(&first.host)) else { return false };
        let waits = now.since(newest(pushes)) < self.pace.patience(profile, pushes[0].channel);
        let in_vain =
            |push: &Waiting| host.health.is_away_since(push.due_at) && !self.held.contains(&push.id);
        if waits || !pushes.iter().all(in_vain) {
            return false;
        }
        let why = format!("given up while the host is away: {}", host.health.last_fault());
        let outcome = Outcome::GivenUp { why: why.into() };
        pushes.iter().for_each(|push| self.wake(push));
        let verdict = |push: &Waiting| verdict(push, outcome.clone(), now);
        self.verdicts.push(pushes.iter().map(verdict).collect());
        true
    }

    /// Every host that is known, and how it fares. One that was sent nothing for a day is forgotten.
    pub(crate) fn hosts(&mut self, now: Timestamp) -> Vec<HostState> {
        self.hosts.retain(|_, host| !host.is_idle() || now.since(host.sent_at) < REMEMBERED);
        let hosts = self.hosts.iter();
        hosts.map(|(name, host)| host.health.told(name, host.in_flight, host.held)).collect()
    }

    /// Hosts that have rested are tried with one message.
    pub(super) fn end_rests(&mut self, now: Timestamp) {
        while self.resting.first().is_some_and(|(until, _)| *until <= now) {
            let Some((_, name)) = self.resting.pop_first() else { return };
            if self.hosts.get_mut(&name).is_some_and(|host| host.health.probe(now)) {
                self.queue_up(&name);
            }
        }
    }

    /// Leaves what is ready for a host that rests in the database, but for what it takes to try it: latest first.
    pub(super) fn unload(&mut self, name: &str, now: Timestamp) {
        while let Some(host) = self.hosts.get_mut(name).filter(|host| host.is_overfull()) {
            let due = now + host.health.wait(now);
            let Some(bundle) = host.ready.pop_back().and_then(|number| self.bundles.remove(&number)) else {
                return;
            };
            let Bundle { customer, pushes, .. } = bundle;
            pushes.iter().for_each(|push| self.forget(push));
            self.postpone_message(&pushes, due, now);
            for push in pushes.iter().filter(|push| push.channel == Channel::Status) {
                self.sleep(push, due, now);
            }
            self.free(customer.as_ref());
        }
    }
}

/// Messages that are ready for a host that rests: enough to try it with for some minutes.
pub(super) const KEPT_FOR_PROBES: usize = 8;

/// For how long after the last message it is known how a host fares.
pub(super) const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
