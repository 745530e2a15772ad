//! Reports: batches, customers who take one message at a time, and repetitions until they have it.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::intake::PAGE;
use crate::repeats::Repeats;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The report of a call that ended at the beginning, for the receiver of an app.
fn report(id: i64, app: i64, host: &str) -> Waiting {
    let mut call = call(id, "key-1", host);
    call.app = AppId(app);
    let mut push = push(id, call.id.random(), host);
    push.dialect = "ksyun".into();
    push.channel = Channel::Report;
    push.row = Row::Report(record(call, NOW));
    push
}

fn reports(ids: std::ops::RangeInclusive<i64>) -> impl Iterator<Item = Waiting> {
    ids.map(|id| report(id, 1, "a"))
}

fn secs(secs: u64) -> Timestamp {
    NOW + Duration::from_secs(secs)
}

fn ids(sending: &Sending) -> Vec<i64> {
    sending.pushes.iter().map(|push| push.id.0).collect()
}

fn all(ids: std::ops::RangeInclusive<i64>) -> Vec<i64> {
    ids.collect()
}

/// What the database keeps of pushes that are not held: a table, and the verdicts that change it.
#[derive(Default)]
struct Disk(BTreeMap<PushNo, (Waiting, State)>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Fresh,
    Deferred,
    Delivered,
    Parked,
}

impl Disk {
    fn of(pushes: impl IntoIterator<Item = Waiting>) -> Self {
        Self(pushes.into_iter().map(|push| (push.id, (push, State::Fresh))).collect())
    }

    fn write(&mut self, verdicts: Vec<Verdict>) {
        for verdict in verdicts {
            let (push, state) = self.0.get_mut(&verdict.id).unwrap();
            assert!(
                !matches!(state, State::Delivered | State::Parked),
                "{:?} is told for good once",
                push.id
            );
            *state = match verdict.outcome {
                Outcome::Delivered => State::Delivered,
                Outcome::Parked { .. } | Outcome::GivenUp { .. } => State::Parked,
                Outcome::Again { due, message, .. } => {
                    (push.message, push.due_at) = (Some(message), due);
                    push.attempts += 1;
                    State::Deferred
                }
                Outcome::Postponed { due } => {
                    push.due_at = due;
                    State::Deferred
                }
            };
        }
    }

    /// Everything in a state, by due time and number.
    fn all(&self, wanted: State) -> Vec<Waiting> {
        let rows = self.0.values().filter(|(_, state)| *state == wanted);
        let mut rows: Vec<Waiting> = rows.map(|(push, _)| push.clone()).collect();
        rows.sort_by_key(|push| (push.due_at, push.id));
        rows
    }

    /// Lets the lanes have what has fallen due, page by page, as the courier does.
    fn due(&self, lanes: &mut Lanes, now: Timestamp) {
        let mut repeats = Repeats::default();
        let deferred = self.all(State::Deferred);
        let due: Vec<Waiting> = deferred.iter().filter(|push| push.due_at <= now).cloned().collect();
        for page in due.chunks(PAGE) {
            let (alone, messages) = repeats.part(page.to_vec());
            let of = |push: &&Waiting| push.message.is_some_and(|message| messages.contains(&message));
            let whole = deferred.iter().filter(of).cloned().collect();
            alone.into_iter().for_each(|push| lanes.add_read(push, None, now));
            repeats.meet(whole).into_iter().for_each(|message| lanes.add_message(message));
        }
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.all(State::Deferred).first().map(|push| push.due_at)
    }
}

/// Runs the lanes over a disk until nothing is left to be done, and tells each message: when it went, and its pushes.
fn run(
    disk: &mut Disk,
    lanes: &mut Lanes,
    mut now: Timestamp,
    mut answer: impl FnMut(&Sending) -> Result<(), &'static str>,
) -> Vec<(Timestamp, Vec<i64>)> {
    let mut told = Vec::new();
    loop {
        disk.due(lanes, now);
        while let Some(sending) = lanes.next(now) {
            assert!(lanes.next(now).is_none(), "a customer takes one message at a time");
            told.push((now, ids(&sending)));
            let result = answer(&sending);
            disk.write(ended(lanes, sending, result, Profile::Compat, now));
        }
        let held = lanes.held.clone();
        let unheld = disk.all(State::Deferred).into_iter().filter(|push| !held.contains(&push.id));
        match lanes.deadline().into_iter().chain(unheld.map(|push| push.due_at)).min() {
            Some(next) => now = next.max(now),
            None => return told,
        }
    }
}

#[test]
fn a_customer_takes_batches_of_two_hundred_one_after_the_other() {
    let mut lanes = lanes(reports(1..=450));
    for batch in [1..=200, 201..=400] {
        let sending = lanes.next(NOW).unwrap();
        assert_eq!(ids(&sending), all(batch));
        assert!(lanes.next(NOW).is_none());
        done(&mut lanes, sending, Ok(()));
    }
    assert!(lanes.next(NOW + Duration::from_millis(999)).is_none(), "others may still come");
    assert_eq!(ids(&lanes.next(secs(1)).unwrap()), all(401..=450));
}

#[test]
fn reports_gather_while_their_customer_has_a_message_under_way() {
    let mut lanes = lanes(reports(1..=1));
    assert!(lanes.next(NOW).is_none());
    let first = lanes.next(secs(1)).unwrap();
    reports(2..=3).for_each(|push| lanes.add(push, secs(1)));
    assert!(lanes.next(secs(9)).is_none(), "its second is over, and its customer has a message");
    reports(4..=5).for_each(|push| lanes.add(push, secs(9)));
    done(&mut lanes, first, Ok(()));
    let second = lanes.next(secs(9)).unwrap();
    assert_eq!(ids(&second), [2, 3, 4, 5]);
    // A batch that is full meanwhile is closed, and the next one gathers behind it.
    reports(6..=300).for_each(|push| lanes.add(push, secs(9)));
    assert!(lanes.next(secs(20)).is_none());
    done(&mut lanes, second, Ok(()));
    let third = lanes.next(secs(20)).unwrap();
    assert_eq!(ids(&third), all(6..=205));
    done(&mut lanes, third, Ok(()));
    assert_eq!(ids(&lanes.next(secs(20)).unwrap()), all(206..=300));
}

#[test]
fn apps_and_receivers_are_customers_of_their_own() {
    let mut lanes = lanes([report(1, 1, "a"), report(2, 2, "a"), report(3, 1, "b"), report(4, 1, "a")]);
    let mut told: Vec<_> = std::iter::from_fn(|| lanes.next(secs(1))).map(|sending| ids(&sending)).collect();
    told.sort();
    assert_eq!(told, [vec![1, 4], vec![2], vec![3]]);
}

#[test]
fn a_batch_comes_again_as_it_was_until_it_is_taken() {
    for failures in [["HTTP 500", "code 1"], ["no connection", "no answer"]] {
        let pushes: Vec<Waiting> = reports(1..=450).collect();
        let mut disk = Disk::of(pushes.clone());
        let mut lanes = lanes(pushes);
        let mut failures = failures.into_iter();
        let told = run(&mut disk, &mut lanes, NOW, |sending| match sending.pushes[0].id.0 {
            1 => failures.next().map_or(Ok(()), Err),
            _ => Ok(()),
        });
        let after = |millis| NOW + Duration::from_millis(millis);
        // What waits for its repetition does not hold up what comes later.
        let batches = [(0, 1..=200), (0, 201..=400), (750, 1..=200), (1_000, 401..=450), (2_250, 1..=200)];
        assert_eq!(told, batches.map(|(millis, ids)| (after(millis), all(ids))));
        assert_eq!(disk.all(State::Delivered).len(), 450);
        assert!(lanes.held.is_empty() && lanes.bundles.is_empty() && lanes.hosts.values().all(Host::is_idle));
    }
}

#[test]
fn a_customer_who_is_away_gets_every_batch_as_it_was_first_tried() {
    let pushes: Vec<Waiting> = reports(1..=450).collect();
    let mut disk = Disk::of(pushes.clone());
    let mut lanes = lanes(pushes);
    let mut attempts = 0;
    let told = run(&mut disk, &mut lanes, NOW, |_| {
        attempts += 1;
        if attempts <= 30 { Err("HTTP 500") } else { Ok(()) }
    });
    let mut batches: Vec<&Vec<i64>> = told.iter().map(|(_, ids)| ids).collect();
    assert_eq!(batches.len(), 33);
    batches.sort();
    batches.dedup();
    assert_eq!(batches, [&all(1..=200), &all(201..=400), &all(401..=450)]);
    assert_eq!(disk.all(State::Delivered).len(), 450);
}

#[test]
fn what_was_never_tried_is_batched_anew_after_a_restart_and_what_failed_is_not() {
    let pushes: Vec<Waiting> = reports(1..=330).collect();
    let mut disk = Disk::of(pushes);
    let mut first_life = lanes(reports(1..=230));
    let sending = first_life.next(NOW).unwrap();
    disk.write(done(&mut first_life, sending, Err("HTTP 500")));
    // It is on its way again, and nobody knows what came of it. The second batch waits behind it.
    assert_eq!(first_life.next(secs(1)).unwrap().pushes.len(), 200);
    assert!(first_life.next(secs(1)).is_none());

    let mut lanes = Lanes::default();
    disk.all(State::Fresh).into_iter().for_each(|push| lanes.add_read(push, None, secs(2)));
    let told = run(&mut disk, &mut lanes, secs(2), |_| Ok(()));
    assert_eq!(told.iter().map(|(_, ids)| ids.clone()).collect::<Vec<_>>(), [all(201..=330), all(1..=200)]);
    assert!(told[1].0 <= secs(62), "the first life's lease is over");
}

#[test]
fn pages_of_the_database_make_full_batches() {
    let mut lanes = Lanes::default();
    let pushes: Vec<Waiting> = reports(1..=1_000).collect();
    for page in pushes.chunks(PAGE) {
        page.iter().cloned().for_each(|push| lanes.add_read(push, None, NOW));
    }
    for _ in 0..5 {
        let sending = lanes.next(NOW).unwrap();
        assert_eq!(sending.pushes.len(), 200);
        done(&mut lanes, sending, Ok(()));
    }
    assert!(lanes.is_still() && lanes.held.is_empty());
}

#[test]
fn a_message_is_read_as_a_whole_over_the_border_of_a_page() {
    let due = secs(100);
    // Three messages that fall due together, number by number in turn, and reports that were postponed between them.
    let message = |push: Waiting| match push.id.0 % 4 {
        0 => Waiting { due_at: due, ..push },
        turn => Waiting { message: Some(PushNo(turn)), attempts: 4, due_at: due, ..push },
    };
    let mut disk = Disk::of(reports(1..=800).map(message));
    disk.0.values_mut().for_each(|(_, state)| *state = State::Deferred);
    // One fell due a little later than the others of its message.
    disk.0.get_mut(&PushNo(1)).unwrap().0.due_at = due + Duration::from_millis(1);
    let mut lanes = Lanes::default();
    let told = run(&mut disk, &mut lanes, due, |_| Ok(()));
    let mut batches: Vec<Vec<i64>> = told.into_iter().map(|(_, ids)| ids).collect();
    batches.sort();
    let turn = |turn| (1..=800).filter(|id| id % 4 == turn).collect::<Vec<i64>>();
    assert_eq!(batches, [turn(1), turn(2), turn(3), turn(0)]);
    assert_eq!(disk.all(State::Delivered).len(), 800);
}

#[test]
fn a_message_that_finds_no_room_stays_whole() {
    let mut lanes = lanes((1..=900).map(|id| report(id, id, "a")));
    let message = (1_001..=1_200).map(|id| Waiting { message: Some(PushNo(1_001)), ..report(id, 1, "a") });
    let message: Vec<Waiting> = message.collect();
    assert!((1..200).contains(&lanes.room("a")), "there is room for some of it");
    lanes.postpone_message(&message, secs(60), NOW);
    let verdicts = lanes.take_verdicts();
    assert_eq!(verdicts.iter().map(Vec::len).collect::<Vec<_>>(), [200], "they are written together");
    assert!(verdicts.concat().iter().all(|verdict| verdict.outcome == Outcome::Postponed { due: secs(60) }));
}

#[test]
fn a_report_that_nobody_takes_is_parked_after_three_days() {
    let pushes: Vec<Waiting> = reports(1..=3).collect();
    let mut disk = Disk::of(pushes.clone());
    let mut lanes = lanes(pushes);
    let mut attempts = 0;
    let told = run(&mut disk, &mut lanes, NOW, |_| {
        attempts += 1;
        Err("HTTP 500")
    });
    let (last, batch) = told.last().unwrap();
    assert_eq!(*batch, [1, 2, 3]);
    assert!((DAY * 3..DAY * 3 + Duration::from_secs(375)).contains(&last.since(NOW)), "{last:?}");
    assert!((800..1_300).contains(&attempts), "{attempts}");
    assert_eq!(disk.all(State::Parked).len(), 3);
    assert!(disk.next_due().is_none() && lanes.held.is_empty());

    // Somebody asks for it: it has some attempts again, as the message that it was.
    for (push, state) in disk.0.values_mut() {
        (push.attempts, push.due_at, *state) = (0, *last + DAY, State::Deferred);
    }
    let told = run(&mut disk, &mut lanes, *last + DAY, |sending| {
        if sending.pushes[0].attempts < 9 { Err("HTTP 500") } else { Ok(()) }
    });
    assert!(told.len() == 10 && told.iter().all(|(_, batch)| *batch == [1, 2, 3]));
    assert_eq!(disk.all(State::Delivered).len(), 3);
}

#[test]
fn a_customer_who_is_away_takes_no_memory_for_long() {
    let mut lanes = Lanes::default();
    let mut now = NOW;
    for round in 0..100 {
        reports(round * 200 + 1..=round * 200 + 200).for_each(|push| {
            if lanes.room("a") > 0 {
                lanes.add(push, now);
            }
        });
        while let Some(sending) = lanes.next(now) {
            ended(&mut lanes, sending, Err("no connection"), Profile::Reliable, now);
        }
        assert!(lanes.held.len() <= HELD_PER_HOST);
        now = now + Duration::from_millis(200);
    }
    while let Some(due) = lanes.deadline() {
        now = due;
        while let Some(sending) = lanes.next(now) {
            ended(&mut lanes, sending, Err("no connection"), Profile::Reliable, now);
        }
    }
    assert!(lanes.held.is_empty() && lanes.bundles.is_empty(), "the rest is in the database");
}

#[test]
fn what_stayed_in_memory_too_long_is_left_to_the_database() {
    let pushes: Vec<Waiting> = reports(1..=2).collect();
    let mut disk = Disk::of(pushes.clone());
    let mut lanes = lanes(pushes);
    let sending = lanes.next(secs(1)).unwrap();
    disk.write(ended(&mut lanes, sending, Err("HTTP 500"), Profile::Compat, secs(1)));
    let lease = disk.next_due().unwrap();
    // Whatever held us up: the database tells of it soon, or did already.
    let late = lease + Duration::from_secs(1);
    disk.due(&mut lanes, late);
    assert!(lanes.next(late).is_none());
    assert!(lanes.held.is_empty() && lanes.bundles.is_empty() && lanes.hosts.values().all(Host::is_idle));
    disk.write(taken(&mut lanes));
    let told = run(&mut disk, &mut lanes, late, |_| Ok(()));
    assert_eq!(told, [(late + POSTPONED, vec![1, 2])]);
}

/// Three customers whose receivers fail now and then, and a process that dies now and then.
struct Weather {
    dice: StdRng,
    now: Timestamp,
    disk: Disk,
    lanes: Lanes,
    in_flight: Vec<Sending>,
    /// What was in the messages that are known to have failed.
    known: BTreeMap<PushNo, Vec<i64>>,
    last: i64,
}

impl Weather {
    fn new(seed: u64) -> Self {
        Self {
            dice: StdRng::seed_from_u64(seed),
            now: NOW,
            disk: Disk::default(),
            lanes: Lanes::default(),
            in_flight: Vec::new(),
            known: BTreeMap::new(),
            last: 0,
        }
    }

    fn calls_end(&mut self) {
        let app = self.dice.random_range(1..4);
        for _ in 0..self.dice.random_range(1..120) {
            self.last += 1;
            let push = report(self.last, app, ["a", "b", "c"][usize::try_from(app - 1).unwrap()]);
            self.disk.0.insert(push.id, (push.clone(), State::Fresh));
            self.lanes.add(push, self.now);
        }
    }

    fn time_passes(&mut self, at_most: u64) {
        self.now = self.now + Duration::from_millis(self.dice.random_range(1..at_most));
        self.disk.due(&mut self.lanes, self.now);
        while let Some(sending) = self.lanes.next(self.now) {
            assert!(self.in_flight.iter().all(|other| other.customer != sending.customer), "one at a time");
            self.in_flight.push(sending);
        }
    }

    fn an_answer_comes(&mut self, failures_in_ten: u32) {
        if self.in_flight.is_empty() {
            return;
        }
        let sending = self.in_flight.swap_remove(self.dice.random_range(0..self.in_flight.len()));
        let (message, ids) = (sending.message(), ids(&sending));
        assert!(ids.len() <= 200);
        assert_eq!(self.known.get(&message).unwrap_or(&ids), &ids, "a message is what it was");
        let fails = self.dice.random_range(0..10) < failures_in_ten;
        if fails {
            self.known.insert(message, ids);
        }
        let result = if fails { Err("HTTP 500") } else { Ok(()) };
        self.disk.write(ended(&mut self.lanes, sending, result, Profile::Compat, self.now));
    }

    fn the_process_dies(&mut self) {
        self.lanes = Lanes::default();
        self.in_flight.clear();
        for push in self.disk.all(State::Fresh) {
            self.lanes.add_read(push, None, self.now);
        }
    }
}

#[test]
fn whatever_fails_and_whoever_dies_each_report_arrives_once_and_messages_stay_what_they_were() {
    for seed in 0..40 {
        let mut weather = Weather::new(seed);
        for _ in 0..300 {
            match weather.dice.random_range(0..100) {
                0..8 => weather.calls_end(),
                8..50 => weather.time_passes(9_000),
                50..98 => weather.an_answer_comes(6),
                _ => weather.the_process_dies(),
            }
        }
        while weather.disk.all(State::Delivered).len() < usize::try_from(weather.last).unwrap() {
            weather.time_passes(400_000);
            weather.an_answer_comes(0);
        }
        assert!(weather.lanes.held.is_empty() && weather.lanes.bundles.is_empty(), "{seed}");
    }
}
