//! What must hold for every plan, whatever happens: watched at every step of every story.

use base::id::Leg;
use base::limits;
use base::order::Ears;
use base::time::Instant;

use crate::plan::{Event, Wish};

/// Looks at everything that goes in and comes out of a plan.
#[derive(Default)]
pub(super) struct Witness {
    legs: [LegState; 2],
    over: bool,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum LegState {
    #[default]
    Untouched,
    Dialled,
    Answered,
    HungUp {
        at: Instant,
    },
    Gone,
}

impl Witness {
    /// News goes in. News that a leg cannot give, such as the answer of a leg that was never dialled, is ignored.
    pub(super) fn hears(&mut self, event: &Event) {
        match event {
            Event::Answered { leg } if self.leg(*leg) == LegState::Dialled => {
                self.legs[leg.index()] = LegState::Answered;
            }
            Event::Released { leg, .. } if self.leg(*leg) != LegState::Untouched => {
                self.legs[leg.index()] = LegState::Gone;
            }
            Event::Ringing { .. }
            | Event::EarlyMedia { .. }
            | Event::EarlyMediaOver { .. }
            | Event::Answered { .. }
            | Event::ClipEnded { .. }
            | Event::ClipFailed { .. }
            | Event::SpeechFailed
            | Event::Digit { .. }
            | Event::Machine { .. }
            | Event::Released { .. }
            | Event::Deadline
            | Event::Stop => {}
        }
    }

    /// A wish comes out.
    pub(super) fn sees(&mut self, now: Instant, wish: &Wish) {
        assert!(!self.over, "nothing is wished after the end, but {wish:?} was");
        match wish {
            Wish::Dial(leg) => {
                assert!(self.leg(*leg) == LegState::Untouched, "leg {leg} is dialled once");
                self.legs[leg.index()] = LegState::Dialled;
            }
            Wish::Play { leg, clips, .. } => {
                assert!(!clips.is_empty(), "something is played");
                self.is_answered(*leg);
            }
            Wish::Silence(leg) | Wish::Report { leg, .. } => self.is_answered(*leg),
            Wish::PassEarlyMedia { to } => {
                self.is_answered(*to);
                assert!(self.leg(to.other()) == LegState::Dialled, "early media comes before the answer");
            }
            Wish::Bridge | Wish::Record { .. } | Wish::Announce { ears: Ears::Both, .. } => {
                self.is_answered(Leg::A);
                self.is_answered(Leg::B);
            }
            Wish::Announce { ears: Ears::A, .. } => self.is_answered(Leg::A),
            Wish::Announce { ears: Ears::B, .. } => self.is_answered(Leg::B),
            Wish::HangUp { leg, .. } => {
                let up = matches!(self.leg(*leg), LegState::Dialled | LegState::Answered);
                assert!(up, "only a leg that is up is hung up, and once: {leg}");
                self.legs[leg.index()] = LegState::HungUp { at: now };
            }
            Wish::Over(_) => {
                self.over = true;
                for leg in [Leg::A, Leg::B] {
                    let done = match self.leg(leg) {
                        LegState::Untouched | LegState::Gone => true,
                        LegState::HungUp { at } => now.since(at) >= limits::RELEASE,
                        LegState::Dialled | LegState::Answered => false,
                    };
                    assert!(done, "leg {leg} is gone, or was given the time to go");
                }
            }
        }
    }

    /// Whether the call is over.
    pub(super) const fn saw_the_end(&self) -> bool {
        self.over
    }

    fn leg(&self, leg: Leg) -> LegState {
        self.legs[leg.index()]
    }

    fn is_answered(&self, leg: Leg) {
        assert!(self.leg(leg) == LegState::Answered, "leg {leg} can hear something now");
    }
}
