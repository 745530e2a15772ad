//! Sockets: the shared signalling socket, and an RTP and RTCP pair for each leg.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;

use rand::Rng;
use rand::rngs::StdRng;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};
use socket2::{Domain, Protocol, Socket, Type};

/// Bytes of the signalling socket's buffers. A burst of 2,000 responses must wait while one call is set up.
const SIGNALLING_BUFFER: usize = 4 << 20;

/// Ports that are tried before a leg is refused: with nine in ten ports taken, one in 10^3 attempts fails.
const TRIES: usize = 64;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum SocketFault {
    /// Somebody else has the port.
    #[error(
        "{address}/udp cannot be opened for SIP: choose another --sip address, or stop the program that has it"
    )]
    Signalling {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// No free pair of ports was found in the range.
    #[error("no free pair of RTP ports in {low}-{high}: widen --rtp-ports")]
    NoPorts {
        /// First port of the range.
        low: u16,
        /// Last port of the range.
        high: u16,
    },
    /// The system has no more sockets for us.
    #[error("cannot open a socket for RTP: raise the limit of open files (ulimit -n)")]
    Media(#[source] io::Error),
}

/// Opens the signalling socket, not blocking, with large buffers.
pub(crate) fn signalling(address: SocketAddr) -> Result<Socket, SocketFault> {
    let open = || -> io::Result<Socket> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::DGRAM.nonblocking().cloexec(),
            Some(Protocol::UDP),
        )?;
        // Less than asked for is fine: the system's own maximum rules.
        socket.set_recv_buffer_size(SIGNALLING_BUFFER).ok();
        socket.set_send_buffer_size(SIGNALLING_BUFFER).ok();
        socket.bind(&address.into())?;
        Ok(socket)
    };
    open().map_err(|cause| SocketFault::Signalling { address, cause })
}

/// The two sockets of a leg: RTP on an even port, RTCP on the next one (RFC 3550 section 11).
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) rtp: OwnedFd,
    pub(crate) rtcp: OwnedFd,
    pub(crate) port: u16,
}

/// Opens a pair on a random even port of the range, so that nobody can guess where media is awaited.
pub(crate) fn pair(ip: IpAddr, range: &RangeInclusive<u16>, rng: &mut StdRng) -> Result<Pair, SocketFault> {
    let (low, high) = (range.start().next_multiple_of(2), *range.end());
    for _ in 0..TRIES {
        let port = rng.random_range(low..high) & !1;
        let port = port.max(low);
        let Some(rtp) = open(SocketAddr::new(ip, port))? else { continue };
        let Some(rtcp) = open(SocketAddr::new(ip, port + 1))? else { continue };
        return Ok(Pair { rtp, rtcp, port });
    }
    Err(SocketFault::NoPorts { low, high })
}

/// A socket bound to the address; `None` when somebody else has it.
fn open(address: SocketAddr) -> Result<Option<OwnedFd>, SocketFault> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(family, SocketType::DGRAM, flags, None)
        .map_err(|cause| SocketFault::Media(cause.into()))?;
    match bind(&socket, &address) {
        Ok(()) => Ok(Some(socket)),
        Err(Errno::ADDRINUSE) => Ok(None),
        Err(cause) => Err(SocketFault::Media(cause.into())),
    }
}
