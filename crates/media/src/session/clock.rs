//! Timestamps of a codec whose RTP clock is faster than 8,000 a second, as 1/8,000 s and back.

/// Follows the timestamps of one stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// The newest timestamp that was made slower, and what it became.
    last: Option<(u32, u32)>,
}

impl Clock {
    /// The timestamp in 1/8,000 s, for a clock with so many ticks in one. Distances stay true, across wraps as well; where
    /// the line begins is of no meaning.
    #[inline]
    pub(super) fn narrow(&mut self, timestamp: u32, ticks: u32) -> u32 {
        if ticks == 1 {
            return timestamp;
        }
        let (theirs, ours) = self.last.unwrap_or((timestamp, timestamp));
        let ticks = ticks.cast_signed();
        let moved = timestamp.wrapping_sub(theirs).cast_signed().div_euclid(ticks);
        // What the division leaves over counts the next time.
        let theirs = theirs.wrapping_add_signed(moved.wrapping_mul(ticks));
        let ours = ours.wrapping_add_signed(moved);
        self.last = Some((theirs, ours));
        ours
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_stay_true_whatever_wraps_and_whatever_is_left_over() {
        let mut clock = Clock::default();
        let first = clock.narrow(u32::MAX - 1_000, 6);
        let mut theirs = u32::MAX - 1_000;
        for n in 1..5_000_u32 {
            theirs = theirs.wrapping_add(if n % 2 == 0 { 957 } else { 963 });
            let passed = clock.narrow(theirs, 6).wrapping_sub(first);
            assert!(passed.abs_diff(n * 160) <= 1, "{n}: {passed}");
        }
        let back = clock.narrow(theirs.wrapping_sub(960), 6);
        assert_eq!(clock.narrow(theirs, 6).wrapping_sub(back), 160);
        assert_eq!(Clock::default().narrow(77, 1), 77);
    }
}
