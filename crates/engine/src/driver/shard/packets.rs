//! Packets and ticks: the road of the voice.

use base::id::Leg;
use base::time::Instant;
use media::session::{Due, Incoming};

use super::Shard;
use crate::driver::wire::{DATAGRAM_BYTES, Wire};

impl Shard {
    /// One RTP packet: judged by its own session, put on the other leg's line if that one relays, and sent from the
    /// buffer it came in.
    pub(super) fn on_rtp(&mut self, at: usize, now: Instant) {
        let buffer = &mut self.buffer[..DATAGRAM_BYTES];
        let Some(wire) = self.wires.get_mut(at) else { return };
        let Some((length, from)) = wire.receive(buffer) else { return };
        let packet = &mut buffer[..length];
        let (heard, pressed) = match wire.session.receive(from, packet, now) {
            Incoming::Audio(heard) => (heard, None),
            Incoming::Event(heard, pressed) => (heard, pressed),
            Incoming::Dropped(_) => return,
        };
        let (call, leg, peer) = (wire.call, wire.leg, wire.peer);
        if let Some(other) = peer.and_then(|peer| self.wires.get_mut(peer as usize))
            && let Some(range) = other.session.forward(&heard, packet, now)
        {
            other.send(&packet[range]);
        }
        if let Some(pressed) = pressed {
            let digit = pressed.key.letter();
            self.with(call, now, |running, now, out| running.digit(leg, digit, now, out));
        }
    }

    pub(super) fn on_rtcp(&mut self, at: usize, now: Instant) {
        let buffer = &mut self.buffer[..DATAGRAM_BYTES];
        let Some(wire) = self.wires.get_mut(at) else { return };
        if let Some((length, from)) = wire.receive_rtcp(buffer) {
            wire.session.receive_rtcp(from, &buffer[..length], now);
        }
    }

    /// Lets every session whose time has come do what is due.
    pub(super) fn on_media_time(&mut self, now: Instant) {
        while let Some(at) = self.wheel.next_expired(now) {
            self.tick(at, now);
        }
    }

    fn tick(&mut self, at: u32, now: Instant) {
        let Some(wire) = self.wires.get_mut(at as usize) else { return };
        if wire.armed.take().is_none() {
            return;
        }
        let (call, leg, awaited) = (wire.call, wire.leg, wire.awaited);
        let mut told = smallvec::SmallVec::<[Due; 4]>::new();
        wire.tick(now, |due| told.push(due));
        self.arm_wire(at);
        for due in told {
            match due {
                Due::ClipEnded(play) if awaited == Some(play) => {
                    self.with(call, now, |running, now, out| {
                        running.tell(plans::Event::ClipEnded { leg }, now, out);
                    });
                }
                Due::Pressed(pressed) => {
                    let digit = pressed.key.letter();
                    self.with(call, now, |running, now, out| running.digit(leg, digit, now, out));
                }
                Due::ClipEnded(_) | Due::KeysSent | Due::Rtp(_) | Due::Rtcp(_) => {}
            }
        }
    }

    /// Asks the wheel to wake a leg's session when it has something to do.
    pub(super) fn arm(&mut self, number: u64, leg: Leg) {
        if let Some(at) = self.wire_at(number, leg) {
            self.arm_wire(at);
        }
    }

    fn arm_wire(&mut self, at: u32) {
        let Some(wire) = self.wires.get_mut(at as usize) else { return };
        let due = wire.session.next_due();
        if wire.armed != due {
            wire.armed = due;
            match due {
                Some(due) => self.wheel.arm(at, due),
                None => self.wheel.disarm(at),
            }
        }
    }

    pub(super) fn wire_at(&self, number: u64, leg: Leg) -> Option<u32> {
        self.calls.get(&number)?.wires[leg.index()]
    }

    pub(super) fn wire(&self, number: u64, leg: Leg) -> Option<&Wire> {
        self.wires.get(self.wire_at(number, leg)? as usize)
    }

    pub(super) fn wire_mut(&mut self, number: u64, leg: Leg) -> Option<&mut Wire> {
        let at = self.wire_at(number, leg)?;
        self.wires.get_mut(at as usize)
    }
}
