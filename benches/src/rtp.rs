//! Packets: how one is stamped and read, and the two calls into the kernel that take many at once.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrIn, recvmmsg, sendmmsg, setsockopt, sockopt,
};
use rustix::time::{ClockId, clock_gettime};
use socket2::{Domain, Socket, Type};

/// Bytes of a packet: the RTP header and 20 ms of A-law.
pub(crate) const PACKET_BYTES: usize = 172;

/// Bytes of the RTP header (RFC 3550 section 5.1).
const HEADER_BYTES: usize = 12;

/// Begins the payload of a packet that is ours.
const MARK: u32 = 0x4875_6948;

/// Packets handed to the kernel, or taken from it, in one call.
const BATCH: usize = 64;

/// Bytes taken of one datagram.
const DATAGRAM_BYTES: usize = 512;

/// Bytes the kernel may keep for a socket: more than 50 ms of packets at 120,000 a second.
const SOCKET_BYTES: usize = 8 << 20;

/// What a packet of ours carries in its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Which measurement it counts for; 0 for none.
    pub(crate) window: u32,
    pub(crate) leg: u32,
    pub(crate) sequence: u32,
    /// Nanoseconds of the real-time clock, the one that the kernel stamps arrivals with.
    pub(crate) sent_nanos: u64,
}

impl Stamp {
    /// Fills a packet: an RTP header of this leg's stream and the stamp.
    pub(crate) fn write(self, packet: &mut [u8; PACKET_BYTES]) {
        packet.fill(0xD5); // silence of A-law
        packet[0] = 0x80;
        packet[1] = 8;
        packet[2..4].copy_from_slice(&self.sequence.to_be_bytes()[2..]);
        packet[4..8].copy_from_slice(&self.sequence.wrapping_mul(160).to_be_bytes());
        packet[8..12].copy_from_slice(&(0x1000_0000 + self.leg).to_be_bytes());
        let words = [MARK, self.window, self.leg, self.sequence];
        for (place, word) in packet[HEADER_BYTES..].chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        packet[28..36].copy_from_slice(&self.sent_nanos.to_be_bytes());
    }

    /// The stamp of a packet; `None` if it is not ours.
    pub(crate) fn read(packet: &[u8]) -> Option<Self> {
        let words: &[u8; 24] = packet.get(HEADER_BYTES..)?.first_chunk()?;
        let word = |at: usize| u32::from_be_bytes([words[at], words[at + 1], words[at + 2], words[at + 3]]);
        let (high, low) = (word(16), word(20));
        (word(0) == MARK).then_some(Self {
            window: word(4),
            leg: word(8),
            sequence: word(12),
            sent_nanos: u64::from(high) << 32 | u64::from(low),
        })
    }
}

/// The real-time clock in nanoseconds.
pub(crate) fn real_nanos() -> u64 {
    let time = clock_gettime(ClockId::Realtime);
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

/// The moment of the monotonic clock at which the real-time clock showed so many nanoseconds, a short while ago.
pub(crate) fn instant_of(nanos: u64) -> Instant {
    let (real, now) = both_clocks();
    now.checked_sub(Duration::from_nanos(real.saturating_sub(nanos))).unwrap_or(now)
}

/// What both clocks show at the same moment, unless somebody else has the core again and again.
fn both_clocks() -> (u64, Instant) {
    const SAME: Duration = Duration::from_micros(50);
    for _ in 0..10 {
        let (before, real, after) = (Instant::now(), real_nanos(), Instant::now());
        if after - before < SAME {
            return (real, before);
        }
    }
    (real_nanos(), Instant::now())
}

/// When the kernel had a message, in nanoseconds of the real-time clock; `None` when nobody asked it to note that.
pub(crate) fn arrived_at<S>(message: &RecvMsg<'_, '_, S>) -> Result<Option<u64>> {
    let at = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::ScmTimestampns(time) => Some(Duration::from(time).as_nanos()),
        _ => None,
    });
    Ok(at.and_then(|nanos| u64::try_from(nanos).ok()))
}

/// Asks the kernel to note when each message arrives: then it does not matter how late we read it.
pub(crate) fn note_arrivals(socket: &impl AsFd) -> Result<()> {
    setsockopt(socket, sockopt::ReceiveTimestampns, &true).context("the kernel does not stamp arrivals")
}

/// A UDP socket on loopback with a deep queue, never blocking.
pub(crate) fn open_socket() -> Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).context("cannot open a socket")?;
    socket.set_nonblocking(true)?;
    // The forced form needs privileges; the plain one gives what the system allows.
    if rustix::net::sockopt::set_socket_recv_buffer_size_force(&socket, SOCKET_BYTES).is_err() {
        socket.set_recv_buffer_size(SOCKET_BYTES)?;
    }
    socket.set_send_buffer_size(SOCKET_BYTES)?;
    socket
        .bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())
        .context("cannot bind a socket on loopback")?;
    Ok(socket.into())
}

/// Like [`open_socket`], and the kernel notes when each datagram arrived.
pub(crate) fn open_media_socket() -> Result<UdpSocket> {
    let socket = open_socket()?;
    note_arrivals(&socket)?;
    Ok(socket)
}

/// A datagram as it came.
#[derive(Debug)]
pub(crate) struct Arrival<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) from_port: u16,
    /// Nanoseconds of the real-time clock when the kernel queued it.
    pub(crate) at_nanos: u64,
}

/// Takes datagrams from a socket, many a call.
pub(crate) struct Inlet {
    headers: MultiHeaders<SockaddrIn>,
    buffers: Vec<u8>,
}

impl Inlet {
    pub(crate) fn new() -> Self {
        let control = nix::cmsg_space!(nix::sys::time::TimeSpec);
        Self {
            headers: MultiHeaders::preallocate(BATCH, Some(control)),
            buffers: vec![0; BATCH * DATAGRAM_BYTES],
        }
    }

    /// Hands over everything that waits in the socket.
    pub(crate) fn drain(&mut self, socket: &UdpSocket, mut on: impl FnMut(&Arrival<'_>)) -> Result<()> {
        while self.take(socket, &mut on)? == BATCH {}
        Ok(())
    }

    fn take(&mut self, socket: &UdpSocket, on: &mut impl FnMut(&Arrival<'_>)) -> Result<usize> {
        let mut slices: Vec<[IoSliceMut<'_>; 1]> =
            self.buffers.chunks_exact_mut(DATAGRAM_BYTES).map(|buffer| [IoSliceMut::new(buffer)]).collect();
        let flags = MsgFlags::MSG_DONTWAIT;
        let arrived = match recvmmsg(socket.as_raw_fd(), &mut self.headers, slices.iter_mut(), flags, None) {
            Ok(arrived) => arrived,
            Err(Errno::EAGAIN) => return Ok(0),
            // A packet of ours met a closed port; the losses are counted elsewhere.
            Err(Errno::ECONNREFUSED) => return Ok(BATCH),
            Err(fault) => return Err(fault).context("cannot receive media"),
        };
        let mut count = 0;
        for message in arrived {
            count += 1;
            let at_nanos = arrived_at(&message)?.unwrap_or_else(real_nanos);
            let from_port = message.address.map_or(0, |address| address.port());
            let bytes = message.iovs().next().unwrap_or(&[]);
            on(&Arrival { bytes, from_port, at_nanos });
        }
        Ok(count)
    }
}

/// Sends packets to many places, many a call.
pub(crate) struct Outlet {
    headers: MultiHeaders<SockaddrIn>,
    packets: Vec<[u8; PACKET_BYTES]>,
    to: Vec<Option<SockaddrIn>>,
}

impl Outlet {
    pub(crate) fn new() -> Self {
        Self {
            headers: MultiHeaders::preallocate(BATCH, None),
            packets: Vec::with_capacity(BATCH),
            to: Vec::with_capacity(BATCH),
        }
    }

    /// Whether the next packet needs a [`Outlet::flush`] first.
    pub(crate) fn is_full(&self) -> bool {
        self.packets.len() == BATCH
    }

    /// Adds a packet.
    pub(crate) fn push(&mut self, stamp: Stamp, to: SocketAddrV4) {
        let mut packet = [0; PACKET_BYTES];
        stamp.write(&mut packet);
        self.packets.push(packet);
        self.to.push(Some(SockaddrIn::from(to)));
    }

    /// Sends what was added and gives how many packets the kernel took.
    pub(crate) fn flush(&mut self, socket: &UdpSocket) -> Result<usize> {
        let mut sent = 0;
        while sent < self.packets.len() {
            let slices: Vec<[IoSlice<'_>; 1]> =
                self.packets[sent..].iter().map(|packet| [IoSlice::new(packet)]).collect();
            let flags = MsgFlags::MSG_DONTWAIT;
            let done =
                sendmmsg(socket.as_raw_fd(), &mut self.headers, slices.iter(), &self.to[sent..], [], flags)
                    .map(Iterator::count);
            match done {
                Ok(count) => sent += count,
                Err(Errno::ECONNREFUSED) => {}
                Err(Errno::EAGAIN) => break,
                Err(fault) => return Err(io::Error::from(fault)).context("cannot send media"),
            }
        }
        self.packets.clear();
        self.to.clear();
        Ok(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_reads_back_and_lies_in_an_rtp_packet_of_a_law() {
        let stamp = Stamp { window: 3, leg: 70_000, sequence: 65_537, sent_nanos: u64::MAX - 5 };
        let mut packet = [0; PACKET_BYTES];
        stamp.write(&mut packet);
        assert_eq!(Stamp::read(&packet), Some(stamp));
        assert_eq!(&packet[..4], &[0x80, 8, 0, 1]);
        assert_eq!(packet[PACKET_BYTES - 1], 0xD5);
        assert_eq!(Stamp::read(&[0xD5; PACKET_BYTES]), None);
        assert_eq!(Stamp::read(&packet[..35]), None);
    }

    #[test]
    fn many_packets_cross_the_kernel_with_their_arrival_times() {
        let (here, there) = (open_media_socket().unwrap(), open_media_socket().unwrap());
        let SocketAddr::V4(to) = there.local_addr().unwrap() else { panic!("loopback is IPv4") };
        let mut outlet = Outlet::new();
        let mut sent = 0;
        for sequence in 0..100 {
            if outlet.is_full() {
                sent += outlet.flush(&here).unwrap();
            }
            outlet.push(Stamp { window: 1, leg: 7, sequence, sent_nanos: real_nanos() }, to);
        }
        sent += outlet.flush(&here).unwrap();
        assert_eq!(sent, 100);
        let port = here.local_addr().unwrap().port();
        let mut sequences = Vec::new();
        let on = |arrival: &Arrival<'_>| {
            let stamp = Stamp::read(arrival.bytes).unwrap();
            assert_eq!((arrival.from_port, arrival.bytes.len()), (port, PACKET_BYTES));
            assert!(arrival.at_nanos >= stamp.sent_nanos);
            sequences.push(stamp.sequence);
        };
        Inlet::new().drain(&there, on).unwrap();
        assert_eq!(sequences, (0..100).collect::<Vec<_>>());
    }
}
