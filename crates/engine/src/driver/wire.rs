//! The wires of one leg: its two sockets and its media session.

use std::net::SocketAddr;
use std::os::fd::AsFd;

use base::id::Leg;
use base::time::Instant;
use media::session::{Description, Due, OUT_BYTES, Play, Session};
use rustix::net::{RecvFlags, SendFlags};
use sip::sdp::{Agreed, Direction, EVENTS, OurSide};

use crate::driver::sockets::Pair;
use crate::driver::talk;

/// Bytes of the buffer that a datagram is received into: an Ethernet frame; voice is 172.
pub(crate) const DATAGRAM_BYTES: usize = 1_600;

/// A leg's sockets, its session, and where what it says goes.
#[derive(Debug)]
pub(crate) struct Wire {
    /// The number of its call.
    pub(crate) call: u64,
    pub(crate) leg: Leg,
    pub(crate) session: Session,
    /// The other leg's wire; its session decides whether it wants to hear us.
    pub(crate) peer: Option<u32>,
    /// The playing whose end the plan wants to hear of.
    pub(crate) awaited: Option<Play>,
    /// When the timer wheel will wake it.
    pub(crate) armed: Option<Instant>,
    ours: OurSide,
    pair: Pair,
    /// The far end that the kernel filters for, when sources are strict.
    connected: Option<SocketAddr>,
    strict: bool,
}

impl Wire {
    pub(crate) const fn new(
        call: u64,
        leg: Leg,
        session: Session,
        ours: OurSide,
        pair: Pair,
        strict: bool,
    ) -> Self {
        Self {
            call,
            leg,
            session,
            peer: None,
            awaited: None,
            armed: None,
            ours,
            pair,
            connected: None,
            strict,
        }
    }

    /// Our first description of the leg.
    pub(crate) fn offer(&mut self) -> Vec<u8> {
        self.ours.offer(Direction::SendRecv)
    }

    /// Takes the far end's answer to our offer; whether it can be talked to.
    pub(crate) fn accept(&mut self, answer: &[u8], now: Instant) -> bool {
        let Ok(agreed) = self.ours.accept(answer) else { return false };
        self.agree(&agreed, EVENTS, now);
        true
    }

    /// Answers an offer of the far end; a refused one leaves everything as it was.
    pub(crate) fn answer(&mut self, offer: &[u8], now: Instant) -> Result<Vec<u8>, u16> {
        let (answer, agreed) =
            self.ours.answer(offer, Direction::SendRecv).map_err(sip::sdp::Fault::status)?;
        self.agree(&agreed, agreed.events.unwrap_or(EVENTS), now);
        Ok(answer)
    }

    fn agree(&mut self, agreed: &Agreed, events: u8, now: Instant) {
        self.describe(talk::description(agreed, events), now);
        if agreed.direction.sends() {
            self.session.resume();
        } else {
            self.session.hold();
        }
    }

    /// Takes what offer and answer agreed to. With strict sources the sockets are connected, so that the kernel
    /// drops what strangers send before it costs us anything.
    fn describe(&mut self, description: Description, now: Instant) {
        self.session.describe(description, now);
        if !self.strict || self.connected == description.remote {
            return;
        }
        self.connected = None;
        if let Some(remote) = description.remote
            && rustix::net::connect(&self.pair.rtp, &remote).is_ok()
        {
            self.connected = Some(remote);
        }
        if let Some(remote) = description.remote_rtcp {
            // Unconnected it works as well; only strangers' reports then reach the session, which refuses them.
            rustix::net::connect(&self.pair.rtcp, &remote).ok();
        }
    }

    /// Reads one datagram of the RTP socket: its length and its source.
    pub(crate) fn receive(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        match self.connected {
            Some(remote) => {
                let (length, _) = rustix::net::recv(&self.pair.rtp, buffer, RecvFlags::empty()).ok()?;
                Some((length, remote))
            }
            None => receive_from(&self.pair.rtp, buffer),
        }
    }

    /// Reads one datagram of the RTCP socket.
    pub(crate) fn receive_rtcp(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        receive_from(&self.pair.rtcp, buffer)
    }

    /// Sends RTP to the far end. What cannot be sent now is lost, as on any network.
    pub(crate) fn send(&self, packet: &[u8]) {
        match self.connected {
            Some(_) => {
                rustix::net::send(&self.pair.rtp, packet, SendFlags::empty()).ok();
            }
            None => {
                if let Some(to) = self.session.target() {
                    rustix::net::sendto(&self.pair.rtp, packet, SendFlags::empty(), &to).ok();
                }
            }
        }
    }

    fn send_rtcp(&self, packet: &[u8]) {
        if let Some(to) = self.session.rtcp_target() {
            rustix::net::sendto(&self.pair.rtcp, packet, SendFlags::empty(), &to).ok();
        }
    }

    /// Does what is due, and hands what the call should hear of to `tell`.
    pub(crate) fn tick(&mut self, now: Instant, mut tell: impl FnMut(Due)) {
        let mut out = [0; OUT_BYTES];
        while let Some(due) = self.session.tick(now, &mut out) {
            match due {
                Due::Rtp(length) => self.send(&out[..length]),
                Due::Rtcp(length) => self.send_rtcp(&out[..length]),
                Due::ClipEnded(_) | Due::KeysSent | Due::Pressed(_) => tell(due),
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
}

fn receive_from(socket: impl AsFd, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
    let (length, _, from) = rustix::net::recvfrom(socket, buffer, RecvFlags::empty()).ok()?;
    Some((length, from?.try_into().ok()?))
}
