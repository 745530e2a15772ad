//! The wires of one leg: its two sockets and its media session.

use std::net::SocketAddr;

use base::id::Leg;
use base::quality::MediaReport;
use base::time::Instant;
use base::trace::Way;
use media::session::{Description, Due, OUT_BYTES, Play, Session};
use sip::sdp::{Agreed, Direction, OurSide};
use sip::{EarlyBranches, EarlyMedia, Fork};
use smallvec::SmallVec;

use crate::driver::ground::{Ground, Sockets};
use crate::driver::talk::{self, NOT_ACCEPTABLE};
use crate::driver::trace::Headers;

/// Bytes of the buffer that a datagram is received into: an Ethernet frame; voice is 172.
pub(crate) const DATAGRAM_BYTES: usize = 1_600;

/// What becomes of the sound that a leg sends before it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sound {
    /// Nobody is heard, and nobody was.
    None,
    /// A branch is heard from now on.
    Begins,
    /// A branch is heard, maybe another one than before.
    GoesOn,
    /// Nobody is heard any more.
    Ends,
}

/// A leg's sockets, its session, and where what it says goes.
pub(crate) struct Wire<G: Ground> {
    /// The number of its call.
    pub(crate) call: u64,
    pub(crate) leg: Leg,
    pub(crate) session: Session,
    /// The other leg's wire; its session decides whether it wants to hear us.
    pub(crate) peer: Option<u32>,
    /// The playing whose end the plan wants to hear of.
    pub(crate) awaited: Option<Play>,
    /// Whether what the party says is recorded.
    pub(crate) recorded: bool,
    /// What keeps the headers of its packets, if anything does.
    pub(crate) headers: Option<Box<Headers>>,
    /// When the timer wheel will wake it.
    pub(crate) armed: Option<Instant>,
    /// When its session began.
    opened: Instant,
    /// When the party picked up.
    pub(crate) answered: Option<Instant>,
    ours: OurSide,
    /// What each branch of the call has agreed to: the 2xx that ends the ringing need not say it again.
    agreed: SmallVec<[(Fork, Agreed); 1]>,
    /// The branches before the answer, and the one of them that is heard.
    branches: EarlyBranches,
    heard: Option<Fork>,
    /// Whether its early media is or was listened to for announcements: that is begun once.
    pub(crate) overheard: bool,
    sockets: G::Sockets,
    /// The far end that the kernel filters for, when sources are strict.
    connected: Option<SocketAddr>,
    strict: bool,
}

impl<G: Ground> Wire<G> {
    pub(crate) fn new(
        call: u64,
        leg: Leg,
        session: Session,
        ours: OurSide,
        sockets: G::Sockets,
        strict: bool,
        now: Instant,
    ) -> Self {
        Self {
            call,
            leg,
            session,
            peer: None,
            awaited: None,
            recorded: false,
            headers: None,
            armed: None,
            opened: now,
            answered: None,
            ours,
            agreed: SmallVec::new(),
            branches: EarlyBranches::default(),
            heard: None,
            overheard: false,
            sockets,
            connected: None,
            strict,
        }
    }

    /// What the media came to; `None` when the party never picked up.
    pub(crate) fn media(&self, now: Instant) -> Option<MediaReport> {
        let rang = self.answered?.since(self.opened);
        Some(self.session.quality(now).report(rang))
    }

    /// Our description of the leg with everything that we can do: the first one, or another when the far end asks.
    pub(crate) fn offer(&mut self) -> Vec<u8> {
        self.ours.offer(Direction::SendRecv)
    }

    /// Takes a branch's answer to our offer; whether it can be talked to.
    pub(crate) fn accept(&mut self, fork: Fork, answer: &[u8], now: Instant) -> bool {
        let Ok(agreed) = self.ours.accept(answer) else { return false };
        self.reaches(&agreed) && {
            self.keep(fork, agreed);
            self.agree(&agreed, now);
            true
        }
    }

    /// Takes what a branch said before it answered; whether it said anything that can be talked by.
    pub(crate) fn accept_early(&mut self, fork: Fork, now: Instant) -> bool {
        let agreed = self.agreed_with(fork);
        if let Some(agreed) = &agreed {
            self.agree(agreed, now);
        }
        agreed.is_some()
    }

    /// A branch says something before the answer: how it is reached, what its network allows, or both. Of several only
    /// one is heard. Gives what becomes of the sound.
    pub(crate) fn hear_branch(
        &mut self,
        fork: Fork,
        sdp: Option<&[u8]>,
        allowed: Option<EarlyMedia>,
        now: Instant,
    ) -> Sound {
        let agreed = sdp.and_then(|sdp| self.ours.accept(sdp).ok()).filter(|agreed| self.reaches(agreed));
        if let Some(agreed) = agreed {
            self.keep(fork, agreed);
        }
        let heard = self.branches.on_news(fork, agreed.is_some(), allowed);
        let before = std::mem::replace(&mut self.heard, heard);
        let is_changed = before != heard || (heard == Some(fork) && agreed.is_some());
        if let Some(agreed) = heard.filter(|_| is_changed).and_then(|heard| self.agreed_with(heard)) {
            self.agree(&agreed, now);
        }
        match (before, heard) {
            (None, None) => Sound::None,
            (None, Some(_)) => Sound::Begins,
            (Some(_), Some(_)) => Sound::GoesOn,
            (Some(_), None) => Sound::Ends,
        }
    }

    /// The call was sent elsewhere: what branches there were are gone.
    pub(crate) fn forget_branches(&mut self) -> Sound {
        self.branches = EarlyBranches::default();
        self.agreed.clear();
        self.heard.take().map_or(Sound::None, |_| Sound::Ends)
    }

    /// Answers an offer of the far end; a refused one leaves everything as it was.
    pub(crate) fn answer(&mut self, fork: Fork, offer: &[u8], now: Instant) -> Result<Vec<u8>, u16> {
        let before = self.ours.clone();
        let (answer, agreed) =
            self.ours.answer(offer, Direction::SendRecv).map_err(sip::sdp::Fault::status)?;
        if !self.reaches(&agreed) {
            self.ours = before;
            return Err(NOT_ACCEPTABLE);
        }
        self.keep(fork, agreed);
        // Before the answer, a branch that is not heard may change its mind about what will be.
        if self.answered.is_some() || self.heard.is_none_or(|heard| heard == fork) {
            self.agree(&agreed, now);
        }
        Ok(answer)
    }

    /// Whether our sockets can send there at all.
    fn reaches(&self, agreed: &Agreed) -> bool {
        agreed.address.is_ipv4() == self.sockets.is_ipv4()
    }

    fn keep(&mut self, fork: Fork, agreed: Agreed) {
        match self.agreed.iter_mut().find(|(own, _)| *own == fork) {
            Some((_, kept)) => *kept = agreed,
            None => self.agreed.push((fork, agreed)),
        }
    }

    fn agreed_with(&self, fork: Fork) -> Option<Agreed> {
        self.agreed.iter().find(|(own, _)| *own == fork).map(|(_, agreed)| *agreed)
    }

    fn agree(&mut self, agreed: &Agreed, now: Instant) {
        let mut description = talk::description(agreed);
        if agreed.address.ip().is_unspecified() {
            // The older way to hold (RFC 2543 B.5): the far end stays where it was.
            description.remote = self.session.description().remote;
            description.remote_rtcp = self.session.description().remote_rtcp;
        }
        if let Some(keys) = talk::keys(&self.ours, agreed) {
            self.session.protect(keys);
        }
        self.describe(description, now);
        if agreed.direction.sends() {
            self.session.resume();
        } else {
            self.session.hold();
        }
    }

    /// Takes what offer and answer agreed to. With strict sources the RTP socket is connected, so that the kernel
    /// drops what strangers send before it costs us anything. RTCP is too rare for that.
    fn describe(&mut self, description: Description, now: Instant) {
        self.session.describe(description, now);
        if !self.strict || self.connected == description.remote {
            return;
        }
        self.connected = description.remote.filter(|to| self.sockets.connect(*to));
    }

    /// Reads one datagram of the RTP socket: its length and its source. Also a connected socket is asked for the
    /// source: what came before it was connected may be anybody's. An error that the network reported is swallowed.
    pub(crate) fn receive(
        &self,
        ground: &G,
        arrival: G::Arrival,
        buffer: &mut [u8],
    ) -> Option<(usize, SocketAddr)> {
        ground.receive(&self.sockets, arrival, buffer)
    }

    /// Reads one datagram of the RTCP socket.
    pub(crate) fn receive_rtcp(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        self.sockets.receive_rtcp(buffer)
    }

    /// Sends RTP to the far end, unless it is held. What cannot be sent now is lost, as on any network.
    pub(crate) fn send(&mut self, ground: &mut G, packet: &[u8], now: Instant) {
        let Some(to) = self.session.target() else { return };
        self.note(Way::Sent, to, packet, now);
        ground.send(&self.sockets, packet, Some(to).filter(|to| self.connected != Some(*to)));
    }

    /// Keeps the header of a packet, if headers are kept.
    pub(crate) fn note(&mut self, way: Way, far: SocketAddr, packet: &[u8], now: Instant) {
        if let Some(headers) = &mut self.headers {
            headers.note(way, far, packet, now);
        }
    }

    fn send_rtcp(&self, packet: &[u8]) {
        if let Some(to) = self.session.rtcp_target() {
            self.sockets.send_rtcp(packet, to);
        }
    }

    /// Does what is due, and hands what the call should hear of to `tell`.
    pub(crate) fn tick(&mut self, ground: &mut G, now: Instant, mut tell: impl FnMut(Due)) {
        let mut out = [0; OUT_BYTES];
        while let Some(due) = self.session.tick(now, &mut out) {
            match due {
                Due::Rtp(length) => self.send(ground, &out[..length], now),
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
}
