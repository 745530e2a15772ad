//! The timers of RFC 3261 by their letters, the pace they run at, and the agenda that wakes their owners.
//!
//! A machine keeps its few running timers in a [`Timers`] and says when it wants to be woken; the [`Agenda`] is one
//! heap for everybody. An entry of the heap is a hint, not a promise: a machine whose timer was stopped or moved
//! later finds nothing due and asks again. So stopping a timer costs nothing, and each machine has one or two
//! entries however often its timers change.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use base::time::Instant;

/// What a deadline is for. Letters as in RFC 3261 table 4 and RFC 6026; the last eight belong to the layers above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// INVITE request retransmission.
    A,
    /// INVITE given up: 64*T1 without any response, or 64*T1 after its CANCEL (RFC 3261 9.1).
    B,
    /// INVITE rang too long: a provisional came, a final did not.
    C,
    /// Wait for retransmissions of a failure response to an INVITE.
    D,
    /// Retransmission of any other request.
    E,
    /// Any other request given up.
    F,
    /// Retransmission of a failure response to an INVITE.
    G,
    /// Wait for the ACK of a failure response.
    H,
    /// Wait for retransmissions of that ACK.
    I,
    /// Wait for retransmissions of any other request.
    J,
    /// Wait for retransmissions of the response to any other request.
    K,
    /// Server side of an accepted INVITE: wait for retransmissions of the INVITE (RFC 6026).
    L,
    /// Client side of an accepted INVITE: wait for more 2xx, also from other forks (RFC 6026).
    M,
    /// Retransmission of our 2xx until its ACK comes (RFC 3261 13.3.1.4).
    Answer,
    /// Our 2xx was never acknowledged: 64*T1.
    AnswerLost,
    /// Retransmission of our reliable provisional until its PRACK comes (RFC 3262 3).
    Reliable,
    /// Our reliable provisional was never acknowledged: 64*T1.
    ReliableLost,
    /// The session is due for a refresh of ours (RFC 4028 10).
    Refresh,
    /// The session was not refreshed in time (RFC 4028 10).
    Expiry,
    /// The registration is due for a refresh, or for another try.
    Register,
    /// Our offer met the peer's and goes again (RFC 3261 14.1).
    OfferAgain,
}

/// How fast the protocol runs (RFC 3261 table 4). Tests shorten it; a trunk rarely needs another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Estimate of the round trip: 500 ms by default.
    pub t1: Duration,
    /// Longest interval between retransmissions: 4 s by default.
    pub t2: Duration,
    /// Longest time a message stays in the network: 5 s by default.
    pub t4: Duration,
    /// Longest time an INVITE may ring without a final response: 180 s by default.
    pub timer_c: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            timer_c: Duration::from_secs(180),
        }
    }
}

impl Pace {
    /// 64*T1: how long one side of a transaction waits for the other.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.t1 * PATIENCE_IN_T1
    }

    /// The interval after `interval`: twice as long, at most T2.
    #[must_use]
    pub(crate) fn slower(&self, interval: Duration) -> Duration {
        (interval * 2).min(self.t2)
    }
}

/// The timers that one machine has running, at most `N` together.
pub(crate) struct Timers<const N: usize = TIMERS_PER_MACHINE> {
    running: [Option<(Timer, Instant)>; N],
    woken: Option<Instant>,
}

impl<const N: usize> Default for Timers<N> {
    fn default() -> Self {
        Self { running: [None; N], woken: None }
    }
}

impl<const N: usize> Timers<N> {
    /// Starts `timer`, or moves it when it is running.
    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        self.stop(timer);
        let free = self.running.iter_mut().find(|slot| slot.is_none());
        debug_assert!(free.is_some(), "this machine runs no more than {N} timers");
        if let Some(slot) = free {
            *slot = Some((timer, at));
        }
    }

    /// Stops `timer`. Nothing happens when it is not running.
    pub(crate) fn stop(&mut self, timer: Timer) {
        for slot in &mut self.running {
            if slot.is_some_and(|(running, _)| running == timer) {
                *slot = None;
            }
        }
    }

    /// Whether `timer` is running.
    pub(crate) fn is_running(&self, timer: Timer) -> bool {
        self.running.iter().flatten().any(|&(running, _)| running == timer)
    }

    /// Stops them all.
    pub(crate) fn stop_all(&mut self) {
        self.running = [None; N];
    }

    /// Takes the earliest timer that is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let slot = self.running.iter_mut().filter(|slot| slot.is_some_and(|(_, at)| at <= now));
        let slot = slot.min_by_key(|slot| slot.map(|(_, at)| at))?;
        slot.take().map(|(timer, _)| timer)
    }

    /// When the next of them is due.
    pub(crate) fn earliest(&self) -> Option<Instant> {
        self.running.iter().flatten().map(|&(_, at)| at).min()
    }

    /// Puts the next deadline on the agenda, unless an earlier entry is there already.
    pub(crate) fn book<W: Copy + Ord>(&mut self, who: W, agenda: &mut Agenda<W>) {
        self.book_until(None, who, agenda);
    }

    /// The same, but asks to be woken at `latest` if nothing is due before: the agenda must not keep an entry for a
    /// machine that is long gone.
    pub(crate) fn book_until<W: Copy + Ord>(
        &mut self,
        latest: Option<Instant>,
        who: W,
        agenda: &mut Agenda<W>,
    ) {
        let Some(at) = self.earliest() else { return };
        let at = latest.map_or(at, |latest| at.min(latest));
        if self.woken.is_none_or(|booked| at < booked) {
            self.woken = Some(at);
            agenda.heap.push(Reverse((at, who)));
        }
    }

    /// Tells that the agenda's entry for `at` was taken. `false`: that entry was replaced by an earlier one.
    pub(crate) fn wake(&mut self, at: Instant) -> bool {
        let ours = self.woken == Some(at);
        if ours {
            self.woken = None;
        }
        ours
    }
}

/// Whom an entry of the endpoint's agenda wakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// The client transaction of this key.
    Client(u64),
    /// The server transaction of this key.
    Server(u64),
    /// The leg of this key.
    Leg(u64),
    /// The registration of this key.
    Registration(u64),
}

/// Who wants to be woken, and when: earliest first.
pub(crate) struct Agenda<W> {
    heap: BinaryHeap<Reverse<(Instant, W)>>,
}

impl<W: Copy + Ord> Agenda<W> {
    /// An empty agenda.
    pub(crate) fn new() -> Self {
        Self { heap: BinaryHeap::new() }
    }

    /// The earliest entry. It may find its owner with nothing to do.
    pub(crate) fn earliest(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes the earliest entry that is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<(Instant, W)> {
        if self.earliest()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }
}

/// RFC 3261 writes its waits as 64*T1: seven retransmissions with doubling intervals.
const PATIENCE_IN_T1: u32 = 64;

/// Seconds for which what is over is remembered, in case that it is asked again: 64*T1.
pub(crate) const LINGERS_SECS: usize = 32;

/// New calls a second that one endpoint has room for, all day: more than a core can set up, so that the lack of time is felt,
/// and orders are held back, long before a table is full and a call fails that was accepted.
pub(crate) const CALLS_A_SECOND: usize = 3_000;

/// Timers of a transaction: the most that run together are A with B, or G with H.
const TIMERS_PER_MACHINE: usize = 3;

/// Timers of a leg: an answer with its loss, a refresh with the expiry, and an offer that goes again.
pub(crate) const TIMERS_PER_LEG: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn timers_come_due_in_the_order_of_their_time() {
        let mut timers: Timers = Timers::default();
        timers.set(Timer::B, at(320));
        timers.set(Timer::A, at(5));
        assert_eq!(timers.earliest(), Some(at(5)));
        assert_eq!(timers.take_due(at(4)), None);
        assert_eq!(timers.take_due(at(400)), Some(Timer::A));
        assert_eq!(timers.take_due(at(400)), Some(Timer::B));
        assert_eq!(timers.take_due(at(400)), None);
    }

    #[test]
    fn a_timer_that_moves_later_costs_no_second_entry_until_it_is_asked() {
        let (mut timers, mut agenda): (Timers, _) = (Timers::default(), Agenda::new());
        timers.set(Timer::A, at(5));
        timers.book(1, &mut agenda);
        timers.stop(Timer::A);
        timers.set(Timer::C, at(90));
        timers.book(1, &mut agenda);
        assert_eq!(agenda.take_due(at(9)), Some((at(5), 1)));
        assert!(timers.wake(at(5)));
        assert_eq!(timers.take_due(at(9)), None);
        timers.book(1, &mut agenda);
        assert_eq!(agenda.earliest(), Some(at(90)));
    }

    #[test]
    fn an_entry_that_an_earlier_one_replaced_wakes_nobody() {
        let (mut timers, mut agenda): (Timers, _) = (Timers::default(), Agenda::new());
        timers.set(Timer::C, at(90));
        timers.book(1, &mut agenda);
        timers.set(Timer::B, at(50));
        timers.book(1, &mut agenda);
        assert_eq!(agenda.take_due(at(99)), Some((at(50), 1)));
        assert!(timers.wake(at(50)));
        assert_eq!(agenda.take_due(at(99)), Some((at(90), 1)));
        assert!(!timers.wake(at(90)));
    }
}
