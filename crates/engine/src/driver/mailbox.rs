//! How other threads reach a shard: a bounded channel and an eventfd that wakes its loop.

use std::cell::Cell;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, eventfd};

/// The sending end. Cheap to clone.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    letters: SyncSender<Posted<T>>,
    bell: Arc<Bell>,
}

/// The receiving end, owned by the shard.
#[derive(Debug)]
pub(crate) struct Mailbox<T> {
    letters: Receiver<Posted<T>>,
    bell: Arc<Bell>,
    /// When the letter that was taken last was posted.
    last: Cell<Instant>,
}

#[derive(Debug)]
struct Posted<T> {
    at: Instant,
    letter: T,
}

#[derive(Debug)]
struct Bell {
    fd: OwnedFd,
    /// Whether the bell was rung since the shard last looked: most letters then need no system call.
    rung: AtomicBool,
}

/// A mailbox for so many letters, and its slot.
pub(crate) fn mailbox<T>(letters: usize) -> std::io::Result<(Slot<T>, Mailbox<T>)> {
    let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    let bell = Arc::new(Bell { fd, rung: AtomicBool::new(false) });
    let (sender, receiver) = sync_channel(letters);
    Ok((
        Slot { letters: sender, bell: Arc::clone(&bell) },
        Mailbox { letters: receiver, bell, last: Cell::new(Instant::now()) },
    ))
}

impl<T> Slot<T> {
    /// Posts a letter; gives it back when the mailbox is full or its shard is gone.
    pub(crate) fn post(&self, letter: T) -> Result<(), T> {
        let posted = Posted { at: Instant::now(), letter };
        self.letters.try_send(posted).map_err(|refused| match refused {
            TrySendError::Full(posted) | TrySendError::Disconnected(posted) => posted.letter,
        })?;
        self.bell.ring();
        Ok(())
    }
}

impl Bell {
    fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            // A full counter means the bell rings already, which is all we want.
            rustix::io::write(&self.fd, &1_u64.to_ne_bytes()).ok();
        }
    }
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self { letters: self.letters.clone(), bell: Arc::clone(&self.bell) }
    }
}

impl<T> Mailbox<T> {
    /// What the loop waits on.
    pub(crate) fn bell(&self) -> BorrowedFd<'_> {
        self.bell.fd.as_fd()
    }

    /// Silences the bell. Letters that are posted from now on ring it again.
    pub(crate) fn hush(&self) {
        let mut counter = [0; 8];
        // Reading an already silent bell says "would block", which is as good.
        rustix::io::read(&self.bell.fd, &mut counter).ok();
        // A swap, not a store: it must see the letters of whoever found the bell ringing and rang no more.
        self.bell.rung.swap(false, Ordering::AcqRel);
    }

    /// Rings our own bell: there may be letters left for another turn.
    pub(crate) fn ring(&self) {
        self.bell.ring();
    }

    /// The next letter.
    pub(crate) fn take(&self) -> Option<T> {
        let Posted { at, letter } = self.letters.try_recv().ok()?;
        self.last.set(at);
        Some(letter)
    }

    /// How long ago the letter that was taken last had been posted.
    pub(crate) fn lay(&self) -> Duration {
        self.last.get().elapsed()
    }
}
