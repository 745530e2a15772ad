//! Registering with the trunks that want it. Only the shard that reads the signalling socket does: the answers come to
//! it, and SIP renews what it has begun by itself.

use std::time::Duration;

use base::time::Instant;
use base::trunk::{RegistrationNews, TrunkNo};
use rand::Rng;
use sip::{Hop, RegistrationKey, RegistrationState};

use super::Shard;
use super::attempts::OTHER_ADDRESS;
use crate::driver::ground::Ground;
use crate::driver::names;
use crate::driver::places::Gateway;

/// The registrations that were begun.
#[derive(Debug, Default)]
pub(super) struct Registrations {
    list: Vec<Begun>,
    /// While they are taken back: until when that is waited for.
    farewell: Option<Instant>,
    /// Whether legs were hung up a moment ago: their answers are waited for too, or a BYE that was lost.
    pub(super) lingers: bool,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
struct Begun {
    trunk: TrunkNo,
    /// Where.
    registrar: Hop,
    /// The trunk's other addresses that failed just before.
    passed: usize,
}

impl Registrations {
    pub(super) const fn farewell(&self) -> Option<Instant> {
        self.farewell
    }
}

impl<G: Ground> Shard<G> {
    /// Registers with the trunks that want it, with the first of their addresses, unless we are at another one of them
    /// already.
    pub(super) fn register_anew(&mut self, now: Instant) {
        if self.number != 0 || self.registrations.farewell.is_some() {
            return;
        }
        for place in 0..self.trunks.len() {
            let Some(trunk) = TrunkNo::new(place) else { return };
            let has = |begun: &Begun| self.gateways[place].iter().any(|own| own.peer.hop == begun.registrar);
            if !self.registrations.list.iter().any(|begun| begun.trunk == trunk && has(begun)) {
                self.register(trunk, 0, 0, now);
            }
        }
    }

    /// Registers with one address of a trunk, if the trunk wants that, after so many others of it have failed.
    fn register(&mut self, trunk: TrunkNo, address: usize, passed: usize, now: Instant) {
        let Some(Gateway { peer, place, .. }) = self.gateways[trunk.index()].get(address) else { return };
        let (registrar, settings) = (peer.hop, &self.trunks[trunk.index()]);
        let register = names::register(settings, (registrar, place.contact), self.rng.random());
        let Some(register) = register else { return };
        let list = &mut self.registrations.list;
        list.retain(|begun| begun.trunk != trunk);
        list.push(Begun { trunk, registrar, passed });
        self.sip.register(key_of(trunk), register, now, &mut self.outputs);
    }

    /// A registrar has failed: the trunk's next address takes its place, until all of them had their turn. Then the last
    /// one is asked again after its back-off, and so the round begins anew.
    fn pass_on(&mut self, begun: Begun, now: Instant) {
        let Begun { trunk, registrar, passed } = begun;
        let gateways = &self.gateways[trunk.index()];
        let Some(at) = gateways.iter().position(|own| own.peer.hop == registrar) else { return };
        let next = (at + 1) % gateways.len();
        if passed + 1 < gateways.len() {
            self.register(trunk, next, passed + 1, now);
        } else {
            self.set_passed(trunk, 0);
        }
    }

    fn set_passed(&mut self, trunk: TrunkNo, passed: usize) {
        for begun in self.registrations.list.iter_mut().filter(|begun| begun.trunk == trunk) {
            begun.passed = passed;
        }
    }

    /// A registration has come to another state.
    pub(super) fn on_registration(&mut self, key: RegistrationKey, state: RegistrationState, now: Instant) {
        let is_its = |begun: &&Begun| key_of(begun.trunk) == key;
        let Some(begun) = self.registrations.list.iter().find(is_its).copied() else { return };
        let Begun { trunk: no, registrar, .. } = begun;
        let trunk = self.board.name(no);
        let mut is_passed_on = false;
        let news = match state {
            RegistrationState::Registered { lasts, seen_as } => {
                tracing::debug!(trunk, peer = %registrar.address, ?seen_as, "registered for {lasts:?}");
                self.set_passed(no, 0);
                RegistrationNews::Registered { lasts, seen_as }
            }
            RegistrationState::Failed { status, retry_in, bound_for } => {
                let status = status.unwrap_or(SILENT);
                let next = retry_in.map_or_else(|| "never".to_owned(), |pause| format!("in {pause:?}"));
                tracing::warn!(
                    trunk, peer = %registrar.address, sip.status = status,
                    "cannot register; the last registration holds for {bound_for:?}, the next try follows {next}"
                );
                is_passed_on = OTHER_ADDRESS.contains(&status) && self.registrations.farewell.is_none();
                RegistrationNews::Failed { status }
            }
            RegistrationState::Gone => {
                self.registrations.list.retain(|known| known.trunk != no);
                return;
            }
        };
        self.board.registers(no, news, self.ground.wall());
        if is_passed_on {
            self.pass_on(begun, now);
        }
    }

    /// Ends the thread, once the trunks know that we leave, or a moment later.
    pub(super) fn end(&mut self, now: Instant) {
        self.registrations.farewell = Some(now + FAREWELL);
        for begun in self.registrations.list.clone() {
            self.sip.unregister(key_of(begun.trunk), now, &mut self.outputs);
        }
        self.drain_sip(now);
        self.end_if_left(now);
    }

    /// Ends the thread when it was to end and nothing is left to take back.
    pub(super) fn end_if_left(&mut self, now: Instant) {
        let Registrations { list, farewell, lingers } = &self.registrations;
        if farewell.is_some_and(|until| (list.is_empty() && !lingers) || now >= until) {
            self.ended = true;
        }
    }
}

/// The name by which SIP knows the registration with a trunk.
const fn key_of(trunk: TrunkNo) -> RegistrationKey {
    RegistrationKey(trunk.index() as u64)
}

/// How long trunks may take to confirm that we leave: a REGISTER that is lost is sent again after half of it.
const FAREWELL: Duration = Duration::from_secs(1);

/// The status of a trunk that said nothing.
const SILENT: u16 = 408;
