//! The memory that is shared with the kernel: a ring, a pool of buffers for what comes, and an outbox for what goes.
//!
//! The only file of the engine with unsafe code. What it gives is safe: a buffer can be looked at only between its
//! completion and its return to the kernel, and everything that a request points to lives as long as the ring.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::io;
use std::os::fd::RawFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use io_uring::squeue::{Entry, Flags};
use io_uring::types::{BufRingEntry, CancelBuilder, Fd, RecvMsgOut, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode};
use rustix::io::Errno;
use socket2::SockAddr;

use crate::driver::wire::DATAGRAM_BYTES;

/// Requests that are handed over at once; when more are made, they are handed over in between.
pub(super) const REQUESTS: u16 = 1_024;

/// Completions that the kernel has room for: every buffer, and one end for each of four thousand legs. What finds no
/// room is kept elsewhere and comes with the next wait.
const COMPLETIONS: u32 = 8_192;

/// Buffers of the pool: 40 ms of a thousand calls. A power of two.
pub(super) const BUFFERS: u16 = 2_048;

/// Buffers that the kernel has at first, and how many it gets more each time they did not suffice: few buffers stay in
/// the processor's cache, and memory that nobody needs is never touched.
const BUFFERS_AT_ONCE: u16 = 256;

/// Bytes of a buffer: an Ethernet frame with its source. An odd number of cache lines, so that all sets are used.
const BUFFER_BYTES: usize = 27 * 64;

/// Bytes of the longest packet that waits for the next wait: 60 ms of voice. Longer ones are sent at once.
pub(super) const PACKET_BYTES: usize = 512;

/// The name of our pool of buffers.
const GROUP: u16 = 0;

/// Bytes of the longest source: `sockaddr_in6`.
const SOURCE_BYTES: u32 = 28;

/// Bytes of `io_uring_recvmsg_out`, which is in front of the source.
const HEADER_BYTES: usize = 16;

/// How long a shard pauses after a fault that nobody expects.
const AFTER_FAULT: Duration = Duration::from_millis(2);

/// How long the end waits for requests to end.
const LAST_PATIENCE: Duration = Duration::from_secs(1);

const _: () = assert!(BUFFER_BYTES >= HEADER_BYTES + SOURCE_BYTES as usize + DATAGRAM_BYTES);
const _: () = assert!(BUFFERS.is_power_of_two() && BUFFERS.is_multiple_of(BUFFERS_AT_ONCE));

/// See the module. The kernel lets only the thread that opened it use it.
pub(super) struct Ring {
    /// First, so that it is closed before the memory that it uses is freed.
    ring: IoUring,
    pool: Pool,
    /// What a receive asks for: a source and no control messages.
    asked: Box<libc::msghdr>,
    outbox: Box<[Slot]>,
    /// Slots whose packets the kernel has not taken yet, from the first on.
    waiting: usize,
    /// How long [`Ring::remind`] takes.
    reminder: Box<Timespec>,
}

/// A packet on its way out.
struct Slot {
    bytes: [u8; PACKET_BYTES],
    to: Option<SockAddr>,
}

/// The end of a request, or one datagram of a receive that goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    /// What the request was named.
    pub(super) data: u64,
    /// Bytes, or the error.
    pub(super) result: Result<u32, Errno>,
    /// Where the datagram is.
    pub(super) buffer: Option<u16>,
    /// Whether the request goes on.
    pub(super) goes_on: bool,
}

impl Ring {
    /// Opens a ring with all that we need of it, for the calling thread.
    ///
    /// # Errors
    /// What the kernel says when it has no io_uring, does not permit it, or lacks memory; `EOPNOTSUPP` when it is older
    /// than 6.12, or what it says when it does not even know what we ask for. We need nothing that 6.1 has not, but
    /// kernels before 6.4 wake us for every packet, and what is not tested is not trusted.
    pub(super) fn new(reminder: Duration) -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_cqsize(COMPLETIONS)
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_submit_all()
            .build(REQUESTS.into())?;
        if !ring.params().is_feature_min_timeout() {
            return Err(Errno::OPNOTSUPP.into());
        }
        let pool = Pool::new(&ring)?;
        #[expect(unsafe_code, reason = "the type has private padding on some systems")]
        // SAFETY: a msghdr is made of integers and pointers, for which zero is a value.
        let mut asked: Box<libc::msghdr> = Box::new(unsafe { std::mem::zeroed() });
        asked.msg_namelen = SOURCE_BYTES;
        let slot = || Slot { bytes: [0; PACKET_BYTES], to: None };
        let outbox = std::iter::repeat_with(slot).take(REQUESTS.into()).collect();
        Ok(Self { ring, pool, asked, outbox, waiting: 0, reminder: Box::new(reminder.into()) })
    }

    /// Receives all datagrams of a socket, each into a buffer of the pool, until a completion says that it ends.
    /// False when the kernel takes no more requests, here and below.
    pub(super) fn receive(&mut self, socket: RawFd, data: u64) -> bool {
        let receive = opcode::RecvMsgMulti::new(Fd(socket), &raw const *self.asked, GROUP).build();
        self.push(&receive.user_data(data))
    }

    /// Tells once when a descriptor can be read.
    pub(super) fn poll(&mut self, fd: RawFd, data: u64) -> bool {
        self.push(&opcode::PollAdd::new(Fd(fd), libc::POLLIN as u32).build().user_data(data))
    }

    /// Tells once when the time that the ring was opened with has passed.
    pub(super) fn remind(&mut self, data: u64) -> bool {
        let remind = opcode::Timeout::new(&raw const *self.reminder).build();
        self.push(&remind.user_data(data))
    }

    /// Ends the request of that name. `data` is told only when there is none.
    pub(super) fn cancel(&mut self, ended: u64, data: u64) -> bool {
        let cancel = opcode::AsyncCancel::new(ended).build().flags(Flags::SKIP_SUCCESS);
        self.push(&cancel.user_data(data))
    }

    /// Sends a packet with the next system call; false also when it is longer than [`PACKET_BYTES`]. `data` is told only
    /// when it fails.
    pub(super) fn send(&mut self, socket: RawFd, packet: &[u8], to: Option<SockAddr>, data: u64) -> bool {
        self.make_room();
        let Some(slot) = self.outbox.get_mut(self.waiting) else { return false };
        let Some(bytes) = slot.bytes.get_mut(..packet.len()) else { return false };
        bytes.copy_from_slice(packet);
        slot.to = to;
        // Not waiting: while the kernel takes the request it sends the packet or fails, and has then done with the slot.
        let mut send = opcode::Send::new(Fd(socket), bytes.as_ptr(), packet.len() as u32)
            .flags(libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL);
        if let Some(to) = &slot.to {
            send = send.dest_addr(to.as_ptr().cast()).dest_addr_len(to.len());
        }
        let pushed = self.push(&send.build().flags(Flags::SKIP_SUCCESS).user_data(data));
        self.waiting += usize::from(pushed);
        pushed
    }

    /// Puts a request before the kernel, to be looked at with the next system call.
    fn push(&mut self, entry: &Entry) -> bool {
        self.make_room();
        #[expect(unsafe_code, reason = "the kernel follows the pointers of a request")]
        // SAFETY: what requests point to, `asked`, `reminder` and the slots of `outbox`, is on the heap, never moved, and
        // freed after the ring.
        unsafe {
            self.ring.submission().push(entry).is_ok()
        }
    }

    fn make_room(&mut self) {
        if self.ring.submission().is_full() {
            self.submit();
        }
    }

    /// Hands over what was asked for, without waiting.
    pub(super) fn submit(&mut self) {
        let submitted = self.ring.submit();
        self.handed_over(submitted);
    }

    /// Hands over what was asked for, and waits for so many completions, at least one, but not longer than `patience`.
    pub(super) fn enter(&mut self, want: usize, patience: Option<Duration>) {
        let submitter = self.ring.submitter();
        let entered = match patience {
            None => submitter.submit_and_wait(want),
            Some(patience) => {
                let patience = Timespec::from(patience);
                submitter.submit_with_args(want, &SubmitArgs::new().timespec(&patience))
            }
        };
        self.handed_over(entered);
    }

    fn handed_over(&mut self, entered: io::Result<usize>) {
        match entered.map_err(|fault| Errno::from_io_error(&fault)) {
            Ok(_) | Err(Some(Errno::TIME | Errno::INTR)) => {}
            // It has no memory at the moment, and takes the rest with the next call.
            Err(Some(fault @ (Errno::AGAIN | Errno::BUSY))) => tracing::debug!("io_uring: {fault}"),
            Err(fault) => {
                tracing::error!("io_uring: {fault:?}");
                // It did not wait: a fault that stays must not fill a core.
                std::thread::sleep(AFTER_FAULT);
            }
        }
        if self.ring.submission().is_empty() {
            self.waiting = 0;
        }
    }

    /// Hands each completion that has come to `tell`.
    pub(super) fn reap(&mut self, mut tell: impl FnMut(Done)) {
        let Self { ring, pool, .. } = self;
        for done in ring.completion() {
            let buffer = cqueue::buffer_select(done.flags());
            let buffer = buffer.filter(|buffer| pool.take(*buffer));
            let result = u32::try_from(done.result())
                .map_err(|_| Errno::from_raw_os_error(done.result().saturating_neg()));
            tell(Done { data: done.user_data(), result, buffer, goes_on: cqueue::more(done.flags()) });
        }
    }

    /// The datagram in a buffer that a completion named and that was not given back yet.
    pub(super) fn datagram(&self, buffer: u16, length: usize) -> Option<RecvMsgOut<'_>> {
        RecvMsgOut::parse(self.pool.bytes(buffer, length)?, &self.asked).ok()
    }

    /// Gives the kernel back all buffers that completions have named.
    pub(super) fn give_back(&mut self) {
        self.pool.give_back();
    }

    /// Gives the kernel more buffers, if there are more.
    pub(super) fn give_more(&mut self) {
        self.pool.give_more();
    }

    /// Ends all requests here and now: a ring that is closed with requests lets go of their sockets a moment later, and
    /// who opens the same ports next would find them taken.
    pub(super) fn end(&mut self, requests: usize) {
        self.submit();
        let submitter = self.ring.submitter();
        submitter.register_sync_cancel(Some(LAST_PATIENCE.into()), CancelBuilder::any()).ok();
        for _ in 0..=requests {
            self.enter(1, Some(Duration::ZERO));
            let mut ended = 0;
            self.reap(|_| ended += 1);
            if ended == 0 {
                return;
            }
        }
    }
}

/// The ring in which the kernel finds free buffers, and behind it the buffers.
struct Pool {
    memory: NonNull<u8>,
    /// Buffers given to the kernel so far, modulo 2^16.
    tail: u16,
    /// How many buffers are in use; the others were never given to the kernel.
    used: u16,
    /// Buffers that completions have named and that were not given back.
    ours: Vec<u16>,
    is_ours: Box<[bool]>,
}

impl Pool {
    const RING_BYTES: usize = BUFFERS as usize * size_of::<BufRingEntry>();

    /// The kernel wants the ring at the beginning of a page.
    const LAYOUT: Layout =
        match Layout::from_size_align(Self::RING_BYTES + BUFFERS as usize * BUFFER_BYTES, 4_096) {
            Ok(layout) => layout,
            Err(_) => panic!("the size is far below the maximum and the alignment a power of two"),
        };

    fn new(ring: &IoUring) -> io::Result<Self> {
        #[expect(unsafe_code, reason = "the kernel wants a page's alignment")]
        // SAFETY: the layout's size is not zero.
        let memory = unsafe { alloc_zeroed(Self::LAYOUT) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(Self::LAYOUT) };
        let (ours, is_ours) = (Vec::with_capacity(BUFFERS.into()), vec![false; BUFFERS.into()].into());
        let mut pool = Self { memory, tail: 0, used: 0, ours, is_ours };
        #[expect(unsafe_code, reason = "the kernel uses the memory from now on")]
        // SAFETY: the memory has room for so many entries, and is freed after the ring.
        unsafe {
            let submitter = ring.submitter();
            submitter.register_buf_ring_with_flags(memory.as_ptr() as u64, BUFFERS, GROUP, 0)?;
        }
        pool.give_more();
        Ok(pool)
    }

    /// Where a buffer begins.
    fn start(&self, buffer: u16) -> NonNull<u8> {
        let offset = Self::RING_BYTES + usize::from(buffer % BUFFERS) * BUFFER_BYTES;
        #[expect(unsafe_code, reason = "a place in our memory")]
        // SAFETY: a number below `BUFFERS` leads to a place in the memory.
        unsafe {
            self.memory.add(offset)
        }
    }

    /// Takes a buffer that the kernel has given us; false when it had none of that name to give.
    fn take(&mut self, buffer: u16) -> bool {
        let is_theirs = buffer < self.used && !self.is_ours[usize::from(buffer)];
        if is_theirs {
            self.is_ours[usize::from(buffer)] = true;
            self.ours.push(buffer);
        }
        is_theirs
    }

    /// What the kernel wrote to a buffer, while it is ours.
    fn bytes(&self, buffer: u16, length: usize) -> Option<&[u8]> {
        self.is_ours.get(usize::from(buffer))?.then_some(())?;
        #[expect(unsafe_code, reason = "the bytes are in our memory")]
        // SAFETY: the buffer has so many bytes, zeroed at first, and the kernel writes to it again only when it is
        // given back, for which `self` is borrowed as mutable.
        unsafe {
            Some(std::slice::from_raw_parts(self.start(buffer).as_ptr(), length.min(BUFFER_BYTES)))
        }
    }

    fn give_back(&mut self) {
        while let Some(buffer) = self.ours.pop() {
            self.is_ours[usize::from(buffer)] = false;
            self.give(buffer);
        }
        self.publish();
    }

    fn give_more(&mut self) {
        if self.used < BUFFERS {
            let more = self.used..self.used + BUFFERS_AT_ONCE;
            self.used = more.end;
            more.for_each(|buffer| self.give(buffer));
            self.publish();
        }
    }

    /// Puts a buffer where the kernel will look when it is told of it.
    fn give(&mut self, buffer: u16) {
        let (start, ring) = (self.start(buffer), self.memory.cast::<BufRingEntry>());
        #[expect(unsafe_code, reason = "the ring is in our memory")]
        // SAFETY: the place is below `BUFFERS`; the kernel has never more than `BUFFERS` buffers, so it has read the
        // entry that stood here, and does not read the new one before the tail has passed it.
        let entry = unsafe { ring.add(usize::from(self.tail % BUFFERS)).as_mut() };
        entry.set_addr(start.as_ptr() as u64);
        entry.set_len(BUFFER_BYTES as u32);
        entry.set_bid(buffer);
        self.tail = self.tail.wrapping_add(1);
    }

    /// Tells the kernel of the buffers that were given.
    fn publish(&self) {
        let ring = self.memory.cast::<BufRingEntry>();
        #[expect(unsafe_code, reason = "the tail is shared with the kernel")]
        // SAFETY: `ring` is the first entry, zeroed at first, in which the tail is; it is aligned, and only we write it.
        let tail = unsafe { AtomicU16::from_ptr(BufRingEntry::tail(ring.as_ptr()).cast_mut()) };
        tail.store(self.tail, Ordering::Release);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "memory with a page's alignment")]
        // SAFETY: it was allocated with this layout, and the ring, which is dropped first, is closed: a request that the
        // kernel has not ended by then is cancelled, and does not run.
        unsafe {
            dealloc(self.memory.as_ptr(), Self::LAYOUT);
        }
    }
}
