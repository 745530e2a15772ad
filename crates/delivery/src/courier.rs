//! The one loop that carries pushes: woken by the journal's commits and by the clock.
//!
//! ```text
//! Outbox ─▶ Intake ─▶ Lanes ─▶ (dialect words it, client posts it) ─▶ Lanes ─▶ Verdicts ─▶ Journal
//! ```
//!
//! Each push is worded at its attempt, with a fresh nonce and time and the same number. After a crash everything
//! without a durable verdict is sent again.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use base::row::Row;
use base::time::Timestamp;
use dialects::{Push, PushId, Stamp};
use rand::Rng;
use rand::rngs::StdRng;
use store::{Accounts, DueCursor, Journal, Outbox, Outcome, StoreFault, Verdict, Waiting};
use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::client::Poster;
use crate::intake::{Intake, PAGE};
use crate::lanes::{Lanes, Sending, Sent};
use crate::profile::Profile;

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
    /// How often a push is tried.
    pub profile: Profile,
    /// Tells the wall clock's time.
    pub clock: fn() -> Timestamp,
    /// Makes the nonces.
    pub rng: StdRng,
}

/// A thread that delivers, and the bells that wake and end it.
pub struct Delivery {
    bells: Arc<Bells>,
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
        let bells = Arc::new(Bells::default());
        let courier = Courier {
            outbox: parts.outbox,
            journal: parts.journal,
            accounts: parts.accounts,
            clock: parts.clock,
            rng: parts.rng,
            poster: Poster::new(parts.guard),
            intake: Intake::default(),
            lanes: Lanes::new(parts.profile),
            due: DueCursor::default(),
            missed: false,
            posts: JoinSet::new(),
            verdicts: Vec::new(),
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
        Ok(Self { bells, thread: Some(thread.map_err(StartFault)?) })
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
    due: DueCursor,
    /// Whether some hosts must be read whose pushes nobody handed over.
    missed: bool,
    posts: JoinSet<Sent>,
    /// What the journal had no room for yet.
    verdicts: Vec<Verdict>,
}

impl Courier {
    async fn run(mut self, bells: Arc<Bells>) {
        let mut next_look = Instant::now();
        loop {
            if Instant::now() >= next_look {
                next_look = Instant::now() + LOOK;
                self.look().await;
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
            tracing::warn!(pushes = self.verdicts.len(), "some pushes will be sent again after the restart");
        }
    }

    /// Reads what has fallen due in the database.
    async fn look(&mut self) {
        loop {
            let now = (self.clock)();
            let (due, cursor) = match self.outbox.due(now, self.due, PAGE).await {
                Ok(read) => read,
                Err(fault) => return tell(&fault),
            };
            let full = due.len() >= PAGE;
            self.due = cursor;
            for push in due {
                if self.lanes.room(&push.host) == 0 {
                    self.verdicts.push(postponed(&push, now));
                } else {
                    self.lanes.add(push, now);
                }
            }
            if !full {
                return;
            }
        }
    }

    /// Takes in what was committed, and reads on for hosts that were behind.
    async fn take_in(&mut self) {
        loop {
            let page = match self.intake.next_page(&self.lanes) {
                None => None,
                Some((host, after)) => match self.outbox.page(&host, after, PAGE).await {
                    Ok(page) => Some((host, page)),
                    Err(fault) => return tell(&fault),
                },
            };
            let now = (self.clock)();
            let read = page.is_some();
            if let Some((host, page)) = page {
                self.intake.page(host, page, now, &mut self.lanes);
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

    /// Sends everything that may go, unless the journal is behind with our verdicts.
    fn send(&mut self) {
        if !self.verdicts.is_empty() {
            return;
        }
        let now = (self.clock)();
        while let Some(sending) = self.lanes.next(now) {
            match self.word(&sending, now) {
                Ok(push) => {
                    let poster = self.poster.clone();
                    self.posts.spawn(post(poster, push, sending, now));
                }
                Err(why) => {
                    let sent = Sent { sending, at: now, took: Duration::ZERO, result: Err(why.into()) };
                    self.lanes.done(sent, now, &mut self.verdicts);
                }
            }
        }
    }

    /// Words the message of some pushes for this attempt.
    fn word(&mut self, sending: &Sending, now: Timestamp) -> Result<Push, &'static str> {
        let first = &sending.pushes[0];
        let dialect = dialects::named(&first.dialect).ok_or("this version does not know the dialect")?;
        let account = self.accounts.signer(&first.key).ok_or("the key that would sign is gone")?.account;
        let stamp = Stamp {
            id: PushId(sending.message().0),
            key: &account.key,
            signature: account.app.push_signature,
            now,
            nonce: self.rng.random(),
        };
        let rows: Vec<Row> = sending.pushes.iter().map(|push| push.row.clone()).collect();
        dialect.push(&rows, &stamp).ok_or("the dialect has no words for it")
    }

    fn came_back(&mut self, sent: Result<Sent, tokio::task::JoinError>) {
        match sent {
            Ok(sent) => self.lanes.done(sent, (self.clock)(), &mut self.verdicts),
            // Its lane stays closed until the next start sends the push again.
            Err(fault) => tracing::error!(%fault, "an attempt ended badly"),
        }
    }

    fn settle(&mut self) {
        if !self.verdicts.is_empty()
            && let Err(verdicts) = self.journal.settle(std::mem::take(&mut self.verdicts))
        {
            self.verdicts = verdicts;
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

async fn post(poster: Poster, push: Push, sending: Sending, at: Timestamp) -> Sent {
    let begin = Instant::now();
    let dialect = dialects::named(&sending.pushes[0].dialect);
    let result = match poster.post(push).await {
        Ok(answer) if dialect.is_some_and(|dialect| dialect.received(answer.status, &answer.body)) => Ok(()),
        Ok(answer) => Err(format!("HTTP {}", answer.status).into()),
        Err(fault) => Err(fault.to_string().into()),
    };
    Sent { sending, at, took: begin.elapsed(), result }
}

fn postponed(push: &Waiting, now: Timestamp) -> Verdict {
    Verdict {
        id: push.id,
        at: now,
        took: Duration::ZERO,
        outcome: Outcome::Postponed { due: now + POSTPONED },
        exchange: None,
    }
}

fn tell(fault: &StoreFault) {
    tracing::error!(fault = fault as &dyn std::error::Error, "the outbox cannot be read");
}

/// How often due pushes are looked for.
const LOOK: Duration = Duration::from_secs(1);

/// The pause before the journal is asked again to take our verdicts.
const RETRY: Duration = Duration::from_millis(50);

/// When a due push comes again whose host has too much waiting.
const POSTPONED: Duration = Duration::from_secs(60);
