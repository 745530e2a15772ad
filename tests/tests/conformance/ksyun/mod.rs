//! The matrix of Ksyun's voice messages: [`rows`] say what is asked and what must come of it, [`pushes`], [`reports`] and
//! [`receipts`] what is told of it later, and [`town`] opens the houses in which that is true.

mod answers;
mod codes;
mod pushes;
mod receipts;
mod reports;
mod rows;
mod scene;
mod town;

use std::collections::BTreeSet;

use self::answers::told;
use self::codes::CODES;
use self::scene::Scene;
use crate::case::{self, Told};
use crate::table;

type Case = case::Case<Scene>;

/// A case that is played in the open house.
fn case<T: Told<Scene>>(
    row: &'static str,
    request: impl Into<String>,
    expected: impl Into<String>,
    play: impl Fn(&Scene) -> T + Send + Sync + 'static,
) -> Case {
    Case::new(row, request, expected, play)
}

/// Every case. Those that take longest are played first.
fn all() -> Vec<Case> {
    [receipts::all(), pushes::all(), reports::all(), rows::all(), rows::frail()]
        .into_iter()
        .flatten()
        .collect()
}

#[test]
fn every_row_is_answered_as_documented() {
    table::play(all(), "conformance-ksyun.txt");
}

#[test]
fn every_row_of_the_matrix_has_a_case() {
    let number = |row: &str| row.trim_end_matches(char::is_alphabetic).parse::<u16>().ok();
    let rows: BTreeSet<u16> = all().iter().filter_map(|case| number(case.row)).collect();
    let missing: Vec<u16> = (1..=77).filter(|row| !rows.contains(row)).collect();
    assert!(missing.is_empty(), "no case for rows {missing:?}");
}

#[test]
fn every_code_of_the_document_is_reached_by_its_cause() {
    // That the cases come out as expected is the other test's business.
    let cases = all();
    let reached: BTreeSet<String> = cases
        .iter()
        .flat_map(|case| case.expected.split(", "))
        .map(|told| told.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    let missing: Vec<String> = CODES
        .iter()
        .map(|line| format!("{} {}", line.status, line.code))
        .filter(|code| !reached.contains(code))
        .collect();
    assert!(missing.is_empty(), "no case reaches {missing:#?}");
}
