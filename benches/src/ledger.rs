//! What is known of every call of one run, as the far ends, the customer and the receiver saw it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::accounting::Waits;

/// Who is called: the first leg of any call, or the second of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    A = 0,
    B = 1,
}

/// How many parties a call has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parties {
    One = 1,
    Two = 2,
}

/// One leg's life.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LegTimes {
    pub(crate) invited: Option<Instant>,
    pub(crate) acked: Option<Instant>,
    /// Ended by a BYE that was answered.
    pub(crate) over: Option<Instant>,
    /// Where the server wants our audio.
    pub(crate) media: Option<SocketAddr>,
}

/// One call's life.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) ordered: Instant,
    /// When the request was answered with success.
    pub(crate) accepted: Option<Instant>,
    /// When it was answered otherwise.
    pub(crate) refused: Option<Instant>,
    pub(crate) legs: [LegTimes; 2],
    pub(crate) statuses: u32,
    pub(crate) fees: u32,
    pub(crate) last_push: Option<Instant>,
}

/// The calls of one run, found by the digits that were dialled or by their session.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) parties: Parties,
    /// Number of this run's first call; numbers are never used again while the program runs.
    first: u32,
    pub(crate) calls: Vec<Call>,
    by_session: HashMap<String, usize>,
    /// Sessions that pushes named and no reply had: the push can overtake the reply.
    early: HashMap<String, (u32, u32, Instant)>,
    /// First things that went wrong, in words.
    pub(crate) complaints: Vec<String>,
}

/// Complaints kept of one run: enough to see what is wrong.
const COMPLAINTS: usize = 5;

impl Ledger {
    /// An empty page that begins where the page before ended.
    pub(crate) fn new(parties: Parties, before: Option<&Self>) -> Self {
        let first = before.map_or(0, |page| page.first + u32::try_from(page.calls.len()).unwrap_or(0));
        Self {
            parties,
            first,
            calls: Vec::new(),
            by_session: HashMap::new(),
            early: HashMap::new(),
            complaints: Vec::new(),
        }
    }

    /// Makes room for so many calls, so that nothing stops to make it later.
    pub(crate) fn expect(&mut self, calls: usize) {
        self.calls.reserve(calls);
        self.by_session.reserve(calls);
    }

    /// Enters a new call and gives its place.
    pub(crate) fn open(&mut self, now: Instant) -> usize {
        self.calls.push(Call {
            ordered: now,
            accepted: None,
            refused: None,
            legs: [LegTimes::default(); 2],
            statuses: 0,
            fees: 0,
            last_push: None,
        });
        self.calls.len() - 1
    }

    /// The order is on its way now: what it took to write and sign it is not the server's time.
    pub(crate) fn asked(&mut self, call: usize, now: Instant) {
        self.calls[call].ordered = now;
    }

    /// The telephone number of one side of a call: `+86138…` for A, `+86139…` for B.
    pub(crate) fn number(&self, call: usize, side: Side) -> String {
        let prefix = match side {
            Side::A => 138,
            Side::B => 139,
        };
        format!("+86{prefix}{:08}", self.first as usize + call)
    }

    /// Which call and side the dialled digits are, if they are of this run.
    pub(crate) fn find(&self, digits: &str) -> Option<(usize, Side)> {
        let at = digits.len().checked_sub(11)?;
        let (prefix, number) = digits.get(at..)?.split_at(3);
        let side = match prefix {
            "138" => Side::A,
            "139" => Side::B,
            _ => return None,
        };
        let call = number.parse::<u32>().ok()?.checked_sub(self.first)? as usize;
        (call < self.calls.len()).then_some((call, side))
    }

    /// A request was answered with success.
    pub(crate) fn accepted(&mut self, call: usize, session: String, now: Instant) {
        self.calls[call].accepted = Some(now);
        if let Some((statuses, fees, at)) = self.early.remove(&session) {
            self.calls[call].statuses += statuses;
            self.calls[call].fees += fees;
            self.calls[call].last_push = Some(at);
        }
        self.by_session.insert(session, call);
    }

    /// A request was answered without success.
    pub(crate) fn refused(&mut self, call: usize, now: Instant) {
        self.calls[call].refused = Some(now);
    }

    /// A push arrived: status events and fee records of one session.
    pub(crate) fn pushed(&mut self, session: &str, statuses: u32, fees: u32, now: Instant) {
        if let Some(call) = self.by_session.get(session).map(|&call| &mut self.calls[call]) {
            call.statuses += statuses;
            call.fees += fees;
            call.last_push = Some(now);
        } else if let Some(early) = self.early.get_mut(session) {
            *early = (early.0 + statuses, early.1 + fees, now);
        } else if self.early.len() < self.calls.len() {
            self.early.insert(session.to_owned(), (statuses, fees, now));
        }
    }

    /// Notes something that went wrong.
    pub(crate) fn complain(&mut self, what: impl FnOnce() -> String) {
        if self.complaints.len() < COMPLAINTS {
            self.complaints.push(what());
        }
    }

    /// Whether a call went as it should, up to its last BYE.
    pub(crate) fn is_over(&self, call: &Call) -> bool {
        call.accepted.is_some() && call.legs[..self.parties as usize].iter().all(|leg| leg.over.is_some())
    }

    /// Whether all parties of a call have picked up.
    pub(crate) fn is_talking(&self, call: &Call) -> bool {
        call.legs[..self.parties as usize].iter().all(|leg| leg.acked.is_some())
    }

    /// Status events that a call of this kind leaves.
    pub(crate) fn statuses_owed(&self) -> u32 {
        match self.parties {
            Parties::One => 4,
            Parties::Two => 7,
        }
    }

    /// Whether all pushes of a call have come.
    pub(crate) fn is_told(&self, call: &Call) -> bool {
        call.statuses >= self.statuses_owed() && call.fees >= 1
    }

    /// Waits from one moment of a call to another, where both happened.
    pub(crate) fn waits(
        &self,
        from: impl Fn(&Call) -> Option<Instant>,
        to: impl Fn(&Call) -> Option<Instant>,
    ) -> Waits {
        let between =
            |call: &Call| -> Option<Duration> { Some(to(call)?.saturating_duration_since(from(call)?)) };
        Waits::of_durations(self.calls.iter().filter_map(between))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_leads_back_to_its_call() {
        let now = Instant::now();
        let mut first = Ledger::new(Parties::Two, None);
        first.open(now);
        let mut page = Ledger::new(Parties::Two, Some(&first));
        page.open(now);
        page.open(now);
        assert_eq!(page.number(1, Side::B), "+8613900000002");
        assert_eq!(page.find("8613900000002"), Some((1, Side::B)));
        assert_eq!(page.find("13800000001"), Some((0, Side::A)));
        for stranger in ["8613800000000", "8613800000003", "8613700000001", "1", ""] {
            assert_eq!(page.find(stranger), None, "{stranger}");
        }
    }

    #[test]
    fn a_push_may_overtake_the_reply() {
        let now = Instant::now();
        let mut page = Ledger::new(Parties::Two, None);
        let call = page.open(now);
        page.pushed("s", 1, 0, now);
        page.accepted(call, "s".to_owned(), now);
        page.pushed("s", 6, 0, now);
        assert!(!page.is_told(&page.calls[call]));
        page.pushed("s", 0, 1, now);
        assert!(page.is_told(&page.calls[call]));
    }
}
