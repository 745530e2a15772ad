//! How often a push is tried: the vendors' own promises to the letter, or everything for a day. Each app chooses.
//!
//! | profile | status events | fee records | reports |
//! | --- | --- | --- | --- |
//! | compat | once | once and six times more, an hour apart | for 72 hours |
//! | reliable | 33 times over a day | 33 times over a day | for 72 hours |
//!
//! An attempt is one that was made: while a host rests ([`Health`](crate::health::Health)), nothing is tried and nothing is
//! used up. That has an end ([`Pace::patience`]), so that a host that is away for ever is not owed more and more:
//!
//! | profile | status events | fee records | reports |
//! | --- | --- | --- | --- |
//! | compat | ten minutes | six hours | 72 hours |
//! | reliable | a day | a day | 72 hours |
//!
//! Where a status event is tried again, the later ones of its call wait for it: their lane is closed meanwhile, in
//! memory ([`Lanes`](crate::lanes::Lanes)) and in the database (`Outbox::closed`).

use std::ops::RangeInclusive;
use std::time::Duration;

use base::row::Channel;
pub use store::PushProfile as Profile;

/// What the operator may change of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The time between two attempts of a fee record under [`Profile::Compat`]: an hour, as documented. Below three
    /// seconds it is three.
    pub fees_apart: Duration,
    /// How long a report waits for others to share its message, at most: a second, as receivers expect.
    pub reports_gather: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { fees_apart: Duration::from_secs(3600), reports_gather: Duration::from_secs(1) }
    }
}

impl Pace {
    /// How long after a failed attempt the next one comes; `None` when that was the last. `dice` spreads the attempts of
    /// many pushes that failed together.
    #[must_use]
    pub(crate) fn again(self, profile: Profile, tried: Tried, dice: u8) -> Option<Duration> {
        let Tried { channel, failed, owed_for } = tried;
        match (profile, channel) {
            (Profile::Compat, Channel::Status) => None,
            (Profile::Compat, Channel::Fee) => (failed <= FEE_REPEATS).then_some(self.fees_apart),
            (Profile::Reliable, Channel::Status | Channel::Fee) => {
                (failed < ATTEMPTS).then(|| backed_off(FIRST_APART..=LAST_APART, failed, dice))
            }
            (Profile::Compat | Profile::Reliable, Channel::Report) => {
                let goes_on = owed_for < REPORTS_OWED || failed < REPORT_ATTEMPTS;
                goes_on.then(|| backed_off(REPORTS_FIRST_APART..=REPORTS_LAST_APART, failed, dice))
            }
        }
    }

    /// For how long after it happened a push waits for a host that rests, before it is parked without another attempt: as
    /// long as its attempts would take.
    #[must_use]
    pub(crate) fn patience(self, profile: Profile, channel: Channel) -> Duration {
        match (profile, channel) {
            (Profile::Compat, Channel::Status) => NEWS,
            (Profile::Compat, Channel::Fee) => self.fees_apart * FEE_REPEATS,
            (Profile::Reliable, Channel::Status | Channel::Fee) => DAY,
            (Profile::Compat | Profile::Reliable, Channel::Report) => REPORTS_OWED,
        }
    }
}

/// A message that failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tried {
    /// What it tells.
    pub(crate) channel: Channel,
    /// All its failed attempts; at least 1.
    pub(crate) failed: u32,
    /// How long it is owed.
    pub(crate) owed_for: Duration,
}

/// Twice as long each time, from the first pause to the last, and up to a quarter more or less.
fn backed_off(apart: RangeInclusive<Duration>, failed: u32, dice: u8) -> Duration {
    let doubled = 2_u32.saturating_pow(failed - 1);
    let pause = apart.start().saturating_mul(doubled).min(*apart.end());
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

/// How long reports are sent again before they are parked.
const REPORTS_OWED: Duration = Duration::from_secs(72 * 3600);

/// Attempts of a report at least, however long it is owed: they take eight minutes. When we were away for days, or
/// somebody asked for it again, its receiver has the time to come back.
const REPORT_ATTEMPTS: u32 = 10;

/// The pause after the first failed attempt of a report.
const REPORTS_FIRST_APART: Duration = Duration::from_secs(1);

/// The longest pause between two attempts of a report.
const REPORTS_LAST_APART: Duration = Duration::from_secs(300);

/// For how long a status event is news: what comes later is told by its record.
const NEWS: Duration = Duration::from_secs(600);

/// How long a push is tried under [`Profile::Reliable`], about.
const DAY: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { fees_apart: Duration::from_secs(3600), reports_gather: Duration::from_secs(1) };

    fn again(profile: Profile, channel: Channel, failed: u32, dice: u8) -> Option<Duration> {
        PACE.again(profile, Tried { channel, failed, owed_for: Duration::ZERO }, dice)
    }

    fn attempts(profile: Profile, channel: Channel) -> usize {
        (1..).take_while(|failed| again(profile, channel, *failed, 0).is_some()).count() + 1
    }

    #[test]
    fn a_status_event_is_told_once_and_a_fee_record_seven_times() {
        assert_eq!(attempts(Profile::Compat, Channel::Status), 1);
        assert_eq!(attempts(Profile::Compat, Channel::Fee), 7);
        assert_eq!(PACE, Pace::default());
        assert_eq!(again(Profile::Compat, Channel::Fee, 6, 255), Some(PACE.fees_apart), "to the second");
    }

    #[test]
    fn whoever_wants_everything_is_tried_for_about_a_day() {
        for channel in [Channel::Status, Channel::Fee] {
            assert_eq!(attempts(Profile::Reliable, channel), 33);
        }
        let lasts = |dice| -> Duration {
            (1..33).filter_map(|failed| again(Profile::Reliable, Channel::Status, failed, dice)).sum()
        };
        assert!((DAY * 7 / 10..DAY).contains(&lasts(0)), "{:?}", lasts(0));
        assert!((DAY..DAY * 13 / 10).contains(&lasts(255)), "{:?}", lasts(255));
    }

    #[test]
    fn reports_are_sent_again_for_three_days_and_ten_times_at_least() {
        for profile in [Profile::Compat, Profile::Reliable] {
            let again = |failed, owed_for, dice| {
                PACE.again(profile, Tried { channel: Channel::Report, failed, owed_for }, dice)
            };
            let pauses: Vec<u64> =
                (1..11).filter_map(|failed| again(failed, DAY, 127)).map(|pause| pause.as_secs()).collect();
            assert_eq!(pauses, [0, 1, 3, 7, 15, 31, 63, 127, 255, 299], "about doubled, up to five minutes");
            assert_eq!(again(1, DAY, 0), Some(Duration::from_millis(750)));
            assert_eq!(again(1, DAY, 255), Some(Duration::from_millis(1_250)));
            assert!(again(1_000, 3 * DAY - Duration::from_secs(1), 0).is_some());
            assert_eq!(again(10, 3 * DAY, 0), None);
            assert!(again(9, 30 * DAY, 0).is_some());
        }
    }

    #[test]
    fn pauses_grow_and_are_spread() {
        let pause = |failed, dice| again(Profile::Reliable, Channel::Status, failed, dice).unwrap();
        assert_eq!(pause(1, 0), Duration::from_millis(7_500));
        assert_eq!(pause(1, 255), Duration::from_millis(12_500));
        assert!(pause(2, 0) > pause(1, 255), "the next pause is never shorter");
        assert_eq!(pause(32, 255), LAST_APART * 5 / 4);
    }
}
