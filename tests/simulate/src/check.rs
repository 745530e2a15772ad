//! What must hold in every world: a file for each kind of rule.
//!
//! A rule looks at what was seen, and at nothing of the engine. Each is first shown a history that breaks it.

mod dialling;
mod ends;
mod journal;
mod keys;
mod recording;
mod release;
mod rows;
#[cfg(test)]
mod tale;
mod truth;
mod voice;

use crate::history::History;

/// What a rule has to complain of.
pub(crate) type Complaints = Vec<String>;

/// What a rule does.
type Rule = fn(&History) -> Complaints;

/// Every rule's complaints, with the rule's name.
pub(crate) fn check(history: &History) -> Complaints {
    let of = |(name, rule): &(&str, Rule)| {
        rule(history).into_iter().map(|complaint| format!("{name}: {complaint}")).collect::<Vec<_>>()
    };
    RULES.iter().flat_map(of).collect()
}

const RULES: [(&str, Rule); 9] = [
    ("journal", journal::check),
    ("rows", rows::check),
    ("dialling", dialling::check),
    ("truth", truth::check),
    ("release", release::check),
    ("voice", voice::check),
    ("recording", recording::check),
    ("keys", keys::check),
    ("ends", ends::check),
];
