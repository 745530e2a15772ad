//! The process dies exactly there, and the next one puts it right: a story for each place.
#![cfg(debug_assertions)]

use huihu_chaos::check::check;
use huihu_chaos::death::{Death, dies};
use huihu_chaos::history::Answer;
use store::death::PLACES;

/// It is answered, and nobody hangs up.
const ANSWERS: &str = "0001";
/// It is answered, and hangs up itself.
const HANGS_UP: &str = "0002";

/// It rings, and is not answered.
const RINGS: &str = "0480";

/// What is seen of a callback at the end: legs that rang, legs that were answered, parties that answered by the record.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    records: usize,
    /// At least, and at most: an INVITE may leave before the process is dead.
    rang: (usize, usize),
    answered: usize,
    recorded: usize,
}

/// A place, the telephones' fates, whether the customer heard of the call, and what is seen in the end.
type Story = (&'static str, [&'static str; 2], Heard, Seen);

#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Nothing,
    Accepted,
}

const fn seen(records: usize, rang: (usize, usize), answered: usize, recorded: usize) -> Seen {
    Seen { records, rang, answered, recorded }
}

const STORIES: [Story; 10] = [
    ("before accepted", [ANSWERS, ANSWERS], Heard::Nothing, seen(0, (0, 0), 0, 0)),
    ("after accepted", [ANSWERS, ANSWERS], Heard::Nothing, seen(1, (0, 0), 0, 0)),
    ("after ringing A", [RINGS, ANSWERS], Heard::Accepted, seen(1, (1, 1), 0, 0)),
    ("after ringing B", [ANSWERS, RINGS], Heard::Accepted, seen(1, (2, 2), 1, 1)),
    // Who has picked up is not billed for what was not written down, and is released all the same.
    ("before answered A", [ANSWERS, RINGS], Heard::Accepted, seen(1, (1, 2), 1, 0)),
    ("after answered A", [ANSWERS, RINGS], Heard::Accepted, seen(1, (1, 2), 1, 1)),
    ("after answered B", [ANSWERS, ANSWERS], Heard::Accepted, seen(1, (2, 2), 2, 2)),
    ("after over", [ANSWERS, HANGS_UP], Heard::Accepted, seen(1, (2, 2), 2, 2)),
    ("before delivered", [ANSWERS, ANSWERS], Heard::Accepted, seen(1, (0, 0), 0, 0)),
    ("after recording", [ANSWERS, ANSWERS], Heard::Accepted, seen(1, (2, 2), 2, 2)),
];

#[test]
fn every_place_has_its_story() {
    assert_eq!(STORIES.map(|(place, ..)| place), PLACES);
}

#[test]
fn whatever_dies_the_next_one_puts_it_right() {
    for (place, fates, heard, expected) in STORIES {
        let death = dies(place, fates).expect("the machine has what it takes");
        let Death { history, still_owed, recordings, .. } = &death;
        assert_eq!(check(history), [], "{place}");
        assert_eq!(*still_owed, 0, "{place}");
        let accepted = matches!(history.orders[0].answer, Answer::Accepted(_));
        assert_eq!(accepted, heard == Heard::Accepted, "{place}: {:?}", history.orders[0].answer);
        let parties = history.records.iter().flat_map(|record| &record.parties);
        let (rang, (least, most)) = (history.legs.len(), expected.rang);
        let found = Seen {
            records: history.records.len(),
            rang: expected.rang,
            answered: history.legs.iter().filter(|leg| leg.answered).count(),
            recorded: parties.filter(|party| party.answered).count(),
        };
        if place == "before delivered" {
            // How far the call had come when its first push was taken depends on the machine.
            assert_eq!(found.records, 1, "{place}");
            assert!(
                death.told_before > 0 && came_again(&death),
                "{place}: what was taken comes again, the same"
            );
        } else {
            assert_eq!(found, expected, "{place}");
            assert!((least..=most).contains(&rang), "{place}: {rang} telephones rang");
        }
        assert!(recordings.iter().all(|whole| *whole), "{place}: a recording that is no whole file");
        if place == "after recording" {
            assert_eq!(recordings.len(), 1, "{place}");
        }
    }
}

/// Whether something that was told before the death was told again.
fn came_again(death: &Death) -> bool {
    let (before, after) = death.history.posts.split_at(death.told_before);
    before.iter().any(|post| after.iter().any(|again| again.text == post.text))
}
