//! The headers of one leg's RTP packets.

use std::mem;
use std::net::SocketAddr;
use std::sync::mpsc::SyncSender;

use base::id::{CallId, Leg};
use base::time::{Instant, Timestamp};
use base::trace::{self, FRAME_BYTES, Kind, Packet, Way};

use super::writer::Work;
use super::{Beginning, date};

/// Gathers headers into a chunk and hands it to the writer when it is full. A packet allocates nothing, a full chunk
/// allocates the next one. What is gathered last is handed over by drop.
#[derive(Debug)]
pub(crate) struct Headers {
    call: CallId,
    leg: Leg,
    ours: SocketAddr,
    began: Beginning,
    works: SyncSender<Work>,
    chunk: Vec<u8>,
    /// Packets in the chunk.
    packets: u32,
    /// Bytes that were handed over.
    written: usize,
    left_out: u32,
}

impl Headers {
    pub(super) fn new(
        (call, leg): (CallId, Leg),
        ours: SocketAddr,
        began: Beginning,
        works: SyncSender<Work>,
    ) -> Self {
        let chunk = Vec::with_capacity(CHUNK_BYTES);
        Self { call, leg, ours, began, works, chunk, packets: 0, written: 0, left_out: 0 }
    }

    /// Takes the fixed header of a packet; what is shorter is none.
    pub(crate) fn note(&mut self, way: Way, far: SocketAddr, packet: &[u8], now: Instant) {
        let Some(header) = packet.get(..HEADER_BYTES) else { return };
        if self.written >= LEG_BYTES {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let packet = Packet {
            at: date(self.began, now),
            leg: self.leg,
            way,
            kind: Kind::Rtp,
            ours: self.ours,
            far,
            length: u16::try_from(packet.len()).unwrap_or(u16::MAX),
            payload: header,
        };
        trace::write(&packet, &mut self.chunk);
        self.packets += 1;
        if self.chunk.len() + FRAME_BYTES + HEADER_BYTES > CHUNK_BYTES {
            self.hand_over(Vec::with_capacity(CHUNK_BYTES));
        }
    }

    /// Gives the chunk away and goes on with the next one.
    fn hand_over(&mut self, next: Vec<u8>) {
        let (chunk, packets) = (mem::replace(&mut self.chunk, next), mem::take(&mut self.packets));
        self.written += chunk.len();
        if self.works.try_send(Work::Append(self.call, chunk)).is_err() {
            self.left_out = self.left_out.saturating_add(packets);
        }
    }
}

impl Drop for Headers {
    fn drop(&mut self) {
        if self.left_out > 0 {
            trace::write_left_out(self.left_out, Timestamp::default(), &mut self.chunk);
        }
        if !self.chunk.is_empty() {
            self.hand_over(Vec::new());
        }
    }
}

/// The fixed header (RFC 3550 section 5.1).
const HEADER_BYTES: usize = 12;

/// Some 230 packets over IPv4: what both directions of a leg bring in two seconds.
const CHUNK_BYTES: usize = 16 << 10;

/// What is kept of a leg: 16 minutes over IPv4.
const LEG_BYTES: usize = 8 << 20;
