//! From what a session measured to what the journal keeps of it.

use std::time::Duration;

use base::quality::{Direction, MediaReport, Mos, Trouble};
use media::quality::{Rating, Summary};

/// What the media of a leg came to. `rang`: how long the session was there before the party picked up.
pub(crate) fn report(measured: &Summary, rang: Duration) -> MediaReport {
    let Summary { heard, said, round_trip, .. } = measured;
    MediaReport {
        heard: Direction {
            packets: heard.packets,
            lost: heard.lost,
            jitter: heard.jitter.mean,
            mos: heard.rating.map(mos),
        },
        said: Direction {
            packets: said.packets,
            lost: said.reported.map_or(0, |reported| reported.lost),
            jitter: said.reported.map_or(Duration::ZERO, |reported| reported.jitter),
            mos: said.rating.map(mos),
        },
        first_after: heard.first_after.map(|first| first.saturating_sub(rang)),
        round_trip: round_trip.map(|trip| trip.mean),
        trouble: trouble(measured),
    }
}

fn trouble(measured: &Summary) -> Option<Trouble> {
    let nothing = measured.heard.packets == 0;
    if measured.is_behind_nat() {
        Some(Trouble::BehindNat)
    } else if nothing && measured.source.foreign.is_some() {
        Some(Trouble::Elsewhere)
    } else if nothing && measured.source.unusable > 0 {
        Some(Trouble::Unusable)
    } else if !nothing && measured.heard.quiet == measured.heard.packets {
        Some(Trouble::Silent)
    } else {
        None
    }
}

fn mos(rating: Rating) -> Mos {
    // Between 100 and 450: it cannot be cut off.
    Mos::hundredths((rating.mos * 100.0).round() as u16)
}
