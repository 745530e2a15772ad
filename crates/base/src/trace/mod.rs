//! What went over the wire for a call: its trace, which is a pcap file.
//!
//! ```text
//! Packet ─▶ write ─▶ file of a call ─▶ Trace::read ─▶ packets in the order of time, and how many were left out
//! ```
//!
//! Frames are made up around what was really said: a link whose far end tells whether it is SIP or RTP and of which
//! leg, then IP and UDP with the real addresses, whatever the transport was. Of RTP only the fixed header is kept.
//! Nothing here hides anything: what is private is hidden before it comes here.

mod frame;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::id::{CallId, Leg};
use crate::time::Timestamp;

/// One packet of a call. The payload may be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// When it was sent or came.
    pub at: Timestamp,
    /// The leg that it belongs to.
    pub leg: Leg,
    /// Whether we sent it.
    pub way: Way,
    /// What it is.
    pub kind: Kind,
    /// Our address. Of another family than the far one, it is kept as the unspecified address.
    pub ours: SocketAddr,
    /// The address of the far end.
    pub far: SocketAddr,
    /// Bytes of the payload before it was cut, at most 65,000.
    pub length: u16,
    /// What is kept of it.
    pub payload: &'a [u8],
}

/// Which way a packet went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// From us to the far end.
    Sent,
    /// From the far end to us.
    Received,
}

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A SIP message.
    Sip,
    /// The fixed header of an RTP packet (RFC 3550 section 5.1).
    Rtp,
}

/// A call's trace, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace<'a> {
    /// In the order of time.
    pub packets: Vec<Packet<'a>>,
    /// How many more there were.
    pub left_out: u32,
}

impl<'a> Trace<'a> {
    /// Reads a file, to where it ends or makes no sense any more: a process may die while it writes. Takes no more room
    /// than a few times the file's.
    #[must_use]
    pub fn read(file: &'a [u8]) -> Self {
        let mut trace = Self::default();
        let mut rest = file.strip_prefix(&FILE_HEADER).unwrap_or_default();
        while let Some((record, behind)) = frame::read(rest) {
            rest = behind;
            match record {
                Some(frame::Record::Packet(packet)) => trace.packets.push(packet),
                Some(frame::Record::LeftOut(count)) => trace.left_out = trace.left_out.saturating_add(count),
                None => {}
            }
        }
        trace.packets.sort_by_key(|packet| packet.at);
        trace
    }

    /// The packets as a pcap file of their own, in the order of time.
    #[must_use]
    pub fn to_pcap(&self) -> Vec<u8> {
        let mut file = FILE_HEADER.to_vec();
        for packet in &self.packets {
            write(packet, &mut file);
        }
        file
    }
}

/// Writes a packet behind others; at most [`FRAME_BYTES`] more than its payload. Allocates nothing where there is room
/// for so much.
pub fn write(packet: &Packet<'_>, file: &mut Vec<u8>) {
    frame::write(packet, file);
}

/// Writes that so many more packets were not kept.
pub fn write_left_out(count: u32, at: Timestamp, file: &mut Vec<u8>) {
    frame::write_left_out(count, at, file);
}

/// The file of a call's trace, below the folder of all traces: `2026-01-02/03/019b7f0c4a2e7f3d….pcap`, by the day and the
/// hour (UTC) in which the call was accepted, so that what is old lies together.
#[must_use]
pub fn path(traces: &Path, call: CallId) -> PathBuf {
    traces.join(call.at().print("%Y-%m-%d/%H")).join(format!("{call}.pcap"))
}

/// What every trace begins with: pcap, little-endian, microseconds, whole packets, Ethernet.
pub const FILE_HEADER: [u8; 24] =
    [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0];

/// The most that stands around a payload: pcap 16, Ethernet 14, IPv6 40, UDP 8.
pub const FRAME_BYTES: usize = 16 + 14 + 40 + 8;

/// Bytes of a packet that are kept at most, so that it fits IP with its headers.
pub const PAYLOAD_MAX: usize = 65_000;

#[cfg(test)]
mod tests;
