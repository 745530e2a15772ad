//! From an admitted order to a running call: durable first, then told, then spoken, then dialled.
//!
//! ```text
//! Admission ─▶ journal.accept ─▶ the customer hears success ─▶ its words are spoken ─▶ engine.launch
//!                  │ refused, or too slow: nothing is dialled, everything taken is given back
//! ```
//!
//! A promise is kept by a task of its own: a client that breaks off takes nothing with it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use admission::{Admission, Tally};
use base::call::{Admitted, Call, Text};
use base::clip::ClipKey;
use base::fact::{Entry, Fact};
use base::id::{AppId, CallId};
use base::refusal::Refusal;
use base::release::{Cause, Ending, Party};
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
    pub(crate) waiting: Waiting,
    /// The promises that are not kept yet.
    pub(crate) tasks: TaskTracker,
}

/// Accepted calls whose words are being spoken: whose they are, and whether they were stopped meanwhile.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting(Arc<Mutex<HashMap<CallId, (AppId, bool)>>>);

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
        let clips = match self.clips.of(&admitted.call).await {
            Ok(clips) => clips,
            Err(refusal) => {
                self.tally.refund(&charges);
                return Err(refusal);
            }
        };
        let settled = Arc::new(Settled::default());
        let (tell, told) = oneshot::channel();
        let (own, decided) = (self.clone(), Arc::clone(&settled));
        self.tasks.spawn(async move {
            let accepted = own.journal.accept(acceptance(&admitted.call), charges.clone()).await;
            if accepted.is_err() {
                own.tally.refund(&charges);
            }
            let accepted = accepted.map_err(refusal);
            let promised = accepted.is_ok();
            let in_time = decided.settle(PROMISED);
            tell.send(accepted).ok();
            match (promised, in_time) {
                (true, true) => own.keep(admitted, clips).await,
                (true, false) => own.take_back(&admitted.call).await,
                (false, _) => {}
            }
        });
        match tokio::time::timeout(self.patience, told).await {
            Ok(accepted) => accepted.unwrap_or(Err(Refusal::OurFault)),
            // The journal may have been quicker by a hair: then the call is promised.
            Err(_) if settled.settle(GIVEN_UP) => Err(Refusal::CoreSlow),
            Err(_) => Ok(()),
        }
    }

    /// Stops a call whose words are still being spoken. Whether there was one of that app.
    pub(crate) fn stop(&self, call: CallId, app: AppId) -> bool {
        match self.waiting.locked().get_mut(&call) {
            Some((owner, stopped)) if *owner == app => {
                *stopped = true;
                true
            }
            _ => false,
        }
    }

    /// Speaks what is to be spoken and hands the call to its shard.
    async fn keep(&self, admitted: Admitted, clips: Vec<(ClipKey, Clip)>) {
        let (call, app) = (admitted.call.id, admitted.call.app);
        tracing::info!(call.id = %call, "accepted");
        if admitted.texts.is_empty() {
            return self.launch(Launch::new(admitted, clips, engine::Speech::None)).await;
        }
        self.waiting.locked().insert(call, (app, false));
        let launch = self.speak(admitted, clips).await;
        self.launch(launch).await;
        // A stop that came before is told to the engine now; one that comes after finds the call there.
        let stopped = self.waiting.locked().remove(&call).is_some_and(|(_, stopped)| stopped);
        if stopped {
            self.engine.stop(call, app, |_| {});
        }
    }

    async fn speak(&self, admitted: Admitted, mut clips: Vec<(ClipKey, Clip)>) -> Launch {
        let texts: Vec<Text> = admitted.texts.clone();
        let speech = match self.words.speak(texts).await {
            Ok((spoken, took)) => {
                clips.extend(spoken);
                engine::Speech::Took(took)
            }
            Err(fault) => {
                tracing::warn!(call.id = %admitted.call.id, "its words are not spoken: {fault}");
                engine::Speech::Failed
            }
        };
        Launch::new(admitted, clips, speech)
    }

    /// The call is promised by now, so a full shard is waited for.
    async fn launch(&self, launch: Launch) {
        let mut waiting = Box::new(launch);
        while let Err(refused) = self.engine.launch(*waiting) {
            waiting = refused;
            tokio::time::sleep(FULL).await;
        }
    }

    /// Closes a call that became durable after its customer was refused. Nobody was dialled.
    async fn take_back(&self, call: &Call) {
        tracing::warn!(call.id = %call.id, "accepted too late, and closed");
        let ending = Ending { by: Party::Platform, cause: Cause::OurFault, leg: None };
        let mut entries = vec![Entry { call: call.id, seq: 1, at: wall(), fact: Fact::Over(ending) }];
        while let Err(refused) = self.journal.append(entries) {
            entries = refused;
            tokio::time::sleep(FULL).await;
        }
    }
}

impl Waiting {
    fn locked(&self) -> MutexGuard<'_, HashMap<CallId, (AppId, bool)>> {
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
