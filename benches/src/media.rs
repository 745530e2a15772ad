//! The sound of all calls: what both ends send, 50 packets a second each, and what arrives.
//!
//! Legs are spread over the 20 slots of 1 ms that a packet's 20 ms has. One socket for all A ends and one for all B
//! ends: the generator must not be what is measured.

use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::accounting::Waits;
use crate::ledger::Side;
use crate::rtp::{Arrival, Inlet, Outlet, Stamp, open_media_socket, real_nanos};

/// Time between two slots.
const SLOT: Duration = Duration::from_millis(1);

/// Slots of a packet's time.
const SLOTS: usize = 20;

/// Both ends of all calls.
pub(crate) struct Media {
    sockets: [UdpSocket; 2],
    inlet: Inlet,
    outlet: Outlet,
    /// By slot and side.
    streams: [[Vec<Stream>; 2]; SLOTS],
    legs: u32,
    began: Instant,
    /// Slots since `began`.
    next_slot: u32,
    window: u32,
    sent: u64,
    heard: Heard,
    /// Slots that were sent more than 5 ms late: the generator itself was held up.
    pub(crate) slipped: u64,
}

struct Stream {
    leg: u32,
    to: SocketAddrV4,
    sequence: u32,
}

/// What arrived.
#[derive(Debug)]
struct Heard {
    window: u32,
    /// Microseconds from our sending to the kernel's receiving.
    delays: Vec<u32>,
    /// Packets that the server made itself, by the port it sent them from; `None` while no call has the port.
    prompts: Vec<Option<Prompt>>,
    /// Of calls whose port has gone to another.
    finished: Vec<Prompt>,
}

/// What came from one port of the server.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Prompt {
    pub(crate) packets: u32,
    first_nanos: u64,
    last_nanos: u64,
}

impl Prompt {
    /// From the first packet to the last.
    pub(crate) fn length(self) -> Duration {
        Duration::from_nanos(self.last_nanos - self.first_nanos)
    }
}

/// What one window of measuring gave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// Time that the relay added.
    pub(crate) delay: Waits,
}

impl Media {
    /// Opens both sockets.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            sockets: [open_media_socket()?, open_media_socket()?],
            inlet: Inlet::new(),
            outlet: Outlet::new(),
            streams: Default::default(),
            legs: 0,
            began: Instant::now(),
            next_slot: 0,
            window: 0,
            sent: 0,
            heard: Heard {
                window: 0,
                delays: Vec::new(),
                prompts: vec![None; 1 << 16],
                finished: Vec::new(),
            },
            slipped: 0,
        })
    }

    pub(crate) fn socket(&self, side: Side) -> &UdpSocket {
        &self.sockets[side as usize]
    }

    /// Where A and B want their audio.
    pub(crate) fn addresses(&self) -> Result<[SocketAddr; 2]> {
        Ok([self.sockets[0].local_addr()?, self.sockets[1].local_addr()?])
    }

    /// Stops all streams and forgets what was heard.
    pub(crate) fn reset(&mut self) {
        self.streams = Default::default();
        self.legs = 0;
        self.window = 0;
        self.slipped = 0;
        self.heard.window = 0;
        self.heard.prompts.fill(None);
        self.heard.finished.clear();
    }

    /// Begins to send from one end of a call.
    pub(crate) fn stream(&mut self, side: Side, to: SocketAddrV4) {
        if self.legs == 0 {
            self.began = Instant::now();
            self.next_slot = 0;
        }
        let call = self.legs as usize / 2;
        self.streams[call % SLOTS][side as usize].push(Stream { leg: self.legs, to, sequence: 0 });
        self.legs += 1;
    }

    /// Packets count for a new measurement from now on.
    pub(crate) fn open_window(&mut self) {
        self.heard.window += 1;
        self.heard.delays.clear();
        self.window = self.heard.window;
        self.sent = 0;
        self.slipped = 0;
    }

    /// Packets no longer count; those on their way still do.
    pub(crate) fn close_window(&mut self) {
        self.window = 0;
    }

    /// Packets of the last window that were longer than that on their way.
    pub(crate) fn later_than(&self, most: Duration) -> u64 {
        let late = |micros: &&u32| Duration::from_micros(u64::from(**micros)) > most;
        self.heard.delays.iter().filter(late).count() as u64
    }

    /// What the last window gave.
    pub(crate) fn window(&mut self) -> Window {
        let delays = std::mem::take(&mut self.heard.delays);
        Window { sent: self.sent, received: delays.len() as u64, delay: Waits::of(delays) }
    }

    /// A new call has a port of the server's: what comes from it from now on is another prompt.
    pub(crate) fn claim_port(&mut self, port: u16) {
        let before = self.heard.prompts[usize::from(port)].replace(Prompt::default());
        self.heard.finished.extend(before);
    }

    /// What the server sent by itself, one for each port that was claimed.
    pub(crate) fn prompts(&self) -> impl Iterator<Item = Prompt> {
        self.heard.finished.iter().copied().chain(self.heard.prompts.iter().filter_map(|prompt| *prompt))
    }

    /// When the next packets are due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        (self.legs > 0).then(|| self.began + SLOT * self.next_slot)
    }

    /// Sends what is due.
    pub(crate) fn on_time(&mut self, now: Instant) -> Result<()> {
        while let Some(due) = self.deadline().filter(|due| *due <= now) {
            self.slipped += u64::from(now - due > SLOT * 5);
            let slot = self.next_slot as usize % SLOTS;
            self.next_slot += 1;
            for side in [Side::A, Side::B] {
                self.send_slot(slot, side)?;
            }
        }
        Ok(())
    }

    fn send_slot(&mut self, slot: usize, side: Side) -> Result<()> {
        let socket = &self.sockets[side as usize];
        let mut sent = 0;
        let mut sent_nanos = real_nanos();
        for stream in &mut self.streams[slot][side as usize] {
            if self.outlet.is_full() {
                sent += self.outlet.flush(socket)?;
                sent_nanos = real_nanos();
            }
            let stamp = Stamp { window: self.window, leg: stream.leg, sequence: stream.sequence, sent_nanos };
            self.outlet.push(stamp, stream.to);
            stream.sequence = stream.sequence.wrapping_add(1);
        }
        sent += self.outlet.flush(socket)?;
        if self.window != 0 {
            self.sent += sent as u64;
        }
        Ok(())
    }

    /// Takes what has arrived for one side.
    pub(crate) fn on_readable(&mut self, side: Side) -> Result<()> {
        let heard = &mut self.heard;
        self.inlet.drain(&self.sockets[side as usize], |arrival| heard.on(arrival))
    }
}

impl Heard {
    fn on(&mut self, arrival: &Arrival<'_>) {
        let Some(stamp) = Stamp::read(arrival.bytes) else {
            let Some(prompt) = &mut self.prompts[usize::from(arrival.from_port)] else { return };
            if prompt.packets == 0 {
                prompt.first_nanos = arrival.at_nanos;
            }
            prompt.packets += 1;
            prompt.last_nanos = arrival.at_nanos.max(prompt.first_nanos);
            return;
        };
        if stamp.window == self.window && stamp.window != 0 {
            let micros = arrival.at_nanos.saturating_sub(stamp.sent_nanos) / 1000;
            self.delays.push(u32::try_from(micros).unwrap_or(u32::MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_counts_its_own_packets_only() {
        let mut media = Media::new().unwrap();
        let [SocketAddr::V4(a), SocketAddr::V4(b)] = media.addresses().unwrap() else { panic!("IPv4") };
        // Each end sends to the other: a relay that adds nothing.
        media.stream(Side::A, b);
        media.stream(Side::B, a);
        let began = media.began;
        media.on_time(began).unwrap();
        media.open_window();
        media.on_time(began + Duration::from_millis(100)).unwrap();
        media.close_window();
        media.on_time(began + Duration::from_millis(140)).unwrap();
        media.on_readable(Side::A).unwrap();
        media.on_readable(Side::B).unwrap();
        let window = media.window();
        assert_eq!((window.sent, window.received), (10, 10));
    }

    #[test]
    fn a_prompt_is_what_comes_from_a_port_while_one_call_has_it() {
        let mut media = Media::new().unwrap();
        let server = open_media_socket().unwrap();
        let port = server.local_addr().unwrap().port();
        let to = media.addresses().unwrap()[0];
        media.claim_port(port);
        for _ in 0..3 {
            server.send_to(&[0; 172], to).unwrap();
        }
        media.on_readable(Side::A).unwrap();
        media.claim_port(port);
        let prompts: Vec<_> = media.prompts().collect();
        assert_eq!(prompts.iter().map(|prompt| prompt.packets).collect::<Vec<_>>(), [3, 0]);
        assert!(prompts[0].length() < Duration::from_secs(1));
    }
}
