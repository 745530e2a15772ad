//! Keys: none that nobody pressed, and each once.

use base::fact::Fact;
use base::id::Leg;

use super::Complaints;
use crate::history::{Far, History};

pub(super) fn check(history: &History) -> Complaints {
    let mut complaints = Vec::new();
    for (_, call) in &history.accepted {
        for leg in [Leg::A, Leg::B] {
            let mut pressed: Vec<char> = history
                .far
                .iter()
                .filter(|(_, attempt, _)| (attempt.call, attempt.leg) == (call.id, leg))
                .filter_map(|(_, _, far)| if let Far::Pressed(key) = far { Some(*key) } else { None })
                .collect();
            let digits = history.journal.iter().filter(|entry| entry.call == call.id);
            for entry in digits {
                let Fact::Digit { leg: own, digit, .. } = &entry.fact else { continue };
                if *own != leg {
                    continue;
                }
                // Two ways may overtake each other: only the number of presses counts.
                match pressed.iter().position(|key| key == digit.expose()) {
                    Some(at) => {
                        pressed.remove(at);
                    }
                    None => complaints
                        .push(format!("{}: a key of leg {leg} that nobody pressed so often", call.id)),
                }
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tale::tale;

    #[test]
    fn a_key_that_nobody_pressed_is_complained_of() {
        let pressed = || tale().far(5, "A1", Far::Pressed('1')).far(6, "A1", Far::Pressed('1'));
        assert_eq!(
            check(&pressed().facts("dialled A, answered A, digit A 1, digit A 1").history),
            Complaints::new()
        );
        assert_eq!(check(&pressed().facts("dialled A, answered A, digit A 1").history), Complaints::new());
        for wrong in ["digit A 1, digit A 1, digit A 1", "digit A 2", "digit B 1"] {
            let found = check(&pressed().facts(wrong).history).join("; ");
            assert!(found.contains("nobody pressed"), "{wrong}");
        }
    }
}
