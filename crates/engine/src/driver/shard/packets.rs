//! Packets and ticks: the road of the voice.

use base::id::Leg;
use base::time::Instant;
use base::trace::Way;
use media::dtmf::Pressed;
use media::session::{Due, Incoming};
use smallvec::SmallVec;

use super::Shard;
use crate::driver::ground::Ground;
use crate::driver::wire::Wire;
use crate::keys::Press;

impl<G: Ground> Shard<G> {
    /// One RTP packet: judged by its own session, put on the other leg's line if that one relays, and sent from the
    /// buffer it came in. Allocates nothing.
    pub(super) fn on_rtp(&mut self, at: usize, arrival: G::Arrival, now: Instant) {
        let Some(wire) = self.wires.get_mut(at) else { return };
        self.current = Some(wire.call);
        let Some((length, from)) = wire.receive(&self.ground, arrival, &mut self.packet) else { return };
        wire.note(Way::Received, from, &self.packet[..length], now);
        let Ok(length) = wire.session.open(&mut self.packet[..length]) else { return };
        // What is relayed may need room behind the packet.
        let packet = &mut self.packet[..];
        let (heard, key) = match wire.session.receive(from, &packet[..length], now) {
            Incoming::Audio(heard, pressed) => (heard, pressed.map(Some)),
            Incoming::Event(heard, pressed) => (heard, Some(pressed)),
            Incoming::Noise(heard) => (heard, None),
            Incoming::Dropped(_) => return,
        };
        let (call, leg, peer, has_news) = (wire.call, wire.leg, wire.peer, wire.session.has_news());
        if wire.recorded
            && let Some(recording) = self.calls.get_mut(&call).and_then(|live| live.recording.as_mut())
        {
            recording.hear(leg, &heard, packet, now);
        }
        if let Some(other) = peer.and_then(|peer| self.wires.get_mut(peer as usize)) {
            if let Some(range) = other.session.forward(&heard, packet, now) {
                other.send(&mut self.ground, &packet[range], now);
            } else if other.session.is_transcoding() {
                // What it says in our codec comes with the ticks.
                peer.into_iter().for_each(|peer| self.arm_wire(peer as usize));
            }
        }
        if key.is_some() || heard.moved || has_news {
            // A press whose end gets lost is over after a while, a new address has a report to come, and news are told.
            self.arm_wire(at);
        }
        if let Some(Some(pressed)) = key {
            self.on_pressed(call, leg, pressed, now);
        }
    }

    pub(super) fn on_rtcp(&mut self, at: usize, now: Instant) {
        let Some(wire) = self.wires.get_mut(at) else { return };
        self.current = Some(wire.call);
        if let Some((length, from)) = wire.receive_rtcp(&mut self.packet)
            && let Ok(length) = wire.session.open_rtcp(&mut self.packet[..length])
        {
            wire.session.receive_rtcp(from, &self.packet[..length], now);
            self.arm_wire(at);
        }
    }

    /// Lets every session whose time has come do what is due.
    pub(super) fn on_media_time(&mut self, now: Instant) {
        while let Some(at) = self.wheel.next_expired(now) {
            self.tick(at as usize, now);
        }
    }

    fn tick(&mut self, at: usize, now: Instant) {
        let Some(wire) = self.wires.get_mut(at) else { return };
        wire.armed = None;
        self.current = Some(wire.call);
        let (call, leg, awaited) = (wire.call, wire.leg, wire.awaited);
        let mut told = SmallVec::<[Due; 4]>::new();
        wire.tick(&mut self.ground, now, |due| told.push(due));
        self.arm_wire(at);
        for due in told {
            match due {
                Due::ClipEnded(play) if awaited == Some(play) => {
                    self.with(call, now, |running, now, out| {
                        running.tell(plans::Event::ClipEnded { leg }, now, out);
                    });
                    self.drain_sip(now);
                }
                Due::Pressed(pressed) => self.on_pressed(call, leg, pressed, now),
                Due::Announced(cause) => self.on_announced(call, leg, cause, now),
                Due::PickedUp(told) => self.on_picked_up(call, leg, told, now),
                Due::ClipEnded(_) | Due::KeysSent | Due::Rtp(_) | Due::Rtcp(_) => {}
            }
        }
    }

    fn on_pressed(&mut self, call: u64, leg: Leg, pressed: Pressed, now: Instant) {
        let Pressed { key, held, source } = pressed;
        let press = Press { digit: key.letter(), source, held };
        self.with(call, now, |running, now, out| running.pressed(leg, press, now, out));
        self.drain_sip(now);
    }

    /// Asks the wheel to wake a leg's session when it has something to do.
    pub(super) fn arm(&mut self, number: u64, leg: Leg) {
        if let Some(at) = self.wire_at(number, leg) {
            self.arm_wire(at as usize);
        }
    }

    fn arm_wire(&mut self, at: usize) {
        let Some(wire) = self.wires.get_mut(at) else { return };
        let due = wire.session.next_due();
        if wire.armed != due {
            wire.armed = due;
            // A wire's place fits: it was checked when the wire was opened.
            match due {
                Some(due) => self.wheel.arm(at as u32, due),
                None => self.wheel.disarm(at as u32),
            }
        }
    }

    pub(super) fn wire_at(&self, number: u64, leg: Leg) -> Option<u32> {
        self.calls.get(&number)?.wires[leg.index()]
    }

    pub(super) fn wire_mut(&mut self, number: u64, leg: Leg) -> Option<&mut Wire<G>> {
        let at = self.wire_at(number, leg)?;
        self.wires.get_mut(at as usize)
    }
}
