//! The end of a world: it comes, in time, and nothing is left.

use std::time::Duration;

use base::fact::Fact;
use base::limits;
use engine::solo::Held;

use super::Complaints;
use crate::history::{Far, History};
use crate::world::moment;

pub(super) fn check(history: &History) -> Complaints {
    let mut complaints = Vec::new();
    let end = history.end;
    if end.spun {
        complaints.push("the shard took turn after turn, and no time passed".to_owned());
    }
    if history.told_strangers > 0 {
        complaints.push(format!("strangers were told {} messages", history.told_strangers));
    }
    if end.at.is_none() {
        complaints.push(format!("it never came to rest: {:?}", end.held));
    }
    if end.held != Held::default() || end.permits + end.seats > 0 || end.sockets > 0 {
        complaints.push(format!("something was kept: {end:?}"));
    }
    for (at, call) in &history.accepted {
        let is_over = |fact: &Fact| matches!(fact, Fact::Over(_));
        let over = history.journal.iter().find(|entry| entry.call == call.id && is_over(&entry.fact));
        let is_its = |far: Far| history.far.iter().any(|(_, own, seen)| own.call == call.id && *seen == far);
        let longest = if is_its(Far::Died) { UNNOTICED } else { LONGEST };
        if let Some(took) = over.map(|entry| moment(entry).since(*at)).filter(|took| *took > longest) {
            complaints.push(format!("{}: it took {took:?}", call.id));
        }
    }
    complaints
}

/// The longest call: both parties ring as long as they may by as many ways as there are, or a machine speaks as long as it
/// may; and then everybody is slow to go.
const LONGEST: Duration =
    Duration::from_secs(2 * 60 + limits::ANNOUNCEMENT.as_secs() + limits::RING.as_secs());

/// The longest call whose party died: nobody notices before its session wants to be refreshed.
const UNNOTICED: Duration = Duration::from_secs(1_800 + LONGEST.as_secs());

#[cfg(test)]
mod tests {
    use base::time::Instant;

    use super::*;
    use crate::check::tale::tale;
    use crate::history::End;

    #[test]
    fn what_is_kept_and_what_never_ends_are_complained_of() {
        let ends = |change: fn(&mut End)| {
            let mut history = tale().facts("over").history;
            change(&mut history.end);
            check(&history)
        };
        assert_eq!(ends(|_| {}), Complaints::new());
        let told = History { told_strangers: 1, ..tale().history };
        assert!(check(&told).join("; ").contains("strangers"));
        let changes: [fn(&mut End); 7] = [
            |end| end.at = None,
            |end| end.spun = true,
            |end| end.permits = 1,
            |end| end.seats = 1,
            |end| end.sockets = 1,
            |end| end.held.wires = 1,
            |end| end.held.sip.legs = 1,
        ];
        for change in changes {
            assert!(!ends(change).is_empty());
        }
    }

    #[test]
    fn a_call_that_takes_too_long_is_complained_of() {
        let mut history = tale().facts("over").history;
        history.journal[0].at = history.journal[0].at + LONGEST + Duration::from_secs(9);
        assert!(check(&history).join("; ").contains("it took"));
        let died = tale().far(3, "A1", Far::Died).history.far;
        history.far = died;
        assert_eq!(check(&history), Complaints::new());
        assert_eq!(history.end.at, Some(Instant::from_millis(99_999)));
    }
}
