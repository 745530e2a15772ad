//! What waits for the journal's writer. Bounded: what finds no room is refused (an order) or given back (a fact).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base::fact::Entry;
use base::limits::{JOURNAL_BATCH, JOURNAL_QUEUE};
use base::quota::Charge;
use tokio::sync::oneshot;

use crate::journal::AcceptFault;
use crate::outbox::Verdict;
use crate::seen::SeenRequest;

/// The writer's inbox. Senders are any threads; the one receiver is the writer.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    /// Rung when the writer sleeps and something comes, or when a batch is full.
    bell: Condvar,
    commits: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    work: Work,
    /// How many of the verdicts were handed over together, in their order.
    pieces: VecDeque<usize>,
    /// When the oldest order came that nobody has looked at.
    oldest: Option<Instant>,
    writer: Writer,
    /// Why orders are refused: the last attempt to write failed.
    failing: Option<AcceptFault>,
    closed: bool,
}

/// How far the writer is behind, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Orders that wait, at most [`JOURNAL_QUEUE`].
    pub orders: usize,
    /// Facts that wait.
    pub facts: usize,
    /// How long the oldest of the orders has waited that nobody has looked at.
    pub oldest: Duration,
    /// Whether the last attempt to write failed. Orders are refused until one succeeds; facts wait.
    pub failing: bool,
}

/// What the writer is doing, as far as senders must know it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Writer {
    /// Writing: it will look again by itself.
    #[default]
    Busy,
    /// Waiting for anything.
    Idle,
    /// Gathering a batch for a moment: only a full batch or a first order is worth a ring.
    Gathering,
}

/// Until when a batch waits for company.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    /// When somebody waits to hear that an order is accepted.
    pub(crate) orders: Instant,
    /// When nobody waits.
    pub(crate) facts: Instant,
}

/// Everything that came since the writer last looked.
#[derive(Default)]
pub(crate) struct Work {
    pub(crate) orders: Vec<Accepting>,
    pub(crate) seen: Vec<SeenRequest>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) verdicts: Vec<Verdict>,
}

/// An acceptance and whoever waits for it to be durable.
pub(crate) struct Accepting {
    pub(crate) entry: Entry,
    pub(crate) charges: Vec<Charge>,
    /// When it came.
    pub(crate) since: Instant,
    pub(crate) done: oneshot::Sender<Result<(), AcceptFault>>,
}

impl Queue {
    /// Adds an acceptance, unless there is no room or the writer is not keeping up.
    pub(crate) fn accept(
        &self,
        entry: Entry,
        charges: Vec<Charge>,
    ) -> Result<oneshot::Receiver<Result<(), AcceptFault>>, AcceptFault> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(AcceptFault::Stopped);
        }
        if let Some(fault) = waiting.failing {
            return Err(fault);
        }
        let now = Instant::now();
        let stuck = waiting.oldest.is_some_and(|oldest| now - oldest > PATIENCE);
        if stuck || waiting.work.orders.len() >= JOURNAL_QUEUE {
            return Err(AcceptFault::Busy);
        }
        let (done, receipt) = oneshot::channel();
        waiting.work.orders.push(Accepting { entry, charges, since: now, done });
        waiting.oldest.get_or_insert(now);
        self.ring(waiting);
        Ok(receipt)
    }

    /// Adds a request that was taken, unless there is no room.
    pub(crate) fn note(&self, request: SeenRequest) -> Result<(), AcceptFault> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(AcceptFault::Stopped);
        }
        if waiting.work.seen.len() >= JOURNAL_QUEUE {
            return Err(AcceptFault::Busy);
        }
        waiting.work.seen.push(request);
        self.ring(waiting);
        Ok(())
    }

    /// Adds facts of accepted calls. They have a share of their own, that no flood of orders can take.
    ///
    /// # Errors
    /// Gives the entries back when the share is used up, or after the end.
    pub(crate) fn append(&self, entries: Vec<Entry>) -> Result<(), Vec<Entry>> {
        let mut waiting = self.lock();
        if waiting.closed || waiting.work.entries.len() + entries.len() > FACTS {
            return Err(entries);
        }
        waiting.work.entries.extend(entries);
        self.ring(waiting);
        Ok(())
    }

    /// Adds verdicts of pushes, to be taken together.
    ///
    /// # Errors
    /// Gives the verdicts back when their share is used up, or after the end.
    pub(crate) fn settle(&self, verdicts: Vec<Verdict>) -> Result<(), Vec<Verdict>> {
        let mut waiting = self.lock();
        if waiting.closed || waiting.work.verdicts.len() + verdicts.len() > VERDICTS {
            return Err(verdicts);
        }
        waiting.pieces.push_back(verdicts.len());
        waiting.work.verdicts.extend(verdicts);
        self.ring(waiting);
        Ok(())
    }

    /// Refuses orders with this from now on, until it [`Self::works`], and gives those that wait: nobody can say when they
    /// would be written. What else waits stays.
    pub(crate) fn fails(&self, fault: AcceptFault) -> Vec<Accepting> {
        let mut waiting = self.lock();
        waiting.failing = Some(fault);
        waiting.oldest = None;
        std::mem::take(&mut waiting.work.orders)
    }

    /// Takes orders again.
    pub(crate) fn works(&self) {
        self.lock().failing = None;
    }

    /// How far the writer is behind.
    pub(crate) fn backlog(&self) -> Backlog {
        let waiting = self.lock();
        Backlog {
            orders: waiting.work.orders.len(),
            facts: waiting.work.entries.len(),
            oldest: waiting.oldest.map(|oldest| oldest.elapsed()).unwrap_or_default(),
            failing: waiting.failing.is_some(),
        }
    }

    pub(crate) fn count_commit(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Whether the writer has written all there was, and waits for more.
    pub(crate) fn is_still(&self) -> bool {
        let waiting = self.lock();
        waiting.writer == Writer::Idle && waiting.work.is_empty()
    }

    /// Refuses everything from now on; what is inside will still be written.
    pub(crate) fn close(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        drop(waiting);
        self.bell.notify_one();
    }

    /// Waits for work until a batch is worth a commit, and takes it: when the pace has come that the work asks for, or
    /// the batch is full. Takes nothing at all when `idle_until` has come. `None` when the queue is closed and empty.
    ///
    /// Blocks the thread.
    pub(crate) fn take(&self, pace: Pace, idle_until: Instant) -> Option<Work> {
        let mut waiting = self.lock();
        loop {
            let now = Instant::now();
            let found = !waiting.work.is_empty();
            let gather_until = if waiting.work.orders.is_empty() { pace.facts } else { pace.orders };
            let ripe = now >= gather_until || waiting.work.is_full() || waiting.closed;
            if (found && ripe) || now >= idle_until {
                waiting.writer = Writer::Busy;
                return Some(waiting.take());
            }
            if waiting.closed {
                return None;
            }
            waiting.writer = if found { Writer::Gathering } else { Writer::Idle };
            let until = if found { gather_until.min(idle_until) } else { idle_until };
            let woken = self.bell.wait_timeout(waiting, until - now).unwrap_or_else(PoisonError::into_inner);
            waiting = woken.0;
        }
    }

    /// Refuses everything from now on, and tells everybody who waits that nothing more will be written.
    pub(crate) fn abandon(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        waiting.work = Work::default();
        waiting.pieces.clear();
    }

    fn ring(&self, mut waiting: MutexGuard<'_, Waiting>) {
        let worth = match waiting.writer {
            Writer::Busy => false,
            Writer::Idle => true,
            Writer::Gathering => waiting.work.is_full() || waiting.work.orders.len() == 1,
        };
        if worth {
            waiting.writer = Writer::Busy;
            drop(waiting);
            self.bell.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Every change under the lock is whole before anything in it can panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Takes at most a batch, but no piece of verdicts in part; the rest keeps its order and its age. All requests are taken,
    /// so that none is written after the order that it made.
    fn take(&mut self) -> Work {
        let orders = split(&mut self.work.orders, JOURNAL_BATCH);
        let entries = split(&mut self.work.entries, JOURNAL_BATCH);
        let mut whole = 0;
        while let Some(piece) =
            self.pieces.pop_front_if(|piece| whole == 0 || whole + *piece <= JOURNAL_BATCH)
        {
            whole += piece;
        }
        let verdicts = split(&mut self.work.verdicts, whole);
        if self.work.orders.is_empty() {
            self.oldest = None;
        }
        Work { orders, seen: std::mem::take(&mut self.work.seen), entries, verdicts }
    }
}

/// The first so many of a list; usually that is all of it.
fn split<T>(list: &mut Vec<T>, first: usize) -> Vec<T> {
    let rest = list.split_off(list.len().min(first));
    std::mem::replace(list, rest)
}

impl Work {
    pub(crate) fn is_empty(&self) -> bool {
        self.orders.is_empty() && self.seen.is_empty() && self.entries.is_empty() && self.verdicts.is_empty()
    }

    fn is_full(&self) -> bool {
        self.orders.len() + self.seen.len() + self.entries.len() + self.verdicts.len() >= JOURNAL_BATCH
    }
}

/// An order that has waited this long will not be answered in time: the next ones are refused at once.
const PATIENCE: Duration = Duration::from_millis(250);

/// Facts that wait for the writer: at 20,000 a second three seconds of a disk that does not answer.
const FACTS: usize = 16 * JOURNAL_QUEUE;

/// Verdicts that wait for the writer; delivery waits when there are more.
const VERDICTS: usize = JOURNAL_QUEUE;

#[cfg(test)]
mod tests {
    use base::fact::Fact;
    use base::id::CallId;
    use base::time::Timestamp;

    use super::*;
    use crate::outbox::{Outcome, PushNo};

    fn entry(number: u128) -> Entry {
        let call = CallId::new(Timestamp::default(), number);
        Entry { call, seq: 1, at: Timestamp::default(), fact: Fact::Bridged }
    }

    fn entries(count: usize) -> Vec<Entry> {
        (0..).map(entry).take(count).collect()
    }

    fn verdicts(count: usize) -> Vec<Verdict> {
        let verdict = |id| Verdict {
            id: PushNo(id),
            at: Timestamp::default(),
            took: Duration::ZERO,
            outcome: Outcome::Delivered,
            exchange: None,
        };
        (1..).map(verdict).take(count).collect()
    }

    /// Everything is due at once.
    fn now() -> Pace {
        Pace { orders: Instant::now(), facts: Instant::now() }
    }

    fn far() -> Instant {
        Instant::now() + Duration::from_secs(3600)
    }

    #[test]
    fn orders_that_find_no_room_are_refused_and_facts_still_fit() {
        let queue = Queue::default();
        let receipts: Vec<_> =
            (0..).map(|number| queue.accept(entry(number), Vec::new())).take(JOURNAL_QUEUE + 1).collect();
        assert_eq!(receipts.iter().filter(|receipt| receipt.is_err()).count(), 1);
        assert!(matches!(receipts.last(), Some(Err(AcceptFault::Busy))));
        assert_eq!(queue.append(entries(FACTS)), Ok(()));
        assert_eq!(queue.append(entries(1)), Err(entries(1)));
    }

    #[test]
    fn while_nothing_can_be_written_orders_are_refused_at_once_and_facts_wait() {
        let queue = Queue::default();
        let waiting = queue.accept(entry(0), Vec::new()).unwrap();
        queue.append(entries(2)).unwrap();
        for order in queue.fails(AcceptFault::Unwritten) {
            order.done.send(Err(AcceptFault::Unwritten)).unwrap();
        }
        assert_eq!(waiting.blocking_recv(), Ok(Err(AcceptFault::Unwritten)));
        assert!(matches!(queue.accept(entry(1), Vec::new()), Err(AcceptFault::Unwritten)));
        let behind = Backlog { facts: 2, failing: true, ..Backlog::default() };
        assert_eq!((queue.append(entries(0)), queue.backlog()), (Ok(()), behind));
        queue.works();
        assert!(queue.accept(entry(1), Vec::new()).is_ok());
        assert_eq!((queue.backlog().orders, queue.backlog().failing), (1, false));
    }

    #[test]
    fn verdicts_that_find_no_room_are_given_back() {
        let queue = Queue::default();
        assert_eq!(queue.settle(verdicts(VERDICTS - 1)), Ok(()));
        assert_eq!(queue.settle(verdicts(2)), Err(verdicts(2)));
        assert_eq!(queue.settle(verdicts(1)), Ok(()));
        assert_eq!(queue.settle(verdicts(1)), Err(verdicts(1)));
        assert_eq!(queue.append(entries(1)), Ok(()), "facts have a share of their own");
    }

    #[test]
    fn while_the_writer_is_stuck_orders_are_refused_at_once() {
        let queue = Queue::default();
        let _receipt = queue.accept(entry(0), Vec::new()).unwrap();
        let _another = queue.accept(entry(1), Vec::new()).unwrap();
        let long_ago = Instant::now().checked_sub(2 * PATIENCE).unwrap();
        queue.lock().oldest = Some(long_ago);
        assert!(matches!(queue.accept(entry(2), Vec::new()), Err(AcceptFault::Busy)));
        assert_eq!(queue.take(now(), far()).unwrap().orders.len(), 2);
        assert!(queue.accept(entry(3), Vec::new()).is_ok(), "it has looked at the oldest");
    }

    #[test]
    fn an_order_that_is_left_for_the_next_batch_keeps_its_age() {
        let queue = Queue::default();
        for entry in entries(JOURNAL_BATCH + 1) {
            queue.accept(entry, Vec::new()).unwrap();
        }
        queue.take(now(), far()).unwrap();
        assert!(queue.lock().oldest.is_some());
        queue.take(now(), far()).unwrap();
        assert!(queue.lock().oldest.is_none());
    }

    #[test]
    fn a_batch_is_full_by_all_that_is_in_it() {
        const FULL: usize = JOURNAL_BATCH;
        for (orders, facts, settled, full) in [
            (FULL, 0, 0, true),
            (0, FULL, 0, true),
            (0, 0, FULL, true),
            (2, FULL - 5, 3, true),
            (2, FULL - 6, 3, false),
        ] {
            let queue = Queue::default();
            let _receipts: Vec<_> =
                entries(orders).into_iter().map(|entry| queue.accept(entry, Vec::new())).collect();
            queue.append(entries(facts)).unwrap();
            queue.settle(verdicts(settled)).unwrap();
            assert_eq!(queue.lock().work.is_full(), full, "{orders} {facts} {settled}");
        }
    }

    /// What a writer takes who fell asleep before that was put in, with facts that would wait for an hour.
    fn woken_by(before: usize, sleeps_as: Writer, put: impl FnOnce(&Queue)) -> Work {
        let queue = std::sync::Arc::new(Queue::default());
        queue.append(entries(before)).unwrap();
        let (taken, work) = std::sync::mpsc::channel();
        let writer = std::sync::Arc::clone(&queue);
        std::thread::spawn(move || {
            let pace = Pace { orders: Instant::now(), facts: far() };
            taken.send(writer.take(pace, far()))
        });
        let deadline = Instant::now() + Duration::from_secs(60);
        while queue.lock().writer != sleeps_as {
            assert!(Instant::now() < deadline, "the writer does not fall asleep");
            std::thread::yield_now();
        }
        put(&queue);
        work.recv_timeout(Duration::from_secs(60)).expect("the writer sleeps on").expect("work")
    }

    #[test]
    fn a_writer_that_sleeps_is_woken_by_what_is_worth_a_commit() {
        let order = |queue: &Queue| drop(queue.accept(entry(9), Vec::new()).unwrap());
        assert_eq!(woken_by(0, Writer::Idle, order).orders.len(), 1);
        assert_eq!(woken_by(3, Writer::Gathering, order).orders.len(), 1);
        let crowd = |queue: &Queue| queue.append(entries(JOURNAL_BATCH)).unwrap();
        assert_eq!(woken_by(0, Writer::Idle, crowd).entries.len(), JOURNAL_BATCH);
        assert_eq!(woken_by(3, Writer::Gathering, crowd).entries.len(), JOURNAL_BATCH);
        assert_eq!(woken_by(3, Writer::Gathering, Queue::close).entries.len(), 3);
    }

    #[test]
    fn a_batch_is_bounded_and_the_rest_keeps_its_order() {
        let queue = Queue::default();
        queue.append(entries(JOURNAL_BATCH + 3)).unwrap();
        assert_eq!(queue.take(now(), far()).unwrap().entries, entries(JOURNAL_BATCH));
        let rest = queue.take(now(), far()).unwrap().entries;
        assert_eq!(rest[..], entries(JOURNAL_BATCH + 3)[JOURNAL_BATCH..]);
    }

    #[test]
    fn a_request_is_taken_no_later_than_the_order_that_it_makes() {
        let queue = Queue::default();
        let request = |number: usize| SeenRequest {
            key: "key".into(),
            name: u128::try_from(number).unwrap().to_be_bytes(),
            until: Timestamp::default(),
        };
        let mut receipts = Vec::new();
        for number in 0..JOURNAL_QUEUE {
            queue.note(request(number)).unwrap();
            receipts.push(queue.accept(entry(number as u128), Vec::new()).unwrap());
        }
        assert_eq!(queue.note(request(0)), Err(AcceptFault::Busy));
        let first = queue.take(now(), far()).unwrap();
        assert_eq!((first.orders.len(), first.seen.len()), (JOURNAL_BATCH, JOURNAL_QUEUE));
        assert!(queue.take(now(), far()).unwrap().seen.is_empty());
    }

    #[test]
    fn verdicts_that_were_handed_over_together_are_taken_together() {
        let queue = Queue::default();
        let (small, message) = (JOURNAL_BATCH / 2, JOURNAL_BATCH + 99);
        for piece in [small, small, small, 1, message, 0, 2] {
            queue.settle(verdicts(piece)).unwrap();
        }
        let taken: Vec<_> = (0..4).map(|_| queue.take(now(), far()).unwrap().verdicts.len()).collect();
        assert_eq!(taken, [2 * small, small + 1, message, 2]);
        assert!(queue.lock().pieces.is_empty());
    }

    #[test]
    fn orders_wait_less_for_company_than_facts() {
        let queue = Queue::default();
        let pace = Pace { orders: Instant::now(), facts: far() };
        queue.append(entries(1)).unwrap();
        let _receipt = queue.accept(entry(0), Vec::new()).unwrap();
        let work = queue.take(pace, far()).unwrap();
        assert_eq!((work.orders.len(), work.entries.len()), (1, 1));
        // Facts alone are left where they are, at most until the heartbeat is due.
        queue.append(entries(1)).unwrap();
        assert_eq!(queue.take(pace, Instant::now()).unwrap().entries.len(), 1);
    }

    #[test]
    fn after_the_end_what_is_inside_is_still_taken() {
        let queue = Queue::default();
        queue.append(entries(2)).unwrap();
        queue.close();
        assert_eq!(queue.append(entries(1)), Err(entries(1)));
        assert_eq!(queue.settle(verdicts(1)), Err(verdicts(1)));
        assert!(matches!(queue.accept(entry(0), Vec::new()), Err(AcceptFault::Stopped)));
        let pace = Pace { orders: far(), facts: far() };
        assert_eq!(queue.take(pace, far()).unwrap().entries.len(), 2);
        assert!(queue.take(pace, far()).is_none());
    }

    #[test]
    fn an_order_whose_writer_died_is_answered() {
        let queue = Queue::default();
        let receipt = queue.accept(entry(0), Vec::new()).unwrap();
        queue.abandon();
        assert!(receipt.blocking_recv().is_err());
    }
}
