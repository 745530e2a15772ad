//! The one loop: both far ends, the customer, the receiver of pushes and the sound of all calls, in one thread.

use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use crate::api::{Account, Api, Order};
use crate::far_end::FarEnd;
use crate::ledger::{Ledger, Parties, Side};
use crate::media::Media;
use crate::receiver::Receiver;

/// Events taken from the kernel at once.
const EVENTS: usize = 256;

/// Everything outside the server.
pub(crate) struct World {
    poller: OwnedFd,
    timer: OwnedFd,
    events: Vec<Event>,
    pub(crate) far_end: FarEnd,
    pub(crate) media: Media,
    pub(crate) ledger: Ledger,
    receiver: Receiver,
    api: Option<Api>,
    woke: Instant,
    /// How late the latest thing was that waited for us, not for the server, since somebody set it to zero.
    pub(crate) late: Duration,
}

/// What the poller tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Timer,
    Sip,
    Sound(Side),
    Listener,
    /// A connection of the customer, by its place.
    Asking(usize),
    /// A connection of the server's push client, by its place.
    Pushing(usize),
}

impl Source {
    fn number(self) -> u64 {
        match self {
            Self::Timer => 0,
            Self::Sip => 1,
            Self::Sound(Side::A) => 2,
            Self::Sound(Side::B) => 3,
            Self::Listener => 4,
            Self::Asking(place) => 1 << 32 | place as u64,
            Self::Pushing(place) => 2 << 32 | place as u64,
        }
    }

    fn from_number(number: u64) -> Option<Self> {
        let place = usize::try_from(number & 0xFFFF_FFFF).ok()?;
        Some(match (number >> 32, place) {
            (0, 0) => Self::Timer,
            (0, 1) => Self::Sip,
            (0, 2) => Self::Sound(Side::A),
            (0, 3) => Self::Sound(Side::B),
            (0, 4) => Self::Listener,
            (1, _) => Self::Asking(place),
            (2, _) => Self::Pushing(place),
            _ => return None,
        })
    }
}

impl World {
    /// Opens all sockets.
    pub(crate) fn new() -> Result<Self> {
        let media = Media::new()?;
        let world = Self {
            poller: epoll::create(CreateFlags::CLOEXEC).context("cannot open a poller")?,
            timer: timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)
                .context("cannot open a timer")?,
            events: Vec::with_capacity(EVENTS),
            far_end: FarEnd::new(media.addresses()?)?,
            media,
            ledger: Ledger::new(Parties::Two, None),
            receiver: Receiver::new()?,
            api: None,
            woke: Instant::now(),
            late: Duration::ZERO,
        };
        world.watch(&world.timer, Source::Timer)?;
        world.watch(&world.far_end.socket, Source::Sip)?;
        for side in [Side::A, Side::B] {
            world.watch(world.media.socket(side), Source::Sound(side))?;
        }
        world.watch(&world.receiver.listener, Source::Listener)?;
        Ok(world)
    }

    fn watch(&self, file: impl AsFd, source: Source) -> Result<()> {
        watch(&self.poller, file, source)
    }

    /// Turns to another server or another kind of run: all calls are forgotten, all connections closed.
    pub(crate) fn begin(
        &mut self,
        account: &Account,
        parties: Parties,
        hold: Option<Duration>,
        are_pushed: bool,
    ) -> Result<()> {
        let url = if are_pushed { Some(self.receiver.url()?) } else { None };
        self.api = Some(Api::new(account.clone(), url));
        self.ledger = Ledger::new(parties, Some(&self.ledger));
        self.far_end.reset(hold);
        self.media.reset();
        Ok(())
    }

    /// Makes room for so many calls: a table that grows while they come looks like a server that is late.
    pub(crate) fn expect(&mut self, calls: usize) {
        self.ledger.expect(calls);
        self.far_end.expect(2 * calls);
    }

    /// Asks for one call.
    pub(crate) fn order(&mut self, order: &Order) -> Result<()> {
        let call = self.ledger.open(Instant::now());
        let api = self.api.as_mut().context("nobody was told whom to ask")?;
        if let Some((place, stream)) = api.ask(order, call, &mut self.ledger)? {
            watch_stream(&self.poller, stream, Source::Asking(place))?;
        }
        Ok(())
    }

    /// Waits for news, or until something is due, or until `until`; does what there is to do.
    pub(crate) fn step(&mut self, until: Instant) -> Result<()> {
        let wake = [Some(until), self.far_end.deadline(), self.media.deadline()].into_iter().flatten().min();
        let slept = Instant::now();
        let wait = wake.unwrap_or(until).saturating_duration_since(slept);
        self.wait(wait)?;
        let woke = Instant::now();
        let (busy, overslept) = (slept - self.woke, woke.saturating_duration_since(slept + wait));
        (self.woke, self.late) = (woke, self.late.max(busy).max(overslept));
        let mut events = std::mem::take(&mut self.events);
        for event in events.drain(..) {
            let data = event.data;
            if let Some(source) = Source::from_number(data.u64()) {
                self.on_event(source)?;
            }
        }
        self.events = events;
        for port in std::mem::take(&mut self.far_end.claimed) {
            self.media.claim_port(port);
        }
        let now = Instant::now();
        self.media.on_time(now)?;
        self.far_end.on_time(now);
        Ok(())
    }

    /// Does everything that happens until `until`.
    pub(crate) fn run_until(&mut self, until: Instant) -> Result<()> {
        while Instant::now() < until {
            self.step(until)?;
        }
        Ok(())
    }

    /// The poller's own timeout has milliseconds only, too coarse for slots of one; so a timer wakes it.
    fn wait(&mut self, wait: Duration) -> Result<()> {
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let timeout = if wait.is_zero() {
            Some(&zero)
        } else {
            let it_value = Timespec {
                tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(wait.subsec_nanos()),
            };
            let spec = Itimerspec { it_interval: zero, it_value };
            timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &spec).context("cannot set a timer")?;
            None
        };
        match epoll::wait(&self.poller, spare_capacity(&mut self.events), timeout) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(fault) => Err(fault).context("cannot wait for news"),
        }
    }

    fn on_event(&mut self, source: Source) -> Result<()> {
        match source {
            Source::Timer => {
                // Empties it; when it has been set again meanwhile there is nothing to read.
                let mut expirations = [0; 8];
                let _ = rustix::io::read(&self.timer, &mut expirations);
                Ok(())
            }
            Source::Sip => self.far_end.on_readable(&mut self.ledger),
            Source::Sound(side) => self.media.on_readable(side),
            Source::Listener => {
                while let Some((place, stream)) = self.receiver.accept()? {
                    watch_stream(&self.poller, stream, Source::Pushing(place))?;
                }
                Ok(())
            }
            Source::Asking(place) => match &mut self.api {
                Some(api) => api.on_readable(place, &mut self.ledger),
                None => Ok(()),
            },
            Source::Pushing(place) => self.receiver.on_readable(place, &mut self.ledger),
        }
    }
}

fn watch(poller: &OwnedFd, file: impl AsFd, source: Source) -> Result<()> {
    epoll::add(poller, file, EventData::new_u64(source.number()), EventFlags::IN)
        .context("cannot watch a socket")
}

fn watch_stream(poller: &OwnedFd, stream: &TcpStream, source: Source) -> Result<()> {
    watch(poller, stream, source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_its_number() {
        for source in [
            Source::Timer,
            Source::Sip,
            Source::Sound(Side::A),
            Source::Sound(Side::B),
            Source::Listener,
            Source::Asking(7),
            Source::Pushing(0),
        ] {
            assert_eq!(Source::from_number(source.number()), Some(source));
        }
        assert_eq!(Source::from_number(5), None);
    }

    #[test]
    fn waiting_ends_when_it_should() {
        let mut world = World::new().unwrap();
        let began = Instant::now();
        world.run_until(began + Duration::from_millis(3)).unwrap();
        assert!(began.elapsed() >= Duration::from_millis(3));
    }
}
