//! How late shards are: what a packet that comes at the wrong moment has to wait for.
//!
//! A shard is away from its sockets while it works, and what it does in one turn is bounded: then the rest lies where it
//! was. Lying is no harm as long as it is taken soon after; what is never quite taken is lateness that no turn shows.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base::time::Instant;

/// The worst of all shards since somebody last looked.
#[derive(Debug, Default)]
pub(crate) struct Lateness {
    micros: AtomicU32,
}

impl Lateness {
    /// A shard was away from its sockets for so long, or woke up so late.
    pub(crate) fn note(&self, late: Duration) {
        if late >= NOTED {
            self.micros.fetch_max(u32::try_from(late.as_micros()).unwrap_or(u32::MAX), Ordering::Relaxed);
        }
    }

    /// The worst since the last look; zero when nothing was worth noting.
    pub(crate) fn take(&self) -> Duration {
        Duration::from_micros(self.micros.swap(0, Ordering::Relaxed).into())
    }
}

/// What is left lying at the end of a turn, since when.
#[derive(Debug, Default)]
pub(crate) struct Leftovers {
    piles: [Pile; 4],
}

/// Where something may be left lying.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lying {
    /// In sockets whose news were not even asked for.
    News,
    /// In the signalling socket.
    Signalling,
    /// In the mailbox for letters.
    Letters,
    /// In the mailbox for what other shards have read.
    Post,
}

#[derive(Clone, Copy, Debug, Default)]
struct Pile {
    since: Option<Instant>,
    is_left: bool,
}

impl Leftovers {
    /// There may be more than was taken in this turn.
    pub(crate) fn leave(&mut self, lying: Lying) {
        self.piles[lying as usize].is_left = true;
    }

    /// To be called at the end of a turn that began `now`: for how long something may have been lying.
    pub(crate) fn turn(&mut self, now: Instant) -> Duration {
        let mut longest = Duration::ZERO;
        for Pile { since, is_left } in &mut self.piles {
            *since = if std::mem::take(is_left) { since.or(Some(now)) } else { None };
            longest = longest.max(since.map_or(Duration::ZERO, |since| now.since(since)));
        }
        longest.min(BELIEVED)
    }
}

/// What never came to an end for longer need not have waited for longer: most of it may be quite new.
const BELIEVED: Duration = Duration::from_millis(40);

/// What is less is not worth a write that other threads see: a turn of a busy shard takes as long.
const NOTED: Duration = Duration::from_millis(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_told_once() {
        let lateness = Lateness::default();
        for millis in [1, 5, 30, 4] {
            lateness.note(Duration::from_millis(millis));
        }
        assert_eq!(lateness.take(), Duration::from_millis(30));
        lateness.note(Duration::from_micros(1_999));
        assert_eq!(lateness.take(), Duration::ZERO);
    }

    #[test]
    fn what_is_left_again_and_again_is_late() {
        let mut leftovers = Leftovers::default();
        let mut turn = |millis, left: &[Lying]| {
            left.iter().for_each(|lying| leftovers.leave(*lying));
            leftovers.turn(Instant::from_millis(millis)).as_millis()
        };
        // Each is taken in the next turn: nothing waits for long.
        for millis in 0..100 {
            let lying = if millis % 2 == 0 { Lying::Signalling } else { Lying::Letters };
            assert_eq!(turn(millis, &[lying]), 0);
        }
        assert_eq!(turn(100, &[Lying::News]), 0);
        assert_eq!(turn(105, &[Lying::News, Lying::Post]), 5);
        assert_eq!(turn(112, &[Lying::Post]), 7);
        assert_eq!(turn(300, &[Lying::Post]), BELIEVED.as_millis());
        assert_eq!(turn(301, &[]), 0);
    }
}
