//! The limit of this machine: a relay that does nothing but relay. One thread on the server's core, a connected
//! socket for each leg, a poller, one receive and one send for each packet.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::time::Timespec;

use crate::accounting::{own_cpu, pin};
use crate::rtp::open_socket;
use crate::server::SERVER_CORE;

/// Events taken from the kernel at once.
const EVENTS: usize = 1024;

/// A running relay; dropped, it ends.
#[derive(Debug)]
pub(crate) struct Relay {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Result<()>>>,
    /// Where the two ends of each call send.
    pub(crate) calls: Vec<[SocketAddr; 2]>,
}

#[derive(Debug, Default)]
struct Shared {
    is_over: AtomicBool,
    /// Processor time of the thread in nanoseconds.
    cpu: AtomicU64,
}

impl Relay {
    /// Opens the sockets of so many calls between our two ends and starts to relay.
    pub(crate) fn new(calls: usize, ends: [SocketAddr; 2]) -> Result<Self> {
        let poller = epoll::create(CreateFlags::CLOEXEC)?;
        let mut sockets = Vec::with_capacity(calls * 2);
        let mut addresses = Vec::with_capacity(calls);
        for _ in 0..calls {
            let mut pair = ends;
            for (place, end) in ends.iter().enumerate() {
                let socket = open_socket()?;
                socket.connect(end)?;
                epoll::add(&poller, &socket, EventData::new_u64(sockets.len() as u64), EventFlags::IN)?;
                pair[place] = socket.local_addr()?;
                sockets.push(socket);
            }
            addresses.push(pair);
        }
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("relay".to_owned())
            .spawn(move || relay(&poller, &sockets, &theirs))
            .context("cannot start a thread")?;
        Ok(Self { shared, thread: Some(thread), calls: addresses })
    }

    /// Processor time so far, at most a tenth of a second old when idle.
    pub(crate) fn cpu(&self) -> Duration {
        Duration::from_nanos(self.shared.cpu.load(Ordering::Relaxed))
    }

    /// Ends it and says whether it went well.
    pub(crate) fn end(mut self) -> Result<()> {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.thread
            .take()
            .map_or(Ok(()), |thread| thread.join().unwrap_or_else(|_| Err(anyhow!("the relay has panicked"))))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
    }
}

fn relay(poller: &OwnedFd, sockets: &[UdpSocket], shared: &Shared) -> Result<()> {
    pin(SERVER_CORE)?;
    let mut events: Vec<Event> = Vec::with_capacity(EVENTS);
    let mut packet = [0; 2048];
    let pause = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
    while !shared.is_over.load(Ordering::Relaxed) {
        events.clear();
        epoll::wait(poller, spare_capacity(&mut events), Some(&pause))?;
        for event in &events {
            let data = event.data;
            let place = usize::try_from(data.u64())?;
            let length = match sockets[place].recv(&mut packet) {
                Ok(length) => length,
                Err(fault)
                    if matches!(fault.kind(), ErrorKind::WouldBlock | ErrorKind::ConnectionRefused) =>
                {
                    continue;
                }
                Err(fault) => return Err(fault.into()),
            };
            // The other leg of the call is the neighbour. What the kernel does not take is a lost packet.
            let _ = sockets[place ^ 1].send(&packet[..length]);
        }
        shared.cpu.store(u64::try_from(own_cpu().as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_end_sends_the_other_hears() {
        let (a, b) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        b.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let relay = Relay::new(2, [a.local_addr().unwrap(), b.local_addr().unwrap()]).unwrap();
        a.send_to(b"hello", relay.calls[1][0]).unwrap();
        let mut buffer = [0; 16];
        let (length, from) = b.recv_from(&mut buffer).unwrap();
        assert_eq!((&buffer[..length], from), (&b"hello"[..], relay.calls[1][1]));
        relay.end().unwrap();
    }
}
