//! The archive: one thread that writes what all shards record.
//!
//! ```text
//! shard ─Work─▶ queue ─▶ Archive ─▶ one file a call
//!   ▲                      │
//!   └── News, empty room ──┘
//! ```
//!
//! Shards never wait for a disk: what the queue has no room for stays with them, and what they cannot keep either is
//! silence in the recording. A file is a complete WAV file after each chunk, so that a process may die at any time.

mod file;

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base::id::CallId;
use base::limits;
use media::record::{Chunk, Recorder};
use smallvec::SmallVec;

use crate::driver::archive::file::RecordingFile;
use crate::driver::mailbox::Slot;
use crate::driver::shard::Letter;
use crate::recording::recording_path;

/// Something to be done about a recording.
pub(crate) enum Work {
    /// Open its file, and say [`News::Began`] or [`News::Lost`].
    Begin(Title),
    /// Write more of it.
    Append(Title, Chunk),
    /// Write the rest of it, and keep it if it is long enough.
    End { title: Title, rest: SmallVec<[Chunk; 2]>, length: Duration },
    /// Remove it.
    Discard(Title),
}

/// Which recording it is, and whose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Title {
    pub(crate) call: CallId,
    /// The shard, and what the shard knows the call by.
    pub(crate) shard: usize,
    pub(crate) number: u64,
}

/// What a shard is told of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Its file is open.
    Began,
    /// Nothing more of it can be written; so much is kept.
    Lost { kept: Duration },
}

/// A shard's way into the archive. Nothing here waits for it, but for [`Intake::close`].
pub(crate) struct Intake {
    works: SyncSender<Work>,
    room: Receiver<Vec<u8>>,
    /// Ends that the archive had no room for: at most one for each recording that it took, and it is asked to take none
    /// while one waits.
    farewells: VecDeque<Work>,
}

impl Intake {
    fn new(works: SyncSender<Work>, room: Receiver<Vec<u8>>) -> Self {
        Self { works, room, farewells: VecDeque::new() }
    }

    /// Asks for a file. False when there is no room for the question.
    pub(crate) fn begin(&self, title: Title) -> bool {
        self.farewells.is_empty() && self.offer(Work::Begin(title)).is_ok()
    }

    /// Hands a chunk over, or gives it back when there is no room for it now.
    pub(crate) fn append(&self, title: Title, chunk: Chunk) -> Result<(), Chunk> {
        let Err(Work::Append(_, chunk)) = self.offer(Work::Append(title, chunk)) else { return Ok(()) };
        Err(chunk)
    }

    /// The recording is over; so long was it, and this is what is not written yet.
    pub(crate) fn end(&mut self, title: Title, rest: SmallVec<[Chunk; 2]>, length: Duration) {
        self.farewells.push_back(Work::End { title, rest, length });
        self.retry();
    }

    /// The recording never was.
    pub(crate) fn discard(&mut self, title: Title) {
        self.farewells.push_back(Work::Discard(title));
        self.retry();
    }

    /// Offers again what had to wait.
    pub(crate) fn retry(&mut self) {
        while let Some(work) = self.farewells.pop_front() {
            if let Err(work) = self.offer(work) {
                self.farewells.push_front(work);
                return;
            }
        }
    }

    /// Whether something waits for [`Intake::retry`].
    pub(crate) fn is_waiting(&self) -> bool {
        !self.farewells.is_empty()
    }

    /// Room for a chunk: what the archive has emptied, so that usually nothing is allocated.
    pub(crate) fn room(&self) -> Vec<u8> {
        self.room.try_recv().unwrap_or_else(|_| Recorder::fresh_chunk())
    }

    /// Hands over what waits, however long that takes. Only for a thread that ends.
    pub(crate) fn close(&mut self) {
        for work in self.farewells.drain(..) {
            self.works.send(work).ok();
        }
    }

    fn offer(&self, work: Work) -> Result<(), Work> {
        self.works.try_send(work).map_err(|refused| match refused {
            TrySendError::Full(work) | TrySendError::Disconnected(work) => work,
        })
    }
}

/// The archive's way back to a shard.
struct Outlet {
    letters: Slot<Letter>,
    room: SyncSender<Vec<u8>>,
}

/// See the module.
struct Archive {
    folder: PathBuf,
    outlets: Vec<Outlet>,
    open: HashMap<CallId, RecordingFile>,
    /// Written to the end, and not yet known to outlive the machine.
    finished: VecDeque<File>,
}

/// Starts the thread. Gives an intake for each shard; the thread ends when the last of them is dropped.
pub(crate) fn start(
    folder: PathBuf,
    shards: impl IntoIterator<Item = Slot<Letter>>,
) -> io::Result<(Vec<Intake>, JoinHandle<()>)> {
    let (works, todo) = sync_channel(QUEUE);
    let (mut intakes, mut outlets) = (Vec::new(), Vec::new());
    for letters in shards {
        let (give, room) = sync_channel(ROOMS);
        intakes.push(Intake::new(works.clone(), room));
        outlets.push(Outlet { letters, room: give });
    }
    let archive = Archive { folder, outlets, open: HashMap::new(), finished: VecDeque::new() };
    let thread = thread::Builder::new().name("archive".to_owned()).spawn(move || archive.run(&todo))?;
    Ok((intakes, thread))
}

/// The archive without its thread, for a shard that has none either.
pub(crate) struct Beside {
    archive: Archive,
    todo: Receiver<Work>,
}

/// An archive that works when it is told to, and the shard's way into it.
pub(crate) fn beside(folder: PathBuf, letters: Slot<Letter>) -> (Intake, Beside) {
    let (works, todo) = sync_channel(QUEUE);
    let (give, room) = sync_channel(ROOMS);
    let outlets = vec![Outlet { letters, room: give }];
    let archive = Archive { folder, outlets, open: HashMap::new(), finished: VecDeque::new() };
    (Intake::new(works, room), Beside { archive, todo })
}

impl Beside {
    /// Does all that waits; whether there was anything, and so perhaps a letter for the shard.
    pub(crate) fn work(&mut self) -> bool {
        let mut any = false;
        while let Ok(work) = self.todo.try_recv() {
            self.archive.on(work);
            any = true;
        }
        any
    }
}

impl Archive {
    /// The thread's whole life. Files are made to outlive the machine when there is nothing better to do.
    fn run(mut self, todo: &Receiver<Work>) {
        loop {
            let work = match todo.try_recv() {
                Ok(work) => Ok(work),
                Err(TryRecvError::Empty) if self.secure_one() => continue,
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => todo.recv(),
            };
            match work {
                Ok(work) => self.on(work),
                Err(_) => break,
            }
        }
        while self.secure_one() {}
    }

    /// Waits until a finished file is on the disk; false when there is none.
    fn secure_one(&mut self) -> bool {
        let file = self.finished.pop_front();
        if let Some(Err(fault)) = file.as_ref().map(File::sync_all) {
            tracing::error!("a recording may not outlive this machine: {fault}");
        }
        file.is_some()
    }

    fn on(&mut self, work: Work) {
        match work {
            Work::Begin(title) => self.begin(title),
            Work::Append(title, chunk) => {
                if let Some(file) = self.open.get_mut(&title.call)
                    && let Err(fault) = file.append(&chunk)
                {
                    self.lose(title, &fault);
                }
                self.give_back(title, chunk);
            }
            Work::End { title, rest, length } => {
                if let Some(file) = self.open.remove(&title.call) {
                    self.finish(title, file, &rest, length);
                }
                rest.into_iter().for_each(|chunk| self.give_back(title, chunk));
            }
            Work::Discard(title) => {
                if let Some(file) = self.open.remove(&title.call) {
                    file.remove();
                }
            }
        }
    }

    fn begin(&mut self, title: Title) {
        match RecordingFile::create(recording_path(&self.folder, title.call)) {
            Ok(file) => {
                self.open.insert(title.call, file);
                self.tell(title, News::Began);
            }
            Err(fault) => {
                tracing::error!(call.id = %title.call, "cannot begin a recording; the call goes on: {fault}");
                self.tell(title, News::Lost { kept: Duration::ZERO });
            }
        }
    }

    fn finish(&mut self, title: Title, mut file: RecordingFile, rest: &[Chunk], length: Duration) {
        if length < limits::RECORDING_SHORTEST {
            return file.remove();
        }
        if let Err(fault) = file.complete(rest, length) {
            tracing::error!(call.id = %title.call, "cannot write the end of a recording: {fault}");
        }
        if self.finished.len() == UNSECURED {
            // The system writes it in its own time.
            self.finished.pop_front();
        }
        self.finished.push_back(file.file);
    }

    fn lose(&mut self, title: Title, fault: &io::Error) {
        tracing::error!(call.id = %title.call, "cannot go on with a recording; the call goes on: {fault}");
        let Some(file) = self.open.remove(&title.call) else { return };
        let kept = file.length();
        if kept < limits::RECORDING_SHORTEST {
            file.remove();
        }
        self.tell(title, News::Lost { kept });
    }

    /// A shard empties its mailbox each turn. One that has no room for so long is gone, and so are its calls.
    fn tell(&self, title: Title, news: News) {
        let Some(outlet) = self.outlets.get(title.shard) else { return };
        for _ in 0..TRIES {
            if outlet.letters.post(Letter::Recording { call: title.number, news }).is_ok() {
                return;
            }
            thread::sleep(RETRY);
        }
    }

    fn give_back(&self, title: Title, chunk: Chunk) {
        if let Some(outlet) = self.outlets.get(title.shard) {
            outlet.room.try_send(chunk.bytes).ok();
        }
    }
}

/// Works that wait for the disk: a tenth of a second of 10,000 recorded calls.
const QUEUE: usize = 1_024;

/// Finished files that wait to be secured, each with its descriptor.
const UNSECURED: usize = 256;

/// Empty chunks kept for a shard, 64 KiB each.
const ROOMS: usize = 64;

/// How often and how soon a shard without room is told again: a second in all.
const TRIES: usize = 200;
const RETRY: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests {
    use std::fs;

    use base::time::Timestamp;
    use media::g711::ALAW_SILENCE;
    use media::record::stereo_bytes;
    use smallvec::smallvec;
    use tempfile::TempDir;

    use super::*;
    use crate::driver::mailbox::{Mailbox, mailbox};

    /// An archive of one shard, without its thread.
    struct Story {
        archive: Archive,
        folder: TempDir,
        letters: Mailbox<Letter>,
        room: Receiver<Vec<u8>>,
    }

    fn story() -> Story {
        let folder = tempfile::tempdir().unwrap();
        let (slot, letters) = mailbox(8).unwrap();
        let (give, room) = sync_channel(8);
        let outlets = vec![Outlet { letters: slot, room: give }];
        let archive = Archive {
            folder: folder.path().join("recordings"),
            outlets,
            open: HashMap::new(),
            finished: VecDeque::new(),
        };
        Story { archive, folder, letters, room }
    }

    fn title(random: u128) -> Title {
        Title { call: CallId::new(Timestamp::from_millis(1), random), shard: 0, number: 7 }
    }

    fn chunk(at: u64, bytes: &[u8]) -> Chunk {
        Chunk { at, bytes: bytes.to_vec() }
    }

    impl Story {
        fn path(&self, title: Title) -> PathBuf {
            recording_path(&self.archive.folder, title.call)
        }

        /// The samples of a file, which is a whole one.
        fn samples(&self, title: Title) -> Vec<u8> {
            let file = fs::read(self.path(title)).unwrap();
            let (header, samples) = file.split_first_chunk().unwrap();
            assert_eq!(stereo_bytes(header).map(|bytes| bytes as usize), Some(samples.len()));
            samples.to_vec()
        }

        fn news(&self) -> Option<News> {
            let Letter::Recording { call: 7, news } = self.letters.take()? else {
                panic!("no other letters")
            };
            Some(news)
        }
    }

    #[test]
    fn a_recording_is_a_whole_file_after_every_chunk() {
        let mut story = story();
        let title = title(1);
        story.archive.on(Work::Begin(title));
        assert_eq!((story.news(), story.samples(title)), (Some(News::Began), vec![]));
        story.archive.on(Work::Append(title, chunk(0, b"ab")));
        assert_eq!(story.samples(title), b"ab");
        story.archive.on(Work::Append(title, chunk(3, b"cd")));
        assert_eq!(story.samples(title), b"ab\xd5\xd5\xd5\xd5cd", "what was dropped is silence");
        let length = Duration::from_secs(3);
        story.archive.on(Work::End { title, rest: [chunk(4, b"ef"), chunk(5, b"gh")].into(), length });
        let samples = story.samples(title);
        assert!(samples.starts_with(b"ab\xd5\xd5\xd5\xd5cdefgh") && samples.ends_with(&[ALAW_SILENCE; 9]));
        assert_eq!(samples.len(), 48_000, "as long as the conversation");
        assert_eq!((story.room.try_iter().count(), story.news()), (4, None));
    }

    #[test]
    fn a_recording_that_is_short_or_that_nobody_was_told_of_leaves_no_file() {
        let mut story = story();
        story.archive.on(Work::Begin(title(1)));
        story.archive.on(Work::Begin(title(2)));
        let length = Duration::from_millis(2_999);
        story.archive.on(Work::End { title: title(1), rest: SmallVec::new(), length });
        story.archive.on(Work::Discard(title(2)));
        assert!(!story.path(title(1)).exists() && !story.path(title(2)).exists());
    }

    #[test]
    fn no_recording_is_written_over() {
        let mut story = story();
        story.archive.on(Work::Begin(title(1)));
        story.archive.on(Work::Append(title(1), chunk(0, b"ab")));
        story.archive.open.clear();
        story.archive.on(Work::Begin(title(1)));
        assert_eq!(story.news(), Some(News::Began));
        assert_eq!(story.news(), Some(News::Lost { kept: Duration::ZERO }));
        assert_eq!(story.samples(title(1)), b"ab");
        // What comes for it nevertheless is not written anywhere.
        story.archive.on(Work::Append(title(1), chunk(0, b"cd")));
        story.archive.on(Work::End { title: title(1), rest: SmallVec::new(), length: Duration::ZERO });
        story.archive.on(Work::Discard(title(1)));
        assert_eq!(story.samples(title(1)), b"ab");
    }

    #[test]
    fn what_the_archive_has_no_room_for_stays_with_the_shard() {
        let (works, todo) = sync_channel(1);
        let (_give, room) = sync_channel(1);
        let mut intake = Intake::new(works, room);
        assert!(intake.begin(title(1)), "there is room for one");
        assert!(!intake.begin(title(2)), "a call is not recorded rather than held up");
        assert!(intake.append(title(1), chunk(0, b"ab")).is_err_and(|chunk| chunk.bytes == b"ab"));
        intake.end(title(1), smallvec![chunk(0, b"ab")], Duration::from_secs(3));
        assert!(intake.is_waiting());
        assert!(matches!(todo.try_recv(), Ok(Work::Begin(_))));
        assert!(!intake.begin(title(3)), "first what waits");
        intake.retry();
        assert!(!intake.is_waiting());
        assert!(matches!(todo.try_recv(), Ok(Work::End { rest, .. }) if rest[0].bytes == b"ab"));
        assert!(intake.begin(title(3)));
    }

    #[test]
    fn finished_files_are_secured_when_there_is_time() {
        let mut story = story();
        for number in 0..UNSECURED as u128 + 1 {
            story.archive.on(Work::Begin(title(number)));
            assert_eq!(story.news(), Some(News::Began));
            let length = limits::RECORDING_SHORTEST;
            story.archive.on(Work::End { title: title(number), rest: SmallVec::new(), length });
        }
        assert_eq!(std::iter::from_fn(|| story.archive.secure_one().then_some(())).count(), UNSECURED);
    }

    #[test]
    fn a_folder_that_cannot_be_is_told() {
        let mut story = story();
        fs::write(story.folder.path().join("recordings"), "not a folder").unwrap();
        story.archive.on(Work::Begin(title(1)));
        assert_eq!(story.news(), Some(News::Lost { kept: Duration::ZERO }));
    }

    #[test]
    fn a_disk_that_fails_half_way_leaves_what_is_long_enough() {
        for (secs, kept) in [(2, false), (3, true)] {
            let mut story = story();
            let title = title(1);
            story.archive.on(Work::Begin(title));
            story.archive.on(Work::Append(title, chunk(0, &[7; 16_000].repeat(secs))));
            let file = story.archive.open.get_mut(&title.call).unwrap();
            // A file that is only open for reading refuses to be written.
            file.file = File::open(&file.path).unwrap();
            story.archive.on(Work::Append(title, chunk(8_000 * secs as u64, b"ab")));
            let length = Duration::from_secs(secs as u64);
            assert_eq!((story.news(), story.news()), (Some(News::Began), Some(News::Lost { kept: length })));
            assert_eq!(story.path(title).exists(), kept);
        }
    }

    #[test]
    fn only_we_may_read_a_recording() {
        use std::os::unix::fs::PermissionsExt;
        let mut story = story();
        story.archive.on(Work::Begin(title(1)));
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let path = story.path(title(1));
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }
}
