//! One world: a network, a clock, some trunks, and the calls that live in it. All of it follows from its seed.

use std::cell::RefCell;
use std::mem;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use base::call::{Admitted, Call};
use base::fact::Entry;
use base::id::AppId;
use base::limits;
use base::permit::{Permit, Ports};
use base::time::Instant;
use base::trunk::TrunkNo;
use engine::answering::Answering;
use engine::solo::{Held, Solo};
use engine::trunk::{Probe, Srtp};
use engine::{Backend, Journal, Launch, Settings, Speech, Trunk, recording_path};
use plans::{Event, Plan, Todo, plan_for};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use sip::sdp::Codec;
use tempfile::TempDir;

use crate::far::{Door, Far};
use crate::history::{End, History, Stop};
use crate::net::{MadeUp, Net, US, WALL};
use crate::orders::{self, APP};

/// See the module.
pub(crate) struct World {
    net: Rc<RefCell<Net>>,
    solo: Solo<MadeUp>,
    /// When the shard wants its next turn, and how many it took in this moment.
    due: Option<Instant>,
    turns: (Instant, u32),
    far: Far,
    /// Questions to trunks that may be open when all else is over.
    questions: usize,
    desk: Desk,
    trunks: Vec<Trunk>,
    recordings: TempDir,
    /// What will happen from outside, the last first.
    plan: Vec<(Instant, Happening)>,
}

/// What stands left and right of the engine: permits, and the journal.
#[derive(Default)]
struct Desk {
    ports: Arc<Ports>,
    pages: Arc<Mutex<Vec<Entry>>>,
    is_full: Arc<AtomicBool>,
    /// The answers to the wishes to stop, in their order.
    answers: Arc<Mutex<Vec<(usize, bool)>>>,
}

enum Happening {
    Accept(Box<Call>, Speech),
    Stop(usize),
    JournalFills,
    JournalEmpties,
    /// A stranger sends something.
    Intrusion,
    /// The addresses of a trunk come in another order, or are fewer.
    OtherPeers,
}

/// A journal in memory. It takes what it has room for.
struct Pen {
    pages: Arc<Mutex<Vec<Entry>>>,
    is_full: Arc<AtomicBool>,
}

impl Journal for Pen {
    fn append(&mut self, entries: &mut Vec<Entry>) {
        if let (false, Ok(mut pages)) = (self.is_full.load(Ordering::Acquire), self.pages.lock()) {
            pages.append(entries);
        }
    }
}

impl World {
    /// The world of a seed, with so many calls at most; and how many it has.
    pub(crate) fn new(seed: u64, calls_max: usize) -> anyhow::Result<(Self, usize)> {
        let mut rng = SmallRng::seed_from_u64(seed);
        let most = [1, 1, 8, 40][rng.random_range(0..4)];
        let calls = rng.random_range(1..=most).min(calls_max);
        let net = Rc::new(RefCell::new(Net::new(&mut rng)));
        let (trunks, gateways) = trunks(&net, &mut rng);
        let questions = trunks
            .iter()
            .filter(|trunk| trunk.probe.is_some())
            .map(|trunk| trunk.peers.len() * QUESTIONS)
            .sum();
        let far = Far::new(&net, &gateways, &mut rng);
        let recordings = tempfile::tempdir().context("cannot make a folder for recordings")?;
        let settings = Settings {
            sip: vec![US.into()],
            advertised: None,
            tls: None,
            rtp_ports: rtp_ports(&trunks, &mut rng),
            shards: 1,
            trunks,
            recordings: Some(recordings.path().to_owned()),
            answering: Answering::default(),
            trace: None,
            backend: Backend::Auto,
        };
        let desk = Desk::default();
        let pen = Pen { pages: Arc::clone(&desk.pages), is_full: Arc::clone(&desk.is_full) };
        let ground = MadeUp { net: Rc::clone(&net), seed: rng.random() };
        let plan = plan(calls, &settings.trunks, &mut rng);
        let solo = Solo::new(&settings, ground, Box::new(pen)).context("cannot make a shard")?;
        let turns = (Instant::START, 0);
        Ok((
            Self {
                net,
                solo,
                due: Some(Instant::START),
                turns,
                far,
                questions,
                trunks: settings.trunks,
                recordings,
                desk,
                plan,
            },
            calls,
        ))
    }

    /// Lets it go on until there is nothing more to come, and tells what was seen.
    pub(crate) fn run(mut self, seed: u64) -> History {
        let mut rng = SmallRng::seed_from_u64(!seed);
        let mut ended = None;
        let mut spun = false;
        while let Some(next) = self.next() {
            let mut net = self.net.borrow_mut();
            net.now = net.now.max(next);
            let now = net.now;
            drop(net);
            while let Some(flight) = self.deliver() {
                self.far.hear(flight, now);
            }
            while let Some((_, happening)) = self.plan.pop_if(|(at, _)| *at <= now) {
                self.happen(happening, now, &mut rng);
            }
            self.far.on_time(now);
            if self.net.borrow().has_news() || self.due.is_some_and(|due| due <= now) {
                let has_letters = self.solo.step();
                self.net.borrow_mut().rung |= has_letters;
                self.due = self.solo.patience().map(|patience| now + patience);
                self.turns = if self.turns.0 == now { (now, self.turns.1 + 1) } else { (now, 1) };
                spun = self.turns.1 > TURNS_MAX;
            }
            let is_over = self.plan.is_empty() && self.held() == Held::default() && self.far.is_idle();
            if is_over {
                ended = Some(now);
            }
            if is_over || spun || now > LAST {
                break;
            }
        }
        self.conclude(ended, spun)
    }

    /// What the shard holds, but for its questions to trunks.
    fn held(&self) -> Held {
        let mut held = self.solo.held();
        held.sip.clients = held.sip.clients.saturating_sub(self.questions);
        held
    }

    fn deliver(&self) -> Option<crate::net::Flight> {
        self.net.borrow_mut().deliver()
    }

    fn next(&self) -> Option<Instant> {
        let happening = self.plan.last().map(|(at, _)| *at);
        let network = self.net.borrow().next();
        [network, self.due, self.far.next(), happening].into_iter().flatten().min()
    }

    fn happen(&mut self, happening: Happening, now: Instant, rng: &mut SmallRng) {
        match happening {
            Happening::Accept(call, speech) => {
                let Ok(permit) = Permit::take(&self.desk.ports, u32::MAX, &Arc::default(), u32::MAX) else {
                    return;
                };
                let clips = orders::clips(&call, rng);
                self.net.borrow_mut().history.accepted.push((now, (*call).clone()));
                let admitted = Admitted { call: *call, permit, texts: Vec::new(), objection: None };
                let is_fragile = rng.random_bool(0.03);
                let inner = plan_for(&admitted.call, limits::RING);
                let launch = Launch::new(admitted, clips, speech);
                self.solo.launch(if is_fragile {
                    launch.with_plan(Box::new(Fragile { inner, holds: rng.random_range(0..6) }))
                } else {
                    launch
                });
            }
            Happening::Stop(nth) => {
                let mut net = self.net.borrow_mut();
                let Some(call) = net.history.accepted.get(nth).map(|(_, call)| call.id) else { return };
                let is_owner = rng.random_bool(0.9);
                let stop = Stop { at: now, call, is_owner, was_running: false };
                let question = net.history.stops.len();
                net.history.stops.push(stop);
                let answers = Arc::clone(&self.desk.answers);
                let app = if is_owner { APP } else { AppId(APP.0 + 1) };
                self.solo.stop(call, app, move |was_running| {
                    answers.lock().into_iter().for_each(|mut answers| answers.push((question, was_running)));
                });
            }
            Happening::JournalFills => self.desk.is_full.store(true, Ordering::Release),
            Happening::JournalEmpties => self.desk.is_full.store(false, Ordering::Release),
            Happening::Intrusion => self.net.borrow_mut().intrude(),
            Happening::OtherPeers => {
                let nth = rng.random_range(0..self.trunks.len());
                let peers: Vec<_> = self.trunks[nth].peers.iter().rev().cloned().collect();
                let kept = &peers[..rng.random_range(0..=peers.len())];
                TrunkNo::new(nth).map(|trunk| self.solo.set_peers(trunk, kept));
            }
        }
        self.net.borrow_mut().rung = true;
    }

    fn conclude(self, at: Option<Instant>, spun: bool) -> History {
        let held = self.held();
        let Self { net, solo, desk, recordings, .. } = self;
        let now = WALL + net.borrow().now.since(Instant::START);
        let seats = solo.trunks().views(now).iter().map(|trunk| trunk.calls).sum();
        let sockets = net.borrow().open();
        let mut history = mem::take(&mut net.borrow_mut().history);
        history.end = End { at, held, permits: desk.ports.taken(), seats, sockets, spun };
        let size = |call: &Call| {
            let file = std::fs::metadata(recording_path(recordings.path(), call.id)).ok()?;
            Some((call.id, file.len()))
        };
        history.recordings = history.accepted.iter().filter_map(|(_, call)| size(call)).collect();
        history.journal = desk.pages.lock().map(|mut pages| mem::take(&mut *pages)).unwrap_or_default();
        for (question, was_running) in desk.answers.lock().into_iter().flat_map(|answers| answers.clone()) {
            history.stops[question].was_running = was_running;
        }
        history
    }
}

/// A plan that panics at one of its first news.
#[derive(Debug)]
struct Fragile {
    inner: Box<dyn Plan>,
    holds: u8,
}

impl Plan for Fragile {
    fn start(&mut self, now: Instant, todo: &mut Todo) {
        self.inner.start(now, todo);
    }

    fn on(&mut self, now: Instant, event: Event, todo: &mut Todo) {
        assert!(self.holds > 0, "{BREAKS}");
        self.holds -= 1;
        self.inner.on(now, event, todo);
    }

    fn deadline(&self) -> Option<Instant> {
        self.inner.deadline()
    }
}

/// What a plan says that breaks because it should.
pub(crate) const BREAKS: &str = "this plan breaks, as it should";

/// The moment of an entry.
pub(crate) fn moment(entry: &Entry) -> Instant {
    Instant::START + entry.at.since(WALL)
}

/// One to three trunks, and the gateways behind them; a few are dead, or there is no way to them.
fn trunks(net: &Rc<RefCell<Net>>, rng: &mut SmallRng) -> (Vec<Trunk>, Vec<Door>) {
    let (mut trunks, mut gateways) = (Vec::new(), Vec::new());
    for nth in 0..rng.random_range(1..=3_u8) {
        let address = |peer: u8| SocketAddr::from((Ipv4Addr::new(10, 0, 1 + nth, peer), 5_060));
        let mut trunk = Trunk::new(&format!("trunk{nth}"), address(1));
        trunk.peers.extend(rng.random_bool(0.4).then(|| address(2).into()));
        trunk.behind_nat = rng.random_bool(0.4);
        trunk.srtp = if rng.random_bool(0.1) { Srtp::Required } else { Srtp::Off };
        trunk.codecs = OFFERS[rng.random_range(0..OFFERS.len())].to_vec();
        trunk.calls_max = rng.random_bool(0.1).then_some(5);
        let probe = Probe { every: Duration::from_secs(5), misses: 2 };
        trunk.probe = rng.random_bool(0.15).then_some(probe);
        for peer in trunk.peers.iter().map(|peer| peer.hop.address) {
            if rng.random_bool(0.05) {
                net.borrow_mut().nowhere.insert(peer);
            }
            if rng.random_bool(0.15) {
                net.borrow_mut().slow.insert(peer, Duration::from_millis(rng.random_range(500..9_000)));
            }
            let is_nat = trunk.behind_nat;
            gateways.push(Door { address: peer, is_dead: rng.random_bool(0.07), is_nat });
        }
        trunks.push(trunk);
    }
    (trunks, gateways)
}

/// Sometimes there is not a pair for each leg. Then a pair is soon used again, and a telephone that was given up may
/// still send to it; a trunk behind NAT hears whoever is first.
fn rtp_ports(trunks: &[Trunk], rng: &mut SmallRng) -> RangeInclusive<u16> {
    let are_few = rng.random_bool(0.05) && trunks.iter().all(|trunk| !trunk.behind_nat);
    if are_few { 10_000..=10_007 } else { 10_000..=19_999 }
}

/// What happens from outside, the last first.
fn plan(calls: usize, trunks: &[Trunk], rng: &mut SmallRng) -> Vec<(Instant, Happening)> {
    let mut plan = Vec::new();
    let mut at = Instant::from_millis(1_500);
    for nth in 0..calls {
        at = at + Duration::from_millis(rng.random_range(0..800));
        let call = orders::draw(nth, WALL + at.since(Instant::START), rng);
        let speech = match rng.random_range(0..20) {
            0 => Speech::Failed,
            1..6 => Speech::Took(Duration::from_millis(300)),
            _ => Speech::None,
        };
        plan.push((at, Happening::Accept(Box::new(call), speech)));
        while rng.random_bool(0.2) {
            let later = Duration::from_millis(rng.random_range(0..20_000));
            plan.push((at + later, Happening::Stop(nth)));
        }
    }
    if rng.random_bool(0.2) {
        let full = Instant::from_millis(rng.random_range(1_000..20_000));
        let length = Duration::from_millis(rng.random_range(10..8_000));
        plan.extend([(full, Happening::JournalFills), (full + length, Happening::JournalEmpties)]);
    }
    // A trunk behind NAT hears whoever is first.
    while rng.random_bool(0.3) && trunks.iter().all(|trunk| !trunk.behind_nat) {
        plan.push((Instant::from_millis(rng.random_range(1_000..40_000)), Happening::Intrusion));
    }
    while rng.random_bool(0.1) {
        plan.push((Instant::from_millis(rng.random_range(1_000..40_000)), Happening::OtherPeers));
    }
    plan.sort_by_key(|(at, _)| *at);
    plan.reverse();
    plan
}

/// Questions to a trunk that does not answer: one each five seconds, each for 64*T1.
const QUESTIONS: usize = 8;

/// What trunks are offered.
const OFFERS: [&[Codec]; 5] = [
    &[Codec::Pcma, Codec::Pcmu],
    &[Codec::Pcma, Codec::Pcmu],
    &[Codec::Pcmu, Codec::Pcma],
    &[Codec::G722, Codec::Pcma],
    &[Codec::Opus, Codec::Pcma, Codec::Pcmu],
];

/// Turns that a shard may want in one moment: a packet each, of a busy world.
const TURNS_MAX: u32 = 1_000;

/// When a world that does not come to rest is left: past the end of a session that nobody refreshes.
const LAST: Instant = Instant::from_millis(2 * 3_600_000);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_few_only_where_a_trunk_hears_nobody_but_its_party() {
        let few = |behind_nat| {
            let mut trunk = Trunk::new("trunk", US);
            trunk.behind_nat = behind_nat;
            let mut rng = SmallRng::seed_from_u64(1);
            (0..500).filter(|_| rtp_ports(&[trunk.clone()], &mut rng).len() < 100).count()
        };
        assert!(few(false) > 0);
        assert_eq!(few(true), 0);
    }
}
