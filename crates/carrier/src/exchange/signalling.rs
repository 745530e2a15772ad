//! What SIP brings: calls, their ends, and changes between.

use std::mem;

use base::time::Instant;
use media::dtmf::Key;
use sip::message::{Message, Method, Uri, text};
use sip::sdp::Direction;
use sip::{Event as SipEvent, Hop, Invited, LegKey, Output, Transport, sdp};

use super::{Exchange, wall};
use crate::fate::{Fate, Quirk};
use crate::ledger::{EndedBy, LegReport};
use crate::leg::Leg;
use crate::phone::{Event, Phone};

impl Exchange {
    pub(super) fn on_signalling(&mut self, now: Instant) {
        let mut buffer = mem::take(&mut self.buffer);
        for _ in 0..SIGNALLING_BURST {
            let Ok((length, from)) = self.socket.recv_from(&mut buffer) else { break };
            self.on_message(from.into(), &buffer[..length], now);
        }
        self.buffer = buffer;
    }

    pub(super) fn on_link(&mut self, place: u32, now: Instant) {
        for (from, message) in self.links.read(place) {
            self.on_message(from, &message, now);
        }
    }

    fn on_message(&mut self, from: Hop, message: &[u8], now: Instant) {
        self.current = None;
        if !self.quirks.loses(message, now) && !self.ignores(message) {
            self.sip.receive(from, message, now, &mut self.outputs);
            self.drain_sip(now);
        }
    }

    /// Whether the datagram is an INVITE for a number that nothing is ever heard of. The first one is reported.
    fn ignores(&mut self, datagram: &[u8]) -> bool {
        if !datagram.starts_with(b"INVITE ") {
            return false;
        }
        let Ok(message) = Message::parse(datagram) else { return false };
        let Some(uri) = message.request_uri().filter(|_| message.to().tag().is_none()) else { return false };
        let dialled = user(&uri);
        if message.method() != Method::Invite || Fate::of(&dialled).quirk() != Quirk::Silent {
            return false;
        }
        if self.quirks.ignore(message.call_id()) {
            let shown = message.from().address().map(|uri| user(&uri)).unwrap_or_default();
            let now = wall();
            let report = LegReport::new(dialled, shown, text(message.call_id()).into_owned(), now);
            let ignored = LegReport { ended_by: Some(EndedBy::Ignored), ended: Some(now), ..report };
            self.ledger.open(self.serial, ignored);
            self.serial += 1;
        }
        true
    }

    /// Sends what SIP wants sent and hands its news to their legs, until it has nothing more to say.
    pub(super) fn drain_sip(&mut self, now: Instant) {
        while !self.outputs.is_empty() {
            for output in mem::take(&mut self.outputs) {
                match output {
                    Output::Send { to, transport, datagram } => {
                        let dressed = self.quirks.dressed(&datagram);
                        match transport {
                            // What cannot be sent now is sent again by its timer.
                            Transport::Udp => _ = self.socket.send_to(&dressed, to),
                            Transport::Tcp | Transport::Tls => {
                                self.links.send(Hop::new(transport, to), &dressed, &self.poller);
                            }
                        }
                    }
                    Output::Event { leg, event } => self.on_sip(leg, event, now),
                    Output::Pong { .. } | Output::Registration { .. } => {}
                }
            }
        }
    }

    fn on_sip(&mut self, key: LegKey, event: SipEvent, now: Instant) {
        if let SipEvent::Invited(invited) = event {
            return self.on_invited(key, *invited, now);
        }
        let Some(&place) = self.places.get(&key) else { return };
        self.current = Some(place);
        match event {
            SipEvent::Acked => self.tell(place, Event::Acked, now),
            SipEvent::Failed { local, .. } => {
                let by = if local { EndedBy::Callee } else { EndedBy::Caller };
                self.close(place, by, now);
            }
            SipEvent::Ended { by, .. } => {
                let by = if by == sip::EndedBy::Peer { EndedBy::Caller } else { EndedBy::Nobody };
                self.close(place, by, now);
            }
            SipEvent::Offer { sdp, .. } => self.on_offer(place, &sdp, now),
            SipEvent::OfferWanted { .. } => self.on_offer_wanted(place, now),
            SipEvent::OfferAnswered { sdp, .. } => self.on_answer(place, &sdp, now),
            SipEvent::Digit(digit) => {
                self.write_down(place, Key::from_char(*digit.expose()).as_slice());
            }
            SipEvent::Fault(fault) => tracing::debug!("simulated carrier: {fault}"),
            SipEvent::Invited(_)
            | SipEvent::Trying
            | SipEvent::Early { .. }
            | SipEvent::EarlyMedia { .. }
            | SipEvent::Redirected { .. }
            | SipEvent::Answered { .. }
            | SipEvent::OfferRefused { .. }
            | SipEvent::InfoDone { .. }
            | SipEvent::Cancelled { .. }
            | SipEvent::AckMissing => {}
        }
    }

    fn on_invited(&mut self, key: LegKey, invited: Invited, now: Instant) {
        let user_of = |uri: &str| Uri::parse(uri.as_bytes()).map(|uri| user(&uri)).unwrap_or_default();
        let (dialled, shown) = (user_of(&invited.request_uri), user_of(&invited.from));
        let fate = Fate::of(&dialled);
        let serial = self.serial;
        self.serial += 1;
        let leg = Leg {
            serial,
            key,
            call_id: invited.call_id.clone(),
            digits: dialled.chars().filter(char::is_ascii_digit).take(NAME_DIGITS_MAX).collect(),
            fate,
            phone: Phone::new(fate, self.settings.times, self.settings.quiet_max, now),
            offer: invited.offer,
            media: None,
            tones: None,
            chores: None,
        };
        let report = LegReport::new(dialled, shown, invited.call_id, wall());
        self.ledger.open(serial, report);
        let place = self.legs.insert(leg);
        self.places.insert(key, place);
        self.current = Some(place);
        self.tell(place, Event::Deadline, now);
    }

    /// The caller changes the session: hold, another address.
    fn on_offer(&mut self, place: usize, offer: &[u8], now: Instant) {
        let Some(leg) = self.legs.get_mut(place) else { return };
        let answer = match &mut leg.media {
            Some(media) => media.answer(offer, now).map_err(sdp::Fault::status),
            None => Err(NOT_ACCEPTABLE),
        };
        let key = leg.key;
        match answer {
            Ok(body) => self.sip.answer_offer(key, &body, now, &mut self.outputs),
            Err(status) => self.sip.refuse_offer(key, status, now, &mut self.outputs),
        }
        self.arm(place);
    }

    /// The caller wants an offer: it hears what the telephone said last.
    fn on_offer_wanted(&mut self, place: usize, now: Instant) {
        let Some(leg) = self.legs.get_mut(place) else { return };
        let key = leg.key;
        match &mut leg.media {
            Some(media) => {
                let offer = media.side.offer(Direction::SendRecv);
                self.sip.answer_offer(key, &offer, now, &mut self.outputs);
            }
            None => self.sip.refuse_offer(key, NOT_ACCEPTABLE, now, &mut self.outputs),
        }
    }

    /// The caller answers our offer, which it asked for by making none.
    fn on_answer(&mut self, place: usize, answer: &[u8], now: Instant) {
        let media = self.legs.get_mut(place).and_then(|leg| leg.media.as_mut());
        if let Some(Err(fault)) = media.map(|media| media.accept(answer, now)) {
            tracing::debug!("a simulated telephone cannot use an answer: {fault}");
        }
        self.arm(place);
    }
}

/// The user part of a URI, as far as a report needs it.
fn user(uri: &Uri<'_>) -> String {
    // `;` begins parameters of a telephone number, such as a phone context.
    let user = String::from_utf8_lossy(&uri.user_decoded()).into_owned();
    user.split(';').next().unwrap_or_default().chars().take(USER_CHARS_MAX).collect()
}

/// The refusal of an offer that there is no session for.
const NOT_ACCEPTABLE: u16 = 488;

/// SIP messages taken in a turn, so that voices do not stutter while calls pour in.
const SIGNALLING_BURST: usize = 64;

/// Characters kept of a user part; numbers have at most 31.
const USER_CHARS_MAX: usize = 64;

/// Dialled digits in the name of a recording.
const NAME_DIGITS_MAX: usize = 32;
