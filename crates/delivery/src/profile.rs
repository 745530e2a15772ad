//! How often a push is tried: the vendors' own promises to the letter, or everything for a day. Each app chooses.
//!
//! | profile | status events | fee records |
//! | --- | --- | --- |
//! | compat | once | once and six times more, an hour apart |
//! | reliable | 33 times over a day | 33 times over a day |
//!
//! Where a status event is tried again, the later ones of its call wait for it: their lane is closed meanwhile, in
//! memory ([`Lanes`](crate::lanes::Lanes)) and in the database (`Outbox::closed`).

use std::time::Duration;

use base::row::Channel;
pub use store::PushProfile as Profile;

/// What the operator may change of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The time between two attempts of a fee record under [`Profile::Compat`]: an hour, as documented. Below three
    /// seconds it is three.
    pub fees_apart: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { fees_apart: Duration::from_secs(3600) }
    }
}

impl Pace {
    /// How long after a failed attempt the next one comes; `None` when that was the last. `failed` counts all failed
    /// attempts and is at least 1. `dice` spreads the attempts of many pushes that failed together.
    #[must_use]
    pub(crate) fn again(self, profile: Profile, channel: Channel, failed: u32, dice: u8) -> Option<Duration> {
        match (profile, channel) {
            (Profile::Compat, Channel::Status) => None,
            (Profile::Compat, Channel::Fee) => (failed <= FEE_REPEATS).then_some(self.fees_apart),
            (Profile::Reliable, Channel::Status | Channel::Fee) => {
                (failed < ATTEMPTS).then(|| backed_off(failed, dice))
            }
        }
    }
}

/// Twice as long each time, up to an hour, and up to a quarter more or less.
fn backed_off(failed: u32, dice: u8) -> Duration {
    let doubled = 2_u32.saturating_pow(failed - 1);
    let pause = FIRST_APART.saturating_mul(doubled).min(LAST_APART);
    pause * 3 / 4 + pause / 2 * u32::from(dice) / u32::from(u8::MAX)
}

/// Further attempts of a fee record after the first, as the vendor's documents say.
const FEE_REPEATS: u32 = 6;

/// The pause after a first failed attempt: a receiver that restarts is back by then. It is longer than the journal takes
/// to write the verdicts of a message, whose pushes must fall due together.
const FIRST_APART: Duration = Duration::from_secs(10);

/// The longest pause between two attempts.
const LAST_APART: Duration = Duration::from_secs(3600);

/// All attempts of a push that is tried for a day: ten within an hour and a half, then one each hour.
const ATTEMPTS: u32 = 33;

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    const PACE: Pace = Pace { fees_apart: Duration::from_secs(3600) };

    fn attempts(profile: Profile, channel: Channel) -> usize {
        (1..).take_while(|failed| PACE.again(profile, channel, *failed, 0).is_some()).count() + 1
    }

    #[test]
    fn a_status_event_is_told_once_and_a_fee_record_seven_times() {
        assert_eq!(attempts(Profile::Compat, Channel::Status), 1);
        assert_eq!(attempts(Profile::Compat, Channel::Fee), 7);
        assert_eq!(PACE, Pace::default());
        assert_eq!(PACE.again(Profile::Compat, Channel::Fee, 6, 255), Some(PACE.fees_apart), "to the second");
    }

    #[test]
    fn whoever_wants_everything_is_tried_for_about_a_day() {
        for channel in [Channel::Status, Channel::Fee] {
            assert_eq!(attempts(Profile::Reliable, channel), 33);
        }
        let lasts = |dice| -> Duration {
            (1..33).filter_map(|failed| PACE.again(Profile::Reliable, Channel::Status, failed, dice)).sum()
        };
        assert!((DAY * 7 / 10..DAY).contains(&lasts(0)), "{:?}", lasts(0));
        assert!((DAY..DAY * 13 / 10).contains(&lasts(255)), "{:?}", lasts(255));
    }

    #[test]
    fn pauses_grow_and_are_spread() {
        let pause = |failed, dice| PACE.again(Profile::Reliable, Channel::Status, failed, dice).unwrap();
        assert_eq!(pause(1, 0), Duration::from_millis(7_500));
        assert_eq!(pause(1, 255), Duration::from_millis(12_500));
        assert!(pause(2, 0) > pause(1, 255), "the next pause is never shorter");
        assert_eq!(pause(32, 255), LAST_APART * 5 / 4);
    }
}
