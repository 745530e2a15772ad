//! Waiting for sockets: epoll, level-triggered.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

/// What a file descriptor stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// The owner wants the thread to end.
    Bell,
    Signalling,
    /// Somebody wants to connect to the listener at a place.
    Listener(u32),
    /// The connection at a place.
    Link(u32),
    /// The RTP socket of a leg, by its place in the table.
    Rtp(u32),
    Rtcp(u32),
}

impl Token {
    const fn to_data(self) -> u64 {
        match self {
            Self::Bell => 0,
            Self::Signalling => 1,
            Self::Rtp(leg) => (leg as u64) << KIND_BITS | 2,
            Self::Rtcp(leg) => (leg as u64) << KIND_BITS | 3,
            Self::Listener(place) => (place as u64) << KIND_BITS | 4,
            Self::Link(place) => (place as u64) << KIND_BITS | 5,
        }
    }

    const fn from_data(data: u64) -> Self {
        let place = (data >> KIND_BITS) as u32;
        match data & KINDS {
            0 => Self::Bell,
            1 => Self::Signalling,
            2 => Self::Rtp(place),
            3 => Self::Rtcp(place),
            4 => Self::Listener(place),
            _ => Self::Link(place),
        }
    }
}

/// One epoll instance.
#[derive(Debug)]
pub(crate) struct Poller(OwnedFd);

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(epoll::create(CreateFlags::CLOEXEC)?))
    }

    /// Tells when the descriptor can be read. Closing it ends that.
    pub(crate) fn watch(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        Ok(epoll::add(self.0.as_fd(), fd, EventData::new_u64(token.to_data()), EventFlags::IN)?)
    }

    /// Waits at most `patience` and fills `ready` with what can be read.
    pub(crate) fn wait(&self, patience: Option<Duration>, ready: &mut Vec<Token>) {
        let patience = patience.map(|patience| Timespec {
            tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(patience.subsec_nanos()),
        });
        let mut events = [const { MaybeUninit::<Event>::uninit() }; EVENTS];
        ready.clear();
        match epoll::wait(self.0.as_fd(), &mut events, patience.as_ref()) {
            Ok((events, _)) => ready.extend(events.iter().map(|event| {
                let data = event.data;
                Token::from_data(data.u64())
            })),
            Err(Errno::INTR) => {}
            Err(fault) => tracing::error!("the simulated carrier cannot wait for its sockets: {fault}"),
        }
    }
}

/// The bits of a token's number that say what kind it is of.
const KIND_BITS: u32 = 3;
const KINDS: u64 = 7;

/// Events that are taken at once; more wait for the next turn, so that timers are not kept waiting for long.
const EVENTS: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_as_it_went() {
        for token in [
            Token::Bell,
            Token::Signalling,
            Token::Rtp(0),
            Token::Rtcp(7),
            Token::Rtp(u32::MAX),
            Token::Listener(1),
            Token::Link(u32::MAX),
        ] {
            assert_eq!(Token::from_data(token.to_data()), token);
        }
    }
}
