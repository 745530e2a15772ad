//! The connections: TCP and TLS, ours to the trunks and theirs to us.
//!
//! One thread has them all; it runs only where a trunk or a listening address wants it. A shard hands it a message and
//! where that goes; it takes the connection that there is, or makes one. Whole messages that arrive go to the shard of
//! their call as datagrams do. What cannot be delivered comes back to the shard that sent it.
//!
//! A connection that breaks takes nothing with it but what was being said: what the far end may not have read goes once
//! more by a new connection, which to SIP is a repetition, and comes back when that one fails too.

mod book;
mod link;

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base::limits;
use base::time::Instant;
use base::trunk::{LinkFault, TrunkNo, Trunks};
use rustix::event::epoll::EventFlags;
use sip::{Datagram, Hop, Transport};
use slab::Slab;

use self::link::{Link, Parcel};
use crate::driver::clock::Clock;
use crate::driver::mailbox::{Mailbox, Slot, mailbox};
use crate::driver::names;
use crate::driver::poller::Poller;
use crate::driver::post::Post;
use crate::tls::TlsServer;

pub(crate) use self::book::{Book, Way};

/// What the thread may be asked for.
pub(crate) enum Letter {
    /// Send a message, and tell its shard if that cannot be.
    Send { to: Hop, message: Datagram, sender: usize },
    /// A trunk has other gateways.
    Ways { trunk: TrunkNo, ways: Vec<Way> },
    /// End.
    End,
}

/// Where connections are accepted.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) transport: Transport,
    pub(crate) socket: TcpListener,
}

/// What the thread is made with.
pub(crate) struct Parts {
    pub(crate) clock: Clock,
    pub(crate) book: Book,
    /// Who is told how connections go.
    pub(crate) board: Arc<Trunks>,
    pub(crate) log: Log,
    /// Every shard's post, by its number.
    pub(crate) posts: Vec<Slot<Post>>,
    pub(crate) listeners: Vec<Listener>,
    /// Our certificate, for those who connect by TLS. Without one there is nobody to listen for them.
    pub(crate) server: Option<TlsServer>,
}

/// Whether the log is told too how connections go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Log {
    Told,
    /// Somebody asks the board and says it himself.
    Spared,
}

/// Starts the thread.
pub(crate) fn start(parts: Parts) -> io::Result<(Slot<Letter>, JoinHandle<()>)> {
    let (slot, mailbox) = mailbox(limits::STREAM_MAILBOX)?;
    let poller = Poller::new()?;
    poller.watch_edges(mailbox.bell(), BELL)?;
    for (place, listener) in parts.listeners.iter().enumerate() {
        listener.socket.set_nonblocking(true)?;
        poller.watch_edges(listener.socket.as_fd(), LISTENERS + place as u64)?;
    }
    let streams = Streams {
        parts,
        mailbox,
        poller,
        links: Slab::new(),
        by_hop: HashMap::new(),
        unposted: Vec::new(),
        is_asked_for: false,
        accept_again: None,
        ended: false,
    };
    let thread = thread::Builder::new().name("streams".to_owned()).spawn(move || streams.run())?;
    Ok((slot, thread))
}

struct Streams {
    parts: Parts,
    mailbox: Mailbox<Letter>,
    poller: Poller,
    links: Slab<Link>,
    by_hop: HashMap<Hop, usize>,
    /// What a shard had no room for. Nothing is read while there is any: a connection loses nothing, it waits.
    unposted: Vec<(usize, Post)>,
    /// Whether somebody may want to connect.
    is_asked_for: bool,
    /// When connections are accepted again, after the system had no room for one.
    accept_again: Option<Instant>,
    ended: bool,
}

impl Streams {
    fn run(mut self) {
        let mut ready = Vec::new();
        while !self.ended {
            let patience = self.patience();
            self.poller.wait_for(patience, |data, flags| ready.push((data, flags)));
            let now = self.parts.clock.now();
            if catch_unwind(AssertUnwindSafe(|| self.turn(&ready, now))).is_err() {
                tracing::error!("the thread of the connections panicked: all of them are closed");
                self.links.clear();
                self.by_hop.clear();
                // A bell may be silent already while letters still wait.
                self.mailbox.ring();
            }
            ready.clear();
        }
        for key in self.keys() {
            self.links.remove(key).close().for_each(drop);
        }
    }

    fn keys(&self) -> Vec<usize> {
        self.links.iter().map(|(key, _)| key).collect()
    }

    fn patience(&self) -> Option<Duration> {
        if !self.unposted.is_empty() {
            return Some(POST_AGAIN);
        }
        let is_pausing = self.accept_again.is_some();
        if self.is_asked_for && !is_pausing || self.links.iter().any(|(_, link)| link.is_restless()) {
            return Some(Duration::ZERO);
        }
        let deadlines = self.links.iter().map(|(_, link)| link.deadline());
        let next = deadlines.chain(self.accept_again).min();
        next.map(|at| at.since(self.parts.clock.now()))
    }

    fn on_ready(&mut self, data: u64, flags: EventFlags, now: Instant) {
        match data {
            BELL => self.on_bell(now),
            LISTENERS.. => self.is_asked_for = true,
            key => {
                let over = EventFlags::ERR | EventFlags::HUP | EventFlags::RDHUP;
                let readable = flags.intersects(EventFlags::IN | over);
                let writable = flags.intersects(EventFlags::OUT | over);
                if let Some(link) = usize::try_from(key).ok().and_then(|key| self.links.get_mut(key)) {
                    link.on_ready(readable, writable);
                }
            }
        }
    }

    fn on_bell(&mut self, now: Instant) {
        self.mailbox.hush();
        for _ in 0..LETTER_BURST {
            match self.mailbox.take() {
                Some(Letter::Send { to, message, sender }) => {
                    self.send(to, Parcel { message, sender: Some(sender), is_again: false }, now);
                }
                Some(Letter::Ways { trunk, ways }) => self.parts.book.replace(trunk, ways),
                Some(Letter::End) => self.ended = true,
                None => return,
            }
        }
        self.mailbox.ring();
    }

    /// Hands a message to the connection that there is, or to a new one.
    fn send(&mut self, to: Hop, parcel: Parcel, now: Instant) {
        let key = match self.by_hop.get(&to) {
            Some(key) => *key,
            // Who asked is gone: nobody listens where he asked from.
            None if parcel.message.starts_with(RESPONSE) => return,
            None => match self.connect(to, now) {
                Ok(key) => key,
                Err(fault) => {
                    self.learn(to, Some(fault));
                    return self.give_back(to, parcel);
                }
            },
        };
        if let Err(parcel) = self.links[key].post(parcel, now) {
            self.learn(to, Some(LinkFault::Crowded));
            self.give_back(to, parcel);
        }
    }

    fn connect(&mut self, to: Hop, now: Instant) -> Result<usize, LinkFault> {
        let course = self.parts.book.course(to)?;
        self.keep(Link::open(to, course, now)?).ok_or(LinkFault::Crowded)
    }

    /// Keeps a connection, if there is room for it.
    fn keep(&mut self, link: Link) -> Option<usize> {
        if self.links.len() >= limits::STREAMS {
            return None;
        }
        let entry = self.links.vacant_entry();
        let key = entry.key();
        self.poller.watch_edges(link.fd(), key as u64).ok()?;
        self.by_hop.insert(link.to, key);
        entry.insert(link);
        Some(key)
    }

    /// Takes the connections that trunks have made. Of anybody else's nothing is read.
    fn accept(&mut self, now: Instant) {
        self.is_asked_for = false;
        if self.accept_again.is_some_and(|at| now < at) {
            return;
        }
        self.accept_again = None;
        for place in 0..self.parts.listeners.len() {
            for _ in 0..ACCEPT_BURST {
                let Listener { transport, socket } = &self.parts.listeners[place];
                let accepted = socket.accept().map(|(socket, from)| (Hop::new(*transport, from), socket));
                match accepted {
                    Ok((from, socket)) => self.admit(from, socket, now),
                    Err(fault) if fault.kind() == ErrorKind::WouldBlock => break,
                    Err(fault) if fault.kind() == ErrorKind::ConnectionAborted => {}
                    Err(fault) => {
                        tracing::warn!("no connection can be accepted for a moment: {fault}");
                        self.accept_again = Some(now + ACCEPT_PAUSE);
                        break;
                    }
                }
                // The kernel tells of them once: whoever is left after this is taken by the next turn.
                self.is_asked_for = true;
            }
        }
    }

    fn admit(&mut self, from: Hop, socket: TcpStream, now: Instant) {
        if !self.parts.book.admits(from.address.ip()) || !self.has_room_for(from) {
            return;
        }
        let tls = self.parts.server.as_ref().filter(|_| from.transport == Transport::Tls);
        if let Ok(link) = Link::accept(from, socket, tls, now) {
            self.keep(link);
        }
    }

    fn has_room_for(&self, from: Hop) -> bool {
        let theirs = self.links.iter().filter(|(_, link)| link.is_theirs);
        theirs.filter(|(_, link)| link.to.address.ip() == from.address.ip()).count()
            < limits::STREAMS_PER_HOST
    }

    fn turn(&mut self, ready: &[(u64, EventFlags)], now: Instant) {
        for (data, flags) in ready {
            self.on_ready(*data, *flags, now);
        }
        self.post_again();
        self.is_asked_for |= self.accept_again.is_some_and(|at| now >= at);
        if self.is_asked_for {
            self.accept(now);
        }
        self.serve(now);
    }

    /// Lets every connection do what it can.
    fn serve(&mut self, now: Instant) {
        let shards = self.parts.posts.len();
        for key in self.keys() {
            let Some(link) = self.links.get_mut(key) else { continue };
            if !self.unposted.is_empty() {
                return;
            }
            let (from, was_known) = (link.to, link.has_spoken);
            let mut arrived = Vec::new();
            let done = link.turn(now, |message| {
                let shard = names::shard_for(message, shards).unwrap_or(0);
                arrived.push((shard, Post::Message { from, bytes: message.into() }));
            });
            let done = done.and_then(|()| link.on_time(now));
            let is_reached = !was_known && link.has_spoken && !link.is_theirs;
            for (shard, post) in arrived {
                self.post(shard, post);
            }
            if is_reached {
                self.learn(from, None);
            }
            if let Err(fault) = done {
                self.part(key, fault, now);
            }
        }
    }

    /// A connection is over. What the far end may not have read goes once more by another one.
    fn part(&mut self, key: usize, fault: LinkFault, now: Instant) {
        let link = self.links.remove(key);
        let (to, was_open, is_theirs) = (link.to, link.is_open(), link.is_theirs);
        if self.by_hop.get(&to) == Some(&key) {
            self.by_hop.remove(&to);
        }
        let parcels: Vec<Parcel> = link.close().collect();
        tracing::debug!(peer = %to, "a connection is over: {fault}");
        // One that was not used any more may go.
        let is_missed = !was_open || !parcels.is_empty();
        if !is_theirs && is_missed {
            self.learn(to, Some(fault));
        }
        for parcel in parcels {
            let is_mishap = matches!(fault, LinkFault::Broken | LinkFault::Silent);
            if was_open && is_mishap && !is_theirs && !parcel.is_again {
                self.send(to, Parcel { is_again: true, ..parcel }, now);
            } else {
                self.give_back(to, parcel);
            }
        }
    }

    /// Tells a shard that its message was not delivered.
    fn give_back(&mut self, to: Hop, parcel: Parcel) {
        if let Some(sender) = parcel.sender {
            self.post(sender, Post::Undelivered { to, message: parcel.message });
        }
    }

    fn learn(&self, to: Hop, fault: Option<LinkFault>) {
        for trunk in self.parts.book.trunks(to) {
            if !self.parts.board.connects(trunk, fault) || self.parts.log == Log::Spared {
                continue;
            }
            let name = self.parts.board.name(trunk);
            match fault {
                Some(fault) => tracing::warn!(trunk = name, peer = %to, "the trunk is not reached: {fault}"),
                None => tracing::info!(trunk = name, peer = %to, "the trunk is reached"),
            }
        }
    }

    fn post(&mut self, shard: usize, post: Post) {
        if !self.unposted.is_empty() {
            return self.unposted.push((shard, post));
        }
        if let Err(post) = self.parts.posts[shard].post(post) {
            self.unposted.push((shard, post));
        }
    }

    fn post_again(&mut self) {
        for (shard, post) in std::mem::take(&mut self.unposted) {
            self.post(shard, post);
        }
    }
}

/// What a response begins with.
const RESPONSE: &[u8] = b"SIP/2.0 ";

/// What the kernel calls the mailbox's bell, and the listeners from the first on. Connections have lower numbers.
const BELL: u64 = u64::MAX >> 1;
const LISTENERS: u64 = BELL + 1;

/// Letters taken in one turn.
const LETTER_BURST: usize = 256;

/// Connections of one listener that are accepted in one turn; more are asked for by the next turn of the loop.
const ACCEPT_BURST: usize = 64;

/// For how long none is accepted when the system has no room for one.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// How soon a shard is offered again what it had no room for.
const POST_AGAIN: Duration = Duration::from_millis(2);
