//! The peer's packets on our line: numbers and timestamps are moved by an offset that stays the same as long as the
//! source does, so that losses, order and silence reach the far end as they were.

use base::time::Instant;

use crate::line::{Line, samples_at};
use crate::reception::Order;
use crate::rtp::{Header, seq_distance, timestamp_distance};

/// How far the peer's clock may jump against ours, in samples, before it counts as a new beginning: 3 s.
const CLOCK_JUMP: i64 = 24_000;

#[derive(Debug, Default)]
pub(crate) struct Relay {
    anchor: Option<Anchor>,
}

#[derive(Debug)]
struct Anchor {
    ssrc: u32,
    seq_offset: u16,
    timestamp_offset: u32,
    /// Numbers used since the anchor was set; later is enough to know that it is many.
    passed: u16,
    /// Timestamp of the newest audio packet and our clock at its arrival.
    audio: Option<(u32, u32)>,
}

/// What a packet carries, as far as time is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    /// So many samples from the timestamp on.
    Audio(u32),
    /// An event that has lasted so many samples since the timestamp.
    Event(u32),
}

/// An event that lasts longer when the relay begins, in samples, is left out: half a press is no press.
const EVENT_BEGINNING: u32 = 400;

impl Relay {
    /// Another source speaks now; the peer's next packet will be placed anew.
    pub(crate) fn release(&mut self) {
        self.anchor = None;
    }

    /// Places a packet of the peer on the line: the number, timestamp and marker it gets there. `None` when it has
    /// no place: it is older than the moment at which the relay began.
    #[inline]
    pub(crate) fn place(
        &mut self,
        line: &mut Line,
        heard: &Header,
        order: Order,
        span: Span,
        now: Instant,
    ) -> Option<Header> {
        if !self.holds(heard, order, span, now) {
            if order == Order::Late || matches!(span, Span::Event(lasted) if lasted > EVENT_BEGINNING) {
                return None;
            }
            line.settle(now);
            self.anchor = Some(Anchor {
                ssrc: heard.ssrc,
                seq_offset: line.seq.wrapping_sub(heard.seq),
                timestamp_offset: line.timestamp.wrapping_sub(heard.timestamp),
                passed: 0,
                audio: None,
            });
        }
        let anchor = self.anchor.as_mut()?;
        let seq = heard.seq.wrapping_add(anchor.seq_offset);
        let timestamp = heard.timestamp.wrapping_add(anchor.timestamp_offset);
        let ahead = seq_distance(seq, line.seq);
        let mut marker = heard.marker;
        if ahead < 0 {
            if ahead.unsigned_abs() > anchor.passed {
                return None;
            }
        } else {
            anchor.passed = anchor.passed.saturating_add(ahead.unsigned_abs() + 1);
            line.seq = seq.wrapping_add(1);
            let lasted = match span {
                Span::Audio(samples) => {
                    anchor.audio = Some((heard.timestamp, samples_at(now)));
                    marker |= std::mem::replace(&mut line.mark, false);
                    samples
                }
                Span::Event(samples) => samples,
            };
            let end = timestamp.wrapping_add(lasted);
            if timestamp_distance(end, line.timestamp) > 0 {
                line.timestamp = end;
                line.at = now;
                if let Span::Audio(samples) = span {
                    line.at = now + std::time::Duration::from_micros(u64::from(samples) * 125);
                }
            }
        }
        Some(Header { marker, payload_type: heard.payload_type, seq, timestamp, ssrc: line.ssrc })
    }

    /// Leaves a packet out on purpose, so that the far end does not take it for a loss.
    pub(crate) fn skip(&mut self, order: Order) {
        if let (Some(anchor), Order::Next) = (&mut self.anchor, order) {
            anchor.seq_offset = anchor.seq_offset.wrapping_sub(1);
        }
    }

    #[inline]
    fn holds(&self, heard: &Header, order: Order, span: Span, now: Instant) -> bool {
        let Some(anchor) = &self.anchor else { return false };
        if anchor.ssrc != heard.ssrc || order == Order::New {
            return false;
        }
        let (Some((timestamp, at)), Span::Audio(_)) = (anchor.audio, span) else { return true };
        let theirs = i64::from(timestamp_distance(heard.timestamp, timestamp));
        let ours = i64::from(timestamp_distance(samples_at(now), at));
        (theirs - ours).abs() <= CLOCK_JUMP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World {
        line: Line,
        relay: Relay,
    }

    fn world() -> World {
        World { line: Line::new(9, 65_535, u32::MAX - 159, Instant::START), relay: Relay::default() }
    }

    impl World {
        /// Relays audio of 20 ms; gives the number, timestamp and marker on the line.
        fn audio(&mut self, millis: u64, ssrc: u32, seq: u16, timestamp: u32) -> Option<(u16, u32, bool)> {
            let heard = Header { marker: false, payload_type: 8, seq, timestamp, ssrc };
            let now = Instant::from_millis(millis);
            let placed = self.relay.place(&mut self.line, &heard, Order::Next, Span::Audio(160), now)?;
            assert_eq!(placed.ssrc, 9);
            Some((placed.seq, placed.timestamp, placed.marker))
        }
    }

    #[test]
    fn losses_order_and_silence_keep_their_shape() {
        let mut world = world();
        assert_eq!(world.audio(0, 1, 500, 10_000), Some((65_535, u32::MAX - 159, true)));
        assert_eq!(world.audio(20, 1, 501, 10_160), Some((0, 0, false)));
        assert_eq!(world.audio(60, 1, 503, 10_480), Some((2, 320, false)), "one was lost");
        assert_eq!(world.audio(61, 1, 502, 10_320), Some((1, 160, false)), "it was only late");
        assert_eq!(world.audio(1_060, 1, 504, 18_480), Some((3, 8_320, false)), "a second of silence");
    }

    #[test]
    fn another_stream_is_placed_after_the_last_sample() {
        let mut world = world();
        world.audio(0, 1, 500, 10_000);
        assert_eq!(world.audio(20, 2, 7, 77), Some((0, 0, true)));
        assert_eq!(
            world.audio(100, 3, 1, 1),
            Some((1, 640, true)),
            "three frames passed between the streams"
        );
    }

    #[test]
    fn what_is_older_than_the_switch_has_no_place() {
        let mut world = world();
        world.audio(0, 1, 500, 10_000);
        world.line.seq = 40;
        world.relay.release();
        assert_eq!(world.audio(100, 1, 510, 11_600).map(|placed| placed.0), Some(40));
        assert_eq!(world.audio(101, 1, 509, 11_440), None);
        assert_eq!(world.audio(120, 1, 511, 11_760).map(|placed| placed.0), Some(41));
    }

    #[test]
    fn a_jump_of_the_clock_is_a_new_beginning() {
        let mut world = world();
        world.audio(0, 1, 500, 10_000);
        assert_eq!(world.audio(20, 1, 501, 3_000_000_000), Some((0, 0, true)));
    }

    #[test]
    fn half_a_press_does_not_begin_the_relay() {
        let mut world = world();
        let heard = Header { marker: false, payload_type: 101, seq: 1, timestamp: 0, ssrc: 1 };
        let mut place = |lasted| {
            world.relay.place(&mut world.line, &heard, Order::Next, Span::Event(lasted), Instant::START)
        };
        assert_eq!(place(800), None);
        assert!(place(160).is_some());
        assert!(place(800).is_some());
    }
}
