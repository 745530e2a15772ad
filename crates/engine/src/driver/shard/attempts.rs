//! Reaching a party: the trunks that a leg tries, one after the other.

use base::id::Leg;
use base::release::Cause;
use base::time::Instant;
use base::trunk::{Seat, TRUNK_ADDRESSES, TrunkNews, TrunkNo, TrunkSet, Trunks};
use rand::Rng;
use sip::{Event, Fault, LegKey, Reason};

use super::{Shard, leg_key};
use crate::driver::ground::Ground;
use crate::driver::names;
use crate::driver::places::Gateway;
use crate::leg::Failure;
use crate::trunk::Turn;

/// The attempts of one leg.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    /// The one that is under way, from 1; 0 before the first.
    number: u8,
    /// Its place in a trunk.
    seat: Option<Seat>,
    /// The trunks that were tried, and the addresses of the last of them: a bit for each.
    tried: TrunkSet,
    addresses: u8,
    /// When another way is tried, unless the trunk has said something by then.
    patience: Option<Instant>,
}

impl Attempts {
    /// The attempt that is under way.
    pub(super) const fn number(&self) -> u8 {
        self.number
    }

    pub(super) const fn patience(&self) -> Option<Instant> {
        self.patience
    }

    /// The trunk has said something: from now on its INVITE is in good hands.
    pub(super) const fn is_heard(&mut self) {
        self.patience = None;
    }

    /// Gives the seat back.
    pub(super) fn is_over(&mut self) {
        *self = Self { number: self.number, ..Self::default() };
    }

    fn trunk(&self) -> Option<TrunkNo> {
        self.seat.as_ref().map(Seat::trunk)
    }
}

/// Whether what went wrong may be the matter of one address alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blame {
    Address,
    Trunk,
}

impl<G: Ground> Shard<G> {
    /// Sends a leg's first INVITE. A leg that cannot be dialled is released at once.
    pub(super) fn dial(&mut self, number: u64, leg: Leg, now: Instant) {
        if let Err(cause) = self.dial_next(number, leg, None, now) {
            self.close_wire(number, leg, now);
            self.tell(number, now, |running, now, out| {
                running.gone(leg, |state| state.lost(cause), None, now, out);
            });
        }
    }

    /// Sends an INVITE by the next way that is open. The error is the cause of there being none.
    fn dial_next(&mut self, number: u64, leg: Leg, after: Option<u16>, now: Instant) -> Result<(), Cause> {
        let blame = if after.is_none_or(|status| OTHER_ADDRESS.contains(&status)) {
            Blame::Address
        } else {
            Blame::Trunk
        };
        let (trunk, address) = self.next_way(number, leg, blame, now).ok_or(Cause::TrunkFault)?;
        let Gateway { peer, place, .. } = &self.gateways[trunk.index()][address];
        let (peer, place) = (peer.hop, *place);
        self.close_wire(number, leg, now);
        let offer = self.open_wire(number, leg, (trunk, place), now).ok_or(Cause::OurFault)?;
        let live = self.calls.get(&number).ok_or(Cause::OurFault)?;
        let way = names::Way {
            trunk: &self.trunks[trunk.index()],
            peer,
            contact: place.contact,
            attempt: live.attempts[leg.index()].number,
        };
        let invite = names::invite(live.running.call(), leg, way, offer).ok_or(Cause::OurFault)?;
        let name = way.trunk.name.clone();
        self.sip.invite(self.key_of(number, leg), invite, now, &mut self.outputs);
        self.tell(number, now, |running, now, out| running.dialled(leg, (name, after), now, out));
        Ok(())
    }

    /// The next way to the party of a leg: another gateway of the trunk that it tries, or one of another trunk. Takes a
    /// seat in it.
    fn next_way(&mut self, number: u64, leg: Leg, blame: Blame, now: Instant) -> Option<(TrunkNo, usize)> {
        let Self { ground, calls, trunks, gateways, board, rng, .. } = self;
        let live = calls.get_mut(&number)?;
        let dialled = live.running.call().numbers(leg)?.dialled;
        let attempts = &mut live.attempts[leg.index()];
        if attempts.number == ATTEMPTS {
            return None;
        }
        let mut current = attempts.trunk().filter(|_| blame == Blame::Address);
        // Ends: each turn tries another trunk.
        loop {
            if let Some(trunk) = current
                && let Some(address) =
                    open_address(board, &gateways[trunk.index()], (trunk, attempts.addresses), rng)
            {
                attempts.addresses |= 1 << address;
                attempts.number += 1;
                let is_only = trunks.len() == 1 && gateways[trunk.index()].len() == 1;
                attempts.patience = (!is_only).then(|| now + trunks[trunk.index()].silence);
                return Some((trunk, address));
            }
            let seat = board.choose(dialled, rng.random(), attempts.tried, ground.wall())?;
            current = Some(seat.trunk());
            attempts.tried.insert(seat.trunk());
            attempts.addresses = 0;
            attempts.seat = Some(seat);
        }
    }

    /// The INVITE of a leg has failed for good: another way is tried, if that can help.
    pub(super) fn on_failed(&mut self, number: u64, leg: Leg, failure: &Failure<'_>, now: Instant) {
        let Some(live) = self.calls.get(&number) else { return };
        let Some(state) = live.running.leg(leg) else { return };
        let (news, other_way) = state.judge(failure);
        if let (Some(news), Some(trunk)) = (news, live.attempts[leg.index()].trunk()) {
            self.board.learn(trunk, news, self.ground.wall());
        }
        if other_way && self.dial_next(number, leg, Some(failure.status), now).is_ok() {
            self.do_deeds(number, now);
            self.set_alarm(number, now);
            return;
        }
        self.on_gone(number, leg, now, |state| state.failed(failure));
    }

    /// Something of a leg was heard that only a trunk that works can bring.
    pub(super) fn trunk_works(&mut self, number: u64, leg: Leg) {
        let trunk = self.calls.get(&number).and_then(|live| live.attempts[leg.index()].trunk());
        if let Some(trunk) = trunk {
            self.board.learn(trunk, TrunkNews::Worked, self.ground.wall());
        }
    }

    /// Tries another way for the legs whose trunk has said nothing for too long. The INVITE that is given up is
    /// cancelled, should its trunk ever find a word.
    pub(super) fn serve_attempts(&mut self, number: u64, now: Instant) {
        for leg in [Leg::A, Leg::B] {
            let Some(live) = self.calls.get_mut(&number) else { return };
            let attempts = &mut live.attempts[leg.index()];
            if attempts.patience.is_none_or(|until| now < until) {
                continue;
            }
            attempts.patience = None;
            let silent = attempts.trunk();
            if !live.running.leg(leg).is_some_and(|state| state.may_go_elsewhere()) {
                continue;
            }
            let given_up = self.key_of(number, leg);
            match self.dial_next(number, leg, Some(SILENT), now) {
                Ok(()) => {
                    if let Some(trunk) = silent {
                        let news = TrunkNews::Failed { status: SILENT, pause: None };
                        self.board.learn(trunk, news, self.ground.wall());
                    }
                    self.sip.hang_up(given_up, Some(OTHER_WAY), now, &mut self.outputs);
                }
                // Whom nobody else can reach waits on.
                Err(Cause::TrunkFault) => {}
                Err(cause) => {
                    self.sip.hang_up(given_up, Some(OTHER_WAY), now, &mut self.outputs);
                    self.on_gone(number, leg, now, |state| state.lost(cause));
                }
            }
        }
    }

    /// The name by which SIP knows the attempt of a leg that is under way.
    pub(super) fn key_of(&self, number: u64, leg: Leg) -> LegKey {
        let attempt = self.calls.get(&number).map_or(0, |live| live.attempts[leg.index()].number);
        leg_key(number, leg, attempt)
    }

    /// Takes the news that say that a trunk is there.
    pub(super) fn note_signs_of_life(&mut self, number: u64, leg: Leg, event: &Event) {
        let Some(works) = sign_of_life(event) else { return };
        if let Some(live) = self.calls.get_mut(&number) {
            live.attempts[leg.index()].is_heard();
        }
        if works {
            self.trunk_works(number, leg);
        }
    }
}

/// Whether news that say that a trunk is there say also that it works; `None` for all other news.
fn sign_of_life(event: &Event) -> Option<bool> {
    match event {
        // An answer without a session description is one all the same: nobody else is dialled while it is released.
        Event::Trying | Event::Fault(Fault::AnswerWithoutSdp) => Some(false),
        Event::Early { status, sdp, .. } => Some(*status == RINGING || sdp.is_some()),
        Event::Answered { .. } => Some(true),
        _ => None,
    }
}

/// The next gateway of a trunk that was not tried, one that answers when it is asked before one that does not. What does
/// not answer is nobody's second choice.
fn open_address(
    board: &Trunks,
    gateways: &[Gateway],
    (no, tried): (TrunkNo, u8),
    rng: &mut impl Rng,
) -> Option<usize> {
    let is_tried = |address: &usize| tried >> address & 1 == 1;
    let open = (0..gateways.len().min(TRUNK_ADDRESSES)).filter(|address| !is_tried(address));
    let answering = open.clone().filter(|address| !board.is_silent(no, *address));
    let turn = |address: usize| gateways[address].peer.turn;
    if answering.clone().next().is_some() || tried != 0 {
        whose_turn(answering, turn, rng)
    } else {
        whose_turn(open, turn, rng)
    }
}

/// Whose turn it is: of those of the smallest rank the one that the dice choose, by weight.
fn whose_turn(
    open: impl Iterator<Item = usize> + Clone,
    turn: impl Fn(usize) -> Turn,
    rng: &mut impl Rng,
) -> Option<usize> {
    let rank = open.clone().map(|address| turn(address).rank).min()?;
    let mut equals = open.filter(|address| turn(*address).rank == rank);
    let weight = |address: usize| u64::from(turn(address).weight);
    let all: u64 = equals.clone().map(weight).sum();
    if all == 0 {
        return equals.next();
    }
    let mut left = rng.random_range(0..all);
    equals.find(|address| {
        let is_hit = left < weight(*address);
        left = left.saturating_sub(weight(*address));
        is_hit
    })
}

/// Failures that another address of the same trunk may not have: what a broken or overloaded gateway says, and nothing.
pub(super) const OTHER_ADDRESS: [u16; 5] = [SILENT, 500, 502, 503, 504];

/// What a trunk is told whose INVITE is given up for another way: Q.850 cause 102, recovery on timer expiry.
const OTHER_WAY: Reason = Reason::q850(102);

/// The status of a trunk that said nothing.
const SILENT: u16 = 408;

/// The telephone rings.
const RINGING: u16 = 180;

/// Times that the party of a leg is tried to be reached: one digit in the names of SIP, three bits in our own.
const ATTEMPTS: u8 = 6;

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    /// How often each of those with these turns is the first in a thousand calls.
    fn firsts(turns: &[(u16, u16)], open: &[usize]) -> Vec<usize> {
        let turn = |address: usize| Turn { rank: turns[address].0, weight: turns[address].1 };
        let mut rng = SmallRng::seed_from_u64(7);
        let mut counts = vec![0; turns.len()];
        for _ in 0..1_000 {
            if let Some(first) = whose_turn(open.iter().copied(), turn, &mut rng) {
                counts[first] += 1;
            }
        }
        counts
    }

    #[test]
    fn those_of_the_smallest_rank_share_by_weight() {
        let turns = [(1, 10), (0, 70), (0, 30), (0, 0)];
        let counts = firsts(&turns, &[0, 1, 2, 3]);
        assert_eq!((counts[0], counts[3]), (0, 0));
        assert!((650..750).contains(&counts[1]), "{counts:?}");
        assert_eq!(firsts(&turns, &[0, 3]), [0, 0, 0, 1_000]);
        assert_eq!(firsts(&turns, &[0]), [1_000, 0, 0, 0]);
        assert_eq!(firsts(&turns, &[]), [0; 4]);
    }

    #[test]
    fn a_trunk_that_answers_without_a_description_is_there_but_does_not_work() {
        assert_eq!(sign_of_life(&Event::Fault(Fault::AnswerWithoutSdp)), Some(false));
        assert_eq!(sign_of_life(&Event::Trying), Some(false));
        assert_eq!(sign_of_life(&Event::Acked), None);
    }

    #[test]
    fn without_weights_the_order_decides() {
        assert_eq!(firsts(&[(0, 0), (0, 0)], &[0, 1]), [1_000, 0]);
        assert_eq!(firsts(&[(0, 0), (0, 0)], &[1]), [0, 1_000]);
    }
}
