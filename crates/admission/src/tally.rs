//! How many calls there were, by everything that has a limit.
//!
//! The journal keeps the same counts and gives them back at a start; they are asked here because every order asks for
//! several. A call is counted when it is admitted and taken off again when it cannot be accepted after all.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base::quota::{Charge, Counted, Limit, Window};
use base::refusal::Refusal;
use base::time::Timestamp;

/// The counts of all windows that are not over. One for the whole process.
#[derive(Default)]
pub struct Tally(Mutex<Counts>);

/// One limit, as it meets one call.
#[derive(Debug)]
pub(crate) struct Demand {
    pub(crate) limit: Limit,
    pub(crate) charge: Charge,
}

#[derive(Default)]
struct Counts {
    pages: BTreeMap<Page, HashMap<Box<str>, u32>>,
    /// Subjects on all pages.
    subjects: usize,
}

/// What one window of one limit counts; in the order in which the windows end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Page {
    ends: i64,
    per: Window,
    of: Counted,
    owner: i64,
}

impl Tally {
    /// Nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what was counted before this process began.
    pub fn load(&self, known: impl IntoIterator<Item = (Charge, u32)>) {
        let mut counts = self.locked();
        for (charge, calls) in known {
            counts.add(&charge, calls);
        }
    }

    /// Takes off the charges of a call that was admitted and could not be accepted.
    pub fn refund(&self, charges: &[Charge]) {
        let mut counts = self.locked();
        for charge in charges {
            counts.take_off(charge);
        }
    }

    /// How many calls were counted where the charge would be.
    #[must_use]
    pub fn used(&self, charge: &Charge) -> u32 {
        self.locked().used(charge)
    }

    /// Counts a call against every limit that it meets, or against none: between looking and counting nobody else
    /// looks. Gives what was counted, each charge once.
    ///
    /// # Errors
    /// The refusal of the first limit that is reached, or that nothing more can be counted.
    pub(crate) fn charge(&self, demands: Vec<Demand>, now: Timestamp) -> Result<Vec<Charge>, Refusal> {
        if demands.is_empty() {
            return Ok(Vec::new());
        }
        let mut counts = self.locked();
        counts.forget_the_over(now);
        demands.iter().try_for_each(|demand| demand.check(counts.used(&demand.charge)))?;
        if counts.subjects + demands.len() > SUBJECTS {
            return Err(Refusal::PlatformBusy);
        }
        let mut charges = Vec::with_capacity(demands.len());
        for Demand { charge, .. } in demands {
            if !charges.contains(&charge) {
                counts.add(&charge, 1);
                charges.push(charge);
            }
        }
        Ok(charges)
    }

    fn locked(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a tally of {} subjects", self.locked().subjects)
    }
}

impl Demand {
    /// Whether one more call may come to those that were counted.
    pub(crate) fn check(&self, used: u32) -> Result<(), Refusal> {
        let Limit { of, per, calls } = self.limit;
        if used < calls { Ok(()) } else { Err(Refusal::LimitReached { of, per }) }
    }
}

impl Counts {
    fn used(&self, charge: &Charge) -> u32 {
        let subject: &str = charge.subject.expose();
        self.pages.get(&Page::of(charge)).and_then(|page| page.get(subject)).copied().unwrap_or(0)
    }

    fn add(&mut self, charge: &Charge, calls: u32) {
        let page = self.pages.entry(Page::of(charge)).or_default();
        let before = page.len();
        let used = page.entry(charge.subject.expose().clone()).or_default();
        *used = used.saturating_add(calls);
        self.subjects += page.len() - before;
    }

    fn take_off(&mut self, charge: &Charge) {
        let Some(page) = self.pages.get_mut(&Page::of(charge)) else { return };
        let subject: &str = charge.subject.expose();
        let Some(used) = page.get_mut(subject) else { return };
        *used = used.saturating_sub(1);
        if *used == 0 {
            page.remove(subject);
            self.subjects -= 1;
        }
    }

    fn forget_the_over(&mut self, now: Timestamp) {
        while let Some(first) = self.pages.first_entry().filter(|page| page.key().ends <= now.secs()) {
            self.subjects -= first.remove().len();
        }
    }
}

impl Page {
    const fn of(charge: &Charge) -> Self {
        let &Charge { of, owner, per, began, .. } = charge;
        Self { ends: per.ends(began), per, of, owner }
    }
}

/// Numbers, apps and enterprises that are counted at once, one in each of its windows: about half a gigabyte. Past
/// this no call that a limit looks at is taken: a limit that cannot be kept must not be overrun.
const SUBJECTS: usize = 8_000_000;

#[cfg(test)]
mod tests {
    use base::private::Private;

    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_767_326_400_000);

    fn demand(subject: &str, per: Window, calls: u32, now: Timestamp) -> Demand {
        let of = Counted::Callee;
        let subject = Private::new(subject.into());
        let charge = Charge { of, owner: 0, subject, per, began: per.began(now) };
        Demand { limit: Limit { of, per, calls }, charge }
    }

    fn charge(tally: &Tally, subject: &str, per: Window, calls: u32) -> Result<Vec<Charge>, Refusal> {
        tally.charge(vec![demand(subject, per, calls, NOON)], NOON)
    }

    const REACHED: Refusal = Refusal::LimitReached { of: Counted::Callee, per: Window::Hour };

    #[test]
    fn calls_are_counted_up_to_the_limit_and_no_further() {
        let tally = Tally::new();
        assert!(charge(&tally, "x", Window::Hour, 2).is_ok());
        assert!(charge(&tally, "x", Window::Hour, 2).is_ok());
        assert_eq!(charge(&tally, "x", Window::Hour, 2), Err(REACHED));
        assert!(charge(&tally, "y", Window::Hour, 2).is_ok());
        assert!(charge(&tally, "x", Window::Day, 1).is_ok(), "each window counts for itself");
        assert!(charge(&tally, "x", Window::Hour, 3).is_ok(), "a limit that was raised goes on where it was");
        assert_eq!(charge(&tally, "z", Window::Hour, 0), Err(REACHED));
    }

    #[test]
    fn a_call_is_counted_against_all_its_limits_or_none() {
        let tally = Tally::new();
        charge(&tally, "full", Window::Hour, 1).unwrap();
        let both = vec![demand("free", Window::Hour, 1, NOON), demand("full", Window::Hour, 1, NOON)];
        assert_eq!(tally.charge(both, NOON), Err(REACHED));
        assert_eq!(tally.used(&demand("free", Window::Hour, 1, NOON).charge), 0);
    }

    #[test]
    fn two_limits_on_one_count_count_a_call_once() {
        let tally = Tally::new();
        let twice = vec![demand("x", Window::Hour, 5, NOON), demand("x", Window::Hour, 9, NOON)];
        assert_eq!(tally.charge(twice, NOON).unwrap().len(), 1);
        assert_eq!(tally.used(&demand("x", Window::Hour, 5, NOON).charge), 1);
    }

    #[test]
    fn a_refunded_call_makes_room_for_another() {
        let tally = Tally::new();
        let charges = charge(&tally, "x", Window::Hour, 1).unwrap();
        tally.refund(&charges);
        assert_eq!(tally.locked().subjects, 0);
        tally.refund(&charges);
        assert!(charge(&tally, "x", Window::Hour, 1).is_ok());
    }

    #[test]
    fn counts_of_an_earlier_process_go_on() {
        let tally = Tally::new();
        tally.load([(demand("x", Window::Hour, 0, NOON).charge, 4)]);
        assert_eq!(charge(&tally, "x", Window::Hour, 4), Err(REACHED));
        assert!(charge(&tally, "x", Window::Hour, 5).is_ok());
    }

    #[test]
    fn windows_that_are_over_are_forgotten() {
        let tally = Tally::new();
        for (subject, per) in [("x", Window::Minute), ("y", Window::Minute), ("x", Window::Day)] {
            charge(&tally, subject, per, 9).unwrap();
        }
        let later = Timestamp::from_millis(NOON.millis() + 60_000);
        tally.charge(vec![demand("z", Window::Minute, 9, later)], later).unwrap();
        let counts = tally.locked();
        assert_eq!((counts.pages.len(), counts.subjects), (2, 2));
    }

    #[test]
    fn nobodys_number_is_shown() {
        let tally = Tally::new();
        charge(&tally, "+8613800000001", Window::Hour, 1).unwrap();
        assert_eq!(format!("{tally:?}"), "a tally of 1 subjects");
    }
}
