//! The handle: starts the carrier's thread, asks it, ends it.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use rustix::event::{EventfdFlags, eventfd};

use crate::exchange::{Exchange, Parts};
use crate::ledger::{Ledger, LegReport};
use crate::links::Listener;
use crate::settings::Settings;

/// A running carrier. Dropping it ends its thread; calls that are up then fall silent without a BYE, as when the
/// network goes down.
#[derive(Debug)]
pub struct Carrier {
    address: SocketAddr,
    tcp: Option<SocketAddr>,
    tls: Option<SocketAddr>,
    links: Arc<AtomicUsize>,
    cut: Arc<AtomicBool>,
    ended: Arc<AtomicBool>,
    ledger: Ledger,
    bell: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

/// Why a carrier cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The address is taken or not ours.
    #[error(
        "the simulated carrier cannot listen on {address}/udp: choose another address, or stop the program that has it"
    )]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The address is taken or not ours, for connections.
    #[error(
        "the simulated carrier cannot listen on {address}/tcp: choose another address, or stop the program that has it"
    )]
    Connections {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// There is no folder for the recordings.
    #[error("the simulated carrier cannot write to {}", folder.display())]
    Recordings {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The system has no thread or no descriptors for us.
    #[error("the simulated carrier cannot start its thread")]
    System(#[from] io::Error),
}

impl Carrier {
    /// Opens the socket and the folder, and starts the thread.
    ///
    /// # Errors
    /// Why it cannot start.
    pub fn start(settings: Settings) -> Result<Self, Fault> {
        let requested = settings.listen;
        let listen = || -> io::Result<(UdpSocket, SocketAddr)> {
            let socket = UdpSocket::bind(requested)?;
            socket.set_nonblocking(true)?;
            let address = socket.local_addr()?;
            Ok((socket, address))
        };
        let (socket, address) = listen().map_err(|cause| Fault::Listen { address: requested, cause })?;
        let mut listeners = Vec::new();
        let mut listen = |address, shown| {
            let listener = Listener::open(address, shown)?;
            let address = listener.address()?;
            listeners.push(listener);
            Ok(address)
        };
        let mut connected =
            |address, shown| listen(address, shown).map_err(|cause| Fault::Connections { address, cause });
        let tcp = settings.tcp.map(|address| connected(address, None)).transpose()?;
        let tls = settings.tls.clone().map(|(address, shown)| connected(address, Some(shown))).transpose()?;
        let (links, cut, ended) = (Arc::default(), Arc::default(), Arc::default());
        if let Some(folder) = &settings.recordings {
            std::fs::create_dir_all(folder)
                .map_err(|cause| Fault::Recordings { folder: folder.clone(), cause })?;
        }
        let bell =
            Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(io::Error::from)?);
        let ledger = Ledger::default();
        let parts = Parts {
            socket,
            address,
            listeners,
            tcp,
            tls,
            made_links: Arc::clone(&links),
            cut: Arc::clone(&cut),
            ended: Arc::clone(&ended),
            bell: Arc::clone(&bell),
            ledger: ledger.clone(),
        };
        let exchange = Exchange::new(settings, parts)?;
        let thread = thread::Builder::new().name("carrier".to_owned()).spawn(move || exchange.run())?;
        Ok(Self { address, tcp, tls, links, cut, ended, ledger, bell, thread: Some(thread) })
    }

    /// Where it listens for SIP over UDP.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens for TCP, if it does.
    #[must_use]
    pub const fn tcp(&self) -> Option<SocketAddr> {
        self.tcp
    }

    /// Where it listens for TLS, if it does.
    #[must_use]
    pub const fn tls(&self) -> Option<SocketAddr> {
        self.tls
    }

    /// Connections that were made so far, to it and by it.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.links.load(Ordering::Acquire)
    }

    /// Breaks all connections, a moment later. The calls go on.
    pub fn cut(&self) {
        self.cut.store(true, Ordering::Release);
        self.ring();
    }

    fn ring(&self) {
        // A full counter means the bell rings already, which is all we want.
        rustix::io::write(&*self.bell, &1_u64.to_ne_bytes()).ok();
    }

    /// What its telephones went through, in the order in which the calls came: all that are open, and those of the
    /// last 100,000 that are over.
    #[must_use]
    pub fn heard(&self) -> Vec<LegReport> {
        self.ledger.all()
    }

    /// Telephones that ring or are up right now.
    #[must_use]
    pub fn open_legs(&self) -> usize {
        self.ledger.open_legs()
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        self.ring();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
