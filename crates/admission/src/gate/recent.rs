//! A bounded memory of what was touched lately.

use std::collections::BTreeMap;
use std::mem;
use std::time::Duration;

use base::time::Timestamp;

/// Two generations: what is touched is young, and when the young are too many or too old they become the old, who are
/// forgotten. So a thing is remembered for at least `span` after it was touched, unless `room` others came meanwhile;
/// never more than twice `room` things are remembered, and none of this takes longer the more there are.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    young: BTreeMap<K, V>,
    old: BTreeMap<K, V>,
    turned_at: Timestamp,
    room: usize,
    span: Duration,
}

impl<K: Ord, V: Default> Recent<K, V> {
    pub(super) const fn new(room: usize, span: Duration) -> Self {
        Self {
            young: BTreeMap::new(),
            old: BTreeMap::new(),
            turned_at: Timestamp::from_micros(0),
            room,
            span,
        }
    }

    pub(super) fn knows(&self, key: &K) -> bool {
        self.young.contains_key(key) || self.old.contains_key(key)
    }

    /// What is remembered of the key, from now on among the young.
    pub(super) fn touch(&mut self, key: K, now: Timestamp) -> &mut V {
        if self.young.len() >= self.room || now.since(self.turned_at) >= self.span {
            self.old = mem::take(&mut self.young);
            self.turned_at = now;
        }
        let known = self.old.remove(&key);
        self.young.entry(key).or_insert_with(|| known.unwrap_or_default())
    }

    pub(super) fn forget(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1_000)
    }

    fn recent() -> Recent<u32, u32> {
        Recent::new(3, Duration::from_secs(60))
    }

    #[test]
    fn a_thing_is_remembered_at_least_for_the_span() {
        let mut recent = recent();
        *recent.touch(1, at(1_000)) = 5;
        assert_eq!(*recent.touch(1, at(1_059)), 5);
        recent.touch(2, at(1_061));
        assert!(recent.knows(&1), "it was touched two seconds ago");
        recent.touch(2, at(1_200));
        recent.touch(2, at(1_300));
        assert!(!recent.knows(&1));
    }

    #[test]
    fn newcomers_push_out_the_oldest_and_never_find_more_room() {
        let mut recent = recent();
        for key in 0..100 {
            recent.touch(key, at(1_000));
            assert!(recent.young.len() + recent.old.len() <= 6);
            assert!((0..=key).rev().take(3).all(|last| recent.knows(&last)), "{key}");
        }
    }

    #[test]
    fn what_is_forgotten_is_gone_from_both_generations() {
        let mut recent = recent();
        recent.touch(1, at(1_000));
        recent.touch(2, at(1_100));
        recent.forget(&1);
        recent.forget(&2);
        assert!(!recent.knows(&1) && !recent.knows(&2));
    }
}
