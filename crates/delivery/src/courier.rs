//! The one loop that carries pushes: woken by the journal's commits and by the clock.
//!
//! ```text
//! Outbox ─▶ Intake ─▶ Lanes ─▶ (dialect words it, client posts it) ─▶ Lanes ─▶ Verdicts ─▶ Journal
//! ```
//!
//! Each push is worded at its attempt, with a fresh nonce and time and the same number. After a crash everything
//! without a durable verdict is sent again.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use base::limits::{PUSH_ATTEMPT, PUSH_REPLY_BYTES};
use base::row::{Channel, Row};
use base::time::Timestamp;
use dialects::{Push, PushId, Stamp};
use rand::Rng;
use rand::rngs::StdRng;
use store::{
    Accounts, DueCursor, Exchange, Journal, Outbox, Page, PushNo, Signer, StoreFault, Verdict, Waiting,
};
use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::client::{Answer, Poster};
use crate::evidence;
use crate::health::{HostState, Sign};
use crate::intake::{Intake, PAGE};
use crate::lanes::{Failure, Lanes, POSTPONED, Sending, Sent};
use crate::profile::{Pace, Profile};
use crate::repeats::Repeats;

/// What the courier works with.
pub struct Parts {
    /// Where pushes come from.
    pub outbox: Outbox,
    /// Where verdicts go.
    pub journal: Journal,
    /// Whose keys sign.
    pub accounts: Accounts,
    /// Which addresses may be connected to.
    pub guard: base::address::Guard,
    /// How far the attempts of a push are apart.
    pub pace: Pace,
    /// How long an attempt may take, from the receiver's name to the last byte of its answer: at most
    /// [`PUSH_ATTEMPT`](base::limits::PUSH_ATTEMPT).
    pub attempt: Duration,
    /// Tells the wall clock's time.
    pub clock: fn() -> Timestamp,
    /// Makes the nonces.
    pub rng: StdRng,
}

/// What is known of the hosts that pushes go to, as of a second ago. Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct Hosts(Arc<Mutex<Vec<HostState>>>);

impl Hosts {
    /// All of them, in no order. One that was sent nothing for a day is forgotten.
    #[must_use]
    pub fn all(&self) -> Vec<HostState> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<HostState>> {
        // It is put there as a whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread that delivers, and the bells that wake and end it.
pub struct Delivery {
    bells: Arc<Bells>,
    hosts: Hosts,
    /// Until it is stopped.
    thread: Option<JoinHandle<()>>,
}

/// Delivery cannot begin: the system gives no thread, or no way to wait for sockets.
#[derive(Debug, thiserror::Error)]
#[error("the system gives delivery no thread: raise the limits of processes and open files for this user")]
pub struct StartFault(#[source] io::Error);

#[derive(Default)]
struct Bells {
    wake: Notify,
    stop: Notify,
    /// Nobody wants to hear of it any more: what is in flight is broken off, and sent again after a restart.
    abandon: Notify,
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.bells.abandon.notify_one();
    }
}

impl Delivery {
    /// Starts to deliver, on a thread and a runtime of its own: the pushes of one commit are sent and answered
    /// together, and waking another thread for each of them would cost more than the push.
    ///
    /// # Errors
    /// [`StartFault`].
    pub fn start(parts: Parts) -> Result<Self, StartFault> {
        let (bells, hosts) = (Arc::new(Bells::default()), Hosts::default());
        let courier = Courier {
            outbox: parts.outbox,
            journal: parts.journal,
            accounts: parts.accounts,
            clock: parts.clock,
            rng: parts.rng,
            poster: Poster::new(parts.guard, parts.attempt.min(PUSH_ATTEMPT)),
            intake: Intake::default(),
            lanes: Lanes::new(parts.pace),
            hosts: hosts.clone(),
            due: DueCursor::default(),
            repeats: Repeats::default(),
            next_rewind: Instant::now() + REWIND,
            missed: false,
            posts: JoinSet::new(),
            verdicts: VecDeque::new(),
        };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(StartFault)?;
        let rung = Arc::clone(&bells);
        let run = async move {
            tokio::select! {
                () = courier.run(Arc::clone(&rung)) => {}
                () = rung.abandon.notified() => {}
            }
        };
        let thread = thread::Builder::new().name("delivery".to_owned()).spawn(move || runtime.block_on(run));
        Ok(Self { bells, hosts, thread: Some(thread.map_err(StartFault)?) })
    }

    /// How the hosts fare that pushes go to.
    #[must_use]
    pub fn hosts(&self) -> Hosts {
        self.hosts.clone()
    }

    /// Has the courier look for due pushes now instead of within a second.
    pub fn wake(&self) {
        self.bells.wake.notify_one();
    }

    /// Sends nothing new, waits for what is in flight, and hands the last verdicts to the journal, which must still
    /// be open.
    pub async fn stop(mut self) {
        self.bells.stop.notify_one();
        let Some(thread) = self.thread.take() else { return };
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the courier ended badly");
        }
    }
}

struct Courier {
    outbox: Outbox,
    journal: Journal,
    accounts: Accounts,
    clock: fn() -> Timestamp,
    rng: StdRng,
    poster: Poster,
    intake: Intake,
    lanes: Lanes,
    hosts: Hosts,
    due: DueCursor,
    repeats: Repeats,
    next_rewind: Instant,
    /// Whether some hosts must be read whose pushes nobody handed over.
    missed: bool,
    posts: JoinSet<Sent>,
    /// What the journal had no room for yet; what must be written together is.
    verdicts: VecDeque<Vec<Verdict>>,
}

impl Courier {
    async fn run(mut self, bells: Arc<Bells>) {
        let mut next_look = Instant::now();
        loop {
            if Instant::now() >= next_look {
                next_look = Instant::now() + LOOK;
                self.settle();
                self.look().await;
                *self.hosts.lock() = self.lanes.hosts((self.clock)());
            }
            self.take_in().await;
            self.settle();
            self.send();
            self.settle();
            let pause = self.pause(next_look);
            tokio::select! {
                () = self.outbox.committed() => {}
                Some(sent) = self.posts.join_next() => self.came_back(sent),
                () = bells.wake.notified() => next_look = Instant::now(),
                () = tokio::time::sleep(pause) => {}
                () = bells.stop.notified() => break,
            }
            while let Some(sent) = self.posts.try_join_next() {
                self.came_back(sent);
            }
        }
        while let Some(sent) = self.posts.join_next().await {
            self.came_back(sent);
        }
        self.settle();
        if !self.verdicts.is_empty() || !self.lanes.is_still() {
            let pushes: usize = self.verdicts.iter().map(Vec::len).sum();
            tracing::warn!(pushes, "some pushes will be sent again after the restart");
        }
    }

    /// Reads what has fallen due in the database.
    async fn look(&mut self) {
        // What fell due before it was written is not behind the cursor for ever. While the journal is still, and we have
        // nothing for it, nothing is read that was settled already.
        if Instant::now() >= self.next_rewind && self.verdicts.is_empty() && self.journal.is_still() {
            self.next_rewind = Instant::now() + REWIND;
            self.due = DueCursor::default();
            self.repeats.end();
        }
        loop {
            let full = match self.look_at_page((self.clock)()).await {
                Ok(full) => full,
                Err(fault) => return tell(&fault),
            };
            if !full {
                return self.repeats.end();
            }
            // What finds no room is a verdict each: the rest is for the next look.
            if self.lanes.verdicts() > VERDICTS {
                return;
            }
        }
    }

    /// Takes in a page of what has fallen due, with all that is in the same messages. Gives whether there may be more.
    async fn look_at_page(&mut self, now: Timestamp) -> Result<bool, StoreFault> {
        let (due, cursor) = self.outbox.due(now, self.due, PAGE).await?;
        let full = due.len() >= PAGE;
        let (alone, messages) = self.repeats.part(due);
        let mut repeated = Vec::new();
        for some in messages.chunks(MESSAGES) {
            repeated.append(&mut self.outbox.of_messages(some.iter().copied()).await?);
        }
        let closed = self.closed(&alone, now).await?;
        self.due = cursor;
        for push in alone {
            if self.lanes.give_up(slice::from_ref(&push), self.profile(&push), now) {
                continue;
            }
            if self.lanes.room(&push.host) == 0 {
                self.lanes.postpone(&push, now + POSTPONED, now);
            } else {
                let until = closed.get(&push.id).copied();
                self.lanes.add_read(push, until, now);
            }
        }
        for message in self.repeats.meet(repeated) {
            if self.lanes.give_up(&message, self.profile(&message[0]), now) {
                continue;
            }
            if self.lanes.room(&message[0].host) < message.len() {
                self.lanes.postpone_message(&message, now + MESSAGES_POSTPONED, now);
            } else {
                self.lanes.add_message(message);
            }
        }
        Ok(full)
    }

    /// Takes in what was committed, and reads on for hosts that were behind.
    async fn take_in(&mut self) {
        loop {
            let now = (self.clock)();
            let next = self.intake.next_page(&self.lanes);
            let read = next.is_some();
            if let Some((host, after)) = next {
                match self.read_page(&host, after, now).await {
                    Ok((page, closed)) => self.intake.page(host, page, &closed, now, &mut self.lanes),
                    Err(fault) => return tell(&fault),
                }
            }
            // Right after a page, before anything is sent: both may hold the same pushes.
            let fresh = self.outbox.take_fresh();
            self.missed |= fresh.overflowed;
            if self.missed {
                match self.outbox.hosts().await {
                    Ok(hosts) => self.intake.missed(hosts),
                    Err(fault) => return tell(&fault),
                }
            }
            self.intake.take(fresh.pushes, now, &mut self.lanes);
            if !read && !std::mem::take(&mut self.missed) {
                return;
            }
        }
    }

    async fn read_page(
        &self,
        host: &str,
        after: PushNo,
        now: Timestamp,
    ) -> Result<(Page, HashMap<PushNo, Timestamp>), StoreFault> {
        let page = self.outbox.page(host, after, PAGE).await?;
        let closed = self.closed(&page.pushes, now).await?;
        Ok((page, closed))
    }

    /// Which pushes must wait for an earlier one of their call.
    async fn closed(
        &self,
        pushes: &[Waiting],
        now: Timestamp,
    ) -> Result<HashMap<PushNo, Timestamp>, StoreFault> {
        let events = pushes.iter().filter(|push| push.channel == Channel::Status);
        self.outbox.closed(events.map(|push| push.id), now).await
    }

    /// How often the app of a push wants it tried.
    fn profile(&self, push: &Waiting) -> Profile {
        self.accounts.signer(&push.key).map(|signer| signer.profile).unwrap_or_default()
    }

    /// Sends everything that may go, unless the journal is behind with our verdicts.
    fn send(&mut self) {
        if !self.verdicts.is_empty() {
            return;
        }
        let now = (self.clock)();
        while let Some(sending) = self.lanes.next(now) {
            // Those of one app may have come with several keys, and some may be gone.
            let signer = sending.pushes.iter().find_map(|push| self.accounts.signer(&push.key));
            let profile = signer.as_ref().map(|signer| signer.profile).unwrap_or_default();
            let dice = self.rng.random();
            match self.word(&sending, signer.as_ref(), now) {
                Ok(push) => {
                    let poster = self.poster.clone();
                    self.posts.spawn(async move {
                        let begin = Instant::now();
                        let result = post(&poster, push, &sending).await;
                        Sent { sending, at: now, took: begin.elapsed(), result, profile, dice }
                    });
                }
                Err(why) => {
                    let failure = Failure { why: why.into(), exchange: None, sign: Sign::Nothing };
                    let (took, result) = (Duration::ZERO, Err(failure));
                    self.lanes.done(Sent { sending, at: now, took, result, profile, dice }, now);
                }
            }
        }
    }

    /// Words the message of some pushes for this attempt.
    fn word(
        &mut self,
        sending: &Sending,
        signer: Option<&Signer>,
        now: Timestamp,
    ) -> Result<Push, &'static str> {
        let dialect = dialects::named(&sending.pushes[0].dialect);
        let dialect = dialect.ok_or("this version does not know the dialect")?;
        let account = &signer.ok_or("the key that would sign is gone")?.account;
        let stamp = Stamp {
            id: PushId(sending.message().0),
            key: &account.key,
            signature: account.app.push_signature,
            reports: account.app.reports,
            now,
            nonce: self.rng.random(),
        };
        let rows: Vec<Row> = sending.pushes.iter().map(|push| push.row.clone()).collect();
        dialect.push(&rows, &stamp).ok_or("the dialect has no words for it")
    }

    fn came_back(&mut self, sent: Result<Sent, tokio::task::JoinError>) {
        match sent {
            Ok(sent) => self.lanes.done(sent, (self.clock)()),
            // Its lane, or its customer, waits until the next start sends the message again.
            Err(fault) => tracing::error!(%fault, "an attempt ended badly"),
        }
    }

    /// Hands verdicts to the journal, a piece at a time, as many as it has room for.
    fn settle(&mut self) {
        self.verdicts.extend(self.lanes.take_verdicts());
        while let Some(mut piece) = self.verdicts.pop_front() {
            while let Some(mut next) = self.verdicts.pop_front_if(|_| piece.len() < PAGE) {
                piece.append(&mut next);
            }
            if let Err(refused) = self.journal.settle(piece) {
                self.verdicts.push_front(refused);
                return;
            }
        }
    }

    /// How long there is nothing to do without news.
    fn pause(&self, next_look: Instant) -> Duration {
        if !self.verdicts.is_empty() {
            return RETRY;
        }
        let look = next_look.saturating_duration_since(Instant::now());
        self.lanes.deadline().map_or(look, |due| look.min(due.since((self.clock)())))
    }
}

async fn post(poster: &Poster, push: Push, sending: &Sending) -> Result<(), Failure> {
    let dialect = dialects::named(&sending.pushes[0].dialect);
    let (why, sign, answer) = match poster.post(&push).await {
        Ok(answer) if dialect.is_some_and(|dialect| dialect.received(answer.status, &answer.body)) => {
            return Ok(());
        }
        Ok(answer) => (refused(&answer), Sign::Well, Some(evidence::answer(&answer))),
        Err(fault) => (fault.to_string(), fault.sign(), None),
    };
    let exchange = Some(Exchange { request: evidence::request(&push), answer });
    Err(Failure { why: why.into(), exchange, sign })
}

/// What is said of an answer that does not mean that the receiver has the push.
fn refused(answer: &Answer) -> String {
    match answer.status {
        200 if answer.is_whole => "HTTP 200, but the answer does not say that it was received".to_owned(),
        200 => format!(
            "HTTP 200, but the first {} KiB of the answer do not say that it was received",
            PUSH_REPLY_BYTES / 1024
        ),
        status @ 300..400 => format!("HTTP {status}: no redirect is followed"),
        status => format!("HTTP {status}"),
    }
}

fn tell(fault: &StoreFault) {
    tracing::error!(fault = fault as &dyn std::error::Error, "the outbox cannot be read");
}

/// How often due pushes are looked for.
const LOOK: Duration = Duration::from_secs(1);

/// Messages that are read at once: at most some thousand pushes.
const MESSAGES: usize = 16;

/// Verdicts of one look at most, about.
const VERDICTS: usize = 4 * PAGE;

/// How often all due pushes are looked for, not only those that fell due since the last look.
const REWIND: Duration = Duration::from_secs(60);

/// The pause before the journal is asked again to take our verdicts.
const RETRY: Duration = Duration::from_millis(50);

/// When a due message comes again whose host has too much waiting: as long as reports are apart at last, so that a customer
/// who is away does not have us read all its messages every minute.
const MESSAGES_POSTPONED: Duration = Duration::from_secs(300);
