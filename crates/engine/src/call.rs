//! One running call: its plan, its legs, its line in the journal.
//!
//! ```text
//! news of a leg ─▶ LegState ─▶ plans::Event ─▶ Plan ─▶ Wish ─▶ Deed   (for the driver to do)
//!                      └──────────────────── Fact ───────────┘        (for the journal to keep)
//! ```
//!
//! Pure: the driver calls it with `now` and does the deeds it asks for. Every dialled leg ends in one `Released`,
//! every call in one `Over`, which is its last fact.

mod experience;

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use base::answerer::{Answerer, OnMachine};
use base::call::Call;
use base::clip::{ClipKey, SystemClip};
use base::fact::{Dialog, Entry, Fact};
use base::id::Leg;
use base::limits;
use base::order::Ears;
use base::permit::Permit;
use base::private::Private;
use base::quality::MediaReport;
use base::release::{Cause, Ending, Party, Release};
use base::time::{Instant, Timestamp};
use media::answerer::Told;
use plans::{Event, Plan, Repeat, Todo, Treat, Wish};

use crate::answering::Announced;
use crate::call::experience::Experience;
use crate::engine::Speech;
use crate::keys::{Keys, Press};
use crate::leg::LegState;

/// A call that was launched and is not over.
#[derive(Debug)]
pub(crate) struct Running {
    call: Call,
    plan: Box<dyn Plan>,
    legs: [Option<LegState>; 2],
    keys: [Keys; 2],
    next_seq: u32,
    /// The same moment on both clocks; facts are dated from it, so a step of the wall clock cannot disorder them.
    began: (Instant, Timestamp),
    speech: Speech,
    recording: Recording,
    experience: Experience,
    stop_asked: bool,
    /// How it ended, when it is over.
    ending: Option<Ending>,
    permit: Permit,
}

/// The recording of the conversation.
#[derive(Clone, Copy, Debug)]
enum Recording {
    Off,
    /// The driver was asked to begin it, and has not said yet that it did.
    Asked,
    Since(Instant),
}

/// Something for the driver to do, in the order given.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Send the INVITE of a leg, then say [`Running::dialled`] or [`Running::lost`].
    Dial(Leg),
    /// Let a leg hear clips, then say [`Running::hears`]; and [`plans::Event::ClipEnded`] when they were played once.
    Play(Leg, Vec<ClipKey>, Repeat),
    /// Let a leg hear nothing.
    Silence(Leg),
    /// Let a leg hear the other leg's early media.
    PassEarlyMedia(Leg),
    /// Let both hear each other.
    Bridge,
    /// Let bridged parties hear a clip in between; say [`Running::hears`] for each.
    Announce(Ears, ClipKey),
    /// Record both from now on, then say [`Running::recorded`]; and [`Running::recording_lost`] if it ends too soon.
    Record,
    /// End the recording, or give up beginning it.
    EndRecording,
    /// CANCEL or BYE.
    HangUp(Leg, Cause),
    /// The call is over: forget it and all that it still holds.
    Over,
}

impl Running {
    /// Takes over an accepted call. `wall` is what the wall clock says at `now`.
    pub(crate) fn new(
        call: Call,
        plan: Box<dyn Plan>,
        permit: Permit,
        speech: Speech,
        now: Instant,
        wall: Timestamp,
    ) -> Self {
        let began = (now, wall.max(call.accepted_at));
        Self {
            call,
            plan,
            legs: [None, None],
            keys: Default::default(),
            next_seq: 1,
            began,
            speech,
            recording: Recording::Off,
            experience: Experience::default(),
            stop_asked: false,
            ending: None,
            permit,
        }
    }

    pub(crate) const fn call(&self) -> &Call {
        &self.call
    }

    /// How it ended, when it is over.
    pub(crate) const fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// The same moment on both clocks, from which everything of it is dated.
    pub(crate) const fn began(&self) -> (Instant, Timestamp) {
        self.began
    }

    /// What is known of a leg that was dialled.
    pub(crate) const fn leg(&self, leg: Leg) -> Option<&LegState> {
        self.legs[leg.index()].as_ref()
    }

    /// Whether nobody but us talks to this leg, ever.
    pub(crate) const fn is_alone(&self, leg: Leg) -> bool {
        self.call.numbers(leg.other()).is_none()
    }

    /// When the call wants to be woken: by its plan's deadline, or because it lives too long.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let last = self.began.0 + LIFE;
        if self.ending.is_some() { None } else { Some(self.plan.deadline().map_or(last, |at| at.min(last))) }
    }

    /// The deadline may have come. A call that its plan keeps for longer than any call may last is ended for it.
    pub(crate) fn wake(&mut self, now: Instant, out: &mut Outcome<'_>) {
        if now.since(self.began.0) >= LIFE {
            self.abandon(Cause::OurFault, now, out);
        } else if self.plan.deadline().is_some_and(|at| at <= now) {
            self.tell(Event::Deadline, now, out);
        }
    }

    /// Begins the plan.
    pub(crate) fn start(&mut self, now: Instant, out: &mut Outcome<'_>) {
        match self.speech {
            Speech::None => {}
            Speech::Took(took) => self.note(Fact::Spoken { took }, now, out),
            Speech::Failed => return self.tell(Event::SpeechFailed, now, out),
        }
        self.plan.start(now, out.todo);
        self.follow(now, out);
    }

    /// The INVITE of a leg has left by that trunk; again, after the trunk before failed with a status.
    pub(crate) fn dialled(
        &mut self,
        leg: Leg,
        (trunk, after): (Box<str>, Option<u16>),
        now: Instant,
        out: &mut Outcome<'_>,
    ) {
        if let Some(state) = self.legs[leg.index()].as_mut() {
            state.dialled_again();
        }
        self.note(Fact::Dialled { leg, trunk: Some(trunk), after }, now, out);
    }

    /// A leg began to hear clips.
    pub(crate) fn hears(&mut self, leg: Leg, clips: &[ClipKey], now: Instant, out: &mut Outcome<'_>) {
        self.note(heard(leg, clips), now, out);
    }

    /// A provisional response. `media` when it brought a session description.
    pub(crate) fn early(&mut self, leg: Leg, news: &EarlyNews<'_>, now: Instant, out: &mut Outcome<'_>) {
        let Some(state) = self.legs[leg.index()].as_mut() else { return };
        if state.is_gone() || state.is_up() {
            return;
        }
        let early = state.early(news.status, news.media, news.reason);
        if early.began_to_ring {
            let dialog = (out.dialog_of)(leg);
            self.note(Fact::Ringing { leg, dialog }, now, out);
            self.tell(Event::Ringing { leg }, now, out);
        }
        if news.media {
            self.tell(Event::EarlyMedia { leg, failure: early.failure }, now, out);
        }
    }

    /// What a leg's network sends before the answer can be heard again.
    pub(crate) fn is_heard_again(&mut self, leg: Leg, now: Instant, out: &mut Outcome<'_>) {
        if self.is_awaited(leg) {
            self.tell(Event::EarlyMedia { leg, failure: false }, now, out);
        }
    }

    /// What a leg's network sends before the answer has stopped, or may not be heard any more.
    pub(crate) fn is_heard_no_more(&mut self, leg: Leg, now: Instant, out: &mut Outcome<'_>) {
        if self.is_awaited(leg) {
            self.tell(Event::EarlyMediaOver { leg }, now, out);
        }
    }

    /// The call of a leg was sent to another target by a response of this status.
    pub(crate) fn redirected(&mut self, leg: Leg, status: u16, now: Instant, out: &mut Outcome<'_>) {
        if let Some(state) = self.legs[leg.index()].as_mut() {
            state.dialled_again();
            self.note(Fact::Redirected { leg, status }, now, out);
        }
    }

    /// What a leg's network says before the answer is an announcement that is known.
    pub(crate) fn announced(
        &mut self,
        leg: Leg,
        (cause, after): (Cause, Announced),
        now: Instant,
        out: &mut Outcome<'_>,
    ) {
        let Some(state) = self.legs[leg.index()].as_mut() else { return };
        if !state.recognised(cause) {
            return;
        }
        self.note(Fact::Announced { leg, cause }, now, out);
        self.tell(Event::EarlyMedia { leg, failure: true }, now, out);
        if after == Announced::Ends
            && self.is_awaited(leg)
            && self.legs[leg.index()].as_mut().is_some_and(|state| state.hang_up(Party::of(leg), cause))
        {
            out.deeds.push_back(Deed::HangUp(leg, cause));
        }
    }

    /// Something was heard of whoever has picked up.
    pub(crate) fn picked_up(
        &mut self,
        leg: Leg,
        (told, machine): (Told, OnMachine),
        now: Instant,
        out: &mut Outcome<'_>,
    ) {
        if !self.is_up(leg) {
            return;
        }
        if let Told::Is(answerer) = told {
            self.note(Fact::PickedUp { leg, answerer }, now, out);
        }
        use Answerer::{Beep, Machine, Person, Unsure};
        let treat = match (machine, told) {
            (OnMachine::HangUp, Told::Is(Machine | Beep)) => Treat::End,
            (OnMachine::LeaveMessage, Told::Is(Machine)) => Treat::Wait,
            (OnMachine::LeaveMessage, Told::Is(Beep) | Told::Hush) => Treat::Begin,
            (OnMachine::Off | OnMachine::Note, _)
            | (OnMachine::HangUp, Told::Hush)
            | (OnMachine::HangUp | OnMachine::LeaveMessage, Told::Is(Person | Unsure)) => return,
        };
        self.tell(Event::Machine { leg, treat }, now, out);
    }

    /// A 2xx.
    pub(crate) fn answered(&mut self, leg: Leg, now: Instant, out: &mut Outcome<'_>) {
        let Some(state) = self.legs[leg.index()].as_mut() else { return };
        if state.answered() {
            if self.everybody_is_up() {
                self.experience.everybody_is_up(now);
            }
            let dialog = (out.dialog_of)(leg);
            self.note(Fact::Answered { leg, dialog }, now, out);
            self.tell(Event::Answered { leg }, now, out);
        }
    }

    /// The leg is gone; `how` asks its state for the one truth. `media`: what its sockets have seen, if it had any.
    pub(crate) fn gone(
        &mut self,
        leg: Leg,
        how: impl FnOnce(&mut LegState) -> Release,
        media: Option<MediaReport>,
        now: Instant,
        out: &mut Outcome<'_>,
    ) {
        let Some(state) = self.legs[leg.index()].as_mut() else { return };
        if state.is_gone() {
            return;
        }
        let media = media.filter(|_| state.is_up()).map(Box::new);
        let release = how(state);
        self.end_talk(now, out);
        self.note(Fact::Released { leg, release, media }, now, out);
        self.tell(Event::Released { leg, release }, now, out);
    }

    /// A key was pressed, as one of the ways tells that may tell it.
    pub(crate) fn pressed(&mut self, leg: Leg, press: Press, now: Instant, out: &mut Outcome<'_>) {
        if self.keys[leg.index()].counts(press, now) {
            let Press { digit, source, .. } = press;
            self.note(Fact::Digit { leg, digit: Private::new(digit), source }, now, out);
            self.tell(Event::Digit { leg, digit: Private::new(digit) }, now, out);
        }
    }

    /// The recording has begun, at a moment that is not after `now`.
    pub(crate) fn recorded(&mut self, began: Instant, now: Instant, out: &mut Outcome<'_>) {
        if matches!(self.recording, Recording::Asked) {
            self.recording = Recording::Since(began);
            self.note(Fact::RecordingStarted, now, out);
        }
    }

    /// The recording has ended before the conversation; so much of it is kept.
    pub(crate) fn recording_lost(&mut self, length: Duration, now: Instant, out: &mut Outcome<'_>) {
        if let Recording::Since(_) = mem::replace(&mut self.recording, Recording::Off) {
            self.note(Fact::RecordingEnded { length }, now, out);
        }
    }

    /// Whether the customer asked us to stop before. To whoever asks again the call is over.
    pub(crate) const fn is_stopping(&self) -> bool {
        self.stop_asked
    }

    /// The customer asks us to stop.
    pub(crate) fn stop(&mut self, now: Instant, out: &mut Outcome<'_>) {
        self.stop_asked = true;
        self.note(Fact::StopAsked, now, out);
        self.tell(Event::Stop, now, out);
    }

    /// Any other news for the plan.
    pub(crate) fn tell(&mut self, event: Event, now: Instant, out: &mut Outcome<'_>) {
        if self.ending.is_some() {
            return;
        }
        self.plan.on(now, event, out.todo);
        self.follow(now, out);
    }

    /// Ends the call without asking its plan, because the plan or the driver broke: every leg that is not gone is
    /// hung up, and the journal gets its last facts.
    pub(crate) fn abandon(&mut self, cause: Cause, now: Instant, out: &mut Outcome<'_>) {
        out.todo.drain();
        self.finish(Ending { by: Party::Platform, cause, leg: None }, now, out);
    }

    /// Turns what the plan wishes into deeds, and into facts where a wish is itself something that happened. What it
    /// wishes after the end is not heard.
    fn follow(&mut self, now: Instant, out: &mut Outcome<'_>) {
        let mut todo = mem::take(out.todo);
        for wish in todo.drain() {
            if self.ending.is_none() {
                self.grant(wish, now, out);
            }
        }
        *out.todo = todo;
    }

    /// A wish for a leg that is not there, or is gone, changes nothing.
    fn grant(&mut self, wish: Wish, now: Instant, out: &mut Outcome<'_>) {
        match wish {
            Wish::Dial(leg) => {
                let state = &mut self.legs[leg.index()];
                if state.is_none() {
                    *state = Some(LegState::dialled(Party::of(leg)));
                    out.deeds.push_back(Deed::Dial(leg));
                }
            }
            Wish::Play { leg, clips, repeat } => out.deeds.push_back(Deed::Play(leg, clips.to_vec(), repeat)),
            Wish::PassEarlyMedia { to } if self.is_up(to) => {
                self.note(Fact::EarlyMedia { leg: to }, now, out);
                out.deeds.push_back(Deed::PassEarlyMedia(to));
            }
            Wish::Bridge if self.is_up(Leg::A) && self.is_up(Leg::B) => {
                self.note(Fact::Bridged, now, out);
                out.deeds.push_back(Deed::Bridge);
            }
            Wish::Record { hint } if self.is_up(Leg::A) && self.is_up(Leg::B) => {
                if matches!(self.recording, Recording::Off) {
                    self.recording = Recording::Asked;
                    out.deeds.extend([Deed::Record, Deed::Announce(Ears::Both, hint)]);
                }
            }
            Wish::Report { leg, digits } if self.is_up(leg) => {
                self.note(Fact::Collected { leg, digits }, now, out);
            }
            Wish::PassEarlyMedia { .. } | Wish::Bridge | Wish::Record { .. } | Wish::Report { .. } => {}
            Wish::Silence(leg) => out.deeds.push_back(Deed::Silence(leg)),
            Wish::Announce { ears, clip } => out.deeds.push_back(Deed::Announce(ears, clip)),
            Wish::HangUp { leg, by, cause } => {
                if self.legs[leg.index()].as_mut().is_some_and(|state| state.hang_up(by, cause)) {
                    self.end_talk(now, out);
                    out.deeds.push_back(Deed::HangUp(leg, cause));
                }
            }
            Wish::Over(ending) => self.finish(ending, now, out),
        }
    }

    /// Whether a leg was dialled and is neither answered nor gone.
    fn is_awaited(&self, leg: Leg) -> bool {
        self.leg(leg).is_some_and(|state| !state.is_up() && !state.is_gone())
    }

    fn is_up(&self, leg: Leg) -> bool {
        self.legs[leg.index()].as_ref().is_some_and(LegState::is_up)
    }

    fn everybody_is_up(&self) -> bool {
        let is_for = |leg: &Leg| self.call.numbers(*leg).is_some();
        [Leg::A, Leg::B].into_iter().filter(is_for).all(|leg| self.is_up(leg))
    }

    /// Somebody is gone or told to go: nobody talks any more, and nothing is left to record.
    fn end_talk(&mut self, now: Instant, out: &mut Outcome<'_>) {
        self.experience.somebody_is_gone(now);
        match mem::replace(&mut self.recording, Recording::Off) {
            Recording::Off => {}
            Recording::Asked => out.deeds.push_back(Deed::EndRecording),
            Recording::Since(began) => {
                self.note(Fact::RecordingEnded { length: now.since(began) }, now, out);
                out.deeds.push_back(Deed::EndRecording);
            }
        }
    }

    /// The one road to the end. A leg that is not gone is hung up, again if need be, and counts as gone.
    fn finish(&mut self, ending: Ending, now: Instant, out: &mut Outcome<'_>) {
        if self.ending.is_some() {
            return;
        }
        self.end_talk(now, out);
        for leg in [Leg::A, Leg::B] {
            if let Some(state) = self.legs[leg.index()].as_mut().filter(|state| !state.is_gone()) {
                out.deeds.push_back(Deed::HangUp(leg, ending.cause));
                let release = state.lost(ending.cause);
                self.note(Fact::released(leg, release), now, out);
            }
        }
        self.note(Fact::Over(ending), now, out);
        self.ending = Some(ending);
        self.permit.conclude(&self.experience.outcome(self.date(now)));
        out.deeds.push_back(Deed::Over);
    }

    fn note(&mut self, fact: Fact, now: Instant, out: &mut Outcome<'_>) {
        if self.ending.is_some() || (self.next_seq >= limits::FACTS_PER_CALL && is_endless(&fact)) {
            return;
        }
        out.facts.push(Entry { call: self.call.id, seq: self.next_seq, at: self.date(now), fact });
        self.next_seq += 1;
    }

    /// The wall clock's time of a moment.
    fn date(&self, now: Instant) -> Timestamp {
        self.began.1 + now.since(self.began.0)
    }
}

/// A provisional response as the driver hears it.
pub(crate) struct EarlyNews<'a> {
    /// 101 to 199.
    pub(crate) status: u16,
    /// Whether it brought a session description.
    pub(crate) media: bool,
    /// Why the call will fail, if it already says so.
    pub(crate) reason: Option<&'a sip::Reason>,
}

/// Where a call puts what it wants done and what it wants kept. The lists belong to the shard and are reused.
pub(crate) struct Outcome<'a> {
    pub(crate) todo: &'a mut Todo,
    pub(crate) deeds: &'a mut VecDeque<Deed>,
    pub(crate) facts: &'a mut Vec<Entry>,
    /// Asks SIP for the dialog of a leg; only done when a fact needs it.
    pub(crate) dialog_of: &'a dyn Fn(Leg) -> Option<Dialog>,
}

/// Whether a party can make such facts for hours: keys, and what repeats when they are pressed, or a network while a
/// telephone rings. They must not fill the
/// journal; everything else that a call can do stays far below the bound.
const fn is_endless(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Digit { .. }
            | Fact::Collected { .. }
            | Fact::ClipStarted { .. }
            | Fact::CodeStarted { .. }
            | Fact::EarlyMedia { .. }
    )
}

/// What the journal says of a list of clips: its first one, unless that is a digit of a code.
fn heard(leg: Leg, clips: &[ClipKey]) -> Fact {
    match clips.first() {
        Some(ClipKey::System(SystemClip::Digit(_))) | None => Fact::CodeStarted { leg },
        Some(clip) => Fact::ClipStarted { leg, clip: *clip },
    }
}

/// The longest life of a call: the longest conversation, and an hour for all that comes before and after it.
const LIFE: Duration = limits::CALL.saturating_add(Duration::from_secs(3_600));

/// The legs that hear an announcement.
pub(crate) const fn heard_by(ears: Ears) -> &'static [Leg] {
    match ears {
        Ears::A => &[Leg::A],
        Ears::B => &[Leg::B],
        Ears::Both => &[Leg::A, Leg::B],
    }
}

#[cfg(test)]
mod tests;
