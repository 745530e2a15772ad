//! How good a leg's media was, in figures that were measured, and what they are worth to a listener.
//!
//! A [`Summary`] holds values only: a session can be asked for one at any time and at its end. [`rate`] is the E-model of
//! ITU-T G.107 with everything at its default but what packets can tell: delay, loss, how bursty it is, and the codec.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base::quality::{Direction, MediaReport, Mos, Trouble};
use serde::{Deserialize, Serialize};

use crate::codec::Codec;

/// What a leg's media came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// What came from the far end.
    pub heard: Heard,
    /// What went to the far end.
    pub said: Said,
    /// There and back, from RTCP.
    pub round_trip: Option<RoundTrip>,
    /// Where it came from.
    pub source: Source,
}

/// What came from the far end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Heard {
    /// Packets, copies included.
    pub packets: u32,
    /// Their payload bytes.
    pub bytes: u64,
    /// Packets that must have been sent, by extended sequence numbers (RFC 3550 appendix A.1).
    pub expected: u32,
    /// Those of them that never came.
    pub lost: u32,
    /// Runs of such losses.
    pub bursts: u32,
    /// Packets that came again.
    pub duplicates: u32,
    /// Packets that came after a newer one, copies included.
    pub late: u32,
    /// Packets that came, but not before a listener with a buffer of [`Heard::buffer`] wanted them.
    pub missed: u32,
    /// How unevenly they came.
    pub jitter: Jitter,
    /// How long audio waits in an adaptive jitter buffer for this stream.
    pub buffer: Duration,
    /// From the creation of the session to the first packet.
    pub first_after: Option<Duration>,
    /// The longest time without a packet, between packets and since the last one.
    pub silence_max: Duration,
    /// How long nothing has come now; `None` when nothing ever came.
    pub silence: Option<Duration>,
    /// Audio packets in which there was nothing to hear: below about -40 dBm0. Counted for G.711.
    pub quiet: u32,
    /// What it is worth; `None` before anything came.
    pub rating: Option<Rating>,
}

/// What went to the far end. What became of it is known if the far end sends RTCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// Packets.
    pub packets: u32,
    /// Their payload bytes.
    pub bytes: u64,
    /// From the creation of the session to the first packet.
    pub first_after: Option<Duration>,
    /// What the far end missed of it and how unevenly it came, if it told.
    pub reported: Option<Reported>,
    /// What it was worth to the far end, if it told.
    pub rating: Option<Rating>,
}

/// What the far end says of what we sent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reported {
    /// Packets that it missed; copies hide losses.
    pub lost: u32,
    /// As it measured it at last.
    pub jitter: Duration,
}

/// How unevenly packets came (RFC 3550 section 6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Jitter {
    /// The running estimate, as RTCP tells it.
    pub now: Duration,
    /// The mean over the call of what the estimate smooths.
    pub mean: Duration,
    /// The greatest difference of two packets' transit.
    pub max: Duration,
}

/// Measurements of the time there and back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoundTrip {
    /// The newest one.
    pub last: Duration,
    /// Their mean.
    pub mean: Duration,
    /// The longest one.
    pub max: Duration,
}

/// Addresses, as far as they tell why somebody is not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Where the far end's description says that it is.
    pub described: Option<SocketAddr>,
    /// Whom we listen to instead, because their packets came from there.
    pub learned: Option<SocketAddr>,
    /// The last one whose packets came and were not heard, and how many such packets came.
    pub foreign: Option<SocketAddr>,
    /// See [`Source::foreign`].
    pub foreign_packets: u32,
    /// Packets of the far end that were not usable: no RTP, an unknown type, wild numbers.
    pub unusable: u32,
    /// Packets that SRTP did not let through: a wrong tag, or come before.
    pub unproved: u32,
}

/// What a direction is worth to a listener.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// The transmission rating factor of G.107, 0 to 100; 93.2 is a perfect line of the telephone network.
    pub r: f32,
    /// The mean opinion score that it is worth (annex B), 1 to 4.5.
    pub mos: f32,
}

/// What a line does to the voice, on its way to one listener.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impairment {
    /// The voice's way from mouth to ear: packets, network and jitter buffer.
    pub delay: Duration,
    /// The part of packets that is not heard, 0 to 1.
    pub loss: f32,
    /// How long the runs of losses are against those of random loss (G.107 section 3.5); 1 is random.
    pub burst_ratio: f32,
}

impl Summary {
    /// What the journal keeps of it. `rang`: how long the session was there before the party picked up.
    #[must_use]
    pub fn report(&self, rang: Duration) -> MediaReport {
        let Self { heard, said, round_trip, .. } = self;
        MediaReport {
            heard: Direction {
                packets: heard.packets,
                lost: heard.lost,
                jitter: heard.jitter.mean,
                mos: heard.rating.map(Rating::score),
            },
            said: Direction {
                packets: said.packets,
                lost: said.reported.map_or(0, |reported| reported.lost),
                jitter: said.reported.map_or(Duration::ZERO, |reported| reported.jitter),
                mos: said.rating.map(Rating::score),
            },
            first_after: heard.first_after.map(|first| first.saturating_sub(rang)),
            round_trip: round_trip.map(|trip| trip.mean),
            trouble: self.trouble(),
        }
    }

    /// Why the far end was hard to hear, if anything shows it.
    fn trouble(&self) -> Option<Trouble> {
        let nothing = self.heard.packets == 0;
        if self.is_behind_nat() {
            Some(Trouble::BehindNat)
        } else if nothing && self.source.foreign.is_some() {
            Some(Trouble::Elsewhere)
        } else if nothing && self.source.unproved > 0 {
            Some(Trouble::Unproved)
        } else if nothing && self.source.unusable > 0 {
            Some(Trouble::Unusable)
        } else if !nothing && self.heard.quiet == self.heard.packets {
            Some(Trouble::Silent)
        } else {
            None
        }
    }

    /// Whether the far end describes an address that only its own network knows, and sends from another one.
    fn is_behind_nat(&self) -> bool {
        let Source { described: Some(described), learned, foreign, .. } = self.source else { return false };
        is_private(described.ip()) && (learned.is_some() || (self.heard.packets == 0 && foreign.is_some()))
    }
}

impl Rating {
    fn score(self) -> Mos {
        // Between 100 and 450: it cannot be cut off.
        Mos::hundredths((self.mos * 100.0).round() as u16)
    }
}

impl Impairment {
    /// The burst ratio of so many losses in so many runs among so many packets.
    #[must_use]
    pub fn burst_ratio(expected: u32, lost: u32, bursts: u32) -> f32 {
        if bursts == 0 || expected == 0 {
            return 1.0;
        }
        let by_chance = 1.0 / (1.0 - (lost as f32 / expected as f32).min(0.99));
        (lost as f32 / bursts as f32 / by_chance).clamp(1.0, BURST_RATIO_MAX)
    }
}

/// Rates a line by the E-model (G.107): `R = 93.2 - Id - Ie,eff`, with the delay impairment of its usual approximation and
/// the packet-loss impairment of section 3.5. Never fails; values out of range are taken for the nearest in range.
#[must_use]
pub fn rate(codec: Codec, line: &Impairment) -> Rating {
    let delay = line.delay.as_secs_f32() * 1_000.0;
    let id = 0.024 * delay + 0.11 * (delay - 177.3).max(0.0);
    let percent = line.loss.clamp(0.0, 1.0) * 100.0;
    let Resilience { ie, bpl } = Resilience::of(codec);
    let ie_eff = ie + (95.0 - ie) * percent / (percent / line.burst_ratio.max(1.0) + bpl);
    let r = (93.2 - id - ie_eff).clamp(0.0, 100.0);
    let mos = 1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6;
    Rating { r, mos: mos.clamp(1.0, 4.5) }
}

/// More is a line that is down for a while, which the loss itself says.
const BURST_RATIO_MAX: f32 = 8.0;

/// How a codec sounds without loss and how it stands loss (G.113 appendix I), on the narrow-band scale.
struct Resilience {
    ie: f32,
    bpl: f32,
}

impl Resilience {
    const fn of(codec: Codec) -> Self {
        match codec {
            // G.113 table I.4: G.711 with the concealment of its appendix I, random loss.
            Codec::G711(_) => Self { ie: 0.0, bpl: 25.1 },
            // There is no narrow-band value: without loss it is at least as good as G.711, and its predictor carries a
            // loss on, which halves what concealment gives.
            Codec::G722 => Self { ie: 0.0, bpl: 12.6 },
            // No recommendation has Opus. A mean of what its wide-band speech modes are measured with: a little is lost
            // by coding, and its own concealment stands loss about as well as G.711 with appendix I.
            Codec::Opus { .. } => Self { ie: 3.0, bpl: 20.0 },
        }
    }
}

/// Addresses that no packet from outside has as its source: RFC 1918, 6598, 4193, link-local, loopback.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            let shared = first == 100 && second & 0xc0 == 64;
            v4.is_private() || shared || v4.is_link_local() || v4.is_loopback()
        }
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(delay_millis: u64, loss: f32, burst_ratio: f32) -> Rating {
        let delay = Duration::from_millis(delay_millis);
        rate(Codec::PCMA, &Impairment { delay, loss, burst_ratio })
    }

    #[test]
    fn a_perfect_line_is_the_telephone_network_at_its_best() {
        let best = line(0, 0.0, 1.0);
        assert!((best.r - 93.2).abs() < 0.01 && (best.mos - 4.41).abs() < 0.01, "{best:?}");
    }

    #[test]
    fn delay_and_loss_cost_what_the_recommendations_say() {
        // R by hand: 93.2 - 0.024 d - 0.11 (d - 177.3) - 95 p / (p / BurstR + 25.1).
        for (delay, loss, burst, r) in [
            (150, 0.0, 1.0, 89.6),
            (300, 0.0, 1.0, 72.5),
            (0, 0.01, 1.0, 89.56),
            (0, 0.05, 1.0, 77.42),
            (0, 0.20, 1.0, 51.07),
            (0, 0.05, 2.0, 75.99),
        ] {
            let got = line(delay, loss, burst).r;
            assert!((got - r).abs() < 0.1, "{delay} ms, {loss}, {burst}: {got} instead of {r}");
        }
        assert_eq!(line(10_000, 1.0, 8.0), Rating { r: 0.0, mos: 1.0 });
    }

    #[test]
    fn random_loss_has_a_burst_ratio_of_one_and_a_pause_a_greater_one() {
        assert!((Impairment::burst_ratio(10_000, 1_000, 900) - 1.0).abs() < 0.01);
        assert!((Impairment::burst_ratio(10_000, 1_000, 300) - 3.0).abs() < 0.01);
        assert_eq!(Impairment::burst_ratio(0, 0, 0), 1.0);
        assert_eq!(Impairment::burst_ratio(10, 10, 1), 1.0, "nothing is heard at all");
    }
}
