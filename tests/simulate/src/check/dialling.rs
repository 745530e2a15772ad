//! Who is dialled, when: never before the acceptance, never after the end, each INVITE in the journal, and no second way
//! once a telephone rang or somebody decided.

use std::collections::BTreeMap;

use base::fact::Fact;
use base::id::{CallId, Leg};
use base::time::Instant;

use super::Complaints;
use crate::history::{Attempt, By, History, Message};
use crate::world::moment;

pub(super) fn check(history: &History) -> Complaints {
    let mut complaints = Vec::new();
    let attempts = history.attempts();
    let mut dialled: BTreeMap<(CallId, Leg), Vec<Instant>> = BTreeMap::new();
    for (attempt, messages) in &attempts {
        let Some(first) = messages.iter().find(|message| message.is_first_invite()) else {
            complaints.push(format!("{attempt}: messages without an INVITE"));
            continue;
        };
        dialled.entry((attempt.call, attempt.leg)).or_default().push(first.sent);
        let accepted = history.accepted.iter().find(|(_, call)| call.id == attempt.call);
        if accepted.is_none_or(|(at, _)| *at > first.sent) {
            complaints.push(format!("{attempt}: an INVITE left before its call was accepted"));
        }
        if attempt.number > MOST {
            complaints.push(format!("{attempt}: more attempts than there may be"));
        }
        complaints.extend(second_way(*attempt, first.sent, &attempts));
    }
    for entry in &history.journal {
        let Some(by_leg) = closing(&entry.fact) else { continue };
        for ((call, leg), times) in &dialled {
            let is_its = *call == entry.call && by_leg.is_none_or(|own| own == *leg);
            if is_its && times.iter().any(|at| *at > moment(entry)) {
                complaints.push(format!("{call}: leg {leg} was dialled after its end"));
            }
        }
    }
    for (_, call) in &history.accepted {
        for leg in [Leg::A, Leg::B] {
            let is_its = |fact: &Fact| matches!(fact, Fact::Dialled { leg: own, .. } if *own == leg);
            let told =
                history.journal.iter().filter(|entry| entry.call == call.id && is_its(&entry.fact)).count();
            let seen = dialled.get(&(call.id, leg)).map_or(0, Vec::len);
            // What has no way to its trunk never leaves, and is told all the same.
            if seen > told {
                complaints.push(format!(
                    "{}: {seen} INVITEs left for leg {leg}, {told} are in the journal",
                    call.id
                ));
            }
        }
    }
    complaints
}

/// Whether the attempt before this one had come too far for another.
fn second_way(
    attempt: Attempt,
    left: Instant,
    attempts: &BTreeMap<Attempt, Vec<&Message>>,
) -> Option<String> {
    let before = Attempt { number: attempt.number.checked_sub(1)?, ..attempt };
    let had_come = |message: &&&Message| message.by == By::Them && message.came.iter().any(|at| *at < left);
    let mut statuses =
        attempts.get(&before)?.iter().filter(had_come).filter_map(|message| message.invite_status());
    let decided = statuses.find(|status| matches!(status, 180 | 200 | 486 | 600 | 603))?;
    Some(format!("{attempt}: dialled although {decided} had come to the attempt before"))
}

/// Whether a fact ends a leg, or all of them.
fn closing(fact: &Fact) -> Option<Option<Leg>> {
    match fact {
        Fact::Released { leg, .. } => Some(Some(*leg)),
        Fact::Over(_) => Some(None),
        _ => None,
    }
}

/// Attempts that a leg may have.
const MOST: u8 = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tale::tale;

    #[test]
    fn an_invite_before_the_acceptance_or_after_the_end_is_complained_of() {
        let fine =
            tale().us(10, "A1", "INVITE").them(20, "A1", "503").us(30, "A2", "INVITE").them(50, "A2", "180");
        let fine = fine.facts("dialled A, again A, ringing A, released A, over").history;
        assert_eq!(check(&fine), Complaints::new());
        let mut early = tale().us(10, "A1", "INVITE").facts("dialled A, released A, over").history;
        early.accepted[0].0 = Instant::from_millis(11);
        assert!(check(&early).join("; ").contains("before its call was accepted"));
        let late = tale().us(99_000, "A1", "INVITE").facts("dialled A, released A, over").history;
        assert!(check(&late).join("; ").contains("after its end"));
        let secret = tale().us(10, "B1", "INVITE").facts("dialled A").history;
        assert!(check(&secret).join("; ").contains("1 INVITEs left for leg B, 0 are in the journal"));
    }

    #[test]
    fn a_second_way_after_a_ringing_telephone_or_a_refusal_is_complained_of() {
        for status in ["180", "200", "486", "603"] {
            let tale = tale().us(10, "A1", "INVITE").them(20, "A1", status).us(30, "A2", "INVITE");
            assert!(check(&tale.history).join("; ").contains("had come to the attempt before"), "{status}");
        }
        let many = (1..=7).fold(tale(), |tale, nth| tale.us(nth, &format!("A{nth}"), "INVITE"));
        assert!(check(&many.history).join("; ").contains("more attempts"));
    }
}
