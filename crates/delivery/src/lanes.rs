//! Which push may go when. Pure: time is an argument.
//!
//! ```text
//! add ─▶ lane of a call's status events: one head, the rest waits behind it
//!          head ─▶ Bundle: gathers until … ─▶ (its customer's turn) ─▶ (its host's turn) ─▶ next() … done() ─▶ next head
//!                    ▲                                                                          │  │
//!                    └────────────── reports that are tried again soon ─────────────────────────┘  └─▶ asleep
//! ```
//!
//! A push that will be tried again leaves the memory and comes back from the database when it is due, with all that were
//! in its message. If it is a status event, all that are behind it leave with it, and those that its call tells later
//! follow them. A message with reports that is tried again within a moment stays: the database cannot tell of it so soon.
//! It has a lease then, during which the database does not tell of it.
//!
//! A customer of reports has one message under way. While it has, the next ones gather on, or wait for their turn.
//!
//! Hosts take turns and have at most eight messages in flight each, so that a slow receiver blocks only its own lanes. What
//! is held is bounded for each host and in all; the rest stays in the database. A host that does not answer rests
//! ([`Health`]): meanwhile it has some messages here, to be tried with, and everything else goes back to the database
//! without an attempt (`resting.rs`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use base::id::CallId;
use base::limits::{PUSH_ATTEMPT, PUSHES_PER_HOST};
use base::row::{Channel, Row, StatusKind};
use base::time::Timestamp;
use store::{Exchange, Outcome, PushNo, Verdict, Waiting};

use crate::bundle::{Bond, Customer, company, customer};
use crate::customers::Customers;
use crate::health::{Health, Sign};
use crate::profile::{Pace, Profile, Tried};

mod resting;

/// Everything that is held in memory to be sent.
#[derive(Default)]
pub(crate) struct Lanes {
    pace: Pace,
    /// The pushes that wait behind their lane's head. A lane without a head is not here.
    behind: HashMap<Lane, VecDeque<Waiting>>,
    bundles: HashMap<BundleNo, Bundle>,
    gathering: HashMap<Bond, BundleNo>,
    clock: BTreeSet<(Timestamp, BundleNo)>,
    customers: Customers<BundleNo>,
    hosts: HashMap<Box<str>, Host>,
    /// Hosts that have something ready and a free place.
    turns: VecDeque<Box<str>>,
    /// Hosts that rest, and until when.
    resting: BTreeSet<(Timestamp, Box<str>)>,
    /// Hosts that rest and have more ready than it takes to try them.
    overfull: Vec<Box<str>>,
    held: HashSet<PushNo>,
    /// Of each lane, the pushes that went back to the database, and when they come again. What is behind one waits for it.
    asleep: HashMap<Lane, BTreeMap<PushNo, Timestamp>>,
    /// What became of pushes and was not asked for yet; those of one message together.
    verdicts: Vec<Vec<Verdict>>,
    in_flight: usize,
    next_bundle: BundleNo,
}

/// Status events of one call keep their order; of everything else a call tells once.
type Lane = CallId;

/// Bundles count up as they begin.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct BundleNo(u64);

/// Pushes that will travel in one message.
struct Bundle {
    host: Box<str>,
    /// Who takes one message at a time.
    customer: Option<Customer>,
    /// While others may join it.
    bond: Option<Bond>,
    /// While it waits for its time: when that comes.
    due: Option<Timestamp>,
    /// When the database will tell of it, if it stayed here all the same.
    lease: Option<Timestamp>,
    pushes: Vec<Waiting>,
}

/// It is kept when nothing is held for it, so that it is known how it fares.
#[derive(Default)]
struct Host {
    health: Health,
    ready: VecDeque<BundleNo>,
    in_flight: usize,
    held: usize,
    /// Whether it is in the queue of turns.
    queued: bool,
    /// When it was last sent something.
    sent_at: Timestamp,
}

impl Host {
    fn is_idle(&self) -> bool {
        self.held == 0 && self.in_flight == 0
    }
}

/// A message that is being sent. Give it back with [`Lanes::done`].
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) host: Box<str>,
    customer: Option<Customer>,
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
    /// What it says of the host.
    pub(crate) sign: Sign,
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
        self.add_read(push, None, now);
    }

    /// Takes a push in that was read from the database, unless it must wait for an earlier one until `closed`.
    pub(crate) fn add_read(&mut self, push: Waiting, closed: Option<Timestamp>, now: Timestamp) {
        self.wake(&push);
        let asleep = self.before(&push, now);
        match closed.max(asleep).filter(|_| !self.held.contains(&push.id)) {
            Some(due) => self.postpone(&push, due, now),
            None => self.take(push, now),
        }
    }

    /// Takes a message in that is to be repeated, with everything that was in it. One that is held changes nothing.
    pub(crate) fn add_message(&mut self, pushes: Vec<Waiting>) {
        let Some(first) = pushes.first() else { return };
        if pushes.iter().any(|push| self.held.contains(&push.id)) {
            return;
        }
        let (host, customer) = (first.host.clone(), customer(first));
        pushes.iter().for_each(|push| self.hold(push));
        let bundle = self.begin(Bundle { host, customer, bond: None, due: None, lease: None, pushes });
        self.line_up(bundle);
    }

    /// Leaves a push in the database for some time, and with it what its call tells later.
    pub(crate) fn postpone(&mut self, push: &Waiting, due: Timestamp, now: Timestamp) {
        self.put_to_sleep(push, due);
        self.verdicts.push(vec![postponed(push, due, now)]);
    }

    /// Leaves a message in the database for some time.
    pub(crate) fn postpone_message(&mut self, pushes: &[Waiting], due: Timestamp, now: Timestamp) {
        self.verdicts.push(pushes.iter().map(|push| postponed(push, due, now)).collect());
    }

    /// How many verdicts wait to be taken.
    pub(crate) fn verdicts(&self) -> usize {
        self.verdicts.iter().map(Vec::len).sum()
    }

    /// What became of pushes since it was last asked for. Those of one message come together, to be written together: a
    /// crash in between would leave some that do not know that they were in it.
    pub(crate) fn take_verdicts(&mut self) -> Vec<Vec<Verdict>> {
        std::mem::take(&mut self.verdicts)
    }

    /// Has later pushes of the lane wait for this one, which comes back when it is due.
    fn put_to_sleep(&mut self, push: &Waiting, due: Timestamp) {
        let is_known = self.asleep.contains_key(&push.call);
        if push.channel == Channel::Status && !is_last(push) && (is_known || self.asleep.len() < ASLEEP) {
            self.asleep.entry(push.call).or_default().insert(push.id, due);
        }
    }

    /// The push is here, or is never tried again.
    fn wake(&mut self, push: &Waiting) {
        let Some(lane) = self.asleep.get_mut(&push.call) else { return };
        lane.remove(&push.id);
        if lane.is_empty() {
            self.asleep.remove(&push.call);
        }
    }

    /// Until when a push waits for those of its lane that come again before it. One that is overdue may be on its way still,
    /// for its verdict or the reading took long; but not for ever, if it cannot be read any more.
    fn before(&self, push: &Waiting, now: Timestamp) -> Option<Timestamp> {
        let lane = self.asleep.get(&push.call).filter(|_| push.channel == Channel::Status)?;
        let earlier = lane.range(..push.id).map(|(_, due)| *due);
        earlier.filter(|due| now < *due + OVERDUE).max()
    }

    fn take(&mut self, push: Waiting, now: Timestamp) {
        if self.held.contains(&push.id) {
            return;
        }
        self.hold(&push);
        match push.channel {
            Channel::Fee | Channel::Report => self.lead(push, now),
            Channel::Status => match self.behind.get_mut(&push.call) {
                Some(behind) => behind.push_back(push),
                None => {
                    self.behind.insert(push.call, VecDeque::new());
                    self.lead(push, now);
                }
            },
        }
    }

    /// The next message that may go now, if there is one.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<Sending> {
        while let Some((_, bundle)) = self.clock.first().filter(|(due, _)| *due <= now).copied() {
            self.fall_due(bundle);
        }
        self.end_rests(now);
        while let Some(name) = self.overfull.pop() {
            self.unload(&name, now);
        }
        while self.in_flight < IN_FLIGHT {
            let name = self.turns.pop_front()?;
            let Some(host) = self.hosts.get_mut(&name) else { continue };
            host.queued = false;
            // It may have begun to rest since it was given its turn.
            if host.in_flight >= host.health.places() {
                continue;
            }
            let Some(bundle) = host.ready.pop_front() else { continue };
            let bundle = self.bundles.remove(&bundle).expect("what is ready is a bundle");
            let Bundle { customer, lease, mut pushes, .. } = bundle;
            if lease.is_some_and(|until| now + LEASE_LEFT > until) {
                pushes.iter().for_each(|push| self.forget(push));
                self.postpone_message(&pushes, now + POSTPONED, now);
                self.free(customer.as_ref());
                self.queue_up(&name);
                continue;
            }
            host.in_flight += 1;
            host.sent_at = now;
            self.in_flight += 1;
            self.queue_up(&name);
            pushes.sort_unstable_by_key(|push| push.id);
            return Some(Sending { host: name, customer, pushes });
        }
        None
    }

    /// When [`Self::next`] may have something that it has not now; `None` when only news can bring that.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let bundle = self.clock.first().map(|(due, _)| *due);
        let host = self.resting.first().map(|(until, _)| *until);
        bundle.into_iter().chain(host).min()
    }

    /// Whether nothing is in flight.
    pub(crate) fn is_still(&self) -> bool {
        self.in_flight == 0
    }

    /// Takes what came of a message in, and says what becomes of its pushes. Their lanes go on.
    pub(crate) fn done(&mut self, sent: Sent, now: Timestamp) {
        let Sent { sending, at, took, result, profile, dice } = sent;
        let host = self.hosts.get_mut(&sending.host).expect("a host is kept while something is in flight");
        host.in_flight -= 1;
        self.in_flight -= 1;
        let rests = match &result {
            Ok(()) => {
                host.health.took();
                None
            }
            Err(Failure { why, sign, .. }) => host.health.failed(*sign, why, now),
        };
        if let Some(until) = rests {
            self.resting.insert((until, sending.host.clone()));
            self.overfull.push(sending.host.clone());
        }
        self.queue_up(&sending.host);
        self.free(sending.customer.as_ref());
        // The first push of a message keeps what was sent for all of them.
        let (outcome, soon, mut exchange) = match result {
            Ok(()) => (Outcome::Delivered, None, None),
            Err(Failure { why, exchange, .. }) => {
                let (outcome, soon) = self.failed(&sending, why, profile, dice, now);
                (outcome, soon, exchange)
            }
        };
        let verdict = |push: &Waiting| {
            let exchange = exchange.take();
            Verdict { id: push.id, at, took, outcome: outcome.clone(), exchange }
        };
        self.verdicts.push(sending.pushes.iter().map(verdict).collect());
        match soon {
            Some(soon) => self.keep(sending, soon),
            None => sending.pushes.iter().for_each(|push| self.go_on(push, &outcome, now)),
        }
    }

    /// What becomes of a message that failed, and when it is repeated if it stays here until then.
    fn failed(
        &self,
        sending: &Sending,
        why: Box<str>,
        profile: Profile,
        dice: u8,
        now: Timestamp,
    ) -> (Outcome, Option<Timestamp>) {
        let (first, message) = (&sending.pushes[0], sending.message());
        let owed_for = now.since(newest(&sending.pushes));
        let tried = Tried { channel: first.channel, failed: first.attempts + 1, owed_for };
        match self.pace.again(profile, tried, dice) {
            Some(pause) if first.channel == Channel::Report && pause < SOON => {
                let soon = now + pause;
                (Outcome::Again { due: soon + LEASE, message, why }, Some(soon))
            }
            Some(pause) => (Outcome::Again { due: now + pause, message, why }, None),
            None => (Outcome::Parked { message, why }, None),
        }
    }

    /// Keeps a message that failed until it is tried again.
    fn keep(&mut self, sending: Sending, soon: Timestamp) {
        let (message, lease) = (sending.message(), Some(soon + LEASE));
        let Sending { host, customer, mut pushes } = sending;
        for push in &mut pushes {
            push.message = Some(message);
            push.attempts += 1;
        }
        self.begin(Bundle { host, customer, bond: None, due: Some(soon), lease, pushes });
    }

    /// Lets the next push of the lane go, or puts the whole lane to sleep until its head is tried again.
    fn go_on(&mut self, push: &Waiting, outcome: &Outcome, now: Timestamp) {
        self.forget(push);
        match (push.channel, outcome) {
            (Channel::Fee | Channel::Report, _) => {}
            (Channel::Status, Outcome::Again { due, .. }) => self.sleep(push, *due, now),
            (
                Channel::Status,
                Outcome::Delivered
                | Outcome::Parked { .. }
                | Outcome::Postponed { .. }
                | Outcome::GivenUp { .. },
            ) => {
                let behind = self.behind.get_mut(&push.call);
                match behind.expect("a lane is kept while its head is in flight").pop_front() {
                    Some(next) => self.lead(next, now),
                    None => drop(self.behind.remove(&push.call)),
                }
            }
        }
    }

    /// Puts a lane to sleep whose head comes back from the database when it is due.
    fn sleep(&mut self, head: &Waiting, due: Timestamp, now: Timestamp) {
        self.put_to_sleep(head, due);
        let behind = self.behind.remove(&head.call).unwrap_or_default();
        for follower in behind {
            self.forget(&follower);
            self.postpone(&follower, due, now);
        }
    }

    fn hold(&mut self, push: &Waiting) {
        self.held.insert(push.id);
        self.hosts.entry(push.host.clone()).or_default().held += 1;
    }

    fn forget(&mut self, push: &Waiting) {
        self.held.remove(&push.id);
        let Some(host) = self.hosts.get_mut(&push.host) else { return };
        host.held -= 1;
        if host.is_idle() && self.hosts.len() > KNOWN_HOSTS {
            self.hosts.remove(&push.host);
        }
    }

    /// Lets a push join a bundle, or begin one.
    fn lead(&mut self, push: Waiting, now: Timestamp) {
        let (host, customer) = (push.host.clone(), customer(&push));
        let Some(company) = company(&push, self.pace, now) else {
            let alone = Bundle { host, customer, bond: None, due: None, lease: None, pushes: vec![push] };
            let bundle = self.begin(alone);
            self.line_up(bundle);
            return;
        };
        let bundle = match self.gathering.get(&company.bond) {
            Some(bundle) => {
                self.bundles.get_mut(bundle).expect("what gathers is a bundle").pushes.push(push);
                *bundle
            }
            None => {
                let (bond, due) = (Some(company.bond.clone()), Some(company.until));
                let pushes = vec![push];
                let bundle = self.begin(Bundle { host, customer, bond, due, lease: None, pushes });
                self.gathering.insert(company.bond, bundle);
                bundle
            }
        };
        if self.bundles[&bundle].pushes.len() >= company.most {
            self.close(bundle);
            self.fall_due(bundle);
        }
    }

    fn begin(&mut self, bundle: Bundle) -> BundleNo {
        let number = self.next_bundle;
        self.next_bundle.0 += 1;
        self.clock.extend(bundle.due.map(|due| (due, number)));
        self.bundles.insert(number, bundle);
        number
    }

    /// Nobody joins the bundle any more.
    fn close(&mut self, number: BundleNo) {
        let bond = self.bundles.get_mut(&number).and_then(|bundle| bundle.bond.take());
        bond.map(|bond| self.gathering.remove(&bond));
    }

    /// The bundle's time has come, or it is full. If it waits for nothing but its customer, that changes nothing.
    fn fall_due(&mut self, number: BundleNo) {
        let Some(due) = self.bundles.get_mut(&number).and_then(|bundle| bundle.due.take()) else { return };
        self.clock.remove(&(due, number));
        self.line_up(number);
    }

    /// The bundle may go as soon as its customer takes it; until then others may still join.
    fn line_up(&mut self, number: BundleNo) {
        let go = match &self.bundles[&number].customer {
            Some(customer) => self.customers.line_up(customer, number),
            None => Some(number),
        };
        go.into_iter().for_each(|number| self.make_ready(number));
    }

    /// A customer may take the next message.
    fn free(&mut self, customer: Option<&Customer>) {
        let next = customer.and_then(|customer| self.customers.done(customer));
        next.into_iter().for_each(|number| self.make_ready(number));
    }

    /// The bundle waits for its host's turn.
    fn make_ready(&mut self, number: BundleNo) {
        self.close(number);
        let name = self.bundles[&number].host.clone();
        let host = self.hosts.entry(name.clone()).or_default();
        host.ready.push_back(number);
        if host.is_overfull() {
            self.overfull.push(name);
        } else {
            self.queue_up(&name);
        }
    }

    /// Gives a host its turn when it has something ready and a free place.
    fn queue_up(&mut self, name: &str) {
        let Some(host) = self.hosts.get_mut(name) else { return };
        if !host.queued && !host.ready.is_empty() && host.in_flight < host.health.places() {
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

fn postponed(push: &Waiting, due: Timestamp, now: Timestamp) -> Verdict {
    verdict(push, Outcome::Postponed { due }, now)
}

/// What becomes of a push that was not tried.
fn verdict(push: &Waiting, outcome: Outcome, now: Timestamp) -> Verdict {
    Verdict { id: push.id, at: now, took: Duration::ZERO, outcome, exchange: None }
}

/// When the last of what a message tells had happened.
fn newest(pushes: &[Waiting]) -> Timestamp {
    let happened_at = |push: &Waiting| match &push.row {
        Row::Status(row) => row.at,
        Row::Fee(record) | Row::Report(record) => record.ended_at,
    };
    pushes.iter().map(happened_at).max().unwrap_or_default()
}

/// Lanes of which it is known what is asleep; about 20 MB. Of more, only the database knows it, a moment later.
const ASLEEP: usize = 65_536;

/// How long a push that is due may take to come back from the database. After that those behind it go on.
const OVERDUE: Duration = Duration::from_secs(600);

/// A message with reports that is tried again sooner stays in memory: what is written now falls due in the database after
/// some seconds at the earliest, and its pushes must fall due together.
const SOON: Duration = Duration::from_secs(5);

/// For how long after its next attempt the database does not tell of a message that stays: longer than that attempt
/// takes, and its verdict on the way to the disk. After a crash the message comes again when it is over.
const LEASE: Duration = Duration::from_secs(60);

/// What must be left of the lease for an attempt to begin; otherwise the message leaves after all.
const LEASE_LEFT: Duration = Duration::from_secs(2 * PUSH_ATTEMPT.as_secs());

/// When a due push comes again whose host has too much waiting.
pub(crate) const POSTPONED: Duration = Duration::from_secs(60);

/// Pushes held for one host; past this they wait in the database. At 8 in flight it is far more than can be sent soon.
const HELD_PER_HOST: usize = 1_024;

/// Pushes held in all; about 64 MB. It takes 64 receivers that hang at once to fill it.
const HELD: usize = 64 * HELD_PER_HOST;

/// Hosts of which it is known how they fare although nothing is held for them; about 1 MB.
const KNOWN_HOSTS: usize = 4_096;

/// Messages in flight in all: each takes a socket, and 128 receivers may hang at once.
const IN_FLIGHT: usize = 128 * PUSHES_PER_HOST;

#[cfg(test)]
pub(crate) mod tests;
