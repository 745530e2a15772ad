//! What the media of an answered leg came to: measured, in whole numbers, as the journal keeps it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The media of one leg, from its first packet to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaReport {
    /// What came from the party.
    pub heard: Direction,
    /// What went to the party; what became of it is known if the far end told.
    pub said: Direction,
    /// From the answer to the party's first packet; zero when it came before. `None`: nothing ever came.
    pub first_after: Option<Duration>,
    /// There and back, the mean, if the far end told.
    pub round_trip: Option<Duration>,
    /// Why the party was hard to hear, if anything shows it.
    pub trouble: Option<Trouble>,
}

/// One direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Direction {
    /// Packets.
    pub packets: u32,
    /// Those that were lost on the way.
    pub lost: u32,
    /// How unevenly they came, the mean (RFC 3550 section 6.4.1).
    pub jitter: Duration,
    /// What it was worth to the listener.
    pub mos: Option<Mos>,
}

/// A mean opinion score by the E-model (ITU-T G.107), in hundredths: 100 to 450.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mos(u16);

impl Mos {
    /// The nearest score in range.
    #[must_use]
    pub const fn hundredths(score: u16) -> Self {
        Self(if score < 100 {
            100
        } else if score > 450 {
            450
        } else {
            score
        })
    }

    /// The score as a number, 1 to 4.5.
    #[must_use]
    pub fn value(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

impl fmt::Display for Mos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 100, self.0 % 100 / 10)
    }
}

/// What shows why a party is hard to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trouble {
    /// It describes an address that only its own network knows, and sends from another one.
    BehindNat,
    /// Packets come from another address than the described one, and nobody listens to them.
    Elsewhere,
    /// What came was not protected by the key that was agreed on.
    Unproved,
    /// What came was no audio that we can use.
    Unusable,
    /// Everything that came was silence.
    Silent,
}

impl MediaReport {
    /// Which ways audio went.
    #[must_use]
    pub const fn course(&self) -> Course {
        match (self.heard.packets > 0, self.said.packets > 0) {
            (true, true) => Course::BothWays,
            (true, false) => Course::OnlyHeard,
            (false, true) => Course::OnlySaid,
            (false, false) => Course::Nothing,
        }
    }
}

/// Which ways audio went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// The party was heard and was spoken to.
    BothWays,
    /// It was heard, and nothing went to it.
    OnlyHeard,
    /// It was spoken to and never heard.
    OnlySaid,
    /// Neither.
    Nothing,
}

/// The verdict, in one sentence and without addresses: `both ways, first heard after 120 ms, 1.2 % lost, MOS 4.1`.
impl fmt::Display for MediaReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.course() {
            Course::BothWays => "both ways",
            Course::OnlyHeard => "one way: the party was heard, and nothing was sent to it",
            Course::OnlySaid => "one way: nothing was heard of the party",
            Course::Nothing => "none at all",
        })?;
        if let Some(after) = self.first_after.filter(|after| !after.is_zero()) {
            write!(f, ", first heard after {} ms", after.as_millis())?;
        }
        if let Some(per_mille) = self.heard.lost_per_mille() {
            write!(f, ", {}.{} % lost", per_mille / 10, per_mille % 10)?;
        }
        if let Some(mos) = self.heard.mos {
            write!(f, ", MOS {mos}")?;
        }
        f.write_str(match self.trouble {
            None => "",
            Some(Trouble::BehindNat) => "; it describes a private address and sends from another one",
            Some(Trouble::Elsewhere) => "; packets come from another address than the described one",
            Some(Trouble::Unproved) => "; what came was not protected by the agreed key",
            Some(Trouble::Unusable) => "; what came was no audio that we can use",
            Some(Trouble::Silent) => "; all that came was silence",
        })
    }
}

impl Direction {
    /// The share that was lost, in thousandths; `None` when nothing was.
    #[must_use]
    pub fn lost_per_mille(&self) -> Option<u32> {
        let all = u64::from(self.packets) + u64::from(self.lost);
        let share = (u64::from(self.lost) * 1_000).checked_div(all)?;
        u32::try_from(share).ok().filter(|_| self.lost > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(heard: u32, lost: u32, said: u32) -> MediaReport {
        let direction = |packets, lost| Direction { packets, lost, ..Direction::default() };
        MediaReport {
            heard: direction(heard, lost),
            said: direction(said, 0),
            first_after: None,
            round_trip: None,
            trouble: None,
        }
    }

    #[test]
    fn the_verdict_is_one_sentence() {
        let good = MediaReport {
            first_after: Some(Duration::from_millis(120)),
            heard: Direction { mos: Some(Mos::hundredths(412)), ..report(988, 12, 0).heard },
            ..report(988, 12, 1_000)
        };
        assert_eq!(good.to_string(), "both ways, first heard after 120 ms, 1.2 % lost, MOS 4.1");
        let deaf = MediaReport { trouble: Some(Trouble::BehindNat), ..report(0, 0, 500) };
        assert_eq!(
            deaf.to_string(),
            "one way: nothing was heard of the party; it describes a private address and sends from another one"
        );
        assert_eq!(report(0, 0, 0).to_string(), "none at all");
        assert_eq!(report(5, 0, 0).to_string(), "one way: the party was heard, and nothing was sent to it");
    }

    #[test]
    fn a_score_stays_in_its_range() {
        assert_eq!([0, 441, 900].map(|score| Mos::hundredths(score).to_string()), ["1.0", "4.4", "4.5"]);
    }
}
