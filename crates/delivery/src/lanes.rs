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
use crate::profile::{self, Profile};

/// Everything that is held in memory to be sent.
#[derive(Default)]
pub(crate) struct Lanes {
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
        // Those that are due are read in the order of their times: one that falls due a moment ahead is not behind it.
        let outcome = Outcome::Postponed { due: due.max(now + NOTICE) };
        self.verdicts.push(Verdict { id: push.id, at: now, took: Duration::ZERO, outcome, exchange: None });
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
                let outcome = match profile::again(profile, first.channel, first.attempts + 1, dice) {
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
                Channel::Status | Channel::Fee,
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
        Row::Fee(_) => true,
    }
}

/// How far ahead a push falls due at the earliest.
const NOTICE: Duration = Duration::from_secs(2);

/// Lanes of calls that may tell more and whose head is asleep: more calls than one node can have open.
const ASLEEP: usize = 65_536;

/// Pushes held for one host; past this they wait in the database. At 8 in flight it is far more than can be sent soon.
const HELD_PER_HOST: usize = 1_024;

/// Pushes held in all; about 64 MB. It takes 64 receivers that hang at once to fill it.
const HELD: usize = 64 * HELD_PER_HOST;

/// Messages in flight in all: each takes a socket, and 128 receivers may hang at once.
const IN_FLIGHT: usize = 128 * PUSHES_PER_HOST;

#[cfg(test)]
pub(crate) mod tests {
    use base::call::Call;
    use base::id::{AppId, Leg};
    use base::number::E164;
    use base::order::{Notice, Product, ProductKind};
    use base::record::{CallRecord, LegRecord, SpeechUse};
    use base::release::{Cause, Ending, Party};
    use base::row::StatusRow;
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
        let mut lanes = Lanes::default();
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
        ended(lanes, sending, result, Profile::Compat, NOW)
    }

    fn ended(
        lanes: &mut Lanes,
        sending: Sending,
        result: Result<(), &str>,
        profile: Profile,
        now: Timestamp,
    ) -> Vec<Verdict> {
        let failure = |why: &str| Failure { why: why.into(), exchange: None };
        let result = result.map_err(failure);
        lanes.done(Sent { sending, at: now, took: Duration::ZERO, result, profile, dice: 0 }, now);
        lanes.take_verdicts()
    }

    /// When each push comes again.
    fn dues(verdicts: &[Verdict]) -> Vec<(i64, Timestamp)> {
        let due = |verdict: &Verdict| match verdict.outcome {
            Outcome::Again { due, .. } | Outcome::Postponed { due } => Some((verdict.id.0, due)),
            Outcome::Delivered | Outcome::Parked { .. } => None,
        };
        verdicts.iter().filter_map(due).collect()
    }

    /// The last status push of a call.
    fn last(id: i64, call: u128, host: &str) -> Waiting {
        let mut push = push(id, call, host);
        let Row::Status(row) = &mut push.row else { panic!("it tells a status") };
        row.kind = StatusKind::Over {
            ending: Ending { by: Party::Caller, cause: Cause::Normal, leg: None },
            connected: true,
            rang: true,
            tell_who_hung_up: false,
        };
        push
    }

    #[test]
    fn a_lane_sleeps_as_a_whole_and_wakes_in_order() {
        let (first, second) = (NOW + Duration::from_millis(3_750), NOW + Duration::from_millis(11_250));
        let mut lanes = lanes([push(1, 7, "a"), push(2, 7, "a")]);
        let head = go(&mut lanes).remove(0);
        let verdicts = ended(&mut lanes, head, Err("HTTP 500"), Profile::Reliable, NOW);
        assert_eq!(dues(&verdicts), [(1, first), (2, first)]);
        assert!(lanes.held.is_empty(), "nothing is held while the lane sleeps");
        // What the call tells meanwhile follows the others; another call goes on.
        lanes.add(push(3, 7, "a"), NOW);
        lanes.add(push(4, 8, "a"), NOW);
        assert_eq!(dues(&lanes.take_verdicts()), [(3, first)]);
        let other = go(&mut lanes).remove(0);
        assert_eq!(other.pushes[0].id, PushNo(4));
        done(&mut lanes, other, Ok(()));
        // It wakes, and fails again: it all sleeps again.
        for id in 1..=3 {
            let read = Waiting { attempts: u32::from(id == 1), ..push(id, 7, "a") };
            lanes.add_read(read, None, first);
        }
        let head = lanes.next(first).unwrap();
        let verdicts = ended(&mut lanes, head, Err("HTTP 500"), Profile::Reliable, first);
        assert_eq!(dues(&verdicts), [(1, second), (2, second), (3, second)]);
        // It wakes, and everything comes in order.
        for id in 1..=3 {
            lanes.add_read(push(id, 7, "a"), None, second);
        }
        lanes.add(last(5, 7, "a"), second);
        for id in [1, 2, 3, 5] {
            let head = lanes.next(second).unwrap();
            assert_eq!(head.pushes[0].id, PushNo(id));
            ended(&mut lanes, head, Ok(()), Profile::Reliable, second);
        }
        assert!(lanes.asleep.is_empty() && lanes.behind.is_empty());
    }

    #[test]
    fn a_lane_whose_call_has_told_everything_is_not_remembered() {
        let mut lanes = lanes([push(1, 7, "a"), last(2, 7, "a"), push(3, 8, "a")]);
        for head in go(&mut lanes) {
            ended(&mut lanes, head, Err("HTTP 500"), Profile::Reliable, NOW);
        }
        assert_eq!(lanes.asleep.keys().map(|(call, _)| call.random()).collect::<Vec<_>>(), [8]);
        lanes.add(last(4, 8, "a"), NOW);
        assert_eq!(dues(&lanes.take_verdicts()).len(), 1);
        assert!(lanes.asleep.is_empty());
    }

    #[test]
    fn a_push_that_was_read_waits_for_an_earlier_one_that_was_not() {
        let due = NOW + Duration::from_secs(60);
        let mut lanes = Lanes::default();
        lanes.add_read(push(2, 7, "a"), Some(due), NOW);
        lanes.add(push(3, 7, "a"), NOW);
        assert_eq!(dues(&lanes.take_verdicts()), [(2, due), (3, due)]);
        // Its time came, but the earlier one is gone: the lane goes on.
        lanes.add_read(push(3, 7, "a"), None, due);
        assert_eq!(lanes.next(due).unwrap().pushes[0].id, PushNo(3));
    }

    /// The fee record of a call that ended so many milliseconds after the beginning.
    fn fee(id: i64, key: &str, host: &str, ended_millis: i64) -> Waiting {
        let call = fee_call(id, key, host);
        let mut push = push(id, call.id.random(), host);
        push.key = key.into();
        push.channel = Channel::Fee;
        let ended_at = NOW + Duration::from_millis(ended_millis.unsigned_abs());
        push.row = Row::Fee(Box::new(CallRecord {
            call,
            legs: [LegRecord::default(); 2],
            bridged_at: None,
            ended_at,
            ending: Ending { by: Party::Caller, cause: Cause::Normal, leg: None },
            recording: None,
            speech: SpeechUse::default(),
        }));
        push
    }

    fn fee_call(id: i64, key: &str, host: &str) -> Call {
        let number = || E164::parse("+8613800000001").unwrap();
        Call {
            id: CallId::new(NOW, u128::from(id.unsigned_abs())),
            dialect: "huawei".into(),
            node: "node-1".into(),
            account: "acme".into(),
            app: AppId(1),
            key: key.into(),
            accepted_at: NOW,
            product: Product::Notice(Notice { callee: number(), shown: number(), items: Vec::new() }),
            status_url: None,
            fee_url: PushUrl::parse(&format!("http://{host}/fee")).ok(),
            user_data: None,
            tell_who_hung_up: false,
        }
    }

    /// The numbers of each message that may go then.
    fn messages(lanes: &mut Lanes, now: Timestamp) -> Vec<Vec<i64>> {
        let sendings = std::iter::from_fn(|| lanes.next(now));
        let mut messages: Vec<Vec<i64>> =
            sendings.map(|sending| sending.pushes.iter().map(|push| push.id.0).collect()).collect();
        messages.sort_unstable();
        messages
    }

    #[test]
    fn fee_records_share_a_message_by_app_second_and_receiver() {
        let mut lanes = lanes([
            fee(1, "key-1", "a", 100),
            fee(2, "key-1", "a", 900),
            fee(3, "key-1", "a", 1_000),
            fee(4, "key-2", "a", 200),
            fee(5, "key-1", "b", 300),
        ]);
        assert!(messages(&mut lanes, NOW + Duration::from_millis(999)).is_empty(), "the second is not over");
        let over = NOW + Duration::from_millis(1_500);
        assert_eq!(messages(&mut lanes, over), [vec![1, 2], vec![4], vec![5]]);
        assert_eq!(messages(&mut lanes, over + Duration::from_secs(1)), [[3]]);
    }

    #[test]
    fn fifty_records_fill_a_message_and_a_repetition_has_the_same_rows() {
        for profile in [Profile::Compat, Profile::Reliable] {
            let mut lanes = lanes((1..=51).map(|id| fee(id, "key-1", "a", 0)));
            let full = lanes.next(NOW).unwrap();
            assert_eq!(full.pushes.len(), 50);
            let over = NOW + Duration::from_secs(2);
            assert_eq!(messages(&mut lanes, over), [[51]]);
            let rows = full.pushes.clone();
            let verdicts = ended(&mut lanes, full, Err("HTTP 500"), profile, NOW);
            let due = dues(&verdicts)[0].1;
            assert!(dues(&verdicts).iter().all(|(_, other)| *other == due), "they come again together");
            for push in rows.iter().cloned() {
                lanes.add_read(Waiting { message: Some(PushNo(1)), attempts: 1, ..push }, None, due);
            }
            let again = lanes.next(due).unwrap();
            assert_eq!((again.message(), again.pushes.len()), (PushNo(1), 50));
            assert!(lanes.next(due).is_none());
        }
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
