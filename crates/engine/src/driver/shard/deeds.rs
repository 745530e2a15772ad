//! Doing what calls want done.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use base::clip::ClipKey;
use base::id::Leg;
use base::release::Cause;
use base::time::Instant;
use base::trunk::TrunkNo;
use media::clip::{Clip, Playlist, Plays};
use plans::{ClipFailure, Repeat};

use super::{Shard, traces};
use crate::call::{Deed, heard_by};
use crate::driver::ground::{Ground, Sockets};
use crate::driver::places::Place;
use crate::driver::talk::reason_of;
use crate::driver::wire::Wire;

impl<G: Ground> Shard<G> {
    /// Does a call's deeds in their order, and those that follow from them.
    pub(super) fn do_deeds(&mut self, number: u64, now: Instant) {
        let mut done = 0;
        while let Some(deed) = self.deeds.pop_front() {
            self.do_deed(number, deed, now);
            done += 1;
            if done == DEEDS {
                tracing::error!("a plan wants more and more; its call is ended");
                self.deeds.clear();
                self.tell(number, now, |running, now, out| running.abandon(Cause::OurFault, now, out));
            }
        }
    }

    fn do_deed(&mut self, number: u64, deed: Deed, now: Instant) {
        match deed {
            Deed::Dial(leg) => self.dial(number, leg, now),
            Deed::Play(leg, clips, repeat) => self.play(number, leg, &clips, repeat, now),
            Deed::Silence(leg) => self.silence(number, leg),
            Deed::PassEarlyMedia(leg) => {
                self.relay_to(number, leg);
                self.watch_early_media(number, leg, now);
            }
            Deed::Bridge => {
                self.relay_to(number, Leg::A);
                self.relay_to(number, Leg::B);
            }
            Deed::Announce(ears, clip) => {
                for leg in heard_by(ears) {
                    self.announce(number, *leg, clip, now);
                }
            }
            Deed::Record => self.begin_recording(number, now),
            Deed::EndRecording => self.end_recording(number, now),
            Deed::HangUp(leg, cause) => {
                self.finish(number, leg);
                let key = self.key_of(number, leg);
                self.sip.hang_up(key, Some(reason_of(cause)), now, &mut self.outputs);
            }
            Deed::Over => self.forget(number, now),
        }
    }

    /// Opens the sockets of a leg and begins its session: what to offer the far end.
    pub(super) fn open_wire(
        &mut self,
        number: u64,
        leg: Leg,
        (trunk, place): (TrunkNo, Place),
        now: Instant,
    ) -> Option<Vec<u8>> {
        let Self { ground, talk, rng, .. } = self;
        let sockets = match ground.sockets(place.local, &talk.ports, rng) {
            Ok(sockets) => sockets,
            Err(fault) => {
                tracing::error!(leg = %leg, "{fault}");
                return None;
            }
        };
        let session = self.talk.session(trunk, self.ground.wall(), now, &mut self.rng);
        let told = SocketAddr::new(place.contact.ip(), sockets.port());
        let ours = self.talk.our_side(trunk, told, &mut self.rng);
        let live = self.calls.get_mut(&number)?;
        let entry = self.wires.vacant_entry();
        let at = u32::try_from(entry.key()).ok()?;
        if let Err(fault) = self.ground.open(at, &sockets) {
            tracing::error!(leg = %leg, "cannot watch a socket: {fault}");
            return None;
        }
        let strict = self.talk.is_strict(trunk);
        let wire = entry.insert(Wire::new(number, leg, session, ours, sockets, strict, now));
        wire.headers = traces::headers(self.tracer.as_ref(), &live.running, leg, told);
        let offer = wire.offer();
        live.wires[leg.index()] = Some(at);
        let other = live.wires[leg.other().index()];
        self.wires[at as usize].peer = other;
        if let Some(other) = other.and_then(|other| self.wires.get_mut(other as usize)) {
            other.peer = Some(at);
        }
        Some(offer)
    }

    fn play(&mut self, number: u64, leg: Leg, clips: &[ClipKey], repeat: Repeat, now: Instant) {
        let plays = match repeat {
            Repeat::Once => Plays::ONCE,
            Repeat::Forever => Plays::Endless,
        };
        let playlist = self.playlist(number, clips, plays);
        let wire = self.wire_mut(number, leg).ok_or(ClipFailure::Unplayable);
        let (wire, playlist) = match wire.and_then(|wire| Ok((wire, playlist?))) {
            Ok(found) => found,
            Err(why) => {
                let failed = plans::Event::ClipFailed { leg, why };
                return self.tell(number, now, |running, now, out| running.tell(failed, now, out));
            }
        };
        let play = wire.session.play(playlist, now);
        wire.awaited = (repeat == Repeat::Once).then_some(play);
        self.arm(number, leg);
        self.tell(number, now, |running, now, out| running.hears(leg, clips, now, out));
    }

    fn announce(&mut self, number: u64, leg: Leg, clip: ClipKey, now: Instant) {
        let playlist = self.playlist(number, &[clip], Plays::ONCE);
        if let Err(why) = &playlist {
            tracing::error!(leg = %leg, ?why, "a clip cannot be announced; the conversation goes on");
        }
        if let (Ok(playlist), Some(wire)) = (playlist, self.wire_mut(number, leg)) {
            wire.session.announce(playlist, now);
            self.arm(number, leg);
            self.tell(number, now, |running, now, out| running.hears(leg, &[clip], now, out));
        }
    }

    fn playlist(&self, number: u64, clips: &[ClipKey], plays: Plays) -> Result<Playlist, ClipFailure> {
        let shelf = self.calls.get(&number).map_or(&[][..], |live| &live.clips);
        let find = |key: &ClipKey| shelf.iter().find(|(own, _)| own == key).map(|(_, clip)| clip.clone());
        let found: Option<Vec<Clip>> = clips.iter().map(find).collect();
        Playlist::new(found.ok_or(ClipFailure::Missing)?, plays).ok_or(ClipFailure::Unplayable)
    }

    /// Sends a leg nothing any more: it is told to go.
    fn finish(&mut self, number: u64, leg: Leg) {
        if let Some(wire) = self.wire_mut(number, leg) {
            wire.awaited = None;
            wire.session.finish();
        }
        self.arm(number, leg);
    }

    /// Lets a leg hear nothing in place of what it hears now.
    fn silence(&mut self, number: u64, leg: Leg) {
        if let Some(wire) = self.wire_mut(number, leg) {
            wire.awaited = None;
            wire.session.silence();
        }
        self.arm(number, leg);
    }

    /// Lets a leg hear the other one in place of what it hears now.
    fn relay_to(&mut self, number: u64, leg: Leg) {
        if let Some(wire) = self.wire_mut(number, leg) {
            wire.awaited = None;
            wire.session.relay();
        }
        self.arm(number, leg);
    }

    /// Closes a leg's sockets. The other leg hears nothing of it but silence.
    pub(super) fn close_wire(&mut self, number: u64, leg: Leg, now: Instant) {
        let Some(live) = self.calls.get_mut(&number) else { return };
        let Some(at) = live.wires[leg.index()].take() else { return };
        self.wheel.disarm(at);
        self.ground.close(at);
        if let Some(mut wire) = self.wires.try_remove(at as usize) {
            wire.bye(now);
            if let Some(other) = wire.peer.and_then(|peer| self.wires.get_mut(peer as usize)) {
                other.peer = None;
            }
        }
    }

    /// Lets go of a call that is over, and with it of its ports.
    pub(super) fn forget(&mut self, number: u64, now: Instant) {
        self.end_recording(number, now);
        self.close_wire(number, Leg::A, now);
        self.close_wire(number, Leg::B, now);
        if let Some(mut live) = self.calls.remove(&number) {
            self.alarms.set(number, &mut live.alarm, None, now);
            self.numbers.remove(&live.running.call().id);
            self.end_trace(&live.running);
            self.live.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Deeds that may follow from one piece of news. The most that a sane plan wants is a handful.
const DEEDS: usize = 64;
