//! One shard without a thread: the engine for worlds that are made up.
//!
//! It is the shard that carries people's voices, on a ground of the caller's. The caller lets it take its turns: when the
//! ground has something to be read, and when its patience is over. Nothing of it is compiled into whoever does not use it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base::id::{AppId, CallId};
use base::limits;
use base::trunk::{TRUNKS, TrunkNo, Trunks};

use crate::driver::archive::{self, Beside};
use crate::driver::ground::{Ground, News};
use crate::driver::mailbox::{Slot, mailbox};
use crate::driver::places::Places;
use crate::driver::shard::{Letter, Parts, Shard};
use crate::engine::{Journal, Launch, Settings, board_of};
use crate::trunk::{Peer, Trunk};

/// See the module.
pub struct Solo<G: Ground> {
    shard: Shard<G>,
    letters: Slot<Letter>,
    live: Arc<AtomicUsize>,
    board: Arc<Trunks>,
    news: Vec<News<G::Arrival>>,
    archive: Option<Beside>,
    places: Places,
    trunks: Vec<Trunk>,
}

/// What a shard holds: nothing, some time after its last call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Calls that run, or wait in the mailbox.
    pub calls: usize,
    /// Legs with sockets.
    pub wires: usize,
    /// Calls that want to be woken.
    pub alarms: usize,
    /// What SIP holds.
    pub sip: sip::Load,
    /// Facts that the journal had no room for.
    pub facts: usize,
}

impl<G: Ground> Solo<G> {
    /// A shard of its own. Of the settings it takes the trunks, the ports, the address, where it is reached too, and where
    /// recordings go.
    ///
    /// # Errors
    /// When the system gives no descriptor for its mailbox.
    pub fn new(settings: &Settings, ground: G, journal: Box<dyn Journal>) -> std::io::Result<Self> {
        let (letters, own) = mailbox(limits::SHARD_MAILBOX)?;
        let (datagrams, post) = mailbox(1)?;
        let (live, board) = (Arc::default(), Arc::new(board_of(settings, ground.wall())));
        let places = Places::new(settings.sip.clone(), settings.advertised);
        // A made-up network has one way to everybody.
        let gateways = |trunk: &Trunk| places.gateways(trunk, &trunk.peers, |_| None).into();
        let gateways = settings.trunks.iter().take(TRUNKS).map(gateways).collect();
        let beside = settings.recordings.clone().map(|folder| archive::beside(folder, letters.clone()));
        let (intake, archive) = beside.unzip();
        let parts = Parts {
            number: 0,
            places: places.clone(),
            gateways,
            mailbox: own,
            post,
            posts: vec![datagrams],
            live: Arc::clone(&live),
            lateness: Arc::default(),
            board: Arc::clone(&board),
            journal,
            archive: intake,
            tracer: None,
        };
        let shard = Shard::new(settings, ground, parts);
        let trunks = settings.trunks.clone();
        Ok(Self { shard, letters, live, board, news: Vec::new(), archive, places, trunks })
    }

    /// Posts a call that is to run; its ground has news of [`Token::Bell`](crate::ground::Token::Bell) then. False when
    /// the mailbox is full.
    pub fn launch(&self, launch: Launch) -> bool {
        let posted = self.letters.post(Letter::Launch(Box::new(launch))).is_ok();
        self.live.fetch_add(usize::from(posted), Ordering::AcqRel);
        posted
    }

    /// Posts the wish to end a call, likewise. `answer` hears whether it was running.
    pub fn stop(&self, call: CallId, app: AppId, answer: impl FnOnce(bool) + Send + 'static) -> bool {
        self.letters.post(Letter::Stop { call, app, answer: Box::new(answer) }).is_ok()
    }

    /// Gives a trunk other addresses, likewise.
    pub fn set_peers(&self, trunk: TrunkNo, peers: &[Peer]) -> bool {
        let Some(own) = self.trunks.get(trunk.index()) else { return false };
        let gateways: Arc<[_]> = self.places.gateways(own, peers, |_| None).into();
        self.board.has_addresses(trunk, gateways.len(), self.shard.wall());
        self.letters.post(Letter::Gateways { trunk, gateways }).is_ok()
    }

    /// How long it may be left alone, unless there are news; for ever if it does not say.
    #[must_use]
    pub fn patience(&self) -> Option<Duration> {
        self.shard.patience()
    }

    /// Lets it take one turn, and what it records be written. Whether there may be a letter for it by then.
    pub fn step(&mut self) -> bool {
        self.shard.step(&mut self.news);
        self.archive.as_mut().is_some_and(Beside::work)
    }

    /// What it holds.
    #[must_use]
    pub fn held(&self) -> Held {
        Held { calls: self.live.load(Ordering::Acquire), ..self.shard.held() }
    }

    /// What is known of the trunks.
    #[must_use]
    pub const fn trunks(&self) -> &Arc<Trunks> {
        &self.board
    }
}
