//! A shard: one thread, one loop, and the calls that live in it.
//!
//! ```text
//! wait (sockets, mailbox, next timer) ─▶ news ─▶ Running ─▶ deeds ─▶ sip · media · sockets
//!                                                   └─▶ facts ─▶ journal, once a turn
//! ```
//!
//! `shard/` has a file for each kind of news: letters, signalling, media, and the deeds that follow from them.
//! A panic while one call is handled ends that call, with its closing facts, and no other.

mod deeds;
mod letters;
mod packets;
mod signalling;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use base::clip::ClipKey;
use base::fact::{Dialog, Entry};
use base::id::{AppId, CallId, Leg};
use base::release::Cause;
use base::time::Instant;
use media::clip::Clip;
use media::timer_wheel::TimerWheel;
use plans::Todo;
use rand::Rng;
use rand::SeedableRng;
use rand::rngs::StdRng;
use sip::{Endpoint, LegKey, Outputs, PeerRule};
use slab::Slab;
use socket2::Socket;

use crate::call::{Deed, Outcome, Running};
use crate::driver::clock::Clock;
use crate::driver::mailbox::{Mailbox, Slot};
use crate::driver::poller::{Poller, Ready, Token};
use crate::driver::talk::Talk;
use crate::driver::wire::Wire;
use crate::engine::{Journal, Launch, Orphan, Settings, Trunk};

/// Bytes of the buffer for signalling: the largest UDP datagram.
const SIGNALLING_BYTES: usize = 65_536;

/// Signalling datagrams read in one turn, so that a flood cannot starve the media.
const SIGNALLING_BURST: usize = 128;

/// Letters taken in one turn, for the same reason.
const LETTER_BURST: usize = 64;

/// Legs that the timer wheel has room for from the start; it grows when there are more.
const LEGS: usize = 1_024;

/// How soon the journal is offered again what it had no room for.
const JOURNAL_RETRY: Duration = Duration::from_millis(5);

/// What another thread may want of a shard.
pub(crate) enum Letter {
    /// Run an accepted call.
    Launch(Box<Launch>),
    /// End a call of an app, and say whether it was running.
    Stop { call: CallId, app: AppId, answer: Box<dyn FnOnce(bool) + Send> },
    /// Release a leg of a dead process.
    Orphan(Box<Orphan>),
    /// A signalling datagram of one of this shard's legs, read by another shard.
    Datagram { from: SocketAddr, bytes: Box<[u8]> },
    /// End the thread.
    End,
}

/// A call with all that belongs to it.
struct Live {
    running: Running,
    clips: Vec<(ClipKey, Clip)>,
    wires: [Option<u32>; 2],
    /// The deadline that the alarms hold for it.
    alarm: Option<Instant>,
}

/// See the module.
pub(crate) struct Shard {
    number: usize,
    trunk: Trunk,
    /// The address that far ends are told.
    contact: SocketAddr,
    talk: Talk,
    clock: Clock,
    poller: Poller,
    socket: Socket,
    mailbox: Mailbox<Letter>,
    peers: Vec<Slot<Letter>>,
    live: Arc<AtomicUsize>,
    journal: Box<dyn Journal>,
    sip: Endpoint,
    calls: HashMap<u64, Live>,
    numbers: HashMap<CallId, u64>,
    wires: Slab<Wire>,
    wheel: TimerWheel,
    /// Deadlines of plans. An entry whose call has another deadline by now is stale and skipped.
    alarms: BinaryHeap<Reverse<(Instant, u64)>>,
    next_number: u64,
    /// The call that is being handled: the one that pays for a panic.
    current: Option<u64>,
    ended: bool,
    rng: StdRng,
    outputs: Outputs,
    todo: Todo,
    deeds: Vec<Deed>,
    facts: Vec<Entry>,
    buffer: Box<[u8]>,
}

/// What a shard is made with.
pub(crate) struct Parts {
    pub(crate) number: usize,
    pub(crate) address: SocketAddr,
    pub(crate) socket: Socket,
    pub(crate) mailbox: Mailbox<Letter>,
    pub(crate) peers: Vec<Slot<Letter>>,
    pub(crate) clock: Clock,
    pub(crate) live: Arc<AtomicUsize>,
    pub(crate) journal: Box<dyn Journal>,
}

impl Shard {
    pub(crate) fn new(settings: &Settings, parts: Parts) -> std::io::Result<Self> {
        let ip = settings.advertised.unwrap_or_else(|| parts.address.ip());
        let contact = SocketAddr::new(ip, parts.address.port());
        let mut rng = StdRng::from_os_rng();
        let mut manners = sip::Settings::new(contact.to_string());
        manners.product = concat!("Huihu/", env!("CARGO_PKG_VERSION")).to_owned();
        manners.peers = vec![PeerRule::Socket(settings.trunk.peer)];
        let poller = Poller::new()?;
        poller.watch(parts.mailbox.bell(), Token::Bell)?;
        if parts.number == 0 {
            poller.watch(std::os::fd::AsFd::as_fd(&parts.socket), Token::Signalling)?;
        }
        Ok(Self {
            number: parts.number,
            trunk: settings.trunk.clone(),
            contact,
            talk: Talk::new(settings, parts.address.ip(), ip),
            clock: parts.clock,
            poller,
            socket: parts.socket,
            mailbox: parts.mailbox,
            peers: parts.peers,
            live: parts.live,
            journal: parts.journal,
            sip: Endpoint::new(manners, rng.random()),
            calls: HashMap::new(),
            numbers: HashMap::new(),
            wires: Slab::new(),
            wheel: TimerWheel::new(LEGS, parts.clock.now()),
            alarms: BinaryHeap::new(),
            next_number: 0,
            current: None,
            ended: false,
            rng,
            outputs: Vec::new(),
            todo: Todo::new(),
            deeds: Vec::new(),
            facts: Vec::new(),
            buffer: vec![0; SIGNALLING_BYTES].into_boxed_slice(),
        })
    }

    /// The thread's whole life.
    pub(crate) fn run(mut self) {
        let mut ready = Ready::new();
        while !self.ended {
            let patience = self.patience();
            self.poller.wait(patience, &mut ready);
            if catch_unwind(AssertUnwindSafe(|| self.turn(&ready))).is_err() {
                self.bury();
            }
            self.offer_facts();
        }
    }

    /// How long the loop may sleep.
    fn patience(&mut self) -> Option<Duration> {
        let now = self.clock.now();
        let alarm = self.alarms.peek().map(|Reverse((at, _))| *at);
        let next = [alarm, self.sip.deadline(), self.wheel.next_turn()].into_iter().flatten().min();
        let sleep = next.map(|at| at.since(now));
        if self.facts.is_empty() {
            sleep
        } else {
            Some(sleep.map_or(JOURNAL_RETRY, |sleep| sleep.min(JOURNAL_RETRY)))
        }
    }

    fn turn(&mut self, ready: &Ready) {
        let now = self.clock.now();
        for token in ready.tokens() {
            match token {
                Token::Rtp(wire) => self.on_rtp(wire as usize, now),
                Token::Rtcp(wire) => self.on_rtcp(wire as usize, now),
                Token::Signalling => self.on_signalling(now),
                Token::Bell => self.on_bell(now),
            }
        }
        self.on_time(now);
    }

    /// Ends the call that was being handled when something panicked.
    #[cold]
    fn bury(&mut self) {
        let now = self.clock.now();
        self.deeds.clear();
        self.outputs.clear();
        let Some(number) = self.current.take() else {
            tracing::error!(shard = self.number, "a panic outside of any call; it changed nothing");
            return;
        };
        if let Some(live) = self.calls.get(&number) {
            tracing::error!(call.id = %live.running.call().id, "a panic ended the call");
        }
        let buried = catch_unwind(AssertUnwindSafe(|| {
            self.with(number, now, |running, now, out| running.abandon(Cause::OurFault, now, out));
        }));
        if buried.is_err() {
            self.deeds.clear();
            self.forget(number, now);
        }
    }

    fn offer_facts(&mut self) {
        if !self.facts.is_empty() {
            self.journal.append(&mut self.facts);
        }
    }

    /// Lets a call handle something, then does what it wants done. A call that is over is forgotten by its last deed.
    fn with(
        &mut self,
        number: u64,
        now: Instant,
        handle: impl FnOnce(&mut Running, Instant, &mut Outcome<'_>),
    ) {
        self.current = Some(number);
        let Self { calls, sip, todo, deeds, facts, .. } = self;
        let Some(live) = calls.get_mut(&number) else { return };
        let dialog_of = |leg| dialog_of(sip, leg_key(number, leg));
        handle(&mut live.running, now, &mut Outcome { todo, deeds, facts, dialog_of: &dialog_of });
        self.do_deeds(number, now);
        self.set_alarm(number);
        self.drain_sip(now);
        self.current = None;
    }

    /// Wakes the plans whose deadline has come, then SIP, then the sessions.
    fn on_time(&mut self, now: Instant) {
        while let Some(Reverse((at, number))) =
            self.alarms.peek().copied().filter(|Reverse((at, _))| *at <= now)
        {
            self.alarms.pop();
            let Some(live) = self.calls.get_mut(&number).filter(|live| live.alarm == Some(at)) else {
                continue;
            };
            live.alarm = None;
            self.with(number, now, |running, now, out| running.tell(plans::Event::Deadline, now, out));
        }
        if self.sip.deadline().is_some_and(|at| at <= now) {
            self.sip.on_time(now, &mut self.outputs);
            self.drain_sip(now);
        }
        self.on_media_time(now);
    }

    fn set_alarm(&mut self, number: u64) {
        let Some(live) = self.calls.get_mut(&number) else { return };
        let deadline = live.running.deadline();
        if live.alarm != deadline {
            live.alarm = deadline;
            self.alarms.extend(deadline.map(|at| Reverse((at, number))));
        }
    }
}

/// The name by which SIP knows a leg.
const fn leg_key(number: u64, leg: Leg) -> LegKey {
    LegKey(number * 2 + leg.index() as u64)
}

/// The call and the leg that SIP means by a name.
const fn of_key(key: LegKey) -> (u64, Leg) {
    (key.0 / 2, if key.0.is_multiple_of(2) { Leg::A } else { Leg::B })
}

/// A leg's dialog as the journal keeps it.
fn dialog_of(sip: &Endpoint, key: LegKey) -> Option<Dialog> {
    let saved = sip.saved(key)?;
    serde_json::to_string(&saved).ok().map(|text| Dialog(text.into()))
}
