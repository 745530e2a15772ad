//! RTP packets (RFC 3550 section 5.1): a bounds-checked look at received bytes, headers written in place, and the
//! arithmetic of numbers that wrap.
//!
//! ```text
//! 0                   1                   2                   3
//! |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//! |                           timestamp                           |
//! |                             SSRC                              |  CSRC × CC, extension, payload, padding
//! ```

use std::ops::Range;

/// Bytes of a header without contributing sources and without extension: the only form we send.
pub const HEADER_BYTES: usize = 12;

/// The longest packet that we look at, in bytes: an Ethernet frame's worth. Longer ones are dropped.
pub const PACKET_BYTES_MAX: usize = 1_500;

const VERSION_2: u8 = 0b1000_0000;

/// The fixed part of an RTP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// First packet after silence, or first packet of an event (RFC 3551 section 4.1, RFC 4733 section 2.2).
    pub marker: bool,
    /// Payload type, 0 to 127.
    pub payload_type: u8,
    /// Sequence number; wraps at 2^16.
    pub seq: u16,
    /// Timestamp in samples; wraps at 2^32.
    pub timestamp: u32,
    /// The stream that the packet belongs to.
    pub ssrc: u32,
}

/// Where the parts of a received packet lie. It holds no bytes, so that the buffer stays free to be rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The fixed header.
    pub header: Header,
    /// First byte of the payload; at least [`HEADER_BYTES`].
    start: u16,
    /// One past the last byte of the payload; padding is already taken off.
    end: u16,
}

impl Packet {
    /// Reads a packet; `None` when the bytes are no whole RTP packet of version 2.
    ///
    /// Contributing sources and a header extension are skipped, padding is taken off.
    #[must_use]
    #[inline]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (fixed, _) = bytes.split_first_chunk::<HEADER_BYTES>()?;
        if fixed[0] & 0b1100_0000 != VERSION_2 || bytes.len() > PACKET_BYTES_MAX {
            return None;
        }
        let header = Header {
            marker: fixed[1] & 0x80 != 0,
            payload_type: fixed[1] & 0x7f,
            seq: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
        };
        let (start, end) = if fixed[0] & 0b0011_1111 == 0 {
            (HEADER_BYTES, bytes.len())
        } else {
            odd_bounds(fixed[0], bytes)?
        };
        Some(Self { header, start: u16::try_from(start).ok()?, end: u16::try_from(end).ok()? })
    }

    /// Where the payload lies in the packet's bytes.
    #[must_use]
    #[inline]
    pub fn payload(&self) -> Range<usize> {
        usize::from(self.start)..usize::from(self.end)
    }

    /// Where a packet with the same payload and a header of [`HEADER_BYTES`] lies: the place to rewrite it.
    #[must_use]
    #[inline]
    pub fn rewritten(&self) -> Range<usize> {
        usize::from(self.start) - HEADER_BYTES..usize::from(self.end)
    }
}

/// Where the payload begins, padding or not: behind contributing sources and an extension. It may lie behind the packet.
pub(crate) fn payload_start(first: u8, bytes: &[u8]) -> Option<usize> {
    let start = HEADER_BYTES + 4 * usize::from(first & 0x0f);
    if first & 0b0001_0000 == 0 {
        return Some(start);
    }
    let extension = bytes.get(start..start + 4)?;
    Some(start + 4 + 4 * usize::from(u16::from_be_bytes([extension[2], extension[3]])))
}

/// The payload's bounds when there are contributing sources, an extension or padding.
#[cold]
fn odd_bounds(first: u8, bytes: &[u8]) -> Option<(usize, usize)> {
    let start = payload_start(first, bytes)?;
    // The last byte of the padding counts itself.
    let padding = if first & 0b0010_0000 == 0 { 0 } else { usize::from(*bytes.last()?) };
    let end = bytes.len().checked_sub(padding)?;
    (start <= end).then_some((start, end))
}

impl Header {
    /// Writes the header over the first [`HEADER_BYTES`] of `packet`; without padding, extension or sources.
    #[inline]
    pub fn write(&self, packet: &mut [u8; HEADER_BYTES]) {
        packet[0] = VERSION_2;
        packet[1] = (u8::from(self.marker) << 7) | (self.payload_type & 0x7f);
        packet[2..4].copy_from_slice(&self.seq.to_be_bytes());
        packet[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        packet[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
    }
}

/// How far sequence number `later` is ahead of `earlier`; negative when it is behind. Wraps.
#[must_use]
#[inline]
pub const fn seq_distance(later: u16, earlier: u16) -> i16 {
    later.wrapping_sub(earlier).cast_signed()
}

/// How far timestamp `later` is ahead of `earlier`, in samples; negative when it is behind. Wraps.
#[must_use]
#[inline]
pub const fn timestamp_distance(later: u32, earlier: u32) -> i32 {
    later.wrapping_sub(earlier).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLAIN: Header =
        Header { marker: true, payload_type: 8, seq: 65_530, timestamp: u32::MAX - 799, ssrc: 0xfeed_beef };

    fn packet(first: u8, tail: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_BYTES];
        PLAIN.write(bytes.first_chunk_mut().unwrap());
        bytes[0] |= first;
        bytes.extend_from_slice(tail);
        bytes
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = packet(0, &[1, 2, 3]);
        let read = Packet::parse(&bytes).unwrap();
        assert_eq!(read.header, PLAIN);
        assert_eq!(bytes[read.payload()], [1, 2, 3]);
        assert_eq!(read.rewritten(), 0..15);
    }

    #[test]
    fn sources_extension_and_padding_are_not_payload() {
        // Two contributing sources, an extension of one word, a payload of three bytes, two bytes of padding.
        let tail = [9, 9, 9, 9, 8, 8, 8, 8, 0xbe, 0xde, 0, 1, 7, 7, 7, 7, 1, 2, 3, 0, 2];
        let bytes = packet(0b0011_0010, &tail);
        let read = Packet::parse(&bytes).unwrap();
        assert_eq!(bytes[read.payload()], [1, 2, 3]);
        assert_eq!(read.rewritten().len(), HEADER_BYTES + 3);
    }

    #[test]
    fn what_does_not_fit_is_no_packet() {
        let cases: [(&str, Vec<u8>); 6] = [
            ("too short", vec![0x80; 11]),
            ("version 1", vec![0x40; 12]),
            ("sources cut off", packet(0b0000_1111, &[0; 59])),
            ("extension longer than the packet", packet(0b0001_0000, &[0, 0, 0xff, 0xff])),
            ("padding longer than the payload", packet(0b0010_0000, &[1, 3])),
            ("longer than a frame", packet(0, &[0; PACKET_BYTES_MAX])),
        ];
        for (why, bytes) in cases {
            assert_eq!(Packet::parse(&bytes), None, "{why}");
        }
    }

    #[test]
    fn numbers_wrap() {
        assert_eq!(seq_distance(2, 65_534), 4);
        assert_eq!(seq_distance(65_534, 2), -4);
        assert_eq!(timestamp_distance(100, u32::MAX - 59), 160);
        assert_eq!(timestamp_distance(u32::MAX - 59, 100), -160);
    }

    proptest! {
        #[test]
        fn any_bytes_have_bounds_inside_themselves(mut bytes in prop::collection::vec(any::<u8>(), 0..128)) {
            if let Some(first) = bytes.first_mut() {
                *first = (*first & 0x3f) | VERSION_2;
            }
            if let Some(read) = Packet::parse(&bytes) {
                prop_assert!(bytes.get(read.payload()).is_some());
                prop_assert!(read.rewritten().len() >= HEADER_BYTES);
            }
        }
    }
}
