//! What other threads want of a shard.

use base::id::{AppId, CallId};
use base::release::Cause;
use base::time::Instant;
use sip::{Adopted, Saved};
use smallvec::SmallVec;

use super::{Datagram, LETTER_BURST, Letter, Live, SIGNALLING_BURST, Shard, leg_key};
use crate::call::Running;
use crate::driver::clock::Clock;
use crate::driver::names;
use crate::driver::talk::reason_of;
use crate::engine::{Launch, Orphan};

impl Shard {
    pub(super) fn on_bell(&mut self, now: Instant) {
        self.mailbox.hush();
        for _ in 0..LETTER_BURST {
            let Some(letter) = self.mailbox.take() else { return };
            self.current = None;
            match letter {
                Letter::Launch(launch) => self.launch(*launch, now),
                Letter::Stop { call, app, answer } => self.stop(call, app, answer, now),
                Letter::Orphan(orphan) => self.adopt(&orphan, now),
                Letter::Recording { call, news } => self.on_archive(call, news, now),
                Letter::End => self.ended = true,
            }
            self.drain_sip(now);
        }
        // There may be more: come back for it when the media has had its turn.
        self.mailbox.ring();
    }

    pub(super) fn on_post(&mut self, now: Instant) {
        self.post.hush();
        for _ in 0..SIGNALLING_BURST {
            let Some(Datagram { from, bytes }) = self.post.take() else { return };
            self.current = None;
            self.sip.receive(from, &bytes, now, &mut self.outputs);
            self.drain_sip(now);
        }
        self.post.ring();
    }

    fn launch(&mut self, launch: Launch, now: Instant) {
        let number = self.next_number;
        self.next_number += 1;
        self.numbers.insert(launch.call.id, number);
        let Launch { call, permit, plan, clips, speech } = launch;
        let running = Running::new(call, plan, permit, speech, now, Clock::wall());
        self.calls.insert(number, Live { running, clips, wires: [None, None], recording: None, alarm: None });
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

    /// Releases a leg that a dead process left ringing or up. Its call is closed already; SIP's news of it is nobody's.
    fn adopt(&mut self, orphan: &Orphan, now: Instant) {
        let stored = orphan.dialog.as_ref().and_then(|dialog| serde_json::from_str::<Saved>(&dialog.0).ok());
        let derived = || names::may_be_ringing(&orphan.call, orphan.leg, &self.trunk, self.contact);
        for saved in stored.map_or_else(derived, |saved| SmallVec::from_iter([saved])) {
            let key = leg_key(self.next_number, orphan.leg);
            self.next_number += 1;
            let reason = Some(reason_of(Cause::Interrupted));
            let adopted = Adopted { saved, credentials: self.trunk.credentials.clone(), reason };
            self.sip.adopt(key, adopted, now, &mut self.outputs);
        }
    }
}
