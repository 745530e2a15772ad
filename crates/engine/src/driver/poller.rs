//! Waiting for sockets: epoll, level-triggered, one datagram an event.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

/// Events that are taken at once. More wait for the next turn, so that timers are never late by more than this many
/// packets take.
const EVENTS: usize = 512;

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
    const fn to_data(self) -> u64 {
        match self {
            Self::Bell => 0,
            Self::Signalling => 1,
            Self::Post => 4,
            Self::Rtp(leg) => ((leg as u64) << 2) | 2,
            Self::Rtcp(leg) => ((leg as u64) << 2) | 3,
        }
    }

    const fn from_data(data: u64) -> Self {
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

/// One epoll instance.
#[derive(Debug)]
pub(crate) struct Poller {
    epoll: OwnedFd,
}

/// Room for what is ready. It stays on the thread that waits.
pub(crate) struct Ready {
    events: Vec<Event>,
}

impl Ready {
    pub(crate) fn new() -> Self {
        Self { events: Vec::with_capacity(EVENTS) }
    }

    /// What can be read, in the order in which the kernel found it.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = Token> {
        self.events.iter().map(|event| {
            let data = event.data;
            Token::from_data(data.u64())
        })
    }
}

impl Poller {
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self { epoll: epoll::create(CreateFlags::CLOEXEC)? })
    }

    /// Tells when the descriptor can be read. Closing it ends that.
    pub(crate) fn watch(&self, fd: BorrowedFd<'_>, token: Token) -> std::io::Result<()> {
        let data = EventData::new_u64(token.to_data());
        Ok(epoll::add(self.epoll.as_fd(), fd, data, EventFlags::IN)?)
    }

    /// Waits at most `patience` and fills `ready` with what can be read.
    pub(crate) fn wait(&self, patience: Option<Duration>, ready: &mut Ready) {
        ready.events.clear();
        let patience = patience.map(|patience| Timespec {
            tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(patience.subsec_nanos()),
        });
        match epoll::wait(self.epoll.as_fd(), spare_capacity(&mut ready.events), patience.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(fault) => tracing::error!("epoll: {fault}"),
        }
    }
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
