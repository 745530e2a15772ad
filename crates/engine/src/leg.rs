//! One leg of a running call: what SIP says of it, and what that means.
//!
//! ```text
//! Dialled ─18x─▶ Ringing ─2xx─▶ Up ─BYE─▶ Gone
//!    └───────2xx──────────────▶┘
//!    every state ─final failure─▶ Gone
//! ```
//!
//! Pure: it turns SIP's news into the one truth about why a leg ended, and knows nothing of sockets or plans.

use base::release::{Cause, Party, Release, cause_of};
use sip::{EndedBy, Reason};

/// What is known of a leg that was dialled.
#[derive(Debug)]
pub(crate) struct LegState {
    /// Who is at its end.
    party: Party,
    phase: Phase,
    rang: bool,
    /// Q.850 cause that an early response announced (RFC 3326 in a 183).
    announced: Option<u8>,
    /// Who told us to release it and why, once somebody has.
    released_by: Option<(Party, Cause)>,
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
        Self { party, phase: Phase::Dialled, rang: false, announced: None, released_by: None }
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
        // An announcement of a failure in early media is no ringing telephone.
        let rings = self.phase == Phase::Dialled && self.announced.is_none() && (status == 180 || media);
        if rings {
            self.phase = Phase::Ringing;
            self.rang = true;
        }
        Early { began_to_ring: rings, failure: announced.is_some() }
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

    /// The INVITE came to a final failure; `local` when no response of the far end made it: a timer of ours (408), or
    /// a full table (503).
    pub(crate) fn failed(&mut self, status: u16, reason: Option<&Reason>, local: bool) -> Release {
        self.phase = Phase::Gone;
        let q850 = reason.and_then(q850).or(self.announced);
        let (by, cause) = match (self.released_by, local, self.rang) {
            (Some(decided), ..) => decided,
            (None, true, _) if status != TIMED_OUT => (Party::Platform, Cause::OurFault),
            (None, true, true) => (Party::Platform, Cause::RingTimeout),
            (None, true, false) => (Party::Platform, Cause::TrunkSilent),
            (None, false, rang) => (self.party, cause_of(status, q850, rang)),
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
        let release = leg.failed(487, None, false);
        assert_eq!((release.cause, release.q850, release.rang), (Cause::Busy, Some(17), false));
    }

    #[test]
    fn silence_of_the_trunk_is_not_an_unanswered_telephone() {
        assert_eq!(leg().failed(408, None, true).cause, Cause::TrunkSilent);
        let mut rung = leg();
        rung.early(180, false, None);
        assert_eq!(rung.failed(408, None, true).cause, Cause::RingTimeout);
    }

    #[test]
    fn an_invite_that_never_left_is_our_fault() {
        let release = leg().failed(503, None, true);
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
