//! Sockets: the shared signalling socket, and an RTP and RTCP pair for each leg.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;

use rand::Rng;
use rand::rngs::StdRng;
use rustix::io::Errno;
use rustix::net::sockopt::set_ipv6_v6only;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};
use socket2::{Domain, Protocol, Socket, Type};

/// Bytes of the signalling socket's buffers. A burst of 2,000 responses must wait while one call is set up.
const SIGNALLING_BUFFER: usize = 4 << 20;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 128;

/// Pairs of ports that are tried before a leg is refused: with nine in ten taken, one in 10^3 attempts fails.
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
    /// Somebody else has the port for connections.
    #[error(
        "{address}/tcp cannot be opened for SIP: choose another address under [sip], or stop the program that has it"
    )]
    Listener {
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
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // Less than asked for is fine: the system's own maximum rules.
        socket.set_recv_buffer_size(SIGNALLING_BUFFER).ok();
        socket.set_send_buffer_size(SIGNALLING_BUFFER).ok();
        socket.bind(&address.into())?;
        Ok(socket)
    };
    open().map_err(|cause| SocketFault::Signalling { address, cause })
}

/// Opens a socket that connections are accepted at.
pub(crate) fn listener(address: SocketAddr) -> Result<TcpListener, SocketFault> {
    let open = || -> io::Result<TcpListener> {
        let kind = Type::STREAM.nonblocking().cloexec();
        let socket = Socket::new(Domain::for_address(address), kind, Some(Protocol::TCP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // The connections of a former life may still be dying at this port.
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    open().map_err(|cause| SocketFault::Listener { address, cause })
}

/// The two sockets of a leg: RTP on an even port, RTCP on the next one (RFC 3550 section 11).
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) rtp: OwnedFd,
    pub(crate) rtcp: OwnedFd,
    pub(crate) port: u16,
    pub(crate) is_ipv4: bool,
}

/// Pairs of ports, an even one and the next, that a range has room for.
///
/// # Errors
/// [`SocketFault::NoPorts`] when it has room for none.
pub(crate) fn pairs(range: &RangeInclusive<u16>) -> Result<RangeInclusive<u16>, SocketFault> {
    let (low, high) = (*range.start(), *range.end());
    let (first, last) = (low.div_ceil(2), high.saturating_sub(1) / 2);
    if first <= last && high > low { Ok(first..=last) } else { Err(SocketFault::NoPorts { low, high }) }
}

/// Opens a pair on a random even port of the range, so that nobody can guess where media is awaited, or on one of
/// those that follow it.
pub(crate) fn pair(ip: IpAddr, range: &RangeInclusive<u16>, rng: &mut StdRng) -> Result<Pair, SocketFault> {
    let all = pairs(range)?;
    let start = rng.random_range(all.clone());
    let ring = (start..=*all.end()).chain(*all.start()..start);
    for port in ring.take(TRIES).map(|pair| pair * 2) {
        let Some(rtp) = open(SocketAddr::new(ip, port))? else { continue };
        let Some(rtcp) = open(SocketAddr::new(ip, port + 1))? else { continue };
        return Ok(Pair { rtp, rtcp, port, is_ipv4: ip.is_ipv4() });
    }
    Err(SocketFault::NoPorts { low: *range.start(), high: *range.end() })
}

/// The address that we send from when we send to `peer`: how a far end reaches us when we listen on all addresses.
pub(crate) fn seen_by(peer: SocketAddr) -> io::Result<IpAddr> {
    let any: IpAddr =
        if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(peer)?;
    Ok(socket.local_addr()?.ip())
}

/// A socket bound to the address; `None` when somebody else has it.
fn open(address: SocketAddr) -> Result<Option<OwnedFd>, SocketFault> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(family, SocketType::DGRAM, flags, None)
        .map_err(|cause| SocketFault::Media(cause.into()))?;
    if address.is_ipv6() {
        set_ipv6_v6only(&socket, true).map_err(|cause| SocketFault::Media(cause.into()))?;
    }
    match bind(&socket, &address) {
        Ok(()) => Ok(Some(socket)),
        Err(Errno::ADDRINUSE) => Ok(None),
        Err(cause) => Err(SocketFault::Media(cause.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn a_range_holds_whole_pairs() {
        for (low, high, first, last) in [
            (10, 11, 5, 5),
            (9, 12, 5, 5),
            (9, 13, 5, 6),
            (0, 65_535, 0, 32_767),
            (65_534, 65_535, 32_767, 32_767),
        ] {
            assert_eq!(pairs(&(low..=high)).unwrap(), first..=last, "{low} to {high}");
        }
        for (low, high) in [(10, 10), (11, 12), (11, 11), (12, 10), (65_535, 65_535), (0, 0)] {
            assert!(pairs(&(low..=high)).is_err(), "{low} to {high}");
        }
    }

    #[test]
    fn the_only_free_pair_of_a_range_is_found() {
        let (ip, mut rng) = (IpAddr::from(Ipv4Addr::LOCALHOST), StdRng::seed_from_u64(1));
        let range = 9_000..=9_039;
        let mut taken = Vec::new();
        let full = loop {
            match pair(ip, &range, &mut rng) {
                Ok(pair) => taken.push(pair),
                Err(fault) => break fault,
            }
        };
        assert!(matches!(full, SocketFault::NoPorts { low: 9_000, high: 9_039 }) && !taken.is_empty());
        let freed = taken.pop().map(|pair| pair.port);
        assert_eq!(pair(ip, &range, &mut rng).ok().map(|pair| pair.port), freed);
    }
}
