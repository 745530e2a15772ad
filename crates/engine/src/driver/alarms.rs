//! The alarms of a shard's calls: each call has one at most, so the table never outgrows the calls.

use std::collections::BTreeSet;
use std::time::Duration;

use base::time::Instant;

/// How soon a call can be woken again: a plan whose deadline stays in the past must not hold up its shard.
const SOONEST: Duration = Duration::from_millis(1);

/// When calls want to be woken, earliest first.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    calls: BTreeSet<(Instant, u64)>,
}

/// The alarm of one call, kept beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alarm {
    /// The deadline it is for.
    wanted: Instant,
    /// When it rings.
    rings: Instant,
}

impl Alarms {
    /// The earliest alarm.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.calls.first().map(|(at, _)| *at)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Takes the call whose alarm is due; the alarm kept beside it is over.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<u64> {
        let (_, call) = self.calls.first().copied().filter(|(at, _)| *at <= now)?;
        self.calls.pop_first();
        Some(call)
    }

    /// Sets, moves or clears a call's alarm.
    pub(crate) fn set(
        &mut self,
        call: u64,
        alarm: &mut Option<Alarm>,
        wanted: Option<Instant>,
        now: Instant,
    ) {
        if alarm.map(|alarm| alarm.wanted) == wanted {
            return;
        }
        if let Some(old) = alarm.take() {
            self.calls.remove(&(old.rings, call));
        }
        *alarm = wanted.map(|wanted| Alarm { wanted, rings: wanted.max(now + SOONEST) });
        self.calls.extend(alarm.map(|alarm| (alarm.rings, call)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn a_moved_alarm_leaves_nothing_behind() {
        let (mut alarms, mut alarm) = (Alarms::default(), None);
        for millis in [500, 90_000, 300] {
            alarms.set(7, &mut alarm, Some(at(millis)), at(0));
        }
        assert_eq!((alarms.next(), alarms.calls.len()), (Some(at(300)), 1));
        assert_eq!((alarms.take_due(at(299)), alarms.take_due(at(300))), (None, Some(7)));
        alarms.set(7, &mut alarm, None, at(300));
        assert_eq!(alarms.next(), None);
    }

    #[test]
    fn a_deadline_that_stays_in_the_past_rings_once_a_millisecond() {
        let (mut alarms, mut alarm) = (Alarms::default(), None);
        alarms.set(7, &mut alarm, Some(at(1)), at(10));
        assert_eq!(alarms.take_due(at(10)), None);
        assert_eq!(alarms.take_due(at(11)), Some(7));
        alarm = None;
        alarms.set(7, &mut alarm, Some(at(1)), at(11));
        assert_eq!(alarms.next(), Some(at(12)));
    }
}
