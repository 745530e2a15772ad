//! Places at which a process can be made to die, to see what the next one makes of it. Debug builds have them, no others.
//!
//! `CRASH_AT` in the environment names one of [`PLACES`]. All are in the journal's writer, around the commit that they
//! name: what is durable is decided there and nowhere else.

use std::sync::OnceLock;

use base::fact::Fact;

use crate::batch::Batch;
use crate::outbox::Outcome;

/// The places, by the commit and the side of it.
pub const PLACES: [&str; 10] = [
    "before accepted",
    "after accepted",
    "after ringing A",
    "after ringing B",
    "before answered A",
    "after answered A",
    "after answered B",
    "after over",
    "before delivered",
    "after recording",
];

/// Dies if this is the place: `side` of the commit of this batch.
///
/// # Panics
/// When `CRASH_AT` names no place.
pub(crate) fn here(side: &str, batch: &Batch) {
    static PLACE: OnceLock<Option<String>> = OnceLock::new();
    let Some(place) = PLACE.get_or_init(|| std::env::var("CRASH_AT").ok()) else { return };
    assert!(PLACES.contains(&place.as_str()), "CRASH_AT={place} is none of {PLACES:?}");
    let facts = batch.entries.iter().filter_map(|row| match &row.entry.fact {
        Fact::Accepted(_) => Some("accepted".to_owned()),
        Fact::Ringing { leg, .. } => Some(format!("ringing {leg}")),
        Fact::Answered { leg, .. } => Some(format!("answered {leg}")),
        Fact::RecordingStarted => Some("recording".to_owned()),
        Fact::Over(_) => Some("over".to_owned()),
        _ => None,
    });
    let delivered = batch.verdicts.iter().any(|verdict| verdict.outcome == Outcome::Delivered);
    let mut commits = facts.chain(delivered.then(|| "delivered".to_owned()));
    if commits.any(|commit| *place == format!("{side} {commit}")) {
        // As by a signal: nothing is tidied up.
        std::process::abort();
    }
}
