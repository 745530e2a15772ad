//! How a call went, as its permit tells those who learn from it.

use std::time::Duration;

use base::experience::{Outcome, TrunkNews};
use base::id::Leg;
use base::release::{Cause, Party, Release};
use base::time::{Instant, Timestamp};

/// What is known of it so far.
#[derive(Debug)]
pub(super) struct Experience {
    talk: Talk,
    trunk: TrunkNews,
}

/// How long the parties that the call is for could hear each other, or us.
#[derive(Clone, Copy, Debug)]
enum Talk {
    Awaited,
    Since(Instant),
    Was(Duration),
}

impl Default for Experience {
    fn default() -> Self {
        Self { talk: Talk::Awaited, trunk: TrunkNews::Unknown }
    }
}

impl Experience {
    /// It rang, or was answered.
    pub(super) fn a_telephone_was_reached(&mut self) {
        self.trunk = TrunkNews::Worked;
    }

    pub(super) fn everybody_is_up(&mut self, now: Instant) {
        self.talk = Talk::Since(now);
    }

    /// Gone, or told to go. Only the first counts.
    pub(super) fn somebody_is_gone(&mut self, now: Instant) {
        if let Talk::Since(since) = self.talk {
            self.talk = Talk::Was(now.since(since));
        }
    }

    /// What the end of a leg tells of the trunk. That it worked for one leg is more than that it failed another.
    pub(super) fn is_released(&mut self, leg: Leg, release: Release) {
        if matches!(self.trunk, TrunkNews::Worked) {
            return;
        }
        match release.cause {
            Cause::TrunkFault | Cause::TrunkSilent => {
                self.trunk = TrunkNews::Failed(release.status.unwrap_or(TIMED_OUT));
            }
            // A party that was busy was reached.
            _ if release.by == Party::of(leg) => self.trunk = TrunkNews::Worked,
            _ => {}
        }
    }

    pub(super) const fn outcome(&self, at: Timestamp) -> Outcome {
        let talked = match self.talk {
            Talk::Was(talked) => Some(talked),
            Talk::Awaited | Talk::Since(_) => None,
        };
        Outcome { at, talked, trunk: self.trunk }
    }
}

/// The status of a trunk that said nothing.
const TIMED_OUT: u16 = 408;
