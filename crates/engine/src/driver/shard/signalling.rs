//! What SIP brings and wants.

use std::time::Duration;

use base::answerer::OnMachine;
use base::fact::KeySource;
use base::id::Leg;
use base::release::Release;
use base::time::Instant;
use sip::{Event, Fork, Hop, LegKey, Output, Transport};

use super::{Live, SIGNALLING_BURST, Shard, of_key, traces};
use crate::answering::Answering;
use crate::driver::ground::Ground;
use crate::driver::names;
use crate::driver::post::Post;
use crate::driver::shard::early::Provisional;
use crate::driver::talk;
use crate::keys::Press;
use crate::leg::{Failure, LegState};

impl<G: Ground> Shard<G> {
    pub(super) fn on_signalling(&mut self, now: Instant) {
        for _ in 0..SIGNALLING_BURST {
            let Some((length, from)) = self.ground.hear(&mut self.datagram) else { return };
            let datagram = &self.datagram[..length];
            match self.shard_for(datagram) {
                Some(other) if other != self.number => {
                    // A full mailbox drops it; SIP sends everything again.
                    let post = Post::Message { from: from.into(), bytes: datagram.into() };
                    self.posts[other].post(post).ok();
                }
                _ => {
                    self.current = None;
                    traces::note_received(
                        &mut self.tracer,
                        &self.numbers,
                        &self.calls,
                        (from.into(), datagram),
                        now,
                    );
                    self.sip.receive(from, datagram, now, &mut self.outputs);
                    self.drain_sip(now);
                }
            }
        }
        // There may be more, which came after this one.
        self.lateness.note(self.ground.lay());
    }

    /// The shard whose leg a datagram belongs to, as far as its Call-ID says.
    fn shard_for(&self, datagram: &[u8]) -> Option<usize> {
        if self.posts.len() == 1 {
            return None;
        }
        names::shard_for(datagram, self.posts.len())
    }

    /// Sends what SIP wants sent and hands its news to their calls, one by one, until it has nothing more to say.
    pub(super) fn drain_sip(&mut self, now: Instant) {
        loop {
            self.unheard.extend(self.outputs.drain(..));
            match self.unheard.pop_front() {
                Some(Output::Send { to, transport, datagram }) => {
                    let hop = Hop::new(transport, to);
                    self.note_sent(hop, &datagram, now);
                    let is_sent = match transport {
                        // What cannot be sent now is sent again by its timer.
                        Transport::Udp => self.ground.say(&datagram, to),
                        Transport::Tcp | Transport::Tls => self.ground.stream(&datagram, hop),
                    };
                    if !is_sent {
                        self.sip.undelivered(hop, &datagram, now, &mut self.outputs);
                    }
                }
                Some(Output::Event { leg, event }) => self.on_sip(leg, event, now),
                Some(Output::Pong { peer, status, .. }) => self.on_pong(peer, status),
                Some(Output::Registration { key, state }) => self.on_registration(key, state, now),
                None => return,
            }
        }
    }

    fn on_sip(&mut self, key: LegKey, event: Event, now: Instant) {
        let (number, leg, attempt) = of_key(key);
        // What becomes of an attempt that was given up is nobody's news.
        let is_current = |live: &Live| live.attempts[leg.index()].number() == attempt;
        if !self.calls.get(&number).is_some_and(is_current) {
            return;
        }
        self.current = Some(number);
        self.note_signs_of_life(number, leg, &event);
        match event {
            Event::Early { fork, status, sdp, reason, allowed } => {
                let (sdp, reason) = (sdp.as_deref(), reason.as_ref());
                self.on_early(number, leg, &Provisional { fork, status, sdp, reason, allowed }, now);
            }
            Event::EarlyMedia { fork, allowed } => self.on_allowed(number, leg, (fork, allowed), now),
            Event::Redirected { status } => self.on_redirected(number, leg, status, now),
            Event::Answered { fork, sdp } => self.on_answer(number, leg, (fork, sdp.as_deref()), now),
            Event::Failed { status, reason, local, retry_after } => {
                let pause = retry_after.map(u64::from).map(Duration::from_secs);
                let failure = Failure { status, reason: reason.as_ref(), local, pause };
                self.on_failed(number, leg, &failure, now);
            }
            Event::Ended { by, .. } => self.on_gone(number, leg, now, |state| state.ended(by)),
            Event::Offer { fork, sdp } => self.on_offer(number, leg, (fork, &sdp), now),
            Event::OfferWanted { .. } => self.on_offer_wanted(number, leg, now),
            Event::OfferAnswered { fork, sdp } => {
                // An answer that nobody can talk by leaves the session what it was.
                self.describe(number, leg, (fork, &sdp), now);
            }
            Event::Digit(digit) => {
                let press = Press { digit: *digit.expose(), source: KeySource::Info, held: Duration::ZERO };
                self.with(number, now, |running, now, out| running.pressed(leg, press, now, out));
            }
            Event::Fault(fault) => tracing::debug!(leg = %leg, "{fault}"),
            Event::Trying
            | Event::OfferRefused { .. }
            | Event::InfoDone { .. }
            | Event::Invited(_)
            | Event::Cancelled { .. }
            | Event::Acked
            | Event::AckMissing => {}
        }
    }

    /// A 2xx: its session description, or the one that its branch sent early, says where the party is heard.
    fn on_answer(&mut self, number: u64, leg: Leg, (fork, sdp): (Fork, Option<&[u8]>), now: Instant) {
        let understood = match sdp {
            Some(sdp) => self.describe(number, leg, (fork, sdp), now),
            None => self.wire_mut(number, leg).is_some_and(|wire| wire.accept_early(fork, now)),
        };
        if understood {
            if let Some(wire) = self.wire_mut(number, leg) {
                wire.answered = Some(now);
            }
            self.attend(number, leg, now);
            self.with(number, now, |running, now, out| running.answered(leg, now, out));
        } else {
            // No codec in common, or no address: the party would hear nothing, so the leg counts as failed.
            let key = self.key_of(number, leg);
            self.sip.hang_up(key, Some(talk::UNUSABLE_ANSWER), now, &mut self.outputs);
            let failure = Failure { status: talk::NOT_ACCEPTABLE, reason: None, local: false, pause: None };
            self.on_gone(number, leg, now, |state| state.failed(&failure));
        }
    }

    /// A party that only we talk to is there now: it never hears a stream that stops, and is heard whichever way it
    /// presses the keys that it is asked for.
    fn attend(&mut self, number: u64, leg: Leg, now: Instant) {
        let Some(running) = self.calls.get(&number).map(|live| &live.running) else { return };
        let (is_alone, wants_keys) = (running.is_alone(leg), running.call().wants_keys());
        let Answering { machine, patience, .. } = self.answering;
        let Some(wire) = self.wire_mut(number, leg) else { return };
        wire.session.listen_no_more();
        if is_alone {
            wire.session.fill_pauses(now);
            if machine != OnMachine::Off {
                wire.session.listen_for_answerer(patience, now);
            }
        }
        if wants_keys {
            wire.session.listen_for_tones();
        }
        self.arm(number, leg);
    }

    pub(super) fn on_gone(
        &mut self,
        number: u64,
        leg: Leg,
        now: Instant,
        how: impl FnOnce(&mut LegState) -> Release,
    ) {
        let media = self.wire_mut(number, leg).and_then(|wire| wire.media(now));
        self.close_wire(number, leg, now);
        if let Some(live) = self.calls.get_mut(&number) {
            live.attempts[leg.index()].is_over();
        }
        self.with(number, now, |running, now, out| running.gone(leg, how, media, now, out));
    }

    /// Takes the far end's answer; whether it can be talked to.
    fn describe(&mut self, number: u64, leg: Leg, (fork, sdp): (Fork, &[u8]), now: Instant) -> bool {
        let understood = self.wire_mut(number, leg).is_some_and(|wire| wire.accept(fork, sdp, now));
        self.arm(number, leg);
        understood
    }

    /// A re-INVITE or UPDATE with an offer: hold, resume, another address or codec.
    fn on_offer(&mut self, number: u64, leg: Leg, (fork, sdp): (Fork, &[u8]), now: Instant) {
        let key = self.key_of(number, leg);
        let Some(wire) = self.wire_mut(number, leg) else { return };
        match wire.answer(fork, sdp, now) {
            Ok(answer) => self.sip.answer_offer(key, &answer, now, &mut self.outputs),
            Err(status) => self.sip.refuse_offer(key, status, now, &mut self.outputs),
        }
        self.arm(number, leg);
    }

    /// A re-INVITE without an offer: the far end wants to hear all that we can do.
    fn on_offer_wanted(&mut self, number: u64, leg: Leg, now: Instant) {
        let key = self.key_of(number, leg);
        let Some(wire) = self.wire_mut(number, leg) else { return };
        let offer = wire.offer();
        self.sip.answer_offer(key, &offer, now, &mut self.outputs);
    }
}
