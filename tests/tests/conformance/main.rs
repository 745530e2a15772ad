//! The conformance matrix: every row over HTTP against the real binary, and every result code by its real cause.
//!
//! [`rows`] says what is asked and what must come of it, [`town`] opens the houses in which that is true, and [`table`]
//! plays everything and prints `row, request, expected, got`, also into `target/conformance.txt`. What a row needs is
//! set by an operator over his own interface, by calls that really run, or by breaking what can break.

mod case;
mod codes;
mod pushes;
mod rows;
mod scene;
mod table;
mod town;

use std::collections::BTreeSet;

use crate::codes::CODES;

#[test]
fn every_row_is_answered_as_documented() {
    table::play(rows::all(), "conformance.txt");
}

#[test]
fn every_push_is_sent_as_documented() {
    table::play(pushes::all(), "conformance-pushes.txt");
}

#[test]
fn every_row_of_the_matrix_has_a_case() {
    let number = |row: &str| row.trim_end_matches(char::is_alphabetic).parse::<u16>().ok();
    let rows: BTreeSet<u16> = rows::all().iter().filter_map(|case| number(case.row)).collect();
    let missing: Vec<u16> = (1..=116).filter(|row| !rows.contains(row)).collect();
    assert!(missing.is_empty(), "no case for rows {missing:?}");
}

#[test]
fn every_result_code_of_the_documents_is_reached_by_its_cause() {
    // That the cases come out as expected is the other test's business.
    let cases = rows::all();
    let reached: BTreeSet<&str> =
        cases.iter().flat_map(|case| case.expected.split(", ")).map(|told| told.trim()).collect();
    let is_reached = |status: u16, code: &str| {
        let words = format!("{status} {code}");
        reached
            .iter()
            .any(|told| told.strip_prefix(&words).is_some_and(|rest| !rest.starts_with(char::is_numeric)))
    };
    let missing: Vec<String> = CODES
        .iter()
        .filter(|line| !is_reached(line.status, line.code))
        .map(|line| format!("{} {} ({})", line.status, line.code, line.pages))
        .collect();
    assert!(missing.is_empty(), "no case reaches {missing:#?}");
}
