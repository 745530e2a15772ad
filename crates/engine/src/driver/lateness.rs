//! How late shards are: what a packet that comes at the wrong moment has to wait for.
//!
//! A shard is away from its sockets while it works, and what it does in one turn is bounded: then the rest lies where it
//! was. Where a turn took as much as it may, what it took last says how long that had been lying: lateness that no turn shows.

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

/// Since when there are more sockets with news than are asked for in a turn. What lies in them does not say when it came.
#[derive(Debug, Default)]
pub(crate) struct Leftovers {
    since: Option<Instant>,
}

impl Leftovers {
    /// To be called when news were asked for: for how long some of them may have been lying.
    pub(crate) fn turn(&mut self, may_be_more: bool, now: Instant) -> Duration {
        self.since = if may_be_more { self.since.or(Some(now)) } else { None };
        self.since.map_or(Duration::ZERO, |since| now.since(since)).min(BELIEVED)
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
        let mut turn =
            |millis, may_be_more| leftovers.turn(may_be_more, Instant::from_millis(millis)).as_millis();
        assert_eq!(turn(100, true), 0);
        assert_eq!(turn(105, true), 5);
        assert_eq!(turn(106, false), 0);
        assert_eq!(turn(112, true), 0);
        assert_eq!(turn(119, true), 7);
        assert_eq!(turn(300, true), BELIEVED.as_millis());
        assert_eq!(turn(301, false), 0);
    }
}
