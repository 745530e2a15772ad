//! How often a push is tried: the vendors' own promises, to the letter.
//!
//! A further profile is a variant and a line in each match: another vendor's (until its own code says "received"), or
//! one that tries everything for a day. A profile that tries status events again must also keep their lane closed
//! meanwhile over a restart, which none needs yet.

use std::time::Duration;

use base::row::Channel;

/// A promise of how often a push is tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// As the documents of the first vendor say: a status event once, a fee record once and six times more, an hour
    /// apart.
    #[default]
    Compat,
}

impl Profile {
    /// How long after a failed attempt the next one comes; `None` when that was the last. `failed` counts all failed
    /// attempts and is at least 1.
    #[must_use]
    pub const fn again(self, channel: Channel, failed: u32) -> Option<Duration> {
        match (self, channel) {
            (Self::Compat, Channel::Status) => None,
            (Self::Compat, Channel::Fee) if failed <= FEE_REPEATS => Some(FEE_APART),
            (Self::Compat, Channel::Fee) => None,
        }
    }
}

/// Further attempts of a fee record after the first.
const FEE_REPEATS: u32 = 6;

/// The time between two attempts of a fee record.
const FEE_APART: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_event_is_told_once_and_a_fee_record_seven_times() {
        assert_eq!(Profile::Compat.again(Channel::Status, 1), None);
        let attempts =
            (1..).take_while(|failed| Profile::Compat.again(Channel::Fee, *failed).is_some()).count() + 1;
        assert_eq!(attempts, 7);
    }
}
