//! What customers are owed and what their receivers saw, and the rules that hold of both. Pure.

use std::collections::HashMap;

/// Something that a customer is owed once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Event {
    /// The call.
    pub(crate) call: u32,
    /// What is told of it.
    pub(crate) news: News,
}

/// What is told of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum News {
    /// A status event, by its place among those of its call.
    Status(usize),
    Fee,
    Report,
}

/// How a customer wants status events that were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Once, and the next one.
    Once,
    /// Again, and the next one after it.
    InOrder,
}

/// A call that owes something.
#[derive(Clone, Debug)]
pub(crate) struct Owed {
    pub(crate) call: u32,
    pub(crate) wish: Wish,
    pub(crate) news: Vec<News>,
}

/// An event in a message that came to a receiver.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sight {
    pub(crate) event: Event,
    /// Whether the receiver took it.
    pub(crate) taken: bool,
    /// Whether it was signed as agreed.
    pub(crate) signed: bool,
    /// Whether somebody had pushes sent again before: then an event that was given up may come after later ones.
    pub(crate) sent_again: bool,
}

/// What came of everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Events that are owed.
    pub(crate) events: usize,
    /// Those that were taken.
    pub(crate) delivered: usize,
    /// Those that were not.
    pub(crate) lost: usize,
    /// Events that came before one that must be taken before them, each time.
    pub(crate) order: Vec<Event>,
    /// Events without a good signature.
    pub(crate) unsigned: usize,
    /// Events that nobody is owed.
    pub(crate) strange: usize,
    /// Events that were taken more than once, which may be.
    pub(crate) again: usize,
}

impl Outcome {
    /// Whether no rule is broken.
    pub(crate) const fn is_good(&self) -> bool {
        self.lost == 0 && self.order.is_empty() && self.unsigned == 0 && self.strange == 0
    }
}

/// Judges what was seen.
pub(crate) fn judge(owed: &[Owed], sights: &[Sight]) -> Outcome {
    let wishes: HashMap<u32, Wish> = owed.iter().map(|owed| (owed.call, owed.wish)).collect();
    let of_call = |owed: &Owed| {
        let call = owed.call;
        owed.news.clone().into_iter().map(move |news| Event { call, news })
    };
    let mut taken: HashMap<Event, usize> = owed.iter().flat_map(of_call).map(|event| (event, 0)).collect();
    let mut outcome = Outcome { events: taken.len(), ..Outcome::default() };
    // The first status event of a call that may come now for the first time.
    let mut reached: HashMap<u32, usize> = HashMap::new();
    for Sight { event, taken: took, signed, sent_again } in sights {
        outcome.unsigned += usize::from(!signed);
        let Some(times) = taken.get_mut(event) else {
            outcome.strange += 1;
            continue;
        };
        *times += usize::from(*took);
        let News::Status(place) = event.news else { continue };
        let next = reached.entry(event.call).or_default();
        match wishes[&event.call] {
            // None comes before all earlier ones were taken.
            Wish::InOrder => {
                outcome.order.extend((place > *next).then_some(*event));
                *next = (*next).max(place + usize::from(*took));
            }
            // Each comes after those that came before, unless somebody asks for it.
            Wish::Once => {
                outcome.order.extend((place < *next && !sent_again).then_some(*event));
                *next = (*next).max(place + 1);
            }
        }
    }
    outcome.delivered = taken.values().filter(|times| **times > 0).count();
    outcome.again = taken.values().filter(|times| **times > 1).count();
    outcome.lost = outcome.events - outcome.delivered;
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A call with three events and a fee record.
    fn owed(wish: Wish) -> Vec<Owed> {
        let news = vec![News::Status(0), News::Status(1), News::Status(2), News::Fee];
        vec![Owed { call: 7, wish, news }]
    }

    /// What came, in letters: an event's place, `f` for the fee record, `!` behind what was not taken.
    fn seen(text: &str) -> Vec<Sight> {
        let sight = |word: &str| {
            let news = match word.trim_end_matches('!') {
                "f" => News::Fee,
                place => News::Status(place.parse().unwrap()),
            };
            let event = Event { call: 7, news };
            Sight { event, taken: !word.ends_with('!'), signed: true, sent_again: false }
        };
        text.split_whitespace().map(sight).collect()
    }

    fn judged(wish: Wish, text: &str) -> Outcome {
        judge(&owed(wish), &seen(text))
    }

    #[test]
    fn what_may_be_is_good() {
        for text in ["0 1 2 f", "0! 0 1! 1! 1 2 f! f", "0 0 1 1 0 2 2 f f"] {
            let outcome = judged(Wish::InOrder, text);
            assert!(outcome.is_good() && outcome.delivered == 4, "{text}: {outcome:?}");
        }
        let mut sights = seen("0! 1 2! f 0 2");
        sights[4..].iter_mut().for_each(|sight| sight.sent_again = true);
        assert!(judge(&owed(Wish::Once), &sights).is_good());
    }

    #[test]
    fn each_broken_rule_is_found() {
        assert_eq!(judged(Wish::InOrder, "0 1 2 f!").lost, 1);
        assert_eq!(judged(Wish::InOrder, "").lost, 4);
        assert_eq!(judged(Wish::InOrder, "1 0 2 f").order.len(), 1);
        assert_eq!(judged(Wish::InOrder, "0! 1 0 2 f").order.len(), 1, "before the one before it was taken");
        assert_eq!(judged(Wish::Once, "1 0 2 f").order.len(), 1);
        assert_eq!(judged(Wish::InOrder, "0 1 2 f 3").strange, 1);
        let mut sights = seen("0 1 2 f");
        sights[2].signed = false;
        assert_eq!(judge(&owed(Wish::InOrder), &sights).unsigned, 1);
        assert_eq!(judged(Wish::InOrder, "0 0 1 2 f").again, 1);
    }
}
