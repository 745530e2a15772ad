//! How other threads reach a shard: a bounded channel and an eventfd that wakes its loop.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use rustix::event::{EventfdFlags, eventfd};

/// The sending end. Cheap to clone.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    letters: SyncSender<T>,
    bell: Arc<Bell>,
}

/// The receiving end, owned by the shard.
#[derive(Debug)]
pub(crate) struct Mailbox<T> {
    letters: Receiver<T>,
    bell: Arc<Bell>,
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
    Ok((Slot { letters: sender, bell: Arc::clone(&bell) }, Mailbox { letters: receiver, bell }))
}

impl<T> Slot<T> {
    /// Posts a letter; gives it back when the mailbox is full or its shard is gone.
    pub(crate) fn post(&self, letter: T) -> Result<(), T> {
        self.letters.try_send(letter).map_err(|refused| match refused {
            TrySendError::Full(letter) | TrySendError::Disconnected(letter) => letter,
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
        self.letters.try_recv().ok()
    }
}
