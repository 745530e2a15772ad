//! What a shard stands on: time, chance and a network.
//!
//! A shard asks the world outside by nothing else, so a world that is made up can carry it: then a call of a minute takes
//! a millisecond, and the same seed brings the same call. What carries people's voices is in `kernel.rs`. Shards are
//! compiled for their ground, so that this seam costs a packet nothing.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use base::time::{Instant, Timestamp};
use rand::rngs::StdRng;
use sip::{Datagram, Hop};

use crate::driver::sockets::SocketFault;

/// See the module. One shard has it to itself.
pub trait Ground {
    /// The two sockets of a leg.
    type Sockets: Sockets;
    /// Where RTP that arrived is, until the next wait.
    type Arrival: Copy;

    /// What the clock says that only moves forward; later than [`Instant::START`], so that no deadline is before it.
    fn now(&self) -> Instant;

    /// What the wall clock says.
    fn wall(&self) -> Timestamp;

    /// Where all chance of the shard comes from. Nobody outside may be able to guess it.
    fn rng(&mut self) -> StdRng;

    /// Waits at most `patience`, for ever if there is none, and replaces `news` by what can be read. Whether there may be
    /// more.
    fn wait(&mut self, patience: Option<Duration>, news: &mut Vec<News<Self::Arrival>>) -> bool;

    /// Lets time pass, whatever comes.
    fn pause(&mut self, span: Duration);

    /// Reads one signalling datagram: its length and its source; `None` when there is none.
    fn hear(&mut self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)>;

    /// For how long the signalling datagram that was read last had been lying. A world that is made up has no queues.
    fn lay(&self) -> Duration {
        Duration::ZERO
    }

    /// Sends a signalling datagram; false when the network knows no way there. What cannot be sent now is lost.
    fn say(&mut self, datagram: &[u8], to: SocketAddr) -> bool;

    /// Hands over a message that goes by a connection; false when there is nobody to take it. What cannot be delivered
    /// comes back later. A world that is made up has no connections unless it says so.
    fn stream(&mut self, message: &Datagram, to: Hop) -> bool {
        let _ = (message, to);
        false
    }

    /// Opens the sockets of a leg: RTP on a random even port of the range, RTCP on the next one.
    ///
    /// # Errors
    /// When the range or the system has none left.
    fn sockets(
        &mut self,
        ip: IpAddr,
        range: &RangeInclusive<u16>,
        rng: &mut StdRng,
    ) -> Result<Self::Sockets, SocketFault>;

    /// Listens to the sockets of the leg at a place.
    ///
    /// # Errors
    /// When the system has no room for them.
    fn open(&mut self, place: u32, sockets: &Self::Sockets) -> io::Result<()>;

    /// Ends that. To be called before the sockets are closed.
    fn close(&mut self, place: u32);

    /// Reads the RTP that arrived: its length and its source.
    fn receive(
        &self,
        sockets: &Self::Sockets,
        arrival: Self::Arrival,
        buffer: &mut [u8],
    ) -> Option<(usize, SocketAddr)>;

    /// Sends RTP, to an address or to whom the socket is connected to. It may wait for the end of the turn.
    fn send(&mut self, sockets: &Self::Sockets, packet: &[u8], to: Option<SocketAddr>);
}

/// The two sockets of a leg. Dropping them closes them.
pub trait Sockets {
    /// The port of RTP; RTCP has the next one.
    fn port(&self) -> u16;

    /// Whether they are sockets of IPv4.
    fn is_ipv4(&self) -> bool;

    /// Lets RTP come from that address only; false when there is no way to it.
    fn connect(&self, to: SocketAddr) -> bool;

    /// Reads one datagram of RTCP: its length and its source.
    fn receive_rtcp(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)>;

    /// Sends RTCP. What cannot be sent now is lost.
    fn send_rtcp(&self, packet: &[u8], to: SocketAddr);
}

/// Something to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News<A> {
    /// Where.
    pub token: Token,
    /// For RTP: where exactly.
    pub arrival: A,
}

/// What there is something to be read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// The mailbox for letters.
    Bell,
    /// The mailbox for datagrams that other shards have read.
    Post,
    /// The signalling socket.
    Signalling,
    /// The RTP socket of the leg at a place.
    Rtp(u32),
    /// The RTCP socket of the leg at a place.
    Rtcp(u32),
}
