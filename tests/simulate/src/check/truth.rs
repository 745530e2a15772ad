//! What the journal says of a party is what the party said: it rang, it answered, it hung up, it refused.

use base::fact::{Entry, Fact};
use base::id::Leg;
use base::release::{Party, Release};
use sip::message::Method;

use super::Complaints;
use crate::history::{By, History, Message, What};
use crate::world::moment;

pub(super) fn check(history: &History) -> Complaints {
    let untrue =
        |entry: &&Entry| told(&entry.fact).is_some_and(|(leg, said)| !was_said(history, entry, leg, said));
    let complaint = |entry: &Entry| {
        let (leg, said) = told(&entry.fact)?;
        Some(format!("{}: fact {} of leg {leg} says what nobody said: {said:?}", entry.call, entry.seq))
    };
    history.journal.iter().filter(untrue).filter_map(complaint).collect()
}

/// What a party must have said for a fact to be one.
#[derive(Clone, Copy, Debug)]
enum Said {
    Ringing,
    Answer,
    Goodbye,
    Refusal(u16),
}

fn told(fact: &Fact) -> Option<(Leg, Said)> {
    match fact {
        Fact::Ringing { leg, .. } => Some((*leg, Said::Ringing)),
        Fact::Answered { leg, .. } => Some((*leg, Said::Answer)),
        Fact::Released { leg, release, .. } => {
            let Release { by, status, .. } = release;
            let is_party = *by == Party::of(*leg);
            match status {
                // Our own timer says 408 too, and what cannot be talked by is a 488 of ours.
                Some(408 | 488) => None,
                Some(status) if is_party => Some((*leg, Said::Refusal(*status))),
                None if is_party => Some((*leg, Said::Goodbye)),
                Some(_) | None => None,
            }
        }
        _ => None,
    }
}

fn was_said(history: &History, entry: &Entry, leg: Leg, said: Said) -> bool {
    let until = moment(entry);
    let had_come = |message: &&Message| {
        let attempt = message.attempt;
        let is_its = message.by == By::Them && (attempt.call, attempt.leg) == (entry.call, leg);
        is_its && message.came.iter().any(|at| *at <= until)
    };
    history.messages.iter().filter(had_come).any(|message| match (said, message.what) {
        (Said::Ringing, What::Response(status, Method::Invite)) => matches!(status, 180 | 183),
        (Said::Answer, What::Response(status, Method::Invite)) => (200..300).contains(&status),
        (Said::Refusal(wanted), What::Response(status, Method::Invite)) => status == wanted,
        (Said::Goodbye, What::Request(method)) => method == Method::Bye,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tale::tale;

    #[test]
    fn what_nobody_said_is_complained_of() {
        let said = || {
            let tale = tale().us(10, "A1", "INVITE").them(20, "A1", "180").them(30, "A1", "200");
            tale.them(40, "A1", "BYE").facts("dialled A, ringing A, answered A, released A, over")
        };
        assert_eq!(check(&said().history), Complaints::new());
        for left_out in 1..=3 {
            let mut history = said().history;
            history.messages.remove(left_out);
            assert_eq!(check(&history).len(), 1, "{left_out}");
            let mut late = said().history;
            late.messages[left_out].came = smallvec::smallvec![base::time::Instant::from_millis(90_000)];
            assert_eq!(check(&late).len(), 1, "{left_out}");
        }
        let mut refused = said().history;
        let status = |release: Release| Release { status: Some(486), ..release };
        if let Fact::Released { release, .. } = &mut refused.journal[3].fact {
            *release = status(*release);
        }
        assert!(check(&refused).join("; ").contains("Refusal(486)"));
        refused.messages[3].what = What::Response(486, Method::Invite);
        assert_eq!(check(&refused), Complaints::new());
    }
}
