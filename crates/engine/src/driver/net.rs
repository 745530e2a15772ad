//! The seam to the kernel: what a shard waits for, and how its packets come and go. Behind it stands epoll, `poller.rs`.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::net::{RecvFlags, SendFlags, recvfrom, send, sendto};

use crate::driver::poller::Poller;
use crate::driver::sockets::Pair;

/// What a file descriptor stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// The mailbox's bell.
    Bell,
    /// The bell of the mailbox for datagrams.
    Post,
    /// The signalling socket.
    Signalling,
    /// The RTP socket of a leg.
    Rtp(u32),
    /// The RTCP socket of a leg.
    Rtcp(u32),
}

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
#[derive(Clone, Copy, Debug)]
pub(crate) struct News {
    pub(crate) token: Token,
    pub(crate) arrival: Arrival,
}

/// Where it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arrival {
    /// Still in the socket, unless somebody else has read it.
    Socket,
}

/// The backend.
#[derive(Debug)]
pub(crate) enum Net {
    Epoll(Poller),
}

impl Net {
    /// Opens it, for the calling thread.
    pub(crate) fn new() -> io::Result<Self> {
        Poller::new().map(Self::Epoll)
    }

    /// Tells when the descriptor of a bell or of the signalling socket can be read.
    pub(crate) fn watch(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        match self {
            Self::Epoll(poller) => poller.watch(fd, token),
        }
    }

    /// Listens to the sockets of the wire at a place.
    pub(crate) fn open(&mut self, place: u32, pair: &Pair) -> io::Result<()> {
        match self {
            Self::Epoll(poller) => {
                poller.watch(pair.rtp.as_fd(), Token::Rtp(place))?;
                poller.watch(pair.rtcp.as_fd(), Token::Rtcp(place))
            }
        }
    }

    /// Ends that. To be called before the sockets are closed.
    pub(crate) fn close(&mut self, _place: u32) {
        match self {
            // Closing a socket is enough.
            Self::Epoll(_) => {}
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
            (Self::Epoll(_), Arrival::Socket) => receive_from(rtp, buffer),
        }
    }

    /// Sends RTP, to an address or to whom the socket is connected to. It may wait for the end of the turn.
    pub(crate) fn send(&mut self, rtp: BorrowedFd<'_>, packet: &[u8], to: Option<SocketAddr>) {
        match self {
            Self::Epoll(_) => send_now(rtp, packet, to),
        }
    }

    /// Waits at most `patience` and fills `news` with what can be read.
    pub(crate) fn wait(&mut self, patience: Option<Duration>, news: &mut Vec<News>) {
        news.clear();
        match self {
            Self::Epoll(poller) => poller.wait(patience, news),
        }
    }
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
