//! RTCP (RFC 3550 section 6): what we tell the far end every five seconds, and what it tells us.
//!
//! ```text
//! SR or RR (with a block about the stream that we receive)  ·  SDES with CNAME  ·  BYE when the leg ends
//! ```
//!
//! Reading is `rtcp-types`. Writing is the three fixed forms above, laid out here, because that crate's builders
//! allocate and this runs beside the packets; the tests read them back with the crate and compare with its builders.

use std::time::Duration;

use base::time::{Instant, Timestamp};
use rand::rngs::SmallRng;
use rand::{Rng, RngCore, SeedableRng};
use rtcp_types::{ReceiverReport, ReportBlock, RtcpPacket, RtcpPacketParser, SenderReport};

use crate::quality::RoundTrip;
use crate::reception::Loss;

/// The mean time between two reports (RFC 3550 section 6.2); each is randomised by 0.5 to 1.5.
pub const RTCP_INTERVAL: Duration = Duration::from_secs(5);

/// Packets looked at in one compound. Ordinary ones have two or three.
const COMPOUND_PACKETS_MAX: usize = 8;

/// The longest compound that we write: SR with one block, SDES, BYE.
pub(crate) const COMPOUND_BYTES_MAX: usize = 28 + BLOCK_BYTES + SDES_BYTES + BYE_BYTES;

const BLOCK_BYTES: usize = 24;
const SDES_BYTES: usize = 28;
const BYE_BYTES: usize = 8;
const CNAME_BYTES: usize = 16;
const SDES: u8 = 202;
const BYE: u8 = 203;
const CNAME: u8 = 1;

/// Seconds from 1900 to 1970.
const NTP_EPOCH: u64 = 2_208_988_800;

/// What the far end says about the stream that we send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FarEnd {
    /// Packets it missed in all; copies can make it negative.
    pub lost: i32,
    /// Lost since its last report, in 1/256.
    pub fraction_lost: u8,
    /// Jitter it measured, in samples.
    pub jitter: u32,
    /// Time for a packet to go there and back, when it could be computed.
    pub round_trip: Option<Duration>,
}

/// The RTCP side of one leg.
#[derive(Debug)]
pub(crate) struct Rtcp {
    rng: SmallRng,
    cname: [u8; CNAME_BYTES],
    created: Instant,
    created_ntp: u64,
    due: Instant,
    reported_packets: u32,
    last_sender_report: Option<(u32, Instant)>,
    far_end: Option<FarEnd>,
    trips: Trips,
}

/// Every time there and back that could be measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trips {
    sum_micros: u64,
    count: u32,
    max_micros: u32,
}

/// What goes into a report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    pub(crate) ssrc: u32,
    pub(crate) timestamp: u32,
    pub(crate) packets: u32,
    pub(crate) bytes: u32,
    pub(crate) loss: Option<Loss>,
}

impl Rtcp {
    pub(crate) fn new(seed: u64, wall: Timestamp, now: Instant) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let cname = hexadecimal(rng.next_u64());
        let mut rtcp = Self {
            rng,
            cname,
            created: now,
            created_ntp: ntp_of(wall),
            due: now,
            reported_packets: 0,
            last_sender_report: None,
            far_end: None,
            trips: Trips::default(),
        };
        rtcp.schedule(now);
        rtcp
    }

    pub(crate) const fn due(&self) -> Instant {
        self.due
    }

    pub(crate) const fn far_end(&self) -> Option<FarEnd> {
        self.far_end
    }

    /// The times there and back so far.
    pub(crate) fn round_trip(&self) -> Option<RoundTrip> {
        let Trips { sum_micros, count, max_micros } = self.trips;
        let mean = Duration::from_micros(sum_micros.checked_div(count.into())?);
        let last = self.far_end.and_then(|far| far.round_trip)?;
        Some(RoundTrip { last, mean, max: Duration::from_micros(max_micros.into()) })
    }

    /// Another stream is received: the last sender report was not about it.
    pub(crate) fn end_stream(&mut self) {
        self.last_sender_report = None;
    }

    /// Writes the regular compound and sets the time of the next one. Gives its length.
    pub(crate) fn report(
        &mut self,
        account: &Account,
        now: Instant,
        out: &mut [u8; COMPOUND_BYTES_MAX],
    ) -> usize {
        self.schedule(now);
        self.write(account, now, out)
    }

    /// Writes the last compound of the leg, with BYE. Gives its length.
    pub(crate) fn bye(
        &mut self,
        account: &Account,
        now: Instant,
        out: &mut [u8; COMPOUND_BYTES_MAX],
    ) -> usize {
        let at = self.write(account, now, out);
        let mut form = Form { out, at };
        form.head(1, BYE, BYE_BYTES);
        form.word(account.ssrc);
        form.at
    }

    /// Reads what the far end sends to its peer `ours` about `theirs`. Everything but reports is skipped, BYE too: it
    /// is SIP that ends a leg. Gives whether it was a valid compound of theirs.
    pub(crate) fn read(&mut self, bytes: &[u8], ours: u32, theirs: Option<u32>, now: Instant) -> bool {
        let mut rest = bytes;
        for number in 0..COMPOUND_PACKETS_MAX {
            let Some(head) = rest.first_chunk::<4>() else { return number > 0 };
            let length = 4 * (1 + usize::from(u16::from_be_bytes([head[2], head[3]])));
            let Some((packet, others)) = rest.split_at_checked(length) else { return false };
            rest = others;
            match head[1] {
                SenderReport::PACKET_TYPE => {
                    let Ok(report) = SenderReport::parse(packet) else { return false };
                    if number == 0 && Some(report.ssrc()) != theirs {
                        return false;
                    }
                    self.last_sender_report = Some((middle(report.ntp_timestamp()), now));
                    report.report_blocks().for_each(|block| self.hear(&block, ours, now));
                }
                ReceiverReport::PACKET_TYPE => {
                    let Ok(report) = ReceiverReport::parse(packet) else { return false };
                    report.report_blocks().for_each(|block| self.hear(&block, ours, now));
                }
                // A compound begins with a report (RFC 3550 appendix A.2).
                _ if number == 0 => return false,
                _ => {}
            }
        }
        true
    }

    fn hear(&mut self, block: &ReportBlock<'_>, ours: u32, now: Instant) {
        if block.ssrc() != ours {
            return;
        }
        // 24 bits with a sign.
        let lost = (block.cumulative_lost() << 8).cast_signed() >> 8;
        let measured = self.trip(block, now);
        if let Some(trip) = measured {
            // It is at most ten seconds.
            let micros = trip.as_micros() as u32;
            self.trips.sum_micros += u64::from(micros);
            self.trips.count = self.trips.count.saturating_add(1);
            self.trips.max_micros = self.trips.max_micros.max(micros);
        }
        let round_trip = measured.or_else(|| self.far_end.and_then(|last| last.round_trip));
        self.far_end = Some(FarEnd {
            lost,
            fraction_lost: block.fraction_lost(),
            jitter: block.interarrival_jitter(),
            round_trip,
        });
    }

    /// RFC 3550 section 6.4.1: now, less when our report left, less how long they kept it.
    fn trip(&self, block: &ReportBlock<'_>, now: Instant) -> Option<Duration> {
        let left = block.last_sender_report_timestamp();
        let kept = block.delay_since_last_sender_report_timestamp();
        let units = middle(self.ntp(now)).wrapping_sub(left).wrapping_sub(kept);
        // Out of bounds means a clock that lies.
        (left != 0 && units < ROUND_TRIP_UNITS_MAX).then(|| from_units(units))
    }

    fn write(&mut self, account: &Account, now: Instant, out: &mut [u8; COMPOUND_BYTES_MAX]) -> usize {
        let sending = account.packets != self.reported_packets;
        self.reported_packets = account.packets;
        let blocks = u8::from(account.loss.is_some());
        let block_bytes = BLOCK_BYTES * usize::from(blocks);
        let mut form = Form { out, at: 0 };
        if sending {
            form.head(blocks, SenderReport::PACKET_TYPE, 28 + block_bytes);
            form.word(account.ssrc);
            let ntp = self.ntp(now);
            form.word((ntp >> 32) as u32);
            form.word(ntp as u32);
            form.word(account.timestamp);
            form.word(account.packets);
            form.word(account.bytes);
        } else {
            form.head(blocks, ReceiverReport::PACKET_TYPE, 8 + block_bytes);
            form.word(account.ssrc);
        }
        if let Some(loss) = account.loss {
            let (left, kept) =
                self.last_sender_report.map_or((0, 0), |(left, at)| (left, to_units(now.since(at))));
            form.word(loss.ssrc);
            form.word((u32::from(loss.fraction) << 24) | (loss.cumulative.cast_unsigned() & 0x00ff_ffff));
            form.word(loss.extended_seq);
            form.word(loss.jitter);
            form.word(left);
            form.word(kept);
        }
        form.head(1, SDES, SDES_BYTES);
        form.word(account.ssrc);
        form.bytes(&[CNAME, CNAME_BYTES as u8]);
        form.bytes(&self.cname);
        form.bytes(&[0, 0]);
        form.at
    }

    /// Sets the time of the next report.
    pub(crate) fn schedule(&mut self, now: Instant) {
        let micros = RTCP_INTERVAL.as_micros() as u64;
        self.due = now + Duration::from_micros(self.rng.random_range(micros / 2..=micros + micros / 2));
    }

    fn ntp(&self, now: Instant) -> u64 {
        let since = now.since(self.created);
        let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
        self.created_ntp.wrapping_add(since.as_secs() << 32).wrapping_add(fraction)
    }
}

/// Ten seconds in 1/65,536 s.
const ROUND_TRIP_UNITS_MAX: u32 = 10 << 16;

struct Form<'a> {
    out: &'a mut [u8; COMPOUND_BYTES_MAX],
    at: usize,
}

impl Form<'_> {
    fn head(&mut self, count: u8, packet_type: u8, bytes: usize) {
        let words = (bytes / 4 - 1) as u16;
        let [high, low] = words.to_be_bytes();
        self.bytes(&[0x80 | count, packet_type, high, low]);
    }

    fn word(&mut self, word: u32) {
        self.bytes(&word.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.out[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }
}

fn ntp_of(wall: Timestamp) -> u64 {
    let micros = u64::try_from(wall.micros()).unwrap_or(0);
    let (secs, micros) = (micros / 1_000_000, micros % 1_000_000);
    (secs.wrapping_add(NTP_EPOCH) << 32) | ((micros << 32) / 1_000_000)
}

/// The middle 32 bits of an NTP timestamp: 1/65,536 s, wrapping after 18 hours.
const fn middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

fn to_units(span: Duration) -> u32 {
    u32::try_from((span.as_micros() << 16) / 1_000_000).unwrap_or(u32::MAX)
}

fn from_units(units: u32) -> Duration {
    Duration::from_micros((u64::from(units) * 1_000_000) >> 16)
}

/// A random name that says nothing about us (RFC 7022).
fn hexadecimal(number: u64) -> [u8; CNAME_BYTES] {
    let mut name = [0; CNAME_BYTES];
    for (n, letter) in name.iter_mut().enumerate() {
        *letter = b"0123456789abcdef"[(number >> (4 * n)) as usize & 0xf];
    }
    name
}

#[cfg(test)]
mod tests {
    use rtcp_types::prelude::*;
    use rtcp_types::{Compound, Packet, Sdes};

    use super::*;

    const OURS: u32 = 0x1111_1111;
    const THEIRS: u32 = 0x2222_2222;

    fn rtcp() -> Rtcp {
        let wall = Timestamp::parse("2026-03-04T05:06:07Z", "%Y-%m-%dT%H:%M:%SZ").unwrap();
        Rtcp::new(7, wall, Instant::START)
    }

    fn account(packets: u32, loss: Option<Loss>) -> Account {
        Account { ssrc: OURS, timestamp: 4_000, packets, bytes: packets * 160, loss }
    }

    fn loss() -> Loss {
        Loss { ssrc: THEIRS, fraction: 64, cumulative: -2, extended_seq: 65_600, jitter: 12 }
    }

    #[test]
    fn our_compounds_are_those_of_the_crate() {
        let mut ours = rtcp();
        // Their report left at middle 0x5678_9abc and came 1.5 s ago.
        let mut theirs = [0; 200];
        let sender = SenderReport::builder(THEIRS).ntp_timestamp(0x1234_5678_9abc_def0);
        let length = sender.write_into(&mut theirs).unwrap();
        assert!(ours.read(&theirs[..length], OURS, Some(THEIRS), Instant::from_millis(500)));

        let mut out = [0; COMPOUND_BYTES_MAX];
        let now = Instant::from_millis(2_000);
        let length = ours.bye(&account(100, Some(loss())), now, &mut out);

        let block = ReportBlock::builder(THEIRS)
            .fraction_lost(64)
            .cumulative_lost(0xff_fffe)
            .extended_sequence_number(65_600)
            .interarrival_jitter(12)
            .last_sender_report_timestamp(0x5678_9abc)
            .delay_since_last_sender_report_timestamp(0x1_8000);
        let name = String::from_utf8(ours.cname.to_vec()).unwrap();
        let chunk =
            rtcp_types::SdesChunk::builder(OURS).add_item(rtcp_types::SdesItem::builder(CNAME, &name));
        let by_crate = Compound::builder()
            .add_packet(
                SenderReport::builder(OURS)
                    .ntp_timestamp(ours.ntp(now))
                    .rtp_timestamp(4_000)
                    .packet_count(100)
                    .octet_count(16_000)
                    .add_report_block(block),
            )
            .add_packet(Sdes::builder().add_chunk(chunk))
            .add_packet(rtcp_types::Bye::builder().add_source(OURS));
        let mut want = [0; 200];
        let want_length = by_crate.write_into(&mut want).unwrap();
        assert_eq!(out[..length], want[..want_length]);
    }

    #[test]
    fn who_sends_nothing_gives_a_receiver_report() {
        let mut ours = rtcp();
        let mut out = [0; COMPOUND_BYTES_MAX];
        let first = |length: usize, out: &[u8]| matches!(Packet::parse(&out[..length]), Ok(Packet::Sr(_)));
        for (packets, sender) in [(0, false), (50, true), (50, false), (51, true)] {
            ours.report(&account(packets, None), Instant::START, &mut out);
            let length = if sender { 28 } else { 8 };
            assert_eq!(first(length, &out), sender, "{packets} packets");
        }
    }

    #[test]
    fn ntp_time_is_wall_time() {
        let ours = rtcp();
        let half = ours.ntp(Instant::from_millis(1_500));
        let secs = 1_772_600_767 + NTP_EPOCH + 1;
        assert_eq!((half >> 32, half as u32), (secs, 0x8000_0000));
    }

    #[test]
    fn the_round_trip_is_what_they_did_not_keep() {
        let mut ours = rtcp();
        let left = middle(ours.ntp(Instant::from_millis(10_000)));
        let mut bytes = [0; 200];
        let block = |kept: Duration| {
            ReportBlock::builder(OURS)
                .cumulative_lost(3)
                .interarrival_jitter(40)
                .last_sender_report_timestamp(left)
                .delay_since_last_sender_report_timestamp(to_units(kept))
        };
        let report = ReceiverReport::builder(THEIRS).add_report_block(block(Duration::from_millis(250)));
        let length = report.write_into(&mut bytes).unwrap();
        assert!(ours.read(&bytes[..length], OURS, Some(THEIRS), Instant::from_millis(10_330)));
        let far = ours.far_end().unwrap();
        assert_eq!((far.lost, far.jitter), (3, 40));
        let trip = far.round_trip;
        assert!(trip.is_some_and(|trip| (79..=80).contains(&trip.as_millis())), "{trip:?}");
        // They claim to have kept it longer than it was away: the old value stays.
        let report = ReceiverReport::builder(THEIRS).add_report_block(block(Duration::from_secs(9)));
        let length = report.write_into(&mut bytes).unwrap();
        assert!(ours.read(&bytes[..length], OURS, Some(THEIRS), Instant::from_millis(10_400)));
        assert_eq!(ours.far_end().unwrap().round_trip, trip);
    }

    #[test]
    fn reports_come_every_two_and_a_half_to_seven_and_a_half_seconds() {
        let mut ours = rtcp();
        let mut now = Instant::START;
        let mut spans = Vec::new();
        for _ in 0..500 {
            let due = ours.due();
            spans.push(due.since(now).as_millis());
            now = due;
            ours.report(&account(0, None), now, &mut [0; COMPOUND_BYTES_MAX]);
        }
        assert!(spans.iter().all(|span| (2_500..=7_500).contains(span)));
        let mean = spans.iter().sum::<u128>() / 500;
        assert!((4_800..5_200).contains(&mean), "{mean}");
    }

    #[test]
    fn a_stranger_or_a_bye_alone_changes_nothing() {
        let mut ours = rtcp();
        let mut bytes = [0; 200];
        let length = SenderReport::builder(99).write_into(&mut bytes).unwrap();
        assert!(!ours.read(&bytes[..length], OURS, Some(THEIRS), Instant::START));
        let length = rtcp_types::Bye::builder().add_source(THEIRS).write_into(&mut bytes).unwrap();
        assert!(!ours.read(&bytes[..length], OURS, Some(THEIRS), Instant::START));
        assert_eq!((ours.last_sender_report, ours.far_end()), (None, None));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..120)) {
            for (at, kind) in [(0, 0x81), (1, 200)] {
                if let Some(byte) = bytes.get_mut(at) { *byte = kind; }
            }
            if bytes.len() >= 4 {
                let words = (bytes.len() / 4 - 1) as u16;
                bytes[2..4].copy_from_slice(&words.to_be_bytes());
            }
            rtcp().read(&bytes, OURS, Some(THEIRS), Instant::START);
            rtcp().read(bytes.get(1..).unwrap_or_default(), OURS, None, Instant::START);
        }
    }
}
