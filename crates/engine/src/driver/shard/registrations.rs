//! Registering with the trunks that want it. Only the shard that reads the signalling socket does: the answers come to
//! it, and SIP renews what it has begun by itself.

use std::time::Duration;

use base::time::Instant;
use base::trunk::{RegistrationNews, TrunkNo};
use rand::Rng;
use sip::{Hop, RegistrationKey, RegistrationState};

use super::Shard;
use crate::driver::ground::Ground;
use crate::driver::names;
use crate::driver::places::Gateway;

/// The registrations that were begun.
#[derive(Debug, Default)]
pub(super) struct Registrations {
    /// With which trunk, and where.
    list: Vec<(TrunkNo, Hop)>,
    /// While they are taken back: until when that is waited for.
    farewell: Option<Instant>,
}

impl Registrations {
    pub(super) const fn farewell(&self) -> Option<Instant> {
        self.farewell
    }
}

impl<G: Ground> Shard<G> {
    /// Registers with the trunks that want it and are not at the address where we did.
    pub(super) fn register_anew(&mut self, now: Instant) {
        if self.number != 0 || self.registrations.farewell.is_some() {
            return;
        }
        for (place, trunk) in self.trunks.iter().enumerate() {
            let Some(no) = TrunkNo::new(place) else { return };
            let Some(Gateway { peer, place, .. }) = self.gateways[place].first() else { continue };
            let way = (peer.hop, place.contact);
            let Some(register) = names::register(trunk, way, self.rng.random()) else { continue };
            let registrar = register.registrar;
            let list = &mut self.registrations.list;
            match list.iter_mut().find(|(known, _)| *known == no) {
                Some((_, address)) if *address == registrar => continue,
                Some((_, address)) => *address = registrar,
                None => list.push((no, registrar)),
            }
            self.sip.register(key_of(no), register, now, &mut self.outputs);
        }
    }

    /// A registration has come to another state.
    pub(super) fn on_registration(&mut self, key: RegistrationKey, state: RegistrationState) {
        let is_its = |(no, _): &&(TrunkNo, Hop)| key_of(*no) == key;
        let Some((no, registrar)) = self.registrations.list.iter().find(is_its).copied() else { return };
        let trunk = self.board.name(no);
        let news = match state {
            RegistrationState::Registered { lasts, .. } => {
                tracing::debug!(trunk, peer = %registrar.address, "registered for {lasts:?}");
                RegistrationNews::Registered { lasts }
            }
            RegistrationState::Failed { status, retry_in, bound_for } => {
                let status = status.unwrap_or(SILENT);
                let next = retry_in.map_or_else(|| "never".to_owned(), |pause| format!("in {pause:?}"));
                tracing::warn!(
                    trunk, peer = %registrar.address, sip.status = status,
                    "cannot register; the last registration holds for {bound_for:?}, the next try follows {next}"
                );
                RegistrationNews::Failed { status }
            }
            RegistrationState::Gone => {
                self.registrations.list.retain(|(known, _)| *known != no);
                return;
            }
        };
        self.board.registers(no, news, self.ground.wall());
    }

    /// Ends the thread, once the trunks know that we leave, or a moment later.
    pub(super) fn end(&mut self, now: Instant) {
        self.registrations.farewell = Some(now + FAREWELL);
        for (no, _) in self.registrations.list.clone() {
            self.sip.unregister(key_of(no), now, &mut self.outputs);
        }
        self.drain_sip(now);
        self.end_if_left(now);
    }

    /// Ends the thread when it was to end and nothing is left to take back.
    pub(super) fn end_if_left(&mut self, now: Instant) {
        let Registrations { list, farewell } = &self.registrations;
        if farewell.is_some_and(|until| list.is_empty() || now >= until) {
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
