//! Which push may go when. Pure: time is an argument.
//!
//! ```text
//! add ─▶ lane (call, channel): one head, the rest waits behind it
//!          head ─▶ Bundle: Gathering until … ─▶ Ready (its host's turn) ─▶ next() … done() ─▶ next head
//! ```
//!
//! Hosts take turns and have at most [`PUSHES_PER_HOST`] messages in flight each, so that a slow receiver blocks only
//! its own lanes. What is held is bounded for each host and in all; the rest stays in the database.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use base::id::CallId;
use base::limits::PUSHES_PER_HOST;
use base::row::Channel;
use base::time::Timestamp;
use store::{Outcome, PushNo, Verdict, Waiting};

use crate::bundle::{Bond, company};
use crate::profile::Profile;

/// Everything that is held in memory to be sent.
pub(crate) struct Lanes {
    profile: Profile,
    /// The pushes that wait behind their lane's head. A lane without a head is not here.
    behind: HashMap<Lane, VecDeque<Waiting>>,
    bundles: HashMap<BundleNo, Bundle>,
    gathering: HashMap<Bond, BundleNo>,
    clock: BTreeSet<(Timestamp, BundleNo)>,
    hosts: HashMap<Box<str>, Host>,
    /// Hosts that have something ready and a free place.
    turns: VecDeque<Box<str>>,
    held: HashSet<PushNo>,
    in_flight: usize,
    next_bundle: BundleNo,
}

/// Pushes of one call and one channel keep their order.
type Lane = (CallId, Channel);

/// Bundles count up as they begin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct BundleNo(u64);

/// Heads of lanes that will travel in one message.
struct Bundle {
    host: Box<str>,
    /// While it gathers.
    bond: Option<Bond>,
    /// Until when it gathers or sleeps; `None` for one that never did.
    due: Option<Timestamp>,
    pushes: Vec<Waiting>,
}

#[derive(Default)]
struct Host {
    ready: VecDeque<BundleNo>,
    in_flight: usize,
    held: usize,
    /// Whether it is in the queue of turns.
    queued: bool,
}

/// A message that is being sent. Give it back with [`Lanes::done`].
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) host: Box<str>,
    /// Never empty; in the order of their numbers.
    pub(crate) pushes: Vec<Waiting>,
}

/// What came of sending a message.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) sending: Sending,
    pub(crate) at: Timestamp,
    pub(crate) took: Duration,
    /// What went wrong.
    pub(crate) result: Result<(), Box<str>>,
}

impl Sending {
    /// The number of the message, the same for every attempt.
    pub(crate) fn message(&self) -> PushNo {
        let first = &self.pushes[0];
        first.message.unwrap_or(first.id)
    }
}

impl Lanes {
    pub(crate) fn new(profile: Profile) -> Self {
        Self {
            profile,
            behind: HashMap::new(),
            bundles: HashMap::new(),
            gathering: HashMap::new(),
            clock: BTreeSet::new(),
            hosts: HashMap::new(),
            turns: VecDeque::new(),
            held: HashSet::new(),
            in_flight: 0,
            next_bundle: BundleNo(0),
        }
    }

    /// How many more pushes to that host can be held.
    pub(crate) fn room(&self, host: &str) -> usize {
        let of_host = HELD_PER_HOST - self.hosts.get(host).map_or(0, |host| host.held).min(HELD_PER_HOST);
        of_host.min(HELD.saturating_sub(self.held.len()))
    }

    /// Takes a push in. One that is held already changes nothing.
    pub(crate) fn add(&mut self, push: Waiting, now: Timestamp) {
        if !self.held.insert(push.id) {
            return;
        }
        self.hosts.entry(push.host.clone()).or_default().held += 1;
        let lane = (push.call, push.channel);
        match self.behind.get_mut(&lane) {
            Some(behind) => behind.push_back(push),
            None => {
                self.behind.insert(lane, VecDeque::new());
                self.lead(push, now);
            }
        }
    }

    /// The next message that may go now, if there is one.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<Sending> {
        while let Some((_, bundle)) = self.clock.first().filter(|(due, _)| *due <= now).copied() {
            self.make_ready(bundle);
        }
        if self.in_flight >= IN_FLIGHT {
            return None;
        }
        let name = self.turns.pop_front()?;
        let host = self.hosts.get_mut(&name).expect("a host with a turn holds something");
        let bundle = host.ready.pop_front().expect("a host with a turn has something ready");
        host.in_flight += 1;
        host.queued = false;
        self.in_flight += 1;
        self.queue_up(&name);
        let mut pushes = self.bundles.remove(&bundle).expect("what is ready is a bundle").pushes;
        pushes.sort_unstable_by_key(|push| push.id);
        Some(Sending { host: name, pushes })
    }

    /// When [`Self::next`] may have something that it has not now; `None` when only news can bring that.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.clock.first().map(|(due, _)| *due)
    }

    /// Whether nothing is in flight.
    pub(crate) fn is_still(&self) -> bool {
        self.in_flight == 0
    }

    /// Takes what came of a message in, and says what becomes of its pushes. Their lanes go on.
    pub(crate) fn done(&mut self, sent: Sent, now: Timestamp, verdicts: &mut Vec<Verdict>) {
        let message = sent.sending.message();
        let host =
            self.hosts.get_mut(&sent.sending.host).expect("a host is kept while something is in flight");
        host.in_flight -= 1;
        self.in_flight -= 1;
        self.queue_up(&sent.sending.host);
        for push in sent.sending.pushes {
            let outcome = match &sent.result {
                Ok(()) => Outcome::Delivered,
                Err(why) => self.failed(&push, message, why, now),
            };
            let verdict = Verdict { id: push.id, at: sent.at, took: sent.took, outcome, exchange: None };
            self.go_on(push, &verdict.outcome, now);
            verdicts.push(verdict);
        }
    }

    fn failed(&self, push: &Waiting, message: PushNo, why: &str, now: Timestamp) -> Outcome {
        let why = why.into();
        match self.profile.again(push.channel, push.attempts + 1) {
            Some(pause) => Outcome::Again { due: now + pause, message, why },
            None => Outcome::Parked { message, why },
        }
    }

    /// Lets the next push of the lane go, or keeps the lane closed until its head is tried again.
    fn go_on(&mut self, push: Waiting, outcome: &Outcome, now: Timestamp) {
        let lane = (push.call, push.channel);
        let behind = self.behind.get_mut(&lane).expect("a lane is kept while its head is in flight");
        match outcome {
            Outcome::Again { due, message, .. } if !behind.is_empty() => {
                let attempts = push.attempts + 1;
                self.lead_alone(Waiting { attempts, message: Some(*message), due_at: *due, ..push }, *due);
            }
            // Alone in its lane: it comes back from the database when it is due.
            Outcome::Again { .. }
            | Outcome::Delivered
            | Outcome::Parked { .. }
            | Outcome::Postponed { .. } => {
                let next = behind.pop_front();
                self.forget(&push);
                match next {
                    Some(next) => self.lead(next, now),
                    None => drop(self.behind.remove(&lane)),
                }
            }
        }
    }

    fn forget(&mut self, push: &Waiting) {
        self.held.remove(&push.id);
        let Some(host) = self.hosts.get_mut(&push.host) else { return };
        host.held -= 1;
        if host.held == 0 && host.in_flight == 0 {
            self.hosts.remove(&push.host);
        }
    }

    /// Makes a push the head of its lane: it joins a bundle, or begins one.
    fn lead(&mut self, push: Waiting, now: Timestamp) {
        let Some(company) = company(&push, now) else {
            let bundle = self.begin(push, None, None);
            self.make_ready(bundle);
            return;
        };
        let bundle = match self.gathering.get(&company.bond) {
            Some(bundle) => {
                self.bundles.get_mut(bundle).expect("what gathers is a bundle").pushes.push(push);
                *bundle
            }
            None => {
                let bundle = self.begin(push, Some(company.bond.clone()), Some(company.until));
                self.gathering.insert(company.bond, bundle);
                bundle
            }
        };
        if self.bundles[&bundle].pushes.len() >= company.most {
            self.make_ready(bundle);
        }
    }

    fn lead_alone(&mut self, push: Waiting, due: Timestamp) {
        self.begin(push, None, Some(due));
    }

    fn begin(&mut self, push: Waiting, bond: Option<Bond>, due: Option<Timestamp>) -> BundleNo {
        let number = self.next_bundle;
        self.next_bundle.0 += 1;
        self.clock.extend(due.map(|due| (due, number)));
        self.bundles.insert(number, Bundle { host: push.host.clone(), bond, due, pushes: vec![push] });
        number
    }

    /// Nobody joins the bundle any more; it waits for its host's turn.
    fn make_ready(&mut self, number: BundleNo) {
        let bundle = &self.bundles[&number];
        let host = bundle.host.clone();
        if let Some(bond) = &bundle.bond {
            self.gathering.remove(bond);
        }
        if let Some(due) = bundle.due {
            self.clock.remove(&(due, number));
        }
        self.hosts.entry(host.clone()).or_default().ready.push_back(number);
        self.queue_up(&host);
    }

    /// Gives a host its turn when it has something ready and a free place.
    fn queue_up(&mut self, name: &str) {
        let Some(host) = self.hosts.get_mut(name) else { return };
        if !host.queued && !host.ready.is_empty() && host.in_flight < PUSHES_PER_HOST {
            host.queued = true;
            self.turns.push_back(name.into());
        }
    }
}

/// Pushes held for one host; past this they wait in the database. At 8 in flight it is far more than can be sent soon.
const HELD_PER_HOST: usize = 1_024;

/// Pushes held in all; about 64 MB. It takes 64 receivers that hang at once to fill it.
const HELD: usize = 64 * HELD_PER_HOST;

/// Messages in flight in all: each takes a socket, and 128 receivers may hang at once.
const IN_FLIGHT: usize = 128 * PUSHES_PER_HOST;

#[cfg(test)]
pub(crate) mod tests {
    use base::id::Leg;
    use base::number::E164;
    use base::order::ProductKind;
    use base::row::{Row, StatusKind, StatusRow};
    use base::url::PushUrl;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    /// A status push of a call to a host.
    pub(crate) fn push(id: i64, call: u128, host: &str) -> Waiting {
        let call = CallId::new(NOW, call);
        let number = || E164::parse("+8613800000001").unwrap();
        let row = StatusRow {
            call,
            node: "node-1".into(),
            product: ProductKind::Code,
            at: NOW,
            kind: StatusKind::Ringing,
            leg: Leg::A,
            shown: number(),
            dialled: number(),
            user_data: None,
            url: PushUrl::parse(&format!("http://{host}/")).ok(),
        };
        Waiting {
            id: PushNo(id),
            call,
            channel: Channel::Status,
            dialect: "huawei".into(),
            key: "key-1".into(),
            host: host.into(),
            message: None,
            row: Row::Status(row),
            attempts: 0,
            due_at: NOW,
        }
    }

    fn lanes(pushes: impl IntoIterator<Item = Waiting>) -> Lanes {
        let mut lanes = Lanes::new(Profile::Compat);
        pushes.into_iter().for_each(|push| lanes.add(push, NOW));
        lanes
    }

    /// Everything that may go now, by number.
    fn go(lanes: &mut Lanes) -> Vec<Sending> {
        std::iter::from_fn(|| lanes.next(NOW)).collect()
    }

    fn numbers(sendings: &[Sending]) -> Vec<i64> {
        sendings.iter().flat_map(|sending| sending.pushes.iter().map(|push| push.id.0)).collect()
    }

    fn done(lanes: &mut Lanes, sending: Sending, result: Result<(), &str>) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let sent = Sent { sending, at: NOW, took: Duration::ZERO, result: result.map_err(Box::from) };
        lanes.done(sent, NOW, &mut verdicts);
        verdicts
    }

    #[test]
    fn only_the_first_push_of_a_lane_is_in_flight() {
        let mut lanes = lanes([push(1, 7, "a"), push(2, 7, "a"), push(3, 8, "a"), push(4, 7, "a")]);
        let mut sent = go(&mut lanes);
        assert_eq!(numbers(&sent), [1, 3]);
        done(&mut lanes, sent.remove(0), Ok(()));
        let mut sent = go(&mut lanes);
        assert_eq!(numbers(&sent), [2]);
        // A failure is the end of that push, not of its lane.
        done(&mut lanes, sent.remove(0), Err("HTTP 500"));
        assert_eq!(numbers(&go(&mut lanes)), [4]);
    }

    #[test]
    fn hosts_take_turns_and_have_few_places_each() {
        let flood = (0..100).map(|call| push(i64::from(call), u128::from(call as u32), "flood"));
        let mut lanes = lanes(flood.chain([push(1_000, 1_000, "calm")]));
        let sent = go(&mut lanes);
        assert_eq!(sent.len(), PUSHES_PER_HOST + 1);
        assert!(numbers(&sent[..3]).contains(&1_000), "the calm host does not wait for the flood");
        let calm = sent.into_iter().find(|sending| &*sending.host == "calm").unwrap();
        done(&mut lanes, calm, Ok(()));
        assert!(go(&mut lanes).is_empty());
    }

    #[test]
    fn what_is_held_for_a_host_is_bounded_and_comes_free_again() {
        let limit = i64::try_from(HELD_PER_HOST).unwrap();
        let mut lanes = lanes((0..limit).map(|id| push(id, 7, "a")));
        assert_eq!(lanes.room("a"), 0);
        assert_eq!(lanes.room("b"), HELD_PER_HOST);
        let first = go(&mut lanes).remove(0);
        done(&mut lanes, first, Ok(()));
        assert_eq!(lanes.room("a"), 1);
    }

    #[test]
    fn a_push_that_is_held_is_not_taken_twice() {
        let mut lanes = lanes([push(1, 7, "a"), push(1, 7, "a")]);
        let first = go(&mut lanes).remove(0);
        lanes.add(push(1, 7, "a"), NOW);
        done(&mut lanes, first, Ok(()));
        assert!(go(&mut lanes).is_empty());
        assert!(lanes.is_still());
        assert!(lanes.hosts.is_empty() && lanes.behind.is_empty() && lanes.bundles.is_empty());
    }
}
