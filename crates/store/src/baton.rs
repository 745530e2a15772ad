//! The baton: whoever holds it writes into the database, and hands it on to the next.
//!
//! SQLite lets one write at a time too, but those who find it taken sleep and try again: who writes without a pause keeps
//! them out for as long as he likes. Within the process nobody needs to try. Other processes (a command line) hold no baton;
//! what holds them off is SQLite's own lock.

use std::collections::VecDeque;
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

/// Where the baton lies, and who stands in line for it. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct BatonLine {
    line: Arc<Mutex<Line>>,
}

#[derive(Default)]
struct Line {
    is_held: bool,
    waiting: VecDeque<Waiter>,
}

enum Waiter {
    Task(oneshot::Sender<Baton>),
    Thread(SyncSender<Baton>),
}

/// Goes to the next in line when it is dropped.
pub(crate) struct Baton {
    line: Option<BatonLine>,
}

impl BatonLine {
    /// Waits in line.
    pub(crate) async fn take(&self) -> Baton {
        let (give, given) = oneshot::channel();
        if let Some(baton) = self.take_or(|line| line.push_back(Waiter::Task(give))) {
            return baton;
        }
        given.await.expect("a baton comes round to everybody who stands in line")
    }

    /// Blocks the thread for so long at most. It goes before all tasks: it writes for many who wait.
    pub(crate) fn take_first(&self, at_most: Duration) -> Option<Baton> {
        let (give, given) = mpsc::sync_channel(1);
        self.take_or(|line| line.push_front(Waiter::Thread(give)))
            .or_else(|| given.recv_timeout(at_most).ok())
    }

    fn take_or(&self, stand_in_line: impl FnOnce(&mut VecDeque<Waiter>)) -> Option<Baton> {
        let mut line = self.locked();
        if line.is_held {
            stand_in_line(&mut line.waiting);
            return None;
        }
        line.is_held = true;
        Some(self.baton())
    }

    fn baton(&self) -> Baton {
        Baton { line: Some(self.clone()) }
    }

    fn locked(&self) -> MutexGuard<'_, Line> {
        // Every change under the lock is whole before anything in it can panic.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next in line; when there is none the baton lies down.
    fn next(&self) -> Option<Waiter> {
        let mut line = self.locked();
        let next = line.waiting.pop_front();
        line.is_held = next.is_some();
        next
    }
}

impl Waiter {
    /// Gives it back when nobody waits there any more.
    fn give(self, baton: Baton) -> Result<(), Baton> {
        match self {
            Self::Task(task) => task.send(baton),
            Self::Thread(thread) => thread.send(baton).map_err(|gone| gone.0),
        }
    }
}

impl Drop for Baton {
    fn drop(&mut self) {
        let Some(line) = self.line.take() else { return };
        while let Some(next) = line.next() {
            match next.give(line.baton()) {
                Ok(()) => return,
                // Not by dropping it: as many as have gone would be as deep a recursion.
                Err(mut baton) => baton.line = None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn tasks_write_in_their_order_and_a_thread_before_them() {
        let line = BatonLine::default();
        let baton = line.take().await;
        let (order, wrote) = mpsc::channel();
        for number in 1..=3 {
            let (line_too, order) = (line.clone(), order.clone());
            tokio::spawn(async move {
                let _baton = line_too.take().await;
                order.send(number).unwrap();
            });
            waiting(&line, number).await;
        }
        let line_too = line.clone();
        let thread = thread::spawn(move || {
            let _baton = line_too.take_first(LONG).unwrap();
            order.send(0).unwrap();
        });
        waiting(&line, 4).await;
        drop(baton);
        thread.join().unwrap();
        let wrote = tokio::task::spawn_blocking(move || wrote.iter().collect::<Vec<_>>()).await.unwrap();
        assert_eq!(wrote, [0, 1, 2, 3]);
        assert!(line.take_first(Duration::ZERO).is_some());
    }

    #[tokio::test]
    async fn who_has_gone_keeps_nobody_from_writing() {
        let line = BatonLine::default();
        let baton = line.take().await;
        assert!(line.take_first(Duration::from_millis(1)).is_none(), "somebody holds it");
        let tasks: Vec<_> = (2..20_000)
            .map(|_| {
                let line = line.clone();
                tokio::spawn(async move { drop(line.take().await) })
            })
            .collect();
        waiting(&line, tasks.len() + 1).await;
        for task in tasks {
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        }
        let last = tokio::spawn({
            let line = line.clone();
            async move { drop(line.take().await) }
        });
        drop(baton);
        last.await.unwrap();
        assert!(line.take_first(Duration::ZERO).is_some());
    }

    async fn waiting(line: &BatonLine, count: usize) {
        while line.locked().waiting.len() < count {
            tokio::task::yield_now().await;
        }
    }
}
