//! The one place that touches the plans' API: a call that is told news in a story's words.

use base::clip::{ClipKey, SystemClip};
use base::id::Leg;
use base::private::Private;
use base::release::{Cause, Party, Release};
use base::time::Instant;

use super::witness::Witness;
use crate::plan::{ClipFailure, Event, Plan, Repeat, Todo, Treat, Wish};

/// Tells a story, then stops the call and lets every deadline pass: each call comes to its one end.
pub(super) fn script(plan: impl Plan + 'static, story: impl FnOnce(&mut Script)) {
    let mut call = Script::new(Box::new(plan));
    story(&mut call);
    call.ends_somehow();
}

/// A running call.
pub(super) struct Script {
    plan: Box<dyn Plan>,
    now: Instant,
    witness: Witness,
    done: Vec<String>,
}

impl Script {
    pub(super) fn new(plan: Box<dyn Plan>) -> Self {
        Self { plan, now: Instant::START, witness: Witness::default(), done: Vec::new() }
    }

    pub(super) fn starts(&mut self) -> &mut Self {
        let mut todo = Todo::new();
        self.plan.start(self.now, &mut todo);
        self.take(&mut todo)
    }

    pub(super) fn hears(&mut self, event: Event) -> &mut Self {
        let mut todo = Todo::new();
        self.witness.hears(&event);
        self.plan.on(self.now, event, &mut todo);
        self.take(&mut todo)
    }

    pub(super) fn rings(&mut self, leg: Leg) -> &mut Self {
        self.hears(Event::Ringing { leg })
    }

    pub(super) fn answers(&mut self, leg: Leg) -> &mut Self {
        self.hears(Event::Answered { leg })
    }

    pub(super) fn sends_early_media(&mut self, leg: Leg) -> &mut Self {
        self.hears(Event::EarlyMedia { leg, failure: false })
    }

    pub(super) fn ends_early_media(&mut self, leg: Leg) -> &mut Self {
        self.hears(Event::EarlyMediaOver { leg })
    }

    /// A machine has picked up.
    pub(super) fn is_a_machine(&mut self, leg: Leg, treat: Treat) -> &mut Self {
        self.hears(Event::Machine { leg, treat })
    }

    pub(super) fn announces_a_failure(&mut self, leg: Leg) -> &mut Self {
        self.hears(Event::EarlyMedia { leg, failure: true })
    }

    pub(super) fn has_heard_it(&mut self, leg: Leg) -> &mut Self {
        self.hears(Event::ClipEnded { leg })
    }

    pub(super) fn cannot_hear_it(&mut self, leg: Leg) -> &mut Self {
        self.hears(Event::ClipFailed { leg, why: ClipFailure::Unplayable })
    }

    pub(super) fn lacks_it(&mut self, leg: Leg) -> &mut Self {
        self.hears(Event::ClipFailed { leg, why: ClipFailure::Missing })
    }

    /// What was to be said could not be.
    pub(super) fn has_no_words(&mut self) -> &mut Self {
        self.hears(Event::SpeechFailed)
    }

    pub(super) fn presses(&mut self, leg: Leg, digit: char) -> &mut Self {
        self.hears(Event::Digit { leg, digit: Private::new(digit) })
    }

    pub(super) fn hangs_up(&mut self, leg: Leg) -> &mut Self {
        self.hears(Event::Released { leg, release: Release::normal(Party::of(leg)) })
    }

    /// The network ends a leg that was not answered.
    pub(super) fn fails(&mut self, leg: Leg, cause: Cause, status: u16) -> &mut Self {
        let release = Release { by: Party::of(leg), cause, status: Some(status), q850: None, rang: false };
        self.hears(Event::Released { leg, release })
    }

    /// A leg that we released confirms it.
    pub(super) fn is_gone(&mut self, leg: Leg) -> &mut Self {
        self.hears(Event::Released { leg, release: Release::normal(Party::Platform) })
    }

    pub(super) fn is_stopped(&mut self) -> &mut Self {
        self.hears(Event::Stop)
    }

    /// Time goes by, and nobody tells the plan.
    pub(super) fn after_secs(&mut self, secs: u64) -> &mut Self {
        self.now = self.now + std::time::Duration::from_secs(secs);
        self
    }

    /// The deadline comes, after the given number of seconds.
    pub(super) fn deadline_after_secs(&mut self, secs: u64) -> &mut Self {
        let deadline = self.plan.deadline().expect("the plan waits for something");
        assert_eq!(deadline.since(self.now).as_secs(), secs, "seconds until the deadline");
        self.deadline()
    }

    /// The deadline comes.
    pub(super) fn deadline(&mut self) -> &mut Self {
        if let Some(deadline) = self.plan.deadline() {
            self.now = self.now.max(deadline);
        }
        self.hears(Event::Deadline)
    }

    /// What the plan wished since the last look.
    #[track_caller]
    pub(super) fn does(&mut self, wishes: &str) -> &mut Self {
        assert_eq!(self.done.join("; "), wishes);
        self.done.clear();
        self
    }

    /// Whatever the call is in the middle of, a stop and some deadlines end it.
    pub(super) fn ends_somehow(&mut self) {
        const DEADLINES_MAX: usize = 3;
        self.is_stopped();
        for _ in 0..DEADLINES_MAX {
            self.deadline();
        }
        assert!(self.witness.saw_the_end(), "the call ends");
        assert_eq!(self.plan.deadline(), None, "a call that is over waits for nothing");
    }

    fn take(&mut self, todo: &mut Todo) -> &mut Self {
        for wish in todo.drain() {
            self.witness.sees(self.now, &wish);
            self.done.push(tell(&wish));
        }
        self
    }
}

fn tell(wish: &Wish) -> String {
    match wish {
        Wish::Dial(leg) => format!("dial {leg}"),
        Wish::Play { leg, clips, repeat } => {
            let clips: Vec<_> = clips.iter().map(name).collect();
            let verb = match repeat {
                Repeat::Once => "play",
                Repeat::Forever => "loop",
            };
            format!("{verb} {} to {leg}", clips.join(" "))
        }
        Wish::Silence(leg) => format!("silence {leg}"),
        Wish::PassEarlyMedia { to } => format!("early media to {to}"),
        Wish::Bridge => "bridge".into(),
        Wish::Announce { ears, clip } => format!("announce {} to {ears:?}", name(clip)),
        Wish::Record { hint } => format!("record with {}", name(hint)),
        Wish::Report { leg, digits } => format!("report {} of {leg}", digits.expose()),
        Wish::HangUp { leg, by, cause } => format!("hang up {leg} {by:?} {cause:?}"),
        Wish::Over(ending) => {
            let leg = ending.leg.map_or_else(String::new, |leg| format!(" {leg}"));
            format!("over {:?} {:?}{leg}", ending.by, ending.cause)
        }
    }
}

fn name(clip: &ClipKey) -> String {
    match clip {
        ClipKey::System(SystemClip::Digit(digit)) => digit.to_string(),
        ClipKey::System(SystemClip::Pause) => "-".into(),
        ClipKey::System(SystemClip::RingBack) => "ring-back".into(),
        ClipKey::System(SystemClip::Transferring) => "transferring".into(),
        ClipKey::System(SystemClip::LastMinute) => "last-minute".into(),
        ClipKey::System(SystemClip::HintTone) => "hint-tone".into(),
        ClipKey::System(SystemClip::BeforeCode(wording)) => format!("before-{wording:?}"),
        ClipKey::System(SystemClip::AfterCode(wording)) => format!("after-{wording:?}"),
        ClipKey::Uploaded(_) => "upload".into(),
        ClipKey::Spoken(_) => "speech".into(),
    }
}
