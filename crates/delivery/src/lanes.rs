//! Which push may go when. Pure: time is an argument.
//!
//! ```text
//! add ─▶ lane (call, channel): one head, the rest waits behind it
//!          head ─▶ Bundle: Gathering until … ─▶ Ready (its host's turn) ─▶ next() … done() ─▶ next head
//!                                                                              └─▶ asleep, until it is read again
//! ```
//!
//! A push that will be tried again leaves the memory and comes back from the database when it is due. If it is a status
//! event, all that are behind it leave with it, and those that its call tells later follow them.
//!
//! Hosts take turns and have at most [`PUSHES_PER_HOST`] messages in flight each, so that a slow receiver blocks only
//! its own lanes. What is held is bounded for each host and in all; the rest stays in the database.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use base::id::CallId;
use base::limits::PUSHES_PER_HOST;
use base::row::{Channel, Row, StatusKind};
use base::time::Timestamp;
use store::{Exchange, Outcome, PushNo, Verdict, Waiting};

use crate::bundle::{Bond, company};
use crate::profile::{Pace, Profile, Tried};

/// Everything that is held in memory to be sent.
#[derive(Default)]
pub(crate) struct Lanes {
    pace: Pace,
    /// The pushes that wait behind their lane's head. A lane without a head is not here.
    behind: HashMap<Lane, VecDeque<Waiting>>,
    bundles: HashMap<BundleNo, Bundle>,
    gathering: HashMap<Bond, BundleNo>,
    clock: BTreeSet<(Timestamp, BundleNo)>,
    hosts: HashMap<Box<str>, Host>,
    /// Hosts that have something ready and a free place.
    turns: VecDeque<Box<str>>,
    held: HashSet<PushNo>,
    /// Lanes of calls that may tell more, whose head is in the database until it is due: the head, and when that is.
    asleep: HashMap<Lane, (PushNo, Timestamp)>,
    /// What became of pushes and was not asked for yet.
    verdicts: Vec<Verdict>,
    in_flight: usize,
    next_bundle: BundleNo,
}

/// Pushes of one call and one channel keep their order.
type Lane = (CallId, Channel);

/// Bundles count up as they begin.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct BundleNo(u64);

/// Heads of lanes that will travel in one message.
struct Bundle {
    host: Box<str>,
    /// While it gathers.
    bond: Option<Bond>,
    /// Until when it gathers; `None` for one that never did.
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
    pub(crate) result: Result<(), Failure>,
    /// How often its app wants pushes tried.
    pub(crate) profile: Profile,
    /// Spreads the next attempts.
    pub(crate) dice: u8,
}

/// A message that its receiver does not have.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What went wrong, without anything that the receiver wrote.
    pub(crate) why: Box<str>,
    /// What was sent and answered, if it came to that.
    pub(crate) exchange: Option<Exchange>,
}

impl Sending {
    /// The number of the message, the same for every attempt.
    pub(crate) fn message(&self) -> PushNo {
        let first = &self.pushes[0];
        first.message.unwrap_or(first.id)
    }
}

impl Lanes {
    /// Nothing held; what fails is tried again at this pace.
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, ..Self::default() }
    }

    /// How many more pushes to that host can be held.
    pub(crate) fn room(&self, host: &str) -> usize {
        let of_host = HELD_PER_HOST - self.hosts.get(host).map_or(0, |host| host.held).min(HELD_PER_HOST);
        of_host.min(HELD.saturating_sub(self.held.len()))
    }

    /// Takes a push in that was committed just now. One that is held already changes nothing.
    pub(crate) fn add(&mut self, push: Waiting, now: Timestamp) {
        let lane = (push.call, push.channel);
        match self.asleep.get(&lane) {
            Some((head, due)) if push.id > *head => {
                let due = *due;
                if is_last(&push) {
                    self.asleep.remove(&lane);
                }
                self.postpone(&push, due, now);
            }
            Some(_) | None => self.take(push, now),
        }
    }

    /// Takes a push in that was read from the database, unless it must wait for an earlier one until `closed`.
    pub(crate) fn add_read(&mut self, push: Waiting, closed: Option<Timestamp>, now: Timestamp) {
        let lane = (push.call, push.channel);
        let asleep = match self.asleep.get(&lane) {
            Some((head, _)) if push.id <= *head => {
                self.asleep.remove(&lane);
                None
            }
            // Its time may have come without it, if it cannot be read any more: then the lane goes on.
            Some((_, due)) => Some(*due).filter(|due| *due > now),
            None => None,
        };
        match closed.max(asleep).filter(|_| !self.held.contains(&push.id)) {
            Some(due) => self.postpone(&push, due, now),
            None => self.take(push, now),
        }
    }

    /// Leaves a push in the database for some time, and with it what its call tells later.
    pub(crate) fn postpone(&mut self, push: &Waiting, due: Timestamp, now: Timestamp) {
        if push.channel == Channel::Status && !is_last(push) {
            self.put_to_sleep(push, due);
        }
        let outcome = Outcome::Postponed { due };
        self.verdicts.push(Verdict { id: push.id, at: now, took: Duration::ZERO, outcome, exchange: None });
    }

    /// How many verdicts wait to be taken.
    pub(crate) const fn verdicts(&self) -> usize {
        self.verdicts.len()
    }

    /// What became of pushes since it was last asked for.
    pub(crate) fn take_verdicts(&mut self) -> Vec<Verdict> {
        std::mem::take(&mut self.verdicts)
    }

    /// Has later pushes of the lane wait for this one, which comes back when it is due.
    fn put_to_sleep(&mut self, head: &Waiting, due: Timestamp) {
        if self.asleep.len() < ASLEEP {
            self.asleep.entry((head.call, head.channel)).or_insert((head.id, due));
        }
    }

    fn take(&mut self, push: Waiting, now: Timestamp) {
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
    pub(crate) fn done(&mut self, sent: Sent, now: Timestamp) {
        let message = sent.sending.message();
        let host =
            self.hosts.get_mut(&sent.sending.host).expect("a host is kept while something is in flight");
        host.in_flight -= 1;
        self.in_flight -= 1;
        self.queue_up(&sent.sending.host);
        let Sent { sending, at, took, result, profile, dice } = sent;
        // The first push of a message keeps what was sent for all of them.
        let (outcome, mut exchange) = match result {
            Ok(()) => (Outcome::Delivered, None),
            Err(Failure { why, exchange }) => {
                let first = &sending.pushes[0];
                let owed_for = now.since(newest(&sending.pushes));
                let tried = Tried { channel: first.channel, failed: first.attempts + 1, owed_for };
                let outcome = match self.pace.again(profile, tried, dice) {
                    Some(pause) => Outcome::Again { due: now + pause, message, why },
                    None => Outcome::Parked { message, why },
                };
                (outcome, exchange)
            }
        };
        for push in sending.pushes {
            let exchange = exchange.take();
            self.verdicts.push(Verdict { id: push.id, at, took, outcome: outcome.clone(), exchange });
            self.go_on(&push, &outcome, now);
        }
    }

    /// Lets the next push of the lane go, or puts the whole lane to sleep until its head is tried again.
    fn go_on(&mut self, push: &Waiting, outcome: &Outcome, now: Timestamp) {
        let lane = (push.call, push.channel);
        let behind = self.behind.get_mut(&lane).expect("a lane is kept while its head is in flight");
        match (outcome, push.channel) {
            (Outcome::Again { due, .. }, Channel::Status) => {
                let behind = self.behind.remove(&lane).unwrap_or_default();
                let may_tell_more = !behind.back().map_or_else(|| is_last(push), is_last);
                if may_tell_more {
                    self.put_to_sleep(push, *due);
                }
                self.forget(push);
                for follower in behind {
                    self.forget(&follower);
                    self.postpone(&follower, *due, now);
                }
            }
            (
                Outcome::Again { .. }
                | Outcome::Delivered
                | Outcome::Parked { .. }
                | Outcome::Postponed { .. },
                Channel::Status | Channel::Fee | Channel::Report,
            ) => {
                let next = behind.pop_front();
                self.forget(push);
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

/// Whether its call tells nothing after it.
const fn is_last(push: &Waiting) -> bool {
    match &push.row {
        Row::Status(row) => matches!(row.kind, StatusKind::Over { .. }),
        Row::Fee(_) | Row::Report(_) => true,
    }
}

/// When the last of what a message tells had happened.
fn newest(pushes: &[Waiting]) -> Timestamp {
    let happened_at = |push: &Waiting| match &push.row {
        Row::Status(row) => row.at,
        Row::Fee(record) | Row::Report(record) => record.ended_at,
    };
    pushes.iter().map(happened_at).max().unwrap_or_default()
}

/// Lanes of calls that may tell more and whose head is asleep: more calls than one node can have open.
const ASLEEP: usize = 65_536;

/// Pushes held for one host; past this they wait in the database. At 8 in flight it is far more than can be sent soon.
const HELD_PER_HOST: usize = 1_024;

/// Pushes held in all; about 64 MB. It takes 64 receivers that hang at once to fill it.
const HELD: usize = 64 * HELD_PER_HOST;

/// Messages in flight in all: each takes a socket, and 128 receivers may hang at once.
const IN_FLIGHT: usize = 128 * PUSHES_PER_HOST;

#[cfg(test)]
pub(crate) mod tests;
