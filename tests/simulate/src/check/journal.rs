//! The journal of a call: one closing fact and it is the last, no gap, no time that goes back, and nothing that cannot
//! follow what went before.

use base::fact::{Entry, Fact};
use base::id::Leg;

use super::Complaints;
use crate::history::{History, Stop};

pub(super) fn check(history: &History) -> Complaints {
    let mut complaints = Vec::new();
    let entries = history.entries();
    for (_, call) in &history.accepted {
        let none = Vec::new();
        let own = entries.get(&call.id).unwrap_or(&none);
        let mut line =
            Line { complaints: Vec::new(), legs: Default::default(), stopped: false, bridged: false };
        line.numbers(own);
        own.iter().for_each(|entry| line.fact(&entry.fact));
        line.end(own, call.accepted_at);
        line.stops(history.stops.iter().filter(|stop| stop.call == call.id));
        complaints.extend(line.complaints.into_iter().map(|complaint| format!("{}: {complaint}", call.id)));
    }
    let unknown = entries.keys().filter(|id| history.accepted.iter().all(|(_, call)| call.id != **id));
    complaints.extend(unknown.map(|id| format!("{id}: facts of a call that nobody ordered")));
    complaints
}

/// What the facts of a call have said so far.
struct Line {
    complaints: Complaints,
    legs: [Known; 2],
    stopped: bool,
    bridged: bool,
}

#[derive(Default)]
struct Known {
    dialled: bool,
    rang: bool,
    answered: bool,
    released: bool,
}

impl Line {
    fn complain_if(&mut self, wrong: bool, of: &str) {
        if wrong {
            self.complaints.push(of.to_owned());
        }
    }

    fn numbers(&mut self, entries: &[&Entry]) {
        let is_whole = entries.iter().map(|entry| entry.seq).eq(1..=entries.len() as u32);
        self.complain_if(!is_whole, "the numbers of its facts have a gap, or come twice");
        self.complain_if(!entries.is_sorted_by_key(|entry| entry.at), "its times go back");
    }

    fn end(&mut self, entries: &[&Entry], accepted_at: base::time::Timestamp) {
        let overs = entries.iter().filter(|entry| matches!(entry.fact, Fact::Over(_))).count();
        let is_last = entries.last().is_some_and(|entry| matches!(entry.fact, Fact::Over(_)));
        self.complain_if(overs != 1, &format!("{overs} closing facts"));
        self.complain_if(overs == 1 && !is_last, "something follows its closing fact");
        self.complain_if(
            entries.first().is_some_and(|entry| entry.at < accepted_at),
            "a fact before its acceptance",
        );
        let is_open = |known: &Known| known.dialled && !known.released;
        let open = self.legs.iter().any(is_open);
        self.complain_if(open, "a leg that was dialled was never released");
    }

    fn stops<'a>(&mut self, stops: impl Iterator<Item = &'a Stop>) {
        let (mut heard, mut wrong) = (0, false);
        for stop in stops {
            heard += u32::from(stop.was_running);
            wrong |= stop.was_running && !stop.is_owner;
        }
        self.complain_if(wrong, "a stranger's wish to stop was heard");
        self.complain_if(heard > 1, "it was stopped twice");
        self.complain_if(
            (heard == 1) != self.stopped,
            "the answer to a wish to stop is not what the journal says",
        );
    }

    fn fact(&mut self, fact: &Fact) {
        match fact {
            Fact::Dialled { leg, after, .. } => {
                let known = &self.legs[leg.index()];
                let (again, rang, up, gone) = (known.dialled, known.rang, known.answered, known.released);
                self.complain_if(
                    again != after.is_some(),
                    "a leg was dialled twice, or again and not before",
                );
                self.complain_if(rang || up || gone, "a leg was dialled after it rang");
                self.complain_if(self.stopped, "a leg was dialled after the customer's stop");
                let a = &self.legs[0];
                let too_soon = *leg == Leg::B && (!a.answered || a.released);
                self.complain_if(
                    too_soon,
                    "leg B was dialled before leg A had answered, or after it was gone",
                );
                self.legs[leg.index()].dialled = true;
            }
            Fact::Ringing { leg, .. } => {
                self.must_ring(*leg, "rang");
                self.complain_if(self.legs[leg.index()].rang, "a leg rang twice");
                self.legs[leg.index()].rang = true;
            }
            Fact::Answered { leg, .. } => {
                self.must_ring(*leg, "was answered");
                self.legs[leg.index()].answered = true;
            }
            Fact::Announced { leg, .. } => self.must_ring(*leg, "announced something"),
            Fact::Redirected { leg, .. } => self.must_ring(*leg, "was sent elsewhere"),
            Fact::PickedUp { leg, .. } => {
                let known = &self.legs[leg.index()];
                let is_up = known.answered && !known.released;
                self.complain_if(!is_up, "somebody was heard who had not picked up, or was gone");
            }
            Fact::ClipStarted { leg, .. }
            | Fact::CodeStarted { leg }
            | Fact::EarlyMedia { leg }
            | Fact::Digit { leg, .. }
            | Fact::Collected { leg, .. } => {
                let known = &self.legs[leg.index()];
                let is_there = known.dialled && !known.released;
                self.complain_if(!is_there, &format!("something happened to leg {leg}, which is not there"));
            }
            Fact::Bridged => {
                let all_up = self.legs.iter().all(|known| known.answered && !known.released);
                self.complain_if(!all_up || self.bridged, "bridged without two parties, or twice");
                self.bridged = true;
            }
            Fact::StopAsked => {
                self.complain_if(self.stopped, "two stops in its journal");
                self.stopped = true;
            }
            Fact::Released { leg, .. } => {
                self.complain_if(self.legs[leg.index()].released, "a leg was released twice");
                self.legs[leg.index()].released = true;
            }
            Fact::RecordingStarted | Fact::RecordingEnded { .. } => {
                self.complain_if(!self.bridged, "recorded before anybody talked");
            }
            Fact::Accepted(_) => self.complain_if(true, "the engine accepted a call"),
            Fact::Spoken { .. } | Fact::Over(_) => {}
        }
    }

    fn must_ring(&mut self, leg: Leg, what: &str) {
        let known = &self.legs[leg.index()];
        let wrong = !known.dialled || known.answered || known.released;
        self.complain_if(wrong, &format!("leg {leg} {what} when it could not"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tale::tale;

    #[test]
    fn what_cannot_follow_is_complained_of() {
        let fine = "dialled A, ringing A, answered A, dialled B, answered B, bridged, digit A 1, \
                    released B, released A, over";
        assert_eq!(check(&tale().facts(fine).history), Complaints::new());
        for (facts, complaint) in [
            ("dialled A, released A", "0 closing facts"),
            ("over, over", "2 closing facts"),
            ("over, stop", "something follows"),
            ("dialled A, over", "never released"),
            ("dialled A, released A, released A, over", "released twice"),
            ("dialled A, dialled B, released A, released B, over", "before leg A had answered"),
            ("dialled A, ringing A, again A, released A, over", "after it rang"),
            ("dialled A, dialled A, released A, over", "dialled twice"),
            ("dialled A, answered A, answered A, released A, over", "when it could not"),
            ("dialled A, answered A, bridged, released A, over", "without two parties"),
            ("dialled A, answered A, released A, digit A 1, over", "which is not there"),
            ("stop, dialled A, released A, over", "after the customer's stop"),
            ("recording, over", "before anybody talked"),
        ] {
            let complaints = check(&tale().facts(facts).history).join("; ");
            assert!(complaints.contains(complaint), "{facts}: {complaints}");
        }
    }

    #[test]
    fn gaps_and_times_that_go_back_are_complained_of() {
        let mut gap = tale().facts("dialled A, released A, over").history;
        gap.journal[1].seq = 9;
        assert!(check(&gap).join("; ").contains("have a gap"));
        let mut back = tale().facts("dialled A, released A, over").history;
        back.journal.iter_mut().rev().for_each(|entry| entry.at = crate::net::WALL);
        back.journal[0].at = back.journal[0].at + std::time::Duration::from_secs(9);
        assert!(check(&back).join("; ").contains("times go back"));
        let mut unheard = tale().facts("over").history;
        let call = unheard.accepted[0].1.id;
        let at = base::time::Instant::START;
        unheard.stops.push(Stop { at, call, is_owner: false, was_running: true });
        let complaints = check(&unheard).join("; ");
        assert!(complaints.contains("a stranger's wish") && complaints.contains("not what the journal says"));
    }
}
