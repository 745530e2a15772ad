//! A wheel of one-millisecond slots: arming, re-arming and expiring cost the same however many timers there are.
//!
//! Keys are small numbers that the owner chooses, such as the index of a session in its table: the wheel keeps a place
//! for every number up to the largest it has seen and allocates only when that grows. A timer never expires early and
//! at most a millisecond late.

use base::time::Instant;

/// Slots, a millisecond each. Frames (20 ms) fit twenty-five times; a timer further away passes its slot unexpired a
/// few times first, which costs little for the five seconds of RTCP.
const SLOTS: usize = 512;

/// The list of timers that have expired and are being handed out.
const EXPIRED: u16 = SLOTS as u16;

/// No timer.
const NONE: u32 = u32::MAX;

/// The wheel; [`TimerWheel::next_expired`] turns it.
#[derive(Debug)]
pub struct TimerWheel {
    /// First timer of every slot, and of those that have expired.
    heads: [u32; SLOTS + 1],
    places: Vec<Place>,
    /// The first millisecond whose slot has not been passed.
    cursor: u64,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    previous: u32,
    next: u32,
    /// Milliseconds; meaningless when not armed.
    due: u64,
    /// The list that the timer is in; [`IDLE`] when none.
    list: u16,
}

const IDLE: u16 = u16::MAX;

impl TimerWheel {
    /// An empty wheel that turns from `now` on, with room for so many keys.
    #[must_use]
    pub fn new(keys: usize, now: Instant) -> Self {
        Self { heads: [NONE; SLOTS + 1], places: Vec::with_capacity(keys), cursor: now.micros() / 1_000 }
    }

    /// Arms a key, or moves it when it is armed. A moment that is already handed out expires at the next turn.
    ///
    /// # Panics
    ///
    /// Never for keys below `u32::MAX`.
    pub fn arm(&mut self, key: u32, at: Instant) {
        let index = key as usize;
        if index >= self.places.len() {
            self.places.resize(index + 1, Place { previous: NONE, next: NONE, due: 0, list: IDLE });
        }
        self.unlink(key);
        let due = at.micros().div_ceil(1_000).max(self.cursor);
        self.places[index].due = due;
        self.link(key, (due % SLOTS as u64) as u16);
    }

    /// Takes a key off the wheel; nothing happens when it is not armed.
    pub fn disarm(&mut self, key: u32) {
        if (key as usize) < self.places.len() {
            self.unlink(key);
        }
    }

    /// The next key whose moment has come; it is disarmed by this. Call it until it gives `None`.
    ///
    /// What is armed for the past while keys are handed out comes at the next turn, so that this always ends.
    pub fn next_expired(&mut self, now: Instant) -> Option<u32> {
        let now = now.micros() / 1_000;
        // After a long stop one round passes every slot.
        self.cursor = self.cursor.max(now.saturating_sub(SLOTS as u64 - 1));
        loop {
            let first = self.heads[usize::from(EXPIRED)];
            if first != NONE {
                self.unlink(first);
                return Some(first);
            }
            if self.cursor > now {
                return None;
            }
            self.pass_slot(now);
        }
    }

    /// When the wheel wants to be turned; `None` while nothing is armed. A timer that is rounds away asks for a turn
    /// on each of its rounds, so this may be early and is never late.
    #[must_use]
    pub fn next_turn(&self) -> Option<Instant> {
        if self.heads[usize::from(EXPIRED)] != NONE {
            return Some(Instant::from_millis(self.cursor));
        }
        let slots = (0..SLOTS as u64).map(|ahead| self.cursor + ahead);
        slots
            .into_iter()
            .find(|at| self.heads[(at % SLOTS as u64) as usize] != NONE)
            .map(Instant::from_millis)
    }

    /// Moves what is due in the cursor's slot to the expired ones, and the cursor to the next slot.
    fn pass_slot(&mut self, now: u64) {
        let mut key = self.heads[(self.cursor % SLOTS as u64) as usize];
        while key != NONE {
            let Place { next, due, .. } = self.places[key as usize];
            if due <= now {
                self.unlink(key);
                self.link(key, EXPIRED);
            }
            key = next;
        }
        self.cursor += 1;
    }

    fn link(&mut self, key: u32, list: u16) {
        let head = self.heads[usize::from(list)];
        let place = &mut self.places[key as usize];
        (place.previous, place.next, place.list) = (NONE, head, list);
        if head != NONE {
            self.places[head as usize].previous = key;
        }
        self.heads[usize::from(list)] = key;
    }

    fn unlink(&mut self, key: u32) {
        let Place { previous, next, list, .. } = self.places[key as usize];
        if list == IDLE {
            return;
        }
        if previous == NONE {
            self.heads[usize::from(list)] = next;
        } else {
            self.places[previous as usize].next = next;
        }
        if next != NONE {
            self.places[next as usize].previous = previous;
        }
        self.places[key as usize].list = IDLE;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn expired(wheel: &mut TimerWheel, micros: u64) -> Vec<u32> {
        let now = Instant::from_micros(micros);
        let mut keys: Vec<_> = std::iter::from_fn(|| wheel.next_expired(now)).collect();
        keys.sort_unstable();
        keys
    }

    #[test]
    fn a_timer_is_never_early_and_at_most_a_millisecond_late() {
        let mut wheel = TimerWheel::new(4, Instant::START);
        wheel.arm(3, Instant::from_micros(20_001));
        assert!(expired(&mut wheel, 20_500).is_empty());
        assert_eq!(expired(&mut wheel, 21_000), [3]);
        assert!(expired(&mut wheel, 99_000).is_empty());
    }

    #[test]
    fn re_arming_moves_and_disarming_removes() {
        let mut wheel = TimerWheel::new(0, Instant::START);
        for key in 0..3 {
            wheel.arm(key, Instant::from_millis(10));
        }
        wheel.arm(1, Instant::from_millis(30));
        wheel.disarm(2);
        wheel.disarm(77);
        assert_eq!(expired(&mut wheel, 10_000), [0]);
        assert_eq!(expired(&mut wheel, 30_000), [1]);
    }

    #[test]
    fn a_timer_further_away_than_a_round_waits() {
        let mut wheel = TimerWheel::new(1, Instant::START);
        wheel.arm(0, Instant::from_millis(5_010));
        for millis in 0..5_010 {
            assert!(expired(&mut wheel, millis * 1_000).is_empty(), "{millis} ms");
        }
        assert_eq!(expired(&mut wheel, 5_010_000), [0]);
    }

    #[test]
    fn after_a_long_stop_everything_due_comes_at_once() {
        let mut wheel = TimerWheel::new(8, Instant::START);
        for key in 0..8 {
            wheel.arm(key, Instant::from_millis(u64::from(key) * 700));
        }
        assert_eq!(expired(&mut wheel, 3_600_000_000), [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn who_re_arms_for_the_past_while_expiring_does_not_loop() {
        let mut wheel = TimerWheel::new(1, Instant::START);
        wheel.arm(0, Instant::START);
        let now = Instant::from_millis(5);
        let mut times = 0;
        while let Some(key) = wheel.next_expired(now) {
            times += 1;
            wheel.arm(key, Instant::START);
            assert!(times < 10, "the wheel does not come to an end");
        }
        assert!(times <= 7);
        assert_eq!(expired(&mut wheel, 6_000), [0]);
    }

    proptest! {
        #[test]
        fn the_wheel_agrees_with_a_sorted_map(
            steps in prop::collection::vec((0u32..20, 0u64..3_000, 0u64..800, any::<bool>()), 1..120)
        ) {
            let mut wheel = TimerWheel::new(0, Instant::START);
            let mut armed = BTreeMap::new();
            let mut now = 0;
            for (key, ahead, passes, arm) in steps {
                if arm {
                    wheel.arm(key, Instant::from_millis(now + ahead));
                    armed.insert(key, now + ahead);
                } else {
                    wheel.disarm(key);
                    armed.remove(&key);
                }
                now += passes;
                let keys = expired(&mut wheel, now * 1_000);
                let due: Vec<_> = armed.iter().filter(|(_, at)| **at <= now).map(|(key, _)| *key).collect();
                // What was armed for a moment already handed out comes one turn later.
                for key in due.iter().filter(|key| !keys.contains(key)) {
                    prop_assert!(passes == 0 && armed[key] == now);
                }
                for key in keys {
                    prop_assert!(due.contains(&key));
                    armed.remove(&key);
                }
            }
        }
    }
}
