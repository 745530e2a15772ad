//! One telephone: it lives through its fate, step by step.
//!
//! ```text
//! Ringing ─Answer─▶ Answered ─Acked─▶ Up ─HangUp, quiet for too long─▶ Closing ─▶ Over
//!    │                  └─HangUp──────────────────────────────────────▶ │          ▲
//!    └─Refuse─────────────────────────────────────────────────────────▶─┘          │
//! every state ─Released─▶──────────────────────────────────────────────────────────┘
//! ```
//!
//! Never sends, never fails: it turns news into wishes. Steps follow each other by the clock that the INVITE started,
//! however late the telephone is woken.

use std::time::Duration;

use base::time::Instant;

use crate::fate::{Announcement, Deed, Fate, Way, Which};
use crate::ledger::EndedBy;
use crate::settings::Times;

/// What a telephone hears of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Its deadline may have come.
    Deadline,
    /// Its answer was acknowledged.
    Acked,
    /// It is over, by this side's doing as the protocol sees it.
    Released(EndedBy),
}

/// What a telephone wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Ring,
    Announce(Announcement, Option<u8>),
    Answer,
    /// The voice begins.
    Speak,
    PressKeys(Which, Way),
    HangUp,
    Refuse {
        status: u16,
        retry_after: Option<u32>,
        cause: Option<u8>,
    },
}

/// A telephone in a call.
#[derive(Debug)]
pub(crate) struct Phone {
    fate: Fate,
    times: Times,
    /// How long it bears silence.
    quiet_max: Option<Duration>,
    /// The next step's place in the fate, and when it is due.
    next: usize,
    due: Option<Instant>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ringing,
    Answered,
    Up { heard: Instant },
    Closing { by: EndedBy },
    Over { by: EndedBy },
}

impl Phone {
    /// A telephone whose INVITE has just come.
    pub(crate) fn new(fate: Fate, times: Times, quiet_max: Option<Duration>, now: Instant) -> Self {
        let mut phone = Self { fate, times, quiet_max, next: 0, due: None, state: State::Ringing };
        phone.schedule(now);
        phone
    }

    /// When it wants to be woken.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        [self.due, self.quiet_until()].into_iter().flatten().min()
    }

    /// Takes what happened.
    pub(crate) fn on(&mut self, event: Event, now: Instant, wishes: &mut Vec<Wish>) {
        match (self.state, event) {
            (State::Over { .. }, _) => {}
            (State::Closing { by }, Event::Released(_)) => self.end(by),
            (_, Event::Released(by)) => self.end(by),
            (State::Answered, Event::Acked) => {
                self.state = State::Up { heard: now };
                wishes.push(Wish::Speak);
            }
            (_, Event::Deadline) => self.on_deadline(now, wishes),
            // A repeated ACK, or one that comes while we hang up, changes nothing.
            (State::Ringing | State::Up { .. } | State::Closing { .. }, Event::Acked) => {}
        }
    }

    /// Something of the other side was heard.
    pub(crate) fn hear(&mut self, now: Instant) {
        if let State::Up { heard } = &mut self.state {
            *heard = now;
        }
    }

    /// Who ended the call, once it is over.
    pub(crate) fn ended_by(&self) -> Option<EndedBy> {
        match self.state {
            State::Over { by } => Some(by),
            State::Ringing | State::Answered | State::Up { .. } | State::Closing { .. } => None,
        }
    }

    fn on_deadline(&mut self, now: Instant, wishes: &mut Vec<Wish>) {
        while let Some(due) = self.due.filter(|due| *due <= now) {
            self.step(due, wishes);
        }
        if self.quiet_until().is_some_and(|until| until <= now) {
            wishes.push(Wish::HangUp);
            self.close(EndedBy::Nobody);
        }
    }

    fn step(&mut self, due: Instant, wishes: &mut Vec<Wish>) {
        let Some(step) = self.fate.steps().get(self.next) else { return };
        self.next += 1;
        self.schedule(due);
        match step.deed {
            Deed::Ring => wishes.push(Wish::Ring),
            Deed::Announce(announcement, cause) => wishes.push(Wish::Announce(announcement, cause)),
            Deed::Answer => {
                wishes.push(Wish::Answer);
                self.state = State::Answered;
            }
            Deed::PressKeys(which, way) => wishes.push(Wish::PressKeys(which, way)),
            Deed::HangUp => {
                wishes.push(Wish::HangUp);
                self.close(EndedBy::Callee);
            }
            Deed::Refuse { status, retry_after, cause } => {
                wishes.push(Wish::Refuse { status, retry_after, cause });
                self.close(EndedBy::Callee);
            }
        }
    }

    /// Sets the next step's time, counted from the one before.
    fn schedule(&mut self, from: Instant) {
        let step = self.fate.steps().get(self.next);
        self.due = step.map(|step| from + step.pause.length(&self.times));
    }

    fn quiet_until(&self) -> Option<Instant> {
        let State::Up { heard } = self.state else { return None };
        Some(heard + self.quiet_max?)
    }

    fn close(&mut self, by: EndedBy) {
        self.state = State::Closing { by };
        self.due = None;
    }

    fn end(&mut self, by: EndedBy) {
        self.state = State::Over { by };
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A telephone on virtual time, and what it did, as `millis wish` lines.
    struct Story {
        phone: Phone,
        now: Instant,
        told: Vec<String>,
    }

    fn call(dialled: &str) -> Story {
        let quiet_max = Some(Duration::from_secs(60));
        let phone = Phone::new(Fate::of(dialled), Times::default(), quiet_max, Instant::START);
        Story { phone, now: Instant::START, told: Vec::new() }
    }

    impl Story {
        fn tell(mut self, event: Event) -> Self {
            let mut wishes = Vec::new();
            self.phone.on(event, self.now, &mut wishes);
            let millis = self.now.micros() / 1_000;
            self.told.extend(wishes.iter().map(|wish| match wish {
                Wish::Announce(what, cause) => format!("{millis} {what:?} {}", cause.unwrap_or_default()),
                Wish::Refuse { status, retry_after, cause } => {
                    let cause = cause.map_or_else(String::new, |cause| format!(" Q.850 {cause}"));
                    format!("{millis} {status} {}{cause}", retry_after.unwrap_or_default())
                }
                other => format!("{millis} {other:?}"),
            }));
            self
        }

        /// Lets every deadline happen until then.
        fn wait_until(mut self, millis: u64) -> Self {
            let until = Instant::from_millis(millis);
            while let Some(deadline) = self.phone.deadline().filter(|deadline| *deadline <= until) {
                self.now = deadline;
                self = self.tell(Event::Deadline);
            }
            self.now = until;
            self
        }

        fn acked(self) -> Self {
            self.tell(Event::Acked)
        }

        fn released(self, by: EndedBy) -> Self {
            self.tell(Event::Released(by))
        }

        #[track_caller]
        fn did(self, told: &[&str]) -> Self {
            assert_eq!(self.told, told);
            self
        }

        #[track_caller]
        fn over_by(self, by: EndedBy) {
            assert_eq!(self.phone.ended_by(), Some(by));
            assert_eq!(self.phone.deadline(), None);
        }
    }

    #[test]
    fn rings_answers_and_talks_until_the_caller_hangs_up() {
        let story = call("+8613800000001").wait_until(1_040).acked().wait_until(9_000);
        let story = story.did(&["0 Ring", "1000 Answer", "1040 Speak"]);
        story.released(EndedBy::Caller).over_by(EndedBy::Caller);
    }

    #[test]
    fn hangs_up_by_itself() {
        let story = call("0002").wait_until(1_000).acked().wait_until(9_000);
        let story = story.did(&["0 Ring", "1000 Answer", "1000 Speak", "4000 HangUp"]);
        story.released(EndedBy::Callee).over_by(EndedBy::Callee);
    }

    #[test]
    fn presses_keys_a_second_after_the_answer() {
        let story = call("1290").wait_until(1_000).acked().wait_until(9_000);
        story.did(&["0 Ring", "1000 Answer", "1000 Speak", "2000 PressKeys(All, Event)"]);
    }

    #[test]
    fn presses_keys_one_by_one_as_a_menu_wants_them() {
        for (dialled, way) in [("5290", "Event"), ("6290", "Info"), ("7290", "Tone")] {
            let story = call(dialled).wait_until(1_000).acked().wait_until(9_000);
            let key = |millis, nth| format!("{millis} PressKeys(One({nth}), {way})");
            let (first, second, third) = (key(2_000, 0), key(5_000, 1), key(8_000, 2));
            story.did(&["0 Ring", "1000 Answer", "1000 Speak", &first, &second, &third]);
        }
    }

    #[test]
    fn failures_come_when_and_as_they_should() {
        for (dialled, told) in [
            ("0486", &["0 486 0"] as &[_]),
            ("0503", &["0 503 5"]),
            ("0480", &["0 Ring", "3000 480 0"]),
            ("0603", &["0 Ring", "1000 603 0"]),
            ("0404", &["0 EmptyNumber 0", "3000 404 0"]),
            ("0183", &["0 Busy 17", "3000 480 0"]),
            ("0020", &["0 PoweredOff 0", "3000 480 0 Q.850 20"]),
            ("0021", &["0 PoweredOff 0", "3000 480 0"]),
            ("0408", &[]),
        ] {
            let story = call(dialled).wait_until(90_000).did(told);
            story.released(EndedBy::Callee).over_by(EndedBy::Callee);
        }
    }

    #[test]
    fn a_caller_who_gives_up_is_rung_no_more() {
        let story = call("0001").wait_until(500).released(EndedBy::Caller).wait_until(9_000);
        story.did(&["0 Ring"]).over_by(EndedBy::Caller);
    }

    #[test]
    fn nobody_there_is_hung_up_on() {
        let mut story = call("0001").wait_until(1_000).acked().wait_until(30_000);
        story.phone.hear(story.now);
        let story = story.wait_until(200_000).did(&["0 Ring", "1000 Answer", "1000 Speak", "90000 HangUp"]);
        story.released(EndedBy::Callee).over_by(EndedBy::Nobody);
    }

    #[test]
    fn a_late_wake_up_does_every_step_and_moves_none() {
        let mut story = call("0002").wait_until(0);
        story.now = Instant::from_millis(3_500);
        let story = story.tell(Event::Deadline).wait_until(9_000);
        story.did(&["0 Ring", "3500 Answer", "4000 HangUp"]);
    }
}
