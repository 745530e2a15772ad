//! The ground of shards that carry people's datagrams: the system's clocks, its chance and its sockets.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use base::time::{Instant, Timestamp};
use rand::SeedableRng;
use rand::rngs::StdRng;
use sip::{Datagram, Hop};

use crate::driver::clock::Clock;
use crate::driver::datagrams::Datagrams;
use crate::driver::ground::{Ground, Sockets, Token};
use crate::driver::mailbox::Slot;
use crate::driver::net::{Arrival, Net, News, receive_from, send_now};
use crate::driver::sockets::{self, Pair, SocketFault};
use crate::driver::streams;
use crate::engine::Backend;

/// See the module.
pub(crate) struct Kernel {
    clock: Clock,
    net: Net,
    /// For signalling; every shard sends from them, the first one reads them.
    datagrams: Datagrams,
    /// Where messages go that take a connection.
    streams: Option<Slot<streams::Letter>>,
    /// The number of this shard.
    shard: usize,
}

/// What a shard says SIP by.
pub(crate) struct Said {
    pub(crate) datagrams: Datagrams,
    pub(crate) streams: Option<Slot<streams::Letter>>,
    /// The number of the shard.
    pub(crate) shard: usize,
}

impl Kernel {
    /// A ground for the calling thread, which is told of both bells.
    pub(crate) fn new(
        backend: Backend,
        clock: Clock,
        Said { datagrams, streams, shard }: Said,
        bells: [(BorrowedFd<'_>, Token); 2],
    ) -> io::Result<Self> {
        let net = Net::new(backend)?;
        for (bell, token) in bells {
            net.watch(bell, token)?;
        }
        Ok(Self { clock, net, datagrams, streams, shard })
    }

    /// Reads the signalling sockets from now on.
    pub(crate) fn listen(&self) -> io::Result<()> {
        self.datagrams.stamp()?;
        self.datagrams.sockets().try_for_each(|socket| self.net.watch(socket.as_fd(), Token::Signalling))
    }
}

impl Ground for Kernel {
    type Sockets = Pair;
    type Arrival = Arrival;

    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn wall(&self) -> Timestamp {
        Clock::wall()
    }

    fn rng(&mut self) -> StdRng {
        StdRng::from_os_rng()
    }

    fn wait(&mut self, patience: Option<Duration>, news: &mut Vec<News>) -> bool {
        self.net.wait(patience, news)
    }

    fn pause(&mut self, span: Duration) {
        std::thread::sleep(span);
    }

    fn hear(&mut self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        self.datagrams.hear(buffer)
    }

    fn lay(&self) -> Duration {
        self.datagrams.lay()
    }

    fn say(&mut self, datagram: &[u8], to: SocketAddr) -> bool {
        self.datagrams.say(datagram, to)
    }

    fn stream(&mut self, message: &Datagram, to: Hop) -> bool {
        let Some(streams) = &self.streams else { return false };
        let letter = streams::Letter::Send { to, message: message.clone(), sender: self.shard };
        streams.post(letter).is_ok()
    }

    fn sockets(
        &mut self,
        ip: IpAddr,
        range: &RangeInclusive<u16>,
        rng: &mut StdRng,
    ) -> Result<Pair, SocketFault> {
        sockets::pair(ip, range, rng)
    }

    fn open(&mut self, place: u32, pair: &Pair) -> io::Result<()> {
        self.net.open(place, pair)
    }

    fn close(&mut self, place: u32) {
        self.net.close(place);
    }

    fn receive(&self, pair: &Pair, arrival: Arrival, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        self.net.receive(arrival, pair.rtp.as_fd(), buffer)
    }

    fn send(&mut self, pair: &Pair, packet: &[u8], to: Option<SocketAddr>) {
        self.net.send(pair.rtp.as_fd(), packet, to);
    }
}

impl Sockets for Pair {
    fn port(&self) -> u16 {
        self.port
    }

    fn is_ipv4(&self) -> bool {
        self.is_ipv4
    }

    fn connect(&self, to: SocketAddr) -> bool {
        rustix::net::connect(&self.rtp, &to).is_ok()
    }

    fn receive_rtcp(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        receive_from(&self.rtcp, buffer)
    }

    fn send_rtcp(&self, packet: &[u8], to: SocketAddr) {
        send_now(&self.rtcp, packet, Some(to));
    }
}
