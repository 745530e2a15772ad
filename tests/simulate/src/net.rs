//! The network and the clock, and the ground that the shard stands on.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use base::time::{Instant, Timestamp};
use engine::SocketFault;
use engine::ground::{Ground, News, Sockets, Token};
use rand::rngs::{SmallRng, StdRng};
use rand::{Rng, SeedableRng};

use crate::history::{By, History, Line, Message, Run};
use crate::weather::Weather;

/// Where the engine is.
pub(crate) const US: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 5_060);

/// Whom nobody knows.
const STRANGER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 9, 9, 9)), 9_998);

/// RTP that is further apart is no run.
const PAUSE: Duration = Duration::from_millis(100);

/// What the wall clock says when the other one says zero.
pub(crate) const WALL: Timestamp = Timestamp::from_millis(1_767_323_045_000);

/// See the module.
pub(crate) struct Net {
    pub(crate) now: Instant,
    pub(crate) history: History,
    /// When the shard said or was told something by SIP last.
    signalled: Instant,
    /// Whether there is a letter in the shard's mailbox.
    pub(crate) rung: bool,
    /// Addresses that no way leads to.
    pub(crate) nowhere: BTreeSet<SocketAddr>,
    /// Gateways that take their time: how long each message to them waits.
    pub(crate) slow: BTreeMap<SocketAddr, Duration>,
    sip: Weather,
    rtp: Weather,
    rng: SmallRng,
    flights: BinaryHeap<Reverse<Flight>>,
    departed: u64,
    signalling: VecDeque<(SocketAddr, Vec<u8>)>,
    /// The shard's pairs of ports, by the even one.
    ports: BTreeMap<u16, Port>,
    news: Vec<News<()>>,
    /// Buffers that are empty again.
    spare: Vec<Vec<u8>>,
}

/// A datagram on its way.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Flight {
    at: Instant,
    departed: u64,
    pub(crate) to: SocketAddr,
    pub(crate) from: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

/// A pair of ports of the shard.
struct Port {
    place: Option<u32>,
    /// Its place in the history.
    line: usize,
    connected: Option<SocketAddr>,
    rtp: VecDeque<(SocketAddr, Vec<u8>)>,
    rtcp: VecDeque<(SocketAddr, Vec<u8>)>,
}

impl Net {
    pub(crate) fn new(rng: &mut SmallRng) -> Self {
        Self {
            now: Instant::from_millis(1_000),
            history: History::default(),
            signalled: Instant::START,
            rung: false,
            nowhere: BTreeSet::new(),
            slow: BTreeMap::new(),
            sip: Weather::draw(rng),
            rtp: Weather::draw(rng),
            rng: SmallRng::from_rng(rng),
            flights: BinaryHeap::new(),
            departed: 0,
            signalling: VecDeque::new(),
            ports: BTreeMap::new(),
            news: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Whether nothing is lost or late here.
    pub(crate) fn is_calm(&self) -> bool {
        self.sip.is_calm() && self.rtp.is_calm() && self.slow.is_empty()
    }

    /// When the next datagram comes.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.flights.peek().map(|Reverse(flight)| flight.at)
    }

    /// Whether the shard has something to read.
    pub(crate) fn has_news(&self) -> bool {
        self.rung || !self.news.is_empty()
    }

    /// Pairs of ports that the shard has open.
    pub(crate) fn open(&self) -> usize {
        self.ports.len()
    }

    /// Brings the shard what has come for it, and gives the first datagram that came for somebody else.
    pub(crate) fn deliver(&mut self) -> Option<Flight> {
        while self.next().is_some_and(|at| at <= self.now) {
            let Some(Reverse(flight)) = self.flights.pop() else { break };
            if flight.to.ip() != US.ip() {
                return Some(flight);
            }
            self.land(flight);
        }
        None
    }

    /// Takes the buffer of a datagram that was read.
    pub(crate) fn recycle(&mut self, mut bytes: Vec<u8>) {
        bytes.clear();
        self.spare.push(bytes);
    }

    /// A SIP message leaves.
    pub(crate) fn send_sip(&mut self, by: By, (from, to): (SocketAddr, SocketAddr), bytes: &[u8]) {
        let waits = self.slow.get(&to).copied().unwrap_or_default();
        let mut came = self.sip.arrivals(self.now, &mut self.rng);
        came.iter_mut().for_each(|at| *at = *at + waits);
        for at in &came {
            self.depart(*at, (from, to), bytes);
        }
        if by == By::Us {
            self.signalled = self.now;
        }
        self.history.told_strangers += usize::from(to.ip() == STRANGER.ip());
        let read = Message::read(by, bytes, self.now);
        self.history.messages.extend(read.map(|message| Message { came, ..message }));
    }

    /// A stranger, who knows everything, sends to all that is open: RTP, and a BYE for the last call.
    pub(crate) fn intrude(&mut self) {
        let rtp = [[0x80, 8, 1, 1, 0, 0, 0, 160, 0, 0, 0, 9].as_slice(), &[0x11; 160]].concat();
        let ports: Vec<u16> = self.ports.keys().copied().collect();
        for port in ports {
            self.depart(self.now, (STRANGER, SocketAddr::new(US.ip(), port)), &rtp);
            self.depart(self.now, (STRANGER, SocketAddr::new(US.ip(), port + 1)), &rtp);
        }
        if let Some(attempt) = self.history.messages.last().map(|message| message.attempt) {
            let bye = format!(
                "BYE sip:us SIP/2.0\r\nVia: SIP/2.0/UDP {STRANGER};branch=z9hG4bKx\r\nFrom: <sip:x>;tag=1\r\n\
                 To: <sip:y>;tag=2\r\nCall-ID: {}\r\nCSeq: 9 BYE\r\nContent-Length: 0\r\n\r\n",
                attempt.call_id()
            );
            self.depart(self.now, (STRANGER, US), bye.as_bytes());
        }
    }

    /// RTP or RTCP leaves.
    pub(crate) fn send_media(&mut self, (from, to): (SocketAddr, SocketAddr), bytes: &[u8]) {
        for at in self.rtp.arrivals(self.now, &mut self.rng) {
            self.depart(at, (from, to), bytes);
        }
    }

    fn depart(&mut self, at: Instant, (from, to): (SocketAddr, SocketAddr), bytes: &[u8]) {
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.extend_from_slice(bytes);
        self.departed += 1;
        self.flights.push(Reverse(Flight { at, departed: self.departed, to, from, bytes: buffer }));
    }

    fn land(&mut self, Flight { to, from, bytes, .. }: Flight) {
        if to == US {
            self.signalled = self.now;
            self.signalling.push_back((from, bytes));
            self.news.push(News { token: Token::Signalling, arrival: () });
            return;
        }
        let (even, is_rtp) = (to.port() & !1, to.port() % 2 == 0);
        let Some(port) = self.ports.get_mut(&even) else { return self.recycle(bytes) };
        if is_rtp && port.connected.is_some_and(|only| only != from) {
            return self.recycle(bytes);
        }
        let Some(place) = port.place else { return self.recycle(bytes) };
        let token = if is_rtp {
            port.rtp.push_back((from, bytes));
            Token::Rtp(place)
        } else {
            port.rtcp.push_back((from, bytes));
            Token::Rtcp(place)
        };
        self.news.push(News { token, arrival: () });
    }

    fn read(
        &mut self,
        datagram: Option<(SocketAddr, Vec<u8>)>,
        buffer: &mut [u8],
    ) -> Option<(usize, SocketAddr)> {
        let (from, bytes) = datagram?;
        let length = bytes.len().min(buffer.len());
        buffer[..length].copy_from_slice(&bytes[..length]);
        self.recycle(bytes);
        Some((length, from))
    }

    fn note_rtp(&mut self, port: u16, to: SocketAddr) {
        let (now, Some(port)) = (self.now, self.ports.get(&port)) else { return };
        let Some(line) = self.history.lines.get_mut(port.line) else { return };
        // Between two packets no agreement may hide, however short it was.
        let goes_on =
            |run: &&mut Run| run.to == to && now.since(run.last) <= PAUSE && self.signalled < run.last;
        match line.runs.last_mut().filter(goes_on) {
            Some(run) => (run.last, run.packets) = (now, run.packets + 1),
            None => line.runs.push(Run { to, first: now, last: now, packets: 1 }),
        }
    }
}

/// The ground of the one shard of a world.
pub(crate) struct MadeUp {
    pub(crate) net: Rc<RefCell<Net>>,
    pub(crate) seed: u64,
}

/// The sockets of a leg.
pub(crate) struct Pair {
    net: Rc<RefCell<Net>>,
    port: u16,
}

impl Ground for MadeUp {
    type Sockets = Pair;
    type Arrival = ();

    fn now(&self) -> Instant {
        self.net.borrow().now
    }

    fn wall(&self) -> Timestamp {
        WALL + self.net.borrow().now.since(Instant::START)
    }

    fn rng(&mut self) -> StdRng {
        StdRng::seed_from_u64(self.seed)
    }

    /// Does not wait: the world lets the shard take its turn when its time has come.
    fn wait(&mut self, _: Option<Duration>, news: &mut Vec<News<()>>) -> bool {
        let net = &mut *self.net.borrow_mut();
        news.clear();
        news.append(&mut net.news);
        if std::mem::take(&mut net.rung) {
            news.push(News { token: Token::Bell, arrival: () });
        }
        false
    }

    fn pause(&mut self, span: Duration) {
        let mut net = self.net.borrow_mut();
        net.now = net.now + span;
    }

    fn hear(&mut self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        let net = &mut *self.net.borrow_mut();
        let datagram = net.signalling.pop_front();
        net.read(datagram, buffer)
    }

    fn say(&mut self, datagram: &[u8], to: SocketAddr) -> bool {
        let net = &mut *self.net.borrow_mut();
        let has_way = !net.nowhere.contains(&to);
        if has_way {
            net.send_sip(By::Us, (US, to), datagram);
        }
        has_way
    }

    fn sockets(
        &mut self,
        _: IpAddr,
        range: &RangeInclusive<u16>,
        rng: &mut StdRng,
    ) -> Result<Pair, SocketFault> {
        let net = &mut *self.net.borrow_mut();
        let (low, high) = (*range.start(), *range.end());
        let pairs = usize::from(high - low).div_ceil(2);
        let skipped = rng.random_range(0..pairs);
        let all = || range.clone().filter(|port| port % 2 == 0);
        let mut ring = all().skip(skipped).chain(all());
        let port =
            ring.find(|port| !net.ports.contains_key(port)).ok_or(SocketFault::NoPorts { low, high })?;
        let line = net.history.lines.len();
        net.history.lines.push(Line { port, opened: net.now, closed: None, runs: Vec::new() });
        let (rtp, rtcp) = (VecDeque::new(), VecDeque::new());
        net.ports.insert(port, Port { place: None, line, connected: None, rtp, rtcp });
        Ok(Pair { net: Rc::clone(&self.net), port })
    }

    fn open(&mut self, place: u32, sockets: &Pair) -> io::Result<()> {
        if let Some(port) = self.net.borrow_mut().ports.get_mut(&sockets.port) {
            port.place = Some(place);
        }
        Ok(())
    }

    fn close(&mut self, _: u32) {}

    fn receive(&self, sockets: &Pair, (): (), buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        let net = &mut *self.net.borrow_mut();
        let datagram = net.ports.get_mut(&sockets.port)?.rtp.pop_front();
        net.read(datagram, buffer)
    }

    fn send(&mut self, sockets: &Pair, packet: &[u8], to: Option<SocketAddr>) {
        let net = &mut *self.net.borrow_mut();
        let connected = net.ports.get(&sockets.port).and_then(|port| port.connected);
        let Some(to) = to.or(connected) else { return };
        net.note_rtp(sockets.port, to);
        net.send_media((SocketAddr::new(US.ip(), sockets.port), to), packet);
    }
}

impl Sockets for Pair {
    fn port(&self) -> u16 {
        self.port
    }

    fn is_ipv4(&self) -> bool {
        true
    }

    fn connect(&self, to: SocketAddr) -> bool {
        if let Some(port) = self.net.borrow_mut().ports.get_mut(&self.port) {
            port.connected = Some(to);
        }
        true
    }

    fn receive_rtcp(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        let net = &mut *self.net.borrow_mut();
        let datagram = net.ports.get_mut(&self.port)?.rtcp.pop_front();
        net.read(datagram, buffer)
    }

    fn send_rtcp(&self, packet: &[u8], to: SocketAddr) {
        let from = SocketAddr::new(US.ip(), self.port + 1);
        self.net.borrow_mut().send_media((from, to), packet);
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        let net = &mut *self.net.borrow_mut();
        let now = net.now;
        if let Some(port) = net.ports.remove(&self.port)
            && let Some(line) = net.history.lines.get_mut(port.line)
        {
            line.closed = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_sip_ends_a_run() {
        let net = Net::new(&mut SmallRng::seed_from_u64(1));
        let mut ground = MadeUp { net: Rc::new(RefCell::new(net)), seed: 1 };
        let range = 10_000..=10_001;
        let pair = ground.sockets(US.ip(), &range, &mut StdRng::seed_from_u64(1)).unwrap();
        let party: SocketAddr = "10.1.0.0:10000".parse().unwrap();
        let rtp = |ground: &mut MadeUp, millis| {
            ground.net.borrow_mut().now = Instant::from_millis(millis);
            ground.send(&pair, &[0x80; 12], Some(party));
        };
        (0..5).for_each(|nth| rtp(&mut ground, 2_000 + nth * 20));
        assert!(ground.say(b"OPTIONS", party));
        (5..9).for_each(|nth| rtp(&mut ground, 2_000 + nth * 20));
        let packets = |run: &Run| run.packets;
        let runs: Vec<_> = ground.net.borrow().history.lines[0].runs.iter().map(packets).collect();
        assert_eq!(runs, [5, 4]);
    }
}
