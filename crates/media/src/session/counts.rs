//! What a session counts, and what it says of itself.

use std::net::SocketAddr;
use std::time::Duration;

use base::time::Instant;

use super::Session;
use crate::line::FRAME;
use crate::playout;
use crate::quality::{self, Impairment, Summary};
use crate::rtcp::FarEnd;

/// What a leg's media came to, for the call's record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Packets heard from the far end.
    pub packets_in: u32,
    /// Their payload bytes.
    pub bytes_in: u64,
    /// Packets sent.
    pub packets_out: u32,
    /// Their payload bytes.
    pub bytes_out: u64,
    /// Packets that did not come.
    pub lost: u32,
    /// Packets that came after a newer one.
    pub late: u32,
    /// Jitter at the end (RFC 3550 section 6.4.1).
    pub jitter: Duration,
    /// Packets from strangers, RTP and RTCP.
    pub foreign: u32,
    /// Packets of the far end that are no RTP, of unknown type or wildly numbered.
    pub unusable: u32,
    /// From the creation of the session to the first packet heard.
    pub first_packet_after: Option<Duration>,
    /// Times that our own ticks came too late to catch up.
    pub stalls: u32,
    /// What the far end says about our stream.
    pub far_end: Option<FarEnd>,
}

/// What is counted, beside what [`crate::reception::Reception`] does.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) packets_in: u32,
    pub(super) packets_out: u32,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
    pub(super) first_heard: Option<Instant>,
    pub(super) last_heard: Option<Instant>,
    pub(super) first_sent: Option<Instant>,
    pub(super) silence_max: Duration,
    /// Audio packets with nothing to hear in them.
    pub(super) quiet: u32,
    pub(super) foreign: u32,
    pub(super) foreign_from: Option<SocketAddr>,
    pub(super) unusable: u32,
    pub(super) unproved: u32,
    pub(super) stalls: u32,
}

impl Counts {
    #[inline]
    pub(super) fn heard(&mut self, payload: usize, now: Instant) {
        self.packets_in = self.packets_in.saturating_add(1);
        self.bytes_in = self.bytes_in.saturating_add(payload as u64);
        if let Some(last) = self.last_heard.replace(now) {
            self.silence_max = self.silence_max.max(now.since(last));
        }
    }

    #[inline]
    pub(super) fn sent(&mut self, payload: usize, now: Instant) {
        self.first_sent.get_or_insert(now);
        self.packets_out = self.packets_out.wrapping_add(1);
        self.bytes_out = self.bytes_out.wrapping_add(payload as u64);
    }
}

impl Session {
    /// What the leg's media came to so far.
    #[must_use]
    pub fn report(&self) -> Report {
        let Counts { packets_in, packets_out, bytes_in, bytes_out, .. } = self.counts;
        Report {
            packets_in,
            packets_out,
            bytes_in,
            bytes_out,
            foreign: self.counts.foreign,
            unusable: self.counts.unusable,
            first_packet_after: self.counts.first_heard.map(|first| first.since(self.created)),
            stalls: self.counts.stalls,
            lost: self.reception.lost(),
            late: self.reception.late(),
            jitter: span_of(self.reception.jitter().into()),
            far_end: self.rtcp.far_end(),
        }
    }

    /// How good the leg's media is, so far or at its end.
    #[must_use]
    pub fn quality(&self, now: Instant) -> Summary {
        let round_trip = self.rtcp.round_trip();
        let one_way = round_trip.map_or(Duration::ZERO, |trip| trip.mean / 2);
        Summary {
            heard: self.heard_so_far(one_way, now),
            said: self.said_so_far(one_way),
            round_trip,
            source: quality::Source {
                described: self.description.remote,
                learned: self.gate.target().filter(|_| self.gate.is_learned()),
                foreign: self.counts.foreign_from,
                foreign_packets: self.counts.foreign,
                unusable: self.counts.unusable,
                unproved: self.counts.unproved,
            },
        }
    }

    fn heard_so_far(&self, one_way: Duration, now: Instant) -> quality::Heard {
        let tally = self.reception.tally();
        let buffer = self.reception.playout().depth();
        let silence = self.counts.last_heard.map(|last| now.since(last));
        let line = Impairment {
            delay: one_way + FRAME + buffer,
            loss: (tally.lost + tally.missed) as f32 / tally.expected.max(1) as f32,
            burst_ratio: Impairment::burst_ratio(tally.expected, tally.lost, tally.bursts),
        };
        quality::Heard {
            packets: self.counts.packets_in,
            bytes: self.counts.bytes_in,
            expected: tally.expected,
            lost: tally.lost,
            bursts: tally.bursts,
            duplicates: tally.duplicates,
            late: self.reception.late(),
            missed: tally.missed,
            jitter: quality::Jitter {
                now: span_of(self.reception.jitter().into()),
                mean: span_of(tally.jitter_sum.checked_div(tally.jitter_count.into()).unwrap_or(0)),
                max: span_of(tally.jitter_max.into()),
            },
            buffer,
            first_after: self.counts.first_heard.map(|first| first.since(self.created)),
            silence_max: self.counts.silence_max.max(silence.unwrap_or_default()),
            silence,
            quiet: self.counts.quiet,
            rating: silence.map(|_| quality::rate(self.description.codec, &line)),
        }
    }

    fn said_so_far(&self, one_way: Duration) -> quality::Said {
        let reported = self.rtcp.far_end().map(|far| quality::Reported {
            lost: u32::try_from(far.lost).unwrap_or(0),
            jitter: span_of((far.jitter / self.description.codec.ticks()).into()),
        });
        let rating = reported.map(|reported| {
            // How long the far end's buffer is, nobody tells; it is at least what its jitter wants.
            let buffer = playout::DEPTH_MIN.max(2 * reported.jitter).min(playout::DEPTH_MAX);
            let loss = reported.lost as f32 / self.counts.packets_out.max(1) as f32;
            let line = Impairment { delay: one_way + FRAME + buffer, loss, burst_ratio: 1.0 };
            quality::rate(self.description.codec, &line)
        });
        quality::Said {
            packets: self.counts.packets_out,
            bytes: self.counts.bytes_out,
            first_after: self.counts.first_sent.map(|first| first.since(self.created)),
            reported,
            rating,
        }
    }
}

/// So many samples of 8,000 a second, as time.
const fn span_of(samples: u64) -> Duration {
    Duration::from_micros(samples.saturating_mul(125))
}
