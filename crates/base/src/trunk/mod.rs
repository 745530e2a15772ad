//! The trunks: which of them takes a number, which of them work, which have room.
//!
//! One list for everybody who asks: admission, which refuses what no trunk could take; the engine, which takes a seat
//! in a trunk for each leg and says how it went; operators, who want to see it. No question waits for anything but
//! another one, and none allocates.

mod health;
mod link;
mod load;
mod routes;

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use self::health::{Condition, Health, RegistrationNews, TrunkState};
pub use self::link::LinkFault;
pub use self::load::Terms;
pub use self::routes::{Candidates, Rank, Route, Routes};

use self::load::Load;
use crate::number::E164;
use crate::time::Timestamp;

/// The place of a trunk in the list of all trunks, from 0 to 63.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrunkNo(u8);

impl TrunkNo {
    /// The trunk at that place; `None` past the last place that there can be.
    #[must_use]
    pub fn new(place: usize) -> Option<Self> {
        u8::try_from(place).ok().filter(|_| place < TRUNKS).map(Self)
    }

    /// Its place.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Some of the trunks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrunkSet(u64);

impl TrunkSet {
    /// Adds a trunk.
    pub const fn insert(&mut self, trunk: TrunkNo) {
        self.0 |= 1 << trunk.0;
    }

    /// Whether it is one of them.
    #[must_use]
    pub const fn contains(self, trunk: TrunkNo) -> bool {
        self.0 >> trunk.0 & 1 == 1
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// What one attempt to reach somebody tells of the trunk that it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrunkNews {
    /// It did its work, whatever the party did.
    Worked,
    /// It failed.
    Failed {
        /// With that SIP status; 408 when it said nothing at all.
        status: u16,
        /// How long it wants to be left alone (Retry-After).
        pause: Option<Duration>,
    },
}

/// Everything that is known of all trunks.
#[derive(Debug, Default)]
pub struct Trunks {
    trunks: Vec<Trunk>,
    routes: Routes,
}

/// What is known of one trunk.
#[derive(Debug)]
struct Trunk {
    terms: Terms,
    health: Mutex<Health>,
    load: Mutex<Load>,
    link: Mutex<Option<LinkFault>>,
}

/// A trunk as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkView {
    /// Its name.
    pub name: Box<str>,
    /// How it is.
    pub condition: Condition,
    /// Calls that it carries now; each leg of ours is one.
    pub calls: u32,
    /// The address that it saw us register from at last, where it wants that and says so.
    pub seen_as: Option<SocketAddr>,
    /// What was wrong with the last connection to it, if something was; always `None` by UDP.
    pub link: Option<LinkFault>,
}

/// A call's place in a trunk. Dropping it gives it back.
pub struct Seat {
    trunks: Arc<Trunks>,
    trunk: TrunkNo,
}

impl Trunks {
    /// Trunks under these terms, in their order; what is past the 64th is left out. They are taken to work until
    /// something else is heard.
    #[must_use]
    pub fn new(terms: impl IntoIterator<Item = Terms>, now: Timestamp) -> Self {
        let open = |terms| Trunk {
            terms,
            health: Mutex::new(Health::new(now)),
            load: Mutex::default(),
            link: Mutex::default(),
        };
        let trunks: Vec<Trunk> = terms.into_iter().take(TRUNKS).map(open).collect();
        let routes = trunks.iter().map(|trunk| trunk.terms.routes.as_slice()).collect();
        Self { trunks, routes }
    }

    /// The SIP status with which every trunk for a number fails now; `None` while one of them is worth a try. 404 when
    /// no trunk takes such numbers.
    #[must_use]
    pub fn failing(&self, dialled: &E164, now: Timestamp) -> Option<u16> {
        let mut status = NO_ROUTE;
        for trunk in self.routes.taking(dialled) {
            let condition = self.health(trunk).condition(now);
            match condition.state.rank() {
                Some(Rank::Open | Rank::Paused) => return None,
                Some(Rank::Failing) | None => status = condition.status.unwrap_or(TIMED_OUT),
            }
        }
        Some(status)
    }

    /// A seat for a call to that number, in the best trunk that has room: one that works before one that wants a pause
    /// before one that fails; then by priority; then by weight, for which `random` decides. Who has tried some trunks in
    /// vain is given no other that is known to have trouble.
    #[must_use]
    pub fn choose(
        self: &Arc<Self>,
        dialled: &E164,
        random: u64,
        tried: TrunkSet,
        now: Timestamp,
    ) -> Option<Seat> {
        let rank = |trunk: TrunkNo| {
            let rank = self.health(trunk).condition(now).state.rank()?;
            let is_open = !tried.contains(trunk) && (tried.is_empty() || rank == Rank::Open);
            is_open.then_some(rank)
        };
        self.routes.candidates(dialled, random, rank).find_map(|trunk| self.seat(trunk, now))
    }

    /// Every trunk that takes a number, whether it works or not.
    pub fn taking(&self, dialled: &E164) -> impl Iterator<Item = TrunkNo> {
        self.routes.taking(dialled)
    }

    /// The trunk of that name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<TrunkNo> {
        TrunkNo::new(self.trunks.iter().position(|trunk| *trunk.terms.name == *name)?)
    }

    /// Its name. Empty for a trunk that is in no list of ours.
    #[must_use]
    pub fn name(&self, trunk: TrunkNo) -> &str {
        self.trunks.get(trunk.index()).map_or("", |trunk| &trunk.terms.name)
    }

    /// Learns from an attempt.
    pub fn learn(&self, trunk: TrunkNo, news: TrunkNews, now: Timestamp) {
        self.health(trunk).learn(news, now);
    }

    /// The trunk has so many addresses from now on, up to 8; nothing is known of any of them.
    pub fn has_addresses(&self, trunk: TrunkNo, addresses: usize, now: Timestamp) {
        self.health(trunk).has_addresses(addresses, now);
    }

    /// The trunk wants us to be registered, which we are not yet.
    pub fn wants_registration(&self, trunk: TrunkNo, now: Timestamp) {
        self.health(trunk).wants_registration(now);
    }

    /// Learns from a try to register with it.
    pub fn registers(&self, trunk: TrunkNo, news: RegistrationNews, now: Timestamp) {
        self.health(trunk).registers(news, now);
    }

    /// There is a connection to it, or there is none because of this. Whether that is news.
    pub fn connects(&self, trunk: TrunkNo, fault: Option<LinkFault>) -> bool {
        let Some(known) = self.trunks.get(trunk.index()) else { return false };
        std::mem::replace(&mut *locked(&known.link), fault) != fault
    }

    /// Whether one of its addresses answers when it is asked.
    pub fn answers(&self, trunk: TrunkNo, address: usize, answers: bool, now: Timestamp) {
        self.health(trunk).answers(address, answers, now);
    }

    /// Whether one of its addresses did not answer when it was last asked.
    #[must_use]
    pub fn is_silent(&self, trunk: TrunkNo, address: usize) -> bool {
        self.health(trunk).is_silent(address)
    }

    /// All trunks, in their order.
    #[must_use]
    pub fn views(&self, now: Timestamp) -> Vec<TrunkView> {
        let view = |trunk: &Trunk| {
            let health = locked(&trunk.health);
            TrunkView {
                name: trunk.terms.name.clone(),
                condition: health.condition(now),
                calls: locked(&trunk.load).calls(),
                seen_as: health.seen_as(),
                link: *locked(&trunk.link),
            }
        };
        self.trunks.iter().map(view).collect()
    }

    fn seat(self: &Arc<Self>, trunk: TrunkNo, now: Timestamp) -> Option<Seat> {
        let Trunk { terms, load, .. } = self.trunks.get(trunk.index())?;
        locked(load).take(terms, now).then(|| Seat { trunks: Arc::clone(self), trunk })
    }

    fn health(&self, trunk: TrunkNo) -> MutexGuard<'_, Health> {
        let known = self.trunks.get(trunk.index());
        locked(&known.expect("numbers are given out for trunks of the list only").health)
    }
}

impl Seat {
    /// The trunk that it is in.
    #[must_use]
    pub const fn trunk(&self) -> TrunkNo {
        self.trunk
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(trunk) = self.trunks.trunks.get(self.trunk.index()) {
            locked(&trunk.load).give_back();
        }
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seat({})", self.trunks.name(self.trunk))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is in there is whole after every line, so a panic elsewhere spoils nothing.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Trunks that there may be: one bit of a word for each.
pub const TRUNKS: usize = 64;

/// Addresses that a trunk may have: one bit of a byte for each.
pub const TRUNK_ADDRESSES: usize = 8;

/// What it comes to when no trunk takes a number.
const NO_ROUTE: u16 = 404;

/// The status of a trunk that said nothing.
const TIMED_OUT: u16 = 408;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1_000)
    }

    fn number(text: &str) -> E164 {
        E164::parse(text).unwrap()
    }

    fn terms(name: &str, prefix: &str, priority: u8) -> Terms {
        let routes = vec![Route { prefixes: vec![prefix.into()], priority, weight: 1 }];
        Terms { routes, ..Terms::new(name) }
    }

    /// Two trunks for China, of which `first` is preferred, and one for the world.
    fn three() -> Arc<Trunks> {
        let all = [terms("first", "+86", 1), terms("second", "+86", 2), terms("world", "+", 3)];
        let trunks = Trunks::new(all, at(0));
        for place in 0..3 {
            trunks.has_addresses(TrunkNo::new(place).unwrap(), 1, at(0));
        }
        Arc::new(trunks)
    }

    fn chosen(trunks: &Arc<Trunks>, tried: &[&str], now: Timestamp) -> String {
        let mut set = TrunkSet::default();
        tried.iter().for_each(|name| set.insert(trunks.named(name).unwrap()));
        let seat = trunks.choose(&number("+8613800000001"), 7, set, now);
        seat.map_or_else(|| "none".to_owned(), |seat| trunks.name(seat.trunk()).to_owned())
    }

    fn fail(trunks: &Trunks, name: &str, times: u8, pause: Option<Duration>, now: Timestamp) {
        for _ in 0..times {
            trunks.learn(trunks.named(name).unwrap(), TrunkNews::Failed { status: 503, pause }, now);
        }
    }

    #[test]
    fn the_next_trunk_is_taken_when_one_was_tried_in_vain() {
        let trunks = three();
        assert_eq!(chosen(&trunks, &[], at(1)), "first");
        assert_eq!(chosen(&trunks, &["first"], at(1)), "second");
        assert_eq!(chosen(&trunks, &["first", "second"], at(1)), "world");
        assert_eq!(chosen(&trunks, &["first", "second", "world"], at(1)), "none");
    }

    #[test]
    fn a_trunk_that_wants_a_pause_is_passed_over_until_it_is_over() {
        let trunks = three();
        fail(&trunks, "first", 1, Some(Duration::from_secs(5)), at(10));
        assert_eq!(chosen(&trunks, &[], at(14)), "second");
        assert_eq!(chosen(&trunks, &[], at(15)), "first");
    }

    #[test]
    fn the_last_way_is_not_closed_by_a_pause_and_is_nobodys_second_choice() {
        let trunks = three();
        for name in ["first", "second", "world"] {
            fail(&trunks, name, 1, Some(Duration::from_secs(5)), at(10));
        }
        assert_eq!(chosen(&trunks, &[], at(11)), "first");
        assert_eq!(chosen(&trunks, &["first"], at(11)), "none");
        assert_eq!(trunks.failing(&number("+8613800000001"), at(11)), None);
    }

    #[test]
    fn a_number_is_refused_when_every_trunk_for_it_fails() {
        let trunks = three();
        let china = number("+8613800000001");
        fail(&trunks, "first", 5, None, at(1));
        fail(&trunks, "second", 5, None, at(1));
        assert_eq!(trunks.failing(&china, at(2)), None, "one is left");
        trunks.answers(trunks.named("world").unwrap(), 0, false, at(2));
        assert_eq!(trunks.failing(&china, at(2)), Some(TIMED_OUT));
        assert_eq!(trunks.failing(&china, at(12)), None, "the first two are tried again");
        let empty = Trunks::new([terms("china", "+86", 1)], at(0));
        assert_eq!(empty.failing(&number("+4930000000"), at(0)), Some(NO_ROUTE));
    }

    #[test]
    fn a_full_trunk_is_passed_over_and_a_seat_comes_back() {
        let all = [Terms { calls_max: Some(1), ..terms("small", "+", 1) }, terms("large", "+", 2)];
        let trunks = Arc::new(Trunks::new(all, at(0)));
        (0..2).for_each(|place| trunks.has_addresses(TrunkNo::new(place).unwrap(), 1, at(0)));
        let first = trunks.choose(&number("+8613800000001"), 0, TrunkSet::default(), at(0));
        assert_eq!(first.as_ref().map(Seat::trunk), TrunkNo::new(0));
        assert_eq!(trunks.views(at(0)).iter().map(|view| view.calls).collect::<Vec<_>>(), [1, 0]);
        assert_eq!(chosen(&trunks, &[], at(0)), "large");
        drop(first);
        assert_eq!(chosen(&trunks, &[], at(0)), "small");
    }

    #[test]
    fn a_trunk_without_an_address_is_none() {
        let trunks = Arc::new(Trunks::new([terms("nameless", "+", 1)], at(0)));
        assert_eq!(chosen(&trunks, &[], at(0)), "none");
        assert_eq!(trunks.failing(&number("+8613800000001"), at(0)), Some(TIMED_OUT));
        trunks.has_addresses(TrunkNo::new(0).unwrap(), 1, at(1));
        assert_eq!(chosen(&trunks, &[], at(1)), "nameless");
    }
}
