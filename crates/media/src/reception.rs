//! How well a leg's packets arrive: RFC 3550 appendices A.1 (sequence), A.3 (loss) and A.8 (jitter).
//!
//! What RTCP tells the far end counts copies as packets (section 6.4.1), so that they hide losses. What we tell of a leg
//! does not: each number of the last [`WINDOW`] is remembered, and one that leaves this window without having come is
//! lost.

use base::time::Instant;

use crate::line::samples_at;
use crate::playout::Playout;
use crate::rtp::{Header, seq_distance};

/// Sequence numbers that are remembered: more than [`MISORDER_MAX`].
const WINDOW: u32 = u128::BITS;

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
    /// Of streams that are over.
    before: Tally,
    late: u32,
}

/// How packets came, over all streams of a leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// By sequence numbers.
    pub(crate) expected: u32,
    pub(crate) lost: u32,
    /// Runs of losses.
    pub(crate) bursts: u32,
    pub(crate) duplicates: u32,
    /// Came when their audio would have been due.
    pub(crate) missed: u32,
    /// Differences of transit in samples: their sum, number and greatest (appendix A.8, before it is smoothed).
    pub(crate) jitter_sum: u64,
    pub(crate) jitter_count: u32,
    pub(crate) jitter_max: u32,
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
    /// Which of the last numbers came; the newest is the lowest bit.
    came: u128,
    /// Of numbers that have left the window; also what is not counted by numbers.
    tally: Tally,
    /// Whether the last number that left the window was lost.
    in_burst: bool,
    /// Whether the newest arrival was a copy.
    is_copy: bool,
    playout: Playout,
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

    /// Measures an audio packet's arrival (appendix A.8), also that of a late one. Copies and
    /// packets of one timestamp are measured once.
    #[inline]
    pub(crate) fn time(&mut self, timestamp: u32, now: Instant) {
        let Some(stream) = &mut self.stream else { return };
        let transit = samples_at(now).wrapping_sub(timestamp);
        if let Some(last) = stream.transit {
            if stream.last_timestamp == timestamp || stream.is_copy {
                return;
            }
            let moved = transit.wrapping_sub(last).cast_signed().unsigned_abs();
            // A jump of the sender's clock is no jitter; without this bound it would show for minutes.
            if moved < JITTER_STEP_MAX {
                stream.jitter = stream.jitter + moved - ((stream.jitter + 8) >> 4);
                stream.tally.jitter_sum += u64::from(moved);
                stream.tally.jitter_count = stream.tally.jitter_count.saturating_add(1);
                stream.tally.jitter_max = stream.tally.jitter_max.max(moved);
            }
        }
        let missed = !stream.playout.note(transit);
        stream.tally.missed = stream.tally.missed.saturating_add(missed.into());
        stream.transit = Some(transit);
        stream.last_timestamp = timestamp;
    }

    /// The stream that is being received.
    pub(crate) fn ssrc(&self) -> Option<u32> {
        self.stream.as_ref().map(|stream| stream.ssrc)
    }

    /// Forgets the stream because the source has changed; losses so far stay counted.
    pub(crate) fn end_stream(&mut self) {
        self.before = self.tally();
        self.stream = None;
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

    /// How the packets of all streams came so far.
    pub(crate) fn tally(&self) -> Tally {
        self.stream.as_ref().map_or(self.before, |stream| self.before.and(&stream.tally()))
    }

    /// Packets lost in all streams so far.
    pub(crate) fn lost(&self) -> u32 {
        self.tally().lost
    }

    /// How long audio would wait to be played.
    pub(crate) fn playout(&self) -> Playout {
        self.stream.as_ref().map(|stream| stream.playout).unwrap_or_default()
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
            // Nothing before the first one was awaited.
            came: u128::MAX,
            tally: Tally::default(),
            in_burst: false,
            is_copy: false,
            playout: Playout::default(),
            expected_prior: 0,
            received_prior: 0,
        });
    }
}

impl Tally {
    fn and(&self, other: &Self) -> Self {
        Self {
            expected: self.expected.saturating_add(other.expected),
            lost: self.lost.saturating_add(other.lost),
            bursts: self.bursts.saturating_add(other.bursts),
            duplicates: self.duplicates.saturating_add(other.duplicates),
            missed: self.missed.saturating_add(other.missed),
            jitter_sum: self.jitter_sum + other.jitter_sum,
            jitter_count: self.jitter_count.saturating_add(other.jitter_count),
            jitter_max: self.jitter_max.max(other.jitter_max),
        }
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
            self.is_copy = false;
            self.pass(u32::from(ahead.unsigned_abs()));
            return Order::Next;
        }
        if ahead <= 0 && ahead > -MISORDER_MAX {
            self.received = self.received.wrapping_add(1);
            let bit = 1 << ahead.unsigned_abs();
            self.is_copy = self.came & bit != 0;
            self.tally.duplicates = self.tally.duplicates.saturating_add(self.is_copy.into());
            self.came |= bit;
            return Order::Late;
        }
        if self.restart == Some(seq) {
            return Order::New;
        }
        self.restart = Some(seq.wrapping_add(1));
        Order::Wild
    }

    /// Moves the window on to a newest packet that is so many numbers ahead.
    #[inline]
    fn pass(&mut self, ahead: u32) {
        if self.came.leading_ones() >= ahead {
            self.in_burst = false;
        } else {
            self.settle(ahead);
        }
        self.came = self.came.checked_shl(ahead).unwrap_or(0) | 1;
    }

    /// Counts the losses among the numbers that leave the window, oldest first.
    #[cold]
    fn settle(&mut self, ahead: u32) {
        for place in 0..ahead {
            let came = place < WINDOW && self.came & (1 << (WINDOW - 1 - place)) != 0;
            if !came {
                self.tally.lost = self.tally.lost.saturating_add(1);
                self.tally.bursts = self.tally.bursts.saturating_add((!self.in_burst).into());
            }
            self.in_burst = !came;
        }
    }

    /// What has been counted, and what the window says now.
    fn tally(&self) -> Tally {
        let lost = !self.came;
        let older_came = (self.came >> 1) | (u128::from(!self.in_burst) << (WINDOW - 1));
        Tally {
            expected: self.expected(),
            lost: self.tally.lost.saturating_add(lost.count_ones()),
            bursts: self.tally.bursts.saturating_add((lost & older_came).count_ones()),
            ..self.tally
        }
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
    fn copies_do_not_hide_losses_and_bursts_are_runs_of_losses() {
        let mut reception = Reception::default();
        // 3 and 4 never come, 6 comes late, 8 comes three times, 300 to 499 and 777 never come.
        let seqs = [0, 1, 2, 5, 7, 6, 8, 8, 8].into_iter().chain(9..300).chain(500..777).chain(778..1_000);
        hear(&mut reception, seqs);
        let tally = reception.tally();
        assert_eq!((tally.expected, tally.lost, tally.bursts, tally.duplicates), (1_000, 203, 3, 2));
        assert_eq!(reception.report().map(|loss| loss.cumulative), Some(201), "RTCP counts copies");
    }

    proptest::proptest! {
        #[test]
        fn what_is_counted_is_what_was_lost(came in proptest::collection::vec(proptest::bool::ANY, 1..1_000)) {
            let mut reception = Reception::default();
            let mut came = came;
            let last = came.len() - 1;
            (came[0], came[last]) = (true, true);
            for (n, _) in came.iter().enumerate().filter(|(_, came)| **came) {
                reception.note(&header(65_000_u16.wrapping_add(n as u16), 0, 1));
            }
            let tally = reception.tally();
            proptest::prop_assert_eq!(tally.expected, came.len() as u32);
            proptest::prop_assert_eq!(tally.lost, came.iter().filter(|came| !**came).count() as u32);
            let bursts = came.windows(2).filter(|pair| pair[0] && !pair[1]).count();
            proptest::prop_assert_eq!(tally.bursts, bursts as u32);
        }
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
