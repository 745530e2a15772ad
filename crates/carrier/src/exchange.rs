//! The exchange: one thread, one loop, and all telephones of the carrier.
//!
//! ```text
//! wait (sockets, next timer) ─▶ sip · sessions ─▶ news ─▶ Phone ─▶ wishes ─▶ sip · sessions ─▶ sockets
//! ```

mod packets;
mod signalling;
mod wishes;

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant as StdInstant, SystemTime, UNIX_EPOCH};

use base::time::{Instant, Timestamp};
use media::timer_wheel::TimerWheel;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use sip::{Endpoint, LegKey, Outputs, PeerRule, Transport};
use slab::Slab;

use crate::ledger::{EndedBy, Ledger};
use crate::leg::Leg;
use crate::links::{Links, Listener};
use crate::phone::Event;
use crate::poller::{Poller, Token};
use crate::quirks::Quirks;
use crate::repertoire::Repertoire;
use crate::settings::Settings;

/// What the handle opens for the exchange.
pub(crate) struct Parts {
    pub(crate) socket: UdpSocket,
    pub(crate) address: SocketAddr,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) tcp: Option<SocketAddr>,
    pub(crate) tls: Option<SocketAddr>,
    /// How many connections were made, for the handle.
    pub(crate) made_links: Arc<AtomicUsize>,
    /// Whether the connections shall be broken, and whether the thread shall end.
    pub(crate) cut: Arc<AtomicBool>,
    pub(crate) ended: Arc<AtomicBool>,
    /// Rings when there is such a wish.
    pub(crate) bell: Arc<OwnedFd>,
    pub(crate) ledger: Ledger,
}

/// All telephones, and everything that they share.
pub(crate) struct Exchange {
    settings: Settings,
    repertoire: Repertoire,
    started: StdInstant,
    socket: UdpSocket,
    links: Links,
    made_links: Arc<AtomicUsize>,
    ledger: Ledger,
    poller: Poller,
    sip: Endpoint,
    quirks: Quirks,
    legs: Slab<Leg>,
    places: HashMap<LegKey, usize>,
    wheel: TimerWheel,
    bell: Arc<OwnedFd>,
    cut: Arc<AtomicBool>,
    ended: Arc<AtomicBool>,
    /// Calls so far.
    serial: u64,
    /// The leg that is being served, which a panic would end.
    current: Option<usize>,
    rng: SmallRng,
    outputs: Outputs,
    buffer: Box<[u8]>,
}

impl Exchange {
    /// An exchange without calls.
    pub(crate) fn new(settings: Settings, parts: Parts) -> io::Result<Self> {
        let poller = Poller::new()?;
        poller.watch(parts.bell.as_fd(), Token::Bell)?;
        poller.watch(parts.socket.as_fd(), Token::Signalling)?;
        // Less than asked for is fine: the system's own maximum rules.
        rustix::net::sockopt::set_socket_recv_buffer_size(&parts.socket, SIGNALLING_BUFFER).ok();
        let mut rng = SmallRng::seed_from_u64(settings.seed);
        let mut manners = sip::Settings::new(parts.address.to_string());
        manners.product = concat!("Huihu-Carrier/", env!("CARGO_PKG_VERSION")).to_owned();
        manners.peers = vec![PeerRule::Host(parts.address.ip())];
        manners.accept_calls = true;
        manners.transports = vec![Transport::Udp, Transport::Tcp, Transport::Tls];
        manners.sent_by.tcp = parts.tcp.map(|address| address.to_string());
        manners.sent_by.tls = parts.tls.map(|address| address.to_string());
        manners.pace = settings.pace;
        Ok(Self {
            repertoire: Repertoire::new(&settings),
            started: StdInstant::now(),
            socket: parts.socket,
            links: Links::new(parts.listeners, &poller)?,
            made_links: parts.made_links,
            ledger: parts.ledger,
            poller,
            sip: Endpoint::new(manners, rng.random()),
            quirks: Quirks::default(),
            legs: Slab::new(),
            places: HashMap::new(),
            wheel: TimerWheel::new(0, Instant::START),
            serial: 0,
            current: None,
            bell: parts.bell,
            cut: parts.cut,
            ended: parts.ended,
            rng,
            outputs: Vec::new(),
            buffer: fresh_buffer(),
            settings,
        })
    }

    /// The thread's whole life.
    pub(crate) fn run(mut self) {
        let mut ready = Vec::new();
        while !self.ended.load(Ordering::Acquire) {
            let next = [self.sip.deadline(), self.wheel.next_turn()].into_iter().flatten().min();
            let patience = next.map(|at| at.since(self.now()));
            self.poller.wait(patience, &mut ready);
            let turned = catch_unwind(AssertUnwindSafe(|| self.turn(&ready)));
            if turned.is_err() && catch_unwind(AssertUnwindSafe(|| self.bury())).is_err() {
                tracing::error!("the simulated carrier panicked again while it ended the call");
            }
        }
        let places: Vec<usize> = self.legs.iter().map(|(place, _)| place).collect();
        for place in places {
            self.close(place, EndedBy::Nobody, self.now());
        }
    }

    fn turn(&mut self, ready: &[Token]) {
        let now = self.now();
        for token in ready {
            match *token {
                Token::Bell => self.on_bell(),
                Token::Signalling => self.on_signalling(now),
                Token::Listener(place) => self.links.accept(place, &self.poller),
                Token::Link(place) => self.on_link(place, now),
                Token::Rtp(place) => self.on_rtp(place as usize, now),
                Token::Rtcp(place) => self.on_rtcp(place as usize, now),
            }
        }
        self.made_links.store(self.links.made(), Ordering::Release);
        self.current = None;
        self.sip.on_time(now, &mut self.outputs);
        self.drain_sip(now);
        while let Some(place) = self.wheel.next_expired(now) {
            self.wake(place as usize, now);
            self.drain_sip(now);
        }
        self.current = None;
    }

    fn on_bell(&mut self) {
        // An already silent bell says "would block", which is as good.
        rustix::io::read(&*self.bell, &mut [0; 8]).ok();
        if self.cut.swap(false, Ordering::AcqRel) {
            self.links.cut();
        }
    }

    /// Ends the call that was being served when something panicked.
    #[cold]
    fn bury(&mut self) {
        let now = self.now();
        self.outputs.clear();
        self.buffer = fresh_buffer();
        let Some(place) = self.current.take() else {
            tracing::error!("the simulated carrier panicked outside of any call; it goes on");
            return;
        };
        tracing::error!("a panic ended a call of the simulated carrier");
        if let Some(leg) = self.legs.get(place) {
            self.sip.hang_up(leg.key, None, now, &mut self.outputs);
            self.close(place, EndedBy::Callee, now);
        }
    }

    fn arm(&mut self, place: usize) {
        let Some(leg) = self.legs.get(place) else { return };
        let Ok(number) = u32::try_from(place) else { return };
        match leg.deadline() {
            Some(at) => self.wheel.arm(number, at),
            None => self.wheel.disarm(number),
        }
    }

    /// The one road on which a leg ends.
    fn close(&mut self, place: usize, by: EndedBy, now: Instant) {
        let Some(mut leg) = self.legs.try_remove(place) else { return };
        self.places.remove(&leg.key);
        self.quirks.forget(leg.call_id.as_bytes());
        if let Ok(number) = u32::try_from(place) {
            self.wheel.disarm(number);
        }
        leg.phone.on(Event::Released(by), now, &mut Vec::new());
        let mut packets_in = 0;
        if let Some(mut media) = leg.media.take() {
            media.wire.bye(now);
            packets_in = media.wire.session.report().packets_in;
            if let Some(tape) = media.tape {
                tape.finish(now);
            }
        }
        self.ledger.change(leg.serial, |report| {
            report.packets_in = packets_in;
            report.ended = Some(wall());
            report.ended_by = leg.phone.ended_by();
        });
    }

    /// Time since the exchange began.
    fn now(&self) -> Instant {
        Instant::START + self.started.elapsed()
    }
}

fn fresh_buffer() -> Box<[u8]> {
    vec![0; DATAGRAM_BYTES].into_boxed_slice()
}

fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Bytes of a datagram: UDP's own maximum.
const DATAGRAM_BYTES: usize = 65_536;

/// Bytes of the signalling socket's buffer. A burst of 2,000 INVITEs waits while one is answered.
const SIGNALLING_BUFFER: usize = 4 << 20;
