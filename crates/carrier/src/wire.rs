//! The wires of one telephone: its two sockets, its media session, and what gets lost on the way.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;

use base::time::Instant;
use media::session::{Description, Due, OUT_BYTES, Session};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// RTP on an even port, RTCP on the next one (RFC 3550 section 11).
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) rtp: UdpSocket,
    pub(crate) rtcp: UdpSocket,
    port: u16,
}

impl Pair {
    /// Opens a pair on a random even port of the range.
    pub(crate) fn open(ip: IpAddr, range: &RangeInclusive<u16>, rng: &mut SmallRng) -> io::Result<Self> {
        let (first, last) = (range.start() / 2, range.end() / 2);
        let mut fault = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..TRIES {
            let port = rng.random_range(first..=last.max(first)).saturating_mul(2);
            match (bind(ip, port), bind(ip, port.saturating_add(1))) {
                (Ok(rtp), Ok(rtcp)) => return Ok(Self { rtp, rtcp, port }),
                (Err(refused), _) | (_, Err(refused)) => fault = refused,
            }
        }
        Err(fault)
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }
}

fn bind(ip: IpAddr, port: u16) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(SocketAddr::new(ip, port))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// A telephone's sockets and its session.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) session: Session,
    pair: Pair,
    /// Whether the caller holds us and hears nothing.
    held: bool,
    loss: Option<Loss>,
}

impl Wire {
    pub(crate) const fn new(session: Session, pair: Pair, loss: Option<Loss>) -> Self {
        Self { session, pair, held: false, loss }
    }

    pub(crate) fn describe(&mut self, description: Description, held: bool, now: Instant) {
        self.session.describe(description, now);
        self.held = held;
    }

    /// Reads one datagram of the RTP socket.
    pub(crate) fn receive(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        self.pair.rtp.recv_from(buffer).ok()
    }

    /// Reads one datagram of the RTCP socket.
    pub(crate) fn receive_rtcp(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        self.pair.rtcp.recv_from(buffer).ok()
    }

    /// Sends what is due, and hands everything else to `tell`. What cannot be sent now is lost, as on any network.
    pub(crate) fn tick(&mut self, now: Instant, mut tell: impl FnMut(Due)) {
        let mut out = [0; OUT_BYTES];
        while let Some(due) = self.session.tick(now, &mut out) {
            match due {
                Due::Rtp(length) => self.send(&out[..length]),
                Due::Rtcp(length) => self.send_rtcp(&out[..length]),
                Due::ClipEnded(_)
                | Due::KeysSent
                | Due::Pressed(_)
                | Due::Announced(_)
                | Due::PickedUp(_) => tell(due),
            }
        }
    }

    /// Says goodbye by RTCP.
    pub(crate) fn bye(&mut self, now: Instant) {
        let mut out = [0; OUT_BYTES];
        if let Some(length) = self.session.bye(now, &mut out) {
            self.send_rtcp(&out[..length]);
        }
    }

    /// Sends RTP, unless the caller holds us.
    pub(crate) fn send(&mut self, packet: &[u8]) {
        let lost = self.loss.as_mut().is_some_and(Loss::strikes);
        if let (Some(to), false, false) = (self.session.target(), self.held, lost) {
            self.pair.rtp.send_to(packet, to).ok();
        }
    }

    fn send_rtcp(&self, packet: &[u8]) {
        if let Some(to) = self.session.rtcp_target() {
            self.pair.rtcp.send_to(packet, to).ok();
        }
    }
}

/// A network that loses packets, the same ones for the same seed.
#[derive(Debug)]
pub(crate) struct Loss(SmallRng);

impl Loss {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SmallRng::seed_from_u64(seed))
    }

    fn strikes(&mut self) -> bool {
        self.0.random_ratio(1, LOST_ONE_IN)
    }
}

/// One packet in twenty is lost: 5 %.
const LOST_ONE_IN: u32 = 20;

/// Ports that are tried before a call is refused: with nine in ten ports taken, one in 10^3 attempts fails.
const TRIES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_packet_in_twenty_is_lost_and_the_same_ones_again() {
        let lost = |seed| {
            let mut loss = Loss::new(seed);
            (0..10_000).map(|_| loss.strikes()).collect::<Vec<_>>()
        };
        let count = lost(7).into_iter().filter(|lost| *lost).count();
        assert!((400..600).contains(&count), "{count} of 10,000");
        assert_eq!(lost(7), lost(7));
    }
}
