//! The sockets by which SIP goes in datagrams: one for each address that we listen at.

use std::collections::HashMap;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
use std::time::Duration;

use base::time::Timestamp;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt::ReceiveTimestampns,
};
use nix::sys::time::TimeSpec;
use rustix::io::Errno;
use rustix::net::{SendFlags, sendto};
use socket2::Socket;

use crate::driver::clock::Clock;
use crate::driver::sockets;

/// See the module.
#[derive(Debug)]
pub(crate) struct Datagrams {
    list: Vec<Own>,
    /// Who is read first, so that a flood at one address does not silence the others.
    first: usize,
    /// Which one leads to whom, where the family alone does not decide.
    known: HashMap<IpAddr, usize>,
    /// Room for what the kernel says beside a datagram.
    beside: Vec<u8>,
    /// When the datagram that was heard last had come, as the wall clock said; `None` when the kernel did not say.
    came: Option<Timestamp>,
}

#[derive(Debug)]
struct Own {
    socket: Socket,
    address: SocketAddr,
}

impl Datagrams {
    /// These sockets, with their addresses.
    pub(crate) fn new(sockets: impl IntoIterator<Item = (Socket, SocketAddr)>) -> Self {
        let list = sockets.into_iter().map(|(socket, address)| Own { socket, address }).collect();
        Self { list, first: 0, known: HashMap::new(), beside: nix::cmsg_space!(TimeSpec), came: None }
    }

    /// The same sockets once more, for another thread.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        let copy = |own: &Own| Ok((own.socket.try_clone()?, own.address));
        Ok(Self::new(self.list.iter().map(copy).collect::<io::Result<Vec<_>>>()?))
    }

    pub(crate) fn sockets(&self) -> impl Iterator<Item = &Socket> {
        self.list.iter().map(|own| &own.socket)
    }

    /// Asks the kernel to say when each datagram came.
    pub(crate) fn stamp(&self) -> io::Result<()> {
        Ok(self.sockets().try_for_each(|socket| setsockopt(socket, ReceiveTimestampns, &true))?)
    }

    /// Reads one datagram: its length and its source; `None` when there is none anywhere.
    pub(crate) fn hear(&mut self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        let count = self.list.len();
        for turn in 0..count {
            let at = (self.first + turn) % count;
            if let Some((length, from, came)) = receive(&self.list[at].socket, buffer, &mut self.beside) {
                self.first = (at + 1) % count;
                self.came = came;
                return Some((length, from));
            }
        }
        None
    }

    /// How long ago the datagram that was heard last had come; zero when nobody knows.
    pub(crate) fn lay(&self) -> Duration {
        self.came.map_or(Duration::ZERO, |came| Clock::wall().since(came))
    }

    /// Sends a datagram; false when the network knows no way there. What cannot be sent now is lost.
    pub(crate) fn say(&mut self, datagram: &[u8], to: SocketAddr) -> bool {
        let Some(own) = self.leading(to) else { return false };
        let sent = sendto(&own.socket, datagram, SendFlags::empty(), &to);
        !sent.is_err_and(|why| !matches!(why, Errno::AGAIN | Errno::NOBUFS))
    }

    /// The one of their family, and of several the one that has the address which the network sends from.
    fn leading(&mut self, to: SocketAddr) -> Option<&Own> {
        let Self { list, known, .. } = self;
        let is_near = |own: &&Own| own.address.is_ipv4() == to.is_ipv4();
        let mut near = list.iter().filter(is_near);
        let first = near.next()?;
        if near.next().is_none() {
            return Some(first);
        }
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        let at = *known.entry(to.ip()).or_insert_with(|| {
            let seen = sockets::seen_by(to).ok();
            let leads = |own: &Own| is_near(&own) && Some(own.address.ip()) == seen;
            let found = list.iter().position(leads);
            found.or_else(|| list.iter().position(|own| is_near(&own))).unwrap_or(0)
        });
        list.get(at)
    }
}

/// Reads one datagram, with the time at which it came.
fn receive(
    socket: &Socket,
    buffer: &mut [u8],
    beside: &mut [u8],
) -> Option<(usize, SocketAddr, Option<Timestamp>)> {
    let mut parts = [IoSliceMut::new(buffer)];
    let heard =
        recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, Some(beside), MsgFlags::MSG_DONTWAIT)
            .ok()?;
    let from = heard.address?;
    let from = match from.as_sockaddr_in() {
        Some(from) => SocketAddr::V4((*from).into()),
        None => SocketAddr::V6((*from.as_sockaddr_in6()?).into()),
    };
    let came = heard.cmsgs().ok()?.find_map(|beside| match beside {
        ControlMessageOwned::ScmTimestampns(time) => Some(Timestamp::default() + Duration::from(time)),
        _ => None,
    });
    Some((heard.bytes, from, came))
}

/// Addresses of which it is remembered who leads to them: all gateways, and the machines behind them.
const KNOWN_MAX: usize = 4_096;

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use socket2::{Domain, Type};

    use super::*;

    const LAY: Duration = Duration::from_millis(5);
    const SLEW: Duration = Duration::from_millis(1);

    #[test]
    fn a_datagram_says_how_long_it_had_been_lying() {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        let mut datagrams = Datagrams::new([(socket, address)]);
        assert_eq!(datagrams.lay(), Duration::ZERO, "there was none");
        datagrams.stamp().unwrap();
        let began = Instant::now();
        loop {
            let before = Instant::now();
            assert!(datagrams.say(b"first", address));
            let socket = datagrams.sockets().next().unwrap();
            let patience = Timespec { tv_sec: 10, tv_nsec: 0 };
            assert_eq!(poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&patience)), Ok(1));
            std::thread::sleep(LAY);
            assert_eq!(datagrams.hear(&mut [0; 64]), Some((5, address)));
            let lay = datagrams.lay();
            // Two clocks, of which one may be put right a little meanwhile.
            assert!(lay <= before.elapsed() + SLEW, "{lay:?}");
            assert_eq!(datagrams.hear(&mut [0; 64]), None);
            if LAY <= lay + SLEW {
                break;
            }
            // The kernel begins to note a moment after it was asked to.
            assert!(began.elapsed() < Duration::from_secs(10), "{lay:?}");
        }
    }
}
