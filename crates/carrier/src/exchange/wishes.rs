//! What telephones want done.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;

use base::time::Instant;
use media::session::{Params, Session};
use media::source::Policy;
use rand::Rng;
use sip::sdp::{self, Direction};
use sip::{Reason, Ring};

use super::{Exchange, wall};
use crate::fate::{Announcement, Quirk, Way, Which};
use crate::leg::{CHORES, Media, NOTHING_AGREED, our_side};
use crate::phone::{Event, Wish};
use crate::poller::Token;
use crate::tape::Tape;
use crate::wire::{Loss, Pair, Wire};

impl Exchange {
    /// Lets a telephone know something and does what it then wants done.
    pub(super) fn tell(&mut self, place: usize, event: Event, now: Instant) {
        let Some(leg) = self.legs.get_mut(place) else { return };
        let mut wishes = Vec::new();
        leg.phone.on(event, now, &mut wishes);
        for wish in wishes {
            self.fulfil(place, wish, now);
        }
        self.arm(place);
    }

    fn fulfil(&mut self, place: usize, wish: Wish, now: Instant) {
        let Some(leg) = self.legs.get_mut(place) else { return };
        let key = leg.key;
        match wish {
            Wish::Ring => self.sip.ring(key, ring(180, None), now, &mut self.outputs),
            Wish::Announce(what, cause) => self.announce(place, what, cause, now),
            Wish::Answer => self.answer(place, now),
            Wish::Speak => self.speak(place, now),
            Wish::PressKeys(which, way) => self.press(place, which, way, now),
            Wish::HangUp => self.sip.hang_up(key, None, now, &mut self.outputs),
            Wish::Refuse { status, retry_after, cause } => {
                if let Some(secs) = retry_after {
                    self.quirks.dress(leg.call_id.as_bytes(), status, format!("Retry-After: {secs}"));
                }
                let reason = cause.map(Reason::q850);
                self.sip.reject(key, status, reason.as_ref(), now, &mut self.outputs);
            }
        }
    }

    fn press(&mut self, place: usize, which: Which, way: Way, now: Instant) {
        let Some(leg) = self.legs.get_mut(place) else { return };
        let keys = leg.fate.keys(which);
        match way {
            Way::Event => {
                if leg.media.as_mut().is_none_or(|media| media.wire.session.press(&keys).is_err()) {
                    tracing::debug!(
                        "a simulated telephone cannot press keys: no telephone-events were agreed to"
                    );
                }
            }
            Way::Info => {
                for key in keys {
                    let body = format!("Signal={}\r\nDuration=160\r\n", key.letter());
                    self.sip.info(leg.key, "application/dtmf-relay", body.as_bytes(), now, &mut self.outputs);
                }
            }
            Way::Tone => {
                let is_heard = leg.tones.is_some();
                leg.tones.get_or_insert_default().extend(keys);
                if !is_heard {
                    self.next_tone(place, now);
                }
            }
        }
    }

    /// Lets the next key be heard that waits for it, or silence when none does.
    pub(super) fn next_tone(&mut self, place: usize, now: Instant) {
        let Some(leg) = self.legs.get_mut(place) else { return };
        let key = leg.tones.as_mut().and_then(VecDeque::pop_front);
        if key.is_none() {
            leg.tones = None;
        }
        if let Some(media) = &mut leg.media {
            let list = key.map_or_else(|| self.repertoire.hush(), |key| self.repertoire.key(key));
            media.wire.session.play(list, now);
        }
    }

    /// 183, with an announcement as early media for whoever made an offer.
    fn announce(&mut self, place: usize, what: Announcement, cause: Option<u8>, now: Instant) {
        let Some(leg) = self.legs.get(place) else { return };
        let key = leg.key;
        if let Some(cause) = cause {
            let line = format!("Reason: {}", Reason::q850(cause));
            self.quirks.dress(leg.call_id.as_bytes(), 183, line);
        }
        // An offer of ours would need a PRACK to be answered in; without an offer there is no early media.
        if leg.offer.is_none() {
            return self.sip.ring(key, ring(183, None), now, &mut self.outputs);
        }
        let Some(sdp) = self.describe(place, now) else { return };
        self.sip.ring(key, ring(183, Some(sdp)), now, &mut self.outputs);
        if let Some(media) = self.legs.get_mut(place).and_then(|leg| leg.media.as_mut()) {
            media.wire.session.play(self.repertoire.announcement(what), now);
        }
    }

    fn answer(&mut self, place: usize, now: Instant) {
        let Some(sdp) = self.describe(place, now) else { return };
        let Some(leg) = self.legs.get_mut(place) else { return };
        if leg.fate.quirk() == Quirk::Deaf {
            self.quirks.deafen(leg.call_id.as_bytes(), now + self.settings.times.deafness);
        }
        let tape = self.settings.recordings.as_ref().and_then(|folder| {
            let path = folder.join(format!("{}-{}.wav", leg.digits, leg.serial));
            let told = |fault| tracing::warn!("a simulated telephone cannot record what it hears: {fault}");
            Tape::create(path, now).map_err(told).ok()
        });
        let heard = tape.as_ref().map(|tape| tape.path().to_owned());
        if let Some(media) = &mut leg.media {
            media.tape = tape;
        }
        leg.chores = Some(now + CHORES);
        self.ledger.change(leg.serial, |report| {
            report.answered = true;
            report.heard = heard;
        });
        let key = leg.key;
        self.sip.answer(key, &sdp, now, &mut self.outputs);
    }

    /// Our side of the media: opened and described when it is first needed. `None`: it cannot be, and the call is
    /// being refused.
    fn describe(&mut self, place: usize, now: Instant) -> Option<Vec<u8>> {
        let leg = self.legs.get_mut(place)?;
        if let Some(media) = &leg.media {
            return Some(media.side.said().to_vec());
        }
        let (key, offer) = (leg.key, leg.offer.take());
        let lossy = (leg.fate.quirk() == Quirk::Lossy).then(|| Loss::new(self.settings.seed ^ leg.serial));
        match self.open(place, offer.as_deref(), lossy, now) {
            Ok((media, body)) => {
                self.legs.get_mut(place)?.media = Some(media);
                Some(body)
            }
            Err(status) => {
                self.sip.reject(key, status, None, now, &mut self.outputs);
                None
            }
        }
    }

    /// Media that answer an offer, or make one; or the status that the call is refused with.
    fn open(
        &mut self,
        place: usize,
        offer: Option<&[u8]>,
        loss: Option<Loss>,
        now: Instant,
    ) -> Result<(Media, Vec<u8>), u16> {
        let pair = self.open_pair(place).map_err(|fault| {
            tracing::warn!("no RTP ports for a simulated telephone: {fault}");
            OUT_OF_PORTS
        })?;
        let (settings, rng) = (&self.settings, &mut self.rng);
        let side = our_side(settings.rtp_ip, pair.port(), rng.random());
        let params = Params {
            ssrc: rng.random(),
            seq: rng.random(),
            timestamp: rng.random(),
            policy: Policy::Strict,
            description: NOTHING_AGREED,
            wall: wall(),
            seed: rng.random(),
        };
        let mut media =
            Media { side, wire: Wire::new(Session::new(params, now), pair, loss), echoes: false, tape: None };
        let body = match offer {
            Some(offer) => media.answer(offer, now).map_err(sdp::Fault::status)?,
            None => media.side.offer(Direction::SendRecv),
        };
        Ok((media, body))
    }

    fn open_pair(&mut self, place: usize) -> io::Result<Pair> {
        let pair = Pair::open(self.settings.rtp_ip, &self.settings.rtp_ports, &mut self.rng)?;
        let number = u32::try_from(place).map_err(io::Error::other)?;
        self.poller.watch(pair.rtp.as_fd(), Token::Rtp(number))?;
        self.poller.watch(pair.rtcp.as_fd(), Token::Rtcp(number))?;
        Ok(pair)
    }

    fn speak(&mut self, place: usize, now: Instant) {
        let Some(leg) = self.legs.get_mut(place) else { return };
        let Some(media) = &mut leg.media else { return };
        match leg.fate.quirk() {
            Quirk::Echo => media.echo(),
            Quirk::Mute => {}
            Quirk::No | Quirk::Silent | Quirk::Lossy | Quirk::Deaf => {
                _ = media.wire.session.play(self.repertoire.voice(&leg.fate), now);
            }
        }
    }
}

const fn ring(status: u16, sdp: Option<Vec<u8>>) -> Ring {
    Ring { status, reliably: sdp.is_some(), sdp }
}

/// The refusal when our side of the media cannot be opened.
const OUT_OF_PORTS: u16 = 503;
