//! What other threads want of a shard.

use std::sync::Arc;

use base::id::{AppId, CallId};
use base::release::Cause;
use base::time::Instant;
use base::trunk::TrunkNo;
use sip::digest::Credentials;
use sip::{Adopted, Saved};
use smallvec::SmallVec;

use super::{LETTER_BURST, Letter, Live, SIGNALLING_BURST, Shard, leg_key, traces};
use crate::call::Running;
use crate::driver::ground::Ground;
use crate::driver::names;
use crate::driver::places::Gateway;
use crate::driver::post::Post;
use crate::driver::talk::reason_of;
use crate::engine::{Launch, Orphan};

impl<G: Ground> Shard<G> {
    pub(super) fn on_bell(&mut self, now: Instant) {
        self.mailbox.hush();
        for _ in 0..LETTER_BURST {
            let Some(letter) = self.mailbox.take() else { return };
            self.current = None;
            match letter {
                Letter::Launch(launch) => self.launch(*launch, now),
                Letter::Stop { call, app, answer } => self.stop(call, app, answer, now),
                Letter::Orphan(orphan) => self.adopt(&orphan, now),
                Letter::Gateways { trunk, gateways } => self.set_gateways(trunk, gateways, now),
                Letter::Recording { call, news } => self.on_archive(call, news, now),
                Letter::EndCalls => self.end_calls(now),
                Letter::End => self.end(now),
            }
            self.drain_sip(now);
        }
        // There may be more: come back for it when the media has had its turn.
        self.lateness.note(self.mailbox.lay());
        self.mailbox.ring();
    }

    pub(super) fn on_post(&mut self, now: Instant) {
        self.post.hush();
        for _ in 0..SIGNALLING_BURST {
            let Some(post) = self.post.take() else { return };
            self.current = None;
            match post {
                Post::Message { from, bytes } => {
                    let message = (from, &*bytes);
                    traces::note_received(&mut self.tracer, &self.numbers, &self.calls, message, now);
                    self.sip.receive(from, &bytes, now, &mut self.outputs);
                }
                Post::Undelivered { to, message } => {
                    self.sip.undelivered(to, &message, now, &mut self.outputs);
                }
            }
            self.drain_sip(now);
        }
        self.lateness.note(self.post.lay());
        self.post.ring();
    }

    fn launch(&mut self, launch: Launch, now: Instant) {
        let number = self.next_number;
        self.next_number += 1;
        self.numbers.insert(launch.call.id, number);
        let Launch { call, permit, plan, clips, speech } = launch;
        let running = Running::new(call, plan, permit, speech, now, self.ground.wall());
        self.calls.insert(
            number,
            Live {
                running,
                clips,
                wires: [None, None],
                attempts: Default::default(),
                recording: None,
                early: None,
                alarm: None,
            },
        );
        self.with(number, now, Running::start);
    }

    /// Tells a running call of the app to end. The answer goes out first: a plan that panics now ends its call too.
    fn stop(&mut self, call: CallId, app: AppId, answer: Box<dyn FnOnce(bool) + Send>, now: Instant) {
        let may_stop = |number: &u64| {
            let running = self.calls.get(number).map(|live| &live.running);
            running.is_some_and(|running| running.call().app == app && !running.is_stopping())
        };
        let number = self.numbers.get(&call).copied().filter(may_stop);
        answer(number.is_some());
        if let Some(number) = number {
            self.with(number, now, Running::stop);
        }
    }

    /// Ends all calls that run, in one turn: nobody is served any better by a later one.
    fn end_calls(&mut self, now: Instant) {
        let running: Vec<u64> = self.calls.keys().copied().collect();
        // Also where none ran: one shard reads the answers for all.
        self.registrations.lingers = true;
        for number in running {
            self.with(number, now, |running, now, out| running.abandon(Cause::Interrupted, now, out));
            self.drain_sip(now);
        }
    }

    /// Releases a leg that a dead process left ringing or up. Its call is closed already; SIP's news of it is nobody's.
    fn adopt(&mut self, orphan: &Orphan, now: Instant) {
        let stored = orphan.dialog.as_ref().and_then(|dialog| serde_json::from_str::<Saved>(&dialog.0).ok());
        let last = orphan.dialled.last().and_then(|name| self.trunk_named(name.as_deref()));
        let found: Vec<(Saved, Option<Credentials>)> = match stored {
            Some(saved) => {
                let trunk = last.map(|place| &self.trunks[place]).or_else(|| self.trunks.first());
                vec![(saved, trunk.and_then(|trunk| trunk.credentials.clone()))]
            }
            None => self.may_be_ringing(orphan),
        };
        for (saved, credentials) in found {
            let key = leg_key(self.next_number, orphan.leg, 0);
            self.next_number += 1;
            let adopted = Adopted { saved, credentials, reason: Some(reason_of(Cause::Interrupted)) };
            self.sip.adopt(key, adopted, now, &mut self.outputs);
        }
    }

    /// The INVITEs that may be under way for a leg of which no dialog is known: those that the journal knows of, and
    /// the one that left before its fact was durable.
    fn may_be_ringing(&self, orphan: &Orphan) -> Vec<(Saved, Option<Credentials>)> {
        let Some(numbers) = orphan.call.numbers(orphan.leg) else { return Vec::new() };
        let known = orphan.dialled.iter().zip(1..).map(|(name, attempt)| {
            let trunk = self.trunk_named(name.as_deref());
            (trunk.into_iter().collect::<SmallVec<[usize; 2]>>(), attempt)
        });
        let next = u8::try_from(orphan.dialled.len()).map_or(u8::MAX, |known| known.saturating_add(1));
        let taking = self.board.taking(numbers.dialled).map(TrunkNo::index).collect();
        let ways = known.chain([(taking, next)]).flat_map(|(trunks, attempt)| {
            let way = move |trunk: usize, Gateway { peer, place, .. }: &Gateway| names::Way {
                trunk: &self.trunks[trunk],
                peer: peer.hop,
                contact: place.contact,
                attempt,
            };
            trunks
                .into_iter()
                .flat_map(move |trunk| self.gateways[trunk].iter().map(move |gateway| way(trunk, gateway)))
        });
        let saved = |way: names::Way<'_>| {
            let found = names::may_be_ringing(&orphan.call, orphan.leg, way);
            let credentials = way.trunk.credentials.clone();
            found.into_iter().map(move |saved| (saved, credentials.clone()))
        };
        ways.take(GUESSES).flat_map(saved).collect()
    }

    /// The place of the trunk of that name; where the journal knows none there was only one.
    fn trunk_named(&self, name: Option<&str>) -> Option<usize> {
        match name {
            Some(name) => self.trunks.iter().position(|trunk| *trunk.name == *name),
            None => (!self.trunks.is_empty()).then_some(0),
        }
    }

    /// A trunk has other addresses from now on.
    fn set_gateways(&mut self, trunk: TrunkNo, gateways: Arc<[Gateway]>, now: Instant) {
        let Some(own) = self.gateways.get_mut(trunk.index()) else { return };
        *own = gateways;
        self.know_the_trunks();
        self.watch_trunks(now);
        self.register_anew(now);
    }
}

/// Ways that a leg of a dead process may have taken, at most: each is a CANCEL.
const GUESSES: usize = 64;
