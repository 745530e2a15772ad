//! The journal: the only truth about calls, written by one task in groups.
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
use std::time::Duration;

use base::fact::{Entry, Fact};
use base::id::CallId;
use base::time::Timestamp;
use sea_orm::sqlx::{Connection, SqliteConnection};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::batch::{Batch, Owner};
use crate::fault::StoreFault;
use crate::ledger::Ledger;
use crate::outbox::{Outbox, PushNo, Verdict};
use crate::queue::{Accepting, Queue, Work};
use crate::recovery::{self, Interrupted};
use crate::store::{Store, Term};

/// The way into the journal. Clones share the one writer.
#[derive(Clone)]
pub struct Journal {
    queue: Arc<Queue>,
}

/// The journal's writer: join it to wait for the last commit.
#[derive(Debug)]
pub struct JournalTask(JoinHandle<()>);

/// Why a call was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcceptFault {
    /// The journal has more to write than it can.
    #[error("the journal is busy")]
    Busy,
    /// The entry is no acceptance of a new call.
    #[error("the entry is not the first of a new call")]
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
    /// Calls that an earlier process left open. They are closed by now; their legs may still be up.
    pub interrupted: Vec<Interrupted>,
}

impl Journal {
    /// Closes what an earlier process left open, then starts the writer. `clock` tells the wall clock's time.
    ///
    /// # Errors
    /// [`StoreFault`] when the database cannot be read or written.
    pub async fn open(store: &Store, term: Term, clock: fn() -> Timestamp) -> Result<Opened, StoreFault> {
        let mut connection = store.connect_journal().await?;
        let mut ledger = Ledger::new(next_push(&mut connection).await?);
        let owner = Owner { node: term.node.clone(), epoch: term.epoch };
        let interrupted =
            recovery::close_all(store, &term, &owner, &mut ledger, &mut connection, clock()).await?;
        let outbox = Outbox::new(store);
        let queue = Arc::new(Queue::default());
        let writer = Writer {
            connection,
            ledger,
            owner,
            queue: Arc::clone(&queue),
            outbox: outbox.clone(),
            clock,
            _term: term,
        };
        let task = JournalTask(tokio::spawn(writer.run()));
        Ok(Opened { journal: Self { queue }, outbox, task, interrupted })
    }

    /// Makes the acceptance of a call durable, and comes back when it is.
    ///
    /// # Errors
    /// [`AcceptFault`]; the call does not exist then.
    pub async fn accept(&self, entry: Entry) -> Result<(), AcceptFault> {
        if !matches!(entry.fact, Fact::Accepted(_)) {
            return Err(AcceptFault::Misfit);
        }
        let receipt = self.queue.accept(entry)?;
        receipt.await.unwrap_or(Err(AcceptFault::Stopped))
    }

    /// Takes facts of accepted calls, in their order. Never waits, and never loses what it took.
    ///
    /// # Errors
    /// Gives the entries back when there is no room: try again in a moment.
    pub fn append(&self, entries: Vec<Entry>) -> Result<(), Vec<Entry>> {
        self.queue.append(entries)
    }

    /// Takes what came of attempts to push. Never waits, and never loses what it took.
    ///
    /// # Errors
    /// Gives the verdicts back when there is no room: try again in a moment.
    pub fn settle(&self, verdicts: Vec<Verdict>) -> Result<(), Vec<Verdict>> {
        self.queue.settle(verdicts)
    }

    /// How many commits the writer has made.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.queue.commits()
    }

    /// Takes nothing more. What was taken is still written; [`JournalTask::ended`] waits for that.
    pub fn close(&self) {
        self.queue.close();
    }
}

impl JournalTask {
    /// Waits until the last commit is made, which comes soon after [`Journal::close`].
    pub async fn ended(self) {
        if let Err(fault) = self.0.await {
            tracing::error!(%fault, "the journal's writer ended badly");
        }
    }
}

/// The one task that writes.
struct Writer {
    connection: SqliteConnection,
    ledger: Ledger,
    owner: Owner,
    queue: Arc<Queue>,
    outbox: Outbox,
    clock: fn() -> Timestamp,
    /// The office is held until the last commit.
    _term: Term,
}

impl Writer {
    async fn run(mut self) {
        let mut last_commit = Instant::now();
        let mut next_heartbeat = last_commit;
        while let Some(work) = self.queue.take(last_commit + PACE, next_heartbeat).await {
            let heartbeat = (Instant::now() >= next_heartbeat).then(self.clock);
            if heartbeat.is_some() {
                next_heartbeat = Instant::now() + HEARTBEAT;
            }
            self.write(work, heartbeat).await;
            last_commit = Instant::now();
        }
        if let Err(fault) = self.connection.close().await {
            tracing::warn!(%fault, "the journal's connection did not close cleanly");
        }
        tracing::debug!(open = self.ledger.open_calls(), "the journal is closed");
    }

    /// Writes everything in one commit, and tells everybody who waits for it.
    async fn write(&mut self, work: Work, heartbeat: Option<Timestamp>) {
        let mut batch = Batch { verdicts: work.verdicts, ..Batch::default() };
        let orders = self.enter_orders(work.orders, &mut batch);
        for entry in &work.entries {
            let entered = match entry.fact {
                // An acceptance must be waited for, so it has no business among the facts.
                Fact::Accepted(_) => Err(crate::ledger::Misfit::AcceptedBefore),
                _ => self.ledger.enter(entry, &mut batch),
            };
            if let Err(misfit) = entered {
                tracing::error!(call.id = %entry.call, seq = entry.seq, %misfit, "an entry has no place in the journal");
            }
        }
        let orders = self.commit(&mut batch, orders, heartbeat).await;
        for order in orders {
            // Whoever asked may have gone away; the call exists all the same.
            let _gone = order.done.send(Ok(()));
        }
        self.outbox.publish(std::mem::take(&mut batch.pushes));
    }

    fn enter_orders(&mut self, orders: Vec<Accepting>, batch: &mut Batch) -> Vec<Accepting> {
        let (fit, misfit): (Vec<_>, Vec<_>) =
            orders.into_iter().partition(|order| self.ledger.enter(&order.entry, batch).is_ok());
        for order in misfit {
            let _gone = order.done.send(Err(AcceptFault::Misfit));
        }
        fit
    }

    /// Commits, however long it takes: facts cannot be refused. Orders can, and are after the first failure.
    async fn commit(
        &mut self,
        batch: &mut Batch,
        mut orders: Vec<Accepting>,
        heartbeat: Option<Timestamp>,
    ) -> Vec<Accepting> {
        let mut pause = RETRY_FIRST;
        while !(batch.is_empty() && heartbeat.is_none()) {
            match batch.commit(&self.owner, heartbeat, &mut self.connection).await {
                Ok(()) => {
                    self.queue.count_commit();
                    break;
                }
                Err(StoreFault::ClosedBefore { call }) => {
                    tracing::error!(call.id = %call, "the call was closed by somebody else: our end of it is dropped");
                    batch.drop_call(call);
                }
                Err(fault) => {
                    tracing::error!(
                        fault = &fault as &dyn std::error::Error,
                        "the journal cannot be written"
                    );
                    for order in orders.drain(..) {
                        self.refuse(order, batch);
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(RETRY_LAST);
                }
            }
        }
        orders
    }

    fn refuse(&mut self, order: Accepting, batch: &mut Batch) {
        let call: CallId = order.entry.call;
        self.ledger.forget(call);
        batch.drop_call(call);
        let _gone = order.done.send(Err(AcceptFault::Unwritten));
    }
}

/// The number of the next push: one more than any there is.
async fn next_push(connection: &mut SqliteConnection) -> Result<PushNo, StoreFault> {
    let last: Option<i64> = sea_orm::sqlx::query_scalar("SELECT max(id) FROM push")
        .fetch_one(connection)
        .await
        .map_err(StoreFault::of_driver("read the outbox of"))?;
    Ok(PushNo(last.unwrap_or(0) + 1))
}

/// The shortest time between two commits, unless a batch is full.
const PACE: Duration = Duration::from_millis(8);

/// How often the process says that it lives: the error of the end of a call that recovery closes.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// The pause after a first failed commit; each further one is twice as long.
const RETRY_FIRST: Duration = Duration::from_millis(50);

/// The longest pause between two attempts to commit.
const RETRY_LAST: Duration = Duration::from_secs(2);
