//! The one line of sequence numbers and timestamps that a leg is sent, whatever the source: a clip, the peer,
//! digits or nothing.
//!
//! The line knows the sample that comes next and the moment at which it is due. Changing the source moves it
//! forward by the whole frames that have passed, never back and never by a fraction: the far end's jitter buffer
//! sees silence, not a jump.

use std::time::Duration;

use base::time::Instant;

use crate::rtp::{HEADER_BYTES, Header};

/// Samples in a frame of ours.
pub const FRAME_SAMPLES: usize = 160;

/// How long a frame of ours plays.
pub const FRAME: Duration = Duration::from_millis(20);

pub(crate) const FRAME_TICKS: u32 = FRAME_SAMPLES as u32;
const FRAME_MICROS: u64 = FRAME.as_micros() as u64;
const MICROS_PER_SAMPLE: u64 = 125;

#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) ssrc: u32,
    /// The number of the next packet.
    pub(crate) seq: u16,
    /// The timestamp of the next sample.
    pub(crate) timestamp: u32,
    /// When the next sample is due.
    pub(crate) at: Instant,
    /// Whether the next audio packet begins a talk spurt (RFC 3551 section 4.1).
    pub(crate) mark: bool,
}

impl Line {
    pub(crate) const fn new(ssrc: u32, seq: u16, timestamp: u32, now: Instant) -> Self {
        Self { ssrc, seq, timestamp, at: now, mark: true }
    }

    /// Lets the silence up to `now` pass, rounded to whole frames, because another source begins.
    pub(crate) fn settle(&mut self, now: Instant) {
        let late = u64::try_from(now.since(self.at).as_micros()).unwrap_or(u64::MAX);
        let frames = late.saturating_add(FRAME_MICROS / 2) / FRAME_MICROS;
        // The timestamp wraps by nature; the cut to 32 bits is that wrap.
        self.timestamp = self.timestamp.wrapping_add((frames as u32).wrapping_mul(FRAME_TICKS));
        self.at = self.at + Duration::from_micros(frames.saturating_mul(FRAME_MICROS));
        self.mark = true;
    }

    /// Moves on by samples that have just been sent in our own time.
    pub(crate) fn pass(&mut self, samples: u32) {
        self.timestamp = self.timestamp.wrapping_add(samples);
        self.at = self.at + Duration::from_micros(u64::from(samples) * MICROS_PER_SAMPLE);
    }

    /// Writes the next header: the next number, and the mark when audio begins after something else.
    pub(crate) fn write_audio(&mut self, payload_type: u8, packet: &mut [u8; HEADER_BYTES]) {
        let marker = std::mem::replace(&mut self.mark, false);
        Header { marker, payload_type, seq: self.seq, timestamp: self.timestamp, ssrc: self.ssrc }
            .write(packet);
        self.seq = self.seq.wrapping_add(1);
    }

    /// Writes the header of an event packet, whose timestamp is the event's beginning.
    pub(crate) fn write_event(
        &mut self,
        payload_type: u8,
        timestamp: u32,
        marker: bool,
        packet: &mut [u8; HEADER_BYTES],
    ) {
        Header { marker, payload_type, seq: self.seq, timestamp, ssrc: self.ssrc }.write(packet);
        self.seq = self.seq.wrapping_add(1);
    }

    /// The timestamp of the sample that is due at `now`, for sender reports.
    pub(crate) fn timestamp_at(&self, now: Instant) -> u32 {
        let ahead = samples_in(now.since(self.at));
        let behind = samples_in(self.at.since(now));
        self.timestamp.wrapping_add(ahead).wrapping_sub(behind)
    }
}

/// Samples in a span of time; wraps as timestamps do.
pub(crate) fn samples_in(span: Duration) -> u32 {
    (span.as_micros() as u64 / MICROS_PER_SAMPLE) as u32
}

/// A moment on the scale of samples, for transit times (RFC 3550 appendix A.8); wraps as timestamps do.
pub(crate) const fn samples_at(now: Instant) -> u32 {
    (now.micros() / MICROS_PER_SAMPLE) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(at: u64) -> Instant {
        Instant::from_millis(at)
    }

    #[test]
    fn silence_passes_in_whole_frames() {
        // Started at 0 and first used after so many milliseconds: the timestamp and the moment that follow.
        for (used, timestamp, due) in
            [(0, 0, 0), (9, 0, 0), (10, 160, 20), (29, 160, 20), (1_000, 8_000, 1_000)]
        {
            let mut line = Line::new(1, 0, 0, millis(0));
            line.settle(millis(used));
            assert_eq!((line.timestamp, line.at), (timestamp, millis(due)), "after {used} ms");
        }
    }

    #[test]
    fn a_source_that_comes_early_waits_its_turn() {
        let mut line = Line::new(1, 0, u32::MAX, millis(100));
        line.pass(160);
        line.settle(millis(105));
        assert_eq!((line.timestamp, line.at), (159, millis(120)));
    }

    #[test]
    fn a_report_names_the_sample_of_its_moment() {
        let line = Line::new(1, 0, 1_000, millis(100));
        assert_eq!(line.timestamp_at(millis(110)), 1_080);
        assert_eq!(line.timestamp_at(millis(90)), 920);
    }
}
