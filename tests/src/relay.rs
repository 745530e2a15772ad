//! A bad network between us and one telephone: voice is lost on it, each way by chance, and how much is known.
//!
//! It stands in the way of SIP too, so that both sides take it for the other one.

use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// A network for one call at a time. It works until it is dropped.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

/// What became of the voice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lost {
    /// Packets that somebody sent.
    pub sent: u32,
    /// Those that got lost.
    pub lost: u32,
    /// The same two when the listener's last report came by.
    pub reported: (u32, u32),
}

#[derive(Debug, Default)]
struct State {
    /// Us and the telephone, for SIP and for voice.
    sip: [Option<SocketAddr>; 2],
    voice: [Option<SocketAddr>; 2],
    /// What came from us, and from the telephone.
    lost: [Lost; 2],
}

/// Who sends.
const US: usize = 0;
const TELEPHONE: usize = 1;

impl Relay {
    /// A network on which so much of our voice and of the telephone's gets lost.
    ///
    /// # Panics
    /// When there are no free ports.
    #[must_use]
    pub fn start(telephone: SocketAddr, shares: [f64; 2]) -> Self {
        let sip = [bound(0), bound(0)];
        let address = sip[US].local_addr().expect("a bound socket has an address");
        let pairs = [pair(), pair()];
        let ports = [0, 1].map(|side| port(&pairs[side][0]));
        let state = Arc::new(Mutex::new(State { sip: [None, Some(telephone)], ..State::default() }));
        for from in [US, TELEPHONE] {
            let to = 1 - from;
            // Each describes where it is, and the other one hears of a port of the relay's.
            pump(&state, &sip[from], &sip[to], move |state, sender, packet| {
                state.sip[from].get_or_insert(sender);
                if let Some(described) = describe(packet, ports[to]) {
                    state.voice[from] = Some(SocketAddr::new(sender.ip(), described));
                }
                state.sip[to]
            });
            let mut rng = StdRng::seed_from_u64(from as u64);
            pump(&state, &pairs[from][0], &pairs[to][0], move |state, _, _| {
                let lost = &mut state.lost[from];
                lost.sent += 1;
                if lost.sent > SAFE && rng.random_bool(shares[from]) {
                    lost.lost += 1;
                    return None;
                }
                state.voice[to]
            });
            pump(&state, &pairs[from][1], &pairs[to][1], move |state, _, _| {
                let lost = &mut state.lost[to];
                lost.reported = (lost.sent, lost.lost);
                state.voice[to].map(|voice| SocketAddr::new(voice.ip(), voice.port() + 1))
            });
        }
        Self { address, state }
    }

    /// Where we reach the telephone.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What became of our voice, and of the telephone's.
    ///
    /// # Panics
    /// Never: nobody panics who holds it.
    #[must_use]
    pub fn lost(&self) -> [Lost; 2] {
        self.state.lock().expect("nobody panics who holds it").lost
    }
}

/// What ITU-T G.107 gives A-law with the concealment of G.711 appendix I on a short line of which so much is lost by
/// chance: `R = 93.2 - 95 p / (p + 25.1)`, and the score of annex B.
#[must_use]
pub fn score(share: f64) -> f64 {
    let percent = 100.0 * share;
    let r = 93.2 - 95.0 * percent / (percent + 25.1);
    1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6
}

/// Takes what comes to one socket out of another one, to whom `road` says, if it says somebody.
fn pump(
    state: &Arc<Mutex<State>>,
    from: &UdpSocket,
    through: &UdpSocket,
    mut road: impl FnMut(&mut State, SocketAddr, &mut [u8]) -> Option<SocketAddr> + Send + 'static,
) {
    let (from, through) = (shared(from), shared(through));
    let state = Arc::downgrade(state);
    thread::spawn(move || {
        let mut packet = [0; 4_096];
        loop {
            let received = from.recv_from(&mut packet);
            let Some(state) = state.upgrade() else { return };
            let Ok((length, sender)) = received else { continue };
            let mut held = state.lock().expect("nobody panics who holds it");
            if let Some(to) = road(&mut held, sender, &mut packet[..length]) {
                // Who is gone hears nothing.
                through.send_to(&packet[..length], to).ok();
            }
        }
    });
}

/// Puts another port into a description, if there is one, and gives the one that stood there.
fn describe(packet: &mut [u8], port: u16) -> Option<u16> {
    const AUDIO: &[u8] = b"\nm=audio ";

    let at = packet.windows(AUDIO.len()).position(|window| window == AUDIO)? + AUDIO.len();
    let digits = packet.get_mut(at..at + 5)?;
    let described = std::str::from_utf8(digits).ok()?.parse().ok()?;
    digits.copy_from_slice(port.to_string().as_bytes());
    Some(described)
}

/// A port for voice and the next one for its reports. Both have five digits, as the others' have.
fn pair() -> [UdpSocket; 2] {
    let next = || {
        let voice = bound(0);
        let above = UdpSocket::bind(("127.0.0.1", port(&voice).checked_add(1)?)).ok()?;
        (port(&voice) > 9_999).then_some([voice, patient(above)])
    };
    (0..100).find_map(|_| next()).expect("there are two free ports in a row")
}

fn bound(port: u16) -> UdpSocket {
    patient(UdpSocket::bind(("127.0.0.1", port)).expect("a loopback port is free"))
}

fn patient(socket: UdpSocket) -> UdpSocket {
    socket.set_read_timeout(Some(GLANCE)).expect("a socket can be impatient");
    socket
}

fn shared(socket: &UdpSocket) -> UdpSocket {
    socket.try_clone().expect("a socket can be shared")
}

fn port(socket: &UdpSocket) -> u16 {
    socket.local_addr().expect("a bound socket has an address").port()
}

/// Packets at the beginning that always arrive: from there on losses are known to a listener.
const SAFE: u32 = 5;

/// How long a thread listens before it looks whether anybody still wants it to.
const GLANCE: Duration = Duration::from_millis(200);
