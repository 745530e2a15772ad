//! How late shards are: what a packet that comes at the wrong moment has to wait for.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

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
}
