//! The seam to the kernel: what a shard waits for, and how its packets come and go.
//!
//! Two backends stand behind it. `poller.rs` is epoll, which works everywhere: a system call for each packet that
//! comes and one for each that goes. `uring.rs` is io_uring, for which many packets take one system call.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::net::{RecvFlags, SendFlags, recvfrom, send, sendto};

use crate::driver::ground::{self, Token};
use crate::driver::poller::Poller;
use crate::driver::sockets::Pair;
use crate::driver::uring::{Uring, refusal};
use crate::engine::Backend;

impl Token {
    /// As a number below 2^34.
    pub(crate) const fn to_data(self) -> u64 {
        match self {
            Self::Bell => 0,
            Self::Signalling => 1,
            Self::Post => 4,
            Self::Rtp(leg) => ((leg as u64) << 2) | 2,
            Self::Rtcp(leg) => ((leg as u64) << 2) | 3,
        }
    }

    /// The token that became this number.
    pub(crate) const fn from_data(data: u64) -> Self {
        let leg = (data >> 2) as u32;
        match data & 3 {
            0 if leg == 0 => Self::Bell,
            0 => Self::Post,
            1 => Self::Signalling,
            2 => Self::Rtp(leg),
            _ => Self::Rtcp(leg),
        }
    }
}

/// Something to be read.
pub(crate) type News = ground::News<Arrival>;

/// Where it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arrival {
    /// Still in the socket, unless somebody else has read it.
    Socket,
    /// In a buffer of the ring, until the next wait.
    Buffer(Parcel),
}

/// One datagram in a buffer of the ring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parcel {
    pub(crate) place: u32,
    /// Which of the wires that were at this place one after the other.
    pub(crate) generation: u32,
    pub(crate) buffer: u16,
    pub(crate) length: u32,
}

/// One of the two backends.
#[derive(Debug)]
pub(crate) enum Net {
    Epoll(Poller),
    Uring(Box<Uring>),
}

impl Net {
    /// Opens it, for the calling thread. [`Backend::Auto`] takes epoll when there is no ring.
    pub(crate) fn new(backend: Backend) -> io::Result<Self> {
        let uring = || Uring::new().map(|ring| Self::Uring(Box::new(ring)));
        let epoll = || Poller::new().map(Self::Epoll);
        match backend {
            Backend::Epoll => epoll(),
            Backend::Uring => uring(),
            Backend::Auto => uring().or_else(|fault| {
                tracing::warn!("the packets of one shard go by epoll: {}: {fault}", refusal(&fault));
                epoll()
            }),
        }
    }

    /// Tells when the descriptor of a bell or of the signalling socket can be read.
    pub(crate) fn watch(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        match self {
            Self::Epoll(poller) => poller.watch(fd, token),
            Self::Uring(ring) => ring.watch(fd, token),
        }
    }

    /// Listens to the sockets of the wire at a place.
    pub(crate) fn open(&mut self, place: u32, pair: &Pair) -> io::Result<()> {
        match self {
            Self::Epoll(poller) => {
                poller.watch(pair.rtp.as_fd(), Token::Rtp(place))?;
                poller.watch(pair.rtcp.as_fd(), Token::Rtcp(place))
            }
            Self::Uring(ring) => ring.open(place, pair),
        }
    }

    /// Ends that. To be called before the sockets are closed.
    pub(crate) fn close(&mut self, place: u32) {
        match self {
            // Closing a socket is enough.
            Self::Epoll(_) => {}
            Self::Uring(ring) => ring.close(place),
        }
    }

    /// Reads the RTP that arrived: its length and its source.
    pub(crate) fn receive(
        &self,
        arrival: Arrival,
        rtp: BorrowedFd<'_>,
        buffer: &mut [u8],
    ) -> Option<(usize, SocketAddr)> {
        match (self, arrival) {
            (Self::Uring(ring), Arrival::Buffer(parcel)) => ring.read(parcel, buffer),
            (Self::Epoll(_), _) | (_, Arrival::Socket) => receive_from(rtp, buffer),
        }
    }

    /// Sends RTP, to an address or to whom the socket is connected to. It may wait for the end of the turn.
    pub(crate) fn send(&mut self, rtp: BorrowedFd<'_>, packet: &[u8], to: Option<SocketAddr>) {
        match self {
            Self::Epoll(_) => send_now(rtp, packet, to),
            Self::Uring(ring) => ring.send(rtp, packet, to),
        }
    }

    /// Waits at most `patience` and fills `news` with what can be read. Whether there may be more.
    pub(crate) fn wait(&mut self, patience: Option<Duration>, news: &mut Vec<News>) -> bool {
        news.clear();
        match self {
            Self::Epoll(poller) => poller.wait(patience, news),
            Self::Uring(ring) => {
                ring.wait(patience, news);
                false
            }
        }
    }
}

/// Which backend carries the packets, and says so: [`Backend::Auto`] becomes epoll where no ring can be opened.
///
/// # Errors
/// Why there is no ring, when it must be one.
pub(crate) fn choose(wanted: Backend) -> io::Result<Backend> {
    // On a thread of its own: the kernel takes a closed ring apart by interrupting the thread that opened it.
    let probe = || std::thread::spawn(|| Uring::new().map(drop)).join();
    match wanted {
        Backend::Epoll => tracing::info!("packets go by epoll, as configured"),
        Backend::Auto | Backend::Uring => {
            match probe().unwrap_or_else(|_| Err(io::Error::other("a panic"))) {
                Ok(()) => tracing::info!("packets go by io_uring"),
                Err(fault) if wanted == Backend::Uring => return Err(fault),
                Err(fault) => {
                    tracing::info!("packets go by epoll: {}: {fault}", refusal(&fault));
                    return Ok(Backend::Epoll);
                }
            }
        }
    }
    Ok(wanted)
}

/// Reads one datagram. An error that the network reported is swallowed.
pub(crate) fn receive_from(socket: impl AsFd, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
    let (length, _, from) = recvfrom(socket, buffer, RecvFlags::empty()).ok()?;
    Some((length, from?.try_into().ok()?))
}

/// Sends one datagram. What cannot be sent now is lost, as on any network.
pub(crate) fn send_now(socket: impl AsFd, packet: &[u8], to: Option<SocketAddr>) {
    match to {
        None => send(socket, packet, SendFlags::empty()).ok(),
        Some(to) => sendto(socket, packet, SendFlags::empty(), &to).ok(),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_as_it_went() {
        for token in [
            Token::Bell,
            Token::Post,
            Token::Signalling,
            Token::Rtp(0),
            Token::Rtcp(0),
            Token::Rtp(u32::MAX),
            Token::Rtcp(7),
        ] {
            assert_eq!(Token::from_data(token.to_data()), token);
        }
    }
}
