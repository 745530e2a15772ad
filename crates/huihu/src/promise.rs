//! From an admitted order to a running call: durable first, then told, then spoken, then dialled.
//!
//! ```text
//! Admission ─▶ journal.accept ─▶ the customer hears success ─▶ its words are spoken ─▶ engine.launch
//!                  │ refused, or too slow: nothing is dialled, everything taken is given back
//! ```
//!
//! A call that something is held against, and whose customer is told so by its report, ends where its words would be
//! spoken.
//!
//! A promise is kept by a task of its own: a client that breaks off takes nothing with it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use admission::{Admission, Tally};
use base::call::{Admitted, Call};
use base::clip::ClipKey;
use base::fact::{Entry, Fact};
use base::id::{AppId, CallId};
use base::quota::Charge;
use base::refusal::Refusal;
use base::release::{Cause, Ending, Party};
use base::time::Timestamp;
use engine::{Engine, Launch};
use media::clip::Clip;
use store::{AcceptFault, Journal};
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use crate::clips::Clips;
use crate::road::wall;
use crate::words::Words;

/// How long an accepted call waits before it is offered to a full shard or journal again.
const FULL: Duration = Duration::from_millis(5);

/// How long it is offered to its shard. One that takes nothing for so long is broken.
const OFFERED: Duration = Duration::from_secs(30);

/// Makes promises and keeps them. Clones share everything.
#[derive(Clone)]
pub(crate) struct Promises {
    pub(crate) journal: Journal,
    pub(crate) engine: Arc<Engine>,
    pub(crate) clips: Arc<Clips>,
    pub(crate) words: Words,
    pub(crate) tally: Arc<Tally>,
    /// How long an order waits for the journal.
    pub(crate) patience: Duration,
    /// How long a telephone may ring.
    pub(crate) ring: Duration,
    pub(crate) waiting: Waiting,
    /// The promises that are not kept yet.
    pub(crate) tasks: TaskTracker,
}

/// Accepted calls that no shard has yet, because their words are being spoken or the shard is full.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting(Arc<Mutex<HashMap<CallId, Wait>>>);

/// Whose such a call is, and when it was stopped, if it was.
#[derive(Debug)]
struct Wait {
    app: AppId,
    stopped_at: Option<Timestamp>,
}

/// What came of offering a call to its shard.
enum Offered {
    Taken,
    /// It was stopped before; nobody shall be dialled.
    Stopped(Timestamp),
    Full(Box<Launch>),
}

/// What a call was counted against. Taken off again unless the call is promised, also when whoever asked breaks off.
struct Charged {
    tally: Arc<Tally>,
    charges: Vec<Charge>,
}

/// Who settled an order first: the journal, or the patience of the one who asked.
#[derive(Debug, Default)]
struct Settled(AtomicU8);

const OPEN: u8 = 0;
const PROMISED: u8 = 1;
const GIVEN_UP: u8 = 2;

impl Settled {
    /// Whether it was this one who settled it.
    fn settle(&self, how: u8) -> bool {
        self.0.compare_exchange(OPEN, how, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

impl Promises {
    /// Makes an admitted order durable. When this returns, the call will be placed, whatever becomes of the client.
    ///
    /// # Errors
    /// Why not; everything that was taken is given back then.
    pub(crate) async fn make(&self, admission: Admission) -> Result<(), Refusal> {
        let Admission { admitted, charges, .. } = admission;
        let charged = Charged { tally: Arc::clone(&self.tally), charges };
        let clips = self.clips.of(&admitted.call).await?;
        let settled = Arc::new(Settled::default());
        let (tell, mut told) = oneshot::channel();
        self.tasks.spawn(self.clone().promise(admitted, clips, charged, Arc::clone(&settled), tell));
        let accepted = match tokio::time::timeout(self.patience, &mut told).await {
            Ok(accepted) => accepted,
            Err(_) if settled.settle(GIVEN_UP) => return Err(Refusal::CoreSlow),
            // The journal was quicker by a hair, and is about to say what it did.
            Err(_) => told.await,
        };
        accepted.unwrap_or(Err(Refusal::OurFault))
    }

    /// Waits for the journal, tells the one who asked, and keeps what was promised.
    async fn promise(
        self,
        admitted: Admitted,
        clips: Vec<(ClipKey, Clip)>,
        charged: Charged,
        settled: Arc<Settled>,
        tell: oneshot::Sender<Result<(), Refusal>>,
    ) {
        let accepted = self.journal.accept(acceptance(&admitted.call), charged.charges.clone()).await;
        let in_time = settled.settle(PROMISED);
        match accepted {
            Ok(()) if in_time => {
                charged.stand();
                // Whoever knows of the call may stop it at once.
                self.waiting.begin(&admitted.call);
                tell.send(Ok(())).ok();
                self.keep(admitted, clips).await;
            }
            Ok(()) => self.take_back(&admitted.call).await,
            Err(fault) => {
                drop(charged);
                tell.send(Err(refusal(fault))).ok();
            }
        }
    }

    /// Stops a call that no shard has yet. Whether there was one of that app that was not stopped before.
    pub(crate) fn stop(&self, call: CallId, app: AppId) -> bool {
        let mut waiting = self.waiting.locked();
        let wait = waiting.get_mut(&call).filter(|wait| wait.app == app && wait.stopped_at.is_none());
        wait.is_some_and(|wait| {
            wait.stopped_at = Some(wall());
            true
        })
    }

    /// Speaks what is to be spoken and hands the call to its shard.
    async fn keep(&self, admitted: Admitted, clips: Vec<(ClipKey, Clip)>) {
        let call = admitted.call.id;
        tracing::info!(call.id = %call, "accepted");
        if let Some(cause) = admitted.objection {
            self.waiting.end(call);
            let ending = Ending { by: Party::Platform, cause, leg: None };
            return self.close(call, [(wall(), Fact::Over(ending))]).await;
        }
        let launch = match admitted.texts.is_empty() {
            true => Launch::new(admitted, clips, engine::Speech::None),
            false => self.speak(admitted, clips).await,
        };
        self.launch(call, launch.ringing_for(self.ring)).await;
    }

    async fn speak(&self, admitted: Admitted, mut clips: Vec<(ClipKey, Clip)>) -> Launch {
        let (texts, words) = (admitted.texts.clone(), self.words.clone());
        // In a task of its own: a voice that panics fails to speak, and the call gets its end.
        let speech = match tokio::spawn(async move { words.speak(texts).await }).await {
            Ok(Ok((spoken, took))) => {
                clips.extend(spoken);
                engine::Speech::Took(took)
            }
            Ok(Err(fault)) => {
                tracing::warn!(call.id = %admitted.call.id, "its words are not spoken: {fault}");
                engine::Speech::Failed
            }
            Err(_) => {
                tracing::error!(call.id = %admitted.call.id, "its words are not spoken: a voice broke");
                engine::Speech::Failed
            }
        };
        Launch::new(admitted, clips, speech)
    }

    /// Gives the call to its shard, unless it was stopped. It is promised by now, so a full shard is waited for.
    async fn launch(&self, call: CallId, launch: Launch) {
        let (mut waiting, until) = (Box::new(launch), Instant::now() + OFFERED);
        loop {
            match self.waiting.offer(&self.engine, call, waiting) {
                Offered::Taken => return,
                Offered::Stopped(at) => {
                    let ending = Ending { by: Party::Customer, cause: Cause::Stopped, leg: None };
                    return self.close(call, [(at, Fact::StopAsked), (wall(), Fact::Over(ending))]).await;
                }
                Offered::Full(_) if Instant::now() >= until => {
                    self.waiting.end(call);
                    tracing::error!(call.id = %call, "its shard takes nothing, and it is closed");
                    return self.close(call, [(wall(), Fact::Over(OUR_FAULT))]).await;
                }
                Offered::Full(launch) => waiting = launch,
            }
            tokio::time::sleep(FULL).await;
        }
    }

    /// Closes a call that became durable after its customer was refused. Nobody was dialled.
    async fn take_back(&self, call: &Call) {
        tracing::warn!(call.id = %call.id, "accepted too late, and closed");
        self.close(call.id, [(wall(), Fact::Over(OUR_FAULT))]).await;
    }

    /// Writes the last facts of a call that no shard ever had, as soon as the journal has room for them.
    async fn close<const N: usize>(&self, call: CallId, facts: [(Timestamp, Fact); N]) {
        let numbered = (1..).zip(facts);
        let mut entries = numbered.map(|(seq, (at, fact))| Entry { call, seq, at, fact }).collect();
        while let Err(refused) = self.journal.append(entries) {
            entries = refused;
            tokio::time::sleep(FULL).await;
        }
    }
}

const OUR_FAULT: Ending = Ending { by: Party::Platform, cause: Cause::OurFault, leg: None };

impl Charged {
    /// The call is promised: it counts.
    fn stand(mut self) {
        self.charges.clear();
    }
}

impl Drop for Charged {
    fn drop(&mut self) {
        self.tally.refund(&self.charges);
    }
}

impl Waiting {
    fn begin(&self, call: &Call) {
        self.locked().insert(call.id, Wait { app: call.app, stopped_at: None });
    }

    /// Offers the call to its shard. A stop comes either before that, and is seen here, or after it, and finds the call
    /// there.
    fn offer(&self, engine: &Engine, call: CallId, launch: Box<Launch>) -> Offered {
        let mut waiting = self.locked();
        let stopped_at = waiting.get(&call).and_then(|wait| wait.stopped_at);
        let offered = match stopped_at {
            Some(at) => Offered::Stopped(at),
            None => engine.launch(*launch).map_or_else(Offered::Full, |()| Offered::Taken),
        };
        if !matches!(offered, Offered::Full(_)) {
            waiting.remove(&call);
        }
        offered
    }

    fn end(&self, call: CallId) {
        self.locked().remove(&call);
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<CallId, Wait>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn acceptance(call: &Call) -> Entry {
    Entry { call: call.id, seq: 0, at: call.accepted_at, fact: Fact::Accepted(Box::new(call.clone())) }
}

const fn refusal(fault: AcceptFault) -> Refusal {
    match fault {
        AcceptFault::Busy => Refusal::PlatformBusy,
        AcceptFault::Slow => Refusal::CoreSlow,
        AcceptFault::Misfit => Refusal::Misfit,
        AcceptFault::Unwritten | AcceptFault::Stopped => Refusal::CoreDown,
    }
}

#[cfg(test)]
mod tests;
