//! A shard: one thread, one loop, and the calls that live in it.
//!
//! ```text
//! ground: wait (sockets, mailbox, next timer) ─▶ news ─▶ Running ─▶ deeds ─▶ sip · media · sockets
//!                                                   └─▶ facts ─▶ journal, once a turn
//! ```
//!
//! `shard/` has a file for each kind of news: letters, signalling, media, and the deeds that follow from them.
//! A panic while one call is handled ends that call, with its closing facts, and no other: what is still to be done for
//! the others stands in lists that are taken from one by one, and outlives it.

mod attempts;
mod deeds;
mod early;
mod letters;
mod packets;
mod pings;
mod recording;
mod registrations;
mod signalling;
mod traces;

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use base::clip::ClipKey;
use base::fact::{Dialog, Entry};
use base::id::{AppId, CallId, Leg};
use base::release::Cause;
use base::table::Table;
use base::time::{Instant, Timestamp};
use base::trunk::{TRUNKS, TrunkNo, Trunks};
use media::clip::Clip;
use media::timer_wheel::TimerWheel;
use plans::Todo;
use rand::Rng;
use rand::rngs::StdRng;
use sip::{Endpoint, LegKey, Output, Outputs, PeerRule, Transport};
use slab::Slab;

use crate::answering::Answering;
use crate::call::{Deed, Outcome, Running};
use crate::driver::alarms::{Alarm, Alarms};
use crate::driver::archive::{self, Intake};
use crate::driver::ground::{Ground, News, Token};
use crate::driver::lateness::{Lateness, Leftovers};
use crate::driver::mailbox::{Mailbox, Slot};
use crate::driver::places::{Gateway, Places};
use crate::driver::post::Post;
use crate::driver::shard::attempts::Attempts;
use crate::driver::shard::early::EarlyWatch;
use crate::driver::shard::pings::Pings;
use crate::driver::shard::recording::Recording;
use crate::driver::shard::registrations::Registrations;
use crate::driver::talk::Talk;
use crate::driver::trace::Tracer;
use crate::driver::wire::{DATAGRAM_BYTES, Wire};
use crate::engine::{Journal, Launch, Orphan, Settings};
use crate::solo::Held;
use crate::trunk::Trunk;

/// Bytes of the buffer for signalling: the largest UDP datagram.
const SIGNALLING_BYTES: usize = 65_536;

/// Signalling datagrams read in one turn, so that neither a flood nor many calls at once starve the media: no packet of
/// those who talk waits for more than a millisecond or two of signalling.
const SIGNALLING_BURST: usize = 8;

/// Letters taken in one turn, for the same reason.
const LETTER_BURST: usize = 4;

/// Legs that the timer wheel has room for from the start; it grows when there are more.
const LEGS: usize = 1_024;

/// News of one turn that there is room for from the start.
const NEWS: usize = 4_096;

/// How soon the journal and the archive are offered again what they had no room for.
const JOURNAL_RETRY: Duration = Duration::from_millis(5);

/// How often it is offered again when the thread ends: a second in all.
const LAST_RETRIES: usize = 200;

/// Media timers are served on this grid, so that one turn of the loop serves many.
const MEDIA_GRID_MILLIS: u64 = 2;

/// What another thread may want of a shard.
pub(crate) enum Letter {
    /// Run an accepted call.
    Launch(Box<Launch>),
    /// End a call of an app, and say whether it was running.
    Stop { call: CallId, app: AppId, answer: Box<dyn FnOnce(bool) + Send> },
    /// Release a leg of a dead process.
    Orphan(Box<Orphan>),
    /// A trunk has other addresses.
    Gateways { trunk: TrunkNo, gateways: Arc<[Gateway]> },
    /// What became of a call's recording.
    Recording { call: u64, news: archive::News },
    /// End all calls that run.
    EndCalls,
    /// End the thread.
    End,
}

/// A call with all that belongs to it.
struct Live {
    running: Running,
    clips: Vec<(ClipKey, Clip)>,
    wires: [Option<u32>; 2],
    attempts: [Attempts; 2],
    recording: Option<Box<Recording>>,
    early: Option<EarlyWatch>,
    /// What the alarms hold for it.
    alarm: Option<Alarm>,
}

impl Live {
    /// When it wants to be woken.
    fn deadline(&self) -> Option<Instant> {
        let recording = self.recording.as_ref().map(|recording| recording.next());
        let [a, b] = &self.attempts;
        let early = self.early.as_ref().map(EarlyWatch::next);
        [self.running.deadline(), recording, early, a.patience(), b.patience()].into_iter().flatten().min()
    }
}

/// See the module.
pub(crate) struct Shard<G: Ground> {
    ground: G,
    number: usize,
    /// The trunks, and what is known of them.
    trunks: Vec<Trunk>,
    /// What has become of the trunks' peers, in the order of the trunks.
    gateways: Vec<Arc<[Gateway]>>,
    board: Arc<Trunks>,
    pings: Pings,
    registrations: Registrations,
    places: Places,
    talk: Talk,
    answering: Answering,
    mailbox: Mailbox<Letter>,
    /// What others read for this one.
    post: Mailbox<Post>,
    /// Every shard's post, by its number.
    posts: Vec<Slot<Post>>,
    live: Arc<AtomicUsize>,
    lateness: Arc<Lateness>,
    /// When it last woke up.
    woke: Instant,
    leftovers: Leftovers,
    journal: Box<dyn Journal>,
    /// Where recordings go, if anywhere.
    archive: Option<Intake>,
    /// What keeps what goes over the wire, if anything is to.
    tracer: Option<Tracer>,
    sip: Endpoint,
    calls: Table<u64, Live>,
    numbers: HashMap<CallId, u64>,
    wires: Slab<Wire<G>>,
    wheel: TimerWheel,
    alarms: Alarms,
    next_number: u64,
    /// The call that is being handled: the one that pays for a panic.
    current: Option<u64>,
    ended: bool,
    rng: StdRng,
    outputs: Outputs,
    /// What SIP has said and nobody has heard yet.
    unheard: VecDeque<Output>,
    todo: Todo,
    deeds: VecDeque<Deed>,
    facts: Vec<Entry>,
    datagram: Box<[u8]>,
    packet: [u8; DATAGRAM_BYTES],
}

/// What a shard is made with.
pub(crate) struct Parts {
    pub(crate) number: usize,
    /// Where we listen.
    pub(crate) places: Places,
    /// The trunks' gateways, in the order of the trunks.
    pub(crate) gateways: Vec<Arc<[Gateway]>>,
    pub(crate) mailbox: Mailbox<Letter>,
    pub(crate) post: Mailbox<Post>,
    pub(crate) posts: Vec<Slot<Post>>,
    pub(crate) live: Arc<AtomicUsize>,
    pub(crate) lateness: Arc<Lateness>,
    pub(crate) board: Arc<Trunks>,
    pub(crate) journal: Box<dyn Journal>,
    pub(crate) archive: Option<Intake>,
    pub(crate) tracer: Option<Tracer>,
}

impl<G: Ground> Shard<G> {
    /// A shard on its ground.
    pub(crate) fn new(settings: &Settings, mut ground: G, parts: Parts) -> Self {
        let mut rng = ground.rng();
        let mut manners = sip::Settings::new("");
        manners.product = concat!("Huihu/", env!("CARGO_PKG_VERSION")).to_owned();
        let trunks: Vec<Trunk> = settings.trunks.iter().take(TRUNKS).cloned().collect();
        if settings.wants_connections() {
            manners.transports = vec![Transport::Udp, Transport::Tcp, Transport::Tls];
        }
        let now = ground.now();
        let mut shard = Self {
            ground,
            number: parts.number,
            trunks,
            gateways: parts.gateways,
            board: parts.board,
            pings: Pings::default(),
            registrations: Registrations::default(),
            places: parts.places,
            talk: Talk::new(settings),
            answering: settings.answering.clone(),
            mailbox: parts.mailbox,
            post: parts.post,
            posts: parts.posts,
            live: parts.live,
            lateness: parts.lateness,
            woke: now,
            leftovers: Leftovers::default(),
            journal: parts.journal,
            archive: parts.archive,
            tracer: parts.tracer,
            sip: Endpoint::new(manners, rng.random()),
            calls: Table::default(),
            numbers: HashMap::new(),
            // Room for all that there can be costs addresses only; to grow would move everybody who talks.
            wires: Slab::with_capacity(settings.rtp_ports.len() / 2),
            wheel: TimerWheel::new(LEGS, now),
            alarms: Alarms::default(),
            next_number: 0,
            current: None,
            ended: false,
            rng,
            outputs: Vec::new(),
            unheard: VecDeque::new(),
            todo: Todo::new(),
            deeds: VecDeque::new(),
            facts: Vec::new(),
            datagram: vec![0; SIGNALLING_BYTES].into_boxed_slice(),
            packet: [0; DATAGRAM_BYTES],
        };
        shard.know_the_trunks();
        shard.watch_trunks(now);
        shard.register_anew(now);
        shard.drain_sip(now);
        shard
    }

    /// Tells SIP whom it hears, and what each of them calls us.
    fn know_the_trunks(&mut self) {
        let Self { trunks, gateways, places, sip, .. } = self;
        let manners = sip.settings_mut();
        manners.peers = peer_rules(trunks, gateways);
        manners.large_by_tcp = large_by_tcp(trunks, gateways);
        (manners.sent_by, manners.elsewhere) = places.names(gateways.iter().flat_map(|of_one| of_one.iter()));
    }

    /// The thread's whole life.
    pub(crate) fn run(mut self) {
        let mut news = Vec::with_capacity(NEWS);
        while !self.ended {
            self.step(&mut news);
        }
        self.end_all_recordings(self.ground.now());
        self.close_traces();
        // No call moves any more, so this thread may wait. What is left then is for the next start's recovery.
        for _ in 0..LAST_RETRIES {
            if self.facts.is_empty() {
                break;
            }
            self.ground.pause(JOURNAL_RETRY);
            self.offer_facts();
        }
    }

    /// One turn of the loop: waits for something, and does all that follows from it.
    pub(crate) fn step(&mut self, news: &mut Vec<News<G::Arrival>>) {
        let slept = self.ground.now();
        let patience = self.patience_at(slept);
        let may_be_more = self.ground.wait(patience, news);
        let now = self.ground.now();
        self.lateness.note(self.leftovers.turn(may_be_more, now));
        let overslept = patience.map_or(Duration::ZERO, |patience| now.since(slept + patience));
        self.lateness.note(slept.since(self.woke).max(overslept));
        self.woke = now;
        if catch_unwind(AssertUnwindSafe(|| self.turn(news, now))).is_err() {
            self.bury();
        }
        self.offer_facts();
        if let Some(intake) = &mut self.archive {
            intake.retry();
        }
        self.settle_traces();
    }

    /// How long the loop may sleep.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.patience_at(self.ground.now())
    }

    fn patience_at(&self, now: Instant) -> Option<Duration> {
        if !self.unheard.is_empty() {
            return Some(Duration::ZERO);
        }
        let timers =
            [self.alarms.next(), self.sip.deadline(), self.pings.next(), self.registrations.farewell()];
        let next = timers.into_iter().chain([self.wheel.next_turn().map(on_grid)]);
        let sleep = next.flatten().min().map(|at| at.since(now));
        let waits = self.archive.as_ref().is_some_and(Intake::is_waiting)
            || self.tracer.as_ref().is_some_and(Tracer::is_waiting);
        if self.facts.is_empty() && !waits {
            sleep
        } else {
            Some(sleep.map_or(JOURNAL_RETRY, |sleep| sleep.min(JOURNAL_RETRY)))
        }
    }

    /// What the wall clock of its ground says.
    pub(crate) fn wall(&self) -> Timestamp {
        self.ground.wall()
    }

    /// What it holds, but for calls that wait in the mailbox.
    pub(crate) fn held(&self) -> Held {
        Held {
            calls: self.calls.len(),
            wires: self.wires.len(),
            alarms: self.alarms.len(),
            sip: self.sip.load(),
            facts: self.facts.len(),
        }
    }

    fn turn(&mut self, news: &[News<G::Arrival>], now: Instant) {
        self.drain_sip(now);
        for News { token, arrival } in news {
            match *token {
                // The socket may be another leg's by now: then there is nothing to read yet, or what there is is its.
                Token::Rtp(wire) => self.on_rtp(wire as usize, *arrival, now),
                Token::Rtcp(wire) => self.on_rtcp(wire as usize, now),
                Token::Signalling => self.on_signalling(now),
                Token::Bell => self.on_bell(now),
                Token::Post => self.on_post(now),
            }
        }
        self.on_time(now);
        self.current = None;
    }

    /// Ends the call that was being handled when something panicked.
    #[cold]
    fn bury(&mut self) {
        let now = self.ground.now();
        self.deeds.clear();
        self.unheard.extend(self.outputs.drain(..));
        // A bell may be silent already while letters still wait.
        self.mailbox.ring();
        self.post.ring();
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
            self.unheard.extend(self.outputs.drain(..));
            catch_unwind(AssertUnwindSafe(|| self.forget(number, now))).ok();
        }
    }

    fn offer_facts(&mut self) {
        if self.facts.is_empty() {
            return;
        }
        let Self { journal, facts, .. } = self;
        if catch_unwind(AssertUnwindSafe(|| journal.append(facts))).is_err() {
            tracing::error!(shard = self.number, "the journal panicked");
        }
    }

    /// Lets a call handle something and does what it wants done. A call that is over is forgotten by its last deed.
    fn with(
        &mut self,
        number: u64,
        now: Instant,
        handle: impl FnOnce(&mut Running, Instant, &mut Outcome<'_>),
    ) {
        self.tell(number, now, handle);
        self.do_deeds(number, now);
        self.set_alarm(number, now);
    }

    /// Lets a call handle something. What it wants done waits behind what it wanted before.
    fn tell(
        &mut self,
        number: u64,
        now: Instant,
        handle: impl FnOnce(&mut Running, Instant, &mut Outcome<'_>),
    ) {
        let Self { calls, sip, todo, deeds, facts, .. } = self;
        let Some(live) = calls.get_mut(&number) else { return };
        self.current = Some(number);
        let attempts = [Leg::A, Leg::B].map(|leg| live.attempts[leg.index()].number());
        let dialog_of = |leg: Leg| dialog_of(sip, leg_key(number, leg, attempts[leg.index()]));
        handle(&mut live.running, now, &mut Outcome { todo, deeds, facts, dialog_of: &dialog_of });
    }

    /// Wakes the calls whose time has come, then SIP, then the sessions.
    fn on_time(&mut self, now: Instant) {
        while let Some(number) = self.alarms.take_due(now) {
            if let Some(live) = self.calls.get_mut(&number) {
                live.alarm = None;
            }
            self.serve_recording(number, now);
            self.serve_attempts(number, now);
            self.serve_early_media(number, now);
            self.with(number, now, Running::wake);
            self.drain_sip(now);
        }
        if self.pings.next().is_some_and(|at| at <= now) {
            self.current = None;
            self.ask_trunks(now);
            self.drain_sip(now);
        }
        if self.sip.deadline().is_some_and(|at| at <= now) {
            self.current = None;
            self.sip.on_time(now, &mut self.outputs);
            self.drain_sip(now);
        }
        self.end_if_left(now);
        self.on_media_time(now);
    }

    fn set_alarm(&mut self, number: u64, now: Instant) {
        if let Some(live) = self.calls.get_mut(&number) {
            let deadline = live.deadline();
            self.alarms.set(number, &mut live.alarm, deadline, now);
        }
    }
}

/// The moment at which media are served next, not before `at`.
fn on_grid(at: Instant) -> Instant {
    Instant::from_millis(at.micros().div_ceil(1_000).next_multiple_of(MEDIA_GRID_MILLIS))
}

/// The name by which SIP knows an attempt of a leg, 0 to 7: a name is used once.
const fn leg_key(number: u64, leg: Leg, attempt: u8) -> LegKey {
    LegKey(number << 4 | (attempt as u64 & 7) << 1 | leg.index() as u64)
}

/// The call, the leg and the attempt that SIP means by a name.
const fn of_key(key: LegKey) -> (u64, Leg, u8) {
    let leg = if key.0.is_multiple_of(2) { Leg::A } else { Leg::B };
    (key.0 >> 4, leg, (key.0 >> 1 & 7) as u8)
}

/// Who may speak SIP to us: the addresses of the trunks.
fn peer_rules(trunks: &[Trunk], gateways: &[Arc<[Gateway]>]) -> Vec<PeerRule> {
    let sources = trunks.iter().flat_map(|trunk| trunk.sources.iter().copied().map(PeerRule::Block));
    gateways.iter().flat_map(|of_one| sockets_of(of_one)).chain(sources).collect()
}

/// Who takes large requests by TCP.
fn large_by_tcp(trunks: &[Trunk], gateways: &[Arc<[Gateway]>]) -> Vec<PeerRule> {
    let taking = trunks.iter().zip(gateways).filter(|(trunk, _)| trunk.large_by_tcp);
    taking.flat_map(|(_, of_one)| sockets_of(of_one)).collect()
}

fn sockets_of(gateways: &[Gateway]) -> impl Iterator<Item = PeerRule> {
    gateways.iter().map(|gateway| PeerRule::Socket(gateway.peer.hop.address))
}

/// A leg's dialog as the journal keeps it.
fn dialog_of(sip: &Endpoint, key: LegKey) -> Option<Dialog> {
    let saved = sip.saved(key)?;
    serde_json::to_string(&saved).ok().map(|text| Dialog(text.into()))
}
