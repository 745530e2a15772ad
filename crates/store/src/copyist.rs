//! How what is committed gets from SQLite's log into the database.
//!
//! ```text
//! commits ─▶ log ─ many pages ─▶ the copyist's thread copies ─ the last few with the baton ─▶ the log begins anew
//! ```
//!
//! By itself SQLite copies at the end of a commit, and everybody who waits for that one waits for thousands of pages too:
//! one commit in sixty took fifty milliseconds instead of three. A thread of its own copies while others go on writing. What they
//! write meanwhile keeps the log from ending, so the rest, which is little, is copied while nobody writes.

use std::cell::Cell;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;

use crate::baton::BatonLine;
use crate::fault::StoreFault;

/// What the journal's writer knows of the log.
pub(crate) struct Log {
    bell: SyncSender<()>,
    copyist: JoinHandle<()>,
    /// At how many pages the copyist is called next.
    due: u32,
    /// How many there were at the last look.
    pages: u32,
}

struct Copyist {
    connection: Connection,
    batons: BatonLine,
}

impl Log {
    /// Looks after the log that `writer` writes; `copyist` is another connection to the same database.
    ///
    /// # Errors
    /// [`StoreFault::NoThread`].
    pub(crate) fn of(
        writer: &Connection,
        copyist: Connection,
        batons: BatonLine,
    ) -> Result<Self, StoreFault> {
        // This takes the place of what SQLite would do after each commit.
        writer.wal_hook(Some(|_, pages| {
            PAGES.set(u32::try_from(pages).unwrap_or_default());
            Ok(())
        }));
        let copyist = Copyist { connection: copyist, batons };
        let (bell, rung) = mpsc::sync_channel(1);
        let spawned = thread::Builder::new().name("copyist".to_owned()).spawn(move || copyist.run(&rung));
        let copyist = spawned.map_err(|_| StoreFault::NoThread)?;
        Ok(Self { bell, copyist, due: MANY, pages: 0 })
    }

    /// To be called by the thread that has committed, after each commit.
    pub(crate) fn has_grown(&mut self) {
        let pages = PAGES.get();
        if pages < self.pages {
            // It began anew.
            self.due = MANY;
        }
        self.pages = pages;
        if pages >= self.due {
            // Where it is rung already, one copy does for both.
            let _rung = self.bell.try_send(());
            self.due = pages + MANY;
        }
    }

    /// Waits until the copyist has ended.
    pub(crate) fn end(self) {
        drop(self.bell);
        if self.copyist.join().is_err() {
            tracing::error!("the log's copyist ended badly");
        }
    }
}

impl Copyist {
    fn run(self, bell: &Receiver<()>) {
        while bell.recv().is_ok() {
            if let Err(fault) = self.copy() {
                // Nothing is lost: the log holds it, and grows.
                let cause = &fault as &dyn std::error::Error;
                tracing::warn!(fault = cause, "what is committed cannot be copied into the database");
            }
        }
    }

    /// Each round copies what was written during the one before. Nobody waits for the first two, and the last is short.
    fn copy(&self) -> rusqlite::Result<()> {
        self.round()?;
        self.round()?;
        let Some(_baton) = self.batons.take_first(PATIENCE) else { return Ok(()) };
        self.round()
    }

    fn round(&self) -> rusqlite::Result<()> {
        self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
    }
}

thread_local! {
    /// The pages in the log after the last commit of this thread.
    static PAGES: Cell<u32> = const { Cell::new(0) };
}

/// So many pages (of 4 KiB) make it worth it: the same ones are written by commit after commit, and copied once.
const MANY: u32 = 2_048;

/// How long the copyist waits for the baton; without it the log goes on growing until the next time.
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Instant;

    use super::*;

    /// What one commit of the story writes, and how many pages of the log that is at least.
    const BYTES: u32 = 64 * 1_024;
    const COMMIT_PAGES: u32 = 16;

    struct Story {
        dir: tempfile::TempDir,
        writer: Connection,
        log: Log,
        batons: BatonLine,
    }

    impl Story {
        fn begin() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let writer = open(dir.path());
            writer.execute_batch("CREATE TABLE row (bytes BLOB)").unwrap();
            let batons = BatonLine::default();
            let log = Log::of(&writer, open(dir.path()), batons.clone()).unwrap();
            Self { dir, writer, log, batons }
        }

        /// Commits once; whether the log began anew with that.
        fn commit(&mut self) -> bool {
            let before = self.log.pages;
            let baton = self.batons.take_first(PATIENCE).unwrap();
            self.writer.execute("INSERT INTO row VALUES (zeroblob(?))", [BYTES]).unwrap();
            drop(baton);
            self.log.has_grown();
            self.log.pages < before
        }

        fn commits_until_the_log_begins_anew(&mut self) {
            let until = Instant::now() + Duration::from_secs(60);
            while !self.commit() {
                assert!(Instant::now() < until, "the log has {} pages", self.log.pages);
            }
        }
    }

    fn open(dir: &Path) -> Connection {
        let connection = Connection::open(dir.join("db")).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        // What is told here is told of whole files; a flush would only take time.
        connection.pragma_update(None, "synchronous", "OFF").unwrap();
        connection
    }

    #[test]
    fn the_log_of_a_writer_who_never_pauses_begins_anew_again_and_again() {
        let mut story = Story::begin();
        for _ in 0..3 {
            story.commits_until_the_log_begins_anew();
        }
    }

    #[test]
    fn a_reader_keeps_the_log_from_beginning_anew_only_while_it_reads() {
        let mut story = Story::begin();
        let reader = open(story.dir.path());
        reader.execute_batch("BEGIN; SELECT count(*) FROM row").unwrap();
        for _ in 0..4 * MANY / COMMIT_PAGES {
            assert!(!story.commit(), "somebody reads what is only in the log");
        }
        reader.execute_batch("COMMIT").unwrap();
        story.commits_until_the_log_begins_anew();
        let Story { dir, writer, log, .. } = story;
        log.end();
        drop((reader, writer));
        assert!(!dir.path().join("db-wal").exists(), "nothing is left to copy");
    }
}
