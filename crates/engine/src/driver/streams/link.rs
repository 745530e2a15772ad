//! One connection: bytes in, whole messages out, and the other way round.
//!
//! ```text
//! Connecting ─▶ Shaking ─▶ Open ─▶ gone, with a fault
//!           (TLS only)
//! ```
//!
//! Nothing in here blocks. The kernel tells once that something can be read or written; from then on the connection knows
//! it by itself until it runs dry.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use base::limits;
use base::time::Instant;
use base::trunk::LinkFault;
use rustix::io::Errno;
use rustls::{ClientConnection, Connection, ServerConnection};
use sip::message::{Arrived, Inbox, PING, PONG};
use sip::{Datagram, Hop};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::book::Course;
use crate::tls::{TlsServer, meaning};

/// A message on its way out.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub(super) message: Datagram,
    /// Which shard wants to hear that it could not be delivered; `None`: nobody, for it is only a sign of life.
    pub(super) sender: Option<usize>,
    /// Whether a connection broke already under it.
    pub(super) is_again: bool,
}

/// What stage a connection is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Connecting { until: Instant },
    Shaking { until: Instant },
    Open,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Link {
    /// The far end.
    pub(super) to: Hop,
    /// Whether the far end made the connection.
    pub(super) is_theirs: bool,
    socket: TcpStream,
    tls: Option<Box<Connection>>,
    stage: Stage,
    is_readable: bool,
    is_writable: bool,
    inbox: Inbox,
    /// What is still to be written, the first of it from this byte on.
    outbox: VecDeque<Parcel>,
    written: usize,
    outbox_bytes: usize,
    /// What was written since the far end was last heard: the newest of it.
    unheard: VecDeque<Parcel>,
    /// Since when nothing could be written that should have been.
    stuck_since: Option<Instant>,
    /// When a message last went either way.
    used: Instant,
    /// When anything was last written.
    spoke: Instant,
    /// When we last asked for a sign of life without having been heard since.
    pinged: Option<Instant>,
    /// Whether the far end answers when it is asked for one; many do not.
    answers_pings: bool,
    /// Whether it ever said anything.
    pub(super) has_spoken: bool,
}

impl Link {
    /// Begins to connect.
    pub(super) fn open(to: Hop, course: Course, now: Instant) -> Result<Self, LinkFault> {
        let tls = match course.tls {
            Some((client, name)) => {
                let connection = ClientConnection::new(client.0, name).map_err(|fault| meaning(&fault))?;
                Some(connection.into())
            }
            None => None,
        };
        let socket = begin(to.address, course.from).map_err(|fault| cause(&fault))?;
        Ok(Self::new(to, socket, tls, Stage::Connecting { until: now + CONNECT }, now))
    }

    /// Takes a connection that was made to us.
    pub(super) fn accept(
        from: Hop,
        socket: TcpStream,
        tls: Option<&TlsServer>,
        now: Instant,
    ) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        prepare(&SockRef::from(&socket))?;
        let tls = match tls {
            Some(server) => Some(ServerConnection::new(server.0.clone()).map_err(io::Error::other)?.into()),
            None => None,
        };
        let stage = if tls.is_some() { Stage::Shaking { until: now + SHAKE } } else { Stage::Open };
        let link = Self::new(from, socket, tls, stage, now);
        Ok(Self { is_theirs: true, is_readable: true, is_writable: true, ..link })
    }

    fn new(to: Hop, socket: TcpStream, tls: Option<Connection>, stage: Stage, now: Instant) -> Self {
        let tls = tls.map(|mut tls| {
            tls.set_buffer_limit(Some(TLS_BYTES));
            Box::new(tls)
        });
        Self {
            to,
            is_theirs: false,
            socket,
            tls,
            stage,
            is_readable: false,
            is_writable: false,
            inbox: Inbox::default(),
            outbox: VecDeque::new(),
            written: 0,
            outbox_bytes: 0,
            unheard: VecDeque::new(),
            stuck_since: None,
            used: now,
            spoke: now,
            pinged: None,
            answers_pings: false,
            has_spoken: false,
        }
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    pub(super) fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    /// Whether it has something to do without being told.
    pub(super) fn is_restless(&self) -> bool {
        let is_connecting = matches!(self.stage, Stage::Connecting { .. });
        !is_connecting && (self.is_readable || self.is_open() && self.is_writable && !self.outbox.is_empty())
    }

    /// What the kernel tells.
    pub(super) fn on_ready(&mut self, readable: bool, writable: bool) {
        self.is_readable |= readable;
        self.is_writable |= writable;
    }

    /// Takes a message to be sent; gives it back when too much waits already.
    pub(super) fn post(&mut self, parcel: Parcel, now: Instant) -> Result<(), Parcel> {
        let bytes = parcel.message.len();
        if self.outbox_bytes + bytes > limits::STREAM_BYTES {
            return Err(parcel);
        }
        self.outbox_bytes += bytes;
        self.used = now;
        self.outbox.push_back(parcel);
        Ok(())
    }

    /// Reads and writes what can be, and hands whole messages to `each`.
    pub(super) fn turn(&mut self, now: Instant, each: impl FnMut(&[u8])) -> Result<(), LinkFault> {
        if matches!(self.stage, Stage::Connecting { .. }) {
            if !self.is_writable {
                return Ok(());
            }
            if let Some(fault) = self.socket.take_error().ok().flatten() {
                return Err(cause(&fault));
            }
            self.stage = if self.tls.is_some() { Stage::Shaking { until: now + SHAKE } } else { Stage::Open };
        }
        // What was said before the end is heard, and what can be written still is.
        let heard = self.read(now, each);
        let spoken = self.write(now);
        heard.and(spoken)
    }

    /// When [`on_time`](Self::on_time) wants to be called next.
    pub(super) fn deadline(&self) -> Instant {
        match self.stage {
            Stage::Connecting { until } | Stage::Shaking { until } => until,
            Stage::Open => {
                let stuck = self.stuck_since.map(|since| since + STUCK);
                let unanswered = self.pinged.filter(|_| self.answers_pings).map(|since| since + PONG_WAIT);
                let idle = self.used + if self.has_spoken { IDLE } else { MUTE };
                [Some(idle), Some(self.spoke + PING_EVERY), stuck, unanswered]
                    .into_iter()
                    .flatten()
                    .min()
                    .unwrap_or(idle)
            }
        }
    }

    /// Lets happen what is due; the fault is why the connection is given up.
    pub(super) fn on_time(&mut self, now: Instant) -> Result<(), LinkFault> {
        match self.stage {
            Stage::Connecting { until } | Stage::Shaking { until } if now >= until => {
                return Err(LinkFault::Silent);
            }
            Stage::Connecting { .. } | Stage::Shaking { .. } => return Ok(()),
            Stage::Open => {}
        }
        if self.stuck_since.is_some_and(|since| now >= since + STUCK) {
            return Err(LinkFault::Stuck);
        }
        if self.answers_pings && self.pinged.is_some_and(|since| now >= since + PONG_WAIT) {
            return Err(LinkFault::Silent);
        }
        if now >= self.used + if self.has_spoken { IDLE } else { MUTE } {
            return Err(LinkFault::Broken);
        }
        if now >= self.spoke + PING_EVERY {
            self.spoke = now;
            if self.outbox.is_empty() {
                self.outbox.push_back(sign(PING));
                self.pinged.get_or_insert(now);
                return self.write(now);
            }
        }
        Ok(())
    }

    /// Ends it, and gives what may not have arrived, in its order.
    pub(super) fn close(mut self) -> impl Iterator<Item = Parcel> {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            while tls.wants_write() && tls.write_tls(&mut self.socket).is_ok_and(|bytes| bytes > 0) {}
        }
        self.unheard.into_iter().chain(self.outbox).filter(|parcel| parcel.sender.is_some())
    }

    fn read(&mut self, now: Instant, mut each: impl FnMut(&[u8])) -> Result<(), LinkFault> {
        let mut buffer = [0; READ_BYTES];
        for _ in 0..READS {
            if !self.is_readable {
                return Ok(());
            }
            let got = match &mut self.tls {
                None => self.socket.read(&mut buffer),
                Some(tls) => tls.read_tls(&mut self.socket),
            };
            match got {
                Ok(0) => return Err(LinkFault::Broken),
                Ok(bytes) if self.tls.is_none() => self.hear(&buffer[..bytes], now, &mut each)?,
                Ok(_) => self.decrypt(&mut buffer, now, &mut each)?,
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => self.is_readable = false,
                Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
                Err(fault) => return Err(cause(&fault)),
            }
        }
        Ok(())
    }

    fn decrypt(
        &mut self,
        buffer: &mut [u8],
        now: Instant,
        each: &mut impl FnMut(&[u8]),
    ) -> Result<(), LinkFault> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        if let Err(fault) = tls.process_new_packets() {
            // The far end may learn why.
            tls.write_tls(&mut self.socket).ok();
            return Err(meaning(&fault));
        }
        if matches!(self.stage, Stage::Shaking { .. }) && !tls.is_handshaking() {
            self.stage = Stage::Open;
        }
        loop {
            let Some(tls) = &mut self.tls else { return Ok(()) };
            match tls.reader().read(buffer) {
                Ok(0) => return Err(LinkFault::Broken),
                Ok(bytes) => self.hear(&buffer[..bytes], now, each)?,
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(_) => return Err(LinkFault::Broken),
            }
        }
    }

    /// Takes bytes as the far end wrote them.
    fn hear(&mut self, bytes: &[u8], now: Instant, each: &mut impl FnMut(&[u8])) -> Result<(), LinkFault> {
        self.unheard.clear();
        self.answers_pings |= self.pinged.take().is_some() && bytes == PONG;
        let (mut asked, mut messages) = (false, false);
        let taken = self.inbox.take(bytes, |arrived| match arrived {
            Arrived::Ping => asked = true,
            Arrived::Message(message) => {
                messages = true;
                each(message);
            }
        });
        self.has_spoken |= messages || bytes == PONG;
        if messages {
            self.used = now;
        }
        // Whoever asks faster than we can answer is answered once.
        if asked && self.outbox.is_empty() {
            self.outbox.push_back(sign(PONG));
        }
        taken.map_err(|_| LinkFault::NotSip)
    }

    fn write(&mut self, now: Instant) -> Result<(), LinkFault> {
        while self.is_writable {
            let wrote = match &mut self.tls {
                None => {
                    let Some(front) = self.outbox.front() else { break };
                    self.socket.write(&front.message[self.written..])
                }
                Some(_) => {
                    self.encrypt()?;
                    let Some(tls) = self.tls.as_mut().filter(|tls| tls.wants_write()) else { break };
                    tls.write_tls(&mut self.socket)
                }
            };
            match wrote {
                Ok(bytes) => {
                    (self.stuck_since, self.spoke) = (None, now);
                    if self.tls.is_none() {
                        self.has_written(bytes);
                    }
                }
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => self.is_writable = false,
                Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
                Err(fault) => return Err(cause(&fault)),
            }
        }
        if self.is_open() && !self.is_writable && !self.outbox.is_empty() {
            self.stuck_since.get_or_insert(now);
        }
        Ok(())
    }

    /// Hands to TLS what it has room for.
    fn encrypt(&mut self) -> Result<(), LinkFault> {
        while let (Some(tls), Some(front)) = (&mut self.tls, self.outbox.front()) {
            if tls.is_handshaking() {
                break;
            }
            let bytes = tls.writer().write(&front.message[self.written..]).map_err(|fault| cause(&fault))?;
            if bytes == 0 {
                break;
            }
            self.has_written(bytes);
        }
        Ok(())
    }

    /// So much more of the first message was written.
    fn has_written(&mut self, bytes: usize) {
        self.written += bytes;
        if self.outbox.front().is_some_and(|front| self.written >= front.message.len()) {
            self.written = 0;
            let Some(parcel) = self.outbox.pop_front() else { return };
            if parcel.sender.is_some() {
                self.outbox_bytes -= parcel.message.len();
                if self.unheard.len() == UNHEARD {
                    self.unheard.pop_front();
                }
                self.unheard.push_back(parcel);
            }
        }
    }
}

fn sign(bytes: &'static [u8]) -> Parcel {
    Parcel { message: bytes.into(), sender: None, is_again: false }
}

/// A socket that is being connected.
fn begin(to: SocketAddr, from: Option<IpAddr>) -> io::Result<TcpStream> {
    let kind = Type::STREAM.nonblocking().cloexec();
    let socket = Socket::new(Domain::for_address(to), kind, Some(Protocol::TCP))?;
    prepare(&SockRef::from(&socket))?;
    if let Some(ip) = from {
        socket.bind(&SocketAddr::new(ip, 0).into())?;
    }
    match socket.connect(&to.into()) {
        Err(fault) if fault.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => Err(fault),
        _ => Ok(socket.into()),
    }
}

fn prepare(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    // What the far end's system does not even acknowledge, nobody reads: the kernel breaks the connection then.
    socket.set_tcp_user_timeout(Some(STUCK))?;
    // What the far end does not take waits with us, where we see it.
    socket.set_send_buffer_size(KERNEL_BYTES)
}

/// What the system's word for it means.
fn cause(fault: &io::Error) -> LinkFault {
    match fault.kind() {
        ErrorKind::ConnectionRefused => LinkFault::Refused,
        ErrorKind::TimedOut => LinkFault::Silent,
        ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::AddrNotAvailable
        | ErrorKind::PermissionDenied => LinkFault::Unreachable,
        _ => LinkFault::Broken,
    }
}

/// How long TCP may take to connect: an INVITE that has no connection by then is better off on another way.
const CONNECT: Duration = Duration::from_secs(4);

/// How long TLS may take to shake hands after that.
const SHAKE: Duration = Duration::from_secs(4);

/// How long the far end may take nothing.
const STUCK: Duration = Duration::from_secs(10);

/// How often an idle connection is kept open, for NAT and firewalls on the way (RFC 5626 4.4.1).
const PING_EVERY: Duration = Duration::from_secs(30);

/// How long an answer to that may take from who has answered before.
const PONG_WAIT: Duration = Duration::from_secs(10);

/// How long a connection may carry no message: longer than a call may go without a refresh (RFC 4028), so that no call
/// loses the only connection by which it can be ended.
const IDLE: Duration = Duration::from_secs(35 * 60);

/// The same of one whose far end has said no message yet.
const MUTE: Duration = Duration::from_secs(60);

/// Messages kept that the far end may not have read when the connection breaks.
const UNHEARD: usize = 64;

/// Bytes read at once.
const READ_BYTES: usize = 16_384;

/// Reads of one connection in a turn, so that no connection starves the others.
const READS: usize = 8;

/// Bytes that TLS may hold for the network.
const TLS_BYTES: usize = 64 * 1_024;

/// Bytes of the kernel's buffer of what is sent.
const KERNEL_BYTES: usize = 256 * 1_024;

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use sip::Transport;

    use super::*;

    const START: Instant = Instant::from_millis(1_000);

    /// A connection by TCP, and its far end.
    fn connected() -> (Link, TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let to = Hop::new(Transport::Tcp, listener.local_addr().unwrap());
        let mut link = Link::open(to, Course { from: None, tls: None }, START).unwrap();
        let (far, _) = listener.accept().unwrap();
        // It is connected: the kernel would tell.
        link.on_ready(false, true);
        link.turn(START, |_| panic!("nothing was said")).unwrap();
        assert!(link.is_open());
        (link, far)
    }

    fn parcel(message: &[u8]) -> Parcel {
        Parcel { message: message.into(), sender: Some(0), is_again: false }
    }

    fn waiting(link: Link) -> Vec<Datagram> {
        link.close().map(|parcel| parcel.message).collect()
    }

    #[test]
    fn a_peer_that_never_reads_holds_a_bounded_heap_and_is_given_up() {
        let (mut link, _far) = connected();
        let mut taken = 0;
        while link.post(parcel(&[b'x'; 60_000]), START).is_ok() {
            link.turn(START, |_| {}).unwrap();
            taken += 1;
            assert!(taken < 1_000, "there is no end");
        }
        assert!(link.outbox_bytes <= limits::STREAM_BYTES && link.unheard.len() <= UNHEARD);
        link.on_time(START + STUCK.mul_f64(0.9)).unwrap();
        assert_eq!(link.on_time(START + STUCK), Err(LinkFault::Stuck));
    }

    #[test]
    fn what_the_far_end_may_not_have_read_comes_back_in_its_order() {
        let (mut link, mut far) = connected();
        for message in [b"one", b"two"] {
            link.post(parcel(message), START).unwrap();
        }
        link.turn(START, |_| {}).unwrap();
        far.write_all(PONG).unwrap();
        while link.unheard.len() == 2 {
            link.on_ready(true, false);
            link.turn(START, |_| panic!("a line end is no message")).unwrap();
        }
        for message in [b"three", b"four!"] {
            link.post(parcel(message), START).unwrap();
        }
        link.turn(START, |_| {}).unwrap();
        link.is_writable = false;
        link.post(parcel(b"five"), START).unwrap();
        let back: Vec<&[u8]> = vec![b"three", b"four!", b"five"];
        assert_eq!(waiting(link).iter().map(|message| &message[..]).collect::<Vec<_>>(), back);
    }

    #[test]
    fn an_idle_connection_is_kept_open_and_closed_when_nobody_needs_it() {
        let (mut link, mut far) = connected();
        link.has_spoken = true;
        let mut now = START;
        for _ in 0..3 {
            now = link.deadline();
            link.on_time(now).unwrap();
        }
        let mut asked = [0; 12];
        far.read_exact(&mut asked).unwrap();
        assert_eq!((&asked[..], now), (&PING.repeat(3)[..], START + PING_EVERY * 3));
        link.on_time(START + IDLE.mul_f64(0.99)).unwrap();
        assert_eq!(link.on_time(START + IDLE), Err(LinkFault::Broken));
    }

    #[test]
    fn who_answers_pings_has_to_and_others_need_not() {
        let (mut link, mut far) = connected();
        link.on_time(START + PING_EVERY).unwrap();
        link.on_time(START + PING_EVERY + PONG_WAIT).unwrap();
        far.write_all(PONG).unwrap();
        while link.pinged.is_some() {
            link.on_ready(true, false);
            link.turn(START + PING_EVERY, |_| {}).unwrap();
        }
        link.on_time(START + PING_EVERY * 2).unwrap();
        link.used = START + PING_EVERY * 2;
        let late = link.on_time(START + PING_EVERY * 2 + PONG_WAIT);
        assert_eq!(late, Err(LinkFault::Silent), "now we know that it answers");
    }
}
