//! What other threads want of a shard.

use std::sync::atomic::Ordering;

use base::id::{AppId, CallId};
use base::release::Cause;
use base::time::Instant;
use sip::{Adopted, Saved};

use super::{LETTER_BURST, Letter, Live, Shard, leg_key};
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
            match letter {
                Letter::Launch(launch) => self.launch(*launch, now),
                Letter::Stop { call, app, answer } => answer(self.stop(call, app, now)),
                Letter::Orphan(orphan) => self.adopt(&orphan, now),
                Letter::Datagram { from, bytes } => self.on_datagram(from, &bytes, now),
                Letter::End => self.ended = true,
            }
        }
        // There may be more: come back for it when the media has had its turn.
        self.mailbox.ring();
    }

    fn launch(&mut self, launch: Launch, now: Instant) {
        let number = self.next_number;
        self.next_number += 1;
        self.live.fetch_add(1, Ordering::AcqRel);
        self.numbers.insert(launch.call.id, number);
        let running = Running::new(launch.call, launch.plan, launch.permit, now, Clock::wall());
        self.calls.insert(number, Live { running, clips: launch.clips, wires: [None, None], alarm: None });
        self.with(number, now, Running::start);
    }

    /// Whether a running call of the app was told to end.
    fn stop(&mut self, call: CallId, app: AppId, now: Instant) -> bool {
        let Some(number) = self.numbers.get(&call).copied() else { return false };
        let is_theirs = self.calls.get(&number).is_some_and(|live| live.running.call().app == app);
        let mut stopped = false;
        if is_theirs {
            self.with(number, now, |running, now, out| stopped = running.stop(now, out));
        }
        stopped
    }

    /// Releases a leg that a dead process left ringing or up. Its call is closed already; SIP's news of it is nobody's.
    fn adopt(&mut self, orphan: &Orphan, now: Instant) {
        let stored = orphan.dialog.as_ref().and_then(|dialog| serde_json::from_str::<Saved>(&dialog.0).ok());
        let derived = || {
            let invite = names::invite(&orphan.call, orphan.leg, &self.trunk, self.contact, Vec::new())?;
            Some(Saved::of_invite(&invite))
        };
        let Some(saved) = stored.or_else(derived) else { return };
        let key = leg_key(self.next_number, orphan.leg);
        self.next_number += 1;
        let reason = Some(reason_of(Cause::Interrupted));
        let adopted = Adopted { saved, credentials: self.trunk.credentials.clone(), reason };
        self.sip.adopt(key, adopted, now, &mut self.outputs);
        self.drain_sip(now);
    }
}
