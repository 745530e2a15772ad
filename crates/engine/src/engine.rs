//! The engine as the rest of the house sees it: launch a call, stop a call, release what a dead process left behind.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use base::call::{Admitted, Call};
use base::clip::ClipKey;
use base::fact::{Dialog, Entry};
use base::id::{AppId, CallId, Leg};
use base::limits;
use base::permit::Permit;
use base::time::Timestamp;
use base::trunk::{TRUNK_ADDRESSES, TRUNKS, TrunkNo, Trunks};
use media::clip::Clip;
use plans::{Plan, plan_for};
use sip::Hop;

use crate::answering::Answering;
use crate::driver::archive::{self, Intake};
use crate::driver::clock::Clock;
use crate::driver::ground::Token;
use crate::driver::kernel::{Kernel, Said};
use crate::driver::lateness::Lateness;
use crate::driver::listening::{self, Listening};
use crate::driver::mailbox::{Mailbox, Slot, mailbox};
use crate::driver::places::{Gateway, Places};
use crate::driver::shard::{Letter, Parts, Shard};
use crate::driver::sockets::{self, SocketFault};
use crate::driver::trace::{self, Tracer, Work};
use crate::driver::{net, streams, uring};
use crate::tls::TlsServer;
use crate::trace::{TraceSettings, Traced};
use crate::trunk::{Peer, Trunk};

/// Where the engine listens and whom it calls through.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where we listen for SIP, and how; port 0 lets the system choose. A trunk's peers are served from the addresses of
    /// their family; of several, from the one that the system sends to them from.
    pub sip: Vec<Hop>,
    /// The address that SIP and SDP tell the far ends of its family, when it is not the one we listen on. Who listens on
    /// all addresses and says nothing here tells each the one that the system sends from.
    pub advertised: Option<IpAddr>,
    /// What we show those who connect by TLS; needed where we listen for them.
    pub tls: Option<TlsServer>,
    /// Ports for RTP (even) and RTCP (odd).
    pub rtp_ports: RangeInclusive<u16>,
    /// Threads that calls are spread over; at least 1.
    pub shards: usize,
    /// The trunks that calls take, at most [`TRUNKS`](base::trunk::TRUNKS).
    pub trunks: Vec<Trunk>,
    /// Where recordings are kept; `None`: nothing is recorded, whatever was ordered.
    pub recordings: Option<PathBuf>,
    /// What is kept of what goes over the wire; `None`: nothing.
    pub trace: Option<TraceSettings>,
    /// What is done about who picks up, and what networks say before.
    pub answering: Answering,
    /// What carries the packets.
    pub backend: Backend,
}

impl Settings {
    /// Whether connections are made or taken at all.
    pub(crate) fn wants_connections(&self) -> bool {
        self.sip.iter().any(|own| own.transport.is_reliable())
            || self.trunks.iter().any(Trunk::wants_connections)
    }

    /// The same, with what carries the packets decided.
    fn with_backend(&self) -> Result<Self, StartFault> {
        let chosen = net::choose(self.backend);
        let backend = chosen.map_err(|cause| StartFault::Ring { why: uring::refusal(&cause), cause })?;
        Ok(Self { backend, ..self.clone() })
    }
}

/// What carries packets from the kernel to the engine and back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// io_uring where the kernel has it and permits it, epoll elsewhere.
    #[default]
    Auto,
    /// epoll, with a system call for every packet.
    Epoll,
    /// io_uring (Linux 6.12), or no start.
    Uring,
}

/// Where a shard's facts go. Called on the shard's thread: it must not block.
pub trait Journal: Send {
    /// Takes entries, in order, from the front of the list, as many as it has room for; what stays is offered again.
    fn append(&mut self, entries: &mut Vec<Entry>);
}

/// An accepted call, ready to run.
#[derive(Debug)]
pub struct Launch {
    pub(crate) call: Call,
    pub(crate) permit: Permit,
    pub(crate) plan: Box<dyn Plan>,
    pub(crate) clips: Vec<(ClipKey, Clip)>,
    pub(crate) speech: Speech,
}

/// What speaking the words of a call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speech {
    /// There were none to speak.
    None,
    /// They are among the clips.
    Took(Duration),
    /// They could not be spoken: nobody is dialled.
    Failed,
}

impl Launch {
    /// A call that does what its product says, with the clips it may need, the spoken ones among them.
    #[must_use]
    pub fn new(admitted: Admitted, clips: Vec<(ClipKey, Clip)>, speech: Speech) -> Self {
        let plan = plan_for(&admitted.call, limits::RING);
        Self { call: admitted.call, permit: admitted.permit, plan, clips, speech }
    }

    /// The same call, with so long for each telephone to ring; [`limits::RING`] otherwise.
    #[must_use]
    pub fn ringing_for(self, ring: Duration) -> Self {
        Self { plan: plan_for(&self.call, ring), ..self }
    }

    /// The same call with another plan.
    #[must_use]
    pub fn with_plan(self, plan: Box<dyn Plan>) -> Self {
        Self { plan, ..self }
    }
}

/// A leg that a dead process left ringing or up.
#[derive(Debug)]
pub struct Orphan {
    /// The call it belonged to.
    pub call: Call,
    /// Which of its legs.
    pub leg: Leg,
    /// The dialog that the journal knows, if it came that far.
    pub dialog: Option<Dialog>,
    /// The trunks that its INVITEs took, in order, as far as the journal knows their names.
    pub dialled: Vec<Option<Box<str>>>,
}

/// Why the engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// No socket.
    #[error(transparent)]
    Socket(#[from] SocketFault),
    /// No thread or no event descriptor.
    #[error("cannot start a shard of the engine")]
    Thread(#[source] std::io::Error),
    /// We listen on all addresses, and none of them leads to a trunk.
    #[error("no address of this machine leads to a trunk: set the advertised address, or check the network")]
    Unreachable(#[source] std::io::Error),
    /// io_uring was asked for, and there is none.
    #[error("there is no io_uring: choose epoll, or auto; {why}")]
    Ring {
        /// The reason, for people.
        why: &'static str,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// We listen at no address from which a trunk could be reached.
    #[error(
        "{trunk} cannot be reached from where we listen: listen for SIP on an address of the trunk's family, IPv4 or IPv6, \
         and by UDP for trunks that speak UDP"
    )]
    Families {
        /// Where the trunk is, and how it is reached.
        trunk: Hop,
    },
    /// We are to listen for TLS and have nothing to show.
    #[error("{address} cannot be listened at by TLS without a certificate: set one, with its key")]
    NoCertificate {
        /// The address.
        address: SocketAddr,
    },
    /// We are to listen nowhere.
    #[error("there is no address to listen at for SIP: set one")]
    Nowhere,
}

/// All shards. Dropping it ends their threads; calls that still run then are closed by the next start's recovery.
pub struct Engine {
    slots: Vec<Slot<Letter>>,
    threads: Vec<JoinHandle<()>>,
    archive: Option<JoinHandle<()>>,
    writer: Option<JoinHandle<()>>,
    live: Arc<AtomicUsize>,
    lateness: Arc<Lateness>,
    board: Arc<Trunks>,
    trunks: Vec<Trunk>,
    listening: Vec<Hop>,
    places: Places,
    streams: Option<(Slot<streams::Letter>, JoinHandle<()>)>,
}

impl Engine {
    /// Opens the sockets for SIP and starts the shards. `journal` makes the pen of each shard.
    ///
    /// # Errors
    /// [`StartFault`] when the address is taken or does not lead to the trunk, when the range has no ports, when io_uring
    /// is asked for and refused, or when the system refuses a thread.
    pub fn start(
        settings: &Settings,
        mut journal: impl FnMut() -> Box<dyn Journal>,
    ) -> Result<Self, StartFault> {
        sockets::pairs(&settings.rtp_ports)?;
        let settings = &settings.with_backend()?;
        let Listening { datagrams, listeners, listening } = Listening::open(settings)?;
        let places = Places::new(listening.clone(), settings.advertised);
        let gateways = listening::gateways(settings, &places)?;
        let clock = Clock::new();
        let count = settings.shards.max(1);
        let boxes = mailboxes(count, limits::SHARD_MAILBOX).map_err(StartFault::Thread)?;
        let posts = mailboxes(count, limits::SHARD_MAILBOX).map_err(StartFault::Thread)?;
        let slots: Vec<Slot<Letter>> = boxes.iter().map(|(slot, _)| slot.clone()).collect();
        let post_slots: Vec<_> = posts.iter().map(|(slot, _)| slot.clone()).collect();
        // From here on a fault drops the engine, which ends the threads that run already.
        let board = Arc::new(board_of(settings, Clock::wall()));
        let mut engine = Self {
            slots,
            threads: Vec::new(),
            archive: None,
            writer: None,
            live: Arc::default(),
            lateness: Arc::default(),
            board,
            trunks: settings.trunks.clone(),
            listening,
            places: places.clone(),
            streams: None,
        };
        if settings.wants_connections() {
            let parts = streams::Parts {
                clock,
                book: listening::book(settings, &gateways),
                board: Arc::clone(&engine.board),
                log: streams::Log::Told,
                posts: post_slots.clone(),
                listeners,
                server: settings.tls.clone(),
            };
            engine.streams = Some(streams::start(parts).map_err(StartFault::Thread)?);
        }
        let intakes = engine.open_archive(settings.recordings.as_ref()).map_err(StartFault::Thread)?;
        let mut intakes = intakes.into_iter();
        let traces = engine.open_traces(settings.trace.as_ref()).map_err(StartFault::Thread)?;
        let seen_at = trace::seen_at(&engine.listening, &gateways);
        for (number, ((_, mailbox), (_, post))) in boxes.into_iter().zip(posts).enumerate() {
            let tracer = settings.trace.as_ref().map(|own| Tracer::new(own, &seen_at, traces.clone()));
            let tracer = tracer.transpose().map_err(StartFault::Thread)?;
            let said = Said {
                datagrams: datagrams.try_clone().map_err(StartFault::Thread)?,
                streams: engine.streams.as_ref().map(|(slot, _)| slot.clone()),
                shard: number,
            };
            let parts = Parts {
                number,
                places: places.clone(),
                gateways: gateways.clone(),
                mailbox,
                post,
                posts: post_slots.clone(),
                live: Arc::clone(&engine.live),
                lateness: Arc::clone(&engine.lateness),
                board: Arc::clone(&engine.board),
                journal: journal(),
                archive: intakes.next(),
                tracer,
            };
            let started = thread(settings.clone(), (clock, said), parts);
            engine.threads.push(started.map_err(StartFault::Thread)?);
        }
        Ok(engine)
    }

    /// Starts the archive, if there is to be one: an intake for each shard. They must be gone before the engine is.
    fn open_archive(&mut self, folder: Option<&PathBuf>) -> std::io::Result<Vec<Intake>> {
        let Some(folder) = folder else { return Ok(Vec::new()) };
        let (intakes, thread) = archive::start(folder.clone(), self.slots.clone())?;
        self.archive = Some(thread);
        Ok(intakes)
    }

    /// Starts the writer of traces, if any are to be written: the way to it.
    fn open_traces(&mut self, settings: Option<&TraceSettings>) -> std::io::Result<Option<SyncSender<Work>>> {
        let Some(settings) = settings.filter(|settings| settings.calls != Traced::Nothing) else {
            return Ok(None);
        };
        let (works, thread) = trace::start(settings.folder.clone())?;
        self.writer = Some(thread);
        Ok(Some(works))
    }

    /// The first of the addresses that we listen at, with the port that the system chose.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listening[0].address
    }

    /// All addresses that we listen at, in the order of the settings.
    #[must_use]
    pub fn listening(&self) -> &[Hop] {
        &self.listening
    }

    /// What is known of the trunks.
    #[must_use]
    pub const fn trunks(&self) -> &Arc<Trunks> {
        &self.board
    }

    /// Whether there is an address of ours from which that one can be reached.
    #[must_use]
    pub fn reaches(&self, peer: Hop) -> bool {
        self.places.serves(peer)
    }

    /// Gives a trunk other addresses, for the calls that begin from now on; what is past the eighth is left out, and so
    /// is what cannot be reached from where we listen. False when a shard has no room for the news: try again a moment
    /// later.
    pub fn set_peers(&self, trunk: TrunkNo, peers: &[Peer]) -> bool {
        let Some(own) = self.trunks.get(trunk.index()) else { return true };
        let mut gateways = self.places.gateways(own, peers, |to| sockets::seen_by(to).ok());
        gateways.truncate(TRUNK_ADDRESSES);
        self.board.has_addresses(trunk, gateways.len(), Clock::wall());
        if let Some((streams, _)) = &self.streams {
            let ways = listening::ways(trunk, own, &gateways);
            if streams.post(streams::Letter::Ways { trunk, ways }).is_err() {
                return false;
            }
        }
        let gateways: Arc<[Gateway]> = gateways.into();
        let letter = || Letter::Gateways { trunk, gateways: Arc::clone(&gateways) };
        self.slots.iter().all(|slot| slot.post(letter()).is_ok())
    }

    /// How many calls run now, or wait in a mailbox to be run.
    #[must_use]
    pub fn live(&self) -> usize {
        self.live.load(Ordering::Acquire)
    }

    /// How late the latest shard was since this was last asked: it was so long away from its sockets, or woke up so long
    /// after it wanted to. Less than two milliseconds are none.
    #[must_use]
    pub fn lateness(&self) -> Duration {
        self.lateness.take()
    }

    /// Ends all calls that run, each as if its process had died, and hangs their telephones up. [`Self::live`] says when
    /// they are over; their legs have a second to answer when the engine is dropped then.
    pub fn end_calls(&self) {
        if self.live() == 0 {
            return;
        }
        for (slot, thread) in self.slots.iter().zip(&self.threads) {
            while slot.post(Letter::EndCalls).is_err() && !thread.is_finished() {
                std::thread::yield_now();
            }
        }
    }

    /// Runs a call whose acceptance is durable.
    ///
    /// # Errors
    /// Gives the launch back when its shard's mailbox is full.
    pub fn launch(&self, launch: Launch) -> Result<(), Box<Launch>> {
        let slot = self.slot(launch.call.id);
        self.live.fetch_add(1, Ordering::AcqRel);
        slot.post(Letter::Launch(Box::new(launch))).map_err(|letter| match letter {
            Letter::Launch(launch) => {
                self.live.fetch_sub(1, Ordering::AcqRel);
                launch
            }
            Letter::Stop { .. }
            | Letter::Orphan(_)
            | Letter::Gateways { .. }
            | Letter::Recording { .. }
            | Letter::EndCalls
            | Letter::End => {
                unreachable!("a slot gives back what was posted")
            }
        })
    }

    /// Asks a call of an app to end. `answer` is called with whether such a call was running, on the thread of its
    /// shard, so it must not block; at once and here, with `false`, when the shard has no room for the question.
    pub fn stop(&self, call: CallId, app: AppId, answer: impl FnOnce(bool) + Send + 'static) {
        let letter = Letter::Stop { call, app, answer: Box::new(answer) };
        if let Err(Letter::Stop { answer, .. }) = self.slot(call).post(letter) {
            answer(false);
        }
    }

    /// Releases a leg that a dead process left behind: CANCEL, BYE or both, as far as its dialog is known.
    ///
    /// # Errors
    /// Gives the orphan back when its shard's mailbox is full; try again a moment later.
    pub fn release(&self, orphan: Orphan) -> Result<(), Box<Orphan>> {
        self.slot(orphan.call.id).post(Letter::Orphan(Box::new(orphan))).map_err(|letter| match letter {
            Letter::Orphan(orphan) => orphan,
            Letter::Launch(_)
            | Letter::Stop { .. }
            | Letter::Gateways { .. }
            | Letter::Recording { .. }
            | Letter::EndCalls
            | Letter::End => {
                unreachable!("a slot gives back what was posted")
            }
        })
    }

    fn slot(&self, call: CallId) -> &Slot<Letter> {
        &self.slots[shard_of(call, self.slots.len())]
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for (slot, thread) in self.slots.iter().zip(&self.threads) {
            // A full mailbox empties itself within a turn of its loop.
            while slot.post(Letter::End).is_err() && !thread.is_finished() {
                std::thread::yield_now();
            }
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a shard of the engine had panicked");
            }
        }
        // Their last words may go by a connection.
        if let Some((slot, thread)) = self.streams.take() {
            while slot.post(streams::Letter::End).is_err() && !thread.is_finished() {
                std::thread::yield_now();
            }
            if thread.join().is_err() {
                tracing::error!("the thread of the connections had panicked");
            }
        }
        // Its shards were the last who could give it anything to do.
        if self.archive.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the archive had panicked");
        }
        if self.writer.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writer of traces had panicked");
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Engine({} shards at {}, {} calls)", self.slots.len(), self.address(), self.live())
    }
}

/// What is known of the trunks before the first call.
pub(crate) fn board_of(settings: &Settings, now: Timestamp) -> Trunks {
    let board = Trunks::new(settings.trunks.iter().map(Trunk::terms), now);
    for (place, trunk) in settings.trunks.iter().enumerate().take(TRUNKS) {
        if let Some(no) = TrunkNo::new(place) {
            board.has_addresses(no, trunk.peers.len(), now);
            if trunk.registration.is_some() {
                board.wants_registration(no, now);
            }
        }
    }
    board
}

fn mailboxes<T>(count: usize, letters: usize) -> std::io::Result<Vec<(Slot<T>, Mailbox<T>)>> {
    (0..count).map(|_| mailbox(letters)).collect()
}

/// Starts the thread of a shard, and waits until the shard has begun.
fn thread(settings: Settings, (clock, said): (Clock, Said), parts: Parts) -> std::io::Result<JoinHandle<()>> {
    let (tell, told) = sync_channel(1);
    let name = format!("shard-{}", parts.number);
    let live = move || match ground(&settings, clock, said, &parts) {
        Ok(ground) => {
            let shard = Shard::new(&settings, ground, parts);
            tell.send(Ok(())).ok();
            shard.run();
        }
        Err(fault) => {
            tell.send(Err(fault)).ok();
        }
    };
    let thread = std::thread::Builder::new().name(name).spawn(live)?;
    told.recv().unwrap_or_else(|_| Err(std::io::Error::other("a shard panicked before it began")))?;
    Ok(thread)
}

/// What a shard of the calling thread stands on. The first one reads the signalling sockets.
fn ground(settings: &Settings, clock: Clock, said: Said, parts: &Parts) -> std::io::Result<Kernel> {
    let bells = [(parts.mailbox.bell(), Token::Bell), (parts.post.bell(), Token::Post)];
    let kernel = Kernel::new(settings.backend, clock, said, bells)?;
    if parts.number == 0 {
        kernel.listen()?;
    }
    Ok(kernel)
}

/// The shard of a call: a function of its id alone, so that anybody who knows the id finds it.
pub(crate) fn shard_of(call: CallId, shards: usize) -> usize {
    let random = usize::try_from(call.random() & 0xffff).unwrap_or(0);
    random % shards
}
