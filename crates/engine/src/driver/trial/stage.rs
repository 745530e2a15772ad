//! The signalling of a trial, by datagrams or by a connection.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant as StdInstant};

use base::limits;
use base::time::Instant;
use base::trunk::{LinkFault, TrunkNo, Trunks};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sip::{Datagram, Endpoint, Hop, Output, Outputs, PeerRule, Transport};

use super::{THE_CALL, THE_REGISTRATION, Trial};
use crate::driver::clock::Clock;
use crate::driver::mailbox::{Mailbox, Slot, mailbox};
use crate::driver::post::Post;
use crate::driver::sockets;
use crate::driver::streams::{self, Book, Letter, Log, Way};

/// See the module.
pub(super) struct Stage {
    line: Line,
    pub(super) sip: Endpoint,
    pub(super) outputs: Outputs,
    pub(super) began: StdInstant,
    /// Where the gateway is told that we are.
    pub(super) contact: SocketAddr,
    /// The address of this machine that reaches it.
    pub(super) local: IpAddr,
    pub(super) rng: StdRng,
}

/// What carries the messages.
enum Line {
    /// Connected, so that a port that nobody listens at is told apart from a network that swallows everything.
    Datagrams {
        socket: UdpSocket,
        fault: Option<LinkFault>,
    },
    Connection(Connection),
}

/// A connection, made as those of calls are.
struct Connection {
    hop: Hop,
    letters: Slot<Letter>,
    post: Mailbox<Post>,
    board: Arc<Trunks>,
    thread: Option<JoinHandle<()>>,
}

impl Stage {
    pub(super) fn open(trial: &Trial) -> io::Result<Self> {
        let hop = trial.peer.hop;
        let (line, local) = match hop.transport {
            Transport::Udp => {
                let socket = UdpSocket::bind(trial.local)?;
                socket.connect(hop.address)?;
                socket.set_read_timeout(Some(GLANCE))?;
                let local = socket.local_addr()?;
                (Line::Datagrams { socket, fault: None }, local)
            }
            Transport::Tcp | Transport::Tls => {
                let local = SocketAddr::new(sockets::seen_by(hop.address)?, trial.local.port());
                (Line::Connection(Connection::open(trial)?), local)
            }
        };
        let of_family = |ip: &IpAddr| ip.is_ipv4() == hop.address.is_ipv4();
        let told = [trial.trunk.external, trial.advertised].into_iter().flatten().find(of_family);
        let told = told.unwrap_or_else(|| local.ip());
        let contact = SocketAddr::new(told, local.port());
        let mut manners = sip::Settings::new(contact.to_string());
        manners.peers = vec![PeerRule::Socket(hop.address)];
        manners.transports = vec![hop.transport];
        let mut rng = StdRng::from_os_rng();
        Ok(Self {
            line,
            sip: Endpoint::new(manners, rng.random()),
            outputs: Vec::new(),
            began: StdInstant::now(),
            contact,
            local: local.ip(),
            rng,
        })
    }

    pub(super) fn now(&self) -> Instant {
        Instant::from_millis(1_000) + self.began.elapsed()
    }

    /// Why the gateway is not reached, if it is not.
    pub(super) fn fault(&self) -> Option<LinkFault> {
        match &self.line {
            Line::Datagrams { fault, .. } => *fault,
            Line::Connection(connection) => connection.fault(),
        }
    }

    /// Hears what has come, for some milliseconds at most, and sends what is due; gives the news.
    pub(super) fn turn(&mut self) -> io::Result<Vec<Output>> {
        let mut news = self.send()?;
        let now = self.now();
        match &mut self.line {
            Line::Datagrams { socket, fault } => {
                let mut buffer = [0; 4_096];
                match socket.recv(&mut buffer) {
                    Ok(length) => {
                        let peer = socket.peer_addr()?;
                        self.sip.receive(peer, &buffer[..length], now, &mut self.outputs);
                    }
                    Err(refused) if refused.kind() == ErrorKind::ConnectionRefused => {
                        *fault = Some(LinkFault::Refused);
                    }
                    Err(idle) if matches!(idle.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                    Err(fault) => return Err(fault),
                }
            }
            Line::Connection(connection) => match connection.next() {
                Some(Post::Message { from, bytes }) => {
                    self.sip.receive(from, &bytes, now, &mut self.outputs);
                }
                Some(Post::Undelivered { to, message }) => {
                    self.sip.undelivered(to, &message, now, &mut self.outputs);
                }
                None => thread::sleep(GLANCE),
            },
        }
        let now = self.now();
        self.sip.on_time(now, &mut self.outputs);
        news.extend(self.send()?);
        Ok(news)
    }

    fn send(&mut self) -> io::Result<Vec<Output>> {
        let (to_send, news): (Vec<_>, Vec<_>) =
            self.outputs.drain(..).partition(|output| matches!(output, Output::Send { .. }));
        for output in to_send {
            let Output::Send { datagram, .. } = output else { continue };
            match &mut self.line {
                Line::Datagrams { socket, fault } => match socket.send(&datagram) {
                    Err(refused) if refused.kind() == ErrorKind::ConnectionRefused => {
                        *fault = Some(LinkFault::Refused);
                    }
                    sent => _ = sent?,
                },
                Line::Connection(connection) => connection.send(datagram),
            }
        }
        Ok(news)
    }

    /// Ends the call, and waits a moment for the far end to confirm.
    pub(super) fn hang_up(&mut self) -> io::Result<()> {
        let now = self.now();
        self.sip.hang_up(THE_CALL, None, now, &mut self.outputs);
        self.settle()
    }

    /// Takes the registration back, and waits a moment for the far end to confirm.
    pub(super) fn leave(&mut self) -> io::Result<()> {
        let now = self.now();
        self.sip.unregister(THE_REGISTRATION, now, &mut self.outputs);
        self.settle()
    }

    fn settle(&mut self) -> io::Result<()> {
        self.turn()?;
        let began = StdInstant::now();
        while began.elapsed() < FAREWELL && self.sip.load().clients > 0 {
            self.turn()?;
        }
        Ok(())
    }
}

impl Connection {
    fn open(trial: &Trial) -> io::Result<Self> {
        let (hop, now) = (trial.peer.hop, Clock::wall());
        let board = Arc::new(Trunks::new([trial.trunk.terms()], now));
        let (slot, post) = mailbox(limits::SHARD_MAILBOX)?;
        let trunk = TrunkNo::new(0).ok_or_else(|| io::Error::other("there is no room for a trunk"))?;
        let (name, tls) = (trial.peer.name.clone(), trial.trunk.tls.clone());
        let ways = vec![Way { hop, trunk, name, tls, from: None }];
        let (letters, thread) = streams::start(streams::Parts {
            clock: Clock::new(),
            book: Book { ways, callers: Vec::new() },
            board: Arc::clone(&board),
            log: Log::Spared,
            posts: vec![slot],
            listeners: Vec::new(),
            server: None,
        })?;
        Ok(Self { hop, letters, post, board, thread: Some(thread) })
    }

    fn fault(&self) -> Option<LinkFault> {
        self.board.views(Clock::wall()).first()?.link
    }

    fn send(&self, message: Datagram) {
        // There is room for far more than one trial has to say.
        self.letters.post(Letter::Send { to: self.hop, message, sender: 0 }).ok();
    }

    fn next(&self) -> Option<Post> {
        self.post.take()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.letters.post(Letter::End).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// How long the far end may take to confirm the end.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long one turn waits for a message.
const GLANCE: Duration = Duration::from_millis(5);
