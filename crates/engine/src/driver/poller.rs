//! Packets by epoll: level-triggered, one datagram an event.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

use crate::driver::ground::Token;
use crate::driver::net::{Arrival, News};

/// Events that are taken at once. More wait for the next turn, so that timers are never late by more than this many
/// packets take.
const EVENTS: usize = 512;

/// One epoll instance.
#[derive(Debug)]
pub(crate) struct Poller {
    epoll: OwnedFd,
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

    /// Tells, each time that it happens, when the descriptor can be read or written. Closing it ends that.
    pub(crate) fn watch_edges(&self, fd: BorrowedFd<'_>, data: u64) -> std::io::Result<()> {
        let edges = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        Ok(epoll::add(self.epoll.as_fd(), fd, EventData::new_u64(data), edges)?)
    }

    /// Waits at most `patience` and adds what can be read, in the order in which the kernel found it. Whether there may be
    /// more.
    pub(crate) fn wait(&self, patience: Option<Duration>, news: &mut Vec<News>) -> bool {
        let before = news.len();
        self.wait_for(patience, |data, _| {
            news.push(News { token: Token::from_data(data), arrival: Arrival::Socket });
        });
        news.len() - before == EVENTS
    }

    /// Waits at most `patience` and hands what happened to `each`.
    pub(crate) fn wait_for(&self, patience: Option<Duration>, mut each: impl FnMut(u64, EventFlags)) {
        let mut events = [MaybeUninit::<Event>::uninit(); EVENTS];
        let patience = patience.map(|patience| Timespec {
            tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(patience.subsec_nanos()),
        });
        match epoll::wait(self.epoll.as_fd(), &mut events, patience.as_ref()) {
            Ok((events, _)) => events.iter().for_each(|event| {
                let (data, flags) = (event.data, event.flags);
                each(data.u64(), flags);
            }),
            Err(Errno::INTR) => {}
            Err(fault) => tracing::error!("epoll: {fault}"),
        }
    }
}

impl AsFd for Poller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}
