//! The words between a plan and whoever runs it.

use std::fmt;
use std::vec;

use base::clip::ClipKey;
use base::id::Leg;
use base::order::Ears;
use base::private::Private;
use base::release::{Cause, Ending, Party, Release};
use base::time::Instant;
use smallvec::SmallVec;

/// What one call does. It is started once, then told everything that happens to its legs.
pub trait Plan: Send + fmt::Debug {
    /// Begins the call: wishes the first leg to be dialled. A second start changes nothing, and so does one after
    /// [`Event::SpeechFailed`].
    fn start(&mut self, now: Instant, todo: &mut Todo);

    /// Takes news in and adds what is to be done about it. News that no longer matters adds nothing.
    fn on(&mut self, now: Instant, event: Event, todo: &mut Todo);

    /// When the plan wants to be woken by [`Event::Deadline`]; `None` before the start and when the call is over.
    fn deadline(&self) -> Option<Instant>;
}

/// Something that happened to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The leg's telephone rings.
    Ringing {
        /// The leg.
        leg: Leg,
    },
    /// The network of the leg sends sound before the answer.
    EarlyMedia {
        /// The leg it comes from.
        leg: Leg,
        /// Whether a reason for a failure came with it, so that it is an announcement of that failure.
        failure: bool,
    },
    /// What the network of the leg sent before the answer has stopped, or may not be heard any more. It may come again.
    EarlyMediaOver {
        /// The leg it came from.
        leg: Leg,
    },
    /// The leg was answered.
    Answered {
        /// The leg.
        leg: Leg,
    },
    /// What the leg was made to hear once is over.
    ClipEnded {
        /// The leg that heard it.
        leg: Leg,
    },
    /// What the leg was to hear cannot be played.
    ClipFailed {
        /// The leg that was to hear it.
        leg: Leg,
        /// What is wrong with it.
        why: ClipFailure,
    },
    /// The words of the call could not be spoken. Told in place of the start.
    SpeechFailed,
    /// The party pressed a key.
    Digit {
        /// The leg that pressed it.
        leg: Leg,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        digit: Private<char>,
    },
    /// A machine has picked up, and is not to be talked to like a person.
    Machine {
        /// The leg.
        leg: Leg,
        /// What is to be done about it.
        treat: Treat,
    },
    /// The leg is gone, or could not be dialled. The last news of a leg.
    Released {
        /// The leg.
        leg: Leg,
        /// How.
        release: Release,
    },
    /// The plan's deadline has come.
    Deadline,
    /// The customer asked us to stop.
    Stop,
}

/// What is to be done about a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treat {
    /// The call ends.
    End,
    /// It greets: nothing is said until it listens.
    Wait,
    /// It listens: everything is said from the beginning.
    Begin,
}

/// What is wrong with a clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClipFailure {
    /// It is not among the clips of the call.
    Missing,
    /// It is there and cannot be played.
    Unplayable,
}

impl ClipFailure {
    /// Why a call ends that cannot do without the clip.
    pub(crate) const fn cause(self) -> Cause {
        match self {
            Self::Missing => Cause::ClipMissing,
            Self::Unplayable => Cause::ClipFault,
        }
    }
}

/// Something a plan wants done. Imperative, and to be done in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Dial the leg.
    Dial(Leg),
    /// Let an answered leg hear clips, one after the other without a gap, in place of what it hears now.
    Play {
        /// The leg.
        leg: Leg,
        /// The clips in their order; at least one.
        clips: SmallVec<[ClipKey; 4]>,
        /// Whether the list is played again and again.
        repeat: Repeat,
    },
    /// Let a leg hear nothing in place of what it hears now.
    Silence(Leg),
    /// Let a leg hear the other leg's early media in place of what it hears now.
    PassEarlyMedia {
        /// The leg that hears it.
        to: Leg,
    },
    /// Let both legs hear each other in place of what they hear now.
    Bridge,
    /// Mix a clip, once, into what bridged legs hear.
    Announce {
        /// Who hears it.
        ears: Ears,
        /// The clip.
        clip: ClipKey,
    },
    /// Record what bridged parties say, from now until one of them is gone. It may not come about; the call goes on.
    Record {
        /// What both hear as it begins.
        hint: ClipKey,
    },
    /// Tell the customer which keys were pressed where keys were asked for.
    Report {
        /// The leg that pressed them.
        leg: Leg,
        /// All of them, in order; at least one.
        digits: Private<Box<str>>,
    },
    /// Release a dialled leg, answered or not.
    HangUp {
        /// The leg.
        leg: Leg,
        /// On whose account.
        by: Party,
        /// Why.
        cause: Cause,
    },
    /// The call is over. The last wish of every plan, given once.
    Over(Ending),
}

/// Whether a list of clips is played once or looped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Once; its end is told by [`Event::ClipEnded`].
    Once,
    /// Looped without a gap until something else is wished. It never ends by itself.
    Forever,
}

/// The list of wishes. The runner owns it, hands it to the plan and empties it, so that its room is reused.
#[derive(Debug, Default)]
pub struct Todo {
    wishes: Vec<Wish>,
}

impl Todo {
    /// Nothing to do.
    #[must_use]
    pub const fn new() -> Self {
        Self { wishes: Vec::new() }
    }

    /// What is to be done, first things first.
    #[must_use]
    pub fn wishes(&self) -> &[Wish] {
        &self.wishes
    }

    /// Takes everything out, first things first.
    pub fn drain(&mut self) -> vec::Drain<'_, Wish> {
        self.wishes.drain(..)
    }

    /// Adds [`Wish::Dial`].
    pub fn dial(&mut self, leg: Leg) {
        self.wishes.push(Wish::Dial(leg));
    }

    /// Adds [`Wish::Play`].
    pub fn play(&mut self, leg: Leg, clips: impl IntoIterator<Item = ClipKey>, repeat: Repeat) {
        self.wishes.push(Wish::Play { leg, clips: clips.into_iter().collect(), repeat });
    }

    /// Adds [`Wish::Silence`].
    pub fn silence(&mut self, leg: Leg) {
        self.wishes.push(Wish::Silence(leg));
    }

    /// Adds [`Wish::PassEarlyMedia`].
    pub fn pass_early_media(&mut self, to: Leg) {
        self.wishes.push(Wish::PassEarlyMedia { to });
    }

    /// Adds [`Wish::Bridge`].
    pub fn bridge(&mut self) {
        self.wishes.push(Wish::Bridge);
    }

    /// Adds [`Wish::Announce`].
    pub fn announce(&mut self, ears: Ears, clip: ClipKey) {
        self.wishes.push(Wish::Announce { ears, clip });
    }

    /// Adds [`Wish::Record`].
    pub fn record(&mut self, hint: ClipKey) {
        self.wishes.push(Wish::Record { hint });
    }

    /// Adds [`Wish::Report`].
    pub fn report(&mut self, leg: Leg, digits: Private<Box<str>>) {
        self.wishes.push(Wish::Report { leg, digits });
    }

    /// Adds [`Wish::HangUp`].
    pub fn hang_up(&mut self, leg: Leg, by: Party, cause: Cause) {
        self.wishes.push(Wish::HangUp { leg, by, cause });
    }

    /// Adds [`Wish::Over`].
    pub fn over(&mut self, ending: Ending) {
        self.wishes.push(Wish::Over(ending));
    }
}
