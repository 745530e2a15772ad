//! Asking the trunks whether they are there. Only the shard that reads the signalling socket does: the answers come to
//! it.

use std::sync::Arc;
use std::time::Duration;

use base::time::Instant;
use base::trunk::{TRUNK_ADDRESSES, TrunkNo};
use rand::Rng;
use rand::rngs::StdRng;
use sip::Hop;
use smallvec::SmallVec;

use super::Shard;
use crate::driver::ground::Ground;
use crate::driver::places::Gateway;
use crate::trunk::{Probe, Trunk};

/// The addresses that are asked.
#[derive(Debug, Default)]
pub(super) struct Pings {
    list: Vec<Ping>,
}

/// One address.
#[derive(Debug)]
struct Ping {
    peer: Hop,
    probe: Probe,
    /// The trunks that have it, and where in their lists.
    of: SmallVec<[(TrunkNo, usize); 1]>,
    next: Instant,
    /// Whether the last question waits for its answer.
    is_open: bool,
    misses: u8,
}

impl Pings {
    /// The addresses of trunks that want to be asked. Each begins at its own moment, so that they are not asked all at
    /// once; one that several trunks have is asked once, as often as the first of them says.
    pub(super) fn new(trunks: &[Trunk], gateways: &[Arc<[Gateway]>], now: Instant, rng: &mut StdRng) -> Self {
        let mut list: Vec<Ping> = Vec::new();
        for (place, (trunk, gateways)) in trunks.iter().zip(gateways).enumerate() {
            let (Some(probe), Some(no)) = (trunk.probe, TrunkNo::new(place)) else { continue };
            for (address, Gateway { peer, .. }) in gateways.iter().take(TRUNK_ADDRESSES).enumerate() {
                match list.iter_mut().find(|ping| ping.peer == peer.hop) {
                    Some(ping) => ping.of.push((no, address)),
                    None => {
                        let next = now + FIRST.min(probe.every).mul_f64(rng.random());
                        let of = SmallVec::from_iter([(no, address)]);
                        list.push(Ping { peer: peer.hop, probe, of, next, is_open: false, misses: 0 });
                    }
                }
            }
        }
        Self { list }
    }

    /// When the next question is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.list.iter().map(|ping| ping.next).min()
    }
}

impl Ping {
    /// An answer came, or did not. Whether that changes what the address is taken for.
    fn is_answered(&mut self, answered: bool) -> Option<bool> {
        self.is_open = false;
        if answered {
            self.misses = 0;
            return Some(true);
        }
        self.misses = self.misses.saturating_add(1);
        (self.misses >= self.probe.misses).then_some(false)
    }
}

impl<G: Ground> Shard<G> {
    /// Asks the addresses that the trunks have now. What was known of others is forgotten.
    pub(super) fn watch_trunks(&mut self, now: Instant) {
        if self.number == 0 {
            self.pings = Pings::new(&self.trunks, &self.gateways, now, &mut self.rng);
        }
    }

    /// Asks those whose time has come. Whoever has not answered the last question by then has missed it.
    pub(super) fn ask_trunks(&mut self, now: Instant) {
        for at in 0..self.pings.list.len() {
            let ping = &mut self.pings.list[at];
            if ping.next > now {
                continue;
            }
            // A clock that jumped owes one question, not many.
            ping.next = now + ping.probe.every.max(SOONEST);
            let missed = ping.is_open;
            ping.is_open = true;
            let peer = ping.peer;
            if missed {
                self.on_answer_of(at, false);
                self.pings.list[at].is_open = true;
            }
            self.sip.options(peer, now, &mut self.outputs);
        }
    }

    /// The end of a question. That none came is known since the next question was due.
    pub(super) fn on_pong(&mut self, peer: Hop, status: Option<u16>) {
        let (Some(status), Some(at)) = (status, self.pings.list.iter().position(|ping| ping.peer == peer))
        else {
            return;
        };
        self.on_answer_of(at, !ABSENT.contains(&status));
    }

    fn on_answer_of(&mut self, at: usize, answered: bool) {
        let ping = &mut self.pings.list[at];
        let Some(answers) = ping.is_answered(answered) else { return };
        for (trunk, address) in &ping.of {
            if self.board.is_silent(*trunk, *address) == answers {
                let name = self.board.name(*trunk);
                let says = if answers { "answers again" } else { "does not answer" };
                tracing::warn!(trunk = name, peer = %ping.peer.address, "the trunk {says}");
                self.board.answers(*trunk, *address, answers, self.ground.wall());
            }
        }
    }
}

/// Answers that say as much as none: nobody is there, or nobody who can take a call.
const ABSENT: [u16; 3] = [408, 503, 504];

/// The first questions are spread over so much time.
const FIRST: Duration = Duration::from_secs(2);

/// How often an address is asked at most: each question may wait for its answer for 32 seconds.
const SOONEST: Duration = Duration::from_millis(20);
