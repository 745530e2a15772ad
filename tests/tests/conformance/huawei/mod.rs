//! The matrix of Huawei Cloud VoiceCall: [`rows`] and [`pushes`] say what is asked and what must come of it, [`town`]
//! opens the houses in which that is true.

mod codes;
mod pushes;
mod rows;
mod scene;
mod town;

use std::collections::BTreeSet;

use huihu_tests::http::Answer;

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

/// Status and code, and whatever else is not as documented.
fn told(answer: &Answer) -> String {
    let (status, code, text) = (answer.status, answer.code(), answer.text());
    if status == 301 {
        let leads = answer.headers.get("location").is_some_and(|url| url.starts_with("http"));
        return if leads { "301" } else { "301 that leads nowhere" }.to_owned();
    }
    let mut told = format!("{status} {code}");
    // A login has its own word for success.
    if !codes::is_text_of(status, code, text) && (status, text) != (200, "Succeed") {
        told.push_str(&format!(" {text:?}"));
    }
    if !answer.body["resultcode"].is_string() {
        told.push_str(" whose resultcode is no text");
    }
    told
}

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
