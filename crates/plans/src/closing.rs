//! The one road to the end: legs were told to go, and the call is over when all of them have gone.
//!
//! ```text
//! hang_up … ─▶ Closing ─ last Released │ Deadline ─▶ over
//! ```

use base::id::Leg;
use base::limits;
use base::release::{Cause, Ending, Party};
use base::time::Instant;

use crate::plan::{Event, Todo};

/// A call that is ending: how, which legs have not confirmed yet, and how long we wait for them.
#[derive(Debug)]
pub(crate) struct Closing {
    ending: Ending,
    up: [bool; 2],
    until: Instant,
}

impl Closing {
    /// The end has been decided; no leg has been told yet.
    pub(crate) fn new(now: Instant, ending: Ending) -> Self {
        Self { ending, up: [false; 2], until: now + limits::RELEASE }
    }

    /// Tells one leg to go.
    pub(crate) fn hang_up(mut self, leg: Leg, by: Party, cause: Cause, todo: &mut Todo) -> Self {
        todo.hang_up(leg, by, cause);
        self.up[leg.index()] = true;
        self
    }

    /// Waits for the legs. `None` when the call is over: the last has gone, or has had its time.
    pub(crate) fn on(mut self, now: Instant, event: &Event, todo: &mut Todo) -> Option<Self> {
        let given_up = match event {
            Event::Released { leg, .. } => {
                self.up[leg.index()] = false;
                false
            }
            Event::Deadline => now >= self.until,
            // A party that answers or presses a key now is too late, and a second stop stops nothing.
            Event::Ringing { .. }
            | Event::EarlyMedia { .. }
            | Event::EarlyMediaOver { .. }
            | Event::Answered { .. }
            | Event::ClipEnded { .. }
            | Event::ClipFailed { .. }
            | Event::SpeechFailed
            | Event::Digit { .. }
            | Event::Machine { .. }
            | Event::Stop => false,
        };
        if given_up || self.up == [false; 2] {
            todo.over(self.ending);
            return None;
        }
        Some(self)
    }

    /// When we stop waiting.
    pub(crate) const fn until(&self) -> Instant {
        self.until
    }
}
