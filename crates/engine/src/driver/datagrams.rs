//! The sockets by which SIP goes in datagrams: one for each address that we listen at.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};

use rustix::io::Errno;
use rustix::net::{SendFlags, sendto};
use socket2::Socket;

use crate::driver::net::receive_from;
use crate::driver::sockets;

/// See the module.
#[derive(Debug)]
pub(crate) struct Datagrams {
    list: Vec<Own>,
    /// Who is read first, so that a flood at one address does not silence the others.
    first: usize,
    /// Which one leads to whom, where the family alone does not decide.
    known: HashMap<IpAddr, usize>,
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
        Self { list, first: 0, known: HashMap::new() }
    }

    /// The same sockets once more, for another thread.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        let copy = |own: &Own| Ok((own.socket.try_clone()?, own.address));
        Ok(Self::new(self.list.iter().map(copy).collect::<io::Result<Vec<_>>>()?))
    }

    pub(crate) fn sockets(&self) -> impl Iterator<Item = &Socket> {
        self.list.iter().map(|own| &own.socket)
    }

    /// Reads one datagram: its length and its source; `None` when there is none anywhere.
    pub(crate) fn hear(&mut self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        let count = self.list.len();
        for turn in 0..count {
            let at = (self.first + turn) % count;
            if let Some(heard) = receive_from(&self.list[at].socket, buffer) {
                self.first = (at + 1) % count;
                return Some(heard);
            }
        }
        None
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

/// Addresses of which it is remembered who leads to them: all gateways, and the machines behind them.
const KNOWN_MAX: usize = 4_096;
