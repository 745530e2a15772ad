//! What is heard of a leg before it is answered: of which branch, for how long, and what the network says in it.

use std::time::Duration;

use base::id::Leg;
use base::release::Cause;
use base::time::Instant;
use media::answerer::Told;
use sip::{EarlyMedia, Fork, Reason};

use super::Shard;
use crate::call::EarlyNews;
use crate::driver::ground::Ground;
use crate::driver::wire::Sound;

/// Looks after early media that somebody is made to hear.
#[derive(Debug)]
pub(super) struct EarlyWatch {
    /// The leg that it comes from.
    from: Leg,
    next: Instant,
    packets: u32,
    /// When the last of them had come.
    last: Instant,
    is_silent: bool,
}

impl EarlyWatch {
    /// When it looks next.
    pub(super) const fn next(&self) -> Instant {
        self.next
    }
}

/// A provisional of a branch, as far as it matters here.
pub(super) struct Provisional<'a> {
    pub(super) fork: Fork,
    pub(super) status: u16,
    pub(super) sdp: Option<&'a [u8]>,
    pub(super) reason: Option<&'a Reason>,
    pub(super) allowed: Option<EarlyMedia>,
}

impl<G: Ground> Shard<G> {
    /// A provisional from 101 to 199.
    pub(super) fn on_early(&mut self, number: u64, leg: Leg, news: &Provisional<'_>, now: Instant) {
        let sound = self.on_branch(number, leg, news.fork, news.sdp, news.allowed, now);
        let told = EarlyNews {
            status: news.status,
            // A failure is announced to whoever hears the branch already, too.
            media: sound == Sound::Begins || (sound == Sound::GoesOn && news.reason.is_some()),
            reason: news.reason,
        };
        self.with(number, now, |running, now, out| running.early(leg, &told, now, out));
        self.on_sound_over(number, leg, sound, now);
    }

    /// The network allows another early media of a branch.
    pub(super) fn on_allowed(
        &mut self,
        number: u64,
        leg: Leg,
        (fork, allowed): (Fork, EarlyMedia),
        now: Instant,
    ) {
        let sound = self.on_branch(number, leg, fork, None, Some(allowed), now);
        if sound == Sound::Begins {
            self.with(number, now, |running, now, out| running.is_heard_again(leg, now, out));
        }
        self.on_sound_over(number, leg, sound, now);
    }

    /// The call of a leg was sent elsewhere, and follows: its branches are gone.
    pub(super) fn on_redirected(&mut self, number: u64, leg: Leg, status: u16, now: Instant) {
        let sound = self.wire_mut(number, leg).map_or(Sound::None, |wire| wire.forget_branches());
        self.with(number, now, |running, now, out| running.redirected(leg, status, now, out));
        self.on_sound_over(number, leg, sound, now);
    }

    fn on_branch(
        &mut self,
        number: u64,
        leg: Leg,
        fork: Fork,
        sdp: Option<&[u8]>,
        allowed: Option<EarlyMedia>,
        now: Instant,
    ) -> Sound {
        let known = self.answering.announcements.clone();
        let Some(wire) = self.wire_mut(number, leg) else { return Sound::None };
        let sound = wire.hear_branch(fork, sdp, allowed, now);
        if sound == Sound::Begins && !known.is_empty() && !std::mem::replace(&mut wire.overheard, true) {
            wire.session.listen_for_announcements(&known);
        }
        self.arm(number, leg);
        sound
    }

    fn on_sound_over(&mut self, number: u64, leg: Leg, sound: Sound, now: Instant) {
        if sound == Sound::Ends {
            self.with(number, now, |running, now, out| running.is_heard_no_more(leg, now, out));
        }
    }

    /// A leg is made to hear what the other one's network sends, from now on.
    pub(super) fn watch_early_media(&mut self, number: u64, to: Leg, now: Instant) {
        let (from, pause) = (to.other(), self.look_every());
        let packets = self.packets_of(number, from);
        if let Some(live) = self.calls.get_mut(&number) {
            live.early = Some(EarlyWatch { from, next: now + pause, packets, last: now, is_silent: false });
        }
    }

    /// Looks whether early media that somebody hears still comes, and whether what had stopped has come again.
    pub(super) fn serve_early_media(&mut self, number: u64, now: Instant) {
        let (patience, pause) = (self.answering.early_silence, self.look_every());
        let Some(live) = self.calls.get(&number) else { return };
        let Some(from) = live.early.as_ref().filter(|watch| watch.next <= now).map(|watch| watch.from) else {
            return;
        };
        let is_over = live.running.leg(from).is_none_or(|state| state.is_up() || state.is_gone());
        let packets = self.packets_of(number, from);
        let Some(live) = self.calls.get_mut(&number) else { return };
        if is_over {
            live.early = None;
            return;
        }
        let Some(watch) = &mut live.early else { return };
        watch.next = now + pause;
        if std::mem::replace(&mut watch.packets, packets) != packets {
            watch.last = now;
            if std::mem::replace(&mut watch.is_silent, false) {
                self.with(number, now, |running, now, out| running.is_heard_again(from, now, out));
            }
        } else if now.since(watch.last) >= patience && !std::mem::replace(&mut watch.is_silent, true) {
            self.with(number, now, |running, now, out| running.is_heard_no_more(from, now, out));
        }
    }

    /// What the network of a leg says is known.
    pub(super) fn on_announced(&mut self, number: u64, leg: Leg, cause: Cause, now: Instant) {
        let after = self.answering.announced;
        self.with(number, now, |running, now, out| running.announced(leg, (cause, after), now, out));
        self.drain_sip(now);
    }

    /// Something was heard of whoever has picked up.
    pub(super) fn on_picked_up(&mut self, number: u64, leg: Leg, told: Told, now: Instant) {
        let machine = self.answering.machine;
        self.with(number, now, |running, now, out| running.picked_up(leg, (told, machine), now, out));
        self.drain_sip(now);
    }

    fn packets_of(&mut self, number: u64, leg: Leg) -> u32 {
        self.wire_mut(number, leg).map_or(0, |wire| wire.session.report().packets_in)
    }

    /// A few looks within the silence that is borne.
    fn look_every(&self) -> Duration {
        (self.answering.early_silence / 4).max(LOOK_MIN)
    }
}

/// Early media that stops is missed no sooner.
const LOOK_MIN: Duration = Duration::from_millis(100);
