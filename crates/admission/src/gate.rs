//! What is remembered of requests from one to the next: failed proofs, how many came, and which came before.
//!
//! ```text
//! banned ─▶ (proof) ─ failed ─▶ suspect ─ too often ─▶ banned for a while
//!               └─ first_time ─▶ enter: requests of the app in this minute, requests of the platform in this second
//! ```
//!
//! Everything here is bounded, and lost with the process, but for the requests that a start may be told of. `now` may step back, as the wall clock does: nobody is kept
//! out by that for longer than the step.

mod bans;
mod nonces;
mod recent;
mod requests;

use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::id::AppId;
use base::refusal::Refusal;
use base::time::Timestamp;

use bans::Bans;
pub use nonces::RequestName;

use nonces::Nonces;
use requests::Requests;

/// The memory of the first door. One for the whole process; each question takes one short lock.
pub struct Gate {
    bans: Mutex<Bans>,
    nonces: Mutex<Nonces>,
    requests: Mutex<Requests>,
}

/// How patient the gate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateSettings {
    /// Failed proofs that get an address banned; at least 1.
    pub failures: usize,
    /// The time in which they must come.
    pub within: Duration,
    /// How long a ban lasts.
    pub ban: Duration,
    /// How long a request's nonce is remembered: at least as long as the clock lets the request pass.
    pub nonce_memory: Duration,
    /// Requests that the platform takes in a second, and at once after a quiet second; `None`: all.
    pub requests_per_second: Option<u32>,
}

impl Default for GateSettings {
    fn default() -> Self {
        Self {
            failures: 20,
            within: Duration::from_secs(10 * 60),
            ban: Duration::from_secs(30 * 60),
            // A time of Beijing that says it is UTC passes now, and once more eight hours later.
            nonce_memory: Duration::from_secs(8 * 3_600 + 20 * 60),
            requests_per_second: None,
        }
    }
}

impl Gate {
    /// A gate that remembers nobody.
    #[must_use]
    pub fn new(settings: &GateSettings) -> Self {
        Self {
            bans: Mutex::new(Bans::new(settings)),
            nonces: Mutex::new(Nonces::new(settings.nonce_memory)),
            requests: Mutex::new(Requests::new(settings.requests_per_second)),
        }
    }

    /// Whether requests of the address are refused for now. Asked before anything of a request is looked at.
    #[must_use]
    pub fn banned(&self, peer: IpAddr, now: Timestamp) -> bool {
        locked(&self.bans).banned(peer, now)
    }

    /// A request of the address failed to prove who it is.
    pub fn failed(&self, peer: IpAddr, now: Timestamp) {
        locked(&self.bans).failed(peer, now);
    }

    /// Forgets everything against the address and its neighbours who would be banned with it.
    pub fn lift(&self, peer: IpAddr) {
        locked(&self.bans).lift(peer);
    }

    /// Who is banned and until when: IPv4 addresses, and the first address of each banned /64 of IPv6.
    #[must_use]
    pub fn bans(&self, now: Timestamp) -> Vec<(IpAddr, Timestamp)> {
        locked(&self.bans).all(now)
    }

    /// Whether a request of the key was never seen before. Asked only when the request has
    /// proved that it knows the key's secret, so that nobody else can fill the memory.
    #[must_use]
    pub fn first_time(&self, key: &str, request: RequestName, now: Timestamp) -> bool {
        locked(&self.nonces).first_time(key, request, now)
    }

    /// For how long it knows a request again.
    #[must_use]
    pub fn memory(&self) -> Duration {
        locked(&self.nonces).memory()
    }

    /// How many requests the app has made in this minute.
    pub(crate) fn requested(&self, app: AppId, now: Timestamp) -> u32 {
        locked(&self.requests).of_app(app, now)
    }

    /// How many requests the platform takes in a second, and how many of them it would not take now.
    pub(crate) fn flow(&self, now: Timestamp) -> Option<(u32, u32)> {
        locked(&self.requests).flow(now)
    }

    /// Counts a request, for the app only if it has a quota.
    ///
    /// # Errors
    /// [`Refusal::TooManyRequests`] and [`Refusal::PlatformBusy`]; nothing is counted then.
    pub(crate) fn count(&self, app: AppId, per_minute: Option<u32>, now: Timestamp) -> Result<(), Refusal> {
        locked(&self.requests).count(app, per_minute, now)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

/// Nothing behind these locks is left half done by a panic.
fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_remembers_who_failed_and_what_came_before() {
        let gate = Gate::new(&GateSettings { failures: 2, ..GateSettings::default() });
        let (peer, now) = (IpAddr::from([9, 9, 9, 9]), Timestamp::from_millis(1_767_323_045_000));
        gate.failed(peer, now);
        assert!(!gate.banned(peer, now));
        gate.failed(peer, now);
        assert!(gate.banned(peer, now));
        assert_eq!(gate.bans(now), [(peer, now + Duration::from_secs(30 * 60))]);
        gate.lift(peer);
        assert!(!gate.banned(peer, now));
        assert_eq!(gate.bans(now), []);

        assert!(gate.first_time("key", RequestName::of("nonce", "created"), now));
        assert!(!gate.first_time("key", RequestName::of("nonce", "created"), now));
        assert!(gate.first_time("key", RequestName::of("another nonce", "created"), now));
    }
}
