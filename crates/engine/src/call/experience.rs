//! How a call went, as its permit tells those who learn from it.

use std::time::Duration;

use base::experience::Outcome;
use base::time::{Instant, Timestamp};

/// What is known of it so far.
#[derive(Debug, Default)]
pub(super) struct Experience {
    talk: Talk,
}

/// How long the parties that the call is for could hear each other, or us.
#[derive(Clone, Copy, Debug, Default)]
enum Talk {
    #[default]
    Awaited,
    Since(Instant),
    Was(Duration),
}

impl Experience {
    pub(super) fn everybody_is_up(&mut self, now: Instant) {
        self.talk = Talk::Since(now);
    }

    /// Gone, or told to go. Only the first counts.
    pub(super) fn somebody_is_gone(&mut self, now: Instant) {
        if let Talk::Since(since) = self.talk {
            self.talk = Talk::Was(now.since(since));
        }
    }

    pub(super) const fn outcome(&self, at: Timestamp) -> Outcome {
        let talked = match self.talk {
            Talk::Was(talked) => Some(talked),
            Talk::Awaited | Talk::Since(_) => None,
        };
        Outcome { at, talked }
    }
}
