//! Which requests came before. Each key has a memory of its own: a busy customer pushes out nobody else's requests.

use std::collections::BTreeMap;
use std::time::Duration;

use base::time::Timestamp;
use sha2::{Digest, Sha256};

use super::recent::Recent;

/// A short name of a request, however long its nonce is. Nobody finds two requests of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestName(pub [u8; 16]);

impl RequestName {
    /// The name of the request with this nonce and time.
    #[must_use]
    pub fn of(nonce: &str, created: &str) -> Self {
        let hash = Sha256::new().chain_update(created).chain_update([0]).chain_update(nonce).finalize();
        let (name, _) = hash.split_first_chunk().expect("a SHA-256 has more than 16 bytes");
        Self(*name)
    }
}

#[derive(Debug)]
pub(super) struct Nonces {
    memory: Duration,
    /// Requests in a generation of one key's memory.
    room: usize,
    /// Only keys that proved themselves are here, so there are never more than the operator gave out.
    keys: BTreeMap<Box<str>, Recent<RequestName, ()>>,
}

impl Nonces {
    pub(super) const fn new(memory: Duration) -> Self {
        Self { memory, room: ROOM, keys: BTreeMap::new() }
    }

    pub(super) const fn memory(&self) -> Duration {
        self.memory
    }

    pub(super) fn first_time(&mut self, key: &str, request: RequestName, now: Timestamp) -> bool {
        if !self.keys.contains_key(key) {
            self.keys.insert(key.into(), Recent::new(self.room, self.memory));
        }
        let Some(seen) = self.keys.get_mut(key) else { return true };
        let first = !seen.knows(&request);
        seen.touch(request, now);
        first
    }
}

/// 100 requests a second for ten minutes; at most some 6 MB for both generations of a key. A key that is busier than
/// that is protected for a shorter time.
const ROOM: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_taken_once() {
        let mut nonces = Nonces::new(Duration::from_secs(600));
        let now = Timestamp::from_millis(1_000_000);
        for (key, nonce, created, first) in [
            ("one", "n1", "t1", true),
            ("one", "n1", "t1", false),
            ("one", "n2", "t1", true),
            ("one", "n1", "t2", true),
            ("two", "n1", "t1", true),
            ("one", "n1", "t1", false),
        ] {
            assert_eq!(
                nonces.first_time(key, RequestName::of(nonce, created), now),
                first,
                "{key} {nonce} {created}"
            );
        }
        let later = now + Duration::from_secs(599);
        assert!(!nonces.first_time("one", RequestName::of("n2", "t1"), later));
    }

    #[test]
    fn a_busy_key_pushes_out_nobody_elses_requests() {
        let mut nonces = Nonces { room: 9, ..Nonces::new(Duration::from_secs(600)) };
        let now = Timestamp::from_millis(1_000_000);
        assert!(nonces.first_time("quiet", RequestName::of("n", "t"), now));
        for number in 0..99 {
            assert!(nonces.first_time("busy", RequestName::of(&number.to_string(), "t"), now));
        }
        assert!(!nonces.first_time("quiet", RequestName::of("n", "t"), now));
    }
}
