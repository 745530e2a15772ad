//! The journal: the only truth about calls, written by one thread in groups.
//!
//! ```text
//! accept ──┐                        ┌─▶ every caller hears "durable"
//! append ──┼─▶ Queue ─▶ one commit ─┤
//! settle ──┘   (≤ 256)              └─▶ Outbox: the pushes that follow
//! ```
//!
//! A commit costs about as much for 200 rows as for two, so a commit right after another waits a moment for
//! company. The first after a pause goes at once.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use base::fact::{Entry, Fact};
use base::id::CallId;
use base::quota::Charge;
use base::time::Timestamp;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::batch::Batch;
use crate::baton::BatonLine;
use crate::copyist::Log;
use crate::counts::ChargeRow;
#[cfg(debug_assertions)]
use crate::death;
use crate::fault::StoreFault;
use crate::home::Home;
use crate::ledger::{Ledger, Misfit, Next};
use crate::outbox::{Outbox, Verdict};
use crate::queue::{Accepting, Backlog, Pace, Queue};
use crate::recovery::{self, Interrupted};
use crate::seen::SeenRequest;
use crate::store::{Store, Term};

/// The way into the journal. Clones share the one writer, which ends when the last of them is dropped.
#[derive(Clone)]
pub struct Journal {
    door: Arc<Door>,
}

/// Closes the queue when nobody can put anything into it any more.
struct Door {
    queue: Arc<Queue>,
}

/// The journal's writer: join it to wait for the last commit.
#[derive(Debug)]
pub struct JournalTask(JoinHandle<()>);

impl Drop for Door {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Why a call was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcceptFault {
    /// The journal has more to write than it can.
    #[error("the journal is busy")]
    Busy,
    /// It waited so long that whoever asked has given up by now.
    #[error("the journal took too long")]
    Slow,
    /// The entry is no acceptance of a new call, or a rule that somebody put into the database forbids it.
    #[error("the entry has no place in the journal")]
    Misfit,
    /// The database did not take it; the log has the cause.
    #[error("the journal could not be written")]
    Unwritten,
    /// The process is ending.
    #[error("the journal is closed")]
    Stopped,
}

/// A journal that is ready to be used, and what was found when it was opened.
pub struct Opened {
    /// The way in.
    pub journal: Journal,
    /// What the journal owes to customers.
    pub outbox: Outbox,
    /// The writer.
    pub task: JournalTask,
    /// Calls that earlier processes left open. They are closed by now; their legs may still be up.
    pub interrupted: Vec<Interrupted>,
}

impl Journal {
    /// Closes what an earlier process left open, then starts the writer. `clock` tells the wall clock's time.
    ///
    /// # Errors
    /// [`StoreFault`] when the database cannot be read or written.
    pub async fn open(store: &Store, term: Term, clock: fn() -> Timestamp) -> Result<Opened, StoreFault> {
        let (store, begin) = (store.clone(), move |store: &Store| Writer::begin(store, term, clock));
        let begun = tokio::task::spawn_blocking(move || begin(&store)).await;
        let (writer, interrupted) = begun.expect("beginning does not panic")?;
        let (queue, outbox) = (Arc::clone(&writer.queue), writer.outbox.clone());
        let spawned = thread::Builder::new().name("journal".to_owned()).spawn(move || writer.run());
        let task = JournalTask(spawned.map_err(|_| StoreFault::NoThread)?);
        Ok(Opened { journal: Self { door: Arc::new(Door { queue }) }, outbox, task, interrupted })
    }

    /// Makes the acceptance of a call durable together with what it counts against, and comes back when it is.
    ///
    /// # Errors
    /// [`AcceptFault`]; the call does not exist then.
    pub async fn accept(&self, entry: Entry, charges: Vec<Charge>) -> Result<(), AcceptFault> {
        if !matches!(entry.fact, Fact::Accepted(_)) {
            return Err(AcceptFault::Misfit);
        }
        let receipt = self.door.queue.accept(entry, charges)?;
        receipt.await.unwrap_or(Err(AcceptFault::Stopped))
    }

    /// Takes facts of accepted calls, in their order. Never waits, and never loses what it took.
    ///
    /// # Errors
    /// Gives the entries back when there is no room: try again in a moment.
    pub fn append(&self, entries: Vec<Entry>) -> Result<(), Vec<Entry>> {
        self.door.queue.append(entries)
    }

    /// Takes note of a request that was taken. It is durable no later than an order that is accepted after it. Never waits.
    ///
    /// # Errors
    /// [`AcceptFault::Busy`] when there is no room, and [`AcceptFault::Stopped`].
    pub fn note(&self, request: SeenRequest) -> Result<(), AcceptFault> {
        self.door.queue.note(request)
    }

    /// Takes what came of attempts to push. Never waits, and never loses what it took. What is handed over together is
    /// written in one commit, so hand over the verdicts of a message together.
    ///
    /// # Errors
    /// Gives the verdicts back when there is no room: try again in a moment.
    pub fn settle(&self, verdicts: Vec<Verdict>) -> Result<(), Vec<Verdict>> {
        self.door.queue.settle(verdicts)
    }

    /// How many commits the writer has made.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.door.queue.commits()
    }

    /// How far the writer is behind now.
    #[must_use]
    pub fn backlog(&self) -> Backlog {
        self.door.queue.backlog()
    }

    /// Whether everything that was taken is written, and what follows from it is in the outbox.
    #[must_use]
    pub fn is_still(&self) -> bool {
        self.door.queue.is_still()
    }

    /// Takes nothing more. What was taken is still written; [`JournalTask::ended`] waits for that.
    pub fn close(&self) {
        self.door.queue.close();
    }
}

impl JournalTask {
    /// Waits until the last commit is made, which comes soon after [`Journal::close`].
    pub async fn ended(self) {
        let joined = tokio::task::spawn_blocking(move || self.0.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the journal's writer ended badly");
        }
    }
}

/// The one thread that writes.
struct Writer {
    connection: Connection,
    log: Log,
    batons: BatonLine,
    home: Home,
    ledger: Ledger,
    term: Term,
    queue: Arc<Queue>,
    outbox: Outbox,
    clock: fn() -> Timestamp,
    /// Since when nothing can be written.
    failing: Option<Instant>,
}

/// An order in a batch, and whoever waits for it to be durable.
struct Order {
    call: CallId,
    done: oneshot::Sender<Result<(), AcceptFault>>,
}

/// However the writer ends, nobody waits for it in vain.
struct LastWord(Arc<Queue>);

impl Drop for LastWord {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Writer {
    /// Closes what is left from before.
    fn begin(
        store: &Store,
        term: Term,
        clock: fn() -> Timestamp,
    ) -> Result<(Self, Vec<Interrupted>), StoreFault> {
        let mut connection = store.connect_journal()?;
        let mut ledger = Ledger::new(next(&connection).map_err(StoreFault::of_journal("read"))?);
        let interrupted = recovery::close_all(&term, clock(), &mut ledger, &mut connection)?;
        connection.busy_timeout(HELD).map_err(StoreFault::of_journal("open"))?;
        let log = Log::of(&connection, store.connect_journal()?, store.batons().clone())?;
        let (queue, outbox, home) = (Arc::default(), Outbox::new(store), store.home()?);
        let batons = store.batons().clone();
        Ok((
            Self { connection, log, batons, home, ledger, term, queue, outbox, clock, failing: None },
            interrupted,
        ))
    }

    fn run(mut self) {
        let _last_word = LastWord(Arc::clone(&self.queue));
        let mut last_commit = Instant::now();
        let mut next_heartbeat = last_commit;
        let pace = |last| Pace { orders: last + ORDERS_APART, facts: last + FACTS_APART };
        while let Some(work) = self.queue.take(pace(last_commit), next_heartbeat) {
            let mut batch = Batch { verdicts: work.verdicts, seen: work.seen, ..Batch::default() };
            if Instant::now() >= next_heartbeat {
                next_heartbeat = Instant::now() + HEARTBEAT;
                batch.heartbeat = Some((self.clock)());
                self.ledger.gather(&mut batch);
            }
            self.write(work.orders, work.entries, batch);
            last_commit = Instant::now();
            if self.failing.is_some() {
                // With nothing else to write, a sign of life shows whether it can be written again.
                next_heartbeat = next_heartbeat.min(last_commit + RETRY_FIRST);
            }
        }
        self.log.end();
        tracing::debug!(open = self.ledger.open_calls(), "the journal is closed");
    }

    /// Writes everything in one commit, and tells everybody who waits for it.
    fn write(&mut self, orders: Vec<Accepting>, entries: Vec<Entry>, mut batch: Batch) {
        let orders = self.enter_orders(orders, &mut batch);
        for entry in entries {
            let (call, seq) = (entry.call, entry.seq);
            let entered = match entry.fact {
                // An acceptance must be waited for, so it has no business among the facts.
                Fact::Accepted(_) => Err(Misfit::AcceptedBefore),
                _ => self.ledger.enter(entry, &mut batch),
            };
            if let Err(misfit) = entered {
                tracing::error!(call.id = %call, seq, %misfit, "an entry has no place in the journal");
            }
        }
        let orders = self.commit(&mut batch, orders);
        for order in orders {
            // Whoever asked may have gone away; the call exists all the same.
            let _gone = order.done.send(Ok(()));
        }
        self.outbox.publish(batch.pushes);
    }

    fn enter_orders(&mut self, orders: Vec<Accepting>, batch: &mut Batch) -> Vec<Order> {
        let mut fit = Vec::with_capacity(orders.len());
        for Accepting { entry, charges, since, done } in orders {
            if since.elapsed() > PATIENCE {
                let _gone = done.send(Err(AcceptFault::Slow));
                continue;
            }
            let call = entry.call;
            match self.ledger.enter(entry, batch) {
                Ok(()) => {
                    batch.charges.extend(charges.into_iter().map(|charge| ChargeRow { call, charge }));
                    fit.push(Order { call, done });
                }
                Err(_) => drop(done.send(Err(AcceptFault::Misfit))),
            }
        }
        fit
    }

    /// Commits, however long it takes: facts cannot be refused. Orders can, and are after the first failure.
    fn commit(&mut self, batch: &mut Batch, mut orders: Vec<Order>) -> Vec<Order> {
        let mut pause = RETRY_FIRST;
        while !batch.is_empty() {
            #[cfg(debug_assertions)]
            death::here("before", batch);
            match self.try_to_commit(batch) {
                Ok(()) => {
                    self.log.has_grown();
                    #[cfg(debug_assertions)]
                    death::here("after", batch);
                    self.queue.count_commit();
                    self.works();
                    break;
                }
                Err(StoreFault::ClosedBefore { call }) => {
                    tracing::error!(call.id = %call, "the call was closed by somebody else: our end of it is dropped");
                    batch.drop_call(call);
                }
                Err(fault) => {
                    let why = self.fails(&fault);
                    for order in orders.drain(..) {
                        self.refuse(order, why, batch);
                    }
                    thread::sleep(pause);
                    pause = (pause * 2).min(RETRY_LAST);
                }
            }
        }
        orders
    }

    fn try_to_commit(&mut self, batch: &Batch) -> Result<(), StoreFault> {
        self.home.check()?;
        let _baton = self.batons.take_first(HELD).ok_or(StoreFault::Held)?;
        batch.commit(&self.term, (self.clock)(), &mut self.connection)
    }

    /// Says once that nothing can be written, and refuses who waits for it and who comes from now on. Gives why the orders
    /// at hand are refused; a row that does not fit is their own misfortune.
    fn fails(&mut self, fault: &StoreFault) -> AcceptFault {
        let cause = fault as &dyn std::error::Error;
        if fault.is_about_a_row() {
            tracing::error!(fault = cause, "a row does not fit into the journal");
            return AcceptFault::Misfit;
        }
        let why = if fault.is_held() { AcceptFault::Slow } else { AcceptFault::Unwritten };
        for order in self.queue.fails(why) {
            let _gone = order.done.send(Err(why));
        }
        if self.failing.is_none() {
            self.failing = Some(Instant::now());
            tracing::error!(fault = cause, "the journal cannot be written: orders are refused, facts wait");
        } else {
            tracing::debug!(fault = cause, "the journal still cannot be written");
        }
        why
    }

    /// Takes orders again, if it did not.
    fn works(&mut self) {
        if let Some(since) = self.failing.take() {
            self.queue.works();
            tracing::warn!("the journal is written again, after {:?}", since.elapsed());
        }
    }

    fn refuse(&mut self, order: Order, why: AcceptFault, batch: &mut Batch) {
        self.ledger.forget(order.call);
        batch.drop_call(order.call);
        let _gone = order.done.send(Err(why));
    }
}

/// The numbers of the next rows: one more than any there is.
fn next(connection: &Connection) -> rusqlite::Result<Next> {
    let last = |text| connection.query_row(text, [], |row| row.get::<_, Option<i64>>(0));
    Ok(Next {
        entry: last("SELECT max(id) FROM entry")?.unwrap_or(0) + 1,
        push: last("SELECT max(id) FROM push")?.unwrap_or(0) + 1,
    })
}

/// The shortest time between two commits while somebody waits for one, unless a batch is full. A commit costs about
/// half a millisecond of processor, whatever is in it: at 200 calls a second this is a tenth of a call's whole cost.
const ORDERS_APART: Duration = Duration::from_millis(20);

/// The same while nobody waits: the most that a crash can take of what was known of a call.
const FACTS_APART: Duration = Duration::from_millis(40);

/// How long an order may wait for its turn. Customers' clients wait some seconds for an answer; a call that is placed
/// after they gave up is one that they place twice.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a commit waits for somebody else who holds the database: less than a second, in which an order that finds it
/// held shall be refused.
const HELD: Duration = Duration::from_millis(700);

/// How often the process says that it lives: the error of the end of a call that recovery closes.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// The pause after a first failed commit; each further one is twice as long.
const RETRY_FIRST: Duration = Duration::from_millis(50);

/// The longest pause between two attempts to commit.
const RETRY_LAST: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::{BEGIN, call, talk};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_keeps_the_baton_for_too_long_keeps_orders_out_and_loses_no_fact() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
        let term = store.serve("node-1", BEGIN).await.unwrap();
        let Opened { journal, task, .. } = Journal::open(&store, term, || BEGIN).await.unwrap();
        let [first, second] = [1, 2].map(|number| talk(call(number, "receiver.example")));
        journal.accept(first[0].clone(), Vec::new()).await.unwrap();
        let baton = store.batons().take().await;
        journal.append(first[1..].to_vec()).unwrap();
        assert_eq!(journal.accept(second[0].clone(), Vec::new()).await, Err(AcceptFault::Slow));
        drop(baton);
        while let Err(fault) = journal.accept(second[0].clone(), Vec::new()).await {
            assert_eq!(
                fault,
                AcceptFault::Slow,
                "it tries again by itself, and takes orders when it may write"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        journal.close();
        task.ended().await;
        let admin = crate::Admin::new(&store);
        assert!(admin.record(first[0].call).await.unwrap().is_some());
    }
}
