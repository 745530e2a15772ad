//! The far ends: gateways that speak SIP, and behind them a telephone for each INVITE.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use base::time::Instant;
use media::clip::Clip;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use sip::sdp::Direction;
use sip::{Endpoint, Event, Invited, LegKey, Output, Outputs, PeerRule, Ring};

use crate::history::{Attempt, By, Far as Seen};
use crate::net::{Flight, Net, US};
use crate::phone::{Phone, nth_of};
use crate::temper::{Act, Temper};

/// See the module.
pub(crate) struct Far {
    net: Rc<RefCell<Net>>,
    rng: SmallRng,
    gateways: Vec<Gateway>,
    phones: Vec<Phone>,
    /// What the telephones will do whose INVITE has come to their trunk.
    tempers: BTreeMap<Attempt, Temper>,
    /// The telephone of an attempt, once it was called.
    called: BTreeMap<Attempt, usize>,
    wakes: BTreeSet<(Instant, usize)>,
    voice: Clip,
    /// How often telephones have moved.
    moves: u16,
}

/// One address of a trunk.
struct Gateway {
    address: SocketAddr,
    sip: Endpoint,
    outputs: Outputs,
    by_key: BTreeMap<LegKey, usize>,
    door: Door,
}

/// A gateway as its world draws it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    /// Whether it says nothing at all.
    pub(crate) is_dead: bool,
    /// Whether its telephones may stand behind NAT.
    pub(crate) is_nat: bool,
}

impl Far {
    /// Gateways at these addresses; the others of a trunk are as if they were not there.
    pub(crate) fn new(net: &Rc<RefCell<Net>>, gateways: &[Door], rng: &mut SmallRng) -> Self {
        let gateway = |door: &Door| {
            let Door { address, .. } = door;
            let mut manners = sip::Settings::new(address.to_string());
            manners.peers = vec![PeerRule::Socket(US)];
            manners.accept_calls = true;
            manners.session.interval = rng.random_bool(0.5).then_some(SHORT_SESSION);
            let sip = Endpoint::new(manners, rng.random());
            Gateway { address: *address, sip, outputs: Vec::new(), by_key: BTreeMap::new(), door: *door }
        };
        let gateways = gateways.iter().map(gateway).collect();
        Self {
            net: Rc::clone(net),
            rng: SmallRng::from_rng(rng),
            gateways,
            phones: Vec::new(),
            tempers: BTreeMap::new(),
            called: BTreeMap::new(),
            wakes: BTreeSet::new(),
            voice: Clip::from_alaw(&[0x35; 1_600]),
            moves: 0,
        }
    }

    /// When somebody has something to do.
    pub(crate) fn next(&self) -> Option<Instant> {
        let gateways = self.gateways.iter().filter_map(|gateway| gateway.sip.deadline());
        gateways.chain(self.wakes.first().map(|(at, _)| *at)).min()
    }

    /// Whether every call is over for its telephone, or the telephone is dead.
    pub(crate) fn is_idle(&self) -> bool {
        self.phones.iter().all(|phone| phone.is_over || phone.is_dead)
    }

    /// Takes a datagram that came for somebody here.
    pub(crate) fn hear(&mut self, flight: Flight, now: Instant) {
        let Flight { to, from, mut bytes, .. } = flight;
        if let Some(gateway) = self.gateways.iter().position(|gateway| gateway.address == to) {
            self.hear_sip(gateway, (from, &bytes), now);
        } else if let Some(nth) = nth_of(to)
            && let Some(phone) = self.phones.get_mut(nth)
            && !phone.is_dead
        {
            phone.hear(to.port() % 2 == 0, from, &mut bytes, now);
            self.set_wake(nth);
        }
        self.net.borrow_mut().recycle(bytes);
    }

    /// Lets everything happen that is due.
    pub(crate) fn on_time(&mut self, now: Instant) {
        for at in 0..self.gateways.len() {
            let gateway = &mut self.gateways[at];
            if gateway.sip.deadline().is_some_and(|due| due <= now) {
                gateway.sip.on_time(now, &mut gateway.outputs);
                self.drain(at, now);
            }
        }
        while let Some((at, nth)) = self.wakes.first().copied().filter(|(at, _)| *at <= now) {
            self.wakes.remove(&(at, nth));
            self.phones[nth].wake = None;
            self.serve(nth, now);
        }
    }

    fn hear_sip(&mut self, at: usize, (from, bytes): (SocketAddr, &[u8]), now: Instant) {
        let attempt = sip::call_id_of(bytes).and_then(Attempt::of);
        let is_lost = self.gateways[at].door.is_dead
            || attempt.is_some_and(|attempt| {
                let Self { tempers, rng, .. } = self;
                let temper = tempers.entry(attempt).or_insert_with(|| Temper::draw(rng));
                let phone = self.called.get(&attempt);
                temper.is_deaf || phone.is_some_and(|phone| self.phones[*phone].is_dead)
            });
        if !is_lost {
            let gateway = &mut self.gateways[at];
            gateway.sip.receive(from, bytes, now, &mut gateway.outputs);
            self.drain(at, now);
        }
    }

    /// Sends what a gateway wants sent, and tells its telephones what it tells them.
    fn drain(&mut self, at: usize, now: Instant) {
        while !self.gateways[at].outputs.is_empty() {
            for output in std::mem::take(&mut self.gateways[at].outputs) {
                match output {
                    Output::Send { to, datagram, .. } => self.send(at, to, &datagram),
                    Output::Event { leg, event: Event::Invited(invited) } => {
                        self.invited(at, leg, *invited, now);
                    }
                    Output::Event { leg, event } => {
                        if let Some(nth) = self.gateways[at].by_key.get(&leg).copied() {
                            self.on(nth, event, now);
                        }
                    }
                    Output::Pong { .. } | Output::Registration { .. } => {}
                }
            }
        }
    }

    fn send(&self, at: usize, to: SocketAddr, datagram: &[u8]) {
        let attempt = sip::call_id_of(datagram).and_then(Attempt::of);
        let phone = attempt.and_then(|attempt| self.called.get(&attempt));
        if phone.is_none_or(|phone| !self.phones[*phone].is_dead) {
            self.net.borrow_mut().send_sip(By::Them, (self.gateways[at].address, to), datagram);
        }
    }

    fn invited(&mut self, at: usize, key: LegKey, invited: Invited, now: Instant) {
        let Some(attempt) = Attempt::of(invited.call_id.as_bytes()) else { return };
        let Some(temper) = self.tempers.get(&attempt).cloned() else { return };
        let nth = self.phones.len();
        let phone = Phone::new(nth, (at, key, attempt), invited.offer, temper, now, &mut self.rng);
        self.phones.push(phone);
        self.note_source(nth, now);
        self.gateways[at].by_key.insert(key, nth);
        self.called.insert(attempt, nth);
        self.serve(nth, now);
    }

    fn on(&mut self, nth: usize, event: Event, now: Instant) {
        let phone = &mut self.phones[nth];
        match event {
            Event::Acked => phone.acked(now),
            Event::Failed { .. } | Event::Ended { .. } => {
                phone.is_over = true;
                self.note(&self.phones[nth], Seen::Over, now);
            }
            Event::Offer { sdp, .. } => {
                let answer = phone.answer(&sdp, now);
                let (at, key) = (phone.gateway, phone.key);
                let Gateway { sip, outputs, .. } = &mut self.gateways[at];
                match answer {
                    Some(answer) => sip.answer_offer(key, &answer, now, outputs),
                    None => sip.refuse_offer(key, 488, now, outputs),
                }
            }
            Event::OfferWanted { .. } => {
                let (at, key) = (phone.gateway, phone.key);
                let offer = phone.describe(Direction::SendRecv);
                let Gateway { sip, outputs, .. } = &mut self.gateways[at];
                sip.answer_offer(key, &offer, now, outputs);
            }
            Event::OfferAnswered { sdp, .. } => phone.accept(&sdp, now),
            Event::Trying
            | Event::Early { .. }
            | Event::EarlyMedia { .. }
            | Event::Redirected { .. }
            | Event::Answered { .. }
            | Event::OfferRefused { .. }
            | Event::Digit(_)
            | Event::InfoDone { .. }
            | Event::Fault(_)
            | Event::Invited(_)
            | Event::Cancelled { .. }
            | Event::AckMissing => {}
        }
        self.set_wake(nth);
    }

    /// Lets a telephone do what is due.
    fn serve(&mut self, nth: usize, now: Instant) {
        while let Some(act) = self.phones[nth].next_act(now) {
            if self.phones[nth].is_over || self.phones[nth].is_dead {
                break;
            }
            self.act(nth, act, now);
            let at = self.phones[nth].gateway;
            self.drain(at, now);
        }
        let net = &self.net;
        let phone = &mut self.phones[nth];
        if !phone.is_over && !phone.is_dead {
            phone.tick(now, |way, packet| net.borrow_mut().send_media(way, packet));
        }
        self.set_wake(nth);
    }

    fn act(&mut self, nth: usize, act: Act, now: Instant) {
        let Self { phones, gateways, rng, moves, voice, .. } = self;
        let phone = &mut phones[nth];
        let Gateway { sip, outputs: out, .. } = &mut gateways[phone.gateway];
        let key = phone.key;
        match act {
            Act::Ring { reliably } => sip.ring(key, Ring { status: 180, sdp: None, reliably }, now, out),
            Act::Early { reliably } => {
                let offer = phone.offer.take();
                let sdp = offer.and_then(|offer| phone.answer(&offer, now));
                sip.ring(key, Ring { status: 183, sdp, reliably }, now, out);
                phone.speak(voice, now);
            }
            Act::Answer => {
                // What was described early is said again.
                let sdp = match phone.offer.take() {
                    Some(offer) => phone.answer(&offer, now),
                    None => Some(phone.said()),
                };
                phone.hush();
                match sdp {
                    Some(sdp) => {
                        sip.answer(key, &sdp, now, out);
                        self.note(&self.phones[nth], Seen::Answered, now);
                    }
                    None => sip.reject(key, 488, None, now, out),
                }
            }
            Act::Refuse(status) => sip.reject(key, status, None, now, out),
            Act::Offer(direction) => {
                let offer = phone.describe(direction);
                sip.offer(key, &offer, now, out);
            }
            Act::Update(direction) => {
                let offer = phone.describe(direction);
                sip.update(key, Some(&offer), now, out);
            }
            Act::Move => {
                *moves += 1;
                phone.moves(nth, *moves, rng);
                let offer = phone.describe(Direction::SendRecv);
                sip.offer(key, &offer, now, out);
                self.note_source(nth, now);
            }
            Act::Info(digit) => {
                sip.info(key, KEY_IN_INFO, info(digit).as_bytes(), now, out);
                self.note(&self.phones[nth], Seen::Pressed(digit), now);
            }
            Act::Press(digit) => {
                if phone.press(digit) {
                    self.note(&self.phones[nth], Seen::Pressed(digit), now);
                }
            }
            Act::PressTwice(digit) => {
                // Where one way may come late, it is another press for whoever hears it.
                let is_told = phone.press(digit);
                if self.net.borrow().is_calm() || !is_told {
                    sip.info(key, KEY_IN_INFO, info(digit).as_bytes(), now, out);
                }
                self.note(&self.phones[nth], Seen::Pressed(digit), now);
            }
            Act::Hum(digit) => {
                phone.hum(digit, now);
                self.note(&self.phones[nth], Seen::Pressed(digit), now);
            }
            Act::Speak => phone.speak(voice, now),
            Act::Hush => phone.hush(),
            Act::HangUp => sip.hang_up(key, None, now, out),
            Act::Die => {
                phone.is_dead = true;
                self.note(&self.phones[nth], Seen::Died, now);
            }
        }
    }

    fn note_source(&self, nth: usize, now: Instant) {
        let phone = &self.phones[nth];
        if self.gateways[phone.gateway].door.is_nat {
            self.note(phone, Seen::SendsFrom(phone.source()), now);
        }
    }

    fn note(&self, phone: &Phone, seen: Seen, now: Instant) {
        self.net.borrow_mut().history.far.push((now, phone.attempt, seen));
    }

    fn set_wake(&mut self, nth: usize) {
        let phone = &mut self.phones[nth];
        let wanted = phone.deadline();
        if phone.wake != wanted {
            if let Some(old) = phone.wake {
                self.wakes.remove(&(old, nth));
            }
            self.wakes.extend(wanted.map(|at| (at, nth)));
            phone.wake = wanted;
        }
    }
}

/// The body of an INFO that tells a key.
fn info(digit: char) -> String {
    format!("Signal={digit}\r\nDuration=160\r\n")
}

const KEY_IN_INFO: &str = "application/dtmf-relay";

/// The session timer of gateways that have one: as short as it may be.
const SHORT_SESSION: Duration = Duration::from_secs(90);
