//! An ear at a UDP port: keeps what is sent to it as RTP, for scripted telephones that hear nothing themselves.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::ears;

/// An open port and what came in there. It listens until it is dropped.
#[derive(Debug)]
pub struct Handset {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<i16>>>,
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
        let heard = Arc::new(Mutex::new(Vec::new()));
        let weak = Arc::downgrade(&heard);
        thread::spawn(move || {
            let mut packet = [0; 2_048];
            loop {
                let received = socket.recv(&mut packet);
                let Some(heard) = weak.upgrade() else { return };
                match received {
                    Ok(length) => {
                        let sound = voice(&packet[..length]).iter().map(|byte| ears::alaw(*byte));
                        heard.lock().expect("nobody panics while he listens").extend(sound);
                    }
                    Err(fault) if matches!(fault.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                    Err(_) => return,
                }
            }
        });
        Self { address, heard }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has heard so far.
    ///
    /// # Panics
    /// Never: nobody panics while he listens.
    #[must_use]
    pub fn heard(&self) -> Vec<i16> {
        self.heard.lock().expect("nobody panics while he listens").clone()
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
