//! How many answers those get who are in no call with us.
//!
//! A source address of a datagram is easily forged, also a peer's. What it asks outside of all calls is answered and
//! forgotten, and a source that asks too much is not answered any more until the second is over.

use std::time::Duration;

use base::time::Instant;

/// So many answers a second for each source. A table of a fixed size: sources that meet in one place share it.
pub(crate) struct Passing {
    places: Box<[Place]>,
}

#[derive(Clone, Copy)]
struct Place {
    began: Instant,
    answers: u32,
}

impl Passing {
    pub(crate) fn new() -> Self {
        Self { places: vec![Place { began: Instant::START, answers: 0 }; PLACES].into() }
    }

    /// Whether the source with this hash gets one more answer.
    pub(crate) fn gets_one(&mut self, source: u64, now: Instant) -> bool {
        let place = usize::try_from(source % PLACES as u64).unwrap_or(0);
        let Some(place) = self.places.get_mut(place) else { return false };
        if now.since(place.began) >= SECOND {
            *place = Place { began: now, answers: 0 };
        }
        let gets_one = place.answers < ANSWERS;
        place.answers += u32::from(gets_one);
        gets_one
    }
}

/// Sources that are told apart: many times more than there are peers.
const PLACES: usize = 1_024;

/// Answers a second: a carrier that lost all its calls and asks after each of them is answered in good time.
const ANSWERS: u32 = 1_000;

const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_asks_too_much_waits_for_the_next_second_and_nobody_else_does() {
        let mut passing = Passing::new();
        let now = Instant::START + Duration::from_millis(2_500);
        let got = (0..5_000).filter(|_| passing.gets_one(7, now)).count();
        assert_eq!(got, ANSWERS as usize);
        assert!(passing.gets_one(8, now));
        assert!(!passing.gets_one(7, now + Duration::from_millis(999)));
        assert!(passing.gets_one(7, now + SECOND));
    }
}
