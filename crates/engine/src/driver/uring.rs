//! Packets by io_uring: one system call takes in what has come and sends what is to go.
//!
//! ```text
//! a wire opens ─▶ multishot RECVMSG ─▶ a buffer of the pool for each datagram ─▶ News ─▶ back to the pool, next wait
//! send ─▶ outbox ─▶ SEND, with the next wait
//! ```
//!
//! With few legs a wait ends with the first completion. With many it ends after [`TICK`] or [`BATCH`] completions, so
//! that a thousand calls cost a thousand waits a second. What is rare, bells, signalling and RTCP, is left to an
//! epoll that the ring looks at: a ring whose process is killed lets go of what it looks at only a moment later, and
//! the next process would find its signalling port taken.
//!
//! Every receive carries the generation of its wire: a completion that comes after its wire was closed is nobody's. A
//! receive that ends because no buffer was free is made again with the next wait, when there are buffers; one that fails
//! twice in a row waits for [`RETRY`], so that a fault that stays costs fifty requests a second and not a core.
//!
//! `ring.rs` has the memory that is shared with the kernel.

mod ring;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use rustix::io::Errno;
use socket2::SockAddr;

use self::ring::{BUFFERS, Ring};
use crate::driver::ground::Token;
use crate::driver::net::{Arrival, News, Parcel, send_now};
use crate::driver::poller::Poller;
use crate::driver::sockets::Pair;

/// From so many legs on, packets wait for each other: below, there are fewer packets than there would be ticks.
const BUSY_LEGS: usize = 20;

/// How long they wait at most. Twice as long was measured to save nothing at 200 calls and more.
const TICK: Duration = Duration::from_millis(1);

/// How many of them are enough.
const BATCH: usize = 256;

/// How soon a request that failed twice in a row is made again: a packet's time.
const RETRY: Duration = Duration::from_millis(20);

/// See the module.
pub(crate) struct Uring {
    ring: Ring,
    lines: Vec<Line>,
    open: usize,
    /// What is rare.
    poller: Poller,
    /// Requests that have ended and are made again with the next wait.
    again: Vec<Request>,
    /// Those that wait for the reminder.
    later: Vec<Request>,
    /// Whether a reminder was asked for.
    reminds: bool,
}

/// What listens at a place of the shard's wires.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    generation: u32,
    /// The RTP socket, while it is open.
    rtp: Option<RawFd>,
    /// Whether its receive failed, and nothing was received since.
    failed: bool,
}

/// What a completion is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    /// To receive the RTP of the wire at a place.
    Receive { place: u32, generation: u32 },
    /// To be told of something rare.
    Poll,
    /// To be told that what failed may be tried again.
    Remind,
    /// To send, or to cancel: who asks for it hears of it only when it failed, and then there is nothing to be done.
    Forget,
}

impl Uring {
    /// Opens a ring with all that we need of it, for the calling thread.
    ///
    /// # Errors
    /// See [`refusal`].
    pub(crate) fn new() -> io::Result<Self> {
        let mut uring = Self {
            ring: Ring::new(RETRY)?,
            lines: Vec::new(),
            open: 0,
            poller: Poller::new()?,
            again: Vec::with_capacity(BUFFERS.into()),
            later: Vec::new(),
            reminds: false,
        };
        uring.request(Request::Poll);
        Ok(uring)
    }

    /// See [`crate::driver::net::Net::watch`].
    pub(crate) fn watch(&self, fd: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        self.poller.watch(fd, token)
    }

    /// See [`crate::driver::net::Net::open`].
    pub(crate) fn open(&mut self, place: u32, pair: &Pair) -> io::Result<()> {
        self.poller.watch(pair.rtcp.as_fd(), Token::Rtcp(place))?;
        let at = place as usize;
        if self.lines.len() <= at {
            self.lines.resize(at + 1, Line::default());
        }
        let generation = self.lines[at].generation;
        self.lines[at] = Line { generation, rtp: Some(pair.rtp.as_raw_fd()), failed: false };
        self.open += 1;
        self.request(Request::Receive { place, generation });
        Ok(())
    }

    /// See [`crate::driver::net::Net::close`]. When it returns, no packet waits to be sent by the socket's number, which
    /// may be another leg's next; the receive lets go of the socket with the next wait.
    pub(crate) fn close(&mut self, place: u32) {
        let Some(line) = self.lines.get_mut(place as usize) else { return };
        if line.rtp.take().is_none() {
            return;
        }
        let ended = Request::Receive { place, generation: line.generation };
        line.generation = (line.generation + 1) & GENERATIONS;
        self.open -= 1;
        self.ring.cancel(ended.to_data(), Request::Forget.to_data());
        self.ring.submit();
    }

    /// The datagram of a parcel: its length and its source; `None` when its wire is closed.
    pub(crate) fn read(&self, parcel: Parcel, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        let Parcel { place, generation, .. } = parcel;
        is_open(&self.lines, place, generation).then_some(())?;
        let datagram = self.ring.datagram(parcel.buffer, parcel.length as usize)?;
        let payload = datagram.payload_data();
        let length = payload.len().min(buffer.len());
        buffer[..length].copy_from_slice(&payload[..length]);
        Some((length, source(datagram.name_data())?))
    }

    /// See [`crate::driver::net::Net::send`].
    pub(crate) fn send(&mut self, rtp: BorrowedFd<'_>, packet: &[u8], to: Option<SocketAddr>) {
        let address = to.map(SockAddr::from);
        if !self.ring.send(rtp.as_raw_fd(), packet, address, Request::Forget.to_data()) {
            // Too long to wait. What waits goes first.
            self.ring.submit();
            send_now(rtp, packet, to);
        }
    }

    /// See [`crate::driver::net::Net::wait`].
    pub(crate) fn wait(&mut self, patience: Option<Duration>, news: &mut Vec<News>) {
        self.ring.give_back();
        while let Some(request) = self.again.pop() {
            self.request(request);
        }
        if !self.later.is_empty() && !self.reminds {
            self.reminds = self.ring.remind(Request::Remind.to_data());
        }
        if self.open < BUSY_LEGS {
            self.ring.enter(1, patience);
        } else {
            self.ring.enter(BATCH, Some(patience.map_or(TICK, |patience| patience.min(TICK))));
        }
        self.reap(news);
    }

    /// Takes all completions.
    fn reap(&mut self, news: &mut Vec<News>) {
        let Self { ring, lines, poller, again, later, reminds, .. } = self;
        let mut lacks_buffers = false;
        ring.reap(|done| {
            let request = Request::from_data(done.data);
            match request {
                Request::Receive { place, generation } if is_open(lines, place, generation) => {
                    if let (Ok(length), Some(buffer)) = (done.result, done.buffer) {
                        let parcel = Parcel { place, generation, buffer, length };
                        news.push(News { token: Token::Rtp(place), arrival: Arrival::Buffer(parcel) });
                    }
                    let has_room = done.result != Err(Errno::NOBUFS);
                    lacks_buffers |= !has_room;
                    let failed = done.buffer.is_none() && has_room;
                    let failed_before = std::mem::replace(&mut lines[place as usize].failed, failed);
                    if !done.goes_on {
                        if failed && failed_before { later.push(request) } else { again.push(request) }
                    }
                }
                // It should have ended with its wire: another cancel takes its place.
                Request::Receive { .. } if done.goes_on => again.push(request),
                Request::Receive { .. } | Request::Forget => {}
                Request::Poll => {
                    poller.wait(Some(Duration::ZERO), news);
                    if done.result.is_ok() { again.push(request) } else { later.push(request) }
                }
                Request::Remind => {
                    *reminds = false;
                    again.append(later);
                }
            }
        });
        if lacks_buffers {
            ring.give_more();
        }
    }

    /// Makes a request, or makes it again.
    fn request(&mut self, request: Request) {
        let data = request.to_data();
        let is_made = match request {
            Request::Receive { place, generation } => match line(&self.lines, place, generation) {
                Some(rtp) => self.ring.receive(rtp, data),
                None => self.ring.cancel(data, Request::Forget.to_data()),
            },
            Request::Poll => self.ring.poll(self.poller.as_fd().as_raw_fd(), data),
            Request::Remind | Request::Forget => true,
        };
        if !is_made {
            self.later.push(request);
        }
    }
}

impl Drop for Uring {
    fn drop(&mut self) {
        self.ring.end(self.lines.len());
    }
}

impl fmt::Debug for Uring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uring({} wires)", self.open)
    }
}

/// Why there is no ring, for people.
pub(crate) fn refusal(fault: &io::Error) -> &'static str {
    match Errno::from_io_error(fault) {
        Some(Errno::NOSYS) => "this kernel has no io_uring",
        Some(Errno::PERM | Errno::ACCESS) => {
            "io_uring is not permitted here, by a seccomp filter or by the sysctl kernel.io_uring_disabled"
        }
        Some(Errno::INVAL | Errno::OPNOTSUPP) => "this kernel is older than 6.12",
        Some(Errno::NOMEM) => "too little memory may be locked (ulimit -l)",
        Some(Errno::MFILE | Errno::NFILE) => "too few files may be open (ulimit -n)",
        _ => "the kernel refuses a ring",
    }
}

/// The RTP socket of the wire at a place, while it is the one of this generation.
fn line(lines: &[Line], place: u32, generation: u32) -> Option<RawFd> {
    lines.get(place as usize).filter(|line| line.generation == generation)?.rtp
}

fn is_open(lines: &[Line], place: u32, generation: u32) -> bool {
    line(lines, place, generation).is_some()
}

/// Generations that a place can have, less one.
const GENERATIONS: u32 = (1 << 29) - 1;

impl Request {
    /// `place << 32 | generation << 3 | kind`.
    const fn to_data(self) -> u64 {
        let (place, generation, kind) = match self {
            Self::Receive { place, generation } => (place, generation, 0),
            Self::Poll => (0, 0, 1),
            Self::Remind => (0, 0, 2),
            Self::Forget => (0, 0, 3),
        };
        (place as u64) << 32 | (generation as u64) << 3 | kind
    }

    const fn from_data(data: u64) -> Self {
        match data & 7 {
            0 => Self::Receive { place: (data >> 32) as u32, generation: (data >> 3) as u32 & GENERATIONS },
            1 => Self::Poll,
            2 => Self::Remind,
            _ => Self::Forget,
        }
    }
}

/// A `sockaddr_in` or `sockaddr_in6`.
fn source(name: &[u8]) -> Option<SocketAddr> {
    let (family, rest) = name.split_first_chunk::<2>()?;
    let (port, rest) = rest.split_first_chunk::<2>()?;
    let port = u16::from_be_bytes(*port);
    match i32::from(u16::from_ne_bytes(*family)) {
        libc::AF_INET => {
            let ip = Ipv4Addr::from(*rest.first_chunk::<4>()?);
            Some(SocketAddrV4::new(ip, port).into())
        }
        libc::AF_INET6 => {
            let (flow, rest) = rest.split_first_chunk::<4>()?;
            let (ip, rest) = rest.split_first_chunk::<16>()?;
            let scope = u32::from_ne_bytes(*rest.first_chunk::<4>()?);
            Some(SocketAddrV6::new(Ipv6Addr::from(*ip), port, u32::from_be_bytes(*flow), scope).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::UdpSocket;

    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use rustix::event::EventfdFlags;

    use super::ring::PACKET_BYTES;
    use super::*;
    use crate::driver::sockets::pair;
    use crate::driver::wire::DATAGRAM_BYTES;

    const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;

    /// A ring, where the kernel gives one. Where it does not, the test says so, past the capture of its output.
    fn ring() -> Option<Uring> {
        let fault = match Uring::new() {
            Ok(ring) => return Some(ring),
            Err(fault) => fault,
        };
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        writeln!(io::stderr(), "NOT TESTED: {test}: {}: {fault}", refusal(&fault)).unwrap();
        assert_ne!(
            refusal(&fault),
            refusal(&io::Error::other("")),
            "a refusal that nobody understands: {fault}"
        );
        None
    }

    fn wire() -> Pair {
        pair(HERE.into(), &(30_000..=30_999), &mut StdRng::from_os_rng()).unwrap()
    }

    fn phone() -> (UdpSocket, SocketAddr) {
        let phone = UdpSocket::bind((HERE, 0)).unwrap();
        let address = phone.local_addr().unwrap();
        (phone, address)
    }

    fn address(pair: &Pair) -> SocketAddr {
        SocketAddr::from((HERE, pair.port))
    }

    /// Waits until there are so many news.
    fn wait(ring: &mut Uring, count: usize) -> Vec<News> {
        let (mut all, mut news) = (Vec::new(), Vec::new());
        for _ in 0..100 {
            if all.len() >= count {
                break;
            }
            news.clear();
            ring.wait(Some(Duration::from_millis(50)), &mut news);
            all.append(&mut news);
        }
        all
    }

    fn said(ring: &Uring, news: &News) -> Option<(Vec<u8>, SocketAddr)> {
        let Arrival::Buffer(parcel) = news.arrival else { return None };
        let mut buffer = [0; DATAGRAM_BYTES];
        let (length, from) = ring.read(parcel, &mut buffer)?;
        Some((buffer[..length].to_vec(), from))
    }

    #[test]
    fn a_request_comes_back_as_it_went() {
        for request in [
            Request::Receive { place: u32::MAX, generation: GENERATIONS },
            Request::Receive { place: 0, generation: 1 },
            Request::Poll,
            Request::Remind,
            Request::Forget,
        ] {
            assert_eq!(Request::from_data(request.to_data()), request);
        }
    }

    #[test]
    fn a_refusal_says_who_refuses() {
        for (errno, word) in [
            (Errno::NOSYS, "no io_uring"),
            (Errno::PERM, "seccomp"),
            (Errno::ACCESS, "sysctl"),
            (Errno::INVAL, "6.12"),
            (Errno::OPNOTSUPP, "6.12"),
            (Errno::NOMEM, "ulimit -l"),
            (Errno::NFILE, "ulimit -n"),
            (Errno::IO, "the kernel refuses"),
        ] {
            let sentence = refusal(&errno.into());
            assert!(sentence.contains(word), "{errno:?}: {sentence}");
        }
    }

    #[test]
    fn a_source_is_read_as_the_kernel_writes_it() {
        for address in ["192.0.2.1:5004", "[2001:db8::1]:5004"] {
            let address: SocketAddr = address.parse().unwrap();
            let name = SockAddr::from(address);
            let fields = match address {
                SocketAddr::V4(address) => {
                    [&address.port().to_be_bytes()[..], &address.ip().octets()].concat()
                }
                SocketAddr::V6(address) => {
                    [&address.port().to_be_bytes()[..], &[0; 4], &address.ip().octets(), &[0; 4]].concat()
                }
            };
            let bytes = [&name.family().to_ne_bytes()[..], &fields].concat();
            assert_eq!(source(&bytes), Some(address));
            assert_eq!((source(&bytes[..7]), source(&[])), (None, None));
        }
    }

    #[test]
    fn packets_come_with_their_source_and_go_to_whom_they_are_for() {
        let Some(mut ring) = ring() else { return };
        let (wire, (phone, here)) = (wire(), phone());
        ring.open(3, &wire).unwrap();
        ring.wait(Some(Duration::ZERO), &mut Vec::new());
        phone.send_to(b"hello", address(&wire)).unwrap();
        phone.send_to(&[7; DATAGRAM_BYTES], address(&wire)).unwrap();
        let news = wait(&mut ring, 1);
        assert_eq!(news[0].token, Token::Rtp(3));
        assert_eq!(said(&ring, &news[0]), Some((b"hello".to_vec(), here)));
        let news = if news.len() > 1 { news[1..].to_vec() } else { wait(&mut ring, 1) };
        assert_eq!(said(&ring, &news[0]), Some((vec![7; DATAGRAM_BYTES], here)));
        for to in [Some(here), None] {
            if to.is_none() {
                rustix::net::connect(&wire.rtp, &here).unwrap();
            }
            for length in [1, PACKET_BYTES, PACKET_BYTES + 1] {
                ring.send(wire.rtp.as_fd(), &vec![9; length], to);
                ring.wait(Some(Duration::ZERO), &mut Vec::new());
                let mut buffer = [0; DATAGRAM_BYTES];
                assert_eq!(phone.recv_from(&mut buffer).unwrap(), (length, address(&wire)));
            }
        }
    }

    #[test]
    fn a_place_is_used_ten_thousand_times_and_its_port_is_free_soon() {
        let Some(mut ring) = ring() else { return };
        let (phone, here) = phone();
        let (mut late, mut rng) = (Vec::new(), StdRng::from_os_rng());
        // A range that no other test takes from.
        let port = pair(HERE.into(), &(31_000..=32_767), &mut rng).unwrap().port;
        for turn in 0..10_000 {
            // Mostly at once; on a busy machine, the kernel may hold the packet that came late in its hands.
            let wire = (0..1_000).find_map(|_| {
                let wire = pair(HERE.into(), &(port..=port + 1), &mut rng).ok();
                wire.or_else(|| {
                    ring.wait(Some(Duration::from_millis(5)), &mut late);
                    None
                })
            });
            let wire = wire.expect("the port is free again");
            ring.open(0, &wire).unwrap();
            if turn % 16 == 0 {
                ring.wait(Some(Duration::ZERO), &mut Vec::new());
                phone.send_to(b"late", address(&wire)).unwrap();
                ring.send(wire.rtp.as_fd(), b"bye", Some(here));
            }
            ring.close(0);
            drop(wire);
            ring.wait(Some(Duration::ZERO), &mut late);
            if turn % 16 == 0 {
                phone.recv_from(&mut [0; 16]).unwrap();
                assert!(
                    late.iter().all(|news| said(&ring, news).is_none()),
                    "a closed wire's packet is nobody's"
                );
            }
        }
        ring.wait(Some(Duration::ZERO), &mut late);
        assert_eq!(ring.open, 0);
    }

    #[test]
    fn buffers_come_back_also_from_packets_that_nobody_reads() {
        let Some(mut ring) = ring() else { return };
        let (phone, _) = phone();
        let wire = wire();
        ring.open(0, &wire).unwrap();
        for _ in 0..usize::from(BUFFERS) * 4 / 64 {
            for _ in 0..64 {
                phone.send_to(b"hello", address(&wire)).unwrap();
            }
            assert_eq!(wait(&mut ring, 64).len(), 64);
        }
    }

    #[test]
    fn a_full_pool_and_an_error_of_the_network_end_no_receiving() {
        let Some(mut ring) = ring() else { return };
        let wires: Vec<Pair> = (0..20).map(|_| wire()).collect();
        for (at, wire) in wires.iter().enumerate() {
            ring.open(at as u32, wire).unwrap();
        }
        let (phone, _) = phone();
        let many = usize::from(BUFFERS) + 500;
        for number in 0..many {
            phone.send_to(b"hello", address(&wires[number % wires.len()])).unwrap();
        }
        assert_eq!(wait(&mut ring, many).len(), many, "what found no buffer waited in its socket");
        // Nobody is there: an ICMP error comes back to the connected socket.
        let (gone, nowhere) = self::phone();
        drop(gone);
        rustix::net::connect(&wires[0].rtp, &nowhere).unwrap();
        for _ in 0..3 {
            ring.send(wires[0].rtp.as_fd(), b"anybody?", None);
            ring.wait(Some(Duration::ZERO), &mut Vec::new());
        }
        let back = UdpSocket::bind(nowhere).unwrap();
        back.send_to(b"here", address(&wires[0])).unwrap();
        let news = wait(&mut ring, 1);
        assert_eq!(said(&ring, &news[0]).map(|(said, _)| said), Some(b"here".to_vec()));
    }

    #[test]
    fn a_receive_that_always_fails_is_made_again_with_the_reminder_only() {
        let Some(mut ring) = ring() else { return };
        let no_socket = rustix::event::eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        let mut broken = Pair { rtp: no_socket, ..wire() };
        ring.open(0, &broken).unwrap();
        let mut news = Vec::new();
        for _ in 0..3 {
            for _ in 0..100 {
                ring.wait(Some(Duration::ZERO), &mut news);
            }
            assert_eq!((ring.again.len(), ring.later.len(), news.len()), (0, 1, 0));
            while !ring.later.is_empty() {
                ring.wait(Some(Duration::from_secs(5)), &mut news);
            }
        }
        // The socket that heals is heard again.
        let (wire, (phone, here)) = (wire(), phone());
        rustix::io::dup2(&wire.rtp, &mut broken.rtp).unwrap();
        phone.send_to(b"hello", address(&wire)).unwrap();
        let news = wait(&mut ring, 1);
        assert_eq!(said(&ring, &news[0]), Some((b"hello".to_vec(), here)));
    }

    #[test]
    fn a_bell_rings_until_it_is_hushed() {
        let Some(mut ring) = ring() else { return };
        let (slot, mailbox) = crate::driver::mailbox::mailbox(4).unwrap();
        ring.watch(mailbox.bell(), Token::Bell).unwrap();
        slot.post(()).unwrap();
        for _ in 0..3 {
            assert_eq!(wait(&mut ring, 1)[0].token, Token::Bell);
        }
        mailbox.hush();
        let mut news = Vec::new();
        // It may have been heard once more, before it was hushed.
        ring.wait(Some(Duration::ZERO), &mut Vec::new());
        ring.wait(Some(Duration::ZERO), &mut news);
        assert!(news.is_empty());
    }
}
