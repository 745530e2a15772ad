//! What the engine does about what it hears of a party before and after it picks up.

use std::time::Duration;

use base::answerer::OnMachine;
use media::announcement::Announcements;
use media::answerer;

/// What is listened for, and what follows from it.
#[derive(Clone, Debug)]
pub struct Answering {
    /// What is done about machines, in calls in which only we talk.
    pub machine: OnMachine,
    /// How long it may take to say who has picked up.
    pub patience: Duration,
    /// What networks are known to say before the answer; a match gives a failure its cause.
    pub announcements: Announcements,
    /// What is done when one is recognised.
    pub announced: Announced,
    /// How long early media may bring nothing before its listener hears the wait voice again.
    pub early_silence: Duration,
}

/// What follows from an announcement that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Announced {
    /// The network ends the call when it has said all.
    #[default]
    WaitsOn,
    /// We end the attempt: nobody will pick up.
    Ends,
}

impl Default for Answering {
    /// Nothing is listened for.
    fn default() -> Self {
        Self {
            machine: OnMachine::Off,
            patience: answerer::PATIENCE,
            announcements: Announcements::default(),
            announced: Announced::WaitsOn,
            early_silence: EARLY_SILENCE,
        }
    }
}

/// When nobody says otherwise: between two readings of an announcement there is a pause of a second or two, and the
/// ring-back tone of most countries pauses for four, in packets.
const EARLY_SILENCE: Duration = Duration::from_secs(3);
