//! One leg of a running call: what SIP says of it, and what that means.
//!
//! ```text
//! Dialled ─18x─▶ Ringing ─2xx─▶ Up ─BYE─▶ Gone
//!    └───────2xx──────────────▶┘
//!    every state ─final failure─▶ Gone
//! Dialled ─failure of the trunk─▶ Dialled     by another way, where there is one
//! ```
//!
//! Pure: it turns SIP's news into the one truth about why a leg ended, and knows nothing of sockets or plans.

use std::time::Duration;

use base::release::{Cause, Party, Release, cause_of};
use base::trunk::TrunkNews;
use sip::{EndedBy, Reason};

/// What is known of a leg that was dialled.
#[derive(Debug)]
pub(crate) struct LegState {
    /// Who is at its end.
    party: Party,
    phase: Phase,
    rang: bool,
    /// Whether it was heard before it was answered: ring-back, an announcement.
    was_heard: bool,
    /// Q.850 cause that an early response announced (RFC 3326 in a 183).
    announced: Option<u8>,
    /// What the network said before the answer, if it is an announcement that we know.
    recognised: Option<Cause>,
    /// Who told us to release it and why, once somebody has.
    released_by: Option<(Party, Cause)>,
}

/// Why an INVITE came to nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure<'a> {
    /// Its final status.
    pub(crate) status: u16,
    /// The far end's reason.
    pub(crate) reason: Option<&'a Reason>,
    /// Whether no response of the far end made it: a timer of ours (408), or a full table (503).
    pub(crate) local: bool,
    /// How long the trunk wants to be left alone.
    pub(crate) pause: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Dialled,
    Ringing,
    Up,
    Gone,
}

/// What a provisional response meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Early {
    /// The leg began to ring: 180, or any provisional with early media. Told once.
    pub(crate) began_to_ring: bool,
    /// The far end already said why the call will fail.
    pub(crate) failure: bool,
}

impl LegState {
    pub(crate) const fn dialled(party: Party) -> Self {
        Self {
            party,
            phase: Phase::Dialled,
            rang: false,
            was_heard: false,
            announced: None,
            recognised: None,
            released_by: None,
        }
    }

    pub(crate) const fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up)
    }

    pub(crate) const fn is_gone(&self) -> bool {
        matches!(self.phase, Phase::Gone)
    }

    /// A provisional response other than 100.
    pub(crate) fn early(&mut self, status: u16, media: bool, reason: Option<&Reason>) -> Early {
        let announced = reason.and_then(q850);
        self.announced = announced.or(self.announced);
        self.was_heard |= media;
        // An announcement of a failure in early media is no ringing telephone.
        let rings = self.phase == Phase::Dialled && self.announced.is_none() && (status == 180 || media);
        if rings {
            self.phase = Phase::Ringing;
            self.rang = true;
        }
        Early { began_to_ring: rings, failure: announced.is_some() }
    }

    /// What the network says is a known announcement of a failure. False when that is no news, or matters no more.
    pub(crate) fn recognised(&mut self, cause: Cause) -> bool {
        let news = self.recognised.is_none() && matches!(self.phase, Phase::Dialled | Phase::Ringing);
        if news {
            self.recognised = Some(cause);
        }
        news
    }

    /// A 2xx. False when the leg was already up or gone.
    pub(crate) fn answered(&mut self) -> bool {
        let news = matches!(self.phase, Phase::Dialled | Phase::Ringing);
        if news {
            self.phase = Phase::Up;
        }
        news
    }

    /// Somebody wants the leg released. False when it is being released already, or is gone.
    pub(crate) fn hang_up(&mut self, by: Party, cause: Cause) -> bool {
        let news = self.released_by.is_none() && self.phase != Phase::Gone;
        if news {
            self.released_by = Some((by, cause));
        }
        news
    }

    /// The party is tried to be reached by another way: what the trunk before said of it counts no more.
    pub(crate) const fn dialled_again(&mut self) {
        self.announced = None;
        self.recognised = None;
    }

    /// Whether another trunk may be tried at all: not once a telephone rang or something was heard, which would ring
    /// twice, and not once somebody wants the leg released.
    pub(crate) const fn may_go_elsewhere(&self) -> bool {
        matches!(self.phase, Phase::Dialled) && !self.was_heard && self.released_by.is_none()
    }

    /// What a failure tells of the trunk, and whether another trunk may do better. What the party or its network
    /// decided, no other way changes: busy, refused, no such number.
    pub(crate) fn judge(&self, failure: &Failure<'_>) -> (Option<TrunkNews>, bool) {
        let Release { by, cause, .. } = self.release_of(failure);
        let is_the_trunks = matches!(cause, Cause::TrunkFault | Cause::TrunkSilent);
        let is_final = failure.status == CANCELLED || failure.status >= GLOBAL_FAILURE;
        let news = match () {
            () if self.rang || self.was_heard => Some(TrunkNews::Worked),
            () if is_the_trunks => Some(TrunkNews::Failed { status: failure.status, pause: failure.pause }),
            () if by == self.party => Some(TrunkNews::Worked),
            () => None,
        };
        (news, is_the_trunks && !is_final && self.may_go_elsewhere())
    }

    /// The INVITE came to a final failure, and there is no other way.
    pub(crate) fn failed(&mut self, failure: &Failure<'_>) -> Release {
        let release = self.release_of(failure);
        self.phase = Phase::Gone;
        release
    }

    fn release_of(&self, failure: &Failure<'_>) -> Release {
        let Failure { status, reason, local, .. } = *failure;
        let q850 = reason.and_then(q850).or(self.announced);
        let (by, cause) = match (self.released_by, local, self.rang) {
            (Some(decided), ..) => decided,
            (None, true, _) if status != TIMED_OUT => (Party::Platform, Cause::OurFault),
            (None, true, true) => (Party::Platform, Cause::RingTimeout),
            (None, true, false) => (Party::Platform, Cause::TrunkSilent),
            (None, false, rang) => (self.party, cause_of(status, q850, self.recognised, rang)),
        };
        Release { by, cause, status: Some(status), q850, rang: self.rang }
    }

    /// An answered leg was hung up, by its party or by us, or its trunk gave no sign of life any more.
    pub(crate) fn ended(&mut self, by: EndedBy) -> Release {
        self.phase = Phase::Gone;
        let (by, cause) = match (self.released_by, by) {
            (Some(decided), _) => decided,
            (None, EndedBy::Peer) => (self.party, Cause::Normal),
            (None, EndedBy::Us) => (Party::Platform, Cause::TrunkFault),
            (None, EndedBy::Expiry) => (Party::Platform, Cause::TrunkSilent),
        };
        Release { by, cause, status: None, q850: None, rang: self.rang }
    }

    /// The leg could not even be dialled, or never confirmed its release.
    pub(crate) fn lost(&mut self, cause: Cause) -> Release {
        self.phase = Phase::Gone;
        let (by, cause) = self.released_by.unwrap_or((Party::Platform, cause));
        Release { by, cause, status: None, q850: None, rang: self.rang }
    }
}

/// The status of a timer of ours.
const TIMED_OUT: u16 = 408;

/// The status of an INVITE that was cancelled.
const CANCELLED: u16 = 487;

/// From here on a status speaks for every way to the party (RFC 3261 21.6).
const GLOBAL_FAILURE: u16 = 600;

/// The Q.850 cause of a Reason header, when it is one.
fn q850(reason: &Reason) -> Option<u8> {
    reason.q850_cause().filter(|cause| (1..=127).contains(cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leg() -> LegState {
        LegState::dialled(Party::Callee)
    }

    const fn failure(status: u16, local: bool) -> Failure<'static> {
        Failure { status, reason: None, local, pause: None }
    }

    fn goes_elsewhere(leg: &LegState, status: u16) -> bool {
        leg.judge(&failure(status, false)).1
    }

    #[test]
    fn another_trunk_is_tried_after_what_the_trunk_did_and_not_after_what_the_party_did() {
        for status in [300, 302, 401, 407, 482, 483, 488, 500, 501, 502, 503, 504, 513] {
            assert!(goes_elsewhere(&leg(), status), "{status}");
        }
        for status in [403, 404, 408, 410, 480, 484, 486, 487, 600, 603, 604, 606, 607] {
            assert!(!goes_elsewhere(&leg(), status), "{status}");
        }
        assert!(leg().judge(&failure(408, true)).1, "it said nothing");
        assert!(!leg().judge(&failure(503, true)).1, "our own table is full");
        let busy = Reason::q850(17);
        let told = Failure { reason: Some(&busy), ..failure(503, false) };
        assert!(!leg().judge(&told).1, "the network knows better");
    }

    #[test]
    fn nobody_is_rung_twice() {
        let after = |tell: fn(&mut LegState)| {
            let mut leg = leg();
            tell(&mut leg);
            goes_elsewhere(&leg, 503)
        };
        assert!(after(|leg| _ = leg.early(183, false, None)), "progress is no ringing");
        assert!(!after(|leg| _ = leg.early(180, false, None)));
        assert!(!after(|leg| _ = leg.early(183, true, None)));
        assert!(!after(|leg| _ = leg.early(183, true, Some(&Reason::q850(31)))));
        assert!(!after(|leg| _ = leg.hang_up(Party::Customer, Cause::Stopped)));
        let mut again = leg();
        again.early(183, false, Some(&Reason::q850(17)));
        assert!(!goes_elsewhere(&again, 503));
        again.dialled_again();
        assert!(goes_elsewhere(&again, 503), "the next trunk speaks for itself");
    }

    #[test]
    fn a_trunk_is_judged_by_what_it_did() {
        let pause = Some(Duration::from_secs(5));
        let told = |leg: &LegState, status, local| leg.judge(&Failure { pause, ..failure(status, local) }).0;
        assert_eq!(told(&leg(), 503, false), Some(TrunkNews::Failed { status: 503, pause }));
        assert_eq!(told(&leg(), 408, true), Some(TrunkNews::Failed { status: 408, pause }));
        assert_eq!(told(&leg(), 486, false), Some(TrunkNews::Worked), "a party was reached");
        assert_eq!(told(&leg(), 503, true), None, "it was our own fault");
        let mut rung = leg();
        rung.early(180, false, None);
        assert_eq!(told(&rung, 503, false), Some(TrunkNews::Worked));
        let mut stopped = leg();
        stopped.hang_up(Party::Customer, Cause::Stopped);
        assert_eq!(told(&stopped, 487, false), None, "nobody waited");
    }

    #[test]
    fn ringing_is_180_or_early_media_and_is_told_once() {
        let mut leg = leg();
        assert!(!leg.early(183, false, None).began_to_ring);
        assert!(leg.early(180, false, None).began_to_ring);
        assert!(!leg.early(183, true, None).began_to_ring);
    }

    #[test]
    fn a_busy_told_in_a_183_is_the_cause_of_the_failure_after_it() {
        let mut leg = leg();
        let early = leg.early(183, true, Some(&Reason::q850(17)));
        assert_eq!(early, Early { began_to_ring: false, failure: true });
        let release = leg.failed(&failure(487, false));
        assert_eq!((release.cause, release.q850, release.rang), (Cause::Busy, Some(17), false));
    }

    #[test]
    fn a_known_announcement_tells_more_than_the_status_after_it() {
        let said = |reason: Option<&Reason>| {
            let mut leg = leg();
            leg.early(183, true, None);
            assert!(leg.recognised(Cause::PoweredOff) && !leg.recognised(Cause::Busy), "told once");
            leg.failed(&Failure { reason, ..failure(480, false) }).cause
        };
        assert_eq!(said(None), Cause::PoweredOff);
        assert_eq!(said(Some(&Reason::q850(17))), Cause::Busy, "the network's own number is surer");
        let mut answered = leg();
        answered.answered();
        assert!(!answered.recognised(Cause::Busy), "what is said later is a conversation");
    }

    #[test]
    fn silence_of_the_trunk_is_not_an_unanswered_telephone() {
        assert_eq!(leg().failed(&failure(408, true)).cause, Cause::TrunkSilent);
        let mut rung = leg();
        rung.early(180, false, None);
        assert_eq!(rung.failed(&failure(408, true)).cause, Cause::RingTimeout);
    }

    #[test]
    fn an_invite_that_never_left_is_our_fault() {
        let release = leg().failed(&failure(503, true));
        assert_eq!((release.by, release.cause), (Party::Platform, Cause::OurFault));
    }

    #[test]
    fn a_gone_leg_stays_gone() {
        let mut leg = leg();
        leg.lost(Cause::OurFault);
        assert!(leg.is_gone() && !leg.answered() && !leg.hang_up(Party::Platform, Cause::Stopped));
        assert!(!leg.early(180, false, None).began_to_ring);
        assert!(leg.is_gone());
    }

    #[test]
    fn who_told_us_to_release_is_who_released() {
        let mut leg = leg();
        leg.answered();
        assert!(leg.hang_up(Party::Customer, Cause::Stopped));
        assert!(!leg.hang_up(Party::Platform, Cause::TimeOver));
        let release = leg.ended(EndedBy::Us);
        assert_eq!((release.by, release.cause), (Party::Customer, Cause::Stopped));
    }

    #[test]
    fn a_session_that_nobody_refreshed_is_the_silence_of_the_trunk() {
        let mut leg = leg();
        leg.answered();
        let release = leg.ended(EndedBy::Expiry);
        assert_eq!((release.by, release.cause), (Party::Platform, Cause::TrunkSilent));
    }

    #[test]
    fn a_party_that_hangs_up_is_the_one_who_did() {
        let mut leg = leg();
        assert!(leg.answered());
        assert_eq!(leg.ended(EndedBy::Peer), Release { rang: false, ..Release::normal(Party::Callee) });
    }
}
