//! How well a leg's packets arrive: RFC 3550 appendices A.1 (sequence), A.3 (loss) and A.8 (jitter).

use base::time::Instant;

use crate::line::samples_at;
use crate::rtp::{Header, seq_distance};

/// The largest gap in sequence numbers that is still loss; beyond it the sender must have restarted.
const DROPOUT_MAX: i16 = 3_000;

/// How far behind the newest packet one may come and still belong to the same run.
const MISORDER_MAX: i16 = 100;

/// Whether a packet belongs to the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The first packet of a stream, or of one that was renumbered.
    New,
    /// Newer than all before.
    Next,
    /// Older than the newest: late, or a copy.
    Late,
    /// Far from the others; if the next one follows it, the sender has restarted.
    Wild,
}

#[derive(Debug, Default)]
pub(crate) struct Reception {
    stream: Option<Stream>,
    /// Packets lost in streams that are over.
    lost_before: i64,
    late: u32,
}

#[derive(Debug)]
struct Stream {
    ssrc: u32,
    base_seq: u16,
    newest: u16,
    cycles: u32,
    received: u32,
    /// What must come next to prove that a wild packet was a restart.
    restart: Option<u16>,
    transit: Option<u32>,
    last_timestamp: u32,
    /// In samples, times 16.
    jitter: u32,
    expected_prior: u32,
    received_prior: u32,
}

/// The numbers of a report block (RFC 3550 section 6.4.1) that come from reception alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) ssrc: u32,
    /// Of 256, since the last report.
    pub(crate) fraction: u8,
    /// In all; negative when copies outnumber losses.
    pub(crate) cumulative: i32,
    pub(crate) extended_seq: u32,
    /// In samples.
    pub(crate) jitter: u32,
}

impl Reception {
    /// Takes note of a packet from the leg's source.
    #[inline]
    pub(crate) fn note(&mut self, header: &Header) -> Order {
        match &mut self.stream {
            Some(stream) if stream.ssrc == header.ssrc => {
                let order = stream.note(header.seq);
                if order == Order::New {
                    self.restart(header);
                }
                self.late = self.late.saturating_add(u32::from(order == Order::Late));
                order
            }
            Some(_) | None => {
                self.restart(header);
                Order::New
            }
        }
    }

    /// Measures an audio packet's arrival (appendix A.8). Packets of one timestamp are measured once.
    #[inline]
    pub(crate) fn time(&mut self, timestamp: u32, now: Instant) {
        let Some(stream) = &mut self.stream else { return };
        let transit = samples_at(now).wrapping_sub(timestamp);
        if let Some(last) = stream.transit {
            if stream.last_timestamp == timestamp {
                return;
            }
            let moved = transit.wrapping_sub(last).cast_signed().unsigned_abs();
            // A jump of the sender's clock is no jitter; without this bound it would show for minutes.
            if moved < JITTER_STEP_MAX {
                stream.jitter = stream.jitter + moved - ((stream.jitter + 8) >> 4);
            }
        }
        stream.transit = Some(transit);
        stream.last_timestamp = timestamp;
    }

    /// The stream that is being received.
    pub(crate) fn ssrc(&self) -> Option<u32> {
        self.stream.as_ref().map(|stream| stream.ssrc)
    }

    /// Forgets the stream because the source has changed; losses so far stay counted.
    pub(crate) fn end_stream(&mut self) {
        self.lost_before += self.stream.take().map_or(0, |stream| i64::from(stream.lost()));
    }

    /// Numbers for a report block, and the beginning of the next interval.
    pub(crate) fn report(&mut self) -> Option<Loss> {
        let stream = self.stream.as_mut()?;
        let expected = stream.expected();
        let expected_interval = expected.wrapping_sub(stream.expected_prior);
        let received_interval = stream.received.wrapping_sub(stream.received_prior);
        stream.expected_prior = expected;
        stream.received_prior = stream.received;
        let lost_interval = expected_interval.saturating_sub(received_interval);
        let fraction =
            (u64::from(lost_interval) * 256).checked_div(u64::from(expected_interval)).unwrap_or(0);
        Some(Loss {
            ssrc: stream.ssrc,
            fraction: u8::try_from(fraction).unwrap_or(u8::MAX),
            cumulative: stream.lost().clamp(-0x80_0000, 0x7f_ffff),
            extended_seq: stream.extended(),
            jitter: stream.jitter >> 4,
        })
    }

    /// Packets lost in all streams so far; copies can hide losses, so it is never below zero.
    pub(crate) fn lost(&self) -> u32 {
        let now = self.stream.as_ref().map_or(0, |stream| i64::from(stream.lost()));
        u32::try_from((self.lost_before + now).max(0)).unwrap_or(u32::MAX)
    }

    /// Packets that came after a newer one.
    pub(crate) const fn late(&self) -> u32 {
        self.late
    }

    /// Jitter of the current stream in samples.
    pub(crate) fn jitter(&self) -> u32 {
        self.stream.as_ref().map_or(0, |stream| stream.jitter >> 4)
    }

    #[cold]
    fn restart(&mut self, header: &Header) {
        self.end_stream();
        self.stream = Some(Stream {
            ssrc: header.ssrc,
            base_seq: header.seq,
            newest: header.seq,
            cycles: 0,
            received: 1,
            restart: None,
            transit: None,
            last_timestamp: header.timestamp,
            jitter: 0,
            expected_prior: 0,
            received_prior: 0,
        });
    }
}

/// Four seconds in samples.
const JITTER_STEP_MAX: u32 = 32_000;

impl Stream {
    #[inline]
    fn note(&mut self, seq: u16) -> Order {
        let ahead = seq_distance(seq, self.newest);
        if ahead > 0 && ahead < DROPOUT_MAX {
            self.cycles = self.cycles.wrapping_add(u32::from(seq < self.newest) << 16);
            self.newest = seq;
            self.received = self.received.wrapping_add(1);
            self.restart = None;
            return Order::Next;
        }
        if ahead <= 0 && ahead > -MISORDER_MAX {
            self.received = self.received.wrapping_add(1);
            return Order::Late;
        }
        if self.restart == Some(seq) {
            return Order::New;
        }
        self.restart = Some(seq.wrapping_add(1));
        Order::Wild
    }

    const fn extended(&self) -> u32 {
        self.cycles.wrapping_add(self.newest as u32)
    }

    const fn expected(&self) -> u32 {
        self.extended().wrapping_sub(self.base_seq as u32).wrapping_add(1)
    }

    const fn lost(&self) -> i32 {
        self.expected().wrapping_sub(self.received).cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(seq: u16, timestamp: u32, ssrc: u32) -> Header {
        Header { marker: false, payload_type: 8, seq, timestamp, ssrc }
    }

    fn hear(reception: &mut Reception, seqs: impl IntoIterator<Item = u16>) -> Vec<Order> {
        seqs.into_iter().map(|seq| reception.note(&header(seq, 0, 1))).collect()
    }

    #[test]
    fn a_wrap_is_no_loss() {
        let mut reception = Reception::default();
        hear(&mut reception, (65_530..=65_535).chain(0..10));
        assert_eq!(reception.lost(), 0);
        assert_eq!(reception.report().map(|loss| loss.extended_seq), Some(65_536 + 9));
    }

    #[test]
    fn loss_is_what_was_expected_and_did_not_come() {
        let mut reception = Reception::default();
        // 100 to 199 without every fourth one: 25 of 100.
        hear(&mut reception, (100..200).filter(|seq| seq % 4 != 1));
        let first = reception.report().unwrap();
        assert_eq!((first.fraction, first.cumulative, first.extended_seq), (64, 25, 199));
        hear(&mut reception, 200..300);
        let second = reception.report().unwrap();
        assert_eq!((second.fraction, second.cumulative), (0, 25));
    }

    #[test]
    fn late_packets_and_copies_are_seen() {
        let mut reception = Reception::default();
        use Order::{Late, New, Next};
        assert_eq!(hear(&mut reception, [5, 7, 6, 7, 8]), [New, Next, Late, Late, Next]);
        assert_eq!((reception.lost(), reception.late()), (0, 2));
        assert_eq!(reception.report().unwrap().cumulative, -1);
    }

    #[test]
    fn a_sender_that_restarts_is_believed_at_the_second_packet() {
        let mut reception = Reception::default();
        use Order::{New, Next, Wild};
        let heard = hear(&mut reception, [1, 2, 40_000, 3, 20_000, 20_001, 20_002]);
        assert_eq!(heard, [New, Next, Wild, Next, Wild, New, Next]);
        assert_eq!(reception.lost(), 0);
    }

    #[test]
    fn losses_of_an_old_stream_stay_counted() {
        let mut reception = Reception::default();
        hear(&mut reception, [1, 4]);
        assert_eq!(reception.note(&header(900, 0, 2)), Order::New);
        assert_eq!((reception.ssrc(), reception.lost()), (Some(2), 2));
    }

    #[test]
    fn jitter_follows_appendix_a_8() {
        let mut reception = Reception::default();
        // Packets of 20 ms arrive every 20 ms, but every second one 5 ms (40 samples) late: |D| is always 40.
        let (mut want, mut seq) = (0u32, 0);
        for n in 0..200u64 {
            let timestamp = n as u32 * 160;
            reception.note(&header(seq, timestamp, 1));
            reception.time(timestamp, Instant::from_millis(1_000 + n * 20 + (n % 2) * 5));
            if n > 0 {
                want = want + 40 - ((want + 8) >> 4);
            }
            seq += 1;
        }
        assert_eq!(reception.jitter(), want >> 4);
        assert!((39..=40).contains(&reception.jitter()), "{}", reception.jitter());
    }
}
