//! Every telephone that was picked up is told of the end, unless it died or the network took everything; and no two
//! telephones of one leg are up.

use base::time::Instant;
use sip::message::Method;
use std::time::Duration;

use super::Complaints;
use crate::history::{Attempt, By, Far, History, Message, What};

pub(super) fn check(history: &History) -> Complaints {
    let mut complaints = Vec::new();
    let attempts = history.attempts();
    let mut up: Vec<(Attempt, Instant, Option<Instant>)> = Vec::new();
    for (attempt, messages) in &attempts {
        let Some(answered) = history.when(*attempt, Far::Answered) else { continue };
        let over = history.when(*attempt, Far::Over);
        let died = history.when(*attempt, Far::Died);
        up.push((*attempt, answered, over.or(died)));
        if over.is_none() && died.is_none() && !was_all_taken(messages) {
            complaints.push(format!("{attempt}: its telephone was picked up and never told of the end"));
        }
    }
    for (one, from, to) in &up {
        let is_other =
            |other: &Attempt| (other.call, other.leg) == (one.call, one.leg) && other.number > one.number;
        for (other, since, _) in up.iter().filter(|(other, ..)| is_other(other)) {
            if to
                .is_some_and(|to| since.max(from).since(Instant::START) + CROSSING < to.since(Instant::START))
            {
                complaints.push(format!("{one} and {other}: two telephones of one leg are up"));
            }
        }
    }
    complaints
}

/// Whether we told the end as often as RFC 3261 17.1.2.2 wants it, and the network took it every time.
fn was_all_taken(messages: &[&Message]) -> bool {
    let is_end = |message: &&&Message| {
        let ends = matches!(message.what, What::Request(Method::Bye | Method::Cancel));
        message.by == By::Us && ends
    };
    let told: Vec<_> = messages.iter().filter(is_end).collect();
    told.len() >= BYES && told.iter().all(|message| message.came.is_empty())
}

/// A BYE without an answer goes out so often within 64*T1.
const BYES: usize = 10;

/// How long a telephone may be up whose answer met our CANCEL: as long as BYE and 2xx are repeated.
const CROSSING: Duration = Duration::from_secs(70);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tale::tale;

    #[test]
    fn a_telephone_that_is_left_up_is_complained_of() {
        let told = tale().us(1, "A1", "INVITE").far(5, "A1", Far::Answered).far(9, "A1", Far::Over).history;
        assert_eq!(check(&told), Complaints::new());
        let dead = tale().us(1, "A1", "INVITE").far(5, "A1", Far::Answered).far(9, "A1", Far::Died).history;
        assert_eq!(check(&dead), Complaints::new());
        let left = tale().us(1, "A1", "INVITE").far(5, "A1", Far::Answered);
        assert!(check(&left.history).join("; ").contains("never told of the end"));
        let lost = |byes| {
            (0..byes).fold(tale().us(1, "A1", "INVITE").far(5, "A1", Far::Answered), |tale, at| {
                tale.lost(10 + at, "A1", "BYE")
            })
        };
        assert_eq!(check(&lost(11).history), Complaints::new());
        assert!(!check(&lost(4).history).is_empty(), "it was not told often enough");
    }

    #[test]
    fn two_telephones_of_one_leg_are_complained_of() {
        let two = tale().us(1, "A1", "INVITE").far(5, "A1", Far::Answered).us(8, "A2", "INVITE");
        let two = two.far(9, "A2", Far::Answered).far(200_000, "A1", Far::Over).far(200_000, "A2", Far::Over);
        assert!(check(&two.history).join("; ").contains("two telephones"));
    }
}
