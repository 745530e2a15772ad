//! The thread that writes traces: one file a call, which only we may read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use base::id::CallId;
use base::trace;

use crate::driver::files;

/// Something to be done about the trace of a call.
#[derive(Debug)]
pub(crate) enum Work {
    /// Write these frames behind what there is.
    Append(CallId, Vec<u8>),
    /// Remove it.
    Discard(CallId),
}

/// See the module.
pub(super) struct Writer {
    pub(super) folder: PathBuf,
    /// Whether the last thing went wrong: a full disk is told once.
    pub(super) is_broken: bool,
}

/// Starts the thread. It ends when the last way to it is dropped.
pub(crate) fn start(folder: PathBuf) -> io::Result<(SyncSender<Work>, JoinHandle<()>)> {
    let (works, todo) = sync_channel(QUEUE);
    let writer = Writer { folder, is_broken: false };
    let thread = thread::Builder::new().name("trace".to_owned()).spawn(move || writer.run(&todo))?;
    Ok((works, thread))
}

impl Writer {
    fn run(mut self, todo: &Receiver<Work>) {
        while let Ok(work) = todo.recv() {
            self.on(work);
        }
    }

    pub(super) fn on(&mut self, work: Work) {
        let done = match work {
            Work::Append(call, frames) => self.append(call, &frames),
            Work::Discard(call) => self.discard(call),
        };
        if let Err(fault) = &done
            && !self.is_broken
        {
            tracing::error!("traces cannot be written, until further notice: {fault}");
        }
        self.is_broken = done.is_err();
    }

    fn append(&self, call: CallId, frames: &[u8]) -> io::Result<()> {
        let path = trace::path(&self.folder, call);
        let mut file = files::open_private(&path, OpenOptions::new().append(true).create(true))?;
        if file.metadata()?.len() == 0 {
            file.write_all(&trace::FILE_HEADER)?;
        }
        file.write_all(frames)
    }

    fn discard(&self, call: CallId) -> io::Result<()> {
        match fs::remove_file(trace::path(&self.folder, call)) {
            // Usually nothing was written yet.
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }
}

/// Works that wait for the disk, of 16 KiB and usually less.
const QUEUE: usize = 1_024;
