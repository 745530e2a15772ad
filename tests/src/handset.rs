//! An ear at a UDP port: keeps what is sent to it as RTP, for scripted telephones that hear nothing themselves.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::{ears, wait};

/// An open port and what came in there. It listens until it is dropped, and speaks when it is told to.
#[derive(Debug)]
pub struct Handset {
    socket: UdpSocket,
    address: SocketAddr,
    ear: Arc<Mutex<Ear>>,
}

/// What came in.
#[derive(Debug, Default)]
struct Ear {
    voice: Vec<i16>,
    /// Packets of each payload type.
    packets: BTreeMap<u8, usize>,
    from: Option<SocketAddr>,
    last: Option<Instant>,
    longest_pause: Duration,
}

impl Handset {
    /// Opens a port on loopback.
    ///
    /// # Panics
    /// When none is free.
    #[must_use]
    pub fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a loopback port is free");
        let address = socket.local_addr().expect("a bound socket has an address");
        socket.set_read_timeout(Some(GLANCE)).expect("a socket can be impatient");
        let mouth = socket.try_clone().expect("a socket can be shared");
        let ear = Arc::new(Mutex::new(Ear::default()));
        let weak = Arc::downgrade(&ear);
        thread::spawn(move || {
            let mut packet = [0; 2_048];
            loop {
                let received = socket.recv_from(&mut packet);
                let Some(ear) = weak.upgrade() else { return };
                match received {
                    Ok((length, from)) => {
                        ear.lock().expect("nobody panics while he listens").hear(&packet[..length], from);
                    }
                    Err(fault) if matches!(fault.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                    Err(_) => return,
                }
            }
        });
        Self { socket: mouth, address, ear }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has heard so far in A-law.
    ///
    /// # Panics
    /// Never: nobody panics while he listens.
    #[must_use]
    pub fn heard(&self) -> Vec<i16> {
        self.ear.lock().expect("nobody panics while he listens").voice.clone()
    }

    /// How many packets of this payload type came so far.
    ///
    /// # Panics
    /// Never: nobody panics while he listens.
    #[must_use]
    pub fn packets(&self, payload_type: u8) -> usize {
        let ear = self.ear.lock().expect("nobody panics while he listens");
        ear.packets.get(&payload_type).copied().unwrap_or(0)
    }

    /// The longest time between two packets so far.
    ///
    /// # Panics
    /// Never: nobody panics while he listens.
    #[must_use]
    pub fn longest_pause(&self) -> Duration {
        self.ear.lock().expect("nobody panics while he listens").longest_pause
    }

    /// Waits for so many packets of this payload type more.
    pub fn hears(&self, payload_type: u8, more: usize) {
        let before = self.packets(payload_type);
        wait::until(&format!("packets of type {payload_type}"), PATIENCE, || {
            (self.packets(payload_type) >= before + more).then_some(())
        });
    }

    /// Sends an RTP packet to wherever it hears from, and takes the time that a packet stands for.
    ///
    /// # Panics
    /// When it hears nobody.
    pub fn says(&self, payload_type: u8, marker: bool, seq: u16, timestamp: u32, payload: &[u8]) {
        let to = wait::until("somebody to be heard", PATIENCE, || {
            self.ear.lock().expect("nobody panics while he listens").from
        });
        let mut packet = vec![0x80, payload_type | u8::from(marker) << 7];
        packet.extend(seq.to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend([0, 0, 0, 7]);
        packet.extend(payload);
        self.socket.send_to(&packet, to).expect("loopback takes packets");
        thread::sleep(FRAME);
    }
}

impl Ear {
    fn hear(&mut self, packet: &[u8], from: SocketAddr) {
        let [0x80, kind, ..] = packet else { return };
        *self.packets.entry(kind & 0x7f).or_default() += 1;
        self.from = Some(from);
        let now = Instant::now();
        let pause = self.last.replace(now).map_or(Duration::ZERO, |last| now - last);
        self.longest_pause = self.longest_pause.max(pause);
        self.voice.extend(voice(packet).iter().map(|byte| ears::alaw(*byte)));
    }
}

impl Default for Handset {
    fn default() -> Self {
        Self::new()
    }
}

/// The A-law of an RTP packet without extensions (RFC 3550, section 5.1); nothing of any other packet.
fn voice(packet: &[u8]) -> &[u8] {
    const HEAD: usize = 12;
    const PCMA: u8 = 8;

    match packet {
        [0x80, kind, ..] if kind & 0x7f == PCMA => packet.get(HEAD..).unwrap_or_default(),
        _ => &[],
    }
}

/// How long it listens before it looks whether anybody still wants it to.
const GLANCE: Duration = Duration::from_millis(200);

/// What a packet of ours stands for.
const FRAME: Duration = Duration::from_millis(20);

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
